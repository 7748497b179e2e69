//! Retail traders: now and then an order near the touch or across it, and many looks at books and balances.

use super::{Agent, Scene, Turn};
use crate::request::{Read, Want};

/// Open orders beyond which the oldest is cancelled.
const PATIENCE: usize = 4;

impl Agent {
    pub(super) fn dabble(&mut self, scene: Scene, turn: &mut Turn) {
        let side = self.side();
        let lots = self.random.between(20, 500);
        let order = match self.random.below(10) {
            // At the market.
            0 => self.order(side, None, lots),
            // Across the touch.
            1 | 2 => {
                let mut order = self.order(side, Some(scene.opposite(side)), lots);
                order.immediate = self.random.one_in(2);
                order
            }
            _ => {
                let away = self.random.below(scene.width());
                self.order(side, Some(scene.behind(side, away)), lots)
            }
        };
        turn.wants.push(Want::Place(order));
        if self.open.len() > PATIENCE {
            let oldest = self.open.remove(0);
            turn.wants.push(Want::Cancel { order: oldest.id });
        }
        // Before and after they look.
        let reads = [
            Read::Balances,
            Read::OpenOrders,
            Read::Ticker,
            Read::Depth,
            Read::Balances,
            Read::Trades,
        ];
        turn.wants.push(Want::Read(self.random.pick(&reads)));
        if self.random.one_in(2) {
            turn.wants.push(Want::Read(self.random.pick(&reads)));
        }
    }
}
