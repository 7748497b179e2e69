//! Which components have failed and wait for an operator.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Component, Event, PartitionId, Seq, Timestamp};

use crate::views::Views;

/// By component.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Quarantines {
    of: BTreeMap<Component, Quarantined>,
}

/// A component that takes no step until it is released.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Quarantined {
    /// Which.
    pub component: Component,
    /// The partition that it lives in.
    pub partition: PartitionId,
    /// The entry there that says so. The command that it failed on is the next one.
    pub since: Seq,
    /// That entry's time.
    pub time: Timestamp,
    /// What the component said when it failed, and where.
    pub reason: String,
}

impl Quarantines {
    pub(crate) fn apply(
        &mut self,
        partition: PartitionId,
        since: Seq,
        time: Timestamp,
        event: &Event,
    ) {
        match event {
            Event::Quarantined { component, reason } => {
                let (component, reason) = (*component, reason.clone());
                let quarantined = Quarantined { component, partition, since, time, reason };
                self.of.insert(component, quarantined);
            }
            Event::QuarantineReleased { component, .. } => {
                self.of.remove(component);
            }
            _ => {}
        }
    }
}

impl Views {
    /// The components that are quarantined, in order.
    #[must_use]
    pub fn quarantined(&self) -> Vec<Quarantined> {
        self.quarantines.read().of.values().cloned().collect()
    }
}
