//! The pure layers on one thread: the book with its market rules, and the engine around it.

use std::time::{Duration, Instant};

use book::{Market, Work};
use engine::Partition;
use hdrhistogram::Histogram;
use types::{
    Admit, Amount, CancelCause, Command, Effects, Event, FeeRates, HoldId, OrderSpec, PartitionId,
    PlaceOrder, ReplyTo, Request, Scaling, Seq, Side, Timestamp, Topology,
};

use crate::flow::{STEADY, Shape, Traders, founding, market};
use crate::report::{Report, Unit, histogram, median, thread_time};

const OPERATIONS: usize = 2_000_000;

/// Requests are made and played so many at a time, so that they stay in the cache as they do when
/// they come from a queue.
const CHUNK: usize = 4_096;

const RUNS: u64 = 5;

/// Accounts in the engine's workload.
const ACCOUNTS: u32 = 1_000;

/// A book that does not fit into the processor's caches.
const DEEP: Shape = Shape { live_orders: 1_000_000, half_width: 5_000, recent_percent: 95 };
const DEEP_ANY: Shape = Shape { recent_percent: 0, ..DEEP };

/// The book with market rules, all events and messages out.
pub fn book(report: &mut Report) {
    let mut latencies = histogram();
    let late = play_book(42, STEADY, Some(&mut latencies)).late_percent;
    let conditions = format!(
        "1 thread, processor time, median of 5, 1,000 live orders on 650 prices, {late:.0} % late \
         cancels, market rules, events and messages out"
    );
    report.add("book_steady_mops", book_rate(STEADY, RUNS), "M ops/s", &conditions);
    let conditions = "each operation timed by itself, some 30 ns of clock included";
    report.add_latencies("book_steady", &latencies, Unit::Nanos, conditions);
    for (name, shape, cancels) in [
        ("book_deep_mops", DEEP, "95 % of cancels hit one of the last 1,000 orders"),
        ("book_deep_any_mops", DEEP_ANY, "cancels hit any order"),
    ] {
        let conditions = format!(
            "1 thread, processor time, median of 3, a million live orders on 10,000 prices, {cancels}"
        );
        report.add(name, book_rate(shape, 3), "M ops/s", &conditions);
    }
}

fn book_rate(shape: Shape, runs: u64) -> f64 {
    median((0..runs).map(|seed| play_book(42 + seed, shape, None).mops).collect())
}

struct Played {
    /// Millions of operations a second.
    mops: f64,
    /// Operations that were cancels of an order that had been filled; known if latencies were taken.
    late_percent: f64,
}

fn play_book(seed: u64, shape: Shape, mut latencies: Option<&mut Histogram<u64>>) -> Played {
    let scaling = Scaling { quote_atoms_per_tick_lot: 10, base_atoms_per_lot: 1_000 };
    let mut traders = Traders::new(seed, shape, 1_000, false);
    let mut market = Market::new(market(), scaling);
    let mut fx = Effects::default();
    while !traders.has_enough() {
        operate(&mut market, &market_operation(&traders.next_request(), &scaling), &mut fx);
    }
    let (mut spent, mut late) = (Duration::ZERO, 0);
    for _ in 0..OPERATIONS / CHUNK {
        let operations: Vec<_> =
            (0..CHUNK).map(|_| market_operation(&traders.next_request(), &scaling)).collect();
        let started = thread_time();
        match latencies.as_deref_mut() {
            None => operations.iter().for_each(|one| operate(&mut market, one, &mut fx)),
            Some(latencies) => {
                for operation in &operations {
                    let began = Instant::now();
                    operate(&mut market, operation, &mut fx);
                    latencies.saturating_record(began.elapsed().as_nanos() as u64);
                    late += usize::from(matches!(fx.events[..], [Event::Rejected { .. }, ..]));
                }
            }
        }
        spent += thread_time() - started;
    }
    let count = (OPERATIONS / CHUNK * CHUNK) as f64;
    Played { mops: count / spent.as_secs_f64() / 1e6, late_percent: 100.0 * late as f64 / count }
}

fn operate(market: &mut Market, operation: &Operation, fx: &mut Effects) {
    fx.clear();
    match operation {
        Operation::Admit(admit) => {
            market.admit(admit, &mut Work { remaining: 4_096 }, fx);
        }
        Operation::Cancel(account, order) => {
            market.cancel(ReplyTo::new(1, 1), *account, *order, CancelCause::Client, fx);
        }
    }
}

enum Operation {
    Admit(Box<Admit>),
    Cancel(types::AccountId, types::OrderId),
}

fn market_operation(request: &Request, scaling: &Scaling) -> Operation {
    match *request {
        Request::PlaceOrder(ref order) => Operation::Admit(Box::new(admit(order, scaling))),
        Request::CancelOrder { account, order, .. } => Operation::Cancel(account, order),
        _ => unreachable!("the flow places and cancels"),
    }
}

fn admit(order: &PlaceOrder, scaling: &Scaling) -> Admit {
    let OrderSpec::Limit { price, quantity, .. } = order.spec else {
        unreachable!("the flow has limit orders")
    };
    let budget: Amount = match order.side {
        Side::Buy => scaling.notional(price, quantity),
        Side::Sell => scaling.base(quantity),
    };
    Admit {
        reply: ReplyTo::new(1, 1),
        account: order.account,
        self_trade_group: order.account.0,
        hold: HoldId(0),
        budget,
        fees: FeeRates::default(),
        market: order.market,
        version: order.version,
        client_order_id: order.client_order_id,
        side: order.side,
        spec: order.spec,
        conditions: order.conditions.clone(),
        self_trade_prevention: order.self_trade_prevention,
    }
}

/// Ledger, book and events in one partition.
pub fn engine(report: &mut Report) {
    for (name, client_ids, accounts) in [
        ("engine_mops", false, ACCOUNTS),
        ("engine_client_ids_mops", true, ACCOUNTS),
        ("engine_100_accounts_mops", false, 100),
    ] {
        let rates = (0..RUNS).map(|seed| play_engine(42 + seed, client_ids, accounts)).collect();
        let ids = if client_ids { "with" } else { "without" };
        let conditions = format!(
            "1 thread, processor time, median of 5, {accounts} accounts, {ids} client ids, \
             1,000 live orders, events out"
        );
        report.add(name, median(rates), "M commands/s", &conditions);
    }
}

fn play_engine(seed: u64, client_ids: bool, accounts: u32) -> f64 {
    let mut partition = founded(accounts);
    let mut traders = Traders::new(seed, STEADY, accounts, client_ids);
    let mut events = Vec::new();
    let (mut time, mut spent) = (partition.time(), Duration::ZERO);
    for _ in 0..OPERATIONS / CHUNK {
        let commands: Vec<_> = (0..CHUNK).map(|_| command(traders.next_request())).collect();
        let started = thread_time();
        for command in &commands {
            time = time.saturating_add_nanos(100);
            events.clear();
            partition.apply(partition.seq().next(), time, command, &mut events);
        }
        spent += thread_time() - started;
    }
    let audit = engine::audit(&[&partition]);
    assert!(audit.violations.is_empty(), "{:?}", audit.violations);
    (OPERATIONS / CHUNK * CHUNK) as f64 / spent.as_secs_f64() / 1e6
}

fn founded(accounts: u32) -> Partition {
    let mut partition = Partition::new(PartitionId(0), 7);
    let mut events = Vec::new();
    let topology = Command::SetTopology(Topology::single());
    partition.apply(Seq(1), Timestamp(1), &topology, &mut events);
    for request in founding(accounts) {
        let seq = partition.seq().next();
        partition.apply(seq, Timestamp(1), &command(request), &mut events);
    }
    partition
}

fn command(request: Request) -> Command {
    Command::Request { reply: ReplyTo::new(1, 1), valid_until: Timestamp(u64::MAX), request }
}
