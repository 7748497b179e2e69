//! The way to Redis: two scripts, a time in which it must answer, and a breaker.
//!
//! *Invariant:* a request never waits for Redis longer than the time-out, and not at all while the breaker is open.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Script};
use tokio::time::timeout;

use super::SharedLimits;
use crate::breaker::Breaker;

/// Failures in a row after which Redis is left alone.
const MOST_FAILURES: u32 = 5;
/// For so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Redis did not answer, or is left alone: this gateway limits on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away;

/// What is asked of Redis.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    /// To lend out of a sliding window.
    Sliding,
    /// To count in windows of the clock.
    Fixed,
}

/// The way to Redis.
pub(super) struct Link {
    client: Client,
    /// Made by the first request, which has a runtime; it connects again by itself.
    connection: Mutex<Option<ConnectionManager>>,
    timeout: Duration,
    prefix: String,
    sliding: Script,
    fixed: Script,
    pub(super) breaker: Breaker,
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
}

impl Link {
    /// Connects with the first question.
    pub(super) fn new(settings: &SharedLimits) -> Self {
        Self {
            client: Client::open(settings.address.as_str()).expect("looked at before"),
            connection: Mutex::default(),
            timeout: settings.timeout,
            prefix: settings.prefix.clone(),
            sliding: Script::new(include_str!("sliding.lua")),
            fixed: Script::new(include_str!("fixed.lua")),
            breaker: Breaker::new("redis", MOST_FAILURES, PAUSE),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// What a script answers about `name`.
    ///
    /// # Errors
    /// [`Away`].
    pub(super) async fn ask(&self, ask: Ask, name: &str, args: &[i64]) -> Result<Vec<i64>, Away> {
        let leave = self.breaker.leave().map_err(|_| Away)?;
        let answer = timeout(self.timeout, self.invoke(ask, name, args)).await;
        let why = match answer {
            Ok(Ok(answer)) => {
                leave.succeeded();
                self.answered.fetch_add(1, Ordering::Relaxed);
                return Ok(answer);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {:?}", self.timeout),
        };
        self.failed.fetch_add(1, Ordering::Relaxed);
        leave.failed(why);
        Err(Away)
    }

    async fn invoke(&self, ask: Ask, name: &str, args: &[i64]) -> redis::RedisResult<Vec<i64>> {
        let mut connection = self.connection()?;
        let script = match ask {
            Ask::Sliding => &self.sliding,
            Ask::Fixed => &self.fixed,
        };
        let mut call = script.key(format!("{}:{name}", self.prefix));
        call.arg(args);
        call.invoke_async(&mut connection).await
    }

    fn connection(&self) -> redis::RedisResult<ConnectionManager> {
        let mut connection = self.connection.lock();
        if let Some(made) = &*connection {
            return Ok(made.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PAUSE))
            .set_response_timeout(Some(self.timeout))
            .set_number_of_retries(0);
        let made = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        Ok(connection.insert(made).clone())
    }
}
