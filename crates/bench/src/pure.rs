//! The pure layers on one thread: the book with its market rules, and the engine around it.

use std::time::{Duration, Instant};

use book::{Market, Work};
use engine::Partition;
use types::{
    Admit, Amount, CancelCause, Command, Effects, FeeRates, HoldId, OrderSpec, PartitionId,
    PlaceOrder, ReplyTo, Request, Scaling, Seq, Side, Timestamp, Topology,
};

use crate::flow::{Traders, founding, market};
use crate::report::{Report, Unit, histogram, median, thread_time};

const OPERATIONS: usize = 2_000_000;

/// Requests are made and played so many at a time, so that they stay in the cache as they do when
/// they come from a queue.
const CHUNK: usize = 4_096;

const RUNS: u64 = 5;

/// Accounts in the engine's workload.
const ACCOUNTS: u32 = 1_000;

/// The book with market rules, all events and messages out.
pub fn book(report: &mut Report) {
    let rates = (0..RUNS).map(|seed| play_book(42 + seed, None)).collect();
    let conditions = "1 thread, processor time, median of 5, 1,000 live orders on 650 prices, \
                      market rules, events and messages out";
    report.add("book_steady_mops", median(rates), "M ops/s", conditions);
    let mut latencies = histogram();
    play_book(42, Some(&mut latencies));
    let conditions = "each operation timed by itself, some 30 ns of clock included";
    report.add_latencies("book_steady", &latencies, Unit::Nanos, conditions);
}

fn play_book(seed: u64, mut latencies: Option<&mut hdrhistogram::Histogram<u64>>) -> f64 {
    let scaling = Scaling { quote_atoms_per_tick_lot: 10, base_atoms_per_lot: 1_000 };
    let mut traders = Traders::new(seed, 1_000, false);
    let mut market = Market::new(market(), scaling);
    let mut fx = Effects::default();
    let mut spent = Duration::ZERO;
    for _ in 0..OPERATIONS / CHUNK {
        let operations: Vec<_> =
            (0..CHUNK).map(|_| market_operation(&traders.next_request(), &scaling)).collect();
        let started = thread_time();
        for operation in &operations {
            let began = latencies.is_some().then(Instant::now);
            fx.events.clear();
            fx.messages.clear();
            match operation {
                Operation::Admit(admit) => {
                    market.admit(admit, &mut Work { remaining: 4_096 }, &mut fx);
                }
                Operation::Cancel(account, order) => {
                    let reply = ReplyTo::new(1, 1);
                    market.cancel(reply, *account, *order, CancelCause::Client, &mut fx);
                }
            }
            if let (Some(began), Some(latencies)) = (began, latencies.as_deref_mut()) {
                latencies.saturating_record(began.elapsed().as_nanos() as u64);
            }
        }
        spent += thread_time() - started;
    }
    OPERATIONS as f64 / spent.as_secs_f64() / 1e6
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
    let mut traders = Traders::new(seed, accounts, client_ids);
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
    OPERATIONS as f64 / spent.as_secs_f64() / 1e6
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
