//! Aggregates of trades: what one taker traded at one price without another trade in between.
//!
//! They are numbered by market from 1, as the views number them. Of an auction each trade is one.

use rusqlite::{Connection, OptionalExtension, Row};
use types::{MarketId, OrderId, Price, Seq, Trade};

use crate::error::Result;

/// The last aggregate of a market.
#[derive(Clone, Copy, Default)]
pub(crate) struct Aggregate {
    /// Zero before the first.
    pub(crate) number: u64,
    seq: Seq,
    price: Price,
    taker: Option<OrderId>,
}

impl Aggregate {
    /// The one that the last trade in the history is of.
    pub(crate) fn last_of(connection: &Connection, market: MarketId) -> Result<Self> {
        let sql = "SELECT aggregate, seq, price, CASE aggressor
                       WHEN 'buy' THEN buy_order WHEN 'sell' THEN sell_order END AS taker
                   FROM trades WHERE market = ?1 ORDER BY trade_id DESC LIMIT 1";
        let read = |row: &Row<'_>| {
            Ok(Self {
                number: row.get::<_, i64>("aggregate")? as u64,
                seq: Seq(row.get::<_, i64>("seq")? as u64),
                price: Price::new(row.get::<_, i64>("price")? as u64),
                taker: row.get::<_, Option<i64>>("taker")?.map(|order| OrderId(order as u64)),
            })
        };
        Ok(connection.query_row(sql, [market.0], read).optional()?.unwrap_or_default())
    }

    /// The one that the next trade is of.
    pub(crate) fn with(self, seq: Seq, trade: &Trade) -> Self {
        let taker = trade.taker();
        let goes_on =
            taker.is_some() && (self.seq, self.price, self.taker) == (seq, trade.price, taker);
        let number = if goes_on { self.number } else { self.number + 1 };
        Self { number, seq, price: trade.price, taker }
    }
}
