//! Operator keys outside of HTTP: the first one, and a new one for who lost it.

use store::{Permissions, Store, StoreError};
use types::Timestamp;

use crate::auth::{IssuedKey, issue_hmac};

/// What an operator may do. The key belongs to no account.
const OPERATOR: Permissions =
    Permissions { read: true, trade: false, withdraw: false, admin: true };

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
    let issued = issue_hmac()?;
    store.create_key(&issued.to_store(None, OPERATOR, "first operator key", now))?;
    Ok(Some(issued.into()))
}

/// Revokes every operator's key and makes a new one: for an exchange that is not running.
///
/// # Errors
/// When the store fails; then nothing is revoked.
pub fn reset_admin(store: &Store, now: Timestamp) -> Result<Credentials, StoreError> {
    let issued = issue_hmac()?;
    store.reset_admin(&issued.to_store(None, OPERATOR, "operator key after a reset", now))?;
    Ok(issued.into())
}

impl From<IssuedKey> for Credentials {
    fn from(issued: IssuedKey) -> Self {
        Self { key_id: issued.key_id, secret: issued.secret }
    }
}
