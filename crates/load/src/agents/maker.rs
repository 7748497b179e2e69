//! Market makers: quotes on both sides of the touch, the farthest of which goes when a new one comes.

use types::Side;

use super::{Agent, Scene, Turn};
use crate::request::Want;

/// Quotes that a maker keeps.
const QUOTES: usize = 16;

impl Agent {
    pub(super) fn make(&mut self, scene: Scene, turn: &mut Turn) {
        let side = self.wanting_side();
        // Near the touch more often than far from it; one in eight improves it, if there is room.
        let width = scene.width();
        let away = self.random.below(width).min(self.random.below(width));
        let ticks = match (self.random.one_in(8) && scene.ask - scene.bid > 1, side) {
            (true, Side::Buy) => scene.bid + 1,
            (true, Side::Sell) => scene.ask - 1,
            (false, _) => scene.behind(side, away),
        };
        let lots = self.random.between(500, 5_000);
        let mut order = self.order(side, Some(ticks), lots);
        order.post_only = self.random.one_in(2);
        match self.give_up_quote(scene) {
            Some(cancel) if self.random.one_in(4) => {
                turn.wants.push(Want::Replace { cancel, order });
            }
            Some(cancel) => {
                turn.wants.push(Want::Cancel { order: cancel });
                turn.wants.push(Want::Place(order));
            }
            None => turn.wants.push(Want::Place(order)),
        }
    }

    /// The side that has fewer quotes.
    fn wanting_side(&mut self) -> Side {
        let bids = self.open.iter().filter(|quote| quote.side == Side::Buy).count();
        match bids.cmp(&(self.open.len() - bids)) {
            std::cmp::Ordering::Less => Side::Buy,
            std::cmp::Ordering::Greater => Side::Sell,
            std::cmp::Ordering::Equal => self.side(),
        }
    }

    /// Takes the quote that is farthest from the touch out of its list, if there are enough.
    fn give_up_quote(&mut self, scene: Scene) -> Option<u64> {
        if self.open.len() < QUOTES {
            return None;
        }
        let distance = |quote: &super::Quote| match quote.side {
            Side::Buy => scene.bid.abs_diff(quote.ticks),
            Side::Sell => scene.ask.abs_diff(quote.ticks),
        };
        let quotes = self.open.iter().enumerate();
        let farthest = quotes.max_by_key(|(_, quote)| distance(quote))?.0;
        Some(self.open.remove(farthest).id)
    }
}
