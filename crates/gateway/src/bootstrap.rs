//! Before there is HTTP: the first operator's key, a new one for who lost it, and a directory that
//! was lost itself.

use store::{NewKey, Permissions, Store, StoreError};
use types::{AccountId, Timestamp};
use views::Views;

use crate::admin::SOURCE;
use crate::auth::{IssuedKey, issue_hmac};

/// What an operator may do. The key belongs to no account.
const OPERATOR: Permissions =
    Permissions { read: true, trade: false, withdraw: false, admin: true };

/// The operator whose key the first start shows.
const FIRST_OPERATOR: &str = "operator-1";

/// A key that is shown once.
#[derive(Clone)]
pub struct Credentials {
    /// Its public name: the header `X-Outcry-Key`.
    pub key_id: String,
    /// Its secret: the key of the HMAC, as text.
    pub secret: String,
}

/// Two lines for a terminal.
impl std::fmt::Display for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "admin key:    {}\nadmin secret: {}", self.key_id, self.secret)
    }
}

/// Makes the first operator's key, or nothing if there is one already. To be called before
/// [`crate::Gateway::build`], which loads the keys.
///
/// # Errors
/// When the store fails.
pub fn bootstrap_admin(store: &Store, now: Timestamp) -> Result<Option<Credentials>, StoreError> {
    if store.has_admin_key()? {
        return Ok(None);
    }
    add_operator(store, FIRST_OPERATOR, now).map(Some)
}

/// Revokes every operator's key and makes a new one: for an exchange that is not running.
///
/// # Errors
/// When the store fails; then nothing is revoked.
pub fn reset_admin(store: &Store, now: Timestamp) -> Result<Credentials, StoreError> {
    let issued = issue_hmac()?;
    let key = issued.to_store(None, OPERATOR, "operator key after a reset", now);
    store.reset_admin(&NewKey { operator: Some(FIRST_OPERATOR.to_owned()), ..key })?;
    Ok(issued.into())
}

/// Makes a key for an operator, who may have others: for an exchange that is not running. Nothing else
/// makes a new operator, so that no admin key can make a second pair of eyes for itself.
///
/// # Errors
/// When the store fails.
pub fn add_operator(store: &Store, name: &str, now: Timestamp) -> Result<Credentials, StoreError> {
    let issued = issue_hmac()?;
    let key = issued.to_store(None, OPERATOR, name, now);
    store.create_key(&NewKey { operator: Some(name.to_owned()), ..key })?;
    Ok(issued.into())
}

/// Compares the directory with the log, whose views must have caught up, and takes in the accounts
/// that it does not know. A directory that was lost, or restored from a backup that is older than the
/// log, is told of in lines for the operator; there are none otherwise.
///
/// # Errors
/// When the store fails.
pub fn mend_directory(
    store: &Store,
    views: &Views,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut warnings = Vec::new();
    let mut in_log: Vec<AccountId> = views.accounts();
    in_log.retain(|&id| views.account(id).is_some());
    let adopted = store.adopt_accounts(&in_log, now)?;
    if adopted > 0 {
        warnings.push(format!(
            "directory.sqlite is lost or older than the log: {adopted} of {} accounts were not in it. \
             They keep their funds and orders; their names and API keys are lost. Restore it from its \
             backup, or make new keys",
            in_log.len()
        ));
    }
    let (last, known) = (views.last_reference(SOURCE), store.last_transfer_number(SOURCE)?);
    if last > known {
        warnings.push(format!(
            "the log has external transfer {last}, directory.sqlite only {known}: credits, debits and \
             settlements are refused (OutboxBehindLog) until it is restored from its backup, since \
             the references that were used are not known"
        ));
    }
    Ok(warnings)
}

impl From<IssuedKey> for Credentials {
    fn from(issued: IssuedKey) -> Self {
        Self { key_id: issued.key_id, secret: issued.secret }
    }
}
