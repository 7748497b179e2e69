//! matchcore: gives orders ids of its own.

use std::collections::HashMap;

use matchcore::{
    CancelCmd, Command, CommandKind, CommandMeta, CommandOutcome, CommandReport, LimitOrder,
    MarketOrder, NewOrder, OrderBook, OrderFlags, OrderId, OrderKind, Price, Quantity,
    QuantityPolicy, SequenceNumber, Side as TheirSide, SubmitCmd, TimeInForce, Timestamp,
};

use super::Engine;
use workload::{Fill, Operation, Side};

pub struct Matchcore {
    book: OrderBook,
    commands: u64,
    /// Their ids by our numbers; the number 0 is nobody's.
    ids: Vec<OrderId>,
    /// And back. Only fills ask.
    numbers: HashMap<OrderId, u64>,
}

impl Engine for Matchcore {
    fn new() -> Self {
        Self {
            book: OrderBook::new("BTC-USDT"),
            commands: 0,
            ids: vec![OrderId(0)],
            numbers: HashMap::new(),
        }
    }

    fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill)) {
        let kind = match *operation {
            Operation::Limit { side, price, lots, rests } => {
                let time_in_force = if rests { TimeInForce::Gtc } else { TimeInForce::Ioc };
                let quantity_policy = QuantityPolicy::Standard { quantity: Quantity(lots) };
                let flags = OrderFlags::new(theirs(side), false, time_in_force);
                let order = NewOrder::Limit(LimitOrder::new(Price(price), quantity_policy, flags));
                CommandKind::Submit(SubmitCmd { order })
            }
            Operation::Market { side, lots } => {
                let order = NewOrder::Market(MarketOrder::new(Quantity(lots), theirs(side), false));
                CommandKind::Submit(SubmitCmd { order })
            }
            Operation::Cancel { order } => {
                let order_id = self.ids[order as usize];
                CommandKind::Cancel(CancelCmd { order_id, order_kind: OrderKind::Limit })
            }
        };
        let meta = CommandMeta {
            sequence_number: SequenceNumber(self.commands),
            timestamp: Timestamp(self.commands),
        };
        self.commands += 1;
        match self.book.execute(&Command { meta, kind }) {
            CommandOutcome::Applied(CommandReport::Submit(effects)) => {
                let order = effects.target_order();
                self.ids.push(order.order_id());
                self.numbers.insert(order.order_id(), number);
                for trade in order.match_result().iter().flat_map(|met| met.trades()) {
                    let maker = self.numbers[&trade.maker_order_id()];
                    fills(Fill {
                        maker,
                        taker: number,
                        price: trade.price().0,
                        lots: trade.quantity().0,
                    });
                }
            }
            // An immediate-or-cancel order that meets nothing is refused. Any other refusal shows in the fills.
            CommandOutcome::Rejected(_) if !matches!(operation, Operation::Cancel { .. }) => {
                self.ids.push(OrderId(u64::MAX));
            }
            CommandOutcome::Applied(_) | CommandOutcome::Rejected(_) => {}
        }
    }
}

fn theirs(side: Side) -> TheirSide {
    match side {
        Side::Buy => TheirSide::Buy,
        Side::Sell => TheirSide::Sell,
    }
}
