//! Accounts, holds and double-entry postings: who owns what, and who may promise what.
//!
//! A ledger hosts account slots (`account % 1024`). It checks orders against its own balances, holds
//! the funds before an order leaves for its market, and settles what markets report. It speaks with
//! markets and the treasury by messages only, also when they live beside it.
//!
//! Invariants:
//! - every movement goes from one bucket to another of the same slot and asset, so that the buckets of
//!   a slot always sum to zero per asset (the outside world is one of them);
//! - no balance is below zero; what an account has held is the sum of its holds;
//! - validation is complete before the first change.
//!
//! It knows no book, no price but the limit of a hold, no I/O and no clock.
#![forbid(unsafe_code)]

mod account;
mod accounts_admin;
mod amend_order;
mod audit;
mod cancel;
mod client_ids;
mod countdown;
mod debit;
mod definitions;
mod guard;
mod holds;
mod ledger;
mod legs;
mod place_order;
mod place_order_list;
mod proposals;
mod settle;
mod slot;
mod transfer;
mod treasury;
mod volume;

pub use amend_order::Amendment;
pub use audit::{SlotAudit, Totals};
pub use debit::{Reservation, refuse_debit};
pub use definitions::{Definitions, ListedMarket};
pub use holds::Hold;
pub use ledger::{Context, Ledger};
pub use slot::House;
pub use transfer::Transfer;
pub use treasury::Treasury;
