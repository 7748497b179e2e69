//! A book that anybody can see to be right: prices in a sorted map, the orders of a price in a queue.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::flow::{Fill, Operation, Side};

/// Price-time priority, and nothing else.
#[derive(Default)]
pub struct NaiveBook {
    bids: BTreeMap<u64, VecDeque<(u64, u64)>>,
    asks: BTreeMap<u64, VecDeque<(u64, u64)>>,
    open: HashMap<u64, (Side, u64)>,
}

impl NaiveBook {
    /// Whether an order of this number rests.
    #[must_use]
    pub fn is_open(&self, order: u64) -> bool {
        self.open.contains_key(&order)
    }

    /// Whether there is anything for an order of this side to meet.
    #[must_use]
    pub fn can_meet(&self, side: Side) -> bool {
        match side {
            Side::Buy => !self.asks.is_empty(),
            Side::Sell => !self.bids.is_empty(),
        }
    }

    /// Does what is asked, for the order of this number if it is one, and adds what was filled.
    ///
    /// # Panics
    /// If an order is cancelled that is not open.
    pub fn apply(&mut self, number: u64, operation: &Operation, fills: &mut Vec<Fill>) {
        match *operation {
            Operation::Limit { side, price, lots, rests } => {
                let left = self.meet(number, side, Some(price), lots, fills);
                if left > 0 && rests {
                    self.side(side).entry(price).or_default().push_back((number, left));
                    self.open.insert(number, (side, price));
                }
            }
            Operation::Market { side, lots } => {
                self.meet(number, side, None, lots, fills);
            }
            Operation::Cancel { order } => {
                let (side, price) =
                    self.open.remove(&order).expect("only open orders are cancelled");
                let queue = self.side(side).get_mut(&price).expect("its price is there");
                queue.retain(|&(number, _)| number != order);
                if queue.is_empty() {
                    self.side(side).remove(&price);
                }
            }
        }
    }

    fn side(&mut self, side: Side) -> &mut BTreeMap<u64, VecDeque<(u64, u64)>> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Meets the other side, best price first, oldest first. Gives what is left.
    fn meet(
        &mut self,
        taker: u64,
        side: Side,
        limit: Option<u64>,
        mut left: u64,
        fills: &mut Vec<Fill>,
    ) -> u64 {
        while left > 0 {
            let (best, others) = match side {
                Side::Buy => (self.asks.first_entry(), limit.unwrap_or(u64::MAX)),
                Side::Sell => (self.bids.last_entry(), limit.unwrap_or(0)),
            };
            let Some(mut level) = best else { break };
            let price = *level.key();
            let meets = if side == Side::Buy { price <= others } else { price >= others };
            if !meets {
                break;
            }
            let queue = level.get_mut();
            let (maker, open) = queue.front_mut().expect("no level is empty");
            let lots = left.min(*open);
            fills.push(Fill { maker: *maker, taker, price, lots });
            (*open, left) = (*open - lots, left - lots);
            if *open == 0 {
                self.open.remove(maker);
                queue.pop_front();
            }
            if queue.is_empty() {
                level.remove();
            }
        }
        left
    }
}
