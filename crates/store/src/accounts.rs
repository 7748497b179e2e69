//! Accounts: their names, and the giving of ids.
//!
//! An id is given here first; then the account is opened in the log by `CreateAccount` with that id.
//! After a crash between the two the id is only here: opening it in the log is repeated.

use rusqlite::{OptionalExtension, Row, TransactionBehavior, params};
use types::{AccountId, Timestamp};

use crate::error::{Result, StoreError};
use crate::store::{Store, sql_integer, time_from_sql};

/// An account with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Rising from 1, never given twice.
    pub id: AccountId,
    /// As its operator named it; need not be unique.
    pub name: String,
    /// When the id was given.
    pub created_at: Timestamp,
}

impl Store {
    /// Gives the next account id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn create_account(&self, name: &str, created_at: Timestamp) -> Result<Account> {
        let writer = self.directory.writer();
        writer.execute(
            "INSERT INTO accounts (name, created_at) VALUES (?1, ?2)",
            params![name, sql_integer(created_at.0, "a time")?],
        )?;
        let id = u32::try_from(writer.last_insert_rowid());
        let id = AccountId(id.map_err(|_| StoreError::OutOfRange("an account id"))?);
        Ok(Account { id, name: name.to_owned(), created_at })
    }

    /// Forgets an account that was named but not opened. Its id is not given again.
    ///
    /// # Errors
    /// When the database fails, or the account has a key.
    pub fn forget_account(&self, id: AccountId) -> Result<()> {
        self.directory.writer().execute("DELETE FROM accounts WHERE id = ?1", [id.0])?;
        Ok(())
    }

    /// Takes in accounts that the log has and this directory does not, since it was lost or is an
    /// old one: under a name that says so. Gives their number.
    ///
    /// # Errors
    /// When the database fails; then none is taken in.
    pub fn adopt_accounts(&self, ids: &[AccountId], at: Timestamp) -> Result<usize> {
        let mut writer = self.directory.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut adopted = 0;
        {
            let mut insert = transaction.prepare(
                "INSERT OR IGNORE INTO accounts (id, name, created_at) VALUES (?1, ?2, ?3)",
            )?;
            let at = sql_integer(at.0, "a time")?;
            for id in ids {
                adopted +=
                    insert.execute(params![id.0, format!("account {id} (name lost)"), at])?;
            }
        }
        transaction.commit()?;
        Ok(adopted)
    }

    /// An account by id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn account(&self, id: AccountId) -> Result<Option<Account>> {
        let sql = "SELECT id, name, created_at FROM accounts WHERE id = ?1";
        let reader = self.directory.reader()?;
        Ok(reader.query_row(sql, [id.0], account).optional()?)
    }

    /// At most `limit` accounts with ids above `after` (zero: from the first), by id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn list_accounts(&self, after: AccountId, limit: u32) -> Result<Vec<Account>> {
        let reader = self.directory.reader()?;
        let mut statement = reader.prepare(
            "SELECT id, name, created_at FROM accounts WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let rows = statement.query_map([after.0, limit], account)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: AccountId(row.get(0)?),
        name: row.get(1)?,
        created_at: time_from_sql(row.get(2)?),
    })
}
