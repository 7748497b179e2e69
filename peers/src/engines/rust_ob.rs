//! rust_ob: prices and quantities are decimals; tells what each order got and paid. Has no
//! immediate-or-cancel, so that what is left of one is cancelled by a second call.

use rust_ob::{Decimal, OrderBook, OrderMatch, Side as TheirSide};

use super::Engine;
use workload::{Fill, Operation, Side};

pub struct RustOb {
    book: OrderBook<u64>,
}

impl Engine for RustOb {
    fn new() -> Self {
        Self { book: OrderBook::new() }
    }

    fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill)) {
        let met: Vec<OrderMatch<u64>> = match *operation {
            Operation::Limit { side, price, lots, rests } => {
                let (price, lots) = (Decimal::from(price), Decimal::from(lots));
                let met = self
                    .book
                    .process_limit_order(number, theirs(side), price, lots)
                    .expect("a new order");
                if !rests {
                    // It is not there if it was filled.
                    let _ = self.book.cancel_order(number);
                }
                met
            }
            Operation::Market { side, lots } => self
                .book
                .process_market_order(number, theirs(side), Decimal::from(lots))
                .expect("a new order"),
            Operation::Cancel { order } => {
                self.book.cancel_order(order).expect("it is open");
                return;
            }
        };
        // The last one is the taker's own.
        for one in &met[..met.len().saturating_sub(1)] {
            let price = (one.cost / one.quantity).abs();
            let whole = |value: Decimal| u64::try_from(value).expect("whole ticks and lots");
            fills(Fill {
                maker: one.order,
                taker: number,
                price: whole(price),
                lots: whole(one.quantity),
            });
        }
    }
}

fn theirs(side: Side) -> TheirSide {
    match side {
        Side::Buy => TheirSide::Buy,
        Side::Sell => TheirSide::Sell,
    }
}
