//! Reading the history by ids and times: aggregates of trades, orders and fills from an id on.

use std::collections::BTreeMap;
use std::path::Path;

use crate::traffic::exchange::Exchange;
use crate::traffic::{ACCOUNTS, interleaved, traffic};
use chance::Random;
use store::{FillsByTradeQuery, OrdersByIdQuery, Store};
use types::{AccountId, Event, MarketId, OrderId, TradeId};

fn history_of(exchange: &Exchange, seed: u64) -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let batches = interleaved(exchange, &mut Random::new(seed));
    // One call: a market's listing may stand in a later batch of another partition.
    store.projector().apply(&batches).unwrap();
    (directory, store)
}

/// The aggregate of each trade, counted from the events.
fn aggregates(exchange: &Exchange) -> BTreeMap<(MarketId, TradeId), u64> {
    let mut last = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (seq, events) in exchange.events.iter().flatten() {
        for event in events {
            let Event::Trade(trade) = event else { continue };
            let this = (*seq, trade.price, trade.taker());
            let (known, count) = last.entry(trade.market).or_insert((None, 0));
            if trade.taker().is_none() || *known != Some(this) {
                *count += 1;
            }
            *known = Some(this);
            found.insert((trade.market, trade.trade), *count);
        }
    }
    found
}

fn assert_aggregates(store: &Store, expected: &BTreeMap<(MarketId, TradeId), u64>) {
    let markets: std::collections::BTreeSet<_> =
        expected.keys().map(|(market, _)| *market).collect();
    let mut some_have_several = false;
    for market in markets {
        let rows = store.trades_from(market, TradeId(1), u32::MAX).unwrap();
        for row in &rows {
            assert_eq!(expected[&(market, row.trade)], row.aggregate, "{market} {}", row.trade);
        }
        some_have_several |= rows.last().is_some_and(|last| last.aggregate < last.trade.0);
        for wanted in 1..=rows.last().map_or(0, |last| last.aggregate) {
            let end = rows.last().unwrap().trade.next();
            let first = store.first_trade(market, end, |row| row.aggregate >= wanted).unwrap();
            let naive = rows.iter().find(|row| row.aggregate >= wanted).unwrap();
            assert_eq!(first, naive.trade);
        }
    }
    assert!(some_have_several, "the traffic must have takers that meet several makers");
}

#[test]
fn aggregates_are_those_of_the_events_whatever_the_batches() {
    let exchange = traffic(301, 1, 800);
    let expected = aggregates(&exchange);
    let (_directory, store) = history_of(&exchange, 301);
    assert_aggregates(&store, &expected);
    // One batch at a time: each call begins with what the last one left in the database.
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    for batch in interleaved(&exchange, &mut Random::new(301)) {
        store.projector().apply(&[batch]).unwrap();
    }
    assert_aggregates(&store, &expected);
}

/// As if the history had been written before there were aggregates.
fn unmigrate(data: &Path) {
    let file = rusqlite::Connection::open(data.join("history.sqlite")).unwrap();
    file.execute_batch(
        "ALTER TABLE trades DROP COLUMN aggregate; DROP TABLE order_lists; DROP TABLE amendments;
         DROP INDEX orders_by_list; PRAGMA user_version = 6;",
    )
    .unwrap();
}

#[test]
fn a_history_of_before_gets_the_same_aggregates() {
    let exchange = traffic(302, 3, 800);
    let (directory, store) = history_of(&exchange, 302);
    drop(store);
    unmigrate(directory.path());
    let store = Store::open(directory.path()).unwrap();
    assert_aggregates(&store, &aggregates(&exchange));
}

#[test]
fn orders_and_fills_are_paged_forwards_by_id_and_from_the_newest_back() {
    let exchange = traffic(303, 1, 800);
    let (_directory, store) = history_of(&exchange, 303);
    let mut pages = 0;
    for account in (1..=ACCOUNTS).map(AccountId) {
        for market in [MarketId(1), MarketId(2)] {
            let orders = |from, limit| {
                let (since, until) = (None, None);
                let query = OrdersByIdQuery { account, market, from, since, until, limit };
                let rows = store.orders_by_id(&query).unwrap();
                rows.iter().map(|row| row.order).collect::<Vec<_>>()
            };
            let all = orders(Some(OrderId(0)), u32::MAX);
            assert!(all.is_sorted(), "{all:?}");
            assert_eq!(orders(None, u32::MAX), all);
            assert_eq!(orders(None, 3), all[all.len().saturating_sub(3)..]);
            if let Some(&third) = all.get(2) {
                pages += 1;
                assert_eq!(orders(Some(third), 2), all[2..all.len().min(4)]);
            }
            let fills = |from, limit| {
                let (order, since, until) = (None, None, None);
                let query = FillsByTradeQuery { account, market, order, from, since, until, limit };
                let rows = store.fills_by_trade(&query).unwrap();
                rows.iter().map(|row| (row.trade, row.order)).collect::<Vec<_>>()
            };
            let all = fills(Some(TradeId(0)), u32::MAX);
            assert!(all.is_sorted_by_key(|(trade, _)| *trade), "{all:?}");
            assert_eq!(fills(None, u32::MAX), all);
            assert_eq!(fills(None, 3), all[all.len().saturating_sub(3)..]);
        }
    }
    assert!(pages > 0, "the traffic must have accounts with orders");
}
