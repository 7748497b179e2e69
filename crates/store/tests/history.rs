//! The history against the engine: nothing missing, nothing twice, sums exact.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::traffic::exchange::Exchange;
use crate::traffic::{ACCOUNTS, interleaved, last_seq, traffic};
use chance::Random;
use store::{FillQuery, LedgerQuery, OrderQuery, OrderState, Store, StoreError};
use types::{AccountId, Amount, AssetId, Event, EventBatch, MarketId, PartitionId, Seq, Timestamp};

fn totals(exchange: &Exchange) -> Vec<(AccountId, AssetId, Amount)> {
    let balances = exchange.balances().into_iter();
    balances.map(|((account, asset), (free, held))| (account, asset, free + held)).collect()
}

/// Projects in calls of random size; partitions that come too early are tried again later.
fn project(store: &Store, batches: &[Arc<EventBatch>], random: &mut Random) {
    let mut projector = store.projector();
    let mut rest = batches;
    let mut size = 1 + random.below(20) as usize;
    while !rest.is_empty() {
        size = size.min(rest.len());
        match projector.apply(&rest[..size]) {
            Ok(_) => {
                rest = &rest[size..];
                size = 1 + random.below(20) as usize;
            }
            // The listing of the market comes with a later batch of another partition.
            Err(StoreError::UnknownMarket(_)) => size *= 2,
            Err(error) => panic!("{error}"),
        }
    }
}

fn assert_is_history_of(store: &Store, exchange: &Exchange) {
    for partition in 0..exchange.partitions.len() as u16 {
        assert_eq!(store.cursor(PartitionId(partition)).unwrap(), last_seq(exchange, partition));
    }
    let verified = store.check(totals(exchange)).unwrap();
    assert_eq!(verified.mismatches, []);
    assert!(verified.entries > 100 && verified.balances >= u64::from(ACCOUNTS) * 2);
    let mut trades: BTreeMap<MarketId, u64> = BTreeMap::new();
    for (_, events) in exchange.events.iter().flatten() {
        for event in events {
            if let Event::Trade(trade) = event {
                *trades.entry(trade.market).or_default() += 1;
            }
        }
    }
    for (&market, &count) in &trades {
        let rows = store.trades(market, None, 1_000_000).unwrap();
        assert_eq!(rows.len() as u64, count);
        let ids: Vec<_> = rows.iter().map(|row| row.trade.0).collect();
        assert_eq!(ids, (1..=count).rev().collect::<Vec<_>>());
    }
    let mut open = 0;
    for ((market, side), orders) in exchange.books() {
        open += orders.len();
        for (order, account, price, remaining) in orders {
            let row = store.order(market, order).unwrap().unwrap();
            assert_eq!((row.account, row.side, row.price), (account, side, Some(price)));
            assert_eq!(row.quantity.unwrap() - row.filled, remaining);
        }
    }
    for market in trades.keys() {
        let home = exchange.partitions.iter().find_map(|p| p.market(*market)).unwrap();
        for waiting in home.waiting() {
            open += 1;
            let row = store.order(*market, waiting.id).unwrap().unwrap();
            assert_eq!(row.status, "waiting");
            assert_eq!(row.conditions, *waiting.admit.conditions);
        }
    }
    let query = |account| OrderQuery {
        account: AccountId(account),
        market: None,
        state: Some(OrderState::Open),
        before: None,
        limit: u32::MAX,
    };
    let rows = (1..=ACCOUNTS).map(|account| store.orders(&query(account)).unwrap().len());
    assert_eq!(rows.sum::<usize>(), open);
}

#[test]
fn the_history_is_that_of_the_engine_in_one_partition_and_in_several() {
    for (seed, partitions) in [(101, 1), (102, 3), (103, 5)] {
        let exchange = traffic(seed, partitions, 800);
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let random = &mut Random::new(seed);
        project(&store, &interleaved(&exchange, random), random);
        assert_is_history_of(&store, &exchange);
    }
}

#[test]
fn projecting_the_same_batches_again_changes_nothing() {
    let exchange = traffic(111, 1, 300);
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let batches = interleaved(&exchange, &mut Random::new(111));
    project(&store, &batches, &mut Random::new(1));
    for batch in &batches {
        let again = store.projector().apply(std::slice::from_ref(batch)).unwrap();
        assert_eq!((again.entries, again.rows), (0, 0));
    }
    assert_is_history_of(&store, &exchange);
}

/// The files as a kill would leave them.
fn copy_files(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.path().join(file.file_name())).unwrap();
    }
    to
}

#[test]
fn a_crash_between_batches_or_within_a_call_loses_and_doubles_nothing() {
    let exchange = traffic(121, 1, 400);
    let batches = interleaved(&exchange, &mut Random::new(121));
    let mut directory = tempfile::tempdir().unwrap();
    for chunk in batches.chunks(50) {
        let store = Store::open(directory.path()).unwrap();
        let before = store.cursor(PartitionId(0)).unwrap();
        // A call that fails at its end leaves nothing of what it did before.
        let mut broken = chunk.to_vec();
        let mut beyond = EventBatch::new(PartitionId(0));
        beyond.push(Seq(1_000_000), Timestamp(u64::MAX >> 1), &mut Vec::new());
        broken.push(Arc::new(beyond));
        let mut projector = store.projector();
        let error = projector.apply(&broken).unwrap_err();
        assert!(matches!(error, StoreError::Gap { .. }), "{error}");
        assert_eq!(store.cursor(PartitionId(0)).unwrap(), before);

        let (first, second) = chunk.split_at(chunk.len() / 2);
        projector.apply(first).unwrap();
        let copy = copy_files(directory.path());
        projector.apply(second).unwrap();
        drop((projector, store));
        // On from the copy: it has the first half, and gets all of it again.
        let store = Store::open(copy.path()).unwrap();
        assert!(store.cursor(PartitionId(0)).unwrap() < chunk.last().unwrap().last_seq().unwrap());
        store.projector().apply(chunk).unwrap();
        drop(store);
        directory = copy;
    }
    let store = Store::open(directory.path()).unwrap();
    assert_is_history_of(&store, &exchange);
}

/// Each remembers orders as it wrote them, and the other has changed them since.
#[test]
fn projectors_that_take_turns_write_the_same_history_as_one() {
    let exchange = traffic(131, 1, 400);
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let mut projectors = [store.projector(), store.projector()];
    let batches = interleaved(&exchange, &mut Random::new(131));
    for (turn, batches) in batches.chunks(3).enumerate() {
        projectors[turn % 2].apply(batches).unwrap();
    }
    assert_is_history_of(&store, &exchange);
}

#[test]
fn pages_join_to_the_whole_in_order() {
    let exchange = traffic(131, 1, 800);
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    project(&store, &interleaved(&exchange, &mut Random::new(131)), &mut Random::new(2));
    let account = AccountId(3);
    for market in [None, Some(MarketId(2))] {
        let orders = |before, limit| {
            let state = Some(OrderState::Closed);
            store.orders(&OrderQuery { account, market, state, before, limit }).unwrap()
        };
        let fills = |before, limit| {
            store.fills(&FillQuery { account, market, order: None, before, limit }).unwrap()
        };
        let entries = |before, limit| {
            let asset = market.map(|_| AssetId(2));
            store.ledger_entries(&LedgerQuery { account, asset, before, limit }).unwrap()
        };
        assert_pages(orders, |row| row.id);
        assert_pages(fills, |row| row.id);
        assert_pages(entries, |row| row.id);
    }
    let all = store.trades(MarketId(1), None, u32::MAX).unwrap();
    let page = store.trades(MarketId(1), Some(all[4].trade), 3).unwrap();
    assert_eq!(page, all[5..8]);
}

fn assert_pages<T: PartialEq + std::fmt::Debug>(
    read: impl Fn(Option<u64>, u32) -> Vec<T>,
    id: impl Fn(&T) -> u64,
) {
    let whole = read(None, u32::MAX);
    assert!(whole.len() > 20, "{}", whole.len());
    assert!(whole.windows(2).all(|pair| id(&pair[0]) > id(&pair[1])), "newest first");
    let mut joined = Vec::new();
    let mut before = None;
    loop {
        let page = read(before, 7);
        let Some(last) = page.last() else {
            break;
        };
        before = Some(id(last));
        joined.extend(page);
    }
    assert_eq!(joined, whole);
}

#[test]
fn fills_and_client_ids_lead_back_to_their_orders() {
    let exchange = traffic(141, 1, 800);
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    project(&store, &interleaved(&exchange, &mut Random::new(141)), &mut Random::new(3));
    let account = AccountId(1);
    let fills = |order, market| {
        let query = FillQuery { account, market, order, before: None, limit: u32::MAX };
        store.fills(&query).unwrap()
    };
    let mut named = 0;
    for fill in fills(None, None) {
        let order = store.order(fill.market, fill.order).unwrap().unwrap();
        assert_eq!((order.account, order.side), (account, fill.side));
        assert_eq!(order.client_order_id, fill.client_order_id);
        let of_order = fills(Some(fill.order), Some(fill.market));
        let of_side = of_order.iter().filter(|other| other.side == fill.side);
        assert_eq!(of_side.map(|fill| fill.quantity.get()).sum::<u64>(), order.filled.get());
        if let Some(id) = &order.client_order_id {
            let found = store.order_by_client_id(account, id).unwrap().unwrap();
            assert_eq!(found.client_order_id.as_ref(), Some(id));
            named += 1;
        }
    }
    assert!(named > 10);
    let unknown = store.order_by_client_id(account, "never-used").unwrap();
    assert_eq!(unknown, None);
}

#[test]
fn a_balance_that_the_entries_do_not_give_is_named() {
    let exchange = traffic(151, 1, 200);
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    project(&store, &interleaved(&exchange, &mut Random::new(151)), &mut Random::new(4));
    let mut wrong = totals(&exchange);
    wrong[3].2 += Amount::new(1);
    let removed = wrong.pop().unwrap();
    let mismatches = store.check(wrong.clone()).unwrap().mismatches;
    let named: Vec<_> = mismatches.iter().map(|m| (m.account, m.asset)).collect();
    let mut expected = vec![(wrong[3].0, wrong[3].1), (removed.0, removed.1)];
    expected.sort_unstable();
    assert_eq!(named, expected);
}

/// Prints rows per second: `cargo test --release -p store measure_projection -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn measure_projection() {
    let exchange = traffic(161, 1, 60_000);
    let batches = interleaved(&exchange, &mut Random::new(161));
    for per_call in [16, 256, 4_096] {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let mut projector = store.projector();
        let start = std::time::Instant::now();
        let rows: u64 =
            batches.chunks(per_call).map(|chunk| projector.apply(chunk).unwrap().rows).sum();
        let seconds = start.elapsed().as_secs_f64();
        println!("{per_call} batches a call: {rows} rows, {:.0} rows/s", rows as f64 / seconds);
    }
}

#[test]
fn open_orders_follow_a_change_of_units_and_the_past_stays_as_it_was() {
    for (seed, partitions) in [(131, 1), (132, 3)] {
        let mut exchange = traffic(seed, partitions, 600);
        let market = MarketId(1);
        let def = exchange.partitions[0].definitions().market(market).unwrap().def.clone();
        let at = exchange.now.saturating_add_nanos(1_000_000_000);
        let double = |unit: types::Decimal| types::Decimal::new(unit.units * 2, unit.scale);
        let redefinition = types::Redefinition {
            tick: double(def.tick),
            lot: double(def.lot),
            max_price: def.max_price,
            max_quantity: def.max_quantity,
            bounds: None,
        };
        let redefinition = Some(Box::new(redefinition));
        exchange.submit_quietly(types::Request::PlanRedefinition { market, at, redefinition });
        let events = exchange.wait_until(at);
        assert!(events.iter().any(|event| matches!(event, Event::MarketRedefined { .. })));
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let random = &mut Random::new(seed);
        project(&store, &interleaved(&exchange, random), random);
        assert_is_history_of(&store, &exchange);
        let trades: Vec<_> = exchange
            .events
            .iter()
            .flatten()
            .flat_map(|(_, events)| events)
            .filter_map(|event| match event {
                Event::Trade(trade) if trade.market == market => Some((trade.trade, trade.price)),
                _ => None,
            })
            .collect();
        let rows = store.trades(market, None, 1_000_000).unwrap();
        let rows: Vec<_> = rows.iter().rev().map(|row| (row.trade, row.price)).collect();
        assert_eq!(rows, trades);
    }
}

#[test]
fn a_date_beyond_what_sql_can_keep_is_kept_as_the_last_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (market, order) = (MarketId(1), types::OrderId(1));
    let conditions =
        types::Conditions { expires_at: Some(Timestamp(u64::MAX)), ..Default::default() };
    let placed = Event::OrderPlaced {
        reply: types::ReplyTo::NOBODY,
        market,
        order,
        account: AccountId(1),
        client_order_id: types::ClientOrderId::NONE,
        side: types::Side::Buy,
        spec: types::OrderSpec::Limit {
            price: types::Price::new(1),
            quantity: types::Quantity::new(1),
            time_in_force: types::TimeInForce::Gtc,
            post_only: false,
        },
        conditions: conditions.into(),
    };
    let mut batch = EventBatch::new(PartitionId(0));
    batch.push(Seq(1), Timestamp(1), &mut vec![placed]);
    store.projector().apply(&[Arc::new(batch)]).unwrap();
    let row = store.order(market, order).unwrap().unwrap();
    assert_eq!(row.conditions.expires_at, Some(Timestamp(i64::MAX as u64)));
}

#[test]
fn there_is_no_order_with_an_id_that_sql_cannot_keep() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let order = types::OrderId(u64::MAX);
    assert_eq!(store.order(MarketId(1), order).unwrap(), None);
    let query = FillQuery {
        account: AccountId(1),
        market: None,
        order: Some(order),
        before: None,
        limit: 1,
    };
    assert_eq!(store.fills(&query).unwrap(), []);
}
