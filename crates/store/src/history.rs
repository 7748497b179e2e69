//! Reading the history: newest first, page by page.
//!
//! A page ends with an `id`; the next page is what lies `before` it. Words of sides, states and causes
//! are those of the streams.

use rusqlite::{OptionalExtension, Row, params};
use types::{AccountId, AssetId, MarketId, OrderId, PartitionId, Seq, TradeId};

use crate::error::Result;
use crate::history_rows::{
    FillRow, LedgerRow, OrderRow, TradeRow, fill_row, ledger_row, order_row, trade_row,
};
use crate::store::Store;

/// Which orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Open: also partially filled, also waiting for its trigger.
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

pub(crate) const ORDER_COLUMNS: &str = "id, market, order_id, account, client_order_id, side, kind, \
    time_in_force, post_only, price, quantity, quote_quantity, filled, quote_filled, fee, status, \
    cause, replaces, placed_seq, placed_at, updated_seq, updated_at, trigger, stop_price, \
    trailing_basis_points, activation_price, expires_at, visible_quantity, minimum_quantity, slide, \
    list_id";

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
            Some(OrderState::Open) => "status IN ('waiting', 'open', 'partially_filled')",
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
        let Ok(order) = i64::try_from(order.0) else {
            return Ok(None);
        };
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
                     {order} AS order_id, {fee} AS fee,
                     iif(aggressor <> '{side}', maker_rebate, '0') AS rebate, market, trade_id, price, quantity,
                     base_amount, quote_amount, aggressor, time, partition, seq, event_index
                 FROM trades
                 WHERE {owner} = ?1 AND (?2 IS NULL OR market = ?2)
                     AND (?3 IS NULL OR {order} = ?3) AND id * 2 + {bit} < ?4
                     AND id <= ?4 / 2
                 ORDER BY id DESC LIMIT ?5)"
            )
        };
        let sql = format!(
            "SELECT fill.*, orders.client_order_id, orders.list_id FROM
                 (SELECT * FROM ({} UNION ALL {}) ORDER BY id DESC LIMIT ?5) AS fill
             LEFT JOIN orders USING (market, order_id) ORDER BY fill.id DESC",
            side("buy", "buy_order", "buyer", "buyer_fee", 0),
            side("sell", "sell_order", "seller", "seller_fee", 1),
        );
        let market = query.market.map(|market| market.0);
        // No order has an id beyond an integer's range, and none has this one either.
        let order = query.order.map(|order| i64::try_from(order.0).unwrap_or(i64::MAX));
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

    pub(crate) fn rows<T>(
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
