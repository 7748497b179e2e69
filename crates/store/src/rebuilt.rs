//! A history projected anew beside the real one, to compare the two row by row. For `outcry verify`.
//!
//! The rows stream out of both databases in the same order, so that memory is bounded whatever the
//! history's size. What paging alone needs, the `id` columns, is not compared.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, Rows, params};
use types::{AssetId, MarketId, PartitionId};

use crate::database::{Database, Durability};
use crate::error::Result;
use crate::projector::Projector;
use crate::store::{HISTORY_MIGRATIONS, Store};

/// A history in a file that nobody else uses and that is thrown away.
pub struct RebuiltHistory {
    database: Arc<Database>,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComparedRows {
    /// Orders that are equal.
    pub orders: u64,
    /// Trades that are equal.
    pub trades: u64,
    /// Ledger entries that are equal.
    pub entries: u64,
    /// The first row that is not, if there is one: table, key, and what differs.
    pub difference: Option<String>,
}

/// Rows in the order of their leading columns, which name them. A partition is the parameter of the
/// last one.
struct Table {
    name: &'static str,
    key: usize,
    select: &'static str,
}

const MARKETS: Table = Table {
    name: "markets",
    key: 1,
    select: "SELECT market, base, quote FROM markets WHERE ?1 = 0 ORDER BY market",
};

const MARKET_UNITS: Table = Table {
    name: "market_units",
    key: 2,
    select: "SELECT market, version, through, tick, lot FROM market_units WHERE ?1 = 0 \
        ORDER BY market, version",
};

const DELISTINGS: Table = Table {
    name: "delistings",
    key: 1,
    select: "SELECT market, time FROM delistings WHERE ?1 = 0 ORDER BY market",
};

const ORDERS: Table = Table {
    name: "orders",
    key: 2,
    select: "SELECT market, order_id, account, client_order_id, side, kind, time_in_force, post_only, \
        price, quantity, quote_quantity, filled, quote_filled, fee, status, cause, replaces, \
        placed_seq, placed_at, updated_seq, updated_at, trigger, stop_price, trailing_basis_points, \
        activation_price, expires_at, visible_quantity, minimum_quantity, slide, list_id \
        FROM orders WHERE ?1 = 0 ORDER BY market, order_id",
};

const TRADES: Table = Table {
    name: "trades",
    key: 2,
    select: "SELECT market, trade_id, price, quantity, base_amount, quote_amount, aggressor, buyer, \
        buy_order, buyer_fee, seller, sell_order, seller_fee, maker_rebate, time, partition, seq, event_index, aggregate \
        FROM trades WHERE ?1 = 0 ORDER BY market, trade_id",
};

/// An event may cause several: within a partition they stand in the order of their making.
const ENTRIES: Table = Table {
    name: "ledger_entries",
    key: 3,
    select: "SELECT partition, seq, event_index, account, asset, delta, kind, reference, suspense, \
        time FROM ledger_entries WHERE partition = ?1 ORDER BY id",
};

const PROPOSALS: Table = Table {
    name: "proposals",
    key: 1,
    select: "SELECT number, act, concerns, proposed_by, endorsed_by, decided_by, status, reference, \
        account, asset, amount, evidence, large_credit, hourly_credit, manual_needs_approval, \
        expiry_hours, source, source_kind, proposed_at, expires_at, decided_at, partition, seq, \
        event_index FROM proposals WHERE ?1 = 0 ORDER BY number",
};

const TREASURY_CHANGES: Table = Table {
    name: "treasury_changes",
    key: 3,
    select: "SELECT partition, seq, event_index, act, operator, asset, amount, evidence, \
        large_credit, hourly_credit, manual_needs_approval, expiry_hours, source, source_kind, \
        time FROM treasury_changes WHERE ?1 = 0 ORDER BY id",
};

impl RebuiltHistory {
    /// An empty one at `path`, where nothing is.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path) -> Result<Self> {
        let database = Database::open(path, Durability::None, HISTORY_MIGRATIONS)?;
        Ok(Self { database: Arc::new(database) })
    }

    /// Its writer.
    #[must_use]
    pub fn projector(&self) -> Projector {
        Projector::new(Arc::clone(&self.database))
    }

    /// Tells a market's assets before its listing comes: partitions are projected one after the other.
    ///
    /// # Errors
    /// When the database fails.
    pub fn list_market(&self, market: MarketId, base: AssetId, quote: AssetId) -> Result<()> {
        self.database.writer().execute(
            "INSERT OR REPLACE INTO markets (market, base, quote) VALUES (?1, ?2, ?3)",
            params![market.0, base.0, quote.0],
        )?;
        Ok(())
    }
}

impl Store {
    /// Compares all rows of the history with those of `rebuilt`, which must have been projected from
    /// the same partitions up to the same entries.
    ///
    /// # Errors
    /// When a database fails.
    pub fn compare_rows(
        &self,
        rebuilt: &RebuiltHistory,
        partitions: &[PartitionId],
    ) -> Result<ComparedRows> {
        let (ours, theirs) = (self.history.reader()?, rebuilt.database.reader()?);
        let mut compared = ComparedRows::default();
        let mut compare = |table, partition: u16, count: &mut u64| -> Result<()> {
            if compared.difference.is_none() {
                let (equal, difference) = compare_table(&ours, &theirs, table, partition)?;
                *count += equal;
                compared.difference = difference;
            }
            Ok(())
        };
        let (mut markets, mut orders, mut trades, mut entries) = (0, 0, 0, 0);
        let mut treasury = 0;
        compare(&MARKETS, 0, &mut markets)?;
        compare(&MARKET_UNITS, 0, &mut markets)?;
        compare(&DELISTINGS, 0, &mut markets)?;
        compare(&ORDERS, 0, &mut orders)?;
        compare(&TRADES, 0, &mut trades)?;
        compare(&PROPOSALS, 0, &mut treasury)?;
        compare(&TREASURY_CHANGES, 0, &mut treasury)?;
        for partition in partitions {
            compare(&ENTRIES, partition.0, &mut entries)?;
        }
        Ok(ComparedRows { orders, trades, entries, ..compared })
    }
}

/// How many rows are equal until the first that is not, and that one.
fn compare_table(
    ours: &Connection,
    theirs: &Connection,
    table: &Table,
    partition: u16,
) -> Result<(u64, Option<String>)> {
    let (mut ours, mut theirs) = (ours.prepare(table.select)?, theirs.prepare(table.select)?);
    let columns: Vec<String> = ours.column_names().map(str::to_owned).collect();
    let (mut ours, mut theirs) = (ours.query([partition])?, theirs.query([partition])?);
    let mut equal = 0;
    loop {
        let (found, expected) = (next(&mut ours, &columns)?, next(&mut theirs, &columns)?);
        if found == expected && found.is_some() {
            equal += 1;
            continue;
        }
        let difference = describe(table, &columns, found.as_deref(), expected.as_deref());
        return Ok((equal, difference));
    }
}

fn next(rows: &mut Rows<'_>, columns: &[String]) -> Result<Option<Vec<Value>>> {
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let values = (0..columns.len()).map(|column| row.get(column));
    Ok(Some(values.collect::<Result<_, _>>()?))
}

/// Two rows that are not equal. The one with the lower key has no counterpart.
fn describe(
    table: &Table,
    columns: &[String],
    found: Option<&[Value]>,
    expected: Option<&[Value]>,
) -> Option<String> {
    let key = |row: &[Value]| row[..table.key].iter().map(integer).collect::<Vec<_>>();
    let name = |row: &[Value]| {
        let parts = columns.iter().zip(&row[..table.key]);
        let parts = parts.map(|(column, value)| format!("{column} {}", show(value)));
        format!("{}: {}", table.name, parts.collect::<Vec<_>>().join(", "))
    };
    match (found, expected) {
        (None, None) => None,
        (Some(found), Some(expected)) if key(found) == key(expected) => {
            let pairs = columns.iter().zip(found.iter().zip(expected));
            let mut differing = pairs.filter(|(_, (found, expected))| found != expected);
            let (column, (is, given)) = differing.next()?;
            let (is, given) = (show(is), show(given));
            Some(format!("{}: {column} is {is}, the log gives {given}", name(found)))
        }
        (Some(found), expected) if expected.is_none_or(|row| key(found) < key(row)) => {
            Some(format!("{} is there, the log gives no such row", name(found)))
        }
        (_, expected) => Some(format!("{} is missing", name(expected?))),
    }
}

/// Keys are integers, as the schema says.
fn integer(value: &Value) -> i64 {
    match value {
        Value::Integer(integer) => *integer,
        _ => i64::MIN,
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => real.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}
