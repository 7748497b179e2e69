//! Which partition a request goes to.

use parking_lot::RwLock;
use types::{Component, Event, MarketId, PartitionId, Request, Topology};

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

/// The partition that decides `request`. What names an unknown market goes to the treasury's
/// partition, which has every definition first and answers that there is none.
pub(crate) fn route(topology: &Topology, markets: &MarketHomes, request: &Request) -> PartitionId {
    match request.decider(topology.treasury) {
        Component::Ledger(slot) => topology.home_of_slot(slot),
        Component::Market(market) => markets.get(market).unwrap_or(topology.treasury),
        // Who releases a registry is told that it cannot be quarantined.
        Component::Treasury | Component::Registry(_) => topology.treasury,
    }
}
