//! Who a connection is logged in as. One signature opens the session; its key is looked up again for
//! every command, so that a revoked key ends at once.

use std::sync::Arc;

use parking_lot::Mutex;
use types::{AccountId, Timestamp};

use super::protocol::Login;
use crate::auth::{Caller, Signed};
use crate::error::{ApiError, GatewayCode};
use crate::state::Shared;

/// The login of a connection, or none yet.
#[derive(Default)]
pub struct Session {
    login: Mutex<Option<LoggedIn>>,
}

#[derive(Clone)]
struct LoggedIn {
    caller: Caller,
    /// Nanoseconds that each command is valid for.
    window: u64,
}

/// Who trades, and how long a command of now is worth something.
pub struct Trader {
    /// The account.
    pub account: AccountId,
    /// By which key.
    pub key: Arc<str>,
    /// Now.
    pub sent_at: Timestamp,
    /// What is sequenced later is refused.
    pub valid_until: Timestamp,
}

impl Session {
    /// Takes a login. Another account than before is refused: private channels may be subscribed.
    ///
    /// # Errors
    /// Those of a signed request.
    pub fn login(&self, shared: &Shared, login: &Login) -> Result<AccountId, ApiError> {
        let (timestamp, window) = (login.timestamp.text(), login.window.as_ref().map(|w| w.text()));
        let signed = Signed {
            key: &login.key,
            timestamp: &timestamp,
            window: window.as_deref(),
            signature: &login.signature,
            method: "GET",
            path_and_query: "/v1/ws",
            body: b"",
        };
        let caller = shared.auth.verify(&signed, shared.exchange.now())?;
        let account = account_of(&caller)?;
        let mut current = self.login.lock();
        if current.as_ref().is_some_and(|login| login.caller.account != Some(account)) {
            let what = "this connection is logged in for another account";
            return Err(ApiError::with(GatewayCode::Forbidden, what));
        }
        let window = caller.valid_until.0.saturating_sub(caller.signed_at.0);
        let key = Arc::clone(&caller.key);
        *current = Some(LoggedIn { caller, window });
        // Revoked since it was verified: whoever revoked it may have looked at this session before.
        if shared.auth.is_valid(&key) { Ok(account) } else { Err(GatewayCode::UnknownKey.into()) }
    }

    /// Whose private channels may be subscribed.
    ///
    /// # Errors
    /// [`GatewayCode::Unauthorized`], [`GatewayCode::UnknownKey`], [`GatewayCode::Forbidden`].
    pub fn reader(&self, shared: &Shared) -> Result<AccountId, ApiError> {
        let LoggedIn { caller, .. } = self.current(shared)?;
        if !caller.permissions.read {
            return Err(lacks("read"));
        }
        account_of(&caller)
    }

    /// Who may trade.
    ///
    /// # Errors
    /// As [`Self::reader`].
    pub fn trader(&self, shared: &Shared) -> Result<Trader, ApiError> {
        let LoggedIn { caller, window } = self.current(shared)?;
        if !caller.permissions.trade {
            return Err(lacks("trade"));
        }
        let sent_at = shared.exchange.now();
        Ok(Trader {
            account: account_of(&caller)?,
            key: caller.key,
            sent_at,
            valid_until: sent_at.saturating_add_nanos(window),
        })
    }

    /// Whether somebody is logged in whose key has been revoked since.
    pub fn is_revoked(&self, shared: &Shared) -> bool {
        let login = self.login.lock();
        login.as_ref().is_some_and(|login| !shared.auth.is_valid(&login.caller.key))
    }

    fn current(&self, shared: &Shared) -> Result<LoggedIn, ApiError> {
        let login = self.login.lock().clone();
        let login = login.ok_or_else(|| {
            ApiError::with(GatewayCode::Unauthorized, "this needs a login on this connection")
        })?;
        if shared.auth.is_valid(&login.caller.key) {
            Ok(login)
        } else {
            Err(GatewayCode::UnknownKey.into())
        }
    }
}

fn account_of(caller: &Caller) -> Result<AccountId, ApiError> {
    caller
        .account
        .ok_or_else(|| ApiError::with(GatewayCode::Forbidden, "this API key belongs to no account"))
}

fn lacks(permission: &'static str) -> ApiError {
    let what = format!("this API key lacks the permission \"{permission}\"");
    ApiError::with(GatewayCode::Forbidden, what)
}
