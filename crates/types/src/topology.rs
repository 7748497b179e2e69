//! Which partition hosts which account slots, and which one hosts the treasury.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{ACCOUNT_SLOTS, PartitionId, Slot};

/// The first entry of every partition's log. Markets carry their own home in their definition.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Topology {
    /// Number of partitions, from 1.
    pub partitions: u16,
    /// The partitions that host account slots: slot s lives in the (s modulo their number)-th.
    pub ledgers: Vec<PartitionId>,
    /// The partitions that new markets are spread over, in turn.
    pub markets: Vec<PartitionId>,
    /// The partition that hosts the treasury and the registry of definitions.
    pub treasury: PartitionId,
    /// Accounts of the exchange: ids are below this.
    pub max_accounts: u32,
    /// Client ids remembered per account, at most.
    pub max_client_ids_per_account: u32,
}

impl Topology {
    /// Everything in one partition.
    #[must_use]
    pub fn single() -> Self {
        Self::spread(1)
    }

    /// A sensible spread over `partitions`: with two or more, partition 0 keeps the treasury, about
    /// two fifths host ledgers and the rest markets.
    #[must_use]
    pub fn spread(partitions: u16) -> Self {
        let ledger_count = (partitions * 2).div_ceil(5).max(1);
        let ids = |range: std::ops::Range<u16>| range.map(PartitionId).collect::<Vec<_>>();
        let markets = if partitions > 1 { ids(ledger_count..partitions) } else { ids(0..1) };
        Self {
            partitions,
            ledgers: ids(0..ledger_count),
            markets,
            treasury: PartitionId(0),
            max_accounts: 1 << 20,
            max_client_ids_per_account: 1 << 16,
        }
    }

    /// Whether every role has a partition that exists.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let exists = |p: &PartitionId| p.0 < self.partitions;
        !self.ledgers.is_empty()
            && !self.markets.is_empty()
            && self.ledgers.iter().all(exists)
            && self.markets.iter().all(exists)
            && exists(&self.treasury)
    }

    /// The partition of a slot.
    #[must_use]
    pub fn home_of_slot(&self, slot: Slot) -> PartitionId {
        self.ledgers[usize::from(slot.0) % self.ledgers.len()]
    }

    /// The slots that `partition` hosts.
    pub fn slots_of(&self, partition: PartitionId) -> impl Iterator<Item = Slot> + '_ {
        (0..ACCOUNT_SLOTS).map(Slot).filter(move |&slot| self.home_of_slot(slot) == partition)
    }
}
