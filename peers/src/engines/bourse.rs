//! bourse-book: tells fills by a list of all trades, which grows; has no immediate-or-cancel, so that what is
//! left of one is cancelled by a second call.

use bourse_book::OrderBook;
use bourse_book::types::Side as TheirSide;

use super::Engine;
use workload::{Fill, Operation, Side};

pub struct Bourse {
    book: OrderBook,
    seen: usize,
}

impl Engine for Bourse {
    fn new() -> Self {
        Self { book: OrderBook::new(0, 1, true), seen: 0 }
    }

    fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill)) {
        // Time is what it orders equal prices by.
        self.book.set_time(number);
        // Their ids count from zero in the order of creation, as our numbers do from one.
        let mut place = |side, lots, price: Option<u64>| {
            let price = price.map(|price| price as u32);
            let lots = lots as u32;
            self.book.create_and_place_order(theirs(side), lots, 1, price).expect("ticks are whole")
        };
        match *operation {
            Operation::Limit { side, price, lots, rests } => {
                let order = place(side, lots, Some(price));
                if !rests {
                    self.book.cancel_order(order);
                }
            }
            Operation::Market { side, lots } => {
                place(side, lots, None);
            }
            Operation::Cancel { order } => self.book.cancel_order(order as usize - 1),
        }
        let trades = self.book.get_trades();
        for trade in &trades[self.seen..] {
            fills(Fill {
                maker: trade.passive_order_id as u64 + 1,
                taker: trade.active_order_id as u64 + 1,
                price: trade.price.into(),
                lots: trade.vol.into(),
            });
        }
        self.seen = trades.len();
    }
}

fn theirs(side: Side) -> TheirSide {
    match side {
        Side::Buy => TheirSide::Bid,
        Side::Sell => TheirSide::Ask,
    }
}
