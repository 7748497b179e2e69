//! Order lists and amendments, as the projector writes them.

use rusqlite::{Connection, params};
use types::{MarketId, OrderId, OrderListKind, OrderListPlaced, Quantity};

use crate::error::Result;
use crate::projector::Stamp;
use crate::store::sql_integer;

/// A list was accepted. Tells the number of rows, as the others here.
pub(crate) fn begin(connection: &Connection, at: Stamp, placed: &OrderListPlaced) -> Result<u64> {
    let name = placed.client_order_id;
    let kind = match placed.kind {
        OrderListKind::OneCancelsOther => "oco",
        OrderListKind::OneTriggersOther => "oto",
        OrderListKind::OneTriggersPair => "otoco",
    };
    let mut insert = connection.prepare_cached(
        "INSERT INTO order_lists (market, list_id, account, client_order_id, kind, placed_at, partition)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    insert.execute(params![
        placed.market.0,
        sql_integer(placed.list.0, "an order id")?,
        placed.account.0,
        (!name.is_none()).then(|| name.to_string()),
        kind,
        sql_integer(at.moment.time.0, "a time")?,
        at.partition.0,
    ])?;
    Ok(1)
}

/// A list has ended. One that was accepted before lists were kept has no row.
pub(crate) fn end(
    connection: &Connection,
    at: Stamp,
    market: MarketId,
    list: OrderId,
) -> Result<u64> {
    let mut update = connection.prepare_cached(
        "UPDATE order_lists SET ended_at = ?3 WHERE market = ?1 AND list_id = ?2",
    )?;
    let list = sql_integer(list.0, "an order id")?;
    let time = sql_integer(at.moment.time.0, "a time")?;
    Ok(update.execute(params![market.0, list, time])? as u64)
}

/// An order has less quantity since its owner wished it: the totals before and after.
pub(crate) fn amend(
    connection: &Connection,
    at: Stamp,
    market: MarketId,
    order: OrderId,
    (before, after): (Quantity, Quantity),
) -> Result<u64> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO amendments (market, order_id, old_quantity, new_quantity, time, partition, seq,
             event_index)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute(params![
        market.0,
        sql_integer(order.0, "an order id")?,
        sql_integer(before.get(), "a quantity")?,
        sql_integer(after.get(), "a quantity")?,
        sql_integer(at.moment.time.0, "a time")?,
        at.partition.0,
        sql_integer(at.moment.seq.0, "a seq")?,
        at.index,
    ])?;
    Ok(1)
}
