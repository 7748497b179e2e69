//! Lists that their owner cancelled by one of their orders: the engine says of the other that its list ended, as it
//! does when the first trades or triggers. To its owner it was cancelled as well.

use store::{OrderRow, Store};
use types::CancelCause::{CancelAll, Client, OrderList};
use types::OrderId;
use views::{EndCause, OrderView};

use super::find::view;
use super::show::OrderObject;
use crate::binance::endpoint::Call;
use crate::error::ApiError;
use crate::history;

/// What is said of an order: as the engine does, or CANCELED if it ended with its list since its owner cancelled one
/// of `others`.
pub(super) fn told<'a>(
    object: OrderObject,
    order: &OrderView,
    others: impl IntoIterator<Item = &'a OrderView>,
) -> OrderObject {
    match others.into_iter().any(|other| ended_with(order, other)) {
        true => object.of_cancelled_list(),
        false => object,
    }
}

/// Whether `order` ended with its list since `other` was cancelled by its owner.
fn ended_with(order: &OrderView, other: &OrderView) -> bool {
    let was_asked_for = matches!(other.cause, Some(EndCause::Cancelled(Client | CancelAll)));
    ended_with_its_list(order)
        && was_asked_for
        && (other.market, other.list, other.updated_seq)
            == (order.market, order.list, order.updated_seq)
}

fn ended_with_its_list(order: &OrderView) -> bool {
    order.list.is_some() && order.cause == Some(EndCause::Cancelled(OrderList))
}

/// Orders of a list that are open together were placed by one entry, and so have ids next to each other.
fn ids_beside(order: OrderId) -> [OrderId; 2] {
    [OrderId(order.0.saturating_sub(1)), OrderId(order.0.saturating_add(1))]
}

/// An order as it is asked about, from the views or the history.
///
/// # Errors
/// When the history cannot be read.
pub(super) async fn shown(
    call: &Call,
    order: &OrderView,
    object: OrderObject,
) -> Result<OrderObject, ApiError> {
    if !ended_with_its_list(order) {
        return Ok(object);
    }
    let mut beside = Vec::new();
    for id in ids_beside(order.order) {
        let (account, market) = (order.account, order.market);
        let other = match call.shared.views.order(account, market, id) {
            Some(other) => Some(other),
            None => {
                let row = history::read(&call.shared, move |store| store.order(market, id)).await?;
                row.filter(|row| row.account == account).as_ref().map(view).transpose()?
            }
        };
        beside.extend(other);
    }
    Ok(told(object, order, &beside))
}

/// The orders beside those of `rows` that ended with their lists, as far as they are not among `rows`.
///
/// # Errors
/// When the history cannot be read.
pub(super) fn rows_beside(store: &Store, rows: &[OrderRow]) -> store::Result<Vec<OrderRow>> {
    let mut beside = Vec::new();
    let word = EndCause::Cancelled(OrderList).word();
    for row in rows.iter().filter(|row| row.list.is_some() && row.cause.as_deref() == Some(word)) {
        for id in ids_beside(row.order) {
            if rows.binary_search_by_key(&id, |row| row.order).is_err() {
                beside.extend(store.order(row.market, id)?.filter(|it| it.account == row.account));
            }
        }
    }
    Ok(beside)
}
