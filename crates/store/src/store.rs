//! The store as one thing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::Timestamp;

use crate::database::{Database, Durability};
use crate::error::{Result, StoreError};
use crate::projector::Projector;
use crate::secret::Vault;

const DIRECTORY_MIGRATIONS: &[&str] = &[
    include_str!("../migrations/directory/0001_accounts_keys_transfers.sql"),
    include_str!("../migrations/directory/0002_operators.sql"),
    include_str!("../migrations/directory/0003_rsa_keys.sql"),
];

pub(crate) const HISTORY_MIGRATIONS: &[&str] = &[
    include_str!("../migrations/history/0001_history.sql"),
    include_str!("../migrations/history/0002_conditions.sql"),
    include_str!("../migrations/history/0003_order_lists.sql"),
    include_str!("../migrations/history/0004_rebates.sql"),
    include_str!("../migrations/history/0005_treasury.sql"),
    include_str!("../migrations/history/0006_units_and_delistings.sql"),
    include_str!("../migrations/history/0007_aggregates_lists_amendments.sql"),
];

/// Accounts' names, API keys, the outbox of external transfers, and the history. Shared by reference
/// between threads.
pub struct Store {
    pub(crate) directory: Database,
    pub(crate) history: Arc<Database>,
    pub(crate) vault: Vault,
}

impl Store {
    /// Opens or creates the store's files in the directory `data`, which exists, and brings them to
    /// the newest schema.
    ///
    /// # Errors
    /// When a file cannot be opened, is of a newer schema, or `secret.key` is gone.
    pub fn open(data: &Path) -> Result<Self> {
        let directory =
            Database::open(&directory_path(data), Durability::Full, DIRECTORY_MIGRATIONS)?;
        let history = Database::open(&history_path(data), Durability::Normal, HISTORY_MIGRATIONS)?;
        let sealed: bool = directory.reader()?.query_row(
            "SELECT EXISTS (SELECT 1 FROM api_keys WHERE kind = 'hmac')",
            [],
            |row| row.get(0),
        )?;
        let vault = Vault::open(&data.join("secret.key"), sealed)?;
        Ok(Self { directory, history: Arc::new(history), vault })
    }

    /// The writer of the history. One at a time: its cursor is the history's.
    #[must_use]
    pub fn projector(&self) -> Projector {
        Projector::new(self.history.clone())
    }
}

/// The file of names, keys and the outbox.
fn directory_path(data: &Path) -> PathBuf {
    data.join("directory.sqlite")
}

/// The file of the projection.
fn history_path(data: &Path) -> PathBuf {
    data.join("history.sqlite")
}

/// An id or a count as SQLite keeps it.
pub(crate) fn sql_integer(value: u64, what: &'static str) -> Result<i64> {
    i64::try_from(value).map_err(|_| StoreError::OutOfRange(what))
}

/// A time that somebody chose freely: what lies after the year 2262 is kept as the last moment before.
pub(crate) fn sql_chosen_time(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// A time that [`sql_integer`] stored.
pub(crate) fn time_from_sql(nanos: i64) -> Timestamp {
    Timestamp(nanos as u64)
}
