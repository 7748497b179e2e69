//! One pair's order book and market rules: price-time priority in integers, without I/O, clock,
//! randomness or hash order.
//!
//! [`Book`] keeps resting orders: a [`trie`] of prices per side, a queue per price, an index by
//! order id. It knows no rules. [`Market`] is the deterministic state machine on top of it: it admits
//! orders whose funds its caller has locked, matches them, and says by events what happened and by
//! messages what each owner's ledger must settle. A hold is never touched here; the market only
//! states what is paid out of it and what it does not need any more.
#![forbid(unsafe_code)]

mod admit;
mod amend;
mod auction;
mod book;
mod cancel;
mod delist;
mod index;
mod interruption;
mod ladder;
mod liquidity;
mod lists;
mod market;
mod matching;
mod order;
mod redefine;
mod reopening;
mod rules;
mod self_trade;
mod set_state;
mod slab;
mod snapshot;
mod taker;
mod terms;
mod timers;
mod trailing;
mod trie;
mod waiting;

pub use book::{Book, LevelView};
pub use lists::{ListStage, OrderList};
pub use market::{Market, Work};
pub use order::RestingOrder;
pub use waiting::WaitingOrder;
