//! SQL beside the log, in two SQLite files of the data directory:
//!
//! - `directory.sqlite`: names of accounts, API keys, the outbox of external transfers. Precious; synced
//!   at every commit.
//! - `history.sqlite`: orders, trades, ledger entries and what guards the treasury, projected from the events with their cursor
//!   in the same transaction. It can be deleted and is then built again.
//!
//! and `secret.key`, under which the secrets of HMAC keys are encrypted.
//!
//! All functions block: asynchronous callers use a thread for blocking work. Reads run on connections
//! of their own and never wait for a writer. *Invariant:* nothing here decides about money; balances
//! are decided by the ledger in the log.
#![forbid(unsafe_code)]

mod accounts;
mod aggregate;
mod by_id;
mod check;
mod condition_columns;
mod database;
mod error;
mod history;
mod history_rows;
mod keys;
mod known_orders;
mod list_rows;
mod order_row;
mod projector;
mod rebuilt;
mod secret;
mod store;
mod transfers;
mod treasury_rows;

pub use accounts::Account;
pub use by_id::{
    AmendmentQuery, AmendmentRow, FillsByTradeQuery, OrderListQuery, OrderListRow, OrdersByIdQuery,
    TransferQuery,
};
pub use check::{Mismatch, VerifiedHistory};
pub use error::{Result, StoreError};
pub use history::{FillQuery, LedgerQuery, OrderQuery, OrderState};
pub use history_rows::{FillRow, LedgerRow, OrderRow, TradeRow};
pub use keys::{ApiKey, Credential, KeyKind, NewKey, Permissions, StoredKey};
pub use projector::{Projected, Projector};
pub use rebuilt::{ComparedRows, RebuiltHistory};
pub use secret::Secret;
pub use store::Store;
pub use transfers::{Begin, PendingTransfer, TransferContent, TransferOutcome};
pub use treasury_rows::ProposalRow;
