//! `POST order` and `POST order/test`.

use serde::Serialize;
use serde_json::json;
use types::{Event, OrderSpec, PlaceOrder, RejectCode, Request, SelfTradePrevention, Timestamp};
use views::{FillView, MarketInfo, OrderView};

use super::read;
use super::show::OrderObject;
use crate::binance::account::Commissions;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::ids;
use crate::binance::params::Params;
use crate::binance::render::Time;
use crate::binance::symbols::symbol;
use crate::error::{ApiError, ErrorCode};
use crate::orders::unexpected;
use crate::outcome::Outcome;

/// How much a placement's answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::binance) enum Detail {
    Ack,
    Result,
    Full,
}

/// The shortest answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ack {
    symbol: String,
    order_id: u64,
    order_list_id: i64,
    client_order_id: String,
    transact_time: Time,
}

/// What an accepted order is answered.
pub(in crate::binance) struct Placed {
    /// The order after matching.
    pub(in crate::binance) order: OrderView,
    /// What it matched.
    pub(in crate::binance) fills: Vec<FillView>,
    /// When.
    pub(in crate::binance) time: Timestamp,
    /// Its mode.
    pub(in crate::binance) prevention: SelfTradePrevention,
}

/// `newOrderRespType`: unless given, orders that may match at once are told in full.
///
/// # Errors
/// -1130.
pub(in crate::binance) fn detail(params: &Params, order: &PlaceOrder) -> Result<Detail, Error> {
    let waits = order.conditions.trigger.is_some();
    let post_only = matches!(order.spec, OrderSpec::Limit { post_only: true, .. });
    let usual = if waits || post_only { Detail::Ack } else { Detail::Full };
    Ok(wanted_detail(params)?.unwrap_or(usual))
}

/// `newOrderRespType`, if it is given.
///
/// # Errors
/// -1130.
pub(in crate::binance) fn wanted_detail(params: &Params) -> Result<Option<Detail>, Error> {
    const WORDS: [(&str, Detail); 3] =
        [("ACK", Detail::Ack), ("RESULT", Detail::Result), ("FULL", Detail::Full)];
    let name = "newOrderRespType";
    params.word(name, &WORDS, || Error::invalid_data(name))
}

/// `POST order`.
pub(in crate::binance) async fn place(call: Call) -> Result<Answer, Error> {
    let account = call.account()?;
    let market = call.market()?;
    let order = read::order(&call.params, &market, account)?;
    let detail = detail(&call.params, &order)?;
    let prevention = order.self_trade_prevention;
    let spec = order.spec;
    call.shared.limiter.count_orders(account, 1).await?;
    let outcome = call.shared.submit(call.valid_until(), Request::PlaceOrder(order)).await;
    let outcome = outcome.map_err(|error| refusal(&spec, error))?;
    let placed = Placed::of(&outcome, prevention)?;
    placed.note_fill(&call);
    let counts = call.shared.limiter.orders_of(account);
    Ok(placed.answer(&call, &market, detail)?.with_orders(counts))
}

/// What a refusal of an order at the market or at a limit is called.
pub(in crate::binance) fn refusal(spec: &OrderSpec, error: ApiError) -> Error {
    let is_limit = matches!(spec, OrderSpec::Limit { .. });
    match error.code {
        ErrorCode::Rejected(
            RejectCode::QuantityBelowMinimum | RejectCode::QuantityAboveMaximum,
        ) if !is_limit => Error::filter("MARKET_LOT_SIZE"),
        _ => error.into(),
    }
}

impl Placed {
    /// The order that an outcome has placed.
    ///
    /// # Errors
    /// -2010 if its client id was used before: nothing was placed.
    pub(in crate::binance) fn of(
        outcome: &Outcome,
        prevention: SelfTradePrevention,
    ) -> Result<Self, Error> {
        if matches!(outcome.answer, Event::Repeated { .. }) {
            return Err(RejectCode::ClientIdReused.into());
        }
        let order = outcome.placed_order().ok_or_else(|| unexpected(outcome))?;
        let fills = outcome.fills(order.side, order.client_order_id);
        Ok(Self { order, fills, time: outcome.time, prevention })
    }

    /// An order that was filled, if only in part, does not count as unfilled any more.
    pub(in crate::binance) fn note_fill(&self, call: &Call) {
        if !self.fills.is_empty() {
            call.shared.limiter.first_fill(self.order.account);
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// None.
    pub(in crate::binance) fn answer(
        &self,
        call: &Call,
        market: &MarketInfo,
        detail: Detail,
    ) -> Result<Answer, Error> {
        Answer::of(&self.value(call, market, detail))
    }

    /// As a value within another answer.
    pub(in crate::binance) fn value(
        &self,
        call: &Call,
        market: &MarketInfo,
        detail: Detail,
    ) -> impl Serialize + use<> {
        let order = &self.order;
        if detail == Detail::Ack {
            return Told::Ack(Ack {
                symbol: symbol(market),
                order_id: order.order.0,
                order_list_id: ids::list_id(order.list),
                client_order_id: ids::client_order_id(order.client_order_id, order.order),
                transact_time: call.unit.show(self.time),
            });
        }
        let object = OrderObject::placed(market, order, self.prevention, self.time, call.unit);
        Told::Order(Box::new(match detail {
            Detail::Full => object.with_fills(market, &self.fills),
            Detail::Ack | Detail::Result => object,
        }))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Ack(Ack),
    Order(Box<OrderObject>),
}

/// `POST order/test`: everything that can be told without the engine.
pub(in crate::binance) async fn test(call: Call) -> Result<Answer, Error> {
    let account = call.account()?;
    let market = call.market()?;
    let order = read::order(&call.params, &market, account)?;
    detail(&call.params, &order)?;
    if !call.params.bool("computeCommissionRates")?.unwrap_or(false) {
        return Answer::of(&json!({}));
    }
    let rates = Commissions::of(&call.shared, account, market.def.id);
    Answer::of(&json!({
        "standardCommissionForOrder": { "maker": rates.maker, "taker": rates.taker },
        "specialCommissionForOrder": { "maker": "0.00000000", "taker": "0.00000000" },
        "taxCommissionForOrder": { "maker": "0.00000000", "taker": "0.00000000" },
        "discount": {
            "enabledForAccount": false, "enabledForSymbol": false,
            "discountAsset": "", "discount": "0.00000000",
        },
    }))
}

/// Of `order/test`.
pub(in crate::binance) fn test_weight(params: &Params) -> u32 {
    if params.bool("computeCommissionRates").ok().flatten() == Some(true) { 20 } else { 1 }
}
