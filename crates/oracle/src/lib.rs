//! The oracle: a naive exchange, and the duel in which the product must agree with it.
//!
//! - [`naive`] is written from `docs/trading-rules.md` alone: vectors, scans and clones. Of `types` it uses
//!   ids, commands, events and plain enums; all arithmetic on money is its own, in `u128`. It knows
//!   nothing of `book`, `ledger` and `engine`.
//! - [`generate`] makes commands from a seed, and the worlds that they are for.
//! - [`duel`] gives each command to both sides and compares what came of it.
//! - [`coverage`] counts what was seen, and knows what must be.
//! - [`campaign`] runs blocks: each has its own seed and a new exchange, so that a difference is reproduced by
//!   the seed of its block.
#![forbid(unsafe_code)]

pub mod campaign;
pub mod coverage;
pub mod duel;
pub mod generate;
pub mod naive;
