//! What can be wrong with events: always a bug, or a feed that skipped.

use types::{AccountId, ClientOrderId, MarketId, OrderId, PartitionId, Quantity, Seq};

/// An event, or a batch, that does not fit the view.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The batch does not follow what was applied. Nothing of it was.
    #[error("partition {partition}: events of entry {found} came where {expected} is next")]
    Gap {
        /// Whose log.
        partition: PartitionId,
        /// The next entry that the view needs.
        expected: Seq,
        /// The first entry of the batch.
        found: Seq,
    },
    /// The view was built for fewer partitions.
    #[error("partition {0} is not one of this exchange's")]
    UnknownPartition(PartitionId),
    /// An event contradicts what the events before it said.
    #[error("partition {partition}, entry {seq}, event {index}: {what}")]
    Contradiction {
        /// Whose log.
        partition: PartitionId,
        /// The entry.
        seq: Seq,
        /// The event's index within the entry.
        index: u32,
        /// In which way.
        what: Contradiction,
    },
}

/// How an event contradicts the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// It names an order that the market does not have.
    #[error("order {0} is not open in its market")]
    UnknownOrder(OrderId),
    /// It names an order that the account does not have.
    #[error("account {0} has no open order {1}")]
    UnknownOrderOfAccount(AccountId, OrderId),
    /// It places an order id again.
    #[error("order {0} exists already")]
    OrderExists(OrderId),
    /// It lets an order rest that rests already, or one of another owner or side.
    #[error("order {0} cannot rest as the event says")]
    CannotRest(OrderId),
    /// A side of a trade does not rest, or rests, against its role.
    #[error("order {0} has not the part in the book that the trade says")]
    WrongRole(OrderId),
    /// What is left of an order is not what the event says.
    #[error("order {order} has {expected} lots left, the event says {found}")]
    Remaining {
        /// The order.
        order: OrderId,
        /// What the view has.
        expected: Quantity,
        /// What the event says.
        found: Quantity,
    },
    /// A level would hold less than nothing.
    #[error("order {0} leaves a price level below zero")]
    NegativeLevel(OrderId),
    /// It names a list that has not begun, or has ended.
    #[error("list {0} is not open")]
    UnknownList(OrderId),
    /// It begins a list again.
    #[error("list {0} exists already")]
    ListExists(OrderId),
    /// It lists a market whose assets are not defined, or whose numbers cannot work.
    #[error("market {0} is listed with an impossible definition")]
    InvalidMarket(MarketId),
    /// A pending debit that was never reserved.
    #[error("account {0} has no pending debit {1}")]
    UnknownPendingDebit(AccountId, ClientOrderId),
}

/// Why a snapshot cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Made by another version; events must be read from the beginning.
    #[error("the views' snapshot has format {found}, this binary reads {expected}")]
    Version {
        /// What this binary reads.
        expected: u32,
        /// What the bytes say.
        found: u32,
    },
    /// Damaged bytes.
    #[error("the views' snapshot is damaged: {0}")]
    Damaged(#[from] std::io::Error),
    /// Made for another number of partitions.
    #[error("the views' snapshot is of {found} partitions, not {expected}")]
    Partitions {
        /// What is asked for.
        expected: u16,
        /// What the bytes say.
        found: u16,
    },
}
