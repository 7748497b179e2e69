//! The book as the events tell it: every resting order in its queue.
//!
//! It is kept from [`Event`]s alone, simple and slow, and knows each order by the name that the
//! recording gave it. It complains when events contradict it (an order it does not know, a trade that
//! passes over an earlier order), which makes it a second opinion on priority.

use std::collections::{BTreeMap, HashMap, VecDeque};

use types::{Event, OrderId, Price, Quantity, Side, Trade};

use crate::session::{LevelRow, RestingRow};

/// Both sides with their queues.
#[derive(Default)]
pub struct Mirror {
    bids: BTreeMap<Price, VecDeque<OrderId>>,
    asks: BTreeMap<Price, VecDeque<OrderId>>,
    orders: HashMap<OrderId, RestingRow>,
    by_name: HashMap<u64, OrderId>,
    /// What was filled of resting orders that were touched, also under earlier ids.
    filled: HashMap<OrderId, Quantity>,
    /// The order that entered last: what was filled of it before, and what it brought.
    entering: Option<Entering>,
}

#[derive(Clone, Copy)]
struct Entering {
    order: OrderId,
    filled: Quantity,
    quantity: Quantity,
}

/// A resting order.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its id.
    pub order: OrderId,
    /// What it is.
    pub row: RestingRow,
    /// What was filled of it, also under earlier ids.
    pub filled: Quantity,
}

impl Mirror {
    /// Takes in one event. `name` is the recorded id of the order that the current input is about.
    ///
    /// # Errors
    /// What in the event contradicts the book.
    pub fn apply(&mut self, event: &Event, name: u64) -> Result<(), String> {
        match *event {
            Event::OrderPlaced { order, spec, .. } => {
                self.entering = Some(Entering {
                    order,
                    filled: Quantity::ZERO,
                    quantity: spec.quantity().unwrap_or_default(),
                });
            }
            Event::OrderRested { order, side, price, quantity, .. } => {
                let row = RestingRow { id: name, side, price, quantity };
                self.rest(order, row);
            }
            Event::Trade(trade) => self.trade(&trade)?,
            Event::OrderCancelled { order, remaining, .. } => self.cancelled(order, remaining)?,
            Event::OrderReduced { order, remaining, .. } => match self.orders.get_mut(&order) {
                Some(resting) => resting.quantity = remaining,
                None => return Err(format!("order {order} was reduced but does not rest")),
            },
            Event::OrderReplaced { old_order, order, quantity, .. } => {
                self.entering = Some(Entering { order, filled: self.filled(old_order), quantity });
                self.remove(old_order);
            }
            _ => {}
        }
        Ok(())
    }

    /// The order that rests under a recorded id.
    pub fn find(&self, name: u64) -> Option<Found> {
        let order = *self.by_name.get(&name)?;
        Some(Found { order, row: self.orders[&order], filled: self.filled(order) })
    }

    /// The recorded id of a resting order.
    pub fn name(&self, order: OrderId) -> Option<u64> {
        self.orders.get(&order).map(|resting| resting.id)
    }

    /// The best `depth` levels of a side, best first.
    pub fn levels(&self, side: Side, depth: usize) -> Vec<LevelRow> {
        let queues: Vec<_> = self.queues(side).take(depth).collect();
        queues.into_iter().map(|(price, q)| self.level(price, q)).collect()
    }

    /// Quantity of all orders of a side.
    pub fn total(&self, side: Side) -> u128 {
        let of_side = self.orders.values().filter(|resting| resting.side == side);
        of_side.map(|resting| u128::from(resting.quantity.get())).sum()
    }

    /// The orders of a side by priority.
    pub fn by_priority(&self, side: Side) -> impl Iterator<Item = RestingRow> + '_ {
        self.queues(side).flat_map(|(_, queue)| queue).map(|order| self.orders[order])
    }

    /// The orders at one price by age.
    pub fn at(&self, side: Side, price: Price) -> Vec<RestingRow> {
        let queue = self.side(side).get(&price).into_iter().flatten();
        queue.map(|order| self.orders[order]).collect()
    }

    /// The best prices if they are crossed or locked.
    pub fn crossed(&self) -> Option<(Price, Price)> {
        let (bid, ask) = (self.best(Side::Buy)?, self.best(Side::Sell)?);
        (bid >= ask).then_some((bid, ask))
    }

    fn best(&self, side: Side) -> Option<Price> {
        self.queues(side).next().map(|(price, _)| price)
    }

    fn side(&self, side: Side) -> &BTreeMap<Price, VecDeque<OrderId>> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Price, VecDeque<OrderId>> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The queues of a side, best price first.
    fn queues(&self, side: Side) -> Box<dyn Iterator<Item = (Price, &VecDeque<OrderId>)> + '_> {
        let queues = self.side(side).iter().map(|(&price, queue)| (price, queue));
        match side {
            Side::Buy => Box::new(queues.rev()),
            Side::Sell => Box::new(queues),
        }
    }

    fn level(&self, price: Price, queue: &VecDeque<OrderId>) -> LevelRow {
        let mut quantity = Quantity::ZERO;
        for order in queue {
            quantity += self.orders[order].quantity;
        }
        LevelRow { price, quantity, orders: Some(queue.len() as u64) }
    }

    fn filled(&self, order: OrderId) -> Quantity {
        self.filled.get(&order).copied().unwrap_or_default()
    }

    fn rest(&mut self, order: OrderId, row: RestingRow) {
        if let Some(entering) = self.entering.take().filter(|e| e.order == order) {
            let filled = entering.filled + entering.quantity.saturating_sub(row.quantity);
            if !filled.is_zero() {
                self.filled.insert(order, filled);
            }
        }
        self.side_mut(row.side).entry(row.price).or_default().push_back(order);
        self.by_name.insert(row.id, order);
        self.orders.insert(order, row);
    }

    fn remove(&mut self, order: OrderId) -> Option<RestingRow> {
        let row = self.orders.remove(&order)?;
        self.filled.remove(&order);
        if self.by_name.get(&row.id) == Some(&order) {
            self.by_name.remove(&row.id);
        }
        let levels = self.side_mut(row.side);
        let queue = levels.get_mut(&row.price).expect("a resting order has a level");
        let at = queue.iter().position(|&o| o == order);
        queue.remove(at.expect("a resting order stands in its queue"));
        if queue.is_empty() {
            levels.remove(&row.price);
        }
        Some(row)
    }

    /// The remainder of an order that never rested is no business of the book's.
    fn cancelled(&mut self, order: OrderId, remaining: Quantity) -> Result<(), String> {
        match self.remove(order) {
            Some(row) if row.quantity != remaining => Err(format!(
                "order {} was cancelled with {remaining} left where the book has {}",
                row.id, row.quantity
            )),
            _ => Ok(()),
        }
    }

    /// Both sides in an auction, the maker alone otherwise: the taker is not in the book.
    fn trade(&mut self, trade: &Trade) -> Result<(), String> {
        let sides = [(Side::Buy, trade.buyer.order), (Side::Sell, trade.seller.order)];
        for (side, order) in sides {
            if trade.aggressor != Some(side) {
                self.fill(side, order, trade.quantity)?;
            }
        }
        Ok(())
    }

    fn fill(&mut self, side: Side, order: OrderId, quantity: Quantity) -> Result<(), String> {
        let first = self.queues(side).next().and_then(|(_, queue)| queue.front());
        if first != Some(&order) {
            return Err(format!("a trade took order {order} before its turn"));
        }
        let resting = self.orders.get_mut(&order).expect("the first of a queue");
        let Some(left) = resting.quantity.checked_sub(quantity) else {
            return Err(format!("a trade took more of order {order} than it had"));
        };
        resting.quantity = left;
        *self.filled.entry(order).or_default() += quantity;
        if left.is_zero() {
            self.remove(order);
        }
        Ok(())
    }
}
