//! `DELETE order` and `DELETE openOrders`.

use serde::Serialize;
use types::{AccountId, Event, MarketState, OrderId, RejectCode, Request, Timestamp};
use views::{MarketInfo, OrderStatus, OrderView};

use super::find::Named;
use super::lists::{CancelledList, ListObject};
use super::read::client_id;
use super::show::OrderObject;
use super::whole_list::told;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::ids;
use crate::error::{ApiError, GatewayCode};
use crate::orders::unexpected;

/// Which orders a client lets be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restriction {
    OnlyNew,
    OnlyPartiallyFilled,
}

/// `DELETE order`.
pub(in crate::binance) async fn cancel(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let named = Named::of(&call, "orderId", "origClientOrderId")?;
    let name = cancel_name(&call, "newClientOrderId")?;
    let restriction = restriction(&call)?;
    let account = call.caught_up().await?;
    let order = named.in_views(&call, account, &market)?;
    let order =
        order.filter(|order| order.status.is_open()).ok_or_else(Error::unknown_order_sent)?;
    check_restriction(&order, restriction)?;
    Answer::of(&cancel_named(&call, &market, &order, name).await?)
}

/// Cancels an open order by a request of this name; gives it as it ended.
///
/// # Errors
/// -2011, or what else the engine says.
pub(super) async fn cancel_named(
    call: &Call,
    market: &MarketInfo,
    order: &OrderView,
    name: Option<String>,
) -> Result<OrderObject, Error> {
    remember_name(call, market, order.order, name.as_deref());
    let cancelled = cancel_order(call, order.account, market, order.order).await;
    if cancelled.is_err() {
        call.shared.cancel_names.forget(market.def.id, order.order);
    }
    let (ended, time) = cancelled?;
    let name = name.unwrap_or_else(|| ids::cancel_id(order.order));
    Ok(OrderObject::cancelled(market, &ended, name, time, call.unit))
}

/// The name that a client gives a cancel.
///
/// # Errors
/// -1100.
pub(super) fn cancel_name(call: &Call, name: &str) -> Result<Option<String>, Error> {
    let id = client_id(&call.params, name)?;
    Ok((!id.is_none()).then(|| id.to_string()))
}

/// The owner is told by this name that the order was cancelled.
pub(super) fn remember_name(call: &Call, market: &MarketInfo, order: OrderId, name: Option<&str>) {
    if let Some(name) = name {
        call.shared.cancel_names.note(market.def.id, order, name);
    }
}

/// `cancelRestrictions`.
fn restriction(call: &Call) -> Result<Option<Restriction>, Error> {
    const WORDS: [(&str, Restriction); 2] = [
        ("ONLY_NEW", Restriction::OnlyNew),
        ("ONLY_PARTIALLY_FILLED", Restriction::OnlyPartiallyFilled),
    ];
    let name = "cancelRestrictions";
    call.params.word(name, &WORDS, || Error::new(-1145, "Invalid cancelRestrictions"))
}

fn check_restriction(order: &OrderView, restriction: Option<Restriction>) -> Result<(), Error> {
    let is_partial = order.status == OrderStatus::PartiallyFilled;
    match restriction {
        Some(Restriction::OnlyNew) if is_partial => Err(restricted()),
        Some(Restriction::OnlyPartiallyFilled) if !is_partial => Err(restricted()),
        _ => Ok(()),
    }
}

fn restricted() -> Error {
    Error::new(-2011, "Order was not canceled due to cancel restrictions.")
}

/// The open order that a replacement is to cancel, if its restrictions let it.
///
/// # Errors
/// -2011, -2039.
pub(super) fn open_order(
    call: &Call,
    named: &Named<'_>,
    account: AccountId,
    market: &MarketInfo,
) -> Result<OrderView, Error> {
    let order = named.in_views(call, account, market)?;
    let order =
        order.filter(|order| order.status.is_open()).ok_or_else(Error::unknown_order_sent)?;
    check_restriction(&order, restriction(call)?)?;
    Ok(order)
}

/// Cancels an order; gives it as it ended, and when.
///
/// # Errors
/// -2011, or what else the engine says.
pub(super) async fn cancel_order(
    call: &Call,
    account: AccountId,
    market: &MarketInfo,
    order: OrderId,
) -> Result<(OrderView, Timestamp), Error> {
    let request = Request::CancelOrder { account, market: market.def.id, order };
    let outcome = call.shared.submit(call.valid_until(), request).await?;
    let Event::OrderCancelled { order, .. } = outcome.answer else {
        return Err(unexpected(&outcome).into());
    };
    let ended = after(call, account, market, order).await?;
    Ok((ended, outcome.time))
}

/// An order as it is after what the account was answered last.
///
/// # Errors
/// -1001 if the views do not know in time.
pub(super) async fn after(
    call: &Call,
    account: AccountId,
    market: &MarketInfo,
    order: OrderId,
) -> Result<OrderView, Error> {
    call.caught_up().await?;
    let found = call.shared.views.order(account, market.def.id, order);
    found.ok_or_else(|| ApiError::from(GatewayCode::NotCaughtUp).into())
}

/// What became of an order or of a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Ended {
    Order(Box<OrderObject>),
    List(Box<CancelledList>),
}

/// `DELETE openOrders`: all orders of a market, and the lists that they are of.
pub(in crate::binance) async fn cancel_all(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let account = call.caught_up().await?;
    let here = market.def.id;
    let open = call.shared.views.open_orders(account, Some(here));
    let lists = call.shared.views.open_order_lists(account, Some(here));
    // Its market would refuse each of them, and tell nobody.
    if market.trading.state == MarketState::Halted && !open.is_empty() {
        return Err(RejectCode::MarketHalted.into());
    }
    let request = Request::CancelAll { account, market: here };
    let outcome = call.shared.submit(call.valid_until(), request).await?;
    let Event::CancelAllAccepted { count, .. } = outcome.answer else {
        return Err(unexpected(&outcome).into());
    };
    if count == 0 {
        return Err(Error::unknown_order_sent());
    }
    let ended = all_ended(&call, account, &open).await?;
    let name = |order: &OrderView| ids::cancel_id(order.order);
    let object = |order: &OrderView| {
        OrderObject::cancelled(&market, order, name(order), outcome.time, call.unit)
    };
    let of_a_list =
        |order: &&OrderView| lists.iter().any(|list| list.orders.contains(&order.order));
    let single = ended.iter().filter(|order| !of_a_list(order));
    let mut answers: Vec<_> = single.map(|order| Ended::Order(Box::new(object(order)))).collect();
    for list in &lists {
        let orders: Vec<_> =
            ended.iter().filter(|order| list.orders.contains(&order.order)).collect();
        let report = |order: &&OrderView| told(object(order), order, orders.iter().copied());
        let reports = orders.iter().map(report).collect();
        let ended = ListObject::ended(&market, list, &orders, outcome.time, call.unit);
        answers.push(Ended::List(Box::new(CancelledList::new(ended, reports))));
    }
    Answer::of(&answers)
}

/// Waits until none of these is open: across partitions their cancels come a moment after the answer. What a
/// trade has filled meanwhile is left out.
async fn all_ended(
    call: &Call,
    account: AccountId,
    open: &[OrderView],
) -> Result<Vec<OrderView>, Error> {
    call.caught_up().await?;
    let now = |order: &OrderView| call.shared.views.order(account, order.market, order.order);
    let have_ended = || open.iter().filter_map(now).all(|order| !order.status.is_open());
    call.shared.catch_up.until(have_ended).await;
    let mut orders: Vec<_> = open.iter().filter_map(now).collect();
    orders.retain(|order| order.status == OrderStatus::Cancelled);
    Ok(orders)
}
