//! Random traffic through the real engine, as batches of events: what consumers' tests feed on.
#![allow(dead_code, reason = "each test file uses its part of it")]

#[path = "../../../engine/tests/exchange/mod.rs"]
pub mod exchange;

use std::sync::Arc;

use chance::Random;
use exchange::{BASE, Exchange, QUOTE, limit};
use types::{
    AccountId, Amount, ClientOrderId, Conditions, EventBatch, MarketId, MarketState, OrderId,
    OrderSpec, PartitionId, Price, Quantity, Request, SelfTradePrevention, Seq, Side, TimeInForce,
    Timestamp, Trigger,
};

pub const ACCOUNTS: u32 = 8;
pub const MARKETS: u32 = 2;

/// An exchange after `requests` random ones, all messages delivered.
pub fn traffic(seed: u64, partitions: u16, requests: u64) -> Exchange {
    println!("seed {seed}, {partitions} partitions");
    let mut random = Random::new(seed);
    let mut exchange = Exchange::funded(partitions, MARKETS, ACCOUNTS, 10_000_000);
    exchange.set_fees(1_000, 2_500);
    for serial in 0..requests {
        // Some time passes, so that candles end.
        let pause = random.below(2_000_000_000);
        exchange.now = exchange.now.saturating_add_nanos(pause);
        let request = random_request(&mut random, serial, exchange.now);
        exchange.submit_quietly(request);
    }
    exchange
}

fn random_request(random: &mut Random, serial: u64, now: Timestamp) -> Request {
    let account = AccountId(random.below(u64::from(ACCOUNTS)) as u32 + 1);
    let market = MarketId(random.below(u64::from(MARKETS)) as u32 + 1);
    let order = OrderId(random.below(serial / 2 + 2) + 1);
    match random.below(100) {
        0..=64 => {
            let side = random.pick(&[Side::Buy, Side::Sell]);
            let mut place = limit(account.0, side, 90 + random.below(20), 1 + random.below(50));
            place.market = market;
            place.spec = random_spec(random, place.spec);
            place.conditions = random_conditions(random, &mut place.spec, now).into();
            place.self_trade_prevention = random.pick(&[
                SelfTradePrevention::None,
                SelfTradePrevention::ExpireTaker,
                SelfTradePrevention::ExpireMaker,
                SelfTradePrevention::ExpireBoth,
                SelfTradePrevention::Decrement,
            ]);
            if random.below(2) == 0 {
                place.client_order_id = client_id(serial);
            }
            Request::PlaceOrder(place)
        }
        65..=74 => Request::CancelOrder { account, market, order },
        75..=84 => Request::AmendOrder {
            account,
            market,
            version: 1,
            order,
            price: (random.below(2) == 0).then(|| Price::new(90 + random.below(20))),
            quantity: (random.below(2) == 0).then(|| Quantity::new(1 + random.below(60))),
            keep_priority: random.below(4) == 0,
        },
        85 => Request::CancelAll { account, market },
        86..=89 => Request::Transfer {
            from: account,
            to: AccountId(random.below(u64::from(ACCOUNTS) + 2) as u32 + 1),
            asset: random.pick(&[BASE, QUOTE]),
            amount: Amount::new(u128::from(random.below(200))),
            client_id: client_id(serial + 1_000_000),
        },
        90..=91 => Request::ReserveDebit {
            account,
            asset: BASE,
            amount: Amount::new(5),
            client_id: client_id(2_000_000 + serial),
        },
        92 => Request::ReleaseDebit {
            account,
            client_id: client_id(2_000_000 + random.below(serial + 1)),
        },
        _ => Request::SetMarketState {
            market,
            state: random.pick(&[
                MarketState::Continuous,
                MarketState::Continuous,
                MarketState::Auction,
            ]),
        },
    }
}

fn random_spec(random: &mut Random, limit: OrderSpec) -> OrderSpec {
    let OrderSpec::Limit { price, quantity, .. } = limit else { unreachable!("a limit order") };
    let time_in_force = random.pick(&[TimeInForce::Ioc, TimeInForce::Fok]);
    let quote = Amount::new(u128::from(random.below(5_000)));
    match random.below(10) {
        0 => OrderSpec::MarketByQuantity { quantity, max_spend: None },
        1 => OrderSpec::MarketByQuote { quote, max_spend: None },
        2 => OrderSpec::Limit { price, quantity, time_in_force, post_only: false },
        _ => limit,
    }
}

/// Mostly none. Some do not go with the order, and are refused.
fn random_conditions(random: &mut Random, spec: &mut OrderSpec, now: Timestamp) -> Conditions {
    let mut conditions = Conditions::NONE;
    match random.below(12) {
        0 => {
            let to = Price::new(90 + random.below(20));
            let activation = (random.below(2) == 0).then_some(to);
            conditions.trigger = Some(match random.below(3) {
                0 => Trigger::Rises { to },
                1 => Trigger::Falls { to },
                _ => Trigger::Trails { basis_points: 1 + random.below(900) as u16, activation },
            });
        }
        1 => conditions.visible = Some(Quantity::new(1 + random.below(10))),
        2 => conditions.minimum = Some(Quantity::new(1 + random.below(10))),
        3 => {
            if let OrderSpec::Limit { post_only, .. } = spec {
                (*post_only, conditions.slide) = (true, true);
            }
        }
        _ => {}
    }
    if random.below(8) == 0 {
        conditions.expires_at = Some(now.saturating_add_nanos(random.below(60_000_000_000)));
    }
    conditions
}

fn client_id(n: u64) -> ClientOrderId {
    format!("id-{n}").parse().unwrap()
}

/// All events of a partition, cut into batches of random length.
pub fn batches(exchange: &Exchange, partition: u16, random: &mut Random) -> Vec<Arc<EventBatch>> {
    let index = usize::from(partition);
    let mut batches = Vec::new();
    let mut batch = EventBatch::new(PartitionId(partition));
    for ((seq, events), (time, _)) in exchange.events[index].iter().zip(&exchange.logs[index]) {
        batch.push(*seq, *time, &mut events.clone());
        if random.below(4) == 0 {
            let next = EventBatch::new(PartitionId(partition));
            batches.push(Arc::new(std::mem::replace(&mut batch, next)));
        }
    }
    if !batch.is_empty() {
        batches.push(Arc::new(batch));
    }
    batches
}

/// All batches of all partitions, in order within each, interleaved at random.
pub fn interleaved(exchange: &Exchange, random: &mut Random) -> Vec<Arc<EventBatch>> {
    let count = exchange.partitions.len() as u16;
    let mut queues: Vec<_> =
        (0..count).map(|partition| batches(exchange, partition, random).into_iter()).collect();
    let mut all = Vec::new();
    while !queues.is_empty() {
        let at = random.below(queues.len() as u64) as usize;
        match queues[at].next() {
            Some(batch) => all.push(batch),
            None => drop(queues.remove(at)),
        }
    }
    all
}

/// The last entry of a partition.
pub fn last_seq(exchange: &Exchange, partition: u16) -> Seq {
    exchange.partitions[usize::from(partition)].seq()
}
