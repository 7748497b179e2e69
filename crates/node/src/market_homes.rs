//! Where markets live, so that requests find their partition.

use parking_lot::RwLock;
use types::{Event, MarketId, PartitionId};

/// Where markets live, as learned from definitions and from markets as they are listed.
#[derive(Default)]
pub(crate) struct MarketHomes(RwLock<Vec<Option<PartitionId>>>);

impl MarketHomes {
    pub fn learn(&self, market: MarketId, home: PartitionId) {
        let mut homes = self.0.write();
        let index = market.0 as usize;
        if homes.len() <= index {
            homes.resize(index + 1, None);
        }
        homes[index] = Some(home);
    }

    pub fn learn_from(&self, events: &[Event]) {
        for event in events {
            if let Event::MarketListed { market, .. } = event {
                self.learn(market.id, market.home);
            }
        }
    }

    pub fn get(&self, market: MarketId) -> Option<PartitionId> {
        *self.0.read().get(market.0 as usize)?
    }
}
