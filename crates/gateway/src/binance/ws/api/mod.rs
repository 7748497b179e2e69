//! The WebSocket API at `/ws-api/v3`: requests by name over one connection, answered by the handlers of REST,
//! and the events of accounts.

mod answer;
mod call;
mod connection;
mod methods;
mod request;
mod session;

pub(super) use connection::{WEIGHT, Wish, serve};
pub(in crate::binance) use methods::methods;
