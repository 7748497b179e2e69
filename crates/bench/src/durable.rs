//! The node: engine with its durable journal, as commands a second and as the latency of a lone
//! order, beside the bare sync of the same disk in the same run.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use node::{Exchange, Node, NodeConfig, NodeHooks, Reply, ReplySink};
use types::{ReplyTo, Timestamp};
use workload::{Requests, Session, founding, workload};

use crate::report::{Report, Unit, histogram, thread_time_of};

/// Accounts in the workload.
pub const ACCOUNTS: u32 = 1_000;
const LONE_ORDERS: u64 = 2_000;
/// How long an open loop runs.
const OPEN_SECONDS: f64 = 2.0;
/// Commands under way at most; some more places of the queue are reserved for cancels.
const QUEUE: u64 = 30_000;

/// Shares of the capacity that open loops are run at, in percent.
pub const SHARES: [u32; 2] = [50, 80];

/// Commands a second with so many waiting, how long each waits, and what the partition's thread
/// spends on one. Then the same at fixed rates below that capacity, whoever waits.
pub fn throughput(report: &mut Report, folder: &Path) {
    let session = workload("steady").session(1, 3_000_000);
    for (name, waiting, commands, event_log) in [
        ("durable_1k", 1_024, 1_500_000, true),
        ("durable_1k_no_event_log", 1_024, 1_500_000, false),
        ("durable_16k", 16_000, 3_000_000, true),
    ] {
        let capacity =
            closed_loop(report, folder, name, waiting, &session.first(commands), event_log);
        if name == "durable_16k" {
            for share in SHARES {
                open_loop(report, folder, share, capacity, &session);
            }
        }
    }
}

/// Gives commands a second.
fn closed_loop(
    report: &mut Report,
    folder: &Path,
    name: &str,
    waiting: u64,
    session: &Session,
    event_log: bool,
) -> f64 {
    let (node, client) = start(&folder.join(name), event_log);
    let mut requests = prepared(&node, &client, session);
    let (started, thread_before) = (Instant::now(), partition_thread_time());
    for operation in &session.timed {
        client.submit(&node, requests.of(operation), waiting);
    }
    client.wait(0);
    let (seconds, commands) = (started.elapsed().as_secs_f64(), session.timed.len() as f64);
    let thread = (partition_thread_time() - thread_before).as_nanos() as f64;
    let log = if event_log { "on" } else { "off" };
    let conditions = format!(
        "wall time, {waiting} waiting, closed loop, 1 partition, event log {log}, generator on \
         the other core"
    );
    report.add(&format!("{name}_mops"), commands / seconds / 1e6, "M commands/s", &conditions);
    report.add_latencies(name, &client.latencies(), Unit::Millis, &conditions);
    let conditions = "processor time of the partition's thread for each command, answer included";
    report.add(&format!("{name}_thread_ns"), thread / commands, "ns", conditions);
    node.stop();
    commands / seconds
}

/// Requests are due at fixed times; each waits from then on, also while none can be submitted.
fn open_loop(report: &mut Report, folder: &Path, share: u32, capacity: f64, session: &Session) {
    let name = format!("durable_open_{share}");
    let rate = capacity * f64::from(share) / 100.0;
    let session = session.first((rate * OPEN_SECONDS) as usize);
    let (node, client) = start(&folder.join(&name), true);
    let mut requests = prepared(&node, &client, &session);
    let began = client.clock();
    for (nth, operation) in session.timed.iter().enumerate() {
        let due = began + (nth as f64 * 1e9 / rate) as u64;
        let request = requests.of(operation);
        while client.clock() < due {
            std::thread::yield_now();
        }
        client.submit_due(&node, request, QUEUE, due);
    }
    client.wait(0);
    let conditions = format!(
        "open loop: {rate:.0} commands/s, {share} % of the capacity with 16,000 waiting, from when each was due"
    );
    report.add_latencies(&name, &client.latencies(), Unit::Millis, &conditions);
    node.stop();
}

/// Plays what comes before the clock runs.
fn prepared(node: &Node, client: &Client, session: &Session) -> Requests {
    let mut requests = Requests::new(ACCOUNTS, false);
    for operation in &session.before {
        client.submit(node, requests.of(operation), 1_024);
    }
    client.wait(0);
    client.forget();
    requests
}

/// An order with nothing else under way, from submission to its durable answer, and in turn with it
/// a bare sync, so that both see the same disk.
pub fn lone_order(report: &mut Report, folder: &Path) {
    let disk = Disk::new(folder).expect("a writable folder");
    let (node, client) = start(&folder.join("lone"), true);
    let session = workload("steady").session(1, LONE_ORDERS as usize);
    let mut requests = prepared(&node, &client, &session);
    let mut syncs = histogram();
    for (n, operation) in (0..).zip(&session.timed) {
        syncs.saturating_record(disk.sync(n).expect("a disk").as_nanos() as u64);
        client.submit(&node, requests.of(operation), 1);
        // The answer's time is taken where it is given; a client that spins would take processor
        // time from the partition's thread, and a lone order has idle time before it anyway.
        while client.under_way() > 0 {
            std::thread::sleep(Duration::from_micros(300));
        }
    }
    let orders = client.latencies();
    assert_eq!(orders.len(), LONE_ORDERS);
    node.stop();
    let conditions =
        "write and fdatasync of 4 KiB into a pre-written file, in turn with lone orders";
    report.add_latencies("sync", &syncs, Unit::Millis, conditions);
    let conditions = "in process, from submit to the durable answer, 1 in flight, event log on";
    report.add_latencies("lone_order", &orders, Unit::Millis, conditions);
    let median = |latencies: &Histogram<u64>| latencies.value_at_quantile(0.5) as f64 / 1e3;
    let over = median(&orders) - median(&syncs);
    report.add("lone_order_over_sync_us", over, "us", "difference of the medians");
}

/// A file that was written before.
pub struct Disk(std::fs::File);

impl Disk {
    /// With room for `LONE_ORDERS` writes.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        let file = std::fs::File::create(folder.join("sync"))?;
        for n in 0..LONE_ORDERS {
            file.write_all_at(&[7; 4_096], n * 4_096)?;
        }
        file.sync_all()?;
        Ok(Self(file))
    }

    /// Writes the block `n` and syncs.
    pub fn sync(&self, n: u64) -> std::io::Result<Duration> {
        let started = Instant::now();
        self.0.write_all_at(&[8; 4_096], n * 4_096)?;
        self.0.sync_data()?;
        Ok(started.elapsed())
    }
}

/// What the thread of the one partition has run.
fn partition_thread_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("a Linux system");
    let is_partition = |folder: &std::path::PathBuf| {
        std::fs::read_to_string(folder.join("comm")).is_ok_and(|name| name.trim() == "partition-0")
    };
    let mut folders = tasks.flatten().map(|task| task.path());
    thread_time_of(&folders.find(is_partition).expect("the node runs a partition"))
}

/// How the node is run.
pub fn config(data: &Path, event_log: bool) -> NodeConfig {
    let mut config = NodeConfig::new(data);
    config.queue_capacity = 32_768;
    if !event_log {
        config.event_log = None;
    }
    config
}

/// A founded exchange in `data`, and its client.
pub fn start(data: &Path, event_log: bool) -> (Node, Arc<Client>) {
    let config = config(data, event_log);
    let node = Node::start(config, NodeHooks::default()).expect("a fresh folder");
    let client = Arc::new(Client::default());
    let session = node.open_session(Arc::clone(&client) as Arc<dyn ReplySink>);
    client.session.store(session, Ordering::Relaxed);
    for request in founding(ACCOUNTS) {
        client.submit(&node, request, 1_024);
    }
    client.wait(0);
    client.forget();
    (node, client)
}

/// Counts answers; the token of a request is the time it was sent at.
#[derive(Default)]
pub struct Client {
    session: AtomicU64,
    sent: AtomicU64,
    answered: AtomicU64,
    latencies: std::sync::Mutex<Option<Histogram<u64>>>,
    began: std::sync::OnceLock<Instant>,
}

impl Client {
    /// Submits when fewer than `waiting` are under way; the time until then is not counted.
    pub fn submit(&self, node: &Node, request: types::Request, waiting: u64) {
        self.wait(waiting - 1);
        self.submit_due(node, request, waiting, self.clock());
    }

    /// The same for a request that was due at the time `token`, from when on it waits.
    fn submit_due(&self, node: &Node, request: types::Request, waiting: u64, token: u64) {
        self.wait(waiting - 1);
        let reply = ReplyTo::new(self.session.load(Ordering::Relaxed), token);
        let valid_until = Timestamp(u64::MAX);
        node.submit(reply, valid_until, request).expect("the queue holds more than are under way");
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Until at most `left` are under way.
    pub fn wait(&self, left: u64) {
        while self.under_way() > left {
            std::thread::yield_now();
        }
    }

    fn under_way(&self) -> u64 {
        self.sent.load(Ordering::Relaxed) - self.answered.load(Ordering::Acquire)
    }

    fn clock(&self) -> u64 {
        self.began.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
    }

    fn latencies(&self) -> Histogram<u64> {
        let guard = self.latencies.lock().expect("no panic while held");
        guard.clone().unwrap_or_else(histogram)
    }

    fn forget(&self) {
        *self.latencies.lock().expect("no panic while held") = None;
    }
}

impl ReplySink for Client {
    fn deliver(&self, reply: Reply<'_>) {
        let nanos = self.clock().saturating_sub(reply.to.token);
        let mut guard = self.latencies.lock().expect("no panic while held");
        guard.get_or_insert_with(histogram).saturating_record(nanos);
        drop(guard);
        self.answered.fetch_add(1, Ordering::Release);
    }
}
