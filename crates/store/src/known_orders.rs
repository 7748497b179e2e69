//! Open orders as their rows stand: most orders end soon, and need not be read again for that.
//!
//! *Invariants:* what is known is what the database has at the cursors; of whatever failed, or was written by
//! somebody else, nothing is known. At most two generations of orders are kept.

use std::collections::{BTreeMap, HashMap};

use types::{MarketId, OrderId, PartitionId, Seq};

use crate::order_row::Order;

/// Orders of a generation.
const GENERATION: usize = 32_768;

/// Boxed, since they are moved more often than they change.
type Orders = HashMap<(MarketId, OrderId), Box<Order>>;

/// Orders that were met lately.
#[derive(Default)]
pub(crate) struct KnownOrders {
    cursors: BTreeMap<PartitionId, Seq>,
    young: Orders,
    old: Orders,
}

impl KnownOrders {
    /// What is known of a database that stands at these cursors.
    pub(crate) fn at(self, cursors: &BTreeMap<PartitionId, Seq>) -> Self {
        if self.cursors == *cursors { self } else { Self::default() }
    }

    /// The database stands at these cursors now.
    pub(crate) fn move_to(&mut self, cursors: BTreeMap<PartitionId, Seq>) {
        self.cursors = cursors;
    }

    /// An order that is about to change.
    pub(crate) fn take(&mut self, order: (MarketId, OrderId)) -> Option<Box<Order>> {
        self.young.remove(&order).or_else(|| self.old.remove(&order))
    }

    /// An order as it was written.
    pub(crate) fn keep(&mut self, order: (MarketId, OrderId), state: Box<Order>) {
        if self.young.len() == GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(order, state);
    }
}
