//! The Binance Spot dialect: existing bots and libraries work by changing the URL.
//!
//! The same exchange in other words: requests become the same commands, answers are read from the same
//! views and history. Routed by path only, on the port of the native API. `docs/compatibility.md` says for
//! each endpoint what is there.
//!
//! [`table`] lists every endpoint once, with its security and weight. [`serve`] turns an HTTP request into
//! a [`endpoint::Call`]: parameters ([`params`]), key and signature ([`signed`]), weight ([`limits`]). A
//! handler answers with JSON text or an [`error::Error`]; it knows nothing of HTTP, so that the WebSocket
//! API calls the same handlers.
//!
//! *Invariants:* amounts are rendered exactly, with 8 decimals, by [`render`] alone. What the engine cannot
//! do is refused, never half done.

mod account;
mod endpoint;
mod error;
mod ids;
mod limits;
mod market;
mod orders;
mod params;
mod render;
mod serve;
mod signed;
mod symbols;
mod table;

pub(crate) use account::ListenKeys;
pub(crate) use limits::{Limiter, Uncapped};
pub(crate) use serve::{lenient, meant, routes};
pub use table::endpoints;
