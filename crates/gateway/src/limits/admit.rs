//! The door of the native API's paths: the limits that need no signature.

use super::{Level, Refusal, Source};
use crate::error::{ApiError, GatewayCode};
use crate::state::Shared;

/// Why a request is refused, if it came too soon.
pub(crate) async fn too_fast(shared: &Shared, source: Source) -> Option<ApiError> {
    shared.rates.request(shared.config.rates.native, source).await.err().map(ApiError::from)
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let (limit, seconds) = (refusal.limit, refusal.seconds());
        if let Some(what) = held(refusal.level) {
            let why = format!("an address may hold {limit} {what} open at a time");
            return Self::with(GatewayCode::AddressHoldsTooMany, why);
        }
        let what = match refusal.level {
            Level::All => format!("all clients together may make {limit} requests a second"),
            Level::Address => format!("an address may make {limit} requests a minute"),
            Level::Key => format!("this API key may make {limit} requests a minute"),
            Level::Orders => format!("this API key may place or change {limit} orders a minute"),
            Level::Weight
            | Level::RawRequests
            | Level::Banned
            | Level::TenSeconds
            | Level::Day
            | Level::Connections
            | Level::HeldConnections
            | Level::HeldSockets => GatewayCode::RateLimited.text().to_owned(),
        };
        let error = Self::with(GatewayCode::RateLimited, format!("{what}; again in {seconds} s"));
        error.retry_after(seconds)
    }
}

/// What an address holds too many of, if it is that.
fn held(level: Level) -> Option<&'static str> {
    match level {
        Level::HeldConnections => Some("connections"),
        Level::HeldSockets => Some("WebSocket connections"),
        _ => None,
    }
}
