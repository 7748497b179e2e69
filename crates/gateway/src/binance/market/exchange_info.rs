//! `GET exchangeInfo`: the markets with their rules, and the limits.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use types::MarketState;
use views::MarketInfo;

use super::filters::{Filter, filters};
use super::select::{Selection, status};
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::limits::stated;
use crate::binance::render::{PLACES, Time};
use crate::binance::symbols::symbol;

const ORDER_TYPES: [&str; 7] = [
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
];

const SELF_TRADE_PREVENTION: [&str; 5] =
    ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExchangeInfo {
    timezone: &'static str,
    server_time: Time,
    rate_limits: [RateLimit; 4],
    exchange_filters: [(); 0],
    symbols: Vec<Symbol>,
}

/// A limit, as everybody reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::binance) struct RateLimit {
    rate_limit_type: &'static str,
    interval: &'static str,
    interval_num: u8,
    limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Symbol {
    symbol: String,
    status: &'static str,
    base_asset: String,
    base_asset_precision: u8,
    quote_asset: String,
    quote_precision: u8,
    quote_asset_precision: u8,
    base_commission_precision: u8,
    quote_commission_precision: u8,
    order_types: [&'static str; 7],
    iceberg_allowed: bool,
    oco_allowed: bool,
    oto_allowed: bool,
    opo_allowed: bool,
    quote_order_qty_market_allowed: bool,
    allow_trailing_stop: bool,
    cancel_replace_allowed: bool,
    amend_allowed: bool,
    peg_instructions_allowed: bool,
    is_spot_trading_allowed: bool,
    is_margin_trading_allowed: bool,
    filters: Vec<Filter>,
    permissions: [(); 0],
    permission_sets: Vec<[&'static str; 1]>,
    default_self_trade_prevention_mode: &'static str,
    allowed_self_trade_prevention_modes: [&'static str; 5],
}

impl RateLimit {
    const fn new(
        rate_limit_type: &'static str,
        interval: &'static str,
        interval_num: u8,
        limit: u32,
    ) -> Self {
        Self { rate_limit_type, interval, interval_num, limit, count: None }
    }

    /// Orders in ten seconds and in a day.
    pub(in crate::binance) const ORDERS: [Self; 2] = [
        Self::new("ORDERS", "SECOND", 10, stated::ORDERS_10S),
        Self::new("ORDERS", "DAY", 1, stated::ORDERS_1D),
    ];

    /// All limits.
    pub(in crate::binance) const ALL: [Self; 4] = {
        let [ten_seconds, day] = Self::ORDERS;
        [
            Self::new("REQUEST_WEIGHT", "MINUTE", 1, stated::WEIGHT_1M),
            ten_seconds,
            day,
            Self::new("RAW_REQUESTS", "MINUTE", 5, stated::RAW_5M),
        ]
    };

    /// With what is used of it.
    pub(in crate::binance) fn used(self, count: u32) -> Self {
        Self { count: Some(count), ..self }
    }
}

impl Symbol {
    fn new(market: &MarketInfo, shows_permissions: bool) -> Self {
        let [base_places, quote_places] =
            [&market.base, &market.quote].map(|asset| asset.scale.min(PLACES));
        Self {
            symbol: symbol(market),
            status: status(market),
            base_asset: market.base.symbol.clone(),
            base_asset_precision: base_places,
            quote_asset: market.quote.symbol.clone(),
            quote_precision: quote_places,
            quote_asset_precision: quote_places,
            base_commission_precision: base_places,
            quote_commission_precision: quote_places,
            order_types: ORDER_TYPES,
            iceberg_allowed: true,
            oco_allowed: true,
            oto_allowed: true,
            opo_allowed: false,
            quote_order_qty_market_allowed: true,
            allow_trailing_stop: true,
            cancel_replace_allowed: true,
            amend_allowed: true,
            peg_instructions_allowed: false,
            is_spot_trading_allowed: true,
            is_margin_trading_allowed: false,
            filters: filters(market),
            permissions: [],
            permission_sets: if shows_permissions { vec![["SPOT"]] } else { Vec::new() },
            default_self_trade_prevention_mode: "NONE",
            allowed_self_trade_prevention_modes: SELF_TRADE_PREVENTION,
        }
    }
}

/// `GET exchangeInfo`.
pub(in crate::binance) async fn exchange_info(call: Call) -> Result<Answer, Error> {
    let names_markets = call.params.has("symbol") || call.params.has("symbols");
    if names_markets && (call.params.has("symbolStatus") || call.params.has("permissions")) {
        return Err(Error::invalid_combination());
    }
    let mut markets: Vec<Arc<MarketInfo>> = match call.selection()? {
        Selection::One(market) => vec![market],
        Selection::Many(markets) => markets,
    };
    markets.retain(|market| market.trading.state != MarketState::Delisted);
    if !includes_spot(&call)? {
        markets.clear();
    }
    let shows_permissions = call.params.bool("showPermissionSets")?.unwrap_or(true);
    let answer = Answer::of(&ExchangeInfo {
        timezone: "UTC",
        server_time: call.unit.show(call.now),
        rate_limits: RateLimit::ALL,
        exchange_filters: [],
        symbols: markets.iter().map(|market| Symbol::new(market, shows_permissions)).collect(),
    })?;
    Ok(answer.telling_time("serverTime"))
}

/// Whether `permissions`, a word or a list of them, leaves the spot markets in.
fn includes_spot(call: &Call) -> Result<bool, Error> {
    let Some(text) = call.params.text("permissions")? else {
        return Ok(true);
    };
    let words = match text.starts_with('[') {
        true => call.params.list("permissions")?.unwrap_or_default(),
        false => vec![text.to_owned()],
    };
    let legal = |word: &String| {
        word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    if !words.iter().all(legal) {
        return Err(Error::invalid_data("permissions"));
    }
    Ok(words.iter().any(|word| word == "SPOT"))
}

/// `GET exchangeInfo` of futures: clients ask for all kinds of markets at start. There are none.
pub(in crate::binance) async fn no_futures(call: Call) -> Result<Answer, Error> {
    Answer::of(&nothing(&call))
}

/// The same of options.
pub(in crate::binance) async fn no_options(call: Call) -> Result<Answer, Error> {
    let mut info = nothing(&call);
    for name in ["optionSymbols", "optionContracts", "optionAssets"] {
        info[name] = json!([]);
    }
    Answer::of(&info)
}

fn nothing(call: &Call) -> Value {
    json!({
        "timezone": "UTC",
        "serverTime": call.unit.show(call.now),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    })
}
