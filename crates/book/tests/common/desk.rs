//! A trading desk: a market with the effects of the last command, in few words.

use book::{Market, Work};
use types::*;

use super::{SCALING, admit, definition, limit};

pub struct Desk {
    pub market: Market,
    pub fx: Effects,
    next_hold: u32,
}

impl Desk {
    pub fn new() -> Self {
        Self::bounded(MarketBounds::default())
    }

    pub fn bounded(bounds: MarketBounds) -> Self {
        let def = definition(1_000_000, 1_000_000, bounds);
        Self { market: Market::new(def, SCALING), fx: Effects::default(), next_hold: 1 }
    }

    /// Everyone is an account of its own, so that nobody trades with himself.
    pub fn place(&mut self, side: Side, spec: OrderSpec) {
        self.place_with(side, spec, Conditions::NONE);
    }

    pub fn place_with(&mut self, side: Side, spec: OrderSpec, conditions: Conditions) {
        self.send(&self.admission(side, spec, conditions));
    }

    pub fn admission(&self, side: Side, spec: OrderSpec, conditions: Conditions) -> Admit {
        Admit { conditions: conditions.into(), ..admit(self.next_hold, self.next_hold, side, spec) }
    }

    pub fn send(&mut self, admit: &Admit) {
        self.send_with(admit, 1_000);
    }

    pub fn send_with(&mut self, admit: &Admit, work: u32) {
        self.next_hold += 1;
        let mut work = Work { remaining: work };
        self.fx = Effects::default();
        self.market.admit(admit, &mut work, &mut self.fx);
    }

    pub fn rest(&mut self, side: Side, price: u64, quantity: u64) {
        self.place(side, limit(price, quantity, TimeInForce::Gtc));
    }

    pub fn state(&mut self, state: MarketState) {
        self.state_with(state, 1_000);
    }

    pub fn state_with(&mut self, state: MarketState, work: u32) {
        self.fx = Effects::default();
        let mut work = Work { remaining: work };
        let reply = ReplyTo::new(1, 1);
        self.market.set_state(reply, state, &mut work, &mut self.fx);
    }

    pub fn amend(&mut self, amendment: &AmendOrder) {
        self.fx = Effects::default();
        self.market.amend(amendment, &mut Work { remaining: 1_000 }, &mut self.fx);
    }

    /// The market goes through its bytes and back, which must change nothing.
    pub fn reload(&mut self) {
        let bytes = borsh::to_vec(&self.market).unwrap();
        self.market = borsh::from_slice(&bytes).unwrap();
        assert_eq!(borsh::to_vec(&self.market).unwrap(), bytes);
    }

    pub fn cancel(&mut self, account: u32, order: u64) {
        self.fx = Effects::default();
        let (account, order) = (AccountId(account), OrderId(order));
        let (reply, cause) = (ReplyTo::new(1, 1), CancelCause::Client);
        self.market.cancel(reply, account, order, cause, &mut self.fx);
    }

    pub fn timers(&mut self, now: u64) {
        self.fx = Effects::default();
        let mut work = Work { remaining: 1_000 };
        self.market.set_time(Timestamp(now));
        self.market.fire_timers(&mut work, &mut self.fx);
    }

    pub fn resume(&mut self, work: u32) {
        self.fx = Effects::default();
        self.market.resume(&mut Work { remaining: work }, &mut self.fx);
    }

    /// Price and lots of each trade of the last command.
    pub fn trades(&self) -> Vec<(u64, u64)> {
        let trades = self.fx.events.iter().filter_map(|event| match event {
            Event::Trade(trade) => Some((trade.price.get(), trade.quantity.get())),
            _ => None,
        });
        trades.collect()
    }

    pub fn fills(&self) -> Vec<Fill> {
        let fills = self.fx.messages.iter().filter_map(|message| match message {
            Message::Filled { fill, .. } => Some(*fill),
            _ => None,
        });
        fills.collect()
    }

    /// Order id and release of each hold that the last command closed.
    pub fn closed(&self) -> Vec<(u64, u128)> {
        let closed = self.fx.messages.iter().filter_map(|message| match message {
            Message::Closed { order, release, .. } => Some((order.0, release.get())),
            _ => None,
        });
        closed.collect()
    }

    /// Price and lots that the last auction announced.
    pub fn uncrossed(&self) -> Option<(u64, u64)> {
        self.fx.events.iter().find_map(|event| match event {
            Event::AuctionUncrossed { price, quantity, .. } => Some((price.get(), quantity.get())),
            _ => None,
        })
    }

    pub fn rejection(&self) -> Option<RejectCode> {
        match self.fx.events[..] {
            [Event::Rejected { code, .. }] => Some(code),
            _ => None,
        }
    }
}
