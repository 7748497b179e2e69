//! Who calls: API keys, their permissions and the signatures made with them.
//!
//! A signature covers `timestamp \n window \n METHOD \n path?query \n body`. What is signed is what was
//! received, byte for byte. This does not know what a caller may do with which account; routes do.

mod keys;
mod signature;

use std::sync::Arc;

use store::Permissions;
use types::{AccountId, OperatorName, Timestamp};

pub(crate) use keys::{Authenticator, IssuedKey, Key, issue_hmac, random_text};
pub(crate) use signature::parse_public_key;

/// A caller whose signature was verified.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account that the key belongs to; an operator's key has none.
    pub(crate) account: Option<AccountId>,
    /// Whose admin key it is; nobody's otherwise.
    pub(crate) operator: OperatorName,
    /// What the key may be used for.
    pub(crate) permissions: Permissions,
    /// The key's public name.
    pub(crate) key: Arc<str>,
    /// The request's own time.
    pub(crate) signed_at: Timestamp,
    /// When the request's window ends: what is sequenced later is refused.
    pub(crate) valid_until: Timestamp,
}

/// The parts of a request that its signature covers, as received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// The key's public name.
    pub(crate) key: &'a str,
    /// Milliseconds since the Unix epoch, as text.
    pub(crate) timestamp: &'a str,
    /// Milliseconds that the request is valid for, as text, or the default.
    pub(crate) window: Option<&'a str>,
    /// In hexadecimal, or base64 for Ed25519.
    pub(crate) signature: &'a str,
    /// `GET`, `POST`, ...
    pub(crate) method: &'a str,
    /// Path and query, percent-encoded as sent.
    pub(crate) path_and_query: &'a str,
    /// The body; empty for most.
    pub(crate) body: &'a [u8],
}
