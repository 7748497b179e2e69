//! Bots: bursts of orders or reads at once, orders that the exchange must refuse, subscriptions that come and go.

use super::{Agent, Scene, Turn};
use crate::request::{Read, Want};

/// Orders of a turn, on average.
pub(super) const ORDERS_A_TURN: f64 = 7.2;
/// Open orders that survive a burst.
const KEPT: usize = 8;

impl Agent {
    pub(super) fn run_bot(&mut self, scene: Scene, turn: &mut Turn) {
        turn.churns = self.random.one_in(8);
        // Nine of ten turns are a burst of eight orders, the others of as many reads.
        if self.random.one_in(10) {
            let reads = [Read::Depth, Read::Trades, Read::OpenOrders];
            let read = self.random.pick(&reads);
            turn.wants.extend((0..8).map(|_| Want::Read(read)));
            return;
        }
        for _ in 0..8 {
            let side = self.side();
            let lots = self.random.between(10, 1_000);
            let order = match self.random.below(10) {
                // Made to be refused.
                0 => {
                    let mut order = self.order(side, Some(scene.behind(side, 10)), lots);
                    order.probe = true;
                    order
                }
                // Snipes what stands at the touch.
                1..=4 => {
                    let mut order = self.order(side, Some(scene.opposite(side)), lots);
                    order.immediate = true;
                    order
                }
                _ => {
                    let away = self.random.below(scene.width());
                    self.order(side, Some(scene.behind(side, away)), lots)
                }
            };
            turn.wants.push(Want::Place(order));
        }
        while self.open.len() > KEPT {
            let oldest = self.open.remove(0);
            turn.wants.push(Want::Cancel { order: oldest.id });
        }
    }
}
