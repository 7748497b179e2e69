//! Random traffic through the real engine: what the views say must be what the engine holds, and what
//! a naive reader of all events computes.

use std::collections::BTreeMap;

use crate::traffic::exchange::Exchange;
use crate::traffic::{ACCOUNTS, MARKETS, interleaved, last_seq, traffic};
use chance::Random;
use types::{
    AccountId, CancelCause, Event, MarketId, OrderId, PartitionId, Price, Side, Timestamp, Trade,
};
use views::{AccountChange, Changes, DepthLevel, Interval, OrderStatus, Views};

const REQUESTS: u64 = 1_500;

fn fed(exchange: &Exchange, random: &mut Random) -> Views {
    let views = Views::new(exchange.partitions.len() as u16);
    for batch in interleaved(exchange, random) {
        let changes = views.on_batch(&batch).unwrap();
        assert_eq!(changes.contradictions, [], "no event contradicts the view");
    }
    views
}

fn markets() -> impl Iterator<Item = MarketId> {
    (1..=MARKETS).map(MarketId)
}

fn accounts() -> impl Iterator<Item = AccountId> {
    (1..=ACCOUNTS).map(AccountId)
}

/// Trades of a market with their times, from all events.
fn trades(exchange: &Exchange, market: MarketId) -> Vec<(Timestamp, Trade)> {
    let mut trades = Vec::new();
    for (events, log) in exchange.events.iter().zip(&exchange.logs) {
        for ((_, events), (time, _)) in events.iter().zip(log) {
            trades.extend(events.iter().filter_map(|event| match event {
                Event::Trade(trade) if trade.market == market => Some((*time, *trade)),
                _ => None,
            }));
        }
    }
    trades
}

#[test]
fn books_balances_and_open_orders_are_those_of_the_engine() {
    for (seed, partitions) in [(1, 1), (2, 1), (3, 3), (4, 5)] {
        let exchange = traffic(seed, partitions, REQUESTS);
        let views = fed(&exchange, &mut Random::new(seed));
        assert_eq!(views.contradictions(), 0);
        for partition in 0..partitions {
            assert_eq!(views.applied(PartitionId(partition)), last_seq(&exchange, partition));
        }
        let mut resting = 0;
        for ((market, side), orders) in exchange.books() {
            resting += orders.len();
            let home = exchange.partitions.iter().find_map(|p| p.market(market)).unwrap();
            let levels = home.book().levels(side);
            let engine: Vec<_> = levels.map(|l| (l.price, l.quantity, l.orders)).collect();
            let depth = views.depth(market, usize::MAX);
            let seen = if side == Side::Buy { depth.bids } else { depth.asks };
            let seen: Vec<_> = seen.iter().map(|l| (l.price, l.quantity, l.orders)).collect();
            assert_eq!(seen, engine);
            for (order, account, price, remaining) in orders {
                let view = views.order(account, market, order).unwrap();
                assert!(view.status.is_open() && view.rested && view.side == side);
                assert_eq!((view.price(), view.remaining), (Some(price), remaining));
            }
        }
        let open: usize = accounts().map(|account| views.open_orders(account, None).len()).sum();
        let mut waiting = 0;
        for market in markets() {
            let home = exchange.partitions.iter().find_map(|p| p.market(market)).unwrap();
            for order in home.waiting() {
                let view = views.order(order.admit.account, market, order.id).unwrap();
                assert_eq!((view.status, view.rested), (OrderStatus::Waiting, false));
                assert_eq!(view.conditions, *order.admit.conditions);
                waiting += 1;
            }
        }
        assert_eq!(open, resting + waiting, "an order is open exactly while it rests or waits");
        assert!(resting > 0 && waiting > 0);
        for ((account, asset), (available, held)) in exchange.balances() {
            let balances = views.balances(account);
            let seen = balances.iter().find(|balance| balance.asset == asset).unwrap();
            assert_eq!((seen.available, seen.held), (available, held));
        }
    }
}

#[test]
fn the_traffic_has_what_these_tests_are_to_be_about() {
    let exchange = traffic(1, 1, REQUESTS);
    let count = |is_one: fn(&Event) -> bool| {
        let events = exchange.events.iter().flatten().flat_map(|(_, events)| events);
        events.filter(|event| is_one(event)).count()
    };
    let counts = [
        count(|event| matches!(event, Event::OrderTriggered { .. })),
        count(|event| matches!(event, Event::OrderRefilled { .. })),
        count(|event| matches!(event, Event::OrderCancelled { cause: CancelCause::Expired, .. })),
        count(|event| matches!(event, Event::AuctionUncrossed { .. })),
    ];
    assert!(counts.iter().all(|&count| count > 3), "{counts:?}");
}

#[test]
fn cumulative_fills_of_orders_are_the_sums_of_their_trades() {
    let exchange = traffic(11, 3, REQUESTS);
    let views = fed(&exchange, &mut Random::new(11));
    let mut sums: BTreeMap<(AccountId, MarketId, OrderId), (u64, u128, u128)> = BTreeMap::new();
    for market in markets() {
        for (_, trade) in trades(&exchange, market) {
            for party in [trade.buyer, trade.seller] {
                let sum = sums.entry((party.account, market, party.order)).or_default();
                sum.0 += trade.quantity.get();
                sum.1 += trade.quote_amount.get();
                sum.2 += party.fee.total().get();
            }
        }
    }
    let mut checked = 0;
    for ((account, market, order), sum) in sums {
        // Closed orders beyond the last 500 of an account are forgotten.
        let Some(view) = views.order(account, market, order) else {
            continue;
        };
        assert_eq!((view.filled.get(), view.quote_filled.get(), view.fee.get()), sum);
        assert_ne!(view.status, OrderStatus::Open);
        let fills = views.fills(account, Some(market), 500);
        assert!(fills.iter().all(|fill| fill.account == account && fill.market == market));
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn candles_and_tickers_are_those_of_all_trades() {
    let exchange = traffic(21, 1, REQUESTS);
    let views = fed(&exchange, &mut Random::new(21));
    for market in markets() {
        let trades = trades(&exchange, market);
        assert!(trades.len() > 100);
        for interval in Interval::ALL {
            let mut naive: BTreeMap<u64, Vec<&Trade>> = BTreeMap::new();
            for (time, trade) in &trades {
                naive.entry(time.0 / interval.nanos()).or_default().push(trade);
            }
            let seen = views.candles(market, interval, Timestamp(0), Timestamp(u64::MAX), 9_999);
            assert_eq!(seen.len(), naive.len());
            for (candle, (start, trades)) in seen.iter().zip(naive) {
                assert_eq!(candle.start.0, start * interval.nanos());
                assert_eq!(candle.open, trades[0].price);
                assert_eq!(candle.close, trades.last().unwrap().price);
                assert_eq!(Some(candle.high), trades.iter().map(|t| t.price).max());
                assert_eq!(Some(candle.low), trades.iter().map(|t| t.price).min());
                let volume: u128 = trades.iter().map(|t| u128::from(t.quantity.get())).sum();
                let quote: u128 = trades.iter().map(|t| t.quote_amount.get()).sum();
                assert_eq!((candle.volume, candle.quote_volume), (volume, quote));
                assert_eq!(candle.trades, trades.len() as u64);
            }
        }
        let ticker = views.ticker(market);
        let volume: u128 = trades.iter().map(|(_, t)| u128::from(t.quantity.get())).sum();
        assert_eq!(ticker.volume, volume, "all of it lies within a day");
        assert_eq!(ticker.open, Some(trades[0].1.price));
        assert_eq!(ticker.last, Some(trades.last().unwrap().1.price));
        let recent = views.trades(market, 1_000);
        let expected: Vec<_> = trades.iter().rev().take(1_000).map(|(_, t)| t.trade).collect();
        assert_eq!(recent.iter().map(|t| t.trade).collect::<Vec<_>>(), expected);
    }
}

/// A WebSocket client's copy of a book, kept by changes alone.
#[derive(Default)]
struct Copy {
    seq: types::Seq,
    bids: BTreeMap<Price, DepthLevel>,
    asks: BTreeMap<Price, DepthLevel>,
}

impl Copy {
    fn follow(&mut self, changes: &views::MarketChanges) {
        assert_eq!(changes.previous_depth_seq, self.seq, "nothing was missed");
        self.seq = changes.depth_seq;
        for change in &changes.levels {
            let side = if change.side == Side::Buy { &mut self.bids } else { &mut self.asks };
            if change.level.quantity == 0 {
                side.remove(&change.level.price);
            } else {
                side.insert(change.level.price, change.level);
            }
        }
    }

    /// As the documentation describes it, by the slowest means.
    fn checksum(&self) -> u32 {
        let text = |level: &DepthLevel| format!("{}:{}", level.price, level.quantity);
        let bids: Vec<_> = self.bids.values().rev().take(25).map(text).collect();
        let asks: Vec<_> = self.asks.values().take(25).map(text).collect();
        let turns = (0..25).flat_map(|n| [bids.get(n), asks.get(n)]).flatten();
        let text = turns.cloned().collect::<Vec<_>>().join("|");
        let crc = text.bytes().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            })
        });
        !crc
    }
}

#[test]
fn a_client_that_follows_the_changes_has_the_book_and_its_checksum() {
    let exchange = traffic(31, 1, REQUESTS);
    let views = Views::new(1);
    let mut copies: BTreeMap<MarketId, Copy> = BTreeMap::new();
    let mut traded = 0;
    for batch in interleaved(&exchange, &mut Random::new(31)) {
        let changes: Changes = views.on_batch(&batch).unwrap();
        for market in &changes.markets {
            let copy = copies.entry(market.market).or_default();
            copy.follow(market);
            if !market.levels.is_empty() {
                assert_eq!(market.checksum, copy.checksum());
            }
            let depth = views.depth(market.market, usize::MAX);
            assert!(depth.bids.iter().eq(copy.bids.values().rev()));
            assert!(depth.asks.iter().eq(copy.asks.values()));
            assert_eq!((depth.seq, depth.checksum), (copy.seq, copy.checksum()));
            traded += market.trades.len();
        }
    }
    assert!(traded > 200);
}

#[test]
fn an_account_that_follows_its_changes_has_its_balances_and_open_orders() {
    let exchange = traffic(41, 3, REQUESTS);
    let views = Views::new(3);
    let mut balances = BTreeMap::new();
    let mut orders = BTreeMap::new();
    for batch in interleaved(&exchange, &mut Random::new(41)) {
        for account in views.on_batch(&batch).unwrap().accounts {
            for update in account.updates {
                match update.change {
                    AccountChange::Balance(balance) => {
                        balances.insert((account.account, balance.asset), balance);
                    }
                    AccountChange::Order(order) => {
                        let key = (account.account, order.market, order.order);
                        orders.insert(key, order);
                    }
                    AccountChange::Fill(fill) => assert_eq!(fill.account, account.account),
                    AccountChange::Account(_) => {}
                }
            }
        }
    }
    orders.retain(|_, order| order.status.is_open());
    for account in accounts() {
        let of = |&(owner, _): &(AccountId, _)| owner == account;
        let followed: Vec<_> =
            balances.iter().filter(|(key, _)| of(key)).map(|(_, balance)| *balance).collect();
        assert_eq!(views.balances(account), followed);
        let followed: Vec<_> =
            orders.values().filter(|order| order.account == account).copied().collect();
        assert_eq!(views.open_orders(account, None), followed);
    }
}

#[test]
fn views_restored_half_way_go_on_as_if_nothing_had_been() {
    let exchange = traffic(51, 3, REQUESTS);
    let batches = interleaved(&exchange, &mut Random::new(51));
    let whole = fed(&exchange, &mut Random::new(51));
    let mut views = Views::new(3);
    for (n, batch) in batches.iter().enumerate() {
        views.on_batch(batch).unwrap();
        if n == batches.len() / 2 {
            let bytes = views.snapshot();
            views = Views::restore(&bytes, 3).unwrap();
            assert_eq!(views.snapshot(), bytes, "the same state gives the same bytes");
        }
    }
    assert!(views.snapshot() == whole.snapshot());
}

#[test]
fn what_is_applied_already_is_skipped_and_a_gap_is_refused() {
    let exchange = traffic(61, 1, 300);
    let batches = interleaved(&exchange, &mut Random::new(61));
    let views = fed(&exchange, &mut Random::new(61));
    let before = views.snapshot();
    for batch in &batches {
        let again = views.on_batch(batch).unwrap();
        assert_eq!(again.after, again.through);
        assert!(again.markets.is_empty() && again.accounts.is_empty());
    }
    assert!(views.snapshot() == before);

    let empty = Views::new(1);
    let gap = empty.on_batch(&batches[1]).unwrap_err();
    assert!(matches!(gap, views::ViewError::Gap { .. }), "{gap}");
    assert_eq!(empty.applied(PartitionId(0)), types::Seq(0));
}

#[test]
fn a_damaged_or_foreign_snapshot_is_refused() {
    let exchange = traffic(71, 1, 100);
    let bytes = fed(&exchange, &mut Random::new(71)).snapshot();
    assert!(Views::restore(&bytes, 2).is_err());
    assert!(Views::restore(&bytes[..bytes.len() - 1], 1).is_err());
    let mut other_version = bytes.clone();
    other_version[0] += 1;
    assert!(Views::restore(&other_version, 1).is_err());
    assert!(Views::restore(&[bytes, vec![0]].concat(), 1).is_err());
}

/// Prints events per second: `cargo test --release -p views --test against_the_engine -- --ignored
/// --nocapture`.
#[test]
#[ignore = "a measurement"]
fn measure_feeding() {
    let exchange = traffic(81, 1, 200_000);
    let batches = interleaved(&exchange, &mut Random::new(81));
    let views = Views::new(1);
    let start = std::time::Instant::now();
    let events: usize = batches.iter().map(|batch| batch.event_count()).sum();
    for batch in &batches {
        views.on_batch(batch).unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    let count = batches.len();
    println!("{events} events in {count} batches: {:.0} events/s", events as f64 / seconds);
}
