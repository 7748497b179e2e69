//! The sockets of the dialect: market streams, raw at `/ws` and combined at `/stream`.
//!
//! A partition's [`Streams`] live in its hub beside the native channels and are told of each batch under the
//! same lock; what has a pace is told at the [`beat`] of a clock. A message is encoded once per stream,
//! whoever reads it: a ring keeps it, connections have cursors (see `crate::ws`).
//!
//! *Invariants:* the updates of a book follow each other without a hole, and count by the entries that
//! `GET depth` names; a connection costs a bounded amount of memory and none waits for another.

mod beat;
mod connection;
mod control;
mod name;
mod open;
mod payload;
mod place;
mod stream;
mod streams;

pub(crate) use beat::keep_time;
pub(super) use name::STREAMS;
pub(crate) use open::{means, open, routes};
pub(crate) use streams::Streams;
