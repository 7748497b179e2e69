//! Traders as they behave: what each kind does when its turn comes, after a look at the book.
//!
//! Invariant: decisions come from the user's own seeded chance, the touch and its own orders; nothing here
//! knows time, sockets or latencies.

mod bot;
mod maker;
mod retail;

use chance::Random;
use types::Side;

use crate::book::Touch;
use crate::request::{Order, Want};
use crate::target::Account;

/// Where trading begins, in units of the quote asset.
const FIRST_PRICE: u64 = 60_000;
/// Letters of a client order id for the run, the user and the count fit its 36.
pub(crate) const MAX_RUN_LETTERS: usize = 12;

/// Kinds of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 5 % of users, 60 % of orders: quotes around the touch, cancelled and replaced all the time.
    Maker,
    /// 80 % of users, 20 % of orders: sporadic orders, looks at books and balances.
    Retail,
    /// 15 % of users, 20 % of orders: bursts, orders that must be refused, subscriptions that come and go.
    Bot,
}

impl Kind {
    /// That of a user by number: of any 20 in a row one is a maker and three are bots.
    pub(crate) fn of(user: usize) -> Self {
        match user % 20 {
            0 => Self::Maker,
            5 | 10 | 15 => Self::Bot,
            _ => Self::Retail,
        }
    }

    /// Turns a second at the base rate: (least, most). A turn of a bot is eight orders or reads on average.
    fn turns(self) -> (f64, f64) {
        match self {
            Self::Maker => (10.0, 50.0),
            // 5 % of users make 30 orders a second on average, which is 60 %; the others follow.
            Self::Retail => (0.625, 0.625),
            Self::Bot => (3.333 / bot::ORDERS_A_TURN, 3.333 / bot::ORDERS_A_TURN),
        }
    }
}

/// An order of a user that was open when last heard of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quote {
    pub(crate) id: u64,
    pub(crate) side: Side,
    pub(crate) ticks: u64,
}

/// A user.
pub(crate) struct Agent {
    pub(crate) kind: Kind,
    pub(crate) account: Account,
    /// Turns a second at the base rate.
    pub(crate) turns: f64,
    /// Oldest first.
    pub(crate) open: Vec<Quote>,
    random: Random,
    name: String,
    named: u64,
}

/// What a turn comes to.
#[derive(Default)]
pub(crate) struct Turn {
    pub(crate) wants: Vec<Want>,
    /// Whether some subscription comes or goes.
    pub(crate) churns: bool,
}

impl Agent {
    /// The user of this number, with its own chance.
    pub(crate) fn new(run: &str, number: usize, account: Account, mut random: Random) -> Self {
        let kind = Kind::of(number);
        let (least, most) = kind.turns();
        let turns = least + (most - least) * random.below(1_001) as f64 / 1_000.0;
        let name = format!("{run}-{number}-");
        Self { kind, account, turns, open: Vec::new(), random, name, named: 0 }
    }

    /// What it does when its turn comes. `first_price` is the reference, in ticks, while a side of the book is empty.
    pub(crate) fn act(&mut self, touch: Touch, first_price: u64) -> Turn {
        let scene = Scene::of(touch, first_price);
        let mut turn = Turn::default();
        match self.kind {
            Kind::Maker => self.make(scene, &mut turn),
            Kind::Retail => self.dabble(scene, &mut turn),
            Kind::Bot => self.run_bot(scene, &mut turn),
        }
        turn
    }

    /// An order has ended, or was never placed.
    pub(crate) fn forget(&mut self, order: u64) {
        self.open.retain(|quote| quote.id != order);
    }

    fn order(&mut self, side: Side, ticks: Option<u64>, lots: u64) -> Order {
        self.named += 1;
        Order {
            client_order_id: format!("{}{}", self.name, self.named),
            side,
            ticks,
            lots,
            immediate: false,
            post_only: false,
            probe: false,
        }
    }

    fn side(&mut self) -> Side {
        if self.random.below(2) == 0 { Side::Buy } else { Side::Sell }
    }
}

/// The book as a trader reads it, in ticks; never empty, never crossed.
#[derive(Clone, Copy, Debug)]
struct Scene {
    bid: u64,
    ask: u64,
}

impl Scene {
    fn of(touch: Touch, first_price: u64) -> Self {
        match (touch.bid, touch.ask) {
            (Some(bid), Some(ask)) if bid < ask => Self { bid, ask },
            (Some(bid), _) => Self { bid, ask: bid + 2 },
            (None, Some(ask)) => Self { bid: ask.saturating_sub(2).max(1), ask },
            (None, None) => Self { bid: first_price - 1, ask: first_price + 1 },
        }
    }

    /// The best price that an order of this side meets.
    fn opposite(self, side: Side) -> u64 {
        if side == Side::Buy { self.ask } else { self.bid }
    }

    /// A price so many ticks away from the touch, on the side's own side. Zero joins the touch.
    fn behind(self, side: Side, ticks: u64) -> u64 {
        match side {
            Side::Buy => self.bid.saturating_sub(ticks).max(1),
            Side::Sell => self.ask + ticks,
        }
    }

    /// How wide quotes scatter: a thousandth of the price.
    fn width(self) -> u64 {
        (self.bid / 1_000).max(4)
    }
}

/// The first price in ticks.
pub(crate) fn first_price(tick: types::Decimal) -> u64 {
    tick.count_u64(&FIRST_PRICE.to_string()).unwrap_or(FIRST_PRICE)
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn of_a_hundred_users_five_are_makers_and_fifteen_bots_and_makers_place_most_orders() {
        let kinds: Vec<_> = (0..100).map(Kind::of).collect();
        let count = |kind| kinds.iter().filter(|found| **found == kind).count();
        assert_eq!((count(Kind::Maker), count(Kind::Retail), count(Kind::Bot)), (5, 80, 15));
        let makers = 5.0 * 30.0;
        let (retail, bots) =
            (80.0 * Kind::Retail.turns().0, 15.0 * Kind::Bot.turns().0 * super::bot::ORDERS_A_TURN);
        let share = makers / (makers + retail + bots);
        assert!((share - 0.6).abs() < 0.01, "{share}");
    }
}
