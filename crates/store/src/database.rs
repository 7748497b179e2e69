//! One SQLite file: opening, migrating, a writer, and a pool of readers.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Result, StoreError};

/// How long a writer waits for another process's lock (a backup, an operator's shell).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Pages of 4 KiB that the write-ahead log may have before they are copied into the database: 64 MB. A page that is
/// changed again and again until then is copied once.
const CHECKPOINT_PAGES: u32 = 16_384;

/// Idle reading connections kept; more are opened when needed, and closed after.
const MAX_IDLE_READERS: usize = 8;

/// What a commit has survived when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Loss of power.
    Full,
    /// A crash of the process; after loss of power the last commits may be missing, in order.
    Normal,
    /// Nothing: the file is thrown away.
    None,
}

/// A migrated database file.
pub(crate) struct Database {
    path: PathBuf,
    writer: Mutex<Connection>,
    idle_readers: Mutex<Vec<Connection>>,
}

/// A reading connection, given back when dropped.
pub(crate) struct Reader<'a> {
    database: &'a Database,
    connection: Option<Connection>,
}

impl Database {
    /// Opens or creates `path` and brings it to the newest schema: the n-th of `migrations` leads from
    /// `user_version` n - 1 to n, each in its own transaction.
    pub(crate) fn open(path: &Path, durability: Durability, migrations: &[&str]) -> Result<Self> {
        let mut writer = connect_writer(path, durability)?;
        migrate(&mut writer, path, migrations)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            idle_readers: Mutex::default(),
        })
    }

    /// The one writing connection of this process.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock()
    }

    /// A connection for reading.
    pub(crate) fn reader(&self) -> Result<Reader<'_>> {
        let idle = self.idle_readers.lock().pop();
        let connection = idle.map_or_else(|| connect_reader(&self.path), Ok)?;
        Ok(Reader { database: self, connection: Some(connection) })
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("taken on drop only")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut idle = self.database.idle_readers.lock();
        if idle.len() < MAX_IDLE_READERS {
            idle.extend(self.connection.take());
        }
    }
}

fn connect_writer(path: &Path, durability: Durability) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let synchronous = match durability {
        Durability::Full => "full",
        Durability::Normal => "normal",
        Durability::None => "off",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    Ok(connection)
}

fn connect_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<()> {
    let known = migrations.len() as u32;
    loop {
        // The version is read under the write lock, so that two processes cannot migrate at once.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: u32 =
            transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > known {
            let path = path.to_owned();
            return Err(StoreError::NewerSchema { path, found: version, known });
        }
        let Some(migration) = migrations.get(version as usize) else {
            return Ok(());
        };
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}
