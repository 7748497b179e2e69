//! Operations a second of one market with all its effects, on one core:
//! `cargo run --release -p book --example book_bench`.
//!
//! Commands are made beforehand and played into a fresh market several times; the best pass counts, in
//! processor time of the thread (wall time where the system does not tell it), so that a busy machine
//! does not change the figure much. The effects are cleared after each command, as the engine does.

use std::time::Instant;

use book::{Market, Work};
use types::*;

/// A command in a few bytes, so that reading them is not what is measured.
#[derive(Clone, Copy)]
enum Op {
    Place { side: Side, price: u64, quantity: u64, kind: Kind },
    Cancel { order: u64 },
}

#[derive(Clone, Copy)]
enum Kind {
    Rest,
    Immediate,
    Market,
}

/// A flow of orders around a price that walks.
struct Flow {
    name: &'static str,
    live_orders: usize,
    /// Half the width of the price range that orders are placed in.
    half_width: u64,
    operations: usize,
    /// How many of a hundred cancels hit one of the last thousand orders; the others hit any.
    recent: u64,
}

const SCALING: Scaling = Scaling { quote_atoms_per_tick_lot: 1, base_atoms_per_lot: 1 };

/// The best of so many passes is told: the machine may be busy.
const PASSES: usize = 5;

fn main() {
    let flows = [
        Flow {
            name: "1,000 live orders on 650 prices",
            live_orders: 1_000,
            half_width: 325,
            operations: 2_000_000,
            recent: 0,
        },
        Flow {
            name: "1,000,000 live orders on 10,000 prices, most cancels hit recent orders",
            live_orders: 1_000_000,
            half_width: 5_000,
            operations: 2_000_000,
            recent: 95,
        },
        Flow {
            name: "1,000,000 live orders on 10,000 prices, cancels hit any order",
            live_orders: 1_000_000,
            half_width: 5_000,
            operations: 2_000_000,
            recent: 0,
        },
    ];
    // With an argument, only the flows whose name contains it.
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for flow in flows.iter().filter(|flow| flow.name.contains(&wanted)) {
        let (seed_orders, ops) = record(flow);
        let mut passes: Vec<_> = (0..PASSES).map(|_| play(&seed_orders, &ops)).collect();
        passes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, tally) = passes.swap_remove(0);
        let per_second = ops.len() as f64 / seconds / 1e6;
        let nanos = seconds * 1e9 / ops.len() as f64;
        println!("{}: {per_second:.1} M operations/s, {nanos:.0} ns each", flow.name);
        println!("  {tally}");
    }
}

fn definition() -> MarketDef {
    MarketDef {
        id: MarketId(1),
        symbol: "BTC-USDT".into(),
        base: AssetId(1),
        quote: AssetId(2),
        tick: "1".parse().unwrap(),
        lot: "1".parse().unwrap(),
        max_price: Price::new(1_000_000_000),
        max_quantity: Quantity::new(1_000_000_000),
        bounds: MarketBounds::default(),
        home: PartitionId(0),
        version: 1,
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What is done, and how often.
#[derive(Default)]
struct Tally {
    trades: u64,
    levels: usize,
    orders: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "45 % new limits, 45 % cancels, 7 % immediate, 3 % market; {} trades; at the end {} orders on {} levels",
            self.trades, self.orders, self.levels
        )
    }
}

/// Makes a flow by running it: cancels must name orders that rest.
fn record(flow: &Flow) -> (Vec<Op>, Vec<Op>) {
    let mut random = Random(0x5DEE_CE66D);
    let mut market = Market::new(definition(), SCALING);
    let mut live: Vec<u64> = Vec::new();
    let mut centre = 1_000_000;
    let mut fx = Effects::default();
    let (mut first, mut ops) = (Vec::new(), Vec::new());
    while first.len() < flow.live_orders {
        first.push(rest(&mut random, centre, flow.half_width));
        let op = first[first.len() - 1];
        apply(&mut market, &mut fx, &op);
        track(&mut live, &fx);
    }
    while ops.len() < flow.operations {
        if random.below(64) == 0 {
            centre = centre + random.below(3) - 1;
        }
        let few = live.len() < flow.live_orders;
        let op = match random.below(100) {
            // Held level around the wanted number of orders.
            0..45 => rest(&mut random, centre, flow.half_width),
            45..90 if !few => cancel(&mut random, &market, &mut live, flow.recent),
            45..90 => rest(&mut random, centre, flow.half_width),
            90..97 => take(&mut random, centre, Kind::Immediate),
            _ => take(&mut random, centre, Kind::Market),
        };
        apply(&mut market, &mut fx, &op);
        track(&mut live, &fx);
        ops.push(op);
    }
    (first, ops)
}

/// Near the touch more often than far from it.
fn rest(random: &mut Random, centre: u64, half_width: u64) -> Op {
    let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
    let distance = 1 + random.below(half_width).min(random.below(half_width));
    Op::Place {
        side,
        price: if side == Side::Buy { centre - distance } else { centre + distance },
        quantity: 1 + random.below(100),
        kind: Kind::Rest,
    }
}

fn take(random: &mut Random, centre: u64, kind: Kind) -> Op {
    let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
    Op::Place {
        side,
        price: if side == Side::Buy { centre + 50 } else { centre - 50 },
        quantity: 1 + random.below(100),
        kind,
    }
}

fn cancel(random: &mut Random, market: &Market, live: &mut Vec<u64>, recent: u64) -> Op {
    loop {
        let count = live.len() as u64;
        let among = if random.below(100) < recent { count.min(1_000) } else { count };
        let at = count - 1 - random.below(among);
        let order = live.swap_remove(at as usize);
        if market.book().order(OrderId(order)).is_some() {
            return Op::Cancel { order };
        }
    }
}

fn track(live: &mut Vec<u64>, fx: &Effects) {
    for event in &fx.events {
        if let Event::OrderRested { order, .. } = event {
            live.push(order.0);
        }
    }
}

fn apply(market: &mut Market, fx: &mut Effects, op: &Op) {
    fx.events.clear();
    fx.messages.clear();
    let mut work = Work { remaining: 1_000 };
    match *op {
        Op::Cancel { order } => {
            let reply = ReplyTo::new(1, order);
            market.cancel(reply, AccountId(7), OrderId(order), CancelCause::Client, fx);
        }
        Op::Place { side, price, quantity, kind } => {
            market.admit(&admit(side, price, quantity, kind), &mut work, fx)
        }
    }
}

fn admit(side: Side, price: u64, quantity: u64, kind: Kind) -> Admit {
    let (price, quantity) = (Price::new(price), Quantity::new(quantity));
    let spec = match kind {
        Kind::Market => OrderSpec::MarketByQuantity { quantity, max_spend: None },
        Kind::Rest | Kind::Immediate => OrderSpec::Limit {
            price,
            quantity,
            time_in_force: if matches!(kind, Kind::Rest) {
                TimeInForce::Gtc
            } else {
                TimeInForce::Ioc
            },
            post_only: false,
        },
    };
    let budget = match (side, kind) {
        (Side::Sell, _) => SCALING.base(quantity),
        (Side::Buy, Kind::Market) => Amount::new(1 << 60),
        (Side::Buy, Kind::Rest | Kind::Immediate) => SCALING.notional(price, quantity),
    };
    Admit {
        reply: ReplyTo::new(1, price.get()),
        account: AccountId(7),
        self_trade_group: 7,
        hold: HoldId(7),
        budget,
        fees: FeeRates { maker: PartsPerMillion(1_000), taker: PartsPerMillion(2_000) },
        market: MarketId(1),
        version: 1,
        client_order_id: ClientOrderId::NONE,
        side,
        spec,
        self_trade_prevention: SelfTradePrevention::None,
    }
}

/// Seconds that the operations took, after the first orders were put in.
fn play(first: &[Op], ops: &[Op]) -> (f64, Tally) {
    let mut market = Market::new(definition(), SCALING);
    let mut fx = Effects::default();
    for op in first {
        apply(&mut market, &mut fx, op);
    }
    let mut tally = Tally::default();
    let start = Stopwatch::start();
    for op in ops {
        apply(&mut market, &mut fx, op);
        let trades = fx.events.iter().filter(|e| matches!(e, Event::Trade(_)));
        tally.trades += trades.count() as u64;
    }
    let seconds = start.seconds();
    tally.levels = market.book().level_count();
    tally.orders = market.book().order_count();
    (seconds, tally)
}

/// Processor time of this thread, or wall time.
struct Stopwatch {
    processor: Option<u64>,
    wall: Instant,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a bench is no part of the pure crate")]
    fn start() -> Self {
        Self { processor: Self::processor_nanos(), wall: Instant::now() }
    }

    fn processor_nanos() -> Option<u64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok()
    }

    fn seconds(&self) -> f64 {
        match (self.processor, Self::processor_nanos()) {
            (Some(start), Some(end)) => (end - start) as f64 / 1e9,
            _ => self.wall.elapsed().as_secs_f64(),
        }
    }
}
