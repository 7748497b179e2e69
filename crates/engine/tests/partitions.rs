//! The same exchange in one partition and in several: nothing is lost, doubled or decided twice.

use crate::exchange::{BASE, Exchange, FIRST_MARKET, QUOTE, limit};
use chance::Random;
use types::{
    AccountId, Amount, ClientOrderId, Command, Delivery, Event, MarketId, MarketState, OrderId,
    OrderSpec, PartitionId, Price, Quantity, Request, SelfTradePrevention, Side, TimeInForce,
};

const ACCOUNTS: u64 = 12;
const MARKETS: u64 = 3;

/// A request as some client might send it, valid or not.
fn random_request(random: &mut Random, serial: u64) -> Request {
    let account = AccountId(random.below(ACCOUNTS) as u32 + 1);
    let market = MarketId(random.below(MARKETS) as u32 + 1);
    // Zero is no order's id.
    let order = OrderId(random.below(serial / 3 + 3));
    let price = Some(Price::new(90 + random.below(20)));
    let quantity = Some(Quantity::new(1 + random.below(60)));
    match random.below(100) {
        0..=59 => {
            let side = random.pick(&[Side::Buy, Side::Sell]);
            let mut place = limit(account.0, side, 90 + random.below(20), 1 + random.below(50));
            place.market = market;
            place.spec = random_spec(random, place.spec);
            place.self_trade_prevention = random.pick(&[
                SelfTradePrevention::None,
                SelfTradePrevention::ExpireTaker,
                SelfTradePrevention::ExpireMaker,
                SelfTradePrevention::ExpireBoth,
                SelfTradePrevention::Decrement,
            ]);
            if random.below(2) == 0 {
                // Some ids are used again.
                place.client_order_id = client_id(serial - random.below(5).min(serial));
            }
            Request::PlaceOrder(place)
        }
        60..=74 => Request::CancelOrder { account, market, order },
        75..=82 => {
            let quantity = quantity.filter(|_| random.below(2) == 0);
            let price = price.filter(|_| random.below(2) == 0);
            let keep_priority = random.below(4) == 0;
            Request::AmendOrder {
                account,
                market,
                version: 1,
                order,
                price,
                quantity,
                keep_priority,
            }
        }
        83..=86 => {
            let client_order_id = client_id(random.below(serial + 1));
            Request::CancelByClientId { account, client_order_id }
        }
        87 => Request::CancelAll { account, market },
        88..=91 => Request::Transfer {
            from: account,
            to: AccountId(random.below(ACCOUNTS + 2) as u32 + 1),
            asset: random.pick(&[BASE, QUOTE]),
            amount: Amount::new(u128::from(random.below(200))),
            client_id: client_id(serial + 1_000_000),
        },
        92..=93 => Request::ReserveDebit {
            account,
            asset: BASE,
            amount: Amount::new(5),
            client_id: client_id(2_000_000 + serial % 7),
        },
        94 => Request::ReleaseDebit { account, client_id: client_id(2_000_000 + serial % 7) },
        95..=97 => Request::SetMarketState {
            market,
            state: random.pick(&[
                MarketState::Continuous,
                MarketState::Continuous,
                MarketState::Auction,
                MarketState::CancelOnly,
                MarketState::Halted,
            ]),
        },
        _ => Request::FreezeAccount { account, frozen: random.below(4) == 0 },
    }
}

fn random_spec(random: &mut Random, limit: OrderSpec) -> OrderSpec {
    let OrderSpec::Limit { price, quantity, .. } = limit else { unreachable!("a limit order") };
    match random.below(10) {
        0 => OrderSpec::MarketByQuantity { quantity, max_spend: None },
        1 => {
            let quote = Amount::new(u128::from(random.below(5_000)));
            OrderSpec::MarketByQuote { quote, max_spend: None }
        }
        2 => {
            let time_in_force = random.pick(&[TimeInForce::Ioc, TimeInForce::Fok]);
            OrderSpec::Limit { price, quantity, time_in_force, post_only: false }
        }
        3 => {
            let time_in_force = TimeInForce::Gtc;
            OrderSpec::Limit { price, quantity, time_in_force, post_only: true }
        }
        _ => limit,
    }
}

fn client_id(n: u64) -> ClientOrderId {
    format!("id-{n}").parse().unwrap()
}

fn exchange(partitions: u16) -> Exchange {
    let mut exchange = Exchange::funded(partitions, MARKETS as u32, ACCOUNTS as u32, 1_000_000);
    exchange.set_fees(1_000, 2_500);
    exchange
}

#[test]
fn quiet_between_commands_any_number_of_partitions_ends_the_same() {
    for seed in 0..6 {
        println!("seed {seed}");
        let mut exchanges: Vec<_> = [1, 2, 5].into_iter().map(exchange).collect();
        for serial in 0..1_500 {
            let mut random = Random::new(seed * 1_000_003 + serial);
            let request = random_request(&mut random, serial);
            for exchange in &mut exchanges {
                exchange.submit_quietly(request.clone());
            }
        }
        let [one, two, five] = exchanges.as_slice() else { unreachable!("three") };
        for other in [two, five] {
            assert_eq!(one.books(), other.books());
            assert_eq!(one.balances(), other.balances());
        }
        for exchange in &exchanges {
            let audit = exchange.assert_sound();
            assert!(audit.quiet);
            exchange.assert_replays();
        }
        assert!(one.books().values().any(|orders| !orders.is_empty()), "something rests");
    }
}

#[test]
fn messages_late_twice_and_out_of_order_lose_and_double_nothing() {
    for seed in 0..6 {
        println!("seed {seed}");
        let mut random = Random::new(seed + 77);
        let mut exchange = exchange(5);
        let mut stale: Vec<(PartitionId, Delivery)> = Vec::new();
        for serial in 0..2_000 {
            let request = random_request(&mut random, serial);
            exchange.submit(request);
            let (from, to) =
                (PartitionId(random.below(5) as u16), PartitionId(random.below(5) as u16));
            match random.below(6) {
                0..=2 => {
                    exchange.carry(from, to, 1 + random.below(8) as usize);
                }
                3 => exchange.acknowledge(from, to),
                4 => {
                    let acknowledged = exchange.partitions[usize::from(from.0)].acknowledged_by(to);
                    let outbox =
                        exchange.partitions[usize::from(from.0)].outbox(to, acknowledged, 20);
                    stale.extend(outbox.map(|delivery| (to, delivery)));
                }
                _ => {
                    if let Some((to, delivery)) = stale.pop() {
                        exchange.append(to, Command::Deliver(delivery));
                    }
                }
            }
            if serial % 50 == 0 {
                exchange.assert_sound();
            }
        }
        exchange.assert_sound();
        exchange.settle(&mut Vec::new());
        assert!(exchange.assert_sound().quiet);
        exchange.assert_replays();
    }
}

#[test]
fn a_partition_goes_on_from_its_snapshot_as_if_nothing_had_been() {
    let mut random = Random::new(5);
    let mut exchange = exchange(2);
    for serial in 0..1_000 {
        let request = random_request(&mut random, serial);
        exchange.submit(request);
        if random.below(20) == 0 {
            exchange.settle(&mut Vec::new());
        }
        if random.below(25) == 0 {
            for partition in &mut exchange.partitions {
                let bytes = partition.snapshot();
                let hash = partition.state_hash();
                assert_eq!(hash, *blake3::hash(&bytes).as_bytes());
                *partition = engine::Partition::restore(partition.id(), serial, &bytes).unwrap();
                assert_eq!(partition.state_hash(), hash);
            }
        }
    }
    exchange.settle(&mut Vec::new());
    exchange.assert_sound();
    exchange.assert_replays();
}

#[test]
fn a_sweep_longer_than_an_entry_goes_on_and_later_commands_keep_their_turn() {
    let mut exchange = Exchange::funded(1, 1, 3, 1_000_000_000);
    for _ in 0..10_000 {
        exchange.submit_quietly(Request::PlaceOrder(limit(1, Side::Sell, 100, 1)));
    }
    let home = PartitionId(0);
    let sweep = Request::PlaceOrder(limit(2, Side::Buy, 100, 10_001));
    let behind = Request::PlaceOrder(limit(3, Side::Sell, 100, 5));
    let command = |token, request| Command::Request {
        reply: types::ReplyTo::new(2, token),
        valid_until: types::Timestamp(u64::MAX),
        request,
    };
    exchange.append_one(home, command(1, sweep));
    assert!(exchange.partitions[0].needs_continue());
    // The sequencer may put another command between: it waits behind the sweep.
    exchange.append_one(home, command(2, behind));
    let mut continues = 0;
    while exchange.partitions[0].needs_continue() {
        exchange.append_one(home, Command::Continue);
        continues += 1;
        exchange.assert_sound();
    }
    assert!(continues > 2, "{continues}");
    let books = exchange.books();
    assert!(books[&(FIRST_MARKET, Side::Buy)].is_empty(), "the last lot met the order behind");
    let [(_, owner, _, left)] = books[&(FIRST_MARKET, Side::Sell)][..] else {
        panic!("one is left")
    };
    assert_eq!((owner, left), (AccountId(3), Quantity::new(4)));
    exchange.assert_replays();
}

#[test]
fn a_snapshot_in_the_middle_of_a_sweep_goes_on_as_well() {
    let mut exchange = Exchange::funded(1, 1, 2, 1_000_000_000);
    for n in 0..9_000 {
        exchange.submit_quietly(Request::PlaceOrder(limit(1, Side::Sell, 100 + n % 7, 1)));
    }
    let request = Request::PlaceOrder(limit(2, Side::Buy, 200, 20_000));
    let reply = types::ReplyTo::new(2, 1);
    let valid_until = types::Timestamp(u64::MAX);
    exchange.append_one(PartitionId(0), Command::Request { reply, valid_until, request });
    while exchange.partitions[0].needs_continue() {
        let bytes = exchange.partitions[0].snapshot();
        exchange.partitions[0] = engine::Partition::restore(PartitionId(0), 1, &bytes).unwrap();
        exchange.append_one(PartitionId(0), Command::Continue);
    }
    exchange.assert_sound();
    exchange.assert_replays();
    assert_eq!(exchange.books()[&(FIRST_MARKET, Side::Buy)].len(), 1);
}

/// A few accounts with few orders, so that amendments, fills and "cancel all" of the same order are
/// under way together.
#[test]
fn amendments_that_race_with_fills_and_cancels_leave_nothing_locked() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut random = Random::new(seed + 991);
        let mut exchange = Exchange::funded(2, 1, 2, 100_000);
        let mut open: Vec<(AccountId, OrderId)> = vec![(AccountId(1), OrderId(0))];
        for _ in 0..400 {
            let account = AccountId(random.below(2) as u32 + 1);
            let market = FIRST_MARKET;
            match random.below(10) {
                0..=3 => {
                    let side = random.pick(&[Side::Buy, Side::Sell]);
                    let (price, quantity) = (95 + random.below(10), 1 + random.below(20));
                    let mut place = limit(account.0, side, price, quantity);
                    if random.below(4) == 0 {
                        let quantity = Quantity::new(3);
                        place.spec = OrderSpec::MarketByQuantity { quantity, max_spend: None };
                    }
                    exchange.submit(Request::PlaceOrder(place));
                }
                4..=8 => {
                    let recent = open.len().saturating_sub(4) as u64;
                    let at = random.below(open.len() as u64).max(recent.min(random.below(99)));
                    let (account, order) = open[at as usize];
                    for _ in 0..1 + random.below(3) {
                        let price = Some(Price::new(95 + random.below(10)));
                        let quantity = Some(Quantity::new(1 + random.below(25)));
                        let price = price.filter(|_| random.below(3) > 0);
                        let quantity = quantity.filter(|_| random.below(2) > 0);
                        let version = 1;
                        let amend = Request::AmendOrder {
                            account,
                            market,
                            version,
                            order,
                            price,
                            quantity,
                            keep_priority: random.below(4) == 0,
                        };
                        exchange.submit(amend);
                    }
                    if random.below(3) == 0 {
                        exchange.submit(Request::CancelAll { account, market });
                    }
                }
                _ => {
                    exchange.submit(Request::CancelAll { account, market });
                }
            }
            let (from, to) = random.pick(&[(0, 1), (1, 0)]);
            let max = 1 + random.below(4) as usize;
            for event in exchange.carry(PartitionId(from), PartitionId(to), max) {
                if let Event::OrderPlaced { order, account, .. }
                | Event::OrderReplaced { order, account, .. } = event
                {
                    open.push((account, order));
                }
            }
        }
        for account in [1, 2].map(AccountId) {
            exchange.submit(Request::CancelAll { account, market: FIRST_MARKET });
        }
        exchange.settle(&mut Vec::new());
        assert!(exchange.assert_sound().quiet);
        let books = exchange.books();
        assert!(books.values().all(Vec::is_empty), "cancel all left {books:?}");
        assert!(exchange.balances().values().all(|(_, held)| held.is_zero()));
        exchange.assert_replays();
    }
}

#[test]
fn cancel_all_follows_an_order_that_is_being_replaced() {
    let mut exchange = Exchange::funded(2, 1, 1, 1_000);
    exchange.submit_quietly(Request::PlaceOrder(limit(1, Side::Buy, 10, 5)));
    let (account, market, order) = (AccountId(1), FIRST_MARKET, OrderId(1));
    let (price, quantity) = (Some(Price::new(11)), None);
    let keep_priority = false;
    let amend =
        Request::AmendOrder { account, market, version: 1, order, price, quantity, keep_priority };
    exchange.submit(amend);
    exchange.submit(Request::CancelAll { account, market });
    exchange.settle(&mut Vec::new());
    assert!(exchange.books().values().all(Vec::is_empty));
    assert!(exchange.assert_sound().quiet);
}

/// Fees less rebates are what was told, wherever they are on their way; an outbox knows what it waits for.
#[test]
fn a_rebate_between_partitions_is_counted_until_it_arrives() {
    let mut exchange = Exchange::funded(2, 1, 4, 1_000_000_000);
    exchange.set_fees(-500, 2_000);
    let mut waited = 0;
    for (maker, taker) in [(1, 2), (2, 3), (3, 4), (4, 1)] {
        for side in [Side::Buy, Side::Sell] {
            exchange.submit_quietly(Request::PlaceOrder(limit(maker, side, 1_000, 1_000)));
            exchange.submit(Request::PlaceOrder(limit(taker, side.opposite(), 1_000, 1_000)));
            exchange.assert_sound();
            for (from, to) in [(0, 1), (1, 0)].repeat(6) {
                exchange.carry(PartitionId(from), PartitionId(to), 1);
                exchange.assert_sound();
            }
            waited += exchange.partitions.iter().map(engine::Partition::outbox_len).sum::<usize>();
            exchange.settle(&mut Vec::new());
            assert!(exchange.partitions.iter().all(|partition| partition.outbox_len() == 0));
        }
    }
    assert!(waited > 0, "no message was on its way");
}
