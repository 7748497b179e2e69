//! Commands a second of the bare engine (ledger, book, events) in one partition on one thread.
//! `cargo run --release -p engine --example engine_bench`

#[path = "../tests/exchange/mod.rs"]
mod exchange;

use std::time::Instant;

use exchange::{Exchange, Random, limit};
use types::{Command, OrderId, PartitionId, ReplyTo, Request, Side, Timestamp};

const COMMANDS: usize = 4_000_000;

fn main() {
    for client_ids in [false, true] {
        let mut exchange = Exchange::funded(1, 1, 1_000, 1_000_000_000_000);
        let commands = workload(client_ids);
        let partition = &mut exchange.partitions[PartitionId(0).0 as usize];
        let mut events = Vec::new();
        let mut count = 0;
        let mut time = partition.time();
        let started = Instant::now();
        for command in &commands {
            time = time.saturating_add_nanos(100);
            events.clear();
            partition.apply(partition.seq().next(), time, command, &mut events);
            count += events.len();
        }
        let seconds = started.elapsed().as_secs_f64();
        let rate = commands.len() as f64 / seconds / 1e6;
        println!("client ids {client_ids}: {rate:.2} M commands/s, {count} events");
        exchange.assert_sound();
    }
}

/// 45 % new limits near the touch, 45 % cancels, 10 % marketable; about a thousand live orders.
fn workload(client_ids: bool) -> Vec<Command> {
    let mut random = Random(42);
    let mut live: Vec<(OrderId, u32)> = Vec::new();
    let mut next = 1;
    let mut commands = Vec::with_capacity(COMMANDS);
    for n in 0..COMMANDS {
        let middle = 50_000 + (n / 20_000) as u64;
        let account = random.below(1_000) as u32 + 1;
        let dice = random.below(100);
        let request = if dice >= 55 && live.len() > 500 {
            let (order, owner) = live.swap_remove(random.below(live.len() as u64) as usize);
            let account = types::AccountId(owner);
            Request::CancelOrder {
                account,
                market: exchange::FIRST_MARKET,
                order,
            }
        } else {
            let side = random.pick(&[Side::Buy, Side::Sell]);
            let away = 1 + random.below(300);
            let passive = dice >= 10;
            let price = match (side, passive) {
                (Side::Buy, true) | (Side::Sell, false) => {
                    middle - away.min(if passive { 300 } else { 3 })
                }
                (Side::Sell, true) | (Side::Buy, false) => {
                    middle + away.min(if passive { 300 } else { 3 })
                }
            };
            let mut order = limit(account, side, price, 1 + random.below(20));
            if client_ids {
                order.client_order_id = format!("c-{n}").parse().unwrap();
            }
            live.push((OrderId(next), account));
            next += 1;
            Request::PlaceOrder(order)
        };
        let (reply, valid_until) = (ReplyTo::new(1, n as u64 + 1), Timestamp(u64::MAX));
        commands.push(Command::Request {
            reply,
            valid_until,
            request,
        });
    }
    commands
}
