//! lobster: has no immediate-or-cancel, so that what is left of one is cancelled by a second call.

use lobster::{OrderBook, OrderEvent, OrderType, Side as TheirSide};

use super::Engine;
use workload::{Fill, Operation, Side};

pub struct Lobster {
    book: OrderBook,
}

impl Engine for Lobster {
    fn new() -> Self {
        Self { book: OrderBook::default() }
    }

    fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill)) {
        let id = u128::from(number);
        let event = match *operation {
            Operation::Limit { side, price, lots, .. } => {
                self.book.execute(OrderType::Limit { id, side: theirs(side), qty: lots, price })
            }
            Operation::Market { side, lots } => {
                self.book.execute(OrderType::Market { id, side: theirs(side), qty: lots })
            }
            Operation::Cancel { order } => {
                self.book.execute(OrderType::Cancel { id: order.into() })
            }
        };
        let is_filled = matches!(event, OrderEvent::Filled { .. });
        if let OrderEvent::Filled { fills: met, .. }
        | OrderEvent::PartiallyFilled { fills: met, .. } = event
        {
            for fill in met {
                let (maker, price, lots) = (fill.order_2 as u64, fill.price, fill.qty);
                fills(Fill { maker, taker: number, price, lots });
            }
        }
        if !is_filled && matches!(operation, Operation::Limit { rests: false, .. }) {
            self.book.execute(OrderType::Cancel { id });
        }
    }
}

fn theirs(side: Side) -> TheirSide {
    match side {
        Side::Buy => TheirSide::Bid,
        Side::Sell => TheirSide::Ask,
    }
}
