//! `POST orderList/oco`, `oto`, `otoco`, and the older `order/oco`.

use std::sync::Arc;

use types::{
    Conditions, Event, ListLeg, OrderListPlaced, OrderSpec, PlaceOrderList, RejectCode, Request,
    Side, TimeInForce, Trigger,
};
use views::{MarketInfo, OrderListView, OrderView};

use super::cancel::after;
use super::lists::{CancelledList, ListObject};
use super::place::wanted_detail;
use super::read::{
    Leg, OrderType, check_filters, client_order_id, order_type, prevention, price_of, quantity_of,
    side, time_in_force,
};
use super::show::OrderObject;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::error::{ApiError, ErrorCode};
use crate::orders::unexpected;

/// What of a list is placed at once, and what pends.
struct Legs {
    first: Vec<ListLeg>,
    pending: Vec<ListLeg>,
}

/// `POST orderList/oco`.
pub(in crate::binance) async fn oco(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let side = side(&call.params, "side")?;
    let first = pair(&call, &market, side, "quantity", ["above", "below"])?;
    place(&call, &market, Legs { first, pending: Vec::new() }).await
}

/// `POST orderList/oto`.
pub(in crate::binance) async fn oto(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let first = vec![working(&call, &market)?];
    let side = side(&call.params, "pendingSide")?;
    let pending = leg(&call, &market, side, "pending", "pendingQuantity")?;
    place(&call, &market, Legs { first, pending: vec![pending] }).await
}

/// `POST orderList/otoco`.
pub(in crate::binance) async fn otoco(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let first = vec![working(&call, &market)?];
    let side = side(&call.params, "pendingSide")?;
    let names = ["pendingAbove", "pendingBelow"];
    let pending = pair(&call, &market, side, "pendingQuantity", names)?;
    place(&call, &market, Legs { first, pending }).await
}

/// `POST order/oco`, the form of before: a limit order and a stop.
pub(in crate::binance) async fn old_oco(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let side = side(&call.params, "side")?;
    let params = &call.params;
    let limit_price = price_of(params, &market, "price")?;
    let quantity = quantity_of(params, &market, "quantity")?;
    let to = price_of(params, &market, "stopPrice")?;
    let trigger = if side == Side::Buy { Trigger::Rises { to } } else { Trigger::Falls { to } };
    let limit = ListLeg {
        client_order_id: client_order_id(params, "limitClientOrderId")?,
        side,
        spec: OrderSpec::Limit {
            price: limit_price,
            quantity,
            time_in_force: TimeInForce::Gtc,
            post_only: true,
        },
        conditions: Conditions::NONE,
    };
    let spec = if params.has("stopLimitPrice") {
        let price = price_of(params, &market, "stopLimitPrice")?;
        let time_in_force = time_in_force(params, "stopLimitTimeInForce")?;
        OrderSpec::Limit { price, quantity, time_in_force, post_only: false }
    } else {
        OrderSpec::MarketByQuantity { quantity, max_spend: None }
    };
    let stop = ListLeg {
        client_order_id: client_order_id(params, "stopClientOrderId")?,
        side,
        spec,
        conditions: Conditions { trigger: Some(trigger), ..Conditions::NONE },
    };
    place(&call, &market, Legs { first: vec![limit, stop], pending: Vec::new() }).await
}

/// The order that the others wait for.
fn working(call: &Call, market: &MarketInfo) -> Result<ListLeg, Error> {
    let side = side(&call.params, "workingSide")?;
    let kind = order_type(&call.params, "workingType")?;
    if !matches!(kind, OrderType::Limit | OrderType::LimitMaker) {
        return Err(Error::new(-1158, "Order type not supported in OCO."));
    }
    leg(call, market, side, "working", "workingQuantity")
}

/// A leg whose parameters begin with `prefix`.
fn leg(
    call: &Call,
    market: &MarketInfo,
    side: Side,
    prefix: &'static str,
    quantity: &'static str,
) -> Result<ListLeg, Error> {
    let params = &call.params;
    let order_type = order_type(params, &format!("{prefix}Type"))?;
    let read = Leg { params, prefix, quantity, market, side, order_type }.read()?;
    check_filters(market, &read.spec)?;
    Ok(ListLeg {
        client_order_id: read.client_order_id,
        side,
        spec: read.spec,
        conditions: read.conditions,
    })
}

/// Two legs of which one cancels the other: the one that takes profit first.
fn pair(
    call: &Call,
    market: &MarketInfo,
    side: Side,
    quantity: &'static str,
    [above, below]: [&'static str; 2],
) -> Result<Vec<ListLeg>, Error> {
    let types = [above, below].map(|name| order_type(&call.params, &format!("{name}Type")));
    let [above_type, below_type] = types;
    let (stop_type, profit_type) = match side {
        Side::Sell => (below_type?, above_type?),
        Side::Buy => (above_type?, below_type?),
    };
    let takes_profit = matches!(
        profit_type,
        OrderType::LimitMaker | OrderType::TakeProfit | OrderType::TakeProfitLimit
    );
    if !takes_profit || !stop_type.is_stop() {
        return Err(Error::new(-1158, "Order type not supported in OCO."));
    }
    let above = leg(call, market, side, above, quantity)?;
    let below = leg(call, market, side, below, quantity)?;
    Ok(match side {
        Side::Sell => vec![above, below],
        Side::Buy => vec![below, above],
    })
}

async fn place(call: &Call, market: &Arc<MarketInfo>, legs: Legs) -> Result<Answer, Error> {
    let account = call.account()?;
    let client_order_id = client_order_id(&call.params, "listClientOrderId")?;
    let self_trade_prevention = prevention(&call.params)?;
    wanted_detail(&call.params)?;
    let orders = (legs.first.len() + legs.pending.len()) as u32;
    let counts = call.shared.limiter.count_orders(account, orders).await?;
    let list = PlaceOrderList {
        account,
        market: market.def.id,
        version: market.def.version,
        client_order_id,
        self_trade_prevention,
        legs: legs.first,
        pending: legs.pending,
    };
    let request = Request::PlaceOrderList(Box::new(list));
    let outcome = call.shared.submit(call.valid_until(), request).await.map_err(refusal)?;
    let placed: &OrderListPlaced = match &outcome.answer {
        Event::OrderListPlaced(placed) => placed,
        Event::Repeated { .. } => return Err(RejectCode::ClientIdReused.into()),
        _ => return Err(unexpected(&outcome).into()),
    };
    let mut orders = Vec::new();
    for &order in &placed.orders {
        orders.push(after(call, account, market, order).await?);
    }
    let view = OrderListView::new(placed, outcome.time);
    let report = |order: &OrderView| {
        OrderObject::placed(market, order, self_trade_prevention, outcome.time, call.unit)
    };
    let mut reports: Vec<_> = orders.iter().map(report).collect();
    let pending = placed.pending.iter().map(|leg| pending_order(&view, leg));
    reports.extend(pending.map(|order| report(&order).pending()));
    let list = ListObject::open(market, &view, &orders, outcome.time, call.unit);
    Ok(Answer::of(&CancelledList::new(list, reports))?.with_orders(counts))
}

/// What of a pair's prices is refused is called by one name.
fn refusal(error: ApiError) -> Error {
    match error.code {
        ErrorCode::Rejected(
            RejectCode::WouldMatch | RejectCode::WouldTrigger | RejectCode::InvalidCombination,
        ) => Error::rejected("The relationship of the prices for the orders is not correct."),
        _ => error.into(),
    }
}

/// A leg that is not an order yet.
fn pending_order(list: &OrderListView, leg: &ListLeg) -> OrderView {
    OrderView {
        market: list.market,
        order: list.list,
        account: list.account,
        client_order_id: leg.client_order_id,
        side: leg.side,
        spec: leg.spec,
        conditions: leg.conditions,
        remaining: leg.spec.quantity().unwrap_or_default(),
        filled: types::Quantity::ZERO,
        quote_filled: types::Amount::ZERO,
        fee: types::Amount::ZERO,
        status: views::OrderStatus::Waiting,
        cause: None,
        rested: false,
        replaces: None,
        list: Some(list.list),
        placed_at: list.placed_at,
        placed_seq: types::Seq(0),
        updated_at: list.placed_at,
        updated_seq: types::Seq(0),
    }
}
