//! API keys. What a key may do is stored; whether a request is signed by it is the gateway's to check.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use types::{AccountId, Timestamp};

use crate::error::{Result, StoreError};
use crate::secret::Secret;
use crate::store::{Store, sql_integer, time_from_sql};

/// How requests are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// HMAC-SHA256 by a shared secret.
    Hmac,
    /// Ed25519 by a private key that only the client has.
    Ed25519,
    /// RSA (PKCS#1 v1.5 with SHA-256) by a private key that only the client has.
    Rsa,
}

/// What a signature is checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The shared secret. Encrypted at rest.
    Hmac(Secret),
    /// The public key.
    Ed25519([u8; 32]),
    /// The public key as DER: an `RSAPublicKey` of PKCS#1.
    Rsa(Vec<u8>),
}

/// What a key may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Read what is the account's.
    pub read: bool,
    /// Place, amend and cancel orders.
    pub trade: bool,
    /// Move funds away: transfers and withdrawals.
    pub withdraw: bool,
    /// Operate the exchange.
    pub admin: bool,
}

/// A key to be stored.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its public name, unique.
    pub key_id: String,
    /// What signatures are checked with.
    pub credential: Credential,
    /// Whose it is; none for operators.
    pub account: Option<AccountId>,
    /// The operator who acts with it, by the name that the log knows; none if it is no admin key.
    pub operator: Option<String>,
    /// What it may do.
    pub permissions: Permissions,
    /// The owner's note.
    pub label: String,
    /// The last characters of what the owner was shown, to tell keys apart.
    pub last4: String,
    /// When.
    pub created_at: Timestamp,
}

/// A key, without what signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its public name.
    pub key_id: String,
    /// How requests are signed.
    pub kind: KeyKind,
    /// Whose it is; none for operators.
    pub account: Option<AccountId>,
    /// The operator who acts with it; none if it is no admin key.
    pub operator: Option<String>,
    /// What it may do.
    pub permissions: Permissions,
    /// The owner's note.
    pub label: String,
    /// The last characters of what the owner was shown.
    pub last4: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is not valid any more.
    pub revoked_at: Option<Timestamp>,
}

/// A valid key with what signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The key.
    pub key: ApiKey,
    /// What signatures are checked with.
    pub credential: Credential,
}

impl KeyKind {
    /// The word that answers and SQL use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        }
    }
}

impl Credential {
    /// How requests are signed.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Hmac(_) => KeyKind::Hmac,
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::Rsa(_) => KeyKind::Rsa,
        }
    }
}

const COLUMNS: &str = "key_id, kind, account, may_read, may_trade, may_withdraw, is_admin, label, \
                       last4, created_at, revoked_at, credential, operator";

impl Store {
    /// Stores a key.
    ///
    /// # Errors
    /// [`StoreError::KeyExists`], [`StoreError::UnknownAccount`], [`StoreError::OperatorTooAlike`], or when
    /// the database fails.
    pub fn create_key(&self, new: &NewKey) -> Result<ApiKey> {
        let sealed = self.sealed(new)?;
        let mut writer = self.directory.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(name) = &new.operator {
            check_operator(&transaction, name)?;
        }
        insert(&transaction, new, &sealed)?;
        transaction.commit()?;
        Ok(as_stored(new))
    }

    /// A key that is not revoked, for checking a signature.
    ///
    /// # Errors
    /// [`StoreError::Undecryptable`], or when the database fails.
    pub fn find_key(&self, key_id: &str) -> Result<Option<StoredKey>> {
        let sql =
            format!("SELECT {COLUMNS} FROM api_keys WHERE key_id = ?1 AND revoked_at IS NULL");
        let reader = self.directory.reader()?;
        let found = reader.query_row(&sql, [key_id], |row| {
            Ok((api_key(row)?, row.get::<_, Vec<u8>>("credential")?))
        });
        let Some((key, bytes)) = found.optional()? else {
            return Ok(None);
        };
        let credential = match key.kind {
            KeyKind::Hmac => Credential::Hmac(self.vault.unseal(&key.key_id, &bytes)?),
            KeyKind::Ed25519 => {
                let wrong = |_| StoreError::Corrupt(format!("the public key of {key_id}"));
                Credential::Ed25519(bytes.try_into().map_err(wrong)?)
            }
            KeyKind::Rsa => Credential::Rsa(bytes),
        };
        Ok(Some(StoredKey { key, credential }))
    }

    /// Ends a key's validity; false if there is no such valid key.
    ///
    /// # Errors
    /// When the database fails.
    pub fn revoke_key(&self, key_id: &str, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE api_keys SET revoked_at = ?2 WHERE key_id = ?1 AND revoked_at IS NULL";
        let at = sql_integer(at.0, "a time")?;
        Ok(self.directory.writer().execute(sql, params![key_id, at])? == 1)
    }

    /// Whether there is such a key, revoked or not.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_key(&self, key_id: &str) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM api_keys WHERE key_id = ?1)";
        Ok(self.directory.reader()?.query_row(sql, [key_id], |row| row.get(0))?)
    }

    /// Keys of an account, or all with `None`, revoked ones too, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn list_keys(&self, account: Option<AccountId>) -> Result<Vec<ApiKey>> {
        let reader = self.directory.reader()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys WHERE ?1 IS NULL OR account = ?1
             ORDER BY created_at, key_id"
        );
        let mut statement = reader.prepare(&sql)?;
        let rows = statement.query_map([account.map(|account| account.0)], api_key)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether there is a valid key that may operate the exchange.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_admin_key(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM api_keys WHERE is_admin AND revoked_at IS NULL)";
        Ok(self.directory.reader()?.query_row(sql, [], |row| row.get(0))?)
    }

    /// Revokes every key that may operate the exchange and stores `new` in the same step: for an
    /// operator who lost the key. Gives the number of revoked keys.
    ///
    /// # Errors
    /// As [`Self::create_key`], but whatever the operator's name is like; then nothing is revoked.
    pub fn reset_admin(&self, new: &NewKey) -> Result<usize> {
        let sealed = self.sealed(new)?;
        let mut writer = self.directory.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let revoked = transaction.execute(
            "UPDATE api_keys SET revoked_at = ?1 WHERE is_admin AND revoked_at IS NULL",
            [sql_integer(new.created_at.0, "a time")?],
        )?;
        insert(&transaction, new, &sealed)?;
        transaction.commit()?;
        Ok(revoked)
    }

    fn sealed(&self, new: &NewKey) -> Result<Vec<u8>> {
        match &new.credential {
            Credential::Hmac(secret) => self.vault.seal(&new.key_id, secret),
            Credential::Ed25519(public) => Ok(public.to_vec()),
            Credential::Rsa(public) => Ok(public.clone()),
        }
    }
}

/// Two operators must be two to whoever reads their names, also where the keys of one are revoked: the log
/// keeps the name.
fn check_operator(connection: &Connection, name: &str) -> Result<()> {
    let sql = "SELECT operator FROM api_keys WHERE operator = ?1 COLLATE NOCASE
               ORDER BY operator = ?1 DESC LIMIT 1";
    let known: Option<String> = connection.query_row(sql, [name], |row| row.get(0)).optional()?;
    match known {
        Some(known) if known != name => Err(StoreError::OperatorTooAlike(name.to_owned(), known)),
        _ => Ok(()),
    }
}

fn insert(connection: &Connection, new: &NewKey, credential: &[u8]) -> Result<()> {
    let sql = format!(
        "INSERT INTO api_keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL, ?11, \
         ?12)"
    );
    let may = new.permissions;
    let inserted = connection.execute(
        &sql,
        params![
            new.key_id,
            new.credential.kind().word(),
            new.account.map(|account| account.0),
            may.read,
            may.trade,
            may.withdraw,
            may.admin,
            new.label,
            new.last4,
            sql_integer(new.created_at.0, "a time")?,
            credential,
            new.operator,
        ],
    );
    match (inserted, new.account) {
        (Err(error), _) if is(&error, rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            Err(StoreError::KeyExists(new.key_id.clone()))
        }
        (Err(error), Some(account)) if is(&error, rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => {
            Err(StoreError::UnknownAccount(account))
        }
        (inserted, _) => Ok(inserted.map(|_| ())?),
    }
}

fn is(error: &rusqlite::Error, extended_code: i32) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _) if failure.extended_code == extended_code)
}

fn as_stored(new: &NewKey) -> ApiKey {
    ApiKey {
        key_id: new.key_id.clone(),
        kind: new.credential.kind(),
        account: new.account,
        operator: new.operator.clone(),
        permissions: new.permissions,
        label: new.label.clone(),
        last4: new.last4.clone(),
        created_at: new.created_at,
        revoked_at: None,
    }
}

fn api_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let kind: String = row.get("kind")?;
    Ok(ApiKey {
        key_id: row.get("key_id")?,
        // The table admits no other word.
        kind: match kind.as_str() {
            "hmac" => KeyKind::Hmac,
            "ed25519" => KeyKind::Ed25519,
            _ => KeyKind::Rsa,
        },
        account: row.get::<_, Option<u32>>("account")?.map(AccountId),
        operator: row.get("operator")?,
        permissions: Permissions {
            read: row.get("may_read")?,
            trade: row.get("may_trade")?,
            withdraw: row.get("may_withdraw")?,
            admin: row.get("is_admin")?,
        },
        label: row.get("label")?,
        last4: row.get("last4")?,
        created_at: time_from_sql(row.get("created_at")?),
        revoked_at: row.get::<_, Option<i64>>("revoked_at")?.map(time_from_sql),
    })
}
