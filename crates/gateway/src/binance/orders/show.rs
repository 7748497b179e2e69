//! An order as the dialect tells it: asked about, placed, or cancelled.

use serde::Serialize;
use types::{
    CancelCause, OrderSpec, Price, SelfTradePrevention, Side, TimeInForce, Timestamp, Trigger,
};
use views::{EndCause, FillView, MarketInfo, OrderStatus, OrderView};

use crate::binance::ids;
use crate::binance::render::{self, Time, TimeUnit, ZERO};
use crate::binance::symbols::symbol;

/// An order. Which of the optional fields are there depends on the endpoint.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::binance) struct OrderObject {
    symbol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    orig_client_order_id: Option<String>,
    pub(in crate::binance) order_id: i64,
    order_list_id: i64,
    pub(in crate::binance) client_order_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transact_time: Option<Time>,
    price: String,
    orig_qty: String,
    executed_qty: String,
    orig_quote_order_qty: String,
    cummulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    order_type: &'static str,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iceberg_qty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_working: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Vec<Fill>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_delta: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_reason: Option<&'static str>,
    self_trade_prevention_mode: &'static str,
}

/// What an order matched on arrival.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::binance) struct Fill {
    price: String,
    qty: String,
    commission: String,
    commission_asset: String,
    trade_id: u64,
}

impl OrderObject {
    /// What every kind of answer has. An order that has ended counts in the units of its end.
    fn new(market: &MarketInfo, order: &OrderView, unit: TimeUnit) -> Self {
        let name = symbol(market);
        let then = market.at(order.updated_seq);
        let market = if order.status.is_open() { market } else { &*then };
        let quantity = order.spec.quantity().unwrap_or(order.filled);
        let quote_asked = match order.spec {
            OrderSpec::MarketByQuote { quote, .. } => render::quote(market, quote),
            OrderSpec::Limit { .. } | OrderSpec::MarketByQuantity { .. } => ZERO.to_owned(),
        };
        let trailing_delta = match order.conditions.trigger {
            Some(Trigger::Trails { basis_points, .. }) => Some(basis_points),
            _ => None,
        };
        Self {
            symbol: name,
            orig_client_order_id: None,
            order_id: order.order.0 as i64,
            order_list_id: ids::list_id(order.list),
            client_order_id: ids::client_order_id(order.client_order_id, order.order),
            transact_time: None,
            price: render::price(market, order.spec.limit_price()),
            orig_qty: render::lots(market, quantity.get()),
            executed_qty: render::lots(market, order.filled.get()),
            orig_quote_order_qty: quote_asked,
            cummulative_quote_qty: render::quote(market, order.quote_filled),
            status: status(order),
            time_in_force: time_in_force(&order.spec),
            order_type: order_type(order),
            side: side(order.side),
            stop_price: stop_price(order).map(|stop| render::price(market, stop)),
            iceberg_qty: order.conditions.visible.map(|lots| render::lots(market, lots.get())),
            time: None,
            update_time: None,
            is_working: None,
            working_time: Some(working_time(order, unit)),
            fills: None,
            trailing_delta,
            expiry_reason: expiry_reason(order),
            self_trade_prevention_mode: "NONE",
        }
    }

    /// As it is asked about.
    pub(in crate::binance) fn asked(
        market: &MarketInfo,
        order: &OrderView,
        unit: TimeUnit,
    ) -> Self {
        let object = Self::new(market, order, unit);
        Self {
            stop_price: Some(object.stop_price.unwrap_or_else(|| ZERO.to_owned())),
            iceberg_qty: Some(object.iceberg_qty.unwrap_or_else(|| ZERO.to_owned())),
            time: Some(unit.show(order.placed_at)),
            update_time: Some(unit.show(order.updated_at)),
            is_working: Some(has_worked(order)),
            ..object
        }
    }

    /// As it was placed, in the entry of `time`.
    pub(in crate::binance) fn placed(
        market: &MarketInfo,
        order: &OrderView,
        prevention: SelfTradePrevention,
        time: Timestamp,
        unit: TimeUnit,
    ) -> Self {
        Self {
            transact_time: Some(unit.show(time)),
            self_trade_prevention_mode: prevention_word(prevention),
            ..Self::new(market, order, unit)
        }
    }

    /// With what it matched on arrival.
    pub(in crate::binance) fn with_fills(self, market: &MarketInfo, fills: &[FillView]) -> Self {
        Self { fills: Some(fills.iter().map(|fill| Fill::new(market, fill)).collect()), ..self }
    }

    /// As it was cancelled in the entry of `time`, by a request of this name.
    pub(in crate::binance) fn cancelled(
        market: &MarketInfo,
        order: &OrderView,
        name: String,
        time: Timestamp,
        unit: TimeUnit,
    ) -> Self {
        let object = Self::new(market, order, unit);
        Self {
            orig_client_order_id: Some(object.client_order_id),
            client_order_id: name,
            transact_time: Some(unit.show(time)),
            working_time: None,
            ..object
        }
    }
}

impl OrderObject {
    /// A leg that is placed when another is filled: it has no id yet.
    pub(in crate::binance) fn pending(self) -> Self {
        let named = if self.client_order_id.starts_with("outcry") {
            String::new()
        } else {
            self.client_order_id
        };
        Self {
            order_id: -1,
            client_order_id: named,
            status: "PENDING_NEW",
            working_time: Some(Time::NONE),
            ..self
        }
    }

    /// An order of a list that was cancelled as a whole: whichever was asked for, both were.
    pub(in crate::binance) fn of_cancelled_list(self) -> Self {
        let is_expired = self.expiry_reason == Some("OCO_TRIGGER");
        let status = if is_expired { "CANCELED" } else { self.status };
        Self { status, expiry_reason: self.expiry_reason.filter(|_| !is_expired), ..self }
    }
}

impl Fill {
    fn new(market: &MarketInfo, fill: &FillView) -> Self {
        let market = &*market.at(fill.seq);
        let (commission, commission_asset) = commission(market, fill);
        Self {
            price: render::price(market, fill.price),
            qty: render::lots(market, fill.quantity.get()),
            commission,
            commission_asset,
            trade_id: fill.trade.0,
        }
    }
}

/// What a fill cost, and in which asset. A maker's rebate is a cost below zero, in what it paid.
pub(in crate::binance) fn commission(market: &MarketInfo, fill: &FillView) -> (String, String) {
    let (received, paid) = match fill.side {
        Side::Buy => (&market.base, &market.quote),
        Side::Sell => (&market.quote, &market.base),
    };
    if fill.rebate.is_zero() {
        return (render::amount(received, fill.fee), received.symbol.clone());
    }
    (format!("-{}", render::amount(paid, fill.rebate)), paid.symbol.clone())
}

/// `BUY` or `SELL`.
pub(in crate::binance) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

/// Where an order stands.
pub(in crate::binance) fn status(order: &OrderView) -> &'static str {
    match order.status {
        OrderStatus::Waiting | OrderStatus::Open => "NEW",
        OrderStatus::PartiallyFilled => "PARTIALLY_FILLED",
        OrderStatus::Filled => "FILLED",
        OrderStatus::Cancelled => match order.cause {
            Some(EndCause::Cancelled(cause)) => status_of_end(cause),
            Some(EndCause::Replaced(_)) | None => "CANCELED",
        },
    }
}

/// What an order's end for this reason is called.
pub(in crate::binance) fn status_of_end(cause: CancelCause) -> &'static str {
    match cause {
        CancelCause::Client | CancelCause::CancelAll => "CANCELED",
        CancelCause::SelfTrade => "EXPIRED_IN_MATCH",
        CancelCause::ImmediateOrCancel
        | CancelCause::MarketRemainder
        | CancelCause::BookFull
        | CancelCause::Expired
        | CancelCause::NotFillable
        | CancelCause::Interruption
        | CancelCause::OrderList
        | CancelCause::Redefined
        | CancelCause::Delisted => "EXPIRED",
    }
}

/// Why an order expired; nothing if it did not.
pub(in crate::binance) fn expiry_reason(order: &OrderView) -> Option<&'static str> {
    let Some(EndCause::Cancelled(cause)) = order.cause else {
        return None;
    };
    Some(match cause {
        CancelCause::Client | CancelCause::CancelAll | CancelCause::SelfTrade => return None,
        CancelCause::ImmediateOrCancel => "UNFILLED_IOC_QUANTITY_EXPIRED",
        CancelCause::MarketRemainder => "INSUFFICIENT_LIQUIDITY",
        CancelCause::NotFillable => match time_in_force(&order.spec) {
            "FOK" => "UNFILLED_FOK_ORDER_EXPIRED",
            _ => "INSUFFICIENT_LIQUIDITY",
        },
        CancelCause::OrderList => "OCO_TRIGGER",
        CancelCause::Interruption => "EXECUTION_RULE_PRICE_RANGE_EXCEEDED",
        CancelCause::BookFull
        | CancelCause::Expired
        | CancelCause::Redefined
        | CancelCause::Delisted => "EXCHANGE_CANCELED",
    })
}

/// Orders at the market are said to be good till cancelled.
pub(in crate::binance) fn time_in_force(spec: &OrderSpec) -> &'static str {
    match spec {
        OrderSpec::Limit { time_in_force: TimeInForce::Ioc, .. } => "IOC",
        OrderSpec::Limit { time_in_force: TimeInForce::Fok, .. } => "FOK",
        _ => "GTC",
    }
}

/// The type that an order was placed with.
pub(in crate::binance) fn order_type(order: &OrderView) -> &'static str {
    type_of(&order.spec, order.conditions.trigger, order.side)
}

/// The type of an order with this trigger. One that trails from a price on takes profit.
pub(in crate::binance) fn type_of(
    spec: &OrderSpec,
    trigger: Option<Trigger>,
    side: Side,
) -> &'static str {
    let has_limit = matches!(spec, OrderSpec::Limit { .. });
    let takes_profit = match trigger {
        None if matches!(spec, OrderSpec::Limit { post_only: true, .. }) => return "LIMIT_MAKER",
        None if has_limit => return "LIMIT",
        None => return "MARKET",
        Some(Trigger::Rises { .. }) => side == Side::Sell,
        Some(Trigger::Falls { .. }) => side == Side::Buy,
        Some(Trigger::Trails { activation, .. }) => activation.is_some(),
    };
    match (takes_profit, has_limit) {
        (false, false) => "STOP_LOSS",
        (false, true) => "STOP_LOSS_LIMIT",
        (true, false) => "TAKE_PROFIT",
        (true, true) => "TAKE_PROFIT_LIMIT",
    }
}

/// The price that an order waits for, or from which on it trails.
pub(in crate::binance) fn stop_price(order: &OrderView) -> Option<Price> {
    match order.conditions.trigger? {
        Trigger::Rises { to } | Trigger::Falls { to } => Some(to),
        Trigger::Trails { activation, .. } => activation,
    }
}

/// Whether an order has ever been in front of the market: not while it waits, and not if it ended waiting. One whose
/// trigger fires rests, trades or is ended by matching in that very entry. That it rested is not in the history: of an
/// order that is read from there, and whose trigger fired without a trade, it is not known.
fn has_worked(order: &OrderView) -> bool {
    let has_trigger = order.conditions.trigger.is_some();
    let may_have_waited = has_trigger && !order.rested && order.filled.is_zero();
    match (order.status, order.cause) {
        (OrderStatus::Waiting, _) => false,
        (OrderStatus::Cancelled, Some(EndCause::Cancelled(cause))) if may_have_waited => matches!(
            cause,
            CancelCause::ImmediateOrCancel
                | CancelCause::MarketRemainder
                | CancelCause::SelfTrade
                | CancelCause::BookFull
                | CancelCause::NotFillable
                | CancelCause::Interruption
        ),
        _ => true,
    }
}

/// Since when an order has been working, if it has. When a trigger fired is not kept: the order's last change stands
/// for it.
pub(in crate::binance) fn working_time(order: &OrderView, unit: TimeUnit) -> Time {
    match order.conditions.trigger {
        _ if !has_worked(order) => Time::NONE,
        Some(_) => unit.show(order.updated_at),
        None => unit.show(order.placed_at),
    }
}

/// Modes against trading with oneself, by their names.
pub(in crate::binance) const PREVENTION: [(&str, SelfTradePrevention); 5] = [
    ("NONE", SelfTradePrevention::None),
    ("EXPIRE_TAKER", SelfTradePrevention::ExpireTaker),
    ("EXPIRE_MAKER", SelfTradePrevention::ExpireMaker),
    ("EXPIRE_BOTH", SelfTradePrevention::ExpireBoth),
    ("DECREMENT", SelfTradePrevention::Decrement),
];

/// The name of a mode.
pub(in crate::binance) fn prevention_word(mode: SelfTradePrevention) -> &'static str {
    let found = PREVENTION.iter().find(|(_, known)| *known == mode);
    found.map_or("NONE", |(name, _)| name)
}
