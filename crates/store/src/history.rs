//! Reading the history: newest first, page by page.
//!
//! A page ends with an `id`; the next page is what lies `before` it. Words of sides, states and causes
//! are those of the streams.

use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, Row, params};
use types::{
    AccountId, Amount, AssetId, MarketId, OrderId, PartitionId, Price, Quantity, Seq, Side,
    Timestamp, TradeId,
};

use crate::error::{Result, StoreError};
use crate::store::{Store, sql_integer};

/// Which orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Open, also partially filled.
    Open,
    /// Filled whole.
    Filled,
    /// Cancelled, also after fills.
    Cancelled,
    /// Filled or cancelled.
    Closed,
}

/// Asks for orders of an account.
#[derive(Clone, Copy, Debug)]
pub struct OrderQuery {
    /// Whose.
    pub account: AccountId,
    /// Where, or anywhere.
    pub market: Option<MarketId>,
    /// Which, or all.
    pub state: Option<OrderState>,
    /// Only rows with a smaller id.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

/// Asks for fills of an account.
#[derive(Clone, Copy, Debug)]
pub struct FillQuery {
    /// Whose.
    pub account: AccountId,
    /// Where, or anywhere.
    pub market: Option<MarketId>,
    /// Of one order of that market, or of all.
    pub order: Option<OrderId>,
    /// Only rows with a smaller id.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

/// Asks for ledger entries of an account.
#[derive(Clone, Copy, Debug)]
pub struct LedgerQuery {
    /// Whose.
    pub account: AccountId,
    /// Of what, or of anything.
    pub asset: Option<AssetId>,
    /// Only rows with a smaller id.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

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
    /// Lots.
    pub filled: Quantity,
    /// Quote atoms.
    pub quote_filled: Amount,
    /// Atoms of what the order receives (buy: base, sell: quote).
    pub fee: Amount,
    /// `open`, `partially_filled`, `filled` or `cancelled`.
    pub status: String,
    /// Of a cancellation: `client`, `cancel_all`, `immediate_or_cancel`, `market_remainder`,
    /// `self_trade`, `book_full` or `replaced`.
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
    /// `credit`, `debit`, `transfer_in`, `transfer_out`, `trade` or `fee`.
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

const ORDER_COLUMNS: &str = "id, market, order_id, account, client_order_id, side, kind, \
    time_in_force, post_only, price, quantity, quote_quantity, filled, quote_filled, fee, status, \
    cause, replaces, placed_seq, placed_at, updated_seq, updated_at";

/// Reading the history. Each fails only when the database does, or holds what was never written.
impl Store {
    /// The last entry of a partition whose events are in the history; zero for none.
    ///
    /// # Errors
    /// See above.
    pub fn cursor(&self, partition: PartitionId) -> Result<Seq> {
        let reader = self.history.reader()?;
        let sql = "SELECT seq FROM projection_cursor WHERE partition = ?1";
        let seq = reader.query_row(sql, [partition.0], |row| row.get::<_, i64>(0)).optional()?;
        Ok(Seq(seq.unwrap_or(0) as u64))
    }

    /// Orders of an account, newest first.
    ///
    /// # Errors
    /// See above.
    pub fn orders(&self, query: &OrderQuery) -> Result<Vec<OrderRow>> {
        let state = match query.state {
            None => "TRUE",
            Some(OrderState::Open) => "status IN ('open', 'partially_filled')",
            Some(OrderState::Filled) => "status = 'filled'",
            Some(OrderState::Cancelled) => "status = 'cancelled'",
            Some(OrderState::Closed) => "status IN ('filled', 'cancelled')",
        };
        let sql = format!(
            "SELECT {ORDER_COLUMNS} FROM orders
             WHERE account = ?1 AND (?2 IS NULL OR market = ?2) AND id < ?3 AND {state}
             ORDER BY id DESC LIMIT ?4"
        );
        let market = query.market.map(|market| market.0);
        let values = params![query.account.0, market, before(query.before), query.limit];
        self.rows(&sql, values, order_row)
    }

    /// An order by its identity.
    ///
    /// # Errors
    /// See above.
    pub fn order(&self, market: MarketId, order: OrderId) -> Result<Option<OrderRow>> {
        let sql = format!("SELECT {ORDER_COLUMNS} FROM orders WHERE market = ?1 AND order_id = ?2");
        let order = sql_integer(order.0, "an order id")?;
        Ok(self.rows(&sql, params![market.0, order], order_row)?.pop())
    }

    /// The newest order of an account with this client id.
    ///
    /// # Errors
    /// See above.
    pub fn order_by_client_id(
        &self,
        account: AccountId,
        client_order_id: &str,
    ) -> Result<Option<OrderRow>> {
        let sql = format!(
            "SELECT {ORDER_COLUMNS} FROM orders WHERE account = ?1 AND client_order_id = ?2
             ORDER BY id DESC LIMIT 1"
        );
        Ok(self.rows(&sql, params![account.0, client_order_id], order_row)?.pop())
    }

    /// Fills of an account, newest first.
    ///
    /// # Errors
    /// See above.
    pub fn fills(&self, query: &FillQuery) -> Result<Vec<FillRow>> {
        // One index scan for each side, newest first, merged and cut; the join then touches only
        // what is returned.
        let side = |side: &str, order: &str, owner: &str, fee: &str, bit: u32| {
            format!(
                "SELECT * FROM (SELECT id * 2 + {bit} AS id, {owner} AS account, '{side}' AS side,
                     {order} AS order_id, {fee} AS fee, market, trade_id, price, quantity,
                     base_amount, quote_amount, aggressor, time, partition, seq, event_index
                 FROM trades
                 WHERE {owner} = ?1 AND (?2 IS NULL OR market = ?2)
                     AND (?3 IS NULL OR {order} = ?3) AND id * 2 + {bit} < ?4
                     AND id <= ?4 / 2
                 ORDER BY id DESC LIMIT ?5)"
            )
        };
        let sql = format!(
            "SELECT fill.*, orders.client_order_id FROM
                 (SELECT * FROM ({} UNION ALL {}) ORDER BY id DESC LIMIT ?5) AS fill
             LEFT JOIN orders USING (market, order_id) ORDER BY fill.id DESC",
            side("buy", "buy_order", "buyer", "buyer_fee", 0),
            side("sell", "sell_order", "seller", "seller_fee", 1),
        );
        let market = query.market.map(|market| market.0);
        let order = query.order.map(|order| sql_integer(order.0, "an order id")).transpose()?;
        let values = params![query.account.0, market, order, before(query.before), query.limit];
        self.rows(&sql, values, fill_row)
    }

    /// Trades of a market with ids below `before`, newest first.
    ///
    /// # Errors
    /// See above.
    pub fn trades(
        &self,
        market: MarketId,
        before_trade: Option<TradeId>,
        limit: u32,
    ) -> Result<Vec<TradeRow>> {
        let sql = "SELECT * FROM trades WHERE market = ?1 AND trade_id < ?2
                   ORDER BY trade_id DESC LIMIT ?3";
        let values = params![market.0, before(before_trade.map(|trade| trade.0)), limit];
        self.rows(sql, values, trade_row)
    }

    /// Ledger entries of an account, newest first.
    ///
    /// # Errors
    /// See above.
    pub fn ledger_entries(&self, query: &LedgerQuery) -> Result<Vec<LedgerRow>> {
        let sql = "SELECT * FROM ledger_entries
                   WHERE account = ?1 AND (?2 IS NULL OR asset = ?2) AND id < ?3 AND NOT suspense
                   ORDER BY id DESC LIMIT ?4";
        let asset = query.asset.map(|asset| asset.0);
        let values = params![query.account.0, asset, before(query.before), query.limit];
        self.rows(sql, values, ledger_row)
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let reader = self.history.reader()?;
        let mut statement = reader.prepare(sql)?;
        let mut rows = statement.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }
}

fn before(id: Option<u64>) -> i64 {
    id.map_or(i64::MAX, |id| i64::try_from(id).unwrap_or(i64::MAX))
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

fn fill_row(row: &Row<'_>) -> Result<FillRow> {
    Ok(FillRow {
        id: whole(row, "id")?,
        account: AccountId(row.get("account")?),
        market: MarketId(row.get("market")?),
        trade: TradeId(whole(row, "trade_id")?),
        order: OrderId(whole(row, "order_id")?),
        client_order_id: row.get("client_order_id")?,
        side: side(row)?,
        price: Price::new(whole(row, "price")?),
        quantity: Quantity::new(whole(row, "quantity")?),
        base_amount: amount(row, "base_amount")?,
        quote_amount: amount(row, "quote_amount")?,
        fee: amount(row, "fee")?,
        aggressor: aggressor(row)?,
        time: Timestamp(whole(row, "time")?),
        partition: PartitionId(row.get("partition")?),
        seq: Seq(whole(row, "seq")?),
        index: row.get("event_index")?,
    })
}

fn trade_row(row: &Row<'_>) -> Result<TradeRow> {
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
    })
}

fn ledger_row(row: &Row<'_>) -> Result<LedgerRow> {
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

fn maybe_whole(row: &Row<'_>, name: &str) -> Result<Option<u64>> {
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
