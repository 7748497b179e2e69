//! The Binance Spot dialect: existing bots and libraries work by changing the URL.
//!
//! The same exchange in other words: requests become the same commands, answers are read from the same
//! views and history. Routed by path only, on the port of the native API. `docs/compatibility.md` says for
//! each endpoint what is there.
//!
//! [`table`] lists every endpoint once, with its security and weight. [`serve`] turns an HTTP request into
//! a [`endpoint::Call`]: parameters ([`params`]), key and signature ([`signed`]), weight ([`limits`]). A
//! handler answers with JSON text or an [`error::Error`]; it knows nothing of HTTP, so that the WebSocket
//! API calls the same handlers. [`ws`] has that and the streams.
//!
//! *Invariants:* amounts are rendered exactly, with 8 decimals, by [`render`] alone. What the engine cannot
//! do is refused, never half done.

mod account;
mod endpoint;
mod error;
pub(crate) mod ids;
mod limits;
mod market;
mod names;
mod orders;
mod params;
mod render;
mod serve;
mod signed;
mod symbols;
mod table;
mod ws;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;

use crate::http::Routes;
use crate::state::Shared;

pub(crate) use account::ListenKeys;
pub(crate) use limits::Limiter;
pub(crate) use names::{AmendedNames, CancelNames};
pub(crate) use serve::{is_ours, not_allowed, turned_away};
pub use table::endpoints;
pub(crate) use ws::{Streams, keep_time};

/// Adds the endpoints and the sockets.
pub(crate) fn routes(routes: Routes) -> Routes {
    ws::routes(serve::routes(routes))
}

/// Whether a path that is no route's by its letters means one of ours.
pub(crate) fn means(method: &Method, path: &str) -> bool {
    ws::means(path) || serve::meant(method, path).is_some()
}

/// Answers where [`means`] says so.
pub(crate) async fn lenient(state: State<Arc<Shared>>, request: Request) -> Response {
    if ws::means(request.uri().path()) {
        return ws::open(state, request).await;
    }
    serve::lenient(state, request).await
}
