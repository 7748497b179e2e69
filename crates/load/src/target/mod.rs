//! The exchange under load: one that runs, or one of our own; its operator's door, and the users made through it.

mod founding;
mod process;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::LoadError;
use crate::client::{Connection, Key};
pub(crate) use founding::{ASSET_SCALE, Account, Market, found_market, open_accounts};
pub(crate) use process::Own;

/// How often a call that was refused for the moment is made again.
const ATTEMPTS: u32 = 100;

/// An operator, or whoever asks calmly: one request at a time, again if the exchange is busy.
pub(crate) struct Caller {
    connection: Connection,
    address: SocketAddr,
}

impl Caller {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, LoadError> {
        Ok(Self { connection: Connection::open(address).await?, address })
    }

    /// Status and answer, which is null if it is no JSON. Refusals that are said to be temporary are waited out.
    pub(crate) async fn call(
        &mut self,
        key: Option<&Key>,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, Value), LoadError> {
        for _ in 0..ATTEMPTS {
            match self.connection.call(key, method, path, body, "").await {
                Ok(answer) if matches!(answer.status, 429 | 503) => {
                    let seconds = answer.header("retry-after").and_then(|text| text.parse().ok());
                    tokio::time::sleep(Duration::from_secs(seconds.unwrap_or(1).min(60))).await;
                }
                Ok(answer) => {
                    let body = serde_json::from_slice(answer.body).unwrap_or(Value::Null);
                    return Ok((answer.status, body));
                }
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    self.connection = Connection::open(self.address).await?;
                }
            }
        }
        Err(LoadError::Refused { what: format!("{method} {path}"), answer: "for too long".into() })
    }

    /// The answer to what must succeed.
    pub(crate) async fn ok(
        &mut self,
        key: &Key,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, LoadError> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = self.call(Some(key), method, path, &body).await?;
        match status {
            200 => Ok(answer),
            _ => {
                let what = format!("{method} {path}");
                Err(LoadError::Refused { what, answer: format!("{status} {answer}") })
            }
        }
    }
}

/// `http://HOST:PORT`, as an address.
pub(crate) fn address(url: &str) -> Result<SocketAddr, LoadError> {
    let wrong = || LoadError::Usage(format!("--target {url}: not http://ADDRESS:PORT"));
    let rest = url.trim_end_matches('/').strip_prefix("http://").ok_or_else(wrong)?;
    let mut found = std::net::ToSocketAddrs::to_socket_addrs(rest).map_err(|_| wrong())?;
    found.next().ok_or_else(wrong)
}
