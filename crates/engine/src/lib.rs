//! The partition: applies one log entry to ledgers, markets, treasury and registry.
//!
//! A partition is a pure function of its log. It hosts any number of components that speak only by
//! messages; messages for components here are handled at once, from one queue, first in, first out,
//! and messages for others wait in numbered outboxes until their partition has them durably.
//!
//! Invariants:
//! - the same entries give the same events, the same state and the same state hash, everywhere;
//! - every command is answered by exactly one event that carries its reply address;
//! - the work of one entry is bounded: what is left goes on in the next ([`Partition::needs_continue`]).
//!
//! It knows no I/O, clock, randomness or thread, and never sees where a batch of the journal ends.
#![forbid(unsafe_code)]

mod audit;
mod channel;
mod deadlines;
mod messages;
mod partition;
mod plans;
mod quarantine;
mod registry;
mod requests;
mod snapshot;

pub use audit::{Audit, InFlight, audit};
pub use book::Market;
pub use ledger::{Definitions, ListedMarket, Totals};
pub use partition::Partition;
pub use quarantine::Quarantined;
pub use snapshot::RestoreError;
