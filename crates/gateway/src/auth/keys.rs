//! API keys in memory: every valid key, prepared for use.
//!
//! *Invariant:* what is not here is not valid. The gateway is the only writer of keys, so a look-up
//! never touches the database, and an unknown key costs nobody anything.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use store::{Credential, NewKey, Permissions, Secret, Store, StoreError, StoredKey};
use tokio::sync::watch;
use types::{AccountId, OperatorName, Timestamp};

use super::signature::Verifier;
use super::{Caller, Signed};
use crate::error::{ApiError, GatewayCode};

const SHARDS: usize = 16;
const DEFAULT_WINDOW: &str = "5000";
const LONGEST_WINDOW_MS: u64 = 60_000;
/// How far a client's clock may be ahead.
const CLOCK_AHEAD_MS: u64 = 1_000;

/// Verifies signatures.
pub(crate) struct Authenticator {
    keys: [RwLock<HashMap<Box<str>, Arc<Key>>>; SHARDS],
    /// Changes whenever a key is revoked.
    revocations: watch::Sender<()>,
}

/// A valid key.
pub(crate) struct Key {
    id: Arc<str>,
    account: Option<AccountId>,
    operator: OperatorName,
    permissions: Permissions,
    verifier: Verifier,
}

impl Key {
    /// Whether the signature of a message is this key's.
    pub(crate) fn accepts(&self, message: &[u8], signature: &str) -> bool {
        self.verifier.accepts_message(message, signature)
    }

    /// Whether signatures are made with a secret that is not shared, by Ed25519.
    pub(crate) fn is_ed25519(&self) -> bool {
        matches!(self.verifier, Verifier::Ed25519(_))
    }

    /// Who calls with it, by a request of `signed_at` that is worth nothing after `valid_until`.
    pub(crate) fn caller(&self, signed_at: Timestamp, valid_until: Timestamp) -> Caller {
        Caller {
            account: self.account,
            operator: self.operator,
            permissions: self.permissions,
            key: Arc::clone(&self.id),
            signed_at,
            valid_until,
        }
    }
}

/// A new HMAC key with its secret, which is shown once.
pub(crate) struct IssuedKey {
    /// Its public name: 64 letters and digits, so that both APIs take it.
    pub(crate) key_id: String,
    /// 64 letters and digits; its text is the key of the HMAC.
    pub(crate) secret: String,
}

impl Authenticator {
    /// With all valid keys of the store.
    ///
    /// # Errors
    /// When the store cannot be read, or a stored secret does not decrypt.
    pub(crate) fn load(store: &Store) -> Result<Self, StoreError> {
        let authenticator = Self {
            keys: std::array::from_fn(|_| RwLock::default()),
            revocations: watch::Sender::new(()),
        };
        for key in store.list_keys(None)? {
            if key.revoked_at.is_none() {
                authenticator.load_key(store, &key.key_id)?;
            }
        }
        Ok(authenticator)
    }

    /// Takes in a key that was just stored.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(crate) fn load_key(&self, store: &Store, key_id: &str) -> Result<(), StoreError> {
        if let Some(StoredKey { key, credential }) = store.find_key(key_id)? {
            let verifier = verifier(&key.key_id, &credential)?;
            let operator = operator(&key)?;
            self.insert(Key {
                id: key.key_id.into(),
                account: key.account,
                operator,
                permissions: key.permissions,
                verifier,
            });
        }
        Ok(())
    }

    /// Takes in a key that lives in memory only.
    pub(crate) fn add_ephemeral(
        &self,
        issued: &IssuedKey,
        account: AccountId,
        permissions: Permissions,
    ) {
        let verifier = Verifier::hmac(issued.secret.as_bytes());
        self.insert(Key {
            id: issued.key_id.as_str().into(),
            account: Some(account),
            operator: OperatorName::NONE,
            permissions,
            verifier,
        });
    }

    /// Refuses a key from now on, and lets the connections know that are logged in with one.
    pub(crate) fn forget(&self, key_id: &str) {
        self.shard(key_id).write().remove(key_id);
        self.revocations.send_replace(());
    }

    /// Tells of revocations: after each one, who is logged in looks whether it was its key's.
    pub(crate) fn revocations(&self) -> watch::Receiver<()> {
        self.revocations.subscribe()
    }

    /// Whether a key is still valid: for connections that outlive the request that opened them.
    pub(crate) fn is_valid(&self, key_id: &str) -> bool {
        self.shard(key_id).read().contains_key(key_id)
    }

    /// Who signed, if the signature fits and the request's time is near `now`.
    ///
    /// # Errors
    /// [`GatewayCode::UnknownKey`], [`GatewayCode::BadSignature`],
    /// [`GatewayCode::TimestampOutsideWindow`] or [`GatewayCode::Unauthorized`].
    pub(crate) fn verify(&self, signed: &Signed<'_>, now: Timestamp) -> Result<Caller, ApiError> {
        let window = signed.window.unwrap_or(DEFAULT_WINDOW);
        let key = self.find(signed.key).ok_or(GatewayCode::UnknownKey)?;
        if !key.verifier.accepts(signed, window) {
            return Err(GatewayCode::BadSignature.into());
        }
        let (signed_at, valid_until) = check_time(signed.timestamp, window, now)?;
        Ok(key.caller(signed_at, valid_until))
    }

    /// The valid key of this name.
    pub(crate) fn find(&self, key_id: &str) -> Option<Arc<Key>> {
        self.shard(key_id).read().get(key_id).cloned()
    }

    fn insert(&self, key: Key) {
        let shard = self.shard(&key.id);
        shard.write().insert((*key.id).into(), Arc::new(key));
    }

    fn shard(&self, key_id: &str) -> &RwLock<HashMap<Box<str>, Arc<Key>>> {
        let last = key_id.as_bytes().last().copied().unwrap_or_default();
        &self.keys[usize::from(last) % SHARDS]
    }
}

fn operator(key: &store::ApiKey) -> Result<OperatorName, StoreError> {
    let name = key.operator.as_deref().map_or(Ok(OperatorName::NONE), str::parse);
    name.map_err(|_| StoreError::Corrupt(format!("the operator of {}", key.key_id)))
}

fn verifier(key_id: &str, credential: &Credential) -> Result<Verifier, StoreError> {
    match credential {
        Credential::Hmac(secret) => Ok(Verifier::hmac(secret.expose())),
        Credential::Ed25519(public) => Verifier::ed25519(public)
            .ok_or_else(|| StoreError::Corrupt(format!("the public key of {key_id}"))),
        Credential::Rsa(public) => Ok(Verifier::Rsa(public.as_slice().into())),
    }
}

/// The request's time and the end of its window.
fn check_time(
    timestamp: &str,
    window: &str,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), ApiError> {
    let malformed = |what: &str| {
        ApiError::with(GatewayCode::Unauthorized, format!("{what} is not a number of milliseconds"))
    };
    let at: u64 = timestamp.parse().map_err(|_| malformed("x-outcry-timestamp"))?;
    let window: u64 = window.parse().map_err(|_| malformed("x-outcry-receive-window"))?;
    if !(1..=LONGEST_WINDOW_MS).contains(&window) {
        return Err(ApiError::with(
            GatewayCode::Unauthorized,
            format!("x-outcry-receive-window must be 1 to {LONGEST_WINDOW_MS}"),
        ));
    }
    let server = now.as_millis();
    if at > server.saturating_add(CLOCK_AHEAD_MS) || server > at.saturating_add(window) {
        return Err(ApiError::with(
            GatewayCode::TimestampOutsideWindow,
            format!(
                "the request's time is {at}, the server's time is {server}, the window is {window} ms"
            ),
        ));
    }
    let nanos = |millis: u64| Timestamp(millis.saturating_mul(1_000_000));
    Ok((nanos(at), nanos(at + window)))
}

/// A new random key.
///
/// # Errors
/// When the system gives no randomness.
pub(crate) fn issue_hmac() -> Result<IssuedKey, StoreError> {
    Ok(IssuedKey { key_id: random_text()?, secret: random_text()? })
}

/// 64 random letters and digits: the shape of keys, secrets and listen keys in the Binance dialect.
///
/// # Errors
/// When the system gives no randomness.
pub(crate) fn random_text() -> Result<String, StoreError> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // The largest multiple of 62: bytes from here on would make some characters likelier.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(64);
    let mut bytes = [0; 96];
    while text.len() < 64 {
        getrandom::fill(&mut bytes).map_err(|error| StoreError::Randomness(error.to_string()))?;
        let fair = bytes.iter().filter(|&&byte| byte < FAIR);
        let missing = 64 - text.len();
        text.extend(fair.take(missing).map(|&byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    Ok(text)
}

impl IssuedKey {
    /// As the store keeps it.
    pub(crate) fn to_store(
        &self,
        account: Option<AccountId>,
        permissions: Permissions,
        label: &str,
        now: Timestamp,
    ) -> NewKey {
        NewKey {
            key_id: self.key_id.clone(),
            credential: Credential::Hmac(Secret::new(self.secret.clone().into_bytes())),
            account,
            operator: None,
            permissions,
            label: label.to_owned(),
            last4: self.secret[self.secret.len() - 4..].to_owned(),
            created_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp(millis * 1_000_000)
    }

    fn outside(result: &Result<(Timestamp, Timestamp), ApiError>) -> bool {
        let outside = crate::error::ErrorCode::Gateway(GatewayCode::TimestampOutsideWindow);
        result.as_ref().is_err_and(|error| error.code == outside)
    }

    #[test]
    fn a_request_is_taken_within_its_window_only() {
        assert_eq!(check_time("10000", "5000", at(10_000)).unwrap(), (at(10_000), at(15_000)));
        assert!(check_time("10000", "5000", at(15_000)).is_ok());
        assert!(outside(&check_time("10000", "5000", at(15_001))));
        assert!(check_time("10000", "5000", at(9_000)).is_ok());
        assert!(outside(&check_time("10000", "5000", at(8_999))));
        assert!(outside(&check_time("18446744073709551615", "5000", at(8_999))));
    }

    #[test]
    fn a_window_beyond_the_longest_and_a_time_that_is_no_number_are_refused() {
        for (timestamp, window) in [("x", "5"), ("1", "x"), ("1", "0"), ("1", "60001"), ("", "5")] {
            let refused = check_time(timestamp, window, at(1));
            assert!(refused.is_err_and(|error| error.code.name() == "Unauthorized"));
        }
    }
}
