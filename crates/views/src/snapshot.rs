//! Saving the views with their cursors, so that a restart need not read all events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use borsh::{BorshDeserialize, BorshSerialize};
use parking_lot::{Mutex, RwLock};
use types::{MarketId, PartitionId, Seq};

use crate::accounts::Accounts;
use crate::definitions::Definitions;
use crate::error::RestoreError;
use crate::market::Market;
use crate::views::Views;

/// Format of a snapshot. A change of any stored type raises it.
const SNAPSHOT_VERSION: u32 = 7;

impl Views {
    /// Everything, with the cursors, in a fixed order: the same state gives the same bytes. Feeding
    /// waits meanwhile.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let _still = self.writer.lock();
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).expect("memory takes all that is written");
        bytes
    }

    fn write_to(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        let partitions = self.watermarks.partitions();
        let marks: Vec<_> = (0..partitions).map(|p| self.applied(PartitionId(p))).collect();
        SNAPSHOT_VERSION.serialize(out)?;
        marks.serialize(out)?;
        self.log_time().serialize(out)?;
        self.contradictions().serialize(out)?;
        self.treasury.lock().serialize(out)?;
        self.quarantines.read().serialize(out)?;
        self.definitions.read().image().serialize(out)?;
        let markets: BTreeMap<_, _> =
            self.markets.read().iter().map(|(&id, market)| (id, market.clone())).collect();
        (markets.len() as u32).serialize(out)?;
        for (id, market) in markets {
            id.serialize(out)?;
            market.lock().serialize(out)?;
        }
        self.accounts.serialize(out)
    }

    /// Views as they were when [`Self::snapshot`] gave these bytes; feed them with the events after
    /// [`Self::applied`]. `partitions` is that of the exchange.
    ///
    /// # Errors
    /// When the bytes are of another version or exchange, or damaged. Whoever stores them adds a
    /// checksum: damage that still decodes is not noticed here.
    pub fn restore(bytes: &[u8], partitions: u16) -> Result<Self, RestoreError> {
        let input = &mut &bytes[..];
        let found = u32::deserialize(input)?;
        if found != SNAPSHOT_VERSION {
            return Err(RestoreError::Version { expected: SNAPSHOT_VERSION, found });
        }
        let marks = Vec::<Seq>::deserialize(input)?;
        if marks.len() != usize::from(partitions) {
            let found = marks.len() as u16;
            return Err(RestoreError::Partitions { expected: partitions, found });
        }
        let mut views = Self::new(partitions);
        for (partition, &mark) in (0..).map(PartitionId).zip(&marks) {
            views.watermarks.advance(partition, mark);
        }
        views.log_time = AtomicU64::new(u64::deserialize(input)?);
        views.contradictions = AtomicU64::new(u64::deserialize(input)?);
        views.treasury = Mutex::new(BorshDeserialize::deserialize(input)?);
        views.quarantines = RwLock::new(BorshDeserialize::deserialize(input)?);
        let definitions = Definitions::from_image(BorshDeserialize::deserialize(input)?);
        views.definitions = RwLock::new(definitions.map_err(std::io::Error::other)?);
        for _ in 0..u32::deserialize(input)? {
            let id = MarketId::deserialize(input)?;
            let market = Arc::new(Mutex::new(Market::deserialize(input)?));
            views.markets.get_mut().insert(id, market);
        }
        views.accounts = Accounts::deserialize(input)?;
        if !input.is_empty() {
            return Err(std::io::Error::other("bytes are left over").into());
        }
        Ok(views)
    }
}
