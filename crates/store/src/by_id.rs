//! Reading the history by ids and times, oldest first: what the Binance dialect pages by.

use rusqlite::{Row, params};
use types::{AccountId, AssetId, MarketId, OrderId, Quantity, Seq, Timestamp, TradeId};

use crate::error::{Result, StoreError};
use crate::history::ORDER_COLUMNS;
use crate::history_rows::{
    FillRow, LedgerRow, OrderRow, TradeRow, fill_row, ledger_row, maybe_whole, order_row, trade_row,
};
use crate::store::{Store, sql_integer};

/// Asks for orders of an account in a market: the oldest from an id or a time on, or else the newest.
#[derive(Clone, Copy, Debug)]
pub struct OrdersByIdQuery {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// Only this id and later ones.
    pub from: Option<OrderId>,
    /// Only those that were placed then or later.
    pub since: Option<Timestamp>,
    /// Only those that were placed then or before.
    pub until: Option<Timestamp>,
    /// At most this many.
    pub limit: u32,
}

/// Asks for fills of an account in a market: the oldest from a trade or a time on, or else the newest.
#[derive(Clone, Copy, Debug)]
pub struct FillsByTradeQuery {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// Of one order, or of all.
    pub order: Option<OrderId>,
    /// Only this trade and later ones.
    pub from: Option<TradeId>,
    /// Only those of then or later.
    pub since: Option<Timestamp>,
    /// Only those of then or before.
    pub until: Option<Timestamp>,
    /// At most this many.
    pub limit: u32,
}

/// Asks for order lists of an account: the oldest from an id or a time on, or else the newest.
#[derive(Clone, Debug)]
pub struct OrderListQuery {
    /// Whose.
    pub account: AccountId,
    /// Where, or anywhere.
    pub market: Option<MarketId>,
    /// One list.
    pub list: Option<OrderId>,
    /// Lists of this name; not together with `list`, which may be the id of an unnamed one.
    pub client_order_id: Option<String>,
    /// Only this id and later ones.
    pub from: Option<OrderId>,
    /// Only those that were placed then or later.
    pub since: Option<Timestamp>,
    /// Only those that were placed then or before.
    pub until: Option<Timestamp>,
    /// At most this many.
    pub limit: u32,
}

impl OrderListQuery {
    /// All lists of an account.
    #[must_use]
    pub fn of(account: AccountId) -> Self {
        Self {
            account,
            market: None,
            list: None,
            client_order_id: None,
            from: None,
            since: None,
            until: None,
            limit: u32::MAX,
        }
    }
}

/// An order list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderListRow {
    /// Where.
    pub market: MarketId,
    /// Its id: that of its first order.
    pub list: OrderId,
    /// The client's name of it.
    pub client_order_id: Option<String>,
    /// `oco`, `oto` or `otoco`.
    pub kind: String,
    /// When it was accepted.
    pub placed_at: Timestamp,
    /// When it ended; none while it executes.
    pub ended_at: Option<Timestamp>,
    /// Its orders with their client ids, by id.
    pub orders: Vec<(OrderId, Option<String>)>,
}

/// Asks for what came to an account or left it, newest first.
#[derive(Clone, Copy, Debug)]
pub struct TransferQuery {
    /// Whose.
    pub account: AccountId,
    /// `credit` or `debit`.
    pub kind: &'static str,
    /// Of what, or of anything.
    pub asset: Option<AssetId>,
    /// Only those of then or later.
    pub since: Option<Timestamp>,
    /// Only those of then or before.
    pub until: Option<Timestamp>,
    /// Without this many of the newest.
    pub offset: u32,
    /// At most this many.
    pub limit: u32,
}

/// Asks for amendments of an order.
#[derive(Clone, Copy, Debug)]
pub struct AmendmentQuery {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// Which.
    pub order: OrderId,
}

/// An amendment by which an order kept its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmendmentRow {
    /// The order's client id.
    pub client_order_id: Option<String>,
    /// The total quantity before, in lots.
    pub old_quantity: Quantity,
    /// The total quantity after.
    pub new_quantity: Quantity,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub seq: Seq,
    /// The event's index.
    pub index: u32,
}

/// Each fails only when the database does, or holds what was never written.
impl Store {
    /// Orders of an account in a market, oldest first.
    ///
    /// # Errors
    /// See above.
    pub fn orders_by_id(&self, query: &OrdersByIdQuery) -> Result<Vec<OrderRow>> {
        let forward = query.from.is_some() || query.since.is_some();
        let order = if forward { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {ORDER_COLUMNS} FROM orders
             WHERE account = ?1 AND market = ?2 AND order_id >= ?3 AND placed_at BETWEEN ?4 AND ?5
             ORDER BY id {order} LIMIT ?6"
        );
        let values = params![
            query.account.0,
            query.market.0,
            query.from.map_or(Ok(0), |id| sql_integer(id.0, "an order id"))?,
            bound(query.since, 0),
            bound(query.until, i64::MAX),
            query.limit,
        ];
        let rows = self.rows(&sql, values, order_row)?;
        Ok(oldest_first(rows, forward))
    }

    /// The newest order of an account in a market with this client id.
    ///
    /// # Errors
    /// See above.
    pub fn order_by_client_id_in(
        &self,
        account: AccountId,
        market: MarketId,
        client_order_id: &str,
    ) -> Result<Option<OrderRow>> {
        let sql = format!(
            "SELECT {ORDER_COLUMNS} FROM orders
             WHERE account = ?1 AND client_order_id = ?3 AND market = ?2 ORDER BY id DESC LIMIT 1"
        );
        Ok(self.rows(&sql, params![account.0, market.0, client_order_id], order_row)?.pop())
    }

    /// Fills of an account in a market, oldest first.
    ///
    /// # Errors
    /// See above.
    pub fn fills_by_trade(&self, query: &FillsByTradeQuery) -> Result<Vec<FillRow>> {
        let forward = query.from.is_some() || query.since.is_some();
        let direction = if forward { "ASC" } else { "DESC" };
        let side = |side: &str, order: &str, owner: &str, fee: &str, bit: u32| {
            format!(
                "SELECT * FROM (SELECT id * 2 + {bit} AS id, {owner} AS account, '{side}' AS side,
                     {order} AS order_id, {fee} AS fee,
                     iif(aggressor <> '{side}', maker_rebate, '0') AS rebate, market, trade_id, price,
                     quantity, base_amount, quote_amount, aggressor, time, partition, seq, event_index
                 FROM trades
                 WHERE {owner} = ?1 AND market = ?2 AND (?3 IS NULL OR {order} = ?3)
                     AND trade_id >= ?4 AND time BETWEEN ?5 AND ?6
                 ORDER BY id {direction} LIMIT ?7)"
            )
        };
        let sql = format!(
            "SELECT fill.*, orders.client_order_id, orders.list_id FROM
                 (SELECT * FROM ({} UNION ALL {}) ORDER BY id {direction} LIMIT ?7) AS fill
             LEFT JOIN orders USING (market, order_id) ORDER BY fill.id {direction}",
            side("buy", "buy_order", "buyer", "buyer_fee", 0),
            side("sell", "sell_order", "seller", "seller_fee", 1),
        );
        let order = query.order.map(|order| sql_integer(order.0, "an order id")).transpose()?;
        let values = params![
            query.account.0,
            query.market.0,
            order,
            query.from.map_or(Ok(0), |id| sql_integer(id.0, "a trade id"))?,
            bound(query.since, 0),
            bound(query.until, i64::MAX),
            query.limit,
        ];
        let rows = self.rows(&sql, values, fill_row)?;
        Ok(oldest_first(rows, forward))
    }

    /// Trades of a market from an id on, oldest first.
    ///
    /// # Errors
    /// See above.
    pub fn trades_from(
        &self,
        market: MarketId,
        from: TradeId,
        limit: u32,
    ) -> Result<Vec<TradeRow>> {
        let sql = "SELECT * FROM trades WHERE market = ?1 AND trade_id >= ?2
                   ORDER BY trade_id LIMIT ?3";
        self.rows(sql, params![market.0, sql_integer(from.0, "a trade id")?, limit], trade_row)
    }

    /// The first trade of a market, below `end`, for which `is_there` holds, which then holds for all later
    /// ones too; `end` if there is none. Trades count without a hole, so that a few look-ups find it.
    ///
    /// # Errors
    /// See above.
    pub fn first_trade(
        &self,
        market: MarketId,
        end: TradeId,
        is_there: impl Fn(&TradeRow) -> bool,
    ) -> Result<TradeId> {
        let (mut low, mut high) = (1, end.0);
        while low < high {
            let middle = low + (high - low) / 2;
            // The projection follows the log: what is not in it yet lies behind.
            let found = self.trades_from(market, TradeId(middle), 1)?;
            match found.first().filter(|trade| trade.trade.0 < end.0) {
                Some(trade) if !is_there(trade) => low = trade.trade.0 + 1,
                _ => high = middle,
            }
        }
        Ok(TradeId(low))
    }

    /// Order lists of an account, oldest first.
    ///
    /// # Errors
    /// See above.
    pub fn order_lists(&self, query: &OrderListQuery) -> Result<Vec<OrderListRow>> {
        let forward = query.from.is_some() || query.since.is_some();
        let direction = if forward { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT * FROM order_lists
             WHERE account = ?1 AND (?2 IS NULL OR market = ?2)
                 AND (?3 IS NULL OR list_id = ?3 AND (?4 IS NULL OR client_order_id IS NULL))
                 AND (?4 IS NULL OR ?3 IS NOT NULL OR client_order_id = ?4)
                 AND list_id >= ?5 AND placed_at BETWEEN ?6 AND ?7
             ORDER BY id {direction} LIMIT ?8"
        );
        let integer =
            |id: Option<OrderId>| id.map(|id| sql_integer(id.0, "an order id")).transpose();
        let values = params![
            query.account.0,
            query.market.map(|market| market.0),
            integer(query.list)?,
            query.client_order_id,
            integer(query.from)?.unwrap_or(0),
            bound(query.since, 0),
            bound(query.until, i64::MAX),
            query.limit,
        ];
        let mut lists = oldest_first(self.rows(&sql, values, list_row)?, forward);
        for list in &mut lists {
            list.orders = self.orders_of_list(list.market, list.list)?;
        }
        Ok(lists)
    }

    fn orders_of_list(
        &self,
        market: MarketId,
        list: OrderId,
    ) -> Result<Vec<(OrderId, Option<String>)>> {
        let sql = "SELECT order_id, client_order_id FROM orders
                   WHERE market = ?1 AND list_id = ?2 ORDER BY order_id";
        let order =
            |row: &Row<'_>| Ok((OrderId(whole(row, "order_id")?), row.get("client_order_id")?));
        self.rows(sql, params![market.0, sql_integer(list.0, "an order id")?], order)
    }

    /// Amendments of an order by which it kept its id, oldest first.
    ///
    /// # Errors
    /// See above.
    pub fn amendments(&self, query: &AmendmentQuery) -> Result<Vec<AmendmentRow>> {
        let sql = "SELECT amendments.*, orders.client_order_id FROM amendments
                   JOIN orders USING (market, order_id)
                   WHERE amendments.market = ?1 AND order_id = ?2 AND account = ?3
                   ORDER BY amendments.id";
        let order = sql_integer(query.order.0, "an order id")?;
        let amendment = |row: &Row<'_>| {
            Ok(AmendmentRow {
                client_order_id: row.get("client_order_id")?,
                old_quantity: Quantity::new(whole(row, "old_quantity")?),
                new_quantity: Quantity::new(whole(row, "new_quantity")?),
                time: Timestamp(whole(row, "time")?),
                seq: Seq(whole(row, "seq")?),
                index: row.get("event_index")?,
            })
        };
        self.rows(sql, params![query.market.0, order, query.account.0], amendment)
    }

    /// Credits or debits of an account, newest first.
    ///
    /// # Errors
    /// See above.
    pub fn transfers_of(&self, query: &TransferQuery) -> Result<Vec<LedgerRow>> {
        let sql = "SELECT * FROM ledger_entries
                   WHERE account = ?1 AND kind = ?2 AND (?3 IS NULL OR asset = ?3) AND NOT suspense
                       AND time BETWEEN ?4 AND ?5
                   ORDER BY id DESC LIMIT ?6 OFFSET ?7";
        let values = params![
            query.account.0,
            query.kind,
            query.asset.map(|asset| asset.0),
            bound(query.since, 0),
            bound(query.until, i64::MAX),
            query.limit,
            query.offset,
        ];
        self.rows(sql, values, ledger_row)
    }
}

fn list_row(row: &Row<'_>) -> Result<OrderListRow> {
    Ok(OrderListRow {
        market: MarketId(row.get("market")?),
        list: OrderId(whole(row, "list_id")?),
        client_order_id: row.get("client_order_id")?,
        kind: row.get("kind")?,
        placed_at: Timestamp(whole(row, "placed_at")?),
        ended_at: maybe_whole(row, "ended_at")?.map(Timestamp),
        orders: Vec::new(),
    })
}

fn whole(row: &Row<'_>, name: &str) -> Result<u64> {
    maybe_whole(row, name)?.ok_or_else(|| StoreError::Corrupt(format!("no {name}")))
}

/// A time as SQL compares it; far ones are the end of time.
fn bound(time: Option<Timestamp>, unless: i64) -> i64 {
    time.map_or(unless, |time| i64::try_from(time.0).unwrap_or(i64::MAX))
}

fn oldest_first<T>(mut rows: Vec<T>, are_already: bool) -> Vec<T> {
    if !are_already {
        rows.reverse();
    }
    rows
}
