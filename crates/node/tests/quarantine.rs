//! A component that fails stops alone: the node goes on, everybody is answered, and the log says it.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::{
    Answer, BASE, Client, MARKET, PATIENCE, QUOTE, balances, config, kill, limit, market, rebuild,
    settle, stop,
};
use journal::DiskHook;
use node::{DataDir, Exchange, Node, NodeConfig, NodeError, NodeHooks};
use parking_lot::Mutex;
use types::{
    AccountId, Amount, Bug, Command, Component, Done, Event, MarketId, MarketState, Message,
    OrderId, PartitionId, RejectCode, Request, Side, Slot,
};

const SECOND: MarketId = MarketId(2);
const FAILED: Component = Component::Market(MARKET);
const SLOT_2: Component = Component::Ledger(Slot(2));

/// The market fails when it makes its third trade.
fn third_trade() -> Bug {
    Bug::new(|done| {
        if let Done::Emits(Event::Trade(trade)) = done {
            assert!(trade.market != MARKET || trade.trade.0 != 3, "no third trade");
        }
    })
}

fn payment_of_two() -> Bug {
    let nobody: [u8; 0] = [];
    Bug::new(move |done| {
        if let Done::Handled(Message::Filled { fill, .. }) = done
            && fill.account == AccountId(2)
        {
            println!("{}", nobody[fill.fee.income().get() as usize]);
        }
    })
}

fn start_with(config: NodeConfig, bug: Option<Bug>) -> Arc<Node> {
    let hooks = NodeHooks { bug, ..NodeHooks::default() };
    Arc::new(Node::start(config, hooks).unwrap())
}

/// An exchange with two markets, in which account 2 sells three lots at three prices in the first.
fn founded(config: NodeConfig, bug: Bug) -> (Arc<Node>, Client) {
    let node = start_with(config, Some(bug));
    let client = Client::new(&node);
    client.found(4);
    let mut second = market(node.topology());
    (second.id, second.symbol) = (SECOND, "BTC-EUR".into());
    client.demand(&Request::ListMarket(Box::new(second)));
    for price in [100, 101, 102] {
        client.demand(&limit(2, Side::Sell, price, 1));
    }
    settle(&node);
    (node, client)
}

fn in_second(request: Request) -> Request {
    let Request::PlaceOrder(order) = request else { unreachable!("an order") };
    Request::PlaceOrder(types::PlaceOrder { market: SECOND, ..order })
}

fn is_refused(answer: &Answer) -> bool {
    let code = RejectCode::ComponentQuarantined;
    matches!(answer.events[0], Event::Rejected { code: found, .. } if found == code)
}

/// All events that the feeds give.
fn events(node: &Node) -> Vec<Event> {
    let mut found = Vec::new();
    for id in 0..node.topology().partitions {
        let feed = node.feed(PartitionId(id));
        let mut cursor = types::Seq(0);
        while let Some(batch) = feed.read(cursor).unwrap() {
            found.extend(batch.iter_after(cursor).flat_map(|entry| entry.events.to_vec()));
            cursor = batch.last_seq().unwrap();
        }
    }
    found
}

fn quarantines(node: &Node) -> usize {
    let is = |event: &&Event| matches!(event, Event::Quarantined { .. });
    events(node).iter().filter(is).count()
}

fn trades(node: &Node) -> usize {
    events(node).iter().filter(|event| matches!(event, Event::Trade(_))).count()
}

/// What a mended binary makes of the logs: every invariant holds. Gives who is quarantined.
fn audit(data: &Path, partitions: u16) -> Vec<Component> {
    let all: Vec<_> = (0..partitions).map(|id| rebuild(data, PartitionId(id))).collect();
    let audit = engine::audit(&all.iter().collect::<Vec<_>>());
    assert!(audit.violations.is_empty(), "{:#?}", audit.violations);
    all.iter().flat_map(|part| part.quarantined().map(|q| q.component)).collect()
}

#[test]
fn a_market_that_fails_in_the_middle_of_an_order_is_stopped_and_everybody_is_answered() {
    for partitions in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let (node, client) = founded(config(dir.path(), partitions), third_trade());
        let before = balances(&node);
        // Many in flight at once: before, after and besides the one that fails.
        let mut tokens = Vec::new();
        for n in 0..40 {
            tokens.push(client.send(in_second(limit(3, Side::Sell, 500 + n, 1))).unwrap());
            if n == 20 {
                tokens.push(client.send(limit(1, Side::Buy, 102, 3)).unwrap());
            }
        }
        let mut answers = Vec::new();
        while answers.len() < tokens.len() {
            answers.push(client.answers.recv_timeout(PATIENCE).unwrap());
        }
        let refused: Vec<_> = answers.iter().filter(|answer| is_refused(answer)).collect();
        assert_eq!(refused.len(), 1, "each other one is what it would have been");
        assert_eq!(refused[0].token, tokens[21]);
        settle(&node);
        assert_eq!((quarantines(&node), trades(&node)), (1, 0));
        let after = balances(&node);
        assert_eq!(after[&(AccountId(1), QUOTE)], before[&(AccountId(1), QUOTE)]);
        client.demand(&in_second(limit(4, Side::Buy, 500, 1)));
        settle(&node);
        assert_eq!(trades(&node), 1);
        assert!(is_refused(&client.ask(limit(1, Side::Buy, 50, 1))));
        let last: Vec<_> = node.stats().partitions.iter().map(|part| part.quarantined).collect();
        assert_eq!(last.iter().sum::<u64>(), 1);
        stop(node, client);
        assert_eq!(audit(dir.path(), partitions), [FAILED]);
    }
}

#[test]
fn the_evidence_is_kept_beside_the_log_and_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let (node, client) = founded(config(dir.path(), 1), third_trade());
    let answer = client.ask(limit(1, Side::Buy, 102, 3));
    stop(node, client);
    let failures = DataDir::new(dir.path()).failures(PartitionId(0));
    let files: Vec<_> = fs::read_dir(failures).unwrap().map(|file| file.unwrap()).collect();
    assert_eq!(files.len(), 1);
    let quarantined_by = answer.seq.0 - 1;
    let name = format!("{quarantined_by:020}-market-1.txt");
    assert_eq!(files[0].file_name().to_str().unwrap(), name);
    let text = fs::read_to_string(files[0].path()).unwrap();
    for part in ["no third trade, at ", "quarantine.rs:", "PlaceOrder", &format!("{}", answer.seq)]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let data = DataDir::new(dir.path());
    let identity = data.identity(PartitionId(0)).unwrap();
    let from = types::Seq(quarantined_by);
    let dir = data.commands(PartitionId(0));
    let mut reader = journal::CommandReader::open(dir, identity, from, None).unwrap();
    let Command::Quarantine { component, reason } = reader.next().unwrap().unwrap().command else {
        panic!("the entry before the one that failed");
    };
    assert_eq!(component, FAILED);
    assert!(reason.starts_with("no third trade, at "), "{reason}");
    assert!(matches!(reader.next().unwrap().unwrap().command, Command::Request { .. }));
}

#[test]
fn the_log_decides_who_is_quarantined_whatever_binary_and_snapshot_it_is_read_with() {
    for partitions in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let (node, client) = founded(config(dir.path(), partitions), third_trade());
        assert!(is_refused(&client.ask(limit(1, Side::Buy, 102, 3))));
        settle(&node);
        let told = events(&node);
        for id in 0..partitions {
            let made = node.request_snapshot(PartitionId(id)).recv_timeout(PATIENCE).unwrap();
            made.unwrap();
        }
        client.demand(&in_second(limit(3, Side::Sell, 500, 1)));
        settle(&node);
        let before = balances(&node);
        kill(node, client);
        for bug in [Some(third_trade()), None] {
            let node = start_with(config(dir.path(), partitions), bug);
            assert!(node.recovery().iter().all(|part| part.snapshot_seq.0 > 0));
            assert_eq!(balances(&node), before);
            let client = Client::new(&node);
            assert!(is_refused(&client.ask(limit(1, Side::Buy, 102, 3))));
            settle(&node);
            kill(node, client);
        }
        for id in 0..partitions {
            fs::remove_dir_all(DataDir::new(dir.path()).snapshots(PartitionId(id))).unwrap();
        }
        // From the beginning: what is derived anew is compared with what was told.
        let node = start_with(config(dir.path(), partitions), None);
        assert!(node.recovery().iter().all(|part| part.snapshot_seq.0 == 0));
        let client = Client::new(&node);
        assert!(told.iter().all(|event| events(&node).contains(event)));
        assert!(is_refused(&client.ask(limit(1, Side::Buy, 102, 3))));
        client.demand(&Request::ReleaseQuarantine { component: FAILED });
        client.demand(&limit(1, Side::Buy, 102, 3));
        settle(&node);
        assert_eq!(trades(&node), 3);
        stop(node, client);
        assert_eq!(audit(dir.path(), partitions), []);
    }
}

#[test]
fn fills_of_a_slot_that_failed_are_delivered_when_it_is_released() {
    for partitions in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let (node, client) = founded(config(dir.path(), partitions), payment_of_two());
        let before = balances(&node);
        client.demand(&limit(1, Side::Buy, 102, 3));
        settle(&node);
        assert_eq!(trades(&node), 3, "the market goes on");
        assert!(is_refused(&client.ask(limit(2, Side::Sell, 100, 1))));
        let (account, market, order) = (AccountId(2), MARKET, OrderId(1));
        let gone = client.ask(Request::CancelOrder { account, market, order });
        let code = RejectCode::UnknownOrder;
        assert!(matches!(gone.events[0], Event::Rejected { code: found, .. } if found == code));
        // It fails again as long as the bug is there, and nothing is lost by that.
        client.demand(&Request::ReleaseQuarantine { component: SLOT_2 });
        settle(&node);
        assert_eq!(quarantines(&node), 2);
        stop(node, client);
        assert_eq!(audit(dir.path(), partitions), [SLOT_2]);

        let node = start_with(config(dir.path(), partitions), None);
        let client = Client::new(&node);
        client.demand(&Request::ReleaseQuarantine { component: SLOT_2 });
        settle(&node);
        let after = balances(&node);
        let of = |all: &std::collections::BTreeMap<_, (Amount, Amount)>, asset| {
            let (available, held) = all[&(AccountId(2), asset)];
            (available + held).get()
        };
        let tick_lot = 100 * 10_000;
        assert_eq!(of(&before, BASE) - of(&after, BASE), 3 * 10_000);
        assert_eq!(of(&after, QUOTE) - of(&before, QUOTE), 303 * tick_lot / 10_000);
        stop(node, client);
        assert_eq!(audit(dir.path(), partitions), []);
    }
}

#[test]
fn two_components_that_fail_on_one_entry_are_both_quarantined() {
    let dir = tempfile::tempdir().unwrap();
    let bug = Bug::new(|done| {
        (third_trade().0)(done);
        let slot = Slot(1);
        if let Done::Handled(Message::Refused { account, .. }) = done {
            assert_ne!(account.slot(), slot, "refusals are not my business");
        }
    });
    let (node, client) = founded(config(dir.path(), 1), bug);
    assert!(is_refused(&client.ask(limit(1, Side::Buy, 102, 3))));
    client.demand(&in_second(limit(3, Side::Sell, 500, 1)));
    stop(node, client);
    assert_eq!(audit(dir.path(), 1), [Component::Ledger(Slot(1)), FAILED]);
}

#[test]
fn what_fails_between_components_stops_the_process_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let bug = Bug::new(|done| {
        assert!(!matches!(done, Done::Emits(Event::FeeTierSet { .. })), "no fees");
    });
    let teller = Arc::clone(&told);
    let hooks = NodeHooks {
        bug: Some(bug),
        fatal: Arc::new(move |error| teller.lock().push(error.to_string())),
        ..NodeHooks::default()
    };
    let node = Arc::new(Node::start(config(dir.path(), 1), hooks).unwrap());
    let client = Client::new(&node);
    client.found(2);
    let rates = types::FeeRates::default();
    client.send(Request::SetFeeTier { tier: 0, rates }).unwrap();
    while !node.has_failed() {
        std::thread::yield_now();
    }
    let bug = NodeError::Bug { partition: PartitionId(0) }.to_string();
    while told.lock().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(*told.lock(), [bug]);
    kill(node, client);
}

/// Writes nothing any more from when it is told so.
#[derive(Default)]
struct Breaks(AtomicBool);

impl DiskHook for Breaks {
    fn before_write(&self, _: &Path, _: u64, _: usize) -> io::Result<()> {
        if self.0.load(Ordering::Acquire) { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }

    fn before_sync(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_crash_between_the_failure_and_its_entry_leaves_neither_command_nor_quarantine() {
    let dir = tempfile::tempdir().unwrap();
    let breaks = Arc::new(Breaks::default());
    let has_ended = Arc::new(AtomicBool::new(false));
    let (ended, breaker) = (Arc::clone(&has_ended), Arc::clone(&breaks));
    let third = third_trade();
    let bug = Bug::new(move |done| {
        if let Done::Emits(Event::Trade(trade)) = done
            && trade.trade.0 == 3
        {
            breaker.0.store(true, Ordering::Release);
        }
        (third.0)(done);
    });
    let hooks = NodeHooks {
        bug: Some(bug),
        disk: Some(breaks),
        fatal: Arc::new(move |_| ended.store(true, Ordering::Release)),
        ..NodeHooks::default()
    };
    let node = Arc::new(Node::start(config(dir.path(), 1), hooks).unwrap());
    let client = Client::new(&node);
    client.found(4);
    for price in [100, 101, 102] {
        client.demand(&limit(2, Side::Sell, price, 1));
    }
    client.send(limit(1, Side::Buy, 102, 3)).unwrap();
    while !has_ended.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
    assert!(client.answers.try_recv().is_err(), "nobody is told what is not durable");
    kill(node, client);
    assert_eq!(audit(dir.path(), 1), []);

    let node = start_with(config(dir.path(), 1), Some(third_trade()));
    let client = Client::new(&node);
    assert_eq!((quarantines(&node), trades(&node)), (0, 0));
    client.demand(&limit(1, Side::Buy, 100, 1));
    assert!(is_refused(&client.ask(limit(1, Side::Buy, 102, 5))) || trades(&node) == 2);
    stop(node, client);
    audit(dir.path(), 1);
}

#[test]
fn a_market_fails_by_the_clock_as_by_a_command() {
    let dir = tempfile::tempdir().unwrap();
    let bug = Bug::new(|done| {
        if let Done::Emits(Event::MarketStateChanged { state, .. }) = done {
            assert_ne!(*state, MarketState::Closed, "never closed");
        }
    });
    let (node, client) = founded(config(dir.path(), 1), bug);
    let at = node.now().saturating_add_nanos(20_000_000);
    let state = Some(MarketState::Closed);
    client.demand(&Request::PlanMarketState { market: MARKET, at, state });
    while quarantines(&node) == 0 {
        std::thread::yield_now();
    }
    client.demand(&in_second(limit(3, Side::Sell, 500, 1)));
    settle(&node);
    stop(node, client);
    assert_eq!(audit(dir.path(), 1), [FAILED]);
}
