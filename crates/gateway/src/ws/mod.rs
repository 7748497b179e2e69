//! The WebSocket of the native API at `/v1/ws`: market data, private events and order entry; and the
//! fan-out that feeds the views and all sockets from the event log. The protocol is described in
//! `docs/websocket.md`.
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
mod channel;
mod channel_name;
mod close;
mod connection;
mod depth;
mod encode;
mod events;
mod fan_out;
pub(crate) mod fuzzing;
mod hub;
mod market_channels;
mod message;
mod outbox;
mod page;
mod protocol;
mod rate;
mod reader;
mod replay;
mod requests;
mod ring;
mod session;
mod subscribe;
mod subscription;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;

use crate::error::{ApiError, GatewayCode};
use crate::http::Routes;
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
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade =
        upgrade.map_err(|why| ApiError::with(GatewayCode::InvalidField, why.body_text()))?;
    let limits = &shared.config.limits;
    if shared.closing.is_cancelled() {
        return Err(GatewayCode::ShuttingDown.into());
    }
    if shared.sockets.len() >= limits.sockets {
        let what = "The gateway has as many WebSocket connections as it may.";
        return Err(ApiError::with(GatewayCode::TooManyConnections, what));
    }
    let token = shared.sockets.token();
    let upgrade = upgrade
        .max_message_size(limits.socket_message)
        .max_frame_size(limits.socket_message)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER);
    Ok(upgrade.on_upgrade(move |socket| async move {
        connection::serve(socket, shared).await;
        drop(token);
    }))
}
