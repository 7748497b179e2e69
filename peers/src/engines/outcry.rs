//! Ours: a market with its rules, all events and messages out.

use book::{Market, Work};
use types::{
    AccountId, Admit, Amount, AssetId, BoxedConditions, CancelCause, ClientOrderId, Decimal,
    Effects, Event, FeeRates, HoldId, MarketBounds, MarketDef, MarketId, OrderId, OrderSpec,
    PartitionId, Price, Quantity, ReplyTo, Scaling, SelfTradePrevention, TimeInForce,
};

use super::Engine;
use crate::workload::{Fill, Operation, Side};

const OWNER: AccountId = AccountId(1);

pub struct Outcry {
    market: Market,
    fx: Effects,
    admit: Admit,
}

impl Engine for Outcry {
    fn new() -> Self {
        let scaling = Scaling { quote_atoms_per_tick_lot: 10, base_atoms_per_lot: 1_000 };
        Self { market: Market::new(definition(), scaling), fx: Effects::default(), admit: admit() }
    }

    fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill)) {
        self.fx.clear();
        match *operation {
            Operation::Limit { side, price, lots, rests } => {
                let spec = OrderSpec::Limit {
                    price: Price::new(price),
                    quantity: Quantity::new(lots),
                    time_in_force: if rests { TimeInForce::Gtc } else { TimeInForce::Ioc },
                    post_only: false,
                };
                self.admit(side, spec, price, lots);
            }
            Operation::Market { side, lots } => {
                let spec =
                    OrderSpec::MarketByQuantity { quantity: Quantity::new(lots), max_spend: None };
                self.admit(side, spec, 1 << 40, lots);
            }
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
        for event in &self.fx.events {
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
}

impl Outcry {
    /// `price`: what a buyer pays at most, so that its hold suffices.
    fn admit(&mut self, side: Side, spec: OrderSpec, price: u64, lots: u64) {
        let (side, budget) = match side {
            Side::Buy => {
                let pays = self.market.scaling().notional(Price::new(price), Quantity::new(lots));
                (types::Side::Buy, pays)
            }
            Side::Sell => (types::Side::Sell, self.market.scaling().base(Quantity::new(lots))),
        };
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
        spec: OrderSpec::MarketByQuantity { quantity: Quantity::new(1), max_spend: None },
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    }
}

fn definition() -> MarketDef {
    MarketDef {
        id: MarketId(1),
        symbol: "BTC-USDT".into(),
        base: AssetId(1),
        quote: AssetId(2),
        tick: Decimal::new(1, 2),
        lot: Decimal::new(1, 5),
        max_price: Price::new(1_000_000_000),
        max_quantity: Quantity::new(1_000_000_000),
        bounds: MarketBounds { max_orders: 10_000_000, ..MarketBounds::default() },
        home: PartitionId(0),
        version: 1,
    }
}
