//! Market data to thousands of connections: how many messages a second are delivered, how long until the last connection
//! has one, and how much of the server's memory a connection takes.
//!
//! Readers are processes of their own ([`super::readers`]), each at an address of its own, and check that each
//! connection is told every trade in order. An order that trades is a message to each of them. Orders are sent in
//! bursts. In the closed loop the next burst follows when all have been told the last: that is the capacity; then bursts
//! are due at fixed times, and latencies count from these.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::founding::found;
use super::http::{Connection, Key};
use super::readers::{READ_TRADES, shared_clock};
use super::socket;
use crate::durable::SHARES;
use crate::report::{Report, Unit, histogram};

/// Connections that trades are told to.
const READERS: u64 = 10_000;
/// Connections that nothing is told to.
const IDLE_READERS: u64 = 50_000;
/// Of one process: descriptors and ports of an address are bounded.
const READERS_OF_A_PROCESS: u64 = 5_000;
/// Descriptors that the server needs for other things.
const OTHER_DESCRIPTORS: u64 = 300;
/// Orders that are sent together.
const BURSTS: [usize; 3] = [1, 10, 40];
const MEASURED: Duration = Duration::from_secs(8);
/// The latency that is wanted of the 99th of a hundred trades, in milliseconds.
const WANTED_MS: f64 = 100.0;
/// What lies between an order and its trade at the last connection, at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Idle connections, then trades.
pub fn fan_out(report: &mut Report, folder: &Path) {
    let limit = raise_descriptor_limit();
    idle_connections(report, folder, limit);
    trades(report, folder, limit);
}

/// Gives how many descriptors a process may have; of readers' processes, too.
fn raise_descriptor_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
        return maximum.unwrap_or(u64::MAX);
    }
    current.unwrap_or(u64::MAX)
}

fn idle_connections(report: &mut Report, folder: &Path, limit: u64) {
    let folder = super::made(folder, "connections");
    let (server, _) = found(&folder, 1);
    let count = IDLE_READERS.min(limit - OTHER_DESCRIPTORS);
    let before = server.resident_bytes();
    let crowd = Crowd::gather(server.address, count);
    std::thread::sleep(Duration::from_secs(2));
    let grown = server.resident_bytes() - before;
    let conditions = format!(
        "growth of the server's resident memory for each of {count} idle connections subscribed to trades \
         (descriptor limit {limit}); buffers of the kernel not included"
    );
    report.add("conn_bytes", grown as f64 / count as f64, "bytes", &conditions);
    drop(crowd);
}

fn trades(report: &mut Report, folder: &Path, limit: u64) {
    let folder = super::made(folder, "fan_out");
    let (server, keys) = found(&folder, 2);
    let count = READERS.min(limit - OTHER_DESCRIPTORS);
    let mut crowd = Crowd::gather(server.address, count);
    let processes = crowd.processes.len();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut taker = Taker::open(server.address, &keys).await;
        let mut run = async |report: &mut Report, name: &str, burst, interval, conditions: &str| {
            let before = server.processor_time();
            let told = told(&mut taker, &mut crowd, burst, interval).await;
            let server_time = (server.processor_time() - before).as_secs_f64();
            let conditions = format!(
                "{count} connections of {processes} processes on the same machine, each told every trade in order, \
                 {burst} trades at a time, {conditions}"
            );
            let rate = told.trades_per_s * count as f64;
            report.add(&format!("{name}_msgs_per_s"), rate, "messages/s", &conditions);
            report.add_latencies(name, &told.until_last, Unit::Millis, &conditions);
            let micros = server_time * 1e6 / (told.until_last.len() as f64 * count as f64);
            let processor = "processor time of the server for each message";
            report.add(&format!("{name}_server_cpu_us"), micros, "us", processor);
            Reached { rate, p99_ms: told.until_last.value_at_quantile(0.99) as f64 / 1e6, conditions }
        };
        let mut capacity = (0.0, 1);
        for burst in BURSTS {
            let name = format!("fanout_burst_{burst}");
            let reached = run(report, &name, burst, None, "closed loop").await;
            if reached.rate > capacity.0 {
                capacity = (reached.rate, burst);
            }
        }
        let (capacity, burst) = capacity;
        let mut best = None;
        for share in SHARES {
            let rate = capacity * f64::from(share) / 100.0;
            let interval = Duration::from_secs_f64((burst as u64 * count) as f64 / rate);
            let conditions = format!(
                "open loop at {share} % of the capacity: due every {:.1} ms; until the last connection has it, from \
                 when it was due",
                interval.as_secs_f64() * 1e3
            );
            let name = format!("fanout_open_{share}");
            let reached = run(report, &name, burst, Some(interval), &conditions).await;
            if best.is_none() || reached.p99_ms < WANTED_MS {
                best = Some(reached);
            }
        }
        let best = best.expect("there are shares");
        report.add("fanout_msgs_per_s", best.rate, "messages/s", &best.conditions);
        report.add("fanout_p99_ms", best.p99_ms, "ms", &best.conditions);
    });
}

/// The figures of a run that others are chosen by.
struct Reached {
    rate: f64,
    p99_ms: f64,
    conditions: String,
}

/// What a run came to.
struct Told {
    trades_per_s: f64,
    /// Nanoseconds until the last connection had a trade.
    until_last: Histogram<u64>,
}

/// Sends bursts, at this interval or whenever all have been told, and waits until all have been told everything.
async fn told(
    taker: &mut Taker,
    crowd: &mut Crowd,
    burst: usize,
    interval: Option<Duration>,
) -> Told {
    let (started, clock) = (Instant::now(), shared_clock());
    let (mut due, mut until_last, mut last) = (started, histogram(), clock);
    // The times from which trades under way count.
    let mut under_way: VecDeque<u64> = VecDeque::new();
    loop {
        let is_over = due >= started + MEASURED;
        if is_over && under_way.is_empty() {
            break;
        }
        tokio::select! {
            () = sleep_until(due), if !is_over && (interval.is_some() || under_way.is_empty()) => {
                let from = clock + (due - started).as_nanos() as u64;
                under_way.extend(std::iter::repeat_n(from, burst));
                taker.trade(burst).await;
                due = match interval {
                    Some(interval) => due + interval,
                    None => due,
                };
            }
            at = crowd.next_complete(), if !under_way.is_empty() => {
                let from = under_way.pop_front().expect("a trade that was sent");
                until_last.saturating_record(at.saturating_sub(from));
                last = at;
                if interval.is_none() && under_way.is_empty() {
                    due = Instant::now();
                }
            }
        }
    }
    let seconds = (last - clock) as f64 / 1e9;
    Told { trades_per_s: until_last.len() as f64 / seconds, until_last }
}

/// The processes of readers.
struct Crowd {
    processes: Vec<Child>,
    /// Of each process: when its connections had been told the next trades.
    told: Vec<UnboundedReceiver<u64>>,
    /// Of these: when the first so many processes had been told the next trade, and the last of them was.
    next: (usize, u64),
}

impl Crowd {
    /// Returns when all are subscribed.
    fn gather(server: SocketAddr, readers: u64) -> Self {
        let mut crowd = Self { processes: Vec::new(), told: Vec::new(), next: (0, 0) };
        let mut left = readers;
        while left > 0 {
            let share = left.min(READERS_OF_A_PROCESS);
            crowd.start(server, share);
            left -= share;
        }
        crowd
    }

    fn start(&mut self, server: SocketAddr, readers: u64) {
        let own = std::env::current_exe().expect("a path");
        let mut command = Command::new(own);
        let address = format!("127.0.0.{}", self.processes.len() + 2);
        command.args([READ_TRADES, &server.to_string(), &address, &readers.to_string()]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("this program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        self.processes.push(child);
        let ready = lines.next().expect("readers that subscribe").expect("text");
        assert_eq!(ready, "ready");
        let (sender, receiver) = unbounded_channel();
        self.told.push(receiver);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let (_, at) = line.split_once(' ').expect("a trade and a time");
                // Nobody wants to know when the crowd is gone.
                let _ = sender.send(at.parse().expect("nanoseconds"));
            }
        });
    }

    /// When the last connection has been told the next trade. May be dropped while it waits.
    async fn next_complete(&mut self) -> u64 {
        while let Some(told) = self.told.get_mut(self.next.0) {
            let at = timeout(PATIENCE, told.recv()).await.expect("a trade that all are told");
            let at = at.expect("readers that were told all in order");
            self.next = (self.next.0 + 1, self.next.1.max(at));
        }
        std::mem::take(&mut self.next).1
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Somebody who takes a little of a large offer with each order.
struct Taker {
    orders: SplitSink<WebSocketStream<TcpStream>, Message>,
    sent: u64,
}

impl Taker {
    /// The first key makes the offer, the second one is the taker's.
    async fn open(server: SocketAddr, keys: &[Key]) -> Self {
        let offer = r#"{"market":"BTC-USDT","side":"sell","type":"limit","price":"10000.00","quantity":"10000","time_in_force":"gtc"}"#;
        let mut maker = Connection::open(server, keys[0].clone()).await.expect("it listens");
        let (status, answer) = maker.call("POST", "/v1/orders", offer).await.expect("an answer");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(answer));
        let (orders, mut answers) = socket::open(server, &keys[1]).await.split();
        tokio::spawn(async move {
            while let Some(Ok(answer)) = answers.next().await {
                let is_answer = answer.is_text();
                let text = answer.into_text().expect("a text");
                assert!(!is_answer || text.contains(r#""status":200"#), "{text}");
            }
        });
        Self { orders, sent: 0 }
    }

    async fn trade(&mut self, count: usize) {
        for _ in 0..count {
            self.sent += 1;
            let id = self.sent;
            let order = format!(
                r#"{{"id":{id},"op":"place_order","market":"BTC-USDT","side":"buy","type":"limit","price":"10000.00","quantity":"0.00001","time_in_force":"ioc"}}"#
            );
            self.orders.feed(Message::text(order)).await.expect("an open socket");
        }
        self.orders.flush().await.expect("an open socket");
    }
}
