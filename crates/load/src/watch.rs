//! What the exchange says of itself while it is under load, and what the system says of its process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, interval_at, timeout};

use crate::client::Connection;
use crate::world::{Way, World};

/// The unit of times in `/proc/PID/stat` is the same on every Linux.
const TICKS_A_SECOND: f64 = 100.0;
/// The data directory is measured once in so many seconds: that reads all of it.
const DISK_EVERY: u64 = 5;

/// Whose process is watched: none is of an exchange on another machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    pub(crate) pid: Option<u32>,
    pub(crate) data: Option<PathBuf>,
}

/// Looks every second, for ever, and writes down what it sees.
pub(crate) async fn watch(world: Rc<World>, watched: Watched) {
    let mut connection = None;
    let exchange = watched.pid.map(|pid| PathBuf::from(format!("/proc/{pid}")));
    // The generator is one thread; an engine in its process has the others.
    let own = PathBuf::from("/proc/thread-self");
    let is_here = watched.pid == Some(std::process::id());
    let cpu = || {
        let own = processor_seconds(&own);
        let all = exchange.as_deref().and_then(processor_seconds);
        let here = if is_here { own.unwrap_or_default() } else { 0.0 };
        (all.map(|all| all - here), own)
    };
    let (mut exchange_cpu, mut own_cpu) = cpu();
    let second = Duration::from_secs(1);
    let mut ticks = interval_at(Instant::now() + second, second);
    for number in 0_u64.. {
        ticks.tick().await;
        let queues = match &world.way {
            Way::Sockets(lanes) => {
                timeout(second, scrape(lanes.address, &mut connection)).await.ok().flatten()
            }
            Way::Engine(engine) => Some(engine.queues()),
        };
        let (exchange_now, own_now) = cpu();
        let disk = match &watched.data {
            Some(data) if number % DISK_EVERY == 0 => Some(megabytes(data)),
            _ => None,
        };
        world.seconds.borrow_mut().note(world.now(), |second| {
            if let Some((queue, pending)) = queues {
                second.queue = Some(queue);
                second.pending = Some(pending);
            }
            second.exchange_cpu = exchange_now.zip(exchange_cpu).map(|(now, before)| now - before);
            second.generator_cpu = own_now.zip(own_cpu).map_or(0.0, |(now, before)| now - before);
            second.memory_mb = exchange.as_deref().and_then(memory_mb);
            second.descriptors = exchange.as_deref().and_then(descriptors);
            second.disk_mb = disk;
        });
        (exchange_cpu, own_cpu) = (exchange_now, own_now);
    }
}

/// Commands in queues, and commands without an answer.
async fn scrape(address: SocketAddr, connection: &mut Option<Connection>) -> Option<(f64, f64)> {
    // A scrape that was given up leaves none behind.
    let mut open = match connection.take() {
        Some(open) => open,
        None => Connection::open(address).await.ok()?,
    };
    let answer = open.call(None, "GET", "/metrics", "", "").await.ok()?;
    let text = String::from_utf8_lossy(answer.body);
    let sum = |name: &str| -> f64 {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name));
        // Another name may begin like this one.
        let values = lines.filter(|rest| rest.starts_with([' ', '{']));
        values.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    let figures = (sum("outcry_queue_length"), sum("outcry_commands_pending"));
    *connection = Some(open);
    Some(figures)
}

/// Processor time of all threads of a process so far.
fn processor_seconds(process: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name of the program, in brackets, may have spaces; times are the 14th and 15th field.
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at - 3)?.parse::<f64>().ok();
    Some((ticks(14)? + ticks(15)?) / TICKS_A_SECOND)
}

fn memory_mb(process: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(process.join("status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1_024.0)
}

fn descriptors(process: &Path) -> Option<f64> {
    Some(std::fs::read_dir(process.join("fd")).ok()?.count() as f64)
}

fn megabytes(folder: &Path) -> f64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        // A file may be gone by now.
        let data = entry.metadata().ok()?;
        Some(if data.is_dir() { megabytes(&entry.path()) } else { data.len() as f64 / 1e6 })
    });
    sizes.sum()
}
