//! The WebSocket of the native API at `/v1/ws`: market data, private events and order entry; and the
//! fan-out that feeds the views and all sockets from the event log, those of the Binance dialect too
//! (`crate::binance::ws`). The protocol is described in `docs/websocket.md`.
//!
//! An event's way: a thread per partition ([`fan_out`]) reads the feed, applies it to the views and
//! tells its [`hub`], which encodes each message once into a [`channel`]. Connections have a cursor
//! into every channel that they are subscribed to, and are woken when there is more; what a slow one
//! has not taken is not kept for it alone. A request's way: [`reader`], [`requests`], [`outbox`],
//! [`writer`].
//!
//! *Invariants:* a subscription misses nothing and gets nothing twice, or is told; a connection costs
//! a bounded amount of memory; no connection waits for another.

mod account_channels;
mod batch;
pub(crate) mod channel;
mod channel_name;
pub(crate) mod close;
pub(crate) mod connection;
pub(crate) mod depth;
mod encode;
mod events;
mod fan_out;
pub(crate) mod fuzzing;
pub(crate) mod hub;
mod market_channels;
pub(crate) mod message;
pub(crate) mod outbox;
mod page;
mod protocol;
pub(crate) mod rate;
mod reader;
mod replay;
mod requests;
pub(crate) mod ring;
mod session;
mod subscribe;
pub(crate) mod subscription;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod writer;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::SEC_WEBSOCKET_VERSION;
use axum::http::{Extensions, HeaderValue};
use axum::response::{IntoResponse, Response};
use websocket::{Connection, Refused, Settings, Upgrade};

use crate::error::{ApiError, GatewayCode};
use crate::http::{Routes, UnderWay};
use crate::limits::{Source, source};
use crate::state::Shared;

pub(crate) use fan_out::FanOut;

/// Shorter messages are sent as they are: too little would be saved.
const COMPRESS_FROM: usize = 64;

pub(crate) fn routes(routes: Routes) -> Routes {
    page::routes(routes.get("/v1/ws", open_socket))
}

/// Starts the threads that feed views and sockets.
pub(crate) fn start(shared: &Shared) -> Arc<FanOut> {
    shared.fan_out.start();
    Arc::clone(&shared.fan_out)
}

/// Market data, private events and order entry over one connection; see `docs/websocket.md`.
async fn open_socket(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let client = Client::of(&mut parts.extensions);
    let source = client.source;
    let upgrade = match Upgrade::read(&mut parts) {
        Ok(upgrade) => upgrade,
        Err(why) => {
            let error = ApiError::with(GatewayCode::InvalidField, why.to_string());
            return say_version(why, error.into_response());
        }
    };
    let limit = shared.config.limits.socket_message;
    let gateway = Arc::clone(&shared);
    let serve = move |socket| connection::serve(socket, gateway, source);
    admit(&shared, upgrade, (limit, client), serve).unwrap_or_else(ApiError::into_response)
}

/// Who asks for a connection.
pub(crate) struct Client {
    /// Who holds it.
    pub(crate) source: Source,
    /// Lasts as long as the connection: what it came over must not be cut meanwhile.
    under_way: Option<UnderWay>,
}

impl Client {
    /// Of a request with these extensions.
    pub(crate) fn of(extensions: &mut Extensions) -> Self {
        Self { source: source(extensions), under_way: extensions.remove() }
    }
}

/// The answer to who cannot have a connection, with the version to ask in if that was wrong.
pub(crate) fn say_version(why: Refused, mut response: Response) -> Response {
    if why == Refused::Version {
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
}

/// Lets a connection in, if there is room for one more, and for one more of its address; its messages have
/// at most `limit` bytes.
///
/// # Errors
/// [`GatewayCode::ShuttingDown`], [`GatewayCode::TooManyConnections`] or [`GatewayCode::AddressHoldsTooMany`].
pub(crate) fn admit<F: Future<Output = ()> + Send + 'static>(
    shared: &Shared,
    upgrade: Upgrade,
    (limit, client): (usize, Client),
    serve: impl FnOnce(Connection) -> F + Send + 'static,
) -> Result<Response, ApiError> {
    if shared.closing.is_cancelled() {
        return Err(GatewayCode::ShuttingDown.into());
    }
    let limits = &shared.config.limits;
    if shared.sockets.len() >= limits.sockets {
        let what = "The gateway has as many WebSocket connections as it may.";
        return Err(ApiError::with(GatewayCode::TooManyConnections, what));
    }
    let place = client.source.map(|address| shared.rates.noted(shared.held_sockets.take(address)));
    let place = place.transpose()?;
    let token = shared.sockets.token();
    let compress_from = limits.socket_compression.then_some(COMPRESS_FROM);
    let settings = Settings { limit, compress_from };
    let traffic = Arc::clone(&shared.metrics.socket_traffic);
    Ok(upgrade.accept(settings, traffic, move |socket| async move {
        serve(socket).await;
        drop((token, place, client.under_way));
    }))
}
