//! The whole state as bytes, and back. The bytes are canonical: equal states give equal bytes, so
//! that their hash is the state's.

use std::io;

use book::Market;
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::{Definitions, Ledger, Treasury};
use types::{ACCOUNT_SLOTS, Component, MarketId, PartitionId, Seq, Slot, Timestamp, Topology};

use crate::deadlines::Deadlines;
use crate::partition::Partition;

/// Layout of the bytes. A binary that does not know a version refuses it.
const VERSION: u16 = 1;

/// Why bytes are no state of this partition.
#[derive(Debug)]
pub enum RestoreError {
    /// They end early, go on after the end, or do not decode.
    Malformed(io::Error),
    /// They have a layout that this binary does not know.
    Version(u16),
    /// They are another partition's.
    OtherPartition(PartitionId),
}

impl std::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "state does not decode: {error}"),
            Self::Version(version) => {
                write!(f, "state has layout {version}, this binary knows {VERSION}")
            }
            Self::OtherPartition(id) => write!(f, "state is of partition {id}"),
        }
    }
}

impl std::error::Error for RestoreError {}

impl From<io::Error> for RestoreError {
    fn from(error: io::Error) -> Self {
        Self::Malformed(error)
    }
}

impl Partition {
    /// The state as canonical bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("writing to memory does not fail");
        bytes
    }

    /// BLAKE3 of [`Self::snapshot`].
    #[must_use]
    pub fn state_hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut writer = io::BufWriter::with_capacity(1 << 16, &mut hasher);
        self.write(&mut writer).expect("hashing does not fail");
        drop(writer);
        hasher.finalize().into()
    }

    /// The partition whose [`Self::snapshot`] this is.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(id: PartitionId, hash_seed: u64, bytes: &[u8]) -> Result<Self, RestoreError> {
        let reader = &mut &*bytes;
        let version = u16::deserialize_reader(reader)?;
        if version != VERSION {
            return Err(RestoreError::Version(version));
        }
        let of = PartitionId::deserialize_reader(reader)?;
        if of != id {
            return Err(RestoreError::OtherPartition(of));
        }
        let mut partition = Self::new(id, hash_seed);
        partition.seq = Seq::deserialize_reader(reader)?;
        partition.now = Timestamp::deserialize_reader(reader)?;
        partition.term = u64::deserialize_reader(reader)?;
        partition.term_ended = bool::deserialize_reader(reader)?;
        partition.topology = Option::<Topology>::deserialize_reader(reader)?;
        partition.definitions = Definitions::deserialize_reader(reader)?;
        partition.plans = BorshDeserialize::deserialize_reader(reader)?;
        partition.ledger = Ledger::restore(hash_seed, reader)?;
        let markets = Vec::<Option<Market>>::deserialize_reader(reader)?;
        partition.markets = markets.into_iter().map(|market| market.map(Box::new)).collect();
        partition.treasury = Option::<Treasury>::deserialize_reader(reader)?;
        partition.channels = BorshDeserialize::deserialize_reader(reader)?;
        partition.fx.messages = BorshDeserialize::deserialize_reader(reader)?;
        partition.deferred = BorshDeserialize::deserialize_reader(reader)?;
        partition.waiting = BorshDeserialize::deserialize_reader(reader)?;
        partition.quarantines = BorshDeserialize::deserialize_reader(reader)?;
        let messages = partition.fx.messages.iter().chain(&partition.deferred);
        let messages = messages.chain(partition.quarantines.parked());
        partition.deadlines = Deadlines::restore(messages);
        for (id, market) in (0u32..).zip(&partition.markets) {
            if let Some(market) = market {
                partition.deadlines.set(Component::Market(MarketId(id)), market.next_deadline());
            }
        }
        for slot in (0..ACCOUNT_SLOTS).map(Slot) {
            let next = partition.ledger.next_deadline(slot);
            partition.deadlines.set(Component::Ledger(slot), next);
        }
        if let Some(treasury) = &partition.treasury {
            partition.deadlines.set(Component::Treasury, treasury.next_deadline());
        }
        let registry = Component::Registry(partition.id);
        partition.deadlines.set(registry, partition.plans.next_deadline());
        if !reader.is_empty() {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
        Ok(partition)
    }

    fn write<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        (VERSION, self.id, self.seq, self.now, self.term, self.term_ended).serialize(writer)?;
        (&self.topology, &self.definitions, &self.plans).serialize(writer)?;
        self.ledger.serialize(writer)?;
        (&self.markets, &self.treasury, &self.channels).serialize(writer)?;
        (&self.fx.messages, &self.deferred, &self.waiting).serialize(writer)?;
        self.quarantines.serialize(writer)
    }
}
