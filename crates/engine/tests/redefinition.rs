//! Changes of tick and lot, and delisting, over whole exchanges: random books, books larger than the work of
//! an entry, several partitions, and snapshots in the middle.

use std::collections::BTreeMap;

use crate::exchange::{Exchange, FIRST_MARKET, limit};
use chance::Random;
use engine::Partition;
use types::*;

const SECOND: u64 = 1_000_000_000;

/// Units that random changes go through, as whole numbers of atoms: (tick, lot).
const UNITS: [(u64, u64); 6] = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 3), (3, 4)];

fn redefinition(tick: u64, lot: u64) -> Redefinition {
    Redefinition {
        tick: Decimal::new(tick, 0),
        lot: Decimal::new(lot, 0),
        max_price: Price::new(100_000),
        max_quantity: Quantity::new(100_000),
        bounds: None,
    }
}

impl Exchange {
    /// Plans a change and lets its time come.
    fn redefine(&mut self, tick: u64, lot: u64) -> Vec<Event> {
        let at = self.now.saturating_add_nanos(SECOND);
        let redefinition = Some(Box::new(redefinition(tick, lot)));
        self.submit_quietly(Request::PlanRedefinition { market: FIRST_MARKET, at, redefinition });
        self.wait_until(at)
    }

    fn book_of_first(&self) -> &engine::Market {
        let home = self.partitions[0].market_home(FIRST_MARKET).unwrap();
        self.partitions[usize::from(home.0)].market(FIRST_MARKET).unwrap()
    }
}

/// An open order in atoms: what must be the same before and after. Prices are those of a lot of one atom,
/// quantities base atoms.
#[derive(Clone, Debug, PartialEq, Eq)]
struct InAtoms {
    prices: Vec<u64>,
    quantities: Vec<u64>,
}

impl InAtoms {
    fn fits(&self, tick: u64, lot: u64) -> bool {
        self.prices.iter().all(|price| price.is_multiple_of(tick))
            && self.quantities.iter().all(|quantity| quantity.is_multiple_of(lot))
    }
}

/// Open orders by id, ids by priority (bids, asks, fired), the reverse of which may not change.
fn open_orders(
    exchange: &Exchange,
    tick: u64,
    lot: u64,
) -> (BTreeMap<OrderId, InAtoms>, Vec<OrderId>) {
    let market = exchange.book_of_first();
    let mut open = BTreeMap::new();
    let mut priority = Vec::new();
    for order in [Side::Buy, Side::Sell].into_iter().flat_map(|side| market.book().orders(side)) {
        let counts = [order.remaining, order.hidden, order.visible, order.filled];
        let quantities = counts.map(|count| count.get() * lot).to_vec();
        open.insert(order.id, InAtoms { prices: vec![order.price.get() * tick], quantities });
        priority.push(order.id);
    }
    for order in market.waiting() {
        let Conditions { trigger, visible, minimum, .. } = *order.admit.conditions;
        let trigger = match trigger {
            Some(Trigger::Rises { to } | Trigger::Falls { to }) => Some(to),
            Some(Trigger::Trails { activation, .. }) => activation,
            None => None,
        };
        let prices = [Some(order.admit.spec.limit_price()), trigger, order.reference];
        let prices = prices.into_iter().flatten().map(|price| price.get() * tick).collect();
        let counts = [order.admit.spec.quantity(), visible, minimum];
        let quantities = counts.into_iter().flatten().map(|count| count.get() * lot).collect();
        open.insert(order.id, InAtoms { prices, quantities });
    }
    priority.extend(market.fired());
    (open, priority)
}

fn random_order(random: &mut Random, version: u32, last: u64) -> PlaceOrder {
    let side = random.pick(&[Side::Buy, Side::Sell]);
    let price = last.saturating_sub(12).max(1) + random.below(24);
    let quantity = 1 + random.below(24);
    let account = 1 + random.below(4) as u32;
    let mut order = PlaceOrder { version, ..limit(account, side, price, quantity) };
    let mut conditions = Conditions::NONE;
    match random.below(10) {
        0 | 1 if quantity > 1 => {
            conditions.visible = Some(Quantity::new(1 + random.below(quantity - 1)));
        }
        2 => {
            conditions.trigger = Some(Trigger::Rises { to: Price::new(last + 1 + random.below(9)) })
        }
        3 if last > 12 => {
            conditions.trigger =
                Some(Trigger::Falls { to: Price::new(last - 1 - random.below(9)) });
            if side == Side::Sell {
                let quantity = Quantity::new(quantity);
                order.spec = OrderSpec::MarketByQuantity { quantity, max_spend: None };
            }
        }
        4 => {
            let activation = random.below(2).eq(&0).then(|| Price::new(last + random.below(5)));
            let basis_points = 1 + random.below(900) as u16;
            conditions.trigger = Some(Trigger::Trails { basis_points, activation });
        }
        _ => {}
    }
    order.conditions = conditions.into();
    order
}

/// One random life of a market through several changes of its units.
fn live(seed: u64, partitions: u16) -> usize {
    let mut random = Random::new(seed);
    let mut exchange = Exchange::funded(partitions, 1, 4, 1_000_000_000);
    let (mut tick, mut lot) = (1, 1);
    let mut cancelled = 0;
    for round in 1..=4 {
        for _ in 0..60 {
            let last = exchange.book_of_first().last_price().map_or(240 / tick, Price::get);
            let order = random_order(&mut random, round, last);
            exchange.submit_quietly(Request::PlaceOrder(order));
        }
        if random.below(3) == 0 {
            let state = random.pick(&[MarketState::Auction, MarketState::Halted]);
            exchange.submit_quietly(Request::SetMarketState { market: FIRST_MARKET, state });
        }
        let (before, priority) = open_orders(&exchange, tick, lot);
        let balances = exchange.balances();
        let next = random.pick(&UNITS);
        let events = exchange.redefine(next.0, next.1);
        let unfit: Vec<OrderId> = before
            .iter()
            .filter(|(_, order)| !order.fits(next.0, next.1))
            .map(|(&id, _)| id)
            .collect();
        let ended = events.iter().filter_map(|event| match event {
            Event::OrderCancelled { order, cause: CancelCause::Redefined, .. } => Some(*order),
            _ => None,
        });
        assert_eq!(ended.collect::<Vec<_>>(), unfit, "seed {seed}, round {round}");
        cancelled += unfit.len();
        let kept = |id: &OrderId| !unfit.contains(id);
        (tick, lot) = next;
        let (after, priority_after) = open_orders(&exchange, tick, lot);
        let expected: BTreeMap<_, _> = before.into_iter().filter(|(id, _)| kept(id)).collect();
        assert_eq!(after, expected, "seed {seed}, round {round}: each order is worth what it was");
        let expected: Vec<_> = priority.into_iter().filter(kept).collect();
        assert_eq!(priority_after, expected, "seed {seed}, round {round}: in the same order");
        let total = |(available, held): &(Amount, Amount)| *available + *held;
        let before: Vec<_> = balances.values().map(total).collect();
        let after: Vec<_> = exchange.balances().values().map(total).collect();
        assert_eq!(after, before, "seed {seed}, round {round}: no atom moved");
        exchange.assert_sound();
        exchange.submit_quietly(Request::SetMarketState {
            market: FIRST_MARKET,
            state: MarketState::Continuous,
        });
        exchange.assert_sound();
    }
    exchange.assert_replays();
    cancelled
}

#[test]
fn a_random_book_keeps_ids_priority_and_money_through_changes_of_units() {
    let mut cancelled = 0;
    for seed in 0..60 {
        println!("seed {seed}");
        cancelled += live(seed, 1 + (seed % 3) as u16);
    }
    assert!(cancelled > 500, "{cancelled} orders did not fit: the test must see both");
}

/// More orders than an entry's work: each second one does not fit.
fn large_book() -> Exchange {
    let mut exchange = Exchange::funded(1, 1, 2, 1 << 40);
    for n in 0..6_000 {
        let (side, price) = if n % 2 == 0 { (Side::Buy, 100) } else { (Side::Sell, 200) };
        let order = limit(1, side, price + n % 7, 1 + n / 2 % 2);
        exchange.submit(Request::PlaceOrder(order));
    }
    exchange
}

/// Lets the time come entry by entry, each time from the snapshot of the state before.
fn tick_through_snapshots(exchange: &mut Exchange, at: Timestamp) -> Vec<Event> {
    exchange.now = at;
    let mut all = exchange.append_one(PartitionId(0), Command::Tick);
    while exchange.partitions[0].needs_continue() {
        let bytes = exchange.partitions[0].snapshot();
        let restored = Partition::restore(PartitionId(0), 99, &bytes).unwrap();
        assert_eq!(restored.snapshot(), bytes);
        exchange.partitions[0] = restored;
        all.extend(exchange.append_one(PartitionId(0), Command::Continue));
    }
    all
}

#[test]
fn a_large_book_is_converted_in_several_entries_that_snapshots_may_part() {
    let mut exchange = large_book();
    let at = exchange.now.saturating_add_nanos(SECOND);
    let redefinition = Some(Box::new(redefinition(1, 2)));
    exchange.submit_quietly(Request::PlanRedefinition { market: FIRST_MARKET, at, redefinition });
    let before = exchange.partitions[0].seq();
    let events = tick_through_snapshots(&mut exchange, at);
    let cancels = events.iter().filter(|event| matches!(event, Event::OrderCancelled { .. }));
    assert_eq!(cancels.count(), 3_000);
    assert!(exchange.partitions[0].seq().0 - before.0 > 3, "work is bounded by entry");
    assert_eq!(exchange.book_of_first().book().order_count(), 3_000);
    assert_eq!(exchange.assert_sound().open_orders, 3_000);
    exchange.assert_replays();
}

/// Rules 15.1 and 16.1: the time of the command itself has come.
#[test]
fn what_is_planned_is_at_least_a_nanosecond_away() {
    // An entry is applied this much after the one before.
    const ENTRY_NANOS: u64 = 1_000;
    let is_planned = |nanos: u64, request: fn(Timestamp) -> Request| {
        let mut exchange = Exchange::funded(1, 1, 2, 1_000);
        let events = exchange.submit_quietly(request(exchange.now.saturating_add_nanos(nanos)));
        let refused = RejectCode::PlanRefused;
        !events
            .iter()
            .any(|event| matches!(event, Event::Rejected { code, .. } if *code == refused))
    };
    let requests: [fn(Timestamp) -> Request; 2] = [
        |at| Request::PlanDelisting { market: FIRST_MARKET, at: Some(at) },
        |at| {
            let redefinition = Some(Box::new(redefinition(2, 1)));
            Request::PlanRedefinition { market: FIRST_MARKET, at, redefinition }
        },
    ];
    for request in requests {
        assert!(!is_planned(ENTRY_NANOS, request));
        assert!(is_planned(ENTRY_NANOS + 1, request));
    }
}

#[test]
fn a_large_book_is_ended_in_several_entries_that_snapshots_may_part() {
    let mut exchange = large_book();
    let at = exchange.now.saturating_add_nanos(SECOND);
    exchange.submit_quietly(Request::PlanDelisting { market: FIRST_MARKET, at: Some(at) });
    let before = exchange.partitions[0].seq();
    tick_through_snapshots(&mut exchange, at);
    assert!(exchange.partitions[0].seq().0 - before.0 > 1, "work is bounded by entry");
    assert_eq!(exchange.book_of_first().state(), MarketState::Delisted);
    assert_eq!(exchange.assert_sound().open_orders, 0);
    let all = (Amount::new(1 << 40), Amount::ZERO);
    assert!(exchange.balances().values().all(|balance| *balance == all));
    exchange.assert_replays();
}

#[test]
fn what_comes_while_a_book_is_converted_waits_and_is_refused_as_stale() {
    let mut exchange = large_book();
    let at = exchange.now.saturating_add_nanos(SECOND);
    let redefinition = Some(Box::new(redefinition(1, 2)));
    exchange.submit_quietly(Request::PlanRedefinition { market: FIRST_MARKET, at, redefinition });
    exchange.now = at;
    exchange.append_one(PartitionId(0), Command::Tick);
    assert!(exchange.partitions[0].needs_continue());
    let events = exchange.submit(Request::PlaceOrder(limit(2, Side::Buy, 1, 1)));
    let redefined = events.iter().position(|event| matches!(event, Event::MarketRedefined { .. }));
    let refused = events.iter().position(|event| {
        matches!(event, Event::Rejected { code: RejectCode::StaleDefinition, .. })
    });
    assert!(redefined.unwrap() < refused.unwrap());
    exchange.assert_sound();
}

#[test]
fn an_order_on_its_way_between_partitions_is_refused_by_the_markets_own_version() {
    let mut exchange = Exchange::funded(3, 3, 4, 1_000_000);
    let treasury = exchange.topology.treasury;
    let market = exchange.partitions[usize::from(treasury.0)]
        .definitions()
        .markets()
        .map(|listed| &listed.def)
        .find(|def| def.home != treasury)
        .expect("markets are spread")
        .id;
    let at = exchange.now.saturating_add_nanos(SECOND);
    let redefinition = Some(Box::new(redefinition(1, 2)));
    exchange.submit_quietly(Request::PlanRedefinition { market, at, redefinition });
    // The order leaves its ledger under the old version; the change overtakes it.
    let order = PlaceOrder { market, ..limit(1, Side::Buy, 100, 2) };
    let home = exchange.partitions[0].market_home(market).unwrap();
    let elsewhere = (1..=4)
        .map(AccountId)
        .find(|account| exchange.topology.home_of_slot(account.slot()) != home);
    let account = elsewhere.unwrap_or(AccountId(1));
    exchange.submit(Request::PlaceOrder(PlaceOrder { account, ..order }));
    exchange.now = at;
    exchange.append(treasury, Command::Tick);
    exchange.carry(treasury, home, usize::MAX);
    let mut events = Vec::new();
    exchange.settle(&mut events);
    assert!(exchange.assert_sound().quiet);
    let versions: Vec<u32> = exchange
        .partitions
        .iter()
        .map(|partition| partition.definitions().market(market).unwrap().def.version)
        .collect();
    assert_eq!(versions, [2, 2, 2]);
    exchange.assert_replays();
}

#[test]
fn only_an_orderly_end_lets_a_market_trade_on() {
    let reopening = Some(Reopening { cancel_only_seconds: 30, auction_seconds: 60 });
    let rules = MarketRules { reopening, ..MarketRules::default() };
    for ends_in_order in [true, false] {
        let mut exchange = Exchange::funded(1, 1, 2, 1_000);
        exchange.submit_quietly(Request::SetMarketRules {
            market: FIRST_MARKET,
            rules: Box::new(rules),
        });
        exchange.append(PartitionId(0), Command::NewTerm { term: 1 });
        assert_eq!(exchange.book_of_first().state(), MarketState::Continuous, "the first start");
        if ends_in_order {
            exchange.append(PartitionId(0), Command::EndTerm);
        }
        // The next life begins with a snapshot.
        let bytes = exchange.partitions[0].snapshot();
        exchange.partitions[0] = Partition::restore(PartitionId(0), 1, &bytes).unwrap();
        let events = exchange.append(PartitionId(0), Command::NewTerm { term: 2 });
        let expected =
            if ends_in_order { MarketState::Continuous } else { MarketState::CancelOnly };
        assert_eq!(exchange.book_of_first().state(), expected);
        assert_eq!(events.is_empty(), ends_in_order);
        // What comes after an orderly end is another life's, and may break off.
        exchange.append(PartitionId(0), Command::NewTerm { term: 3 });
        assert_eq!(exchange.book_of_first().state(), MarketState::CancelOnly);
    }
}
