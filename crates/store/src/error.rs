//! What can go wrong with SQL. Rejections by the exchange are values, not errors.

use std::path::PathBuf;

use types::{MarketId, OrderId, PartitionId, Seq};

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database says so: a full or read-only disk, damage, a lock held too long.
    #[error("SQL: {0}")]
    Sql(#[from] rusqlite::Error),
    /// A file of the store.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A newer binary made the file.
    #[error("{path} has schema {found}; this binary knows up to {known}")]
    NewerSchema {
        /// Which.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// Keys are stored, but the file that decrypts their secrets is not there.
    #[error(
        "{0} is missing, and secrets of API keys are encrypted under it: restore it from the backup"
    )]
    SecretKeyMissing(PathBuf),
    /// The file is not 32 bytes.
    #[error("{0} is not a secret key of this exchange")]
    SecretKeyInvalid(PathBuf),
    /// A stored secret does not decrypt: another `secret.key`, or damage.
    #[error("the secret of API key {0} does not decrypt: another secret.key, or damage")]
    Undecryptable(String),
    /// There is a key of this name already.
    #[error("there is an API key {0} already")]
    KeyExists(String),
    /// There is an operator whose name differs by upper and lower case alone.
    #[error("operator {0} differs from {1}, who exists, by upper and lower case alone")]
    OperatorTooAlike(String, String),
    /// No such account.
    #[error("there is no account {0}")]
    UnknownAccount(types::AccountId),
    /// Events do not follow what is projected. Nothing of the call was.
    #[error("partition {partition}: events of entry {found} came where {expected} is next")]
    Gap {
        /// Whose log.
        partition: PartitionId,
        /// The next entry needed.
        expected: Seq,
        /// What came.
        found: Seq,
    },
    /// An event names an order that no event before it placed.
    #[error(
        "the event of partition {partition}, entry {seq} names order {order} of market {market}, which is not in the history"
    )]
    UnknownOrder {
        /// Whose log.
        partition: PartitionId,
        /// The entry.
        seq: Seq,
        /// Where.
        market: MarketId,
        /// Which.
        order: OrderId,
    },
    /// Trades of a market came before its definition: feed the registry's partition first, and retry.
    #[error("market {0} is not in the history yet")]
    UnknownMarket(MarketId),
    /// A number that definitions should have bounded.
    #[error("{0} is too large for the history")]
    OutOfRange(&'static str),
    /// A row that this code never wrote.
    #[error("the database holds what was never written: {0}")]
    Corrupt(String),
    /// No such transfer, or it has ended already with another outcome.
    #[error("transfer {number} of source {source_id} is not pending")]
    NotPending {
        /// The source.
        source_id: u32,
        /// Its number.
        number: u64,
    },
    /// No randomness for a key or a nonce.
    #[error("the system gives no randomness: {0}")]
    Randomness(String),
}

/// What store functions return.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
