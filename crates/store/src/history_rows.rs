//! Rows of the history, as they are read.

use rusqlite::Row;
use rusqlite::types::FromSql;
use types::{
    AccountId, Amount, AssetId, Conditions, MarketId, OrderId, PartitionId, Price, Quantity, Seq,
    Side, Timestamp, TradeId,
};

use crate::condition_columns::conditions;
use crate::error::{Result, StoreError};

/// An order with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// For paging.
    pub id: u64,
    /// Where.
    pub market: MarketId,
    /// Its id.
    pub order: OrderId,
    /// The owner.
    pub account: AccountId,
    /// The client's id.
    pub client_order_id: Option<String>,
    /// Buy or sell.
    pub side: Side,
    /// `limit`, `market` or `market_by_quote`.
    pub kind: String,
    /// `gtc`, `ioc` or `fok`; none for market orders.
    pub time_in_force: Option<String>,
    /// Only limit orders.
    pub post_only: bool,
    /// None for market orders.
    pub price: Option<Price>,
    /// None by quote.
    pub quantity: Option<Quantity>,
    /// Only by quote.
    pub quote_quantity: Option<Amount>,
    /// What makes it more than a plain order.
    pub conditions: Conditions,
    /// The list that placed it: the id of the list's first order.
    pub list: Option<OrderId>,
    /// Lots.
    pub filled: Quantity,
    /// Quote atoms.
    pub quote_filled: Amount,
    /// Atoms of what the order receives (buy: base, sell: quote).
    pub fee: Amount,
    /// `waiting`, `open`, `partially_filled`, `filled` or `cancelled`.
    pub status: String,
    /// Of a cancellation: `client`, `cancel_all`, `immediate_or_cancel`, `market_remainder`,
    /// `self_trade`, `book_full`, `expired`, `not_fillable`, `interruption`, `order_list` or `replaced`.
    pub cause: Option<String>,
    /// The order that this one replaced.
    pub replaces: Option<OrderId>,
    /// The entry that accepted it.
    pub placed_seq: Seq,
    /// When it was accepted.
    pub placed_at: Timestamp,
    /// The entry that changed it last.
    pub updated_seq: Seq,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// One side of a trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FillRow {
    /// For paging.
    pub id: u64,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// The trade.
    pub trade: TradeId,
    /// The order.
    pub order: OrderId,
    /// The order's client id.
    pub client_order_id: Option<String>,
    /// The list that the order was placed by.
    pub list: Option<OrderId>,
    /// Buy or sell.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// Lots.
    pub quantity: Quantity,
    /// Base atoms, before the fee.
    pub base_amount: Amount,
    /// Quote atoms, before the fee.
    pub quote_amount: Amount,
    /// Atoms of what was received (buy: base, sell: quote).
    pub fee: Amount,
    /// A maker's rebate: atoms of what was paid (buy: quote, sell: base).
    pub rebate: Amount,
    /// The taker's side, or none in an auction: the fill is a maker's if it is the other one.
    pub aggressor: Option<Side>,
    /// When.
    pub time: Timestamp,
    /// The partition whose log says so.
    pub partition: PartitionId,
    /// The entry.
    pub seq: Seq,
    /// The event's index.
    pub index: u32,
}

/// A trade with both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeRow {
    /// Where.
    pub market: MarketId,
    /// Its id.
    pub trade: TradeId,
    /// At which price.
    pub price: Price,
    /// Lots.
    pub quantity: Quantity,
    /// Base atoms.
    pub base_amount: Amount,
    /// Quote atoms.
    pub quote_amount: Amount,
    /// The taker's side, or none in an auction.
    pub aggressor: Option<Side>,
    /// Who bought.
    pub buyer: AccountId,
    /// The buyer's order.
    pub buy_order: OrderId,
    /// Who sold.
    pub seller: AccountId,
    /// The seller's order.
    pub sell_order: OrderId,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub seq: Seq,
    /// The number of its aggregate: what one taker traded at one price without another trade in between.
    pub aggregate: u64,
}

/// A change of an account's total balance of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// For paging.
    pub id: u64,
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// By how many atoms.
    pub delta: i128,
    /// `credit`, `debit`, `transfer_in`, `transfer_out`, `trade`, `fee` or `rebate`.
    pub kind: String,
    /// By kind: `source:number`, the other account, or `market:trade`.
    pub reference: String,
    /// When.
    pub time: Timestamp,
    /// The partition whose log says so.
    pub partition: PartitionId,
    /// The entry.
    pub seq: Seq,
    /// The event's index.
    pub index: u32,
}

pub(crate) fn order_row(row: &Row<'_>) -> Result<OrderRow> {
    Ok(OrderRow {
        id: whole(row, "id")?,
        market: MarketId(row.get("market")?),
        order: OrderId(whole(row, "order_id")?),
        account: AccountId(row.get("account")?),
        client_order_id: row.get("client_order_id")?,
        side: side(row)?,
        kind: row.get("kind")?,
        time_in_force: row.get("time_in_force")?,
        post_only: row.get("post_only")?,
        price: maybe_whole(row, "price")?.map(Price::new),
        quantity: maybe_whole(row, "quantity")?.map(Quantity::new),
        quote_quantity: maybe_amount(row, "quote_quantity")?,
        conditions: conditions(row)?,
        list: maybe_whole(row, "list_id")?.map(OrderId),
        filled: Quantity::new(whole(row, "filled")?),
        quote_filled: amount(row, "quote_filled")?,
        fee: amount(row, "fee")?,
        status: row.get("status")?,
        cause: row.get("cause")?,
        replaces: maybe_whole(row, "replaces")?.map(OrderId),
        placed_seq: Seq(whole(row, "placed_seq")?),
        placed_at: Timestamp(whole(row, "placed_at")?),
        updated_seq: Seq(whole(row, "updated_seq")?),
        updated_at: Timestamp(whole(row, "updated_at")?),
    })
}

pub(crate) fn fill_row(row: &Row<'_>) -> Result<FillRow> {
    Ok(FillRow {
        id: whole(row, "id")?,
        account: AccountId(row.get("account")?),
        market: MarketId(row.get("market")?),
        trade: TradeId(whole(row, "trade_id")?),
        order: OrderId(whole(row, "order_id")?),
        client_order_id: row.get("client_order_id")?,
        list: maybe_whole(row, "list_id")?.map(OrderId),
        side: side(row)?,
        price: Price::new(whole(row, "price")?),
        quantity: Quantity::new(whole(row, "quantity")?),
        base_amount: amount(row, "base_amount")?,
        quote_amount: amount(row, "quote_amount")?,
        fee: amount(row, "fee")?,
        rebate: amount(row, "rebate")?,
        aggressor: aggressor(row)?,
        time: Timestamp(whole(row, "time")?),
        partition: PartitionId(row.get("partition")?),
        seq: Seq(whole(row, "seq")?),
        index: row.get("event_index")?,
    })
}

pub(crate) fn trade_row(row: &Row<'_>) -> Result<TradeRow> {
    Ok(TradeRow {
        market: MarketId(row.get("market")?),
        trade: TradeId(whole(row, "trade_id")?),
        price: Price::new(whole(row, "price")?),
        quantity: Quantity::new(whole(row, "quantity")?),
        base_amount: amount(row, "base_amount")?,
        quote_amount: amount(row, "quote_amount")?,
        aggressor: aggressor(row)?,
        buyer: AccountId(row.get("buyer")?),
        buy_order: OrderId(whole(row, "buy_order")?),
        seller: AccountId(row.get("seller")?),
        sell_order: OrderId(whole(row, "sell_order")?),
        time: Timestamp(whole(row, "time")?),
        seq: Seq(whole(row, "seq")?),
        aggregate: whole(row, "aggregate")?,
    })
}

pub(crate) fn ledger_row(row: &Row<'_>) -> Result<LedgerRow> {
    let delta: String = row.get("delta")?;
    Ok(LedgerRow {
        id: whole(row, "id")?,
        account: AccountId(row.get("account")?),
        asset: AssetId(row.get("asset")?),
        delta: delta.parse().map_err(|_| StoreError::Corrupt(format!("delta {delta}")))?,
        kind: row.get("kind")?,
        reference: row.get("reference")?,
        time: Timestamp(whole(row, "time")?),
        partition: PartitionId(row.get("partition")?),
        seq: Seq(whole(row, "seq")?),
        index: row.get("event_index")?,
    })
}

fn column<T: FromSql>(row: &Row<'_>, name: &str) -> Result<T> {
    Ok(row.get(name)?)
}

fn whole(row: &Row<'_>, name: &str) -> Result<u64> {
    maybe_whole(row, name)?.ok_or_else(|| StoreError::Corrupt(format!("no {name}")))
}

pub(crate) fn maybe_whole(row: &Row<'_>, name: &str) -> Result<Option<u64>> {
    let value = column::<Option<i64>>(row, name)?.map(u64::try_from).transpose();
    value.map_err(|_| StoreError::Corrupt(format!("{name} below zero")))
}

fn amount(row: &Row<'_>, name: &str) -> Result<Amount> {
    maybe_amount(row, name)?.ok_or_else(|| StoreError::Corrupt(format!("no {name}")))
}

fn maybe_amount(row: &Row<'_>, name: &str) -> Result<Option<Amount>> {
    let Some(text) = column::<Option<String>>(row, name)? else {
        return Ok(None);
    };
    let value = text.parse().map_err(|_| StoreError::Corrupt(format!("{name} {text}")))?;
    Ok(Some(Amount::new(value)))
}

fn side(row: &Row<'_>) -> Result<Side> {
    parse_side(&column::<String>(row, "side")?)
}

fn aggressor(row: &Row<'_>) -> Result<Option<Side>> {
    column::<Option<String>>(row, "aggressor")?.as_deref().map(parse_side).transpose()
}

fn parse_side(word: &str) -> Result<Side> {
    match word {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err(StoreError::Corrupt(format!("side {word}"))),
    }
}
