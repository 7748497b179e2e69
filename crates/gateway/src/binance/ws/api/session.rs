//! Who a connection is logged on as, and which accounts' events it hears.

use std::sync::Arc;

use parking_lot::Mutex;
use types::{AccountId, Timestamp};

use crate::auth::{Authenticator, Key};
use crate::binance::error::Error;

/// Subscriptions at the same time, and over the life of a connection.
const MOST_ACTIVE: usize = 1_000;
const MOST_EVER: u32 = 65_535;

/// What a connection knows of its client.
#[derive(Default)]
pub(super) struct Session {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    logon: Option<Logon>,
    /// Somebody was logged on, by a key that was revoked since.
    is_revoked: bool,
    subscriptions: Vec<Subscription>,
    /// How many there have ever been.
    ever: u32,
}

/// Who is logged on.
#[derive(Clone)]
pub(super) struct Logon {
    /// The key's name.
    pub(super) api_key: Arc<str>,
    /// Since when.
    pub(super) since: Timestamp,
}

/// A subscription to an account's events.
struct Subscription {
    id: u32,
    account: AccountId,
    api_key: Arc<str>,
    /// Made by who is logged on: it ends with that.
    of_logon: bool,
}

impl Session {
    /// Somebody is logged on from now on, instead of whoever was.
    pub(super) fn log_on(&self, api_key: Arc<str>, now: Timestamp) {
        let mut state = self.state.lock();
        state.logon = Some(Logon { api_key, since: now });
        state.is_revoked = false;
    }

    /// Nobody is logged on any more. Gives the subscriptions that end with that.
    pub(super) fn log_out(&self) -> Vec<u32> {
        let mut state = self.state.lock();
        (state.logon, state.is_revoked) = (None, false);
        state.end(|subscription| subscription.of_logon)
    }

    /// Who is logged on.
    pub(super) fn logon(&self) -> Option<Logon> {
        self.state.lock().logon.clone()
    }

    /// The key of who is logged on, if somebody is.
    ///
    /// # Errors
    /// -2015 if it was revoked: until somebody logs on or out, who relies on the session is told so.
    pub(super) fn key(&self, auth: &Authenticator) -> Result<Option<Arc<Key>>, Error> {
        let state = self.state.lock();
        match &state.logon {
            Some(logon) => auth.find(&logon.api_key).map(Some).ok_or_else(Error::not_permitted),
            None if state.is_revoked => Err(Error::not_permitted()),
            None => Ok(None),
        }
    }

    /// Whether who is logged on hears the events of its account.
    pub(super) fn hears(&self) -> bool {
        self.state.lock().subscriptions.iter().any(|subscription| subscription.of_logon)
    }

    /// A number for a new subscription.
    ///
    /// # Errors
    /// -2035 if the account's events are heard already, -2042 if there have been too many.
    pub(super) fn subscribe(
        &self,
        account: AccountId,
        api_key: Arc<str>,
        of_logon: bool,
    ) -> Result<u32, Error> {
        let mut state = self.state.lock();
        if state.subscriptions.iter().any(|known| known.account == account) {
            return Err(Error::new(-2035, "User Data Stream subscription already active."));
        }
        if state.subscriptions.len() >= MOST_ACTIVE || state.ever >= MOST_EVER {
            return Err(Error::new(-2042, "Maximum subscription ID reached for this connection."));
        }
        let id = state.ever;
        state.ever += 1;
        state.subscriptions.push(Subscription { id, account, api_key, of_logon });
        Ok(id)
    }

    /// Ends a subscription, or all. Gives those that have ended.
    ///
    /// # Errors
    /// -2036 if there is none of this number.
    pub(super) fn unsubscribe(&self, id: Option<u32>) -> Result<Vec<u32>, Error> {
        let ended = self.state.lock().end(|known| id.is_none_or(|id| known.id == id));
        if id.is_some() && ended.is_empty() {
            return Err(Error::new(-2036, "User Data Stream subscription not active."));
        }
        Ok(ended)
    }

    /// Ends what was begun with a key that is not valid any more.
    pub(super) fn end_revoked(&self, auth: &Authenticator) -> Vec<u32> {
        let mut state = self.state.lock();
        if state.logon.as_ref().is_some_and(|logon| !auth.is_valid(&logon.api_key)) {
            (state.logon, state.is_revoked) = (None, true);
        }
        state.end(|known| !auth.is_valid(&known.api_key))
    }

    /// The numbers of all subscriptions.
    pub(super) fn subscriptions(&self) -> Vec<u32> {
        self.state.lock().subscriptions.iter().map(|known| known.id).collect()
    }
}

impl State {
    fn end(&mut self, ends: impl Fn(&Subscription) -> bool) -> Vec<u32> {
        let mut ended = Vec::new();
        self.subscriptions.retain(|subscription| {
            let ends = ends(subscription);
            if ends {
                ended.push(subscription.id);
            }
            !ends
        });
        ended
    }
}
