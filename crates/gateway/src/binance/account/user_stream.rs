//! Listen keys: names under which an account's events can be heard without a signature. Old software asks for
//! one by its API key alone.
//!
//! They live in memory, an hour from the last time they were asked for or prolonged. Who asks again gets
//! the same one.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use types::{AccountId, Timestamp};

use crate::auth::random_text;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::error::ApiError;

/// How long a key lives.
const LIFE: u64 = 3_600_000_000_000;
/// Above so many keys those that have ended are forgotten.
const PRUNE_ABOVE: usize = 1_024;

/// All listen keys.
#[derive(Default)]
pub(crate) struct ListenKeys {
    keys: Mutex<HashMap<String, ListenKey>>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct ListenKey {
    /// Whose events.
    pub(crate) account: AccountId,
    /// The API key that asked for it: when that is revoked, this ends too.
    pub(crate) api_key: Arc<str>,
    /// When it ends unless it is prolonged.
    pub(crate) until: Timestamp,
}

impl ListenKeys {
    /// The valid listen key of this name.
    pub(crate) fn find(&self, name: &str, now: Timestamp) -> Option<ListenKey> {
        self.keys.lock().get(name).filter(|key| key.until > now).cloned()
    }

    /// The valid listen key of an API key, made if there is none; prolonged if there is.
    fn ask(&self, account: AccountId, api_key: &Arc<str>, now: Timestamp) -> Result<String, Error> {
        let mut keys = self.keys.lock();
        if keys.len() > PRUNE_ABOVE {
            keys.retain(|_, key| key.until > now);
        }
        let until = now.saturating_add_nanos(LIFE);
        let known = keys.iter_mut().find(|(_, key)| key.until > now && key.api_key == *api_key);
        if let Some((name, key)) = known {
            key.until = until;
            return Ok(name.clone());
        }
        let name = random_text().map_err(ApiError::from)?;
        keys.insert(name.clone(), ListenKey { account, api_key: Arc::clone(api_key), until });
        Ok(name)
    }

    /// Lets the key of this name and API key live on from now, or ends it.
    fn touch(&self, name: &str, api_key: &str, now: Timestamp, lives: bool) -> Result<(), Error> {
        let mut keys = self.keys.lock();
        let known = keys.get_mut(name).filter(|key| key.until > now && *key.api_key == *api_key);
        let key = known.ok_or_else(|| Error::new(-1125, "This listenKey does not exist."))?;
        key.until = if lives { now.saturating_add_nanos(LIFE) } else { now };
        Ok(())
    }
}

/// `POST userDataStream`.
pub(in crate::binance) async fn begin_stream(call: Call) -> Result<Answer, Error> {
    let (account, api_key) = (call.account()?, api_key(&call)?);
    let name = call.shared.listen_keys.ask(account, &api_key, call.now)?;
    Answer::of(&json!({ "listenKey": name }))
}

/// `PUT userDataStream`.
pub(in crate::binance) async fn prolong_stream(call: Call) -> Result<Answer, Error> {
    touch(&call, true)
}

/// `DELETE userDataStream`.
pub(in crate::binance) async fn end_stream(call: Call) -> Result<Answer, Error> {
    touch(&call, false)
}

fn touch(call: &Call, lives: bool) -> Result<Answer, Error> {
    let name = call.params.required("listenKey")?;
    call.shared.listen_keys.touch(name, &api_key(call)?, call.now, lives)?;
    Answer::of(&json!({}))
}

fn api_key(call: &Call) -> Result<Arc<str>, Error> {
    let caller = call.caller.as_ref().ok_or_else(Error::not_permitted)?;
    Ok(Arc::clone(&caller.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listen_key_lives_an_hour_from_when_it_was_last_asked_for() {
        let (keys, api_key): (_, Arc<str>) = (ListenKeys::default(), "key".into());
        let at = |minutes: u64| Timestamp(minutes * 60_000_000_000);
        let ask = |minutes| keys.ask(AccountId(1), &api_key, at(minutes)).unwrap();
        let name = ask(0);
        assert_eq!((name.len(), ask(59)), (64, name.clone()));
        assert!(keys.touch(&name, "key", at(118), true).is_ok());
        assert_eq!(keys.touch(&name, "other", at(118), true).unwrap_err().code, -1125);
        assert_eq!(keys.touch(&name, "key", at(178), true).unwrap_err().code, -1125);
        let another = ask(178);
        assert_ne!(another, name);
        assert!(keys.touch(&another, "key", at(179), false).is_ok());
        assert_eq!(keys.touch(&another, "key", at(179), true).unwrap_err().code, -1125);
    }
}
