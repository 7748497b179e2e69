//! Commands a second of the bare engine (ledger, book, events) in one partition on one thread, by
//! the thread's processor time. `cargo run --release -p engine --example engine_bench`

#[path = "../tests/exchange/mod.rs"]
mod exchange;

use std::time::Duration;

use exchange::{Exchange, Random, limit};
use types::{AccountId, Command, OrderId, ReplyTo, Request, Side, Timestamp};

const COMMANDS: usize = 4_000_000;

/// Generated and applied so many at a time, so that the commands stay in the cache as they do when
/// they come from a queue.
const CHUNK: usize = 4_096;

const ACCOUNTS: u32 = 1_000;

fn main() {
    for client_ids in [false, true] {
        let mut exchange = Exchange::funded(1, 1, ACCOUNTS, 1_000_000_000_000);
        let mut traders =
            Traders { random: Random(42), live: Vec::new(), next: 1, sent: 0, client_ids };
        let partition = &mut exchange.partitions[0];
        let (mut events, mut event_count) = (Vec::new(), 0);
        let (mut time, mut spent) = (partition.time(), Duration::ZERO);
        for _ in 0..COMMANDS / CHUNK {
            let commands: Vec<_> = (0..CHUNK).map(|_| traders.command()).collect();
            let started = thread_time();
            for command in &commands {
                time = time.saturating_add_nanos(100);
                events.clear();
                partition.apply(partition.seq().next(), time, command, &mut events);
                event_count += events.len();
            }
            spent += thread_time() - started;
        }
        let rate = COMMANDS as f64 / spent.as_secs_f64() / 1e6;
        println!("client ids {client_ids}: {rate:.2} M commands/s, {event_count} events");
        exchange.assert_sound();
    }
}

/// Nanoseconds that this thread has run, by the scheduler's count.
fn thread_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux scheduler");
    let first = text.split_whitespace().next().expect("three numbers");
    Duration::from_nanos(first.parse().expect("a number"))
}

/// A tenth marketable, the rest new limits near the touch and cancels in turn, so that about a
/// thousand orders are live.
struct Traders {
    random: Random,
    live: Vec<(OrderId, AccountId)>,
    next: u64,
    sent: u64,
    client_ids: bool,
}

impl Traders {
    fn command(&mut self) -> Command {
        self.sent += 1;
        let (reply, valid_until) = (ReplyTo::new(1, self.sent), Timestamp(u64::MAX));
        let marketable = self.random.below(10) == 0;
        let request = if !marketable && self.live.len() > 1_000 {
            self.cancel()
        } else {
            self.place(marketable)
        };
        Command::Request { reply, valid_until, request }
    }

    fn cancel(&mut self) -> Request {
        let at = self.random.below(self.live.len() as u64) as usize;
        let (order, account) = self.live.swap_remove(at);
        Request::CancelOrder { account, market: exchange::FIRST_MARKET, order }
    }

    fn place(&mut self, marketable: bool) -> Request {
        let middle = 50_000 + self.sent / 20_000;
        let account = self.random.below(u64::from(ACCOUNTS)) as u32 + 1;
        let side = self.random.pick(&[Side::Buy, Side::Sell]);
        let away = if marketable { 3 } else { 1 + self.random.below(300) };
        let below = (side == Side::Buy) != marketable;
        let price = if below { middle - away } else { middle + away };
        let mut order = limit(account, side, price, 1 + self.random.below(20));
        if self.client_ids {
            order.client_order_id = format!("c-{}", self.sent).parse().expect("a plain id");
        }
        self.live.push((OrderId(self.next), order.account));
        self.next += 1;
        Request::PlaceOrder(order)
    }
}
