//! orderbook-rs, made for many threads. What an immediate-or-cancel order that is not filled got is told
//! to a listener only, so all is read from there.

use std::sync::{Arc, Mutex};

use orderbook_rs::{OrderBook, TradeListener};
use pricelevel::{Id, Side as TheirSide, TimeInForce, Trade};

use super::Engine;
use workload::{Fill, Operation, Side};

pub struct OrderbookRs {
    book: OrderBook<()>,
    told: Arc<Mutex<Vec<Fill>>>,
}

impl Engine for OrderbookRs {
    fn new() -> Self {
        let told: Arc<Mutex<Vec<Fill>>> = Arc::default();
        let into = Arc::clone(&told);
        let listener: TradeListener = Arc::new(move |result| {
            let trades = result.match_result.trades().as_vec();
            into.lock().expect("one thread").extend(trades.iter().map(fill));
        });
        Self { book: OrderBook::with_trade_listener("BTC-USDT", listener), told }
    }

    fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill)) {
        let id = Id::Sequential(number);
        match *operation {
            Operation::Limit { side, price, lots, rests } => {
                let time_in_force = if rests { TimeInForce::Gtc } else { TimeInForce::Ioc };
                // An immediate-or-cancel order that is not filled is an error there.
                let _ = self.book.add_limit_order(
                    id,
                    price.into(),
                    lots,
                    theirs(side),
                    time_in_force,
                    None,
                );
            }
            Operation::Market { side, lots } => {
                let _ = self.book.submit_market_order(id, lots, theirs(side));
            }
            Operation::Cancel { order } => {
                let _ = self.book.cancel_order(Id::Sequential(order));
            }
        }
        self.told.lock().expect("one thread").drain(..).for_each(fills);
    }
}

fn fill(trade: &Trade) -> Fill {
    let number = |id| match id {
        Id::Sequential(number) => number,
        other => panic!("no number: {other}"),
    };
    Fill {
        maker: number(trade.maker_order_id()),
        taker: number(trade.taker_order_id()),
        price: u64::try_from(trade.price().as_u128()).expect("prices are small"),
        lots: trade.quantity().as_u64(),
    }
}

fn theirs(side: Side) -> TheirSide {
    match side {
        Side::Buy => TheirSide::Buy,
        Side::Sell => TheirSide::Sell,
    }
}
