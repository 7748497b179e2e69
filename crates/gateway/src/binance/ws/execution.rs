//! `executionReport`: one step of an order.

use serde::Serialize;
use types::{OrderSpec, Quantity, Seq, Timestamp, Trigger};
use views::{FillView, Liquidity, MarketInfo, OrderStatus, OrderView};

use crate::binance::ids;
use crate::binance::orders::{
    commission, expiry_reason, order_type, side, status, stop_price, time_in_force, working_time,
};
use crate::binance::render::{self, Time, TimeUnit, ZERO};
use crate::binance::symbols::symbol;

/// What happened to an order.
pub(super) enum Execution {
    /// It was accepted.
    New,
    /// Its trigger fired.
    Triggered,
    /// It traded.
    Trade(FillView),
    /// It was cancelled by a request of this name.
    Cancelled(String),
    /// It ended by its own rules or the exchange's.
    Expired,
    /// Its owner took something off it.
    Replaced,
    /// It would have traded with its owner.
    Prevented,
}

/// As it is told.
#[derive(Serialize)]
pub(super) struct ExecutionReport {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: String,
    c: String,
    #[serde(rename = "S")]
    side: &'static str,
    o: &'static str,
    f: &'static str,
    q: String,
    p: String,
    #[serde(rename = "P")]
    stop_price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<u16>,
    #[serde(rename = "F")]
    visible: String,
    g: i64,
    #[serde(rename = "C")]
    original_name: String,
    x: &'static str,
    #[serde(rename = "X")]
    status: &'static str,
    r: &'static str,
    i: u64,
    l: String,
    z: String,
    #[serde(rename = "L")]
    last_price: String,
    n: String,
    #[serde(rename = "N")]
    commission_asset: Option<String>,
    #[serde(rename = "T")]
    transaction_time: Time,
    t: i64,
    #[serde(rename = "I")]
    execution_id: u64,
    w: bool,
    m: bool,
    #[serde(rename = "M")]
    ignored: bool,
    #[serde(rename = "O")]
    placed_at: Time,
    #[serde(rename = "Z")]
    quote_filled: String,
    #[serde(rename = "Y")]
    last_quote: String,
    #[serde(rename = "Q")]
    quote_asked: String,
    #[serde(rename = "W", skip_serializing_if = "Option::is_none")]
    working_time: Option<Time>,
    #[serde(rename = "V")]
    prevention: &'static str,
    #[serde(rename = "eR", skip_serializing_if = "Option::is_none")]
    expiry_reason: Option<&'static str>,
}

impl Execution {
    fn word(&self) -> &'static str {
        match self {
            Self::New | Self::Triggered => "NEW",
            Self::Trade(_) => "TRADE",
            Self::Cancelled(_) => "CANCELED",
            Self::Expired => "EXPIRED",
            Self::Replaced => "REPLACED",
            Self::Prevented => "TRADE_PREVENTION",
        }
    }
}

impl ExecutionReport {
    /// The step of the event with this seq, index and time, after which the order is `order`. `market` counts
    /// in the units of that entry.
    pub(super) fn new(
        market: &MarketInfo,
        order: &OrderView,
        execution: Execution,
        (seq, index, time): (Seq, u32, Timestamp),
        unit: TimeUnit,
    ) -> Self {
        let own_name = ids::client_order_id(order.client_order_id, order.order);
        let x = execution.word();
        let (name, original_name) = match &execution {
            Execution::Cancelled(request) => (request.clone(), own_name),
            Execution::Replaced => (own_name.clone(), own_name),
            _ => (own_name, String::new()),
        };
        let lots = |lots: Quantity| render::lots(market, lots.get());
        let at = unit.show(time);
        let report = Self {
            e: "executionReport",
            event_time: at,
            s: symbol(market),
            c: name,
            side: side(order.side),
            o: order_type(order),
            f: time_in_force(&order.spec),
            q: lots(order.spec.quantity().unwrap_or(order.filled)),
            p: render::price(market, order.spec.limit_price()),
            stop_price: render::price_or_zero(market, stop_price(order)),
            d: trailing_delta(order),
            visible: lots(order.conditions.visible.unwrap_or_default()),
            g: ids::list_id(order.list),
            original_name,
            x,
            status: status(order),
            r: "NONE",
            i: order.order.0,
            l: ZERO.to_owned(),
            z: lots(order.filled),
            last_price: ZERO.to_owned(),
            n: "0".to_owned(),
            commission_asset: None,
            transaction_time: at,
            t: -1,
            execution_id: ids::execution_id(seq, index),
            w: works(order),
            m: false,
            ignored: false,
            placed_at: unit.show(order.placed_at),
            quote_filled: render::quote(market, order.quote_filled),
            last_quote: ZERO.to_owned(),
            quote_asked: quote_asked(market, order),
            working_time: Some(working_time(order, unit)).filter(|time| *time != Time::NONE),
            prevention: "NONE",
            expiry_reason: expiry_reason(order),
        };
        match execution {
            Execution::Trade(fill) => report.with_fill(market, &fill),
            Execution::Cancelled(_) => Self { status: "CANCELED", expiry_reason: None, ..report },
            _ => report,
        }
    }

    fn with_fill(self, market: &MarketInfo, fill: &FillView) -> Self {
        let (n, asset) = commission(market, fill);
        Self {
            l: render::lots(market, fill.quantity.get()),
            last_price: render::price(market, fill.price),
            n,
            commission_asset: Some(asset),
            t: fill.trade.0 as i64,
            // In an auction nobody takes.
            m: fill.liquidity != Liquidity::Taker,
            last_quote: render::quote(market, fill.quote_amount),
            ..self
        }
    }
}

/// Whether it is in the book, or may get there.
fn works(order: &OrderView) -> bool {
    order.status.is_open()
        && order.status != OrderStatus::Waiting
        && matches!(order.spec, OrderSpec::Limit { .. })
}

fn trailing_delta(order: &OrderView) -> Option<u16> {
    match order.conditions.trigger {
        Some(Trigger::Trails { basis_points, .. }) => Some(basis_points),
        _ => None,
    }
}

fn quote_asked(market: &MarketInfo, order: &OrderView) -> String {
    match order.spec {
        OrderSpec::MarketByQuote { quote, .. } => render::quote(market, quote),
        OrderSpec::Limit { .. } | OrderSpec::MarketByQuantity { .. } => ZERO.to_owned(),
    }
}
