//! Ids: one distinct type each, so that an order id can never be passed for an account.

use borsh::{BorshDeserialize, BorshSerialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            BorshSerialize, BorshDeserialize,
        )]
        pub struct $name(pub $inner);

        impl $name {
            /// The id that follows this one. Panics at the end of the range, which no id reaches.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A trading account. `account % 1024` is its [`Slot`].
    AccountId(u32)
);
id!(
    /// An asset that balances are kept in.
    AssetId(u32)
);
id!(
    /// A trading pair.
    MarketId(u32)
);
id!(
    /// An order, rising within its market from 1 and below 2^53. Identity is (market, order id).
    OrderId(u64)
);
id!(
    /// A trade, rising within its market from 1 and below 2^53.
    TradeId(u64)
);
id!(
    /// One log, one thread, one state machine.
    PartitionId(u16)
);
id!(
    /// Position of an entry in its partition's command log, from 1.
    Seq(u64)
);
id!(
    /// Funds locked for one order: an index into the slab of the account's slot. Reused after close.
    HoldId(u32)
);
id!(
    /// A shard of accounts: the unit that lives in one partition. Below [`ACCOUNT_SLOTS`].
    Slot(u16)
);
id!(
    /// Nanoseconds since the Unix epoch, as stamped by the sequencer. Never goes backwards in a log.
    Timestamp(u64)
);

/// Number of account slots of an exchange, whatever the number of partitions.
pub const ACCOUNT_SLOTS: u16 = 1024;

impl AccountId {
    /// The slot whose ledger keeps this account.
    #[must_use]
    pub fn slot(self) -> Slot {
        Slot((self.0 % u32::from(ACCOUNT_SLOTS)) as u16)
    }

    /// Index of this account within its slot.
    #[must_use]
    pub fn index_in_slot(self) -> usize {
        (self.0 / u32::from(ACCOUNT_SLOTS)) as usize
    }
}

impl Timestamp {
    /// `self + nanos`, at most the end of time.
    #[must_use]
    pub fn saturating_add_nanos(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Whole milliseconds since the Unix epoch.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_and_index_name_the_account_uniquely() {
        for id in [0, 1, 1023, 1024, 1025, u32::MAX] {
            let account = AccountId(id);
            let back = account.index_in_slot() as u64 * u64::from(ACCOUNT_SLOTS)
                + u64::from(account.slot().0);
            assert_eq!(back, u64::from(id));
        }
    }
}
