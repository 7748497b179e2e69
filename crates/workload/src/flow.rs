//! The work that all books are given: seeded streams of orders and cancels, the same for each of them.
//!
//! The generator keeps a naive book beside it. So it cancels orders that are open, sends orders at the
//! market only where there is something to match, and knows what fills each operation must have.

use crate::naive::NaiveBook;

/// The price around which each session begins, in ticks.
const MIDDLE: u64 = 1_000_000;

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A bid.
    Buy,
    /// An offer.
    Sell,
}

/// One thing that traders do. Orders are numbered from 1 as they come.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// An order with a limit; what is left of it rests, or is cancelled at once.
    Limit {
        /// Which side of the book it is of.
        side: Side,
        /// In ticks.
        price: u64,
        /// In lots.
        lots: u64,
        /// Whether it is good till cancelled; otherwise immediate or cancel.
        rests: bool,
    },
    /// An order at whatever price.
    Market {
        /// Which side of the book it is of.
        side: Side,
        /// In lots.
        lots: u64,
    },
    /// Takes back an order that is open.
    Cancel {
        /// Its number.
        order: u64,
    },
}

/// Two orders met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The number of the order that rested.
    pub maker: u64,
    /// That of the one that came.
    pub taker: u64,
    /// In ticks.
    pub price: u64,
    /// In lots.
    pub lots: u64,
}

/// How often a kind of operation comes, of a hundred.
#[derive(Clone, Copy)]
struct Mix {
    /// Limits five ticks through the middle; half of them are immediate or cancel.
    crossing: u64,
    market: u64,
}

/// A flow of orders.
#[derive(Clone, Copy)]
pub struct Workload {
    /// As figures are called.
    pub name: &'static str,
    /// In words.
    pub meaning: &'static str,
    mix: Mix,
    /// Orders in the book before the clock runs, evenly on this many prices.
    preloaded: u64,
    preloaded_prices: u64,
    /// New orders rest at most so many ticks from the middle.
    half_width: u64,
    /// Orders of the flow that are kept open.
    live: usize,
    /// New orders come this many at a time, then as many cancels.
    storm: usize,
    /// How far the middle swings up and down in a session, in percent.
    swing_percent: u64,
}

const STEADY: Workload = Workload {
    name: "steady",
    meaning: "45 % new limits, 45 % cancels, 7 % marketable limits, 3 % market orders; 1,000 live orders on 650 prices, which walk slowly",
    mix: Mix { crossing: 7, market: 3 },
    preloaded: 0,
    preloaded_prices: 0,
    half_width: 325,
    live: 1_000,
    storm: 1,
    swing_percent: 0,
};

/// The flow of this name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn workload(name: &str) -> &'static Workload {
    WORKLOADS.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no flow {name:?}"))
}

/// All flows.
pub static WORKLOADS: [Workload; 7] = [
    STEADY,
    Workload {
        name: "deep",
        meaning: "as steady, on a book with a million orders on 10,000 prices",
        preloaded: 1_000_000,
        preloaded_prices: 10_000,
        ..STEADY
    },
    Workload {
        name: "crossing",
        meaning: "as steady, with 40 % marketable limits and 10 % market orders",
        mix: Mix { crossing: 40, market: 10 },
        ..STEADY
    },
    Workload {
        name: "storm",
        meaning: "as steady, with 5,000 new orders and then 5,000 cancels at a time",
        storm: 5_000,
        ..STEADY
    },
    Workload {
        name: "swing_25",
        meaning: "as steady, while the price swings by 25 %",
        swing_percent: 25,
        ..STEADY
    },
    Workload {
        name: "swing_40",
        meaning: "as steady, while the price swings by 40 %",
        swing_percent: 40,
        ..STEADY
    },
    Workload {
        name: "swing_60",
        meaning: "as steady, while the price swings by 60 %",
        swing_percent: 60,
        ..STEADY
    },
];

/// A session of a workload.
pub struct Session {
    /// What comes before the clock runs.
    pub before: Vec<Operation>,
    /// What is timed.
    pub timed: Vec<Operation>,
    /// The fills that the timed part has, as price-time priority makes them.
    pub fills: Vec<Fill>,
}

impl Session {
    /// The session without what comes after so many timed operations.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let timed = self.timed[..count.min(self.timed.len())].to_vec();
        let orders = self.before.iter().chain(&timed).filter(|one| one.is_order()).count() as u64;
        let fills = self.fills.partition_point(|fill| fill.taker <= orders);
        Self { before: self.before.clone(), timed, fills: self.fills[..fills].to_vec() }
    }
}

impl Operation {
    /// Whether it takes the next number of orders.
    #[must_use]
    pub fn is_order(&self) -> bool {
        !matches!(self, Self::Cancel { .. })
    }
}

impl Workload {
    /// A session of `count` timed operations.
    #[must_use]
    pub fn session(&self, seed: u64, count: usize) -> Session {
        let mut traders = Traders::new(self, seed, count);
        let before = traders.before();
        let mut timed = Vec::with_capacity(count);
        while timed.len() < count {
            let operation = traders.next(timed.len());
            timed.push(operation);
        }
        Session { before, timed, fills: traders.fills }
    }
}

struct Traders<'a> {
    workload: &'a Workload,
    random: u64,
    count: usize,
    book: NaiveBook,
    fills: Vec<Fill>,
    /// Orders of the flow that may be open; those that were filled are passed over.
    live: Vec<u64>,
    cancelling: bool,
    orders: u64,
}

impl<'a> Traders<'a> {
    fn new(workload: &'a Workload, seed: u64, count: usize) -> Self {
        Self {
            workload,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            count,
            book: NaiveBook::default(),
            fills: Vec::new(),
            live: Vec::new(),
            cancelling: false,
            orders: 0,
        }
    }

    /// Below `end`, by xorshift.
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end
    }

    /// The orders that are there already: deep ones, and those that the flow keeps open.
    fn before(&mut self) -> Vec<Operation> {
        let Workload { preloaded, preloaded_prices, live, .. } = *self.workload;
        let mut before = Vec::new();
        for nth in 0..preloaded {
            let away = 1 + nth % (preloaded_prices / 2);
            let side = if nth / (preloaded_prices / 2) % 2 == 0 { Side::Buy } else { Side::Sell };
            let price = if side == Side::Buy { MIDDLE - away } else { MIDDLE + away };
            let lots = 1 + self.below(20);
            before.push(self.send(Operation::Limit { side, price, lots, rests: true }));
        }
        while self.live.len() < live {
            let operation = self.resting(MIDDLE);
            before.push(self.send(operation));
            self.live.push(self.orders);
        }
        assert!(self.fills.is_empty(), "nothing crosses before");
        before
    }

    fn next(&mut self, at: usize) -> Operation {
        let middle = self.middle(at);
        let Mix { crossing, market } = self.workload.mix;
        let drawn = self.below(100);
        let operation = if drawn < market {
            self.at_market(middle)
        } else if drawn < market + crossing {
            self.crossing(middle)
        } else {
            self.quiet(middle)
        };
        let operation = self.send(operation);
        if matches!(operation, Operation::Limit { rests: true, .. })
            && self.book.is_open(self.orders)
        {
            self.live.push(self.orders);
        }
        operation
    }

    /// Where the price is: it walks a tick in 20,000 operations, or swings up, down below, and back.
    fn middle(&self, at: usize) -> u64 {
        let swing = MIDDLE * self.workload.swing_percent / 100;
        if swing == 0 {
            return MIDDLE + at as u64 / 20_000;
        }
        // A triangle of four quarters.
        let quarter = (self.count as u64 / 4).max(1);
        let within = at as u64 % quarter;
        let part = swing * within / quarter;
        match at as u64 / quarter {
            0 => MIDDLE + part,
            1 => MIDDLE + swing - part,
            2 => MIDDLE - part,
            _ => MIDDLE - swing + part.min(swing),
        }
    }

    /// A new order that rests, or a cancel: whichever keeps as many open as are to be.
    fn quiet(&mut self, middle: u64) -> Operation {
        let Workload { live, storm, .. } = *self.workload;
        if self.live.len() >= live + storm {
            self.cancelling = true;
        } else if self.live.len() <= live {
            self.cancelling = false;
        }
        if self.cancelling
            && let Some(order) = self.any_open()
        {
            return Operation::Cancel { order };
        }
        self.resting(middle)
    }

    /// Takes one of the open orders of the flow.
    fn any_open(&mut self) -> Option<u64> {
        while !self.live.is_empty() {
            let at = self.below(self.live.len() as u64) as usize;
            let order = self.live.swap_remove(at);
            if self.book.is_open(order) {
                return Some(order);
            }
        }
        None
    }

    fn side(&mut self) -> Side {
        if self.below(2) == 0 { Side::Buy } else { Side::Sell }
    }

    fn resting(&mut self, middle: u64) -> Operation {
        let side = self.side();
        let away = 1 + self.below(self.workload.half_width);
        let price = if side == Side::Buy { middle - away } else { middle + away };
        Operation::Limit { side, price, lots: 1 + self.below(20), rests: true }
    }

    fn crossing(&mut self, middle: u64) -> Operation {
        let side = self.side();
        let price = if side == Side::Buy { middle + 5 } else { middle - 5 };
        let rests = self.below(2) == 0;
        Operation::Limit { side, price, lots: 1 + self.below(20), rests }
    }

    fn at_market(&mut self, middle: u64) -> Operation {
        let side = self.side();
        if !self.book.can_meet(side) {
            return self.resting(middle);
        }
        Operation::Market { side, lots: 1 + self.below(20) }
    }

    /// Notes what the operation does to the book.
    fn send(&mut self, operation: Operation) -> Operation {
        if operation.is_order() {
            self.orders += 1;
        }
        self.book.apply(self.orders, &operation, &mut self.fills);
        operation
    }
}
