//! The sockets of the dialect: streams of markets and accounts, raw at `/ws` and combined at `/stream`, and the
//! WebSocket API at `/ws-api/v3` ([`api`]).
//!
//! A partition's [`Streams`] live in its hub beside the native channels and are told of each batch under the
//! same lock; what has a pace is told at the [`beat`] of a clock. A message is encoded once per stream,
//! whoever reads it: a ring keeps it, connections have cursors (see `crate::ws`).
//!
//! *Invariants:* the updates of a book follow each other without a hole, and count by the entries that
//! `GET depth` names; a connection costs a bounded amount of memory and none waits for another.

mod account;
mod all;
mod api;
mod beat;
mod connection;
mod control;
mod execution;
mod link;
mod name;
mod open;
mod payload;
mod place;
mod report;
mod stream;
mod streams;
mod whole;

pub(super) use api::methods;
pub(crate) use beat::keep_time;
pub(super) use name::{EVENTS, STREAMS};
pub(crate) use open::{means, open, routes};
pub(crate) use streams::Streams;
