//! The history in SQL: what the views do not keep. Reads run on threads for blocking work.
//!
//! The projection follows the log with a small lag. A reader waits, within the bound, until its own
//! writes are there; the marks of an answer say how far the projection was.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as WordError;
use store::{FillRow, LedgerRow, OrderRow, Store, StoreError};
use tokio::task::JoinError;
use tokio::time::timeout;
use types::{AccountId, MarketId, OrderId, OrderSpec, PartitionId};
use views::{FillView, Liquidity, MarketInfo};

use crate::breaker::Leave;
use crate::error::{ApiError, GatewayCode};
use crate::state::Shared;
use crate::watermarks::{Marks, raise};
use crate::wire::answer::{
    Fill, LedgerEntry, Order, OrderTerms, Watermark, amount, average_price, millis,
};
use crate::wire::word::{OrderStatus, TimeInForce};

/// How often the projection's progress is looked at. It is not told: the database may be written by another
/// process, and its cursor is in there, with the rows.
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        GatewayCode::StoreUnavailable.into()
    }
}

/// Runs a blocking call of the directory.
///
/// # Errors
/// [`GatewayCode::StoreUnavailable`], at once if the directory has been failing.
pub(crate) async fn blocking<T: Send + 'static>(
    shared: &Shared,
    call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let leave = shared.directory.leave().map_err(left_alone)?;
    let store = Arc::clone(&shared.store);
    let result = tokio::task::spawn_blocking(move || call(&store)).await;
    judged(leave, result.map_err(internal)?)
}

/// Reads the history.
///
/// # Errors
/// [`GatewayCode::StoreUnavailable`], at once if the history has been failing, or after the time in which the
/// exchange must answer too.
pub(crate) async fn read<T: Send + 'static>(
    shared: &Shared,
    call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let leave = shared.history.leave().map_err(left_alone)?;
    let store = Arc::clone(&shared.store);
    let reading = tokio::task::spawn_blocking(move || call(&store));
    match timeout(shared.config.limits.answer_timeout, reading).await {
        Ok(result) => judged(leave, result.map_err(internal)?),
        Err(_) => {
            leave.failed("a read takes too long");
            Err(GatewayCode::StoreUnavailable.into())
        }
    }
}

/// What the store said; its breaker hears whether it works.
fn judged<T>(leave: Leave<'_>, result: Result<T, StoreError>) -> Result<T, ApiError> {
    match &result {
        Err(error @ (StoreError::Sql(_) | StoreError::File { .. } | StoreError::Corrupt(_))) => {
            leave.failed(error);
        }
        // Whatever else it says, it says.
        _ => leave.succeeded(),
    }
    Ok(result?)
}

fn left_alone(wait: Duration) -> ApiError {
    let error = ApiError::from(GatewayCode::StoreUnavailable);
    error.retry_after(wait.as_millis().div_ceil(1_000).max(1) as u64)
}

fn internal(error: JoinError) -> ApiError {
    ApiError::with(GatewayCode::Internal, error.to_string())
}

/// Waits until the projection has what `account` was answered last, and what its reader asked to see;
/// gives how far it is.
///
/// # Errors
/// [`GatewayCode::NotCaughtUp`] after the bound.
pub(crate) async fn watermarks(
    shared: &Shared,
    account: AccountId,
    asked: Marks,
) -> Result<Vec<Watermark>, ApiError> {
    let mut marks = shared.catch_up.marks_of(account);
    for (partition, seq) in asked {
        raise(&mut marks, partition, seq);
    }
    let deadline = Instant::now() + shared.config.limits.watermark_timeout;
    loop {
        let cursors = cursors(shared).await?;
        let is_there = |&(partition, seq): &(PartitionId, types::Seq)| {
            cursors.iter().any(|mark| mark.partition == partition.0 && mark.seq >= seq.0)
        };
        if marks.iter().all(is_there) {
            return Ok(cursors);
        }
        if Instant::now() >= deadline {
            return Err(ApiError::with(
                GatewayCode::NotCaughtUp,
                format!("the history does not have this yet: {}", missing(&marks, &cursors)),
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The entries that are not there yet.
fn missing(marks: &Marks, cursors: &[Watermark]) -> String {
    let missing = |&&(partition, seq): &&(PartitionId, types::Seq)| {
        !cursors.iter().any(|mark| mark.partition == partition.0 && mark.seq >= seq.0)
    };
    let entry = |&(partition, seq): &(PartitionId, types::Seq)| {
        format!("entry {seq} of partition {partition}")
    };
    marks.iter().filter(missing).map(entry).collect::<Vec<_>>().join(", ")
}

async fn cursors(shared: &Shared) -> Result<Vec<Watermark>, ApiError> {
    let partitions = shared.exchange.topology().partitions;
    read(shared, move |store| {
        let cursor = |partition| {
            let seq = store.cursor(PartitionId(partition))?;
            Ok(Watermark::new(PartitionId(partition), seq))
        };
        (0..partitions).map(cursor).collect()
    })
    .await
}

/// An order of `account` that the views do not keep any more.
pub(crate) async fn order(
    shared: &Shared,
    account: AccountId,
    market: &MarketInfo,
    order: OrderId,
) -> Result<Option<Order>, ApiError> {
    let id = market.def.id;
    let row = read(shared, move |store| store.order(id, order)).await?;
    row.filter(|row| row.account == account).map(|row| order_of(market, &row)).transpose()
}

/// The newest order of `account` with this client id that the views do not keep any more.
pub(crate) async fn order_by_client_id(
    shared: &Shared,
    account: AccountId,
    client_order_id: String,
) -> Result<Option<Order>, ApiError> {
    let row = read(shared, move |store| store.order_by_client_id(account, &client_order_id));
    let Some(row) = row.await? else {
        return Ok(None);
    };
    order_of(&*market(shared, row.market)?, &row).map(Some)
}

/// Rows as orders.
pub(crate) fn orders_of(shared: &Shared, rows: &[OrderRow]) -> Result<Vec<Order>, ApiError> {
    rows.iter().map(|row| order_of(&*market(shared, row.market)?, row)).collect()
}

/// Rows as fills.
pub(crate) fn fills_of(shared: &Shared, rows: &[FillRow]) -> Result<Vec<Fill>, ApiError> {
    rows.iter().map(|row| fill_of(&*market(shared, row.market)?, row)).collect()
}

/// Rows as ledger entries.
pub(crate) fn ledger_of(
    shared: &Shared,
    rows: Vec<LedgerRow>,
) -> Result<Vec<LedgerEntry>, ApiError> {
    let entry = |row: LedgerRow| {
        let asset = shared.views.asset(row.asset).ok_or_else(|| unknown("asset", row.asset.0))?;
        let size = amount(&asset, types::Amount::new(row.delta.unsigned_abs()));
        let sign = if row.delta < 0 { "-" } else { "" };
        Ok(LedgerEntry {
            id: row.id,
            asset: asset.symbol.clone(),
            change: format!("{sign}{size}"),
            kind: row.kind,
            reference: row.reference,
            time: millis(row.time),
            partition: row.partition.0,
            seq: row.seq.0,
        })
    };
    rows.into_iter().map(entry).collect()
}

/// An order that has ended counts in the units of its end, an open one in the present ones.
fn order_of(market: &MarketInfo, row: &OrderRow) -> Result<Order, ApiError> {
    let status: OrderStatus = word(&row.status)?;
    let has_ended = matches!(status, OrderStatus::Filled | OrderStatus::Cancelled);
    let then = if has_ended { market.at(row.updated_seq) } else { Cow::Borrowed(market) };
    let market = &*then;
    let lots = |quantity: types::Quantity| market.def.lot.format(quantity.get().into());
    let fee_asset = match row.side {
        types::Side::Buy => &market.base,
        types::Side::Sell => &market.quote,
    };
    Ok(Order {
        market: market.def.symbol.clone(),
        id: row.order.0,
        client_order_id: row.client_order_id.clone(),
        side: row.side.into(),
        terms: OrderTerms::new(market, row.side, &spec_of(row)?, &row.conditions),
        status,
        filled_quantity: lots(row.filled),
        filled_quote: amount(&market.quote, row.quote_filled),
        average_price: average_price(market, row.filled, row.quote_filled),
        remaining_quantity: row.quantity.map(|all| lots(all.saturating_sub(row.filled))),
        fee: amount(fee_asset, row.fee),
        fee_asset: fee_asset.symbol.clone(),
        cancel_cause: row.cause.clone().map(Into::into),
        replaced_by: None,
        replaces: row.replaces.map(|order| order.0),
        list_id: row.list.map(|list| list.0),
        placed_at: millis(row.placed_at),
        updated_at: millis(row.updated_at),
    })
}

/// Kind, price and quantity. What an order at the market might spend is not kept.
pub(crate) fn spec_of(row: &OrderRow) -> Result<OrderSpec, ApiError> {
    let max_spend = None;
    match (row.price, row.quantity, row.quote_quantity) {
        (Some(price), Some(quantity), None) => Ok(OrderSpec::Limit {
            price,
            quantity,
            time_in_force: word::<TimeInForce>(row.time_in_force.as_deref().unwrap_or_default())?
                .in_book(),
            post_only: row.post_only,
        }),
        (None, Some(quantity), None) => Ok(OrderSpec::MarketByQuantity { quantity, max_spend }),
        (None, None, Some(quote)) => Ok(OrderSpec::MarketByQuote { quote, max_spend }),
        _ => Err(unknown("kind of order", row.order.0)),
    }
}

fn fill_of(market: &MarketInfo, row: &FillRow) -> Result<Fill, ApiError> {
    Ok(Fill::new(market, &fill_view(row)?))
}

/// A row as the views would have it.
pub(crate) fn fill_view(row: &FillRow) -> Result<FillView, ApiError> {
    let client_order_id = row.client_order_id.as_deref().map(str::parse).transpose();
    Ok(FillView {
        market: row.market,
        trade: row.trade,
        account: row.account,
        order: row.order,
        client_order_id: client_order_id
            .map_err(|_| unknown("client order id of order", row.order.0))?
            .unwrap_or_default(),
        side: row.side,
        price: row.price,
        quantity: row.quantity,
        base_amount: row.base_amount,
        quote_amount: row.quote_amount,
        fee: row.fee,
        rebate: row.rebate,
        liquidity: Liquidity::of(row.side, row.aggressor),
        time: row.time,
        partition: row.partition,
        seq: row.seq,
        index: row.index,
    })
}

/// The choice that a word of the database stands for; SQL and JSON use the same words.
fn word<'a, T: Deserialize<'a>>(word: &'a str) -> Result<T, ApiError> {
    let words: serde::de::value::StrDeserializer<'a, WordError> = word.into_deserializer();
    T::deserialize(words).map_err(|error| ApiError::with(GatewayCode::Internal, error.to_string()))
}

fn market(shared: &Shared, id: MarketId) -> Result<Arc<MarketInfo>, ApiError> {
    shared.views.market_info(id).ok_or_else(|| unknown("market", id.0))
}

/// The history names what the views have not heard of: a bug.
fn unknown(what: &str, id: impl std::fmt::Display) -> ApiError {
    ApiError::with(GatewayCode::Internal, format!("the history names an unknown {what} {id}"))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::breaker::Standing;
    use crate::ws::tests::rig::{MARKET, Rig};

    async fn look(shared: &Shared) -> Result<(), (GatewayCode, u64)> {
        let found = read(shared, |store| store.order(MARKET, OrderId(1))).await;
        found.map(|_| ()).map_err(|error| match error.code {
            crate::error::ErrorCode::Gateway(code) => (code, error.retry_after),
            code => panic!("{code:?}"),
        })
    }

    #[tokio::test]
    async fn a_history_that_fails_is_left_alone_and_heals_by_itself() {
        let rig = Rig::start().await;
        let (shared, file) = (&rig.shared, rig.data().join("history.sqlite"));
        let sql = |text: &str| Connection::open(&file).unwrap().execute_batch(text).unwrap();
        look(shared).await.unwrap();
        sql("ALTER TABLE orders RENAME TO gone");
        for _ in 0..5 {
            assert_eq!(look(shared).await.unwrap_err().0, GatewayCode::StoreUnavailable);
        }
        assert_eq!(shared.history.standing(), Standing::Open);
        // It is not asked: it would answer.
        sql("ALTER TABLE gone RENAME TO orders");
        let (code, seconds) = look(shared).await.unwrap_err();
        assert_eq!((code, (1..=2).contains(&seconds)), (GatewayCode::StoreUnavailable, true));
        assert_eq!(shared.directory.standing(), Standing::Closed);
        let ready = crate::health::standing(shared);
        assert!(ready.starts_with("history is failing: "), "{ready}");
        let deadline = Instant::now() + Duration::from_secs(60);
        while look(shared).await.is_err() {
            assert!(Instant::now() < deadline, "it does not heal");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        assert_eq!(shared.history.standing(), Standing::Closed);
        assert_eq!(crate::health::standing(shared), "");
        rig.stop().await;
    }

    #[tokio::test]
    async fn what_the_store_refuses_is_no_failure_of_the_store() {
        let rig = Rig::start().await;
        for _ in 0..20 {
            let refused = |_: &Store| Err::<(), _>(StoreError::UnknownAccount(AccountId(9)));
            assert!(blocking(&rig.shared, refused).await.is_err());
        }
        assert_eq!(rig.shared.directory.standing(), Standing::Closed);
        rig.stop().await;
    }
}
