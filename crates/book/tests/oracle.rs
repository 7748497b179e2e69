//! The market against the naive one: the same random commands must give the same events, messages
//! and books, and each hold must come out even to the atom.

use std::collections::BTreeMap;

use crate::common::{Random, SCALING, VERSION, admit, amend, budget, definition};
use crate::naive::Naive;
use book::{LevelView, Market, Work};
use types::*;

/// What kind of trading is driven.
struct Flow {
    max_price: u64,
    max_quantity: u64,
    bounds: MarketBounds,
    /// Prices lie within this distance of a centre that sometimes jumps.
    spread: u64,
    /// Largest work budget of a command.
    work: u64,
    /// How many accounts trade. The last two belong to one group.
    accounts: u32,
    /// How many of a hundred prices are on the side's own half of the range, so that books grow.
    passive: u64,
}

/// Content of each hold, by what the messages say.
#[derive(Default)]
struct Holds(BTreeMap<HoldId, Amount>);

impl Holds {
    fn apply(&mut self, message: &Message) {
        match *message {
            Message::Filled { fill, .. } => {
                *self.0.get_mut(&fill.hold).unwrap() -= fill.debit + fill.release;
            }
            Message::Released { hold, amount, .. } => {
                assert!(!amount.is_zero());
                *self.0.get_mut(&hold).unwrap() -= amount;
            }
            Message::Amended { hold, release, .. } => {
                *self.0.get_mut(&hold).unwrap() -= release;
            }
            Message::Closed { hold, release, .. } => {
                assert_eq!(self.0.remove(&hold), Some(release), "what is left is released");
            }
            Message::Refused { hold, .. } => {
                self.0.remove(&hold).unwrap();
            }
            Message::Rested { .. } | Message::Resume { .. } => {}
            ref other => panic!("a market does not send {other:?}"),
        }
    }
}

struct Session {
    seed: u64,
    flow: Flow,
    random: Random,
    market: Market,
    naive: Naive,
    holds: Holds,
    next_hold: u32,
    centre: u64,
    interruptions: u64,
    most_orders: usize,
    trades: u64,
    /// How often each reject code and cancel cause was seen.
    seen: BTreeMap<String, u64>,
}

impl Session {
    fn new(seed: u64, flow: Flow) -> Self {
        let def = definition(flow.max_price, flow.max_quantity, flow.bounds);
        Self {
            seed,
            random: Random(seed),
            market: Market::new(def.clone(), SCALING),
            naive: Naive::new(def, SCALING),
            holds: Holds::default(),
            next_hold: 1,
            centre: flow.max_price / 2,
            interruptions: 0,
            most_orders: 0,
            trades: 0,
            seen: BTreeMap::new(),
            flow,
        }
    }

    fn run(&mut self, commands: u32) {
        println!("seed {}", self.seed);
        for step in 0..commands {
            self.step(step);
            if self.random.below(400) == 0 {
                self.restore();
            }
        }
        let orders = self.most_orders;
        println!("{} trades, up to {orders} orders, {:?}", self.trades, self.seen);
        assert!(self.trades > 1_000, "only {} trades", self.trades);
    }

    fn step(&mut self, step: u32) {
        let mut fast = Effects::default();
        let mut slow = Effects::default();
        let mut work = Work { remaining: self.random.below(self.flow.work + 1) as u32 };
        let mut slow_work = work;
        let what = if self.naive.is_interrupted() {
            self.interruptions += 1;
            self.market.resume(&mut work, &mut fast);
            self.naive.resume(&mut slow_work, &mut slow);
            "resume".to_string()
        } else {
            self.command(&mut work, &mut fast, &mut slow_work, &mut slow)
        };
        let at = format!("seed {} step {step}: {what}", self.seed);
        assert_eq!(fast.events, slow.events, "{at}");
        assert_eq!(fast.messages, slow.messages, "{at}");
        assert_eq!(work, slow_work, "{at}");
        self.settle(&fast);
        self.compare_books(&at);
        self.most_orders = self.most_orders.max(self.market.book().order_count());
    }

    fn command(
        &mut self,
        work: &mut Work,
        fast: &mut Effects,
        slow_work: &mut Work,
        slow: &mut Effects,
    ) -> String {
        let quiet = if self.naive.state == MarketState::Continuous { 2 } else { 7 };
        match self.random.below(100) {
            n if n < quiet => {
                let state = self.random_state();
                let reply = ReplyTo::new(1, 3);
                self.market.set_state(reply, state, work, fast);
                self.naive.set_state(reply, state, slow_work, slow);
                format!("{state:?}")
            }
            n if n < 22 => {
                let (account, order) = self.random_order();
                let reply = ReplyTo::new(1, 4);
                let cause = CancelCause::Client;
                self.market.cancel(reply, account, order, cause, fast);
                self.naive.cancel(reply, account, order, cause, slow);
                format!("cancel {order} of {account}")
            }
            n if n < 40 => {
                let amend = self.random_amend();
                self.market.amend(&amend, work, fast);
                self.naive.amend(&amend, slow_work, slow);
                format!("{amend:?}")
            }
            _ => {
                let admit = self.random_admit();
                self.holds.0.insert(admit.hold, admit.budget);
                self.market.admit(&admit, work, fast);
                self.naive.admit(&admit, slow_work, slow);
                format!("{admit:?}")
            }
        }
    }

    fn random_state(&mut self) -> MarketState {
        use MarketState::*;
        self.random.pick(&[
            Continuous, Continuous, Continuous, Auction, Auction, Auction, CancelOnly, Halted,
            PreOpen, Closed,
        ])
    }

    /// Mostly an order that rests, with its owner; sometimes neither.
    fn random_order(&mut self) -> (AccountId, OrderId) {
        let side = self.random.pick(&[Side::Buy, Side::Sell]);
        let queue = self.naive.queue(side);
        if queue.is_empty() || self.random.in_hundred(5) {
            return (AccountId(1), OrderId(self.random.below(1_000)));
        }
        let order = self.random.pick(&queue);
        let account = if self.random.in_hundred(4) { AccountId(77) } else { order.account };
        (account, order.id)
    }

    fn random_price(&mut self, side: Side) -> u64 {
        if self.random.below(300) == 0 {
            self.centre = 1 + self.random.below(self.flow.max_price);
        }
        let offset = self.random.below(2 * self.flow.spread + 1);
        let price = (self.centre + offset).saturating_sub(self.flow.spread);
        let mirrored = (2 * self.centre).saturating_sub(price);
        let price = match side {
            _ if !self.random.in_hundred(self.flow.passive) => price,
            Side::Buy => price.min(mirrored),
            Side::Sell => price.max(mirrored),
        };
        match self.random.below(60) {
            0 => 0,
            1 => self.flow.max_price + 1,
            2 => 1 + self.random.below(self.flow.max_price),
            3 => self.random.pick(&[1, self.flow.max_price]),
            _ => price.clamp(1, self.flow.max_price),
        }
    }

    fn random_quantity(&mut self) -> u64 {
        match self.random.below(60) {
            0 => 0,
            1 => self.flow.max_quantity + 1,
            2 if self.random.in_hundred(10) => self.flow.max_quantity,
            _ => 1 + self.random.below(self.flow.max_quantity.min(12)),
        }
    }

    fn random_spec(&mut self, side: Side) -> OrderSpec {
        use TimeInForce::*;
        let (price, quantity) = (self.random_price(side), self.random_quantity());
        match self.random.below(100) {
            0..6 => {
                OrderSpec::MarketByQuantity { quantity: Quantity::new(quantity), max_spend: None }
            }
            6..12 => OrderSpec::MarketByQuote {
                quote: Amount::new(u128::from(price * quantity * 3 + self.random.below(9))),
                max_spend: None,
            },
            _ => OrderSpec::Limit {
                price: Price::new(price),
                quantity: Quantity::new(quantity),
                time_in_force: self.random.pick(&[Gtc, Gtc, Gtc, Gtc, Gtc, Gtc, Ioc, Fok]),
                post_only: self.random.in_hundred(10),
            },
        }
    }

    fn random_admit(&mut self) -> Admit {
        use SelfTradePrevention::*;
        let side = self.random.pick(&[Side::Buy, Side::Sell]);
        let spec = self.random_spec(side);
        let account = 1 + self.random.below(u64::from(self.flow.accounts)) as u32;
        let mut order = admit(account, self.next_hold, side, spec);
        self.next_hold += 1;
        order.self_trade_group = account.min(self.flow.accounts - 1);
        order.self_trade_prevention =
            self.random.pick(&[None, ExpireTaker, ExpireMaker, ExpireBoth, Decrement]);
        let (price, lots) = (self.centre, self.random.below(20));
        let free = match side {
            Side::Buy => u128::from(price * lots * 3),
            Side::Sell => u128::from(lots * 7 + self.random.below(7)),
        };
        order.budget = budget(side, &spec, free);
        order.fees.maker =
            MakerRate(self.random.pick(&[0, 500, 1_000, 333_333, -500, -20_000, -1_000_000]));
        order.fees.taker = PartsPerMillion(self.random.pick(&[0, 700, 1_000_000]));
        if self.random.in_hundred(1) {
            order.version = VERSION + 1;
        }
        order
    }

    /// With about as much in the hold as a ledger would put there, sometimes too little.
    fn random_amend(&mut self) -> AmendOrder {
        let (account, id) = self.random_order();
        let mut amendment = amend(account.0, 0, id.0, 0);
        if self.random.in_hundred(60) {
            let side = self.random.pick(&[Side::Buy, Side::Sell]);
            amendment.price = Some(Price::new(self.random_price(side)));
        }
        let quantity = self.random_quantity();
        if self.random.in_hundred(60) {
            amendment.quantity = Some(Quantity::new(quantity));
        }
        if self.random.in_hundred(1) {
            amendment.version += 1;
        }
        amendment.keep_priority = self.random.in_hundred(20);
        if let Some(order) = self.market.book().order(id).filter(|o| o.account == account) {
            amendment.hold = order.hold;
            let price = amendment.price.unwrap_or(order.price);
            let total = amendment.quantity.unwrap_or(order.filled + order.remaining);
            let need = match order.side {
                Side::Buy => SCALING.notional(price, total),
                Side::Sell => SCALING.base(total),
            };
            let short = self.random.below(20) == 0;
            let more = if short { Amount::ZERO } else { need };
            amendment.extra = more.saturating_sub(order.need(&SCALING));
            *self.holds.0.get_mut(&order.hold).unwrap() += amendment.extra;
        }
        amendment
    }

    fn settle(&mut self, fx: &Effects) {
        fx.messages.iter().for_each(|message| self.holds.apply(message));
        for event in fx.events.iter() {
            let name = match event {
                Event::Trade(_) => {
                    self.trades += 1;
                    continue;
                }
                Event::Rejected { request, code, .. } => format!("{} {code}", request.name()),
                Event::OrderCancelled { cause, .. } => format!("{cause:?}"),
                Event::OrderReplaced { .. } => "replaced".into(),
                Event::OrderReduced { reply, .. } if reply.is_nobody() => "decremented".into(),
                Event::OrderReduced { .. } => "reduced".into(),
                Event::AuctionUncrossed { price, .. } if price.is_zero() => "not crossed".into(),
                Event::AuctionUncrossed { .. } => "uncrossed".into(),
                _ => continue,
            };
            *self.seen.entry(name).or_default() += 1;
        }
    }

    fn compare_books(&self, at: &str) {
        let mut orders = 0;
        let mut levels = 0;
        for side in [Side::Buy, Side::Sell] {
            let expected = self.naive.queue(side);
            assert!(self.market.book().orders(side).eq(expected.iter().copied()), "{at}");
            let expected_levels: Vec<LevelView> = expected
                .chunk_by(|a, b| a.price == b.price)
                .map(|orders| LevelView {
                    price: orders[0].price,
                    quantity: orders.iter().map(|o| u128::from(o.remaining.get())).sum(),
                    orders: orders.len() as u32,
                })
                .collect();
            assert!(self.market.book().levels(side).eq(expected_levels.iter().copied()), "{at}");
            for order in &expected {
                assert_eq!(self.market.book().order(order.id), Some(*order), "{at}");
                assert_eq!(self.holds.0[&order.hold], order.need(&SCALING), "{at}");
            }
            orders += expected.len();
            levels += expected_levels.len();
        }
        assert_eq!(self.market.book().order_count(), orders, "{at}");
        assert_eq!(self.market.book().level_count(), levels, "{at}");
        if self.market.is_interrupted() {
            return;
        }
        assert_eq!(self.holds.0.len(), orders, "{at}: every hold has its order");
        if self.market.state() == MarketState::Continuous {
            assert!(!self.market.book().is_crossed(), "{at}");
        }
    }

    fn restore(&mut self) {
        let bytes = borsh::to_vec(&self.market).unwrap();
        self.market = borsh::from_slice(&bytes).unwrap();
        assert_eq!(borsh::to_vec(&self.market).unwrap(), bytes);
    }
}

fn bounds(max_orders: u32, max_levels: u32) -> MarketBounds {
    MarketBounds { max_orders, max_levels, ..MarketBounds::default() }
}

#[test]
fn narrow_prices_with_little_work_per_command_agree_with_the_naive_market() {
    let flow = Flow {
        max_price: 40,
        max_quantity: 30,
        bounds: bounds(60, 40),
        spread: 6,
        work: 3,
        accounts: 5,
        passive: 0,
    };
    let mut session = Session::new(1, flow);
    session.run(100_000);
    assert!(session.interruptions > 1_000);
}

#[test]
fn jumping_prices_over_a_wide_range_agree_with_the_naive_market() {
    let flow = Flow {
        max_price: 3_000_000_000,
        max_quantity: 1_000_000,
        bounds: bounds(200, 150),
        spread: 300,
        work: 30,
        accounts: 40,
        passive: 85,
    };
    Session::new(2, flow).run(80_000);
}

#[test]
fn a_tiny_book_agrees_with_the_naive_market() {
    let flow = Flow {
        max_price: 9,
        max_quantity: 9,
        bounds: bounds(7, 5),
        spread: 4,
        work: 2,
        accounts: 5,
        passive: 0,
    };
    Session::new(3, flow).run(120_000);
}
