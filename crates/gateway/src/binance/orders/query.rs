//! `GET order`, `openOrders` and `allOrders`.

use store::OrdersByIdQuery;
use types::{OrderId, Timestamp};
use views::OrderView;

use super::find::{Named, view};
use super::show::OrderObject;
use super::whole_list::{rows_beside, shown, told};
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::params::Params;
use crate::binance::symbols;
use crate::history;

const ROWS: usize = 500;
const MOST_ROWS: usize = 1_000;
/// Longest time between `startTime` and `endTime`, in milliseconds.
const DAY: u64 = 86_400_000;

/// `GET order`.
pub(in crate::binance) async fn order(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let named = Named::of(&call, "orderId", "origClientOrderId")?;
    let account = call.caught_up().await?;
    let order = named.anywhere(&call, account, &market).await?;
    let object = OrderObject::asked(&market, &order, call.unit);
    Answer::of(&shown(&call, &order, object).await?)
}

/// `GET openOrders`: of a market, or of all.
pub(in crate::binance) async fn open_orders(call: Call) -> Result<Answer, Error> {
    let market = call.market_if_named()?;
    let account = call.caught_up().await?;
    let open = call.shared.views.open_orders(account, market.as_ref().map(|m| m.def.id));
    let markets = match market {
        Some(market) => vec![market],
        None => symbols::markets(&call.shared.views),
    };
    let object = |order: &OrderView| {
        let market = markets.iter().find(|market| market.def.id == order.market)?;
        Some(OrderObject::asked(market, order, call.unit))
    };
    Answer::of(&open.iter().filter_map(object).collect::<Vec<_>>())
}

/// Of `openOrders`.
pub(in crate::binance) fn open_orders_weight(params: &Params) -> u32 {
    if params.has("symbol") { 6 } else { 80 }
}

/// `GET allOrders`: from `orderId` or `startTime` on, or the newest.
pub(in crate::binance) async fn all_orders(call: Call) -> Result<Answer, Error> {
    let account = call.account()?;
    let market = call.market()?;
    let from = call.params.id("orderId")?.map(OrderId);
    let (since, until) = times(&call)?;
    let limit = call.params.limit(ROWS, MOST_ROWS)? as u32;
    call.history_settled().await?;
    let query = OrdersByIdQuery { account, market: market.def.id, from, since, until, limit };
    let read = history::read(&call.shared, move |store| {
        let rows = store.orders_by_id(&query)?;
        let beside = rows_beside(store, &rows)?;
        Ok((rows, beside))
    });
    let (rows, beside) = read.await?;
    let orders = rows.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let beside = beside.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let object = |order: &OrderView| {
        let object = OrderObject::asked(&market, order, call.unit);
        told(object, order, orders.iter().chain(&beside))
    };
    Answer::of(&orders.iter().map(object).collect::<Vec<_>>())
}

/// `startTime` and `endTime`, at most a day apart.
///
/// # Errors
/// -1127, or as [`Params::time`].
pub(in crate::binance) fn times(
    call: &Call,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Error> {
    let (since, until) = (call.params.time("startTime")?, call.params.end_time("endTime")?);
    if let (Some(since), Some(until)) = (since, until) {
        if until < since {
            return Err(Error::invalid_data("endTime"));
        }
        if (until.0 - since.0) / 1_000_000 > DAY {
            return Err(Error::new(-1127, "More than 24 hours between startTime and endTime."));
        }
    }
    Ok((since, until))
}
