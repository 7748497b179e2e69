//! The market as plainly as it can be said: one unsorted list, searched for whatever is needed. Slow,
//! and the measure of the fast one. Written from the trading rules, not from the code.

mod auction;
mod commands;
mod matching;

use book::RestingOrder;
use types::*;

#[derive(Clone)]
pub struct Naive {
    pub def: MarketDef,
    scaling: Scaling,
    pub state: MarketState,
    last_order: u64,
    last_trade: u64,
    last_price: Option<Price>,
    orders: Vec<RestingOrder>,
    pending: Option<Pending>,
}

#[derive(Clone)]
enum Pending {
    Order(Incoming),
    Auction(Price),
}

/// An order on its way. `lots` or `quote` is what it still wants.
#[derive(Clone)]
struct Incoming {
    order: RestingOrder,
    kind: Kind,
    lots: u64,
    quote: u128,
    held: u128,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Rests,
    Immediate,
    ByLots,
    ByQuote,
}

impl Naive {
    pub fn new(def: MarketDef, scaling: Scaling) -> Self {
        Self {
            def,
            scaling,
            state: MarketState::Continuous,
            last_order: 0,
            last_trade: 0,
            last_price: None,
            orders: Vec::new(),
            pending: None,
        }
    }

    pub fn is_interrupted(&self) -> bool {
        self.pending.is_some()
    }

    /// Best price first, then the lower id: ids rise with time.
    pub fn queue(&self, side: Side) -> Vec<RestingOrder> {
        let mut queue = self.orders.clone();
        queue.retain(|o| o.side == side);
        queue.sort_by_key(|o| match side {
            Side::Buy => (u64::MAX - o.price.get(), o.id),
            Side::Sell => (o.price.get(), o.id),
        });
        queue
    }

    fn first(&self, side: Side) -> Option<RestingOrder> {
        let of_side = self.orders.iter().filter(|o| o.side == side);
        let key = |o: &&RestingOrder| match side {
            Side::Buy => (u64::MAX - o.price.get(), o.id),
            Side::Sell => (o.price.get(), o.id),
        };
        of_side.min_by_key(key).copied()
    }

    fn prices(&self) -> Vec<(Side, Price)> {
        let mut prices: Vec<_> = self.orders.iter().map(|o| (o.side, o.price)).collect();
        prices.sort();
        prices.dedup();
        prices
    }

    fn need(&self, side: Side, price: Price, lots: u64) -> u128 {
        let lots = u128::from(lots);
        match side {
            Side::Buy => {
                lots * u128::from(price.get()) * u128::from(self.scaling.quote_atoms_per_tick_lot)
            }
            Side::Sell => lots * u128::from(self.scaling.base_atoms_per_lot),
        }
    }

    fn per_lot(&self, price: Price) -> u128 {
        self.need(Side::Buy, price, 1)
    }

    fn reject(
        &self,
        reply: ReplyTo,
        request: RequestKind,
        account: AccountId,
        code: RejectCode,
        fx: &mut Effects,
    ) {
        fx.emit(Event::Rejected {
            reply,
            request,
            account,
            market: self.def.id,
            client_order_id: ClientOrderId::NONE,
            code,
        });
    }
}
fn close(order: &RestingOrder, left: u128, fx: &mut Effects) {
    fx.send(Message::Closed {
        account: order.account,
        hold: order.hold,
        order: order.id,
        release: Amount::new(left),
    });
}

impl Naive {
    fn amended(&self, order: &RestingOrder, amount: u128, fx: &mut Effects) {
        fx.send(Message::Amended {
            account: order.account,
            hold: order.hold,
            order: order.id,
            price: order.price,
            version: self.def.version,
            release: Amount::new(amount),
        });
    }
}

fn release(order: &RestingOrder, amount: u128, fx: &mut Effects) {
    if amount > 0 {
        fx.send(Message::Released {
            account: order.account,
            hold: order.hold,
            amount: Amount::new(amount),
        });
    }
}
