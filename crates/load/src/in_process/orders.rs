//! Open orders and the touch, kept from events.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use types::{Event, OrderId, Side, TradeSide};

use super::requests::user;
use crate::book::Touch;

/// An order in the book.
struct Resting {
    user: usize,
    side: Side,
    ticks: u64,
}

/// All orders in the book, and the levels that they make.
#[derive(Default)]
pub(super) struct Orders {
    resting: HashMap<u64, Resting>,
    /// Orders at each price: bids, asks.
    levels: [BTreeMap<u64, u32>; 2],
}

impl Orders {
    /// Takes in what happened. Gives user and order if one left the book.
    pub(super) fn apply(&mut self, event: &Event) -> Option<(usize, u64)> {
        match event {
            Event::OrderRested { order, account, side, price, .. } => {
                let resting = Resting { user: user(*account), side: *side, ticks: price.get() };
                *self.level(&resting).or_default() += 1;
                self.resting.insert(order.0, resting);
                None
            }
            Event::OrderCancelled { order, .. } => self.end(*order),
            Event::Trade(trade) => {
                // No more than one of them was in the book: there are no auctions.
                let buyer = self.fill(&trade.buyer);
                buyer.or_else(|| self.fill(&trade.seller))
            }
            _ => None,
        }
    }

    pub(super) fn touch(&self) -> Touch {
        let [bids, asks] = &self.levels;
        Touch {
            bid: bids.last_key_value().map(|(ticks, _)| *ticks),
            ask: asks.first_key_value().map(|(ticks, _)| *ticks),
        }
    }

    fn fill(&mut self, side: &TradeSide) -> Option<(usize, u64)> {
        if side.remaining.get() == 0 { self.end(side.order) } else { None }
    }

    fn end(&mut self, order: OrderId) -> Option<(usize, u64)> {
        let resting = self.resting.remove(&order.0)?;
        if let Entry::Occupied(mut level) = self.level(&resting) {
            *level.get_mut() -= 1;
            if *level.get() == 0 {
                level.remove();
            }
        }
        Some((resting.user, order.0))
    }

    fn level(&mut self, order: &Resting) -> Entry<'_, u64, u32> {
        let levels = &mut self.levels[usize::from(order.side == Side::Sell)];
        levels.entry(order.ticks)
    }
}
