//! In-memory read models fed by events: definitions, depth, trades, tickers, candles, accounts.
//!
//! One consumer thread feeds [`Views::on_batch`] with the events of every partition, in order per
//! partition. Readers share the views by `Arc` and take short locks, one per market and one per shard
//! of accounts; they never touch an engine's thread. Everything here is derived: it can be dropped
//! and built again from the events, or from a snapshot and the events after its cursors.
//!
//! *Invariant:* state is a function of the events alone; there is no clock in this crate (but for the
//! timeout of a waiting reader), no JSON and no I/O.
#![forbid(unsafe_code)]

mod account;
mod accounts;
mod candle;
mod changes;
mod definitions;
mod depth;
mod error;
mod fees;
mod hash;
mod market;
mod order;
mod order_list;
mod quarantines;
mod read;
mod recorder;
mod snapshot;
mod ticker;
mod treasury;
mod views;
mod watermarks;

pub use account::PendingDebit;
pub use candle::{Candle, Interval, MAX_CANDLES};
pub use changes::{
    AccountChange, AccountChanges, AccountUpdate, AccountView, BalanceView, CandleChange, Changes,
    DefinitionChange, LevelChange, MarketChanges, PhaseChange, TradeView,
};
pub use definitions::{MarketInfo, Trading};
pub use depth::{CHECKSUM_LEVELS, DepthLevel, DepthSnapshot};
pub use error::{Contradiction, RestoreError, ViewError};
pub use fees::AccountFees;
pub use order::{EndCause, FillView, Liquidity, MOST_FILLED, OrderStatus, OrderView, add_filled};
pub use order_list::OrderListView;
pub use quarantines::Quarantined;
pub use ticker::{Ticker, Window};
pub use treasury::{Attestation, GuardView, ProposalView};
pub use views::Views;
pub use watermarks::{AppliedHook, Watermarks};
