//! A node with its durable journal under load: commands a second with many waiting, and the latency
//! of a lone order beside that of a bare `fdatasync` on the same disk.
//!
//! `cargo run --release -p node --example node_bench -- [DIR] [SECONDS]`

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine::Partition;
use journal::CommandReader;
use node::{DataDir, EventLogConfig, Exchange, Node, NodeConfig, NodeHooks, Reply, ReplySink};
use types::{
    AccountId, Amount, AssetDef, AssetId, ClientOrderId, Command, MarketBounds, MarketDef,
    MarketId, OrderSpec, PartitionId, PlaceOrder, Price, Quantity, ReplyTo, Request,
    SelfTradePrevention, Seq, Side, TimeInForce, Timestamp, TreasuryReference,
};

const ACCOUNTS: u32 = 1000;

/// Counts answers and wakes the one client thread when it waits.
struct Counter {
    answered: AtomicU64,
    client: std::thread::Thread,
}

impl ReplySink for Counter {
    fn deliver(&self, _: Reply<'_>) {
        self.answered.fetch_add(1, Ordering::Release);
        self.client.unpark();
    }
}

struct Client {
    node: Node,
    counter: Arc<Counter>,
    session: u64,
    sent: u64,
}

impl Client {
    fn start(data: &Path, with_events: bool) -> Self {
        let mut config = NodeConfig::new(data);
        config.event_log = with_events
            .then(|| EventLogConfig { max_bytes: Some(1 << 30), ..EventLogConfig::default() });
        config.queue_capacity = 1 << 15;
        let node = Node::start(config, NodeHooks::default()).expect("a fresh directory");
        let counter =
            Arc::new(Counter { answered: AtomicU64::new(0), client: std::thread::current() });
        let session = node.open_session(counter.clone());
        let mut client = Self { node, counter, session, sent: 0 };
        client.found();
        client
    }

    fn send(&mut self, request: Request) {
        let reply = ReplyTo::new(self.session, self.sent);
        self.node.submit(reply, Timestamp(u64::MAX), request).expect("room in the queue");
        self.sent += 1;
    }

    fn waiting(&self) -> u64 {
        self.sent - self.counter.answered.load(Ordering::Acquire)
    }

    fn wait_for_room(&self, in_flight: u64) {
        while self.waiting() >= in_flight {
            std::thread::park();
        }
    }

    fn ask(&mut self, request: Request) {
        self.send(request);
        self.wait_for_room(1);
    }

    fn found(&mut self) {
        for (id, symbol) in [(1, "BTC"), (2, "USDT")] {
            self.ask(Request::DefineAsset(AssetDef {
                id: AssetId(id),
                symbol: symbol.into(),
                scale: 8,
            }));
        }
        self.ask(Request::ListMarket(MarketDef {
            id: MarketId(1),
            symbol: "BTC-USDT".into(),
            base: AssetId(1),
            quote: AssetId(2),
            tick: "0.01".parse().expect("a decimal"),
            lot: "0.0001".parse().expect("a decimal"),
            max_price: Price::new(100_000_000),
            max_quantity: Quantity::new(1_000_000_000),
            bounds: MarketBounds { max_orders_per_account: 1_000_000, ..MarketBounds::default() },
            home: PartitionId(0),
            version: 1,
        }));
        let mut number = 0;
        for account in (1..=ACCOUNTS).map(AccountId) {
            self.send(Request::CreateAccount { account, fee_tier: 0 });
            for asset in [AssetId(1), AssetId(2)] {
                number += 1;
                self.send(Request::Credit {
                    reference: TreasuryReference { source: 1, number },
                    account,
                    asset,
                    amount: Amount::new(1 << 70),
                });
            }
        }
        self.wait_for_room(1);
    }
}

/// Half of the orders trade with what rests; the book stays shallow.
fn nth_order(n: u64) -> Request {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let side = if n.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    Request::PlaceOrder(PlaceOrder {
        account: AccountId(1 + (mixed % u64::from(ACCOUNTS)) as u32),
        market: MarketId(1),
        version: 1,
        client_order_id: ClientOrderId::NONE,
        side,
        spec: OrderSpec::Limit {
            price: Price::new(1_000_000 + (mixed >> 12) % 16),
            quantity: Quantity::new(1 + (mixed >> 20) % 100),
            time_in_force: TimeInForce::Gtc,
            post_only: false,
        },
        self_trade_prevention: SelfTradePrevention::None,
    })
}

fn throughput(dir: &Path, in_flight: u64, with_events: bool, duration: Duration) {
    let data = dir.join(format!("load-{in_flight}-{with_events}"));
    let mut client = Client::start(&data, with_events);
    let (start, sent_before) = (Instant::now(), client.sent);
    let cpu_before = thread_cpu("partition-0");
    // Half a window at a time, so that the client wakes rarely.
    while start.elapsed() < duration {
        client.wait_for_room(in_flight / 2 + 1);
        while client.waiting() < in_flight {
            let n = client.sent;
            client.send(nth_order(n));
        }
    }
    client.wait_for_room(1);
    let seconds = start.elapsed().as_secs_f64();
    let count = client.sent - sent_before;
    let cpu = thread_cpu("partition-0") - cpu_before;
    let stats = client.node.stats().partitions[0].clone();
    println!(
        "{in_flight:>6} in flight, event log {}: {:>9.0} commands/s, {:.0} a batch, {:.0} ns of the \
         partition's thread each, write+sync p50 {} us p99 {} us",
        if with_events { "on " } else { "off" },
        count as f64 / seconds,
        stats.entries as f64 / stats.batches as f64,
        cpu / count as f64 * 1e9,
        stats.sync_p50 / 1000,
        stats.sync_p99 / 1000,
    );
    client.node.stop();
    let started = Instant::now();
    let mut config = NodeConfig::new(&data);
    config.event_log = with_events.then(EventLogConfig::default);
    let node = Node::start(config, NodeHooks::default()).expect("what was just written");
    let entries = node.recovery()[0].replayed;
    let rate = entries as f64 / node.recovery()[0].duration.as_secs_f64();
    println!(
        "        restart: {entries} entries replayed in {:.2} s, {rate:.0} a second",
        started.elapsed().as_secs_f64()
    );
    drop(node);
    std::fs::remove_dir_all(&data).expect("ours");
}

fn lone_orders(dir: &Path) {
    let data = dir.join("lone");
    let mut client = Client::start(&data, true);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(dir.join("raw"))
        .expect("a writable directory");
    file.write_all_at(&vec![0; 8 << 20], 0).expect("room");
    file.sync_all().expect("a disk");
    let (mut bare, mut lone) = (Vec::new(), Vec::new());
    // Turn by turn, so that both see the same disk.
    for n in 0..2000_u64 {
        let start = Instant::now();
        file.write_all_at(&[n as u8 | 1; 256], n * 256).expect("room");
        file.sync_data().expect("a disk");
        bare.push(start.elapsed());
        let start = Instant::now();
        client.ask(nth_order(n));
        lone.push(start.elapsed());
    }
    bare.sort_unstable();
    lone.sort_unstable();
    let at = |sorted: &[Duration], share: f64| {
        sorted[((sorted.len() - 1) as f64 * share) as usize].as_micros()
    };
    println!(
        "lone order: p50 {} us, p99 {} us; bare pwrite+fdatasync of 256 bytes: p50 {} us, p99 {} us",
        at(&lone, 0.5),
        at(&lone, 0.99),
        at(&bare, 0.5),
        at(&bare, 0.99)
    );
}

/// The same orders through the engine of the last log, for comparison under the same conditions.
fn engine_alone(dir: &Path) {
    let data = dir.join("alone");
    Client::start(&data, false).node.stop();
    let data_dir = DataDir::new(&data);
    let id = PartitionId(0);
    let identity = data_dir.identity(id).expect("just founded");
    let reader = CommandReader::open(&data_dir.commands(id), identity, Seq(1), None);
    let mut partition = Partition::new(id, 1);
    let mut events = Vec::new();
    for entry in reader.expect("just written") {
        let entry = entry.expect("just written");
        partition.apply(entry.seq, entry.time, &entry.command, &mut events);
    }
    let count = 1_000_000;
    let command = |n| Command::Request {
        reply: ReplyTo::new(1, n),
        valid_until: Timestamp(u64::MAX),
        request: nth_order(n),
    };
    let commands: Vec<_> = (0..count).map(command).collect();
    let (time, before) = (partition.time(), thread_cpu("node_bench"));
    for command in &commands {
        events.clear();
        partition.apply(partition.seq().next(), time, command, &mut events);
    }
    let nanos = (thread_cpu("node_bench") - before) / count as f64 * 1e9;
    println!("the engine alone with the same orders: {nanos:.0} ns each");
}

/// Seconds of processor time of the thread with this name, so far.
fn thread_cpu(name: &str) -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return 0.0;
    };
    for task in tasks.flatten() {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").trim() == name {
            let schedstat = read("schedstat");
            let nanos = schedstat.split(' ').next().and_then(|word| word.parse::<f64>().ok());
            return nanos.unwrap_or_default() / 1e9;
        }
    }
    0.0
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().map_or_else(|| PathBuf::from("target/node-bench"), PathBuf::from);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(3);
    std::fs::create_dir_all(&dir).expect("a writable directory");
    for with_events in [false, true] {
        for in_flight in [1024, 16_384] {
            throughput(&dir, in_flight, with_events, Duration::from_secs(seconds));
        }
    }
    lone_orders(&dir);
    engine_alone(&dir);
    std::fs::remove_dir_all(&dir).expect("ours");
}
