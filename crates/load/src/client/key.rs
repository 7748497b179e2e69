//! An API key and its signatures (docs/api.md, "Signing").

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long a request is worth something: the exchange executes none that comes later.
pub(crate) const WINDOW_MS: u64 = 5_000;

/// An HMAC key.
#[derive(Clone)]
pub(crate) struct Key {
    /// Its public name.
    pub(crate) id: String,
    mac: Hmac<Sha256>,
}

impl Key {
    /// With the secret's text.
    pub(crate) fn new(id: &str, secret: &str) -> Self {
        let mac = Hmac::new_from_slice(secret.as_bytes()).expect("an HMAC takes every key");
        Self { id: id.to_owned(), mac }
    }

    /// Now in milliseconds, and the signature of a request of now.
    pub(crate) fn sign(&self, method: &str, path: &str, body: &str) -> (u128, String) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        let mut mac = self.mac.clone();
        mac.update(format!("{now}\n{WINDOW_MS}\n{method}\n{path}\n").as_bytes());
        mac.update(body.as_bytes());
        (now, hex::encode(mac.finalize().into_bytes()))
    }
}
