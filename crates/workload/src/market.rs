//! Ours: a market with its rules, all events and messages out.

use book::{Market, Work};
use types::{
    AccountId, Admit, Amount, BoxedConditions, CancelCause, ClientOrderId, Effects, Event,
    FeeRates, HoldId, MarketId, OrderId, OrderSpec, Price, Quantity, ReplyTo, Scaling,
    SelfTradePrevention,
};

use crate::flow::{Fill, Operation, Side};
use crate::requests::{definition, limit, market};

const OWNER: AccountId = AccountId(1);

/// One market of the exchange without a ledger: orders are admitted as if their funds were held.
pub struct OurBook {
    market: Market,
    fx: Effects,
    admit: Admit,
}

impl Default for OurBook {
    fn default() -> Self {
        let scaling = Scaling { quote_atoms_per_tick_lot: 10, base_atoms_per_lot: 1_000 };
        Self { market: Market::new(definition(), scaling), fx: Effects::default(), admit: admit() }
    }
}

impl OurBook {
    /// Does what is asked, for the order of this number if it is one, and tells each fill.
    pub fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill)) {
        self.fx.clear();
        match *operation {
            Operation::Limit { side, price, lots, rests } => {
                self.admit(side, limit(price, lots, rests), price, lots);
            }
            Operation::Market { side, lots } => self.admit(side, market(lots), 1 << 40, lots),
            Operation::Cancel { order } => {
                self.market.cancel(
                    ReplyTo::new(1, 1),
                    OWNER,
                    OrderId(order),
                    CancelCause::Client,
                    &mut self.fx,
                );
            }
        }
        while self.market.is_interrupted() {
            self.market.resume(&mut Work { remaining: 4_096 }, &mut self.fx);
        }
        for event in self.fx.events.iter() {
            if let Event::Trade(trade) = event {
                let (buyer, seller) = (trade.buyer.order.0, trade.seller.order.0);
                let maker = if buyer == number { seller } else { buyer };
                fills(Fill {
                    maker,
                    taker: number,
                    price: trade.price.get(),
                    lots: trade.quantity.get(),
                });
            }
        }
    }

    /// `price`: what a buyer pays at most, so that its hold suffices. Always inlined, so that the order is made where
    /// it stays and is not copied.
    #[inline(always)]
    fn admit(&mut self, side: Side, spec: OrderSpec, price: u64, lots: u64) {
        let side = side.into();
        let budget = self.market.scaling().need(side, Price::new(price), Quantity::new(lots));
        (self.admit.side, self.admit.spec, self.admit.budget) = (side, spec, budget);
        self.market.admit(&self.admit, &mut Work { remaining: 4_096 }, &mut self.fx);
    }
}

fn admit() -> Admit {
    Admit {
        reply: ReplyTo::new(1, 1),
        account: OWNER,
        self_trade_group: 1,
        hold: HoldId(0),
        budget: Amount::ZERO,
        fees: FeeRates::default(),
        market: MarketId(1),
        version: 1,
        client_order_id: ClientOrderId::NONE,
        side: types::Side::Buy,
        spec: market(1),
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    }
}
