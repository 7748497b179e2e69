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

use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::Extensions;
use axum::response::Response;

use crate::error::{ApiError, GatewayCode};
use crate::http::Routes;
use crate::limits::source;
use crate::state::Shared;

pub(crate) use fan_out::FanOut;

/// Bytes that a connection's socket reads at once: its only buffer of fixed size.
const READ_BUFFER: usize = 4 << 10;
/// Bytes that a connection gathers before it writes.
const WRITE_BUFFER: usize = 32 << 10;

pub(crate) fn routes(routes: Routes) -> Routes {
    page::routes(routes.get("/v1/ws", open_socket))
}

/// Starts the threads that feed views and sockets.
pub(crate) fn start(shared: &Shared) -> Arc<FanOut> {
    shared.fan_out.start();
    Arc::clone(&shared.fan_out)
}

/// Market data, private events and order entry over one connection; see `docs/websocket.md`.
async fn open_socket(
    State(shared): State<Arc<Shared>>,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade =
        upgrade.map_err(|why| ApiError::with(GatewayCode::InvalidField, why.body_text()))?;
    let limit = shared.config.limits.socket_message;
    let gateway = Arc::clone(&shared);
    let source = source(&extensions);
    admit(&shared, upgrade, limit, move |socket| connection::serve(socket, gateway, source))
}

/// Lets a connection in, if there is room for one more; its messages have at most `limit` bytes.
///
/// # Errors
/// [`GatewayCode::ShuttingDown`] or [`GatewayCode::TooManyConnections`].
pub(crate) fn admit<F: Future<Output = ()> + Send + 'static>(
    shared: &Shared,
    upgrade: WebSocketUpgrade,
    limit: usize,
    serve: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Result<Response, ApiError> {
    if shared.closing.is_cancelled() {
        return Err(GatewayCode::ShuttingDown.into());
    }
    if shared.sockets.len() >= shared.config.limits.sockets {
        let what = "The gateway has as many WebSocket connections as it may.";
        return Err(ApiError::with(GatewayCode::TooManyConnections, what));
    }
    let token = shared.sockets.token();
    let upgrade = upgrade
        .max_message_size(limit)
        .max_frame_size(limit)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER);
    Ok(upgrade.on_upgrade(move |socket| async move {
        serve(socket).await;
        drop(token);
    }))
}
