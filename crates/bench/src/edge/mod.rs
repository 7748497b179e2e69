//! From outside: the real binary as a process of its own. Order entry over HTTP and WebSocket, market data
//! ([`mod@streams`], [`mod@fan_out`]), and what it takes when nothing happens.
//!
//! The generator of order entry is one thread on the same machine. Its closed loop asks again when it has been answered,
//! which measures capacity; its open loop asks at a fixed rate below that ([`pace`]). Latencies include waiting for the
//! generator's own turn. Every answer is checked; a wrong one ends the run.

mod batches;
mod fan_out;
mod founding;
mod http;
mod idle;
mod load;
mod pace;
mod readers;
mod socket;
mod streams;
mod trader;
mod trivial;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub use fan_out::fan_out;
use http::Key;
pub use idle::idle;
use load::{Client, Load, Plan};
pub use readers::{READ_TRADES, read_trades};
pub use streams::streams;
pub use trivial::serve as serve_trivial;

use crate::durable::SHARES;
use crate::limits::syncs;
use crate::process::Process;
use crate::report::{Report, Unit};

/// How this program is started as the server that HTTP is compared with.
pub const SERVE_TRIVIAL: &str = "--serve-trivial";

const CONNECTIONS: usize = 64;
/// Requests that each WebSocket has under way: together about a thousand.
const IN_FLIGHT: usize = 16;
/// WebSockets with many orders in a message, and messages of each that are under way.
const BATCHING: usize = 16;
const BATCHES: usize = 2;
/// Between the requests of a client that is alone.
const IDLE: Duration = Duration::from_millis(1);

/// HTTP: many connections, one alone, and a server that does nothing.
pub fn http(report: &mut Report, folder: &Path) {
    let folder = made(folder, "http");
    let (server, keys) = founding::found(&folder, CONNECTIONS);
    let full = load::run(&server, plan("h", &server, &keys, CONNECTIONS, 1), http::trade);
    let conditions = format!(
        "real binary, {CONNECTIONS} keep-alive connections with 1 signed request each, closed loop, \
         {}, generator on the same machine",
        mix(&full)
    );
    report.add("http_requests_per_s", full.rate, "requests/s", &conditions);
    report.add_latencies("http", &full.latencies, Unit::Millis, &conditions);
    add_processor_times(report, "http", &full);
    open_loops(report, "http", &server, &keys, full.rate, http::trade);
    let alone = load::run(&server, lone(plan("l", &server, &keys, 1, 1)), http::trade);
    let conditions = "1 connection, 1 request, 1 ms idle in between";
    report.add_latencies("http_lone", &alone.latencies, Unit::Millis, conditions);
    let conditions = "write and fdatasync of 4 KiB into a pre-written file, right after http_lone";
    report.add_latencies("http_lone_sync", &syncs(&folder), Unit::Millis, conditions);
    drop(server);

    let trivial = trivial(&folder);
    let nothing = load::run(&trivial, plan("t", &trivial, &keys, CONNECTIONS, 1), http::trade);
    let conditions = "axum handlers that read the same JSON and answer little, same generator";
    report.add("http_trivial_requests_per_s", nothing.rate, "requests/s", conditions);
    report.add_latencies("http_trivial", &nothing.latencies, Unit::Millis, conditions);
    add_processor_times(report, "http_trivial", &nothing);
    let conditions = "http_requests_per_s over http_trivial_requests_per_s";
    report.add("http_ratio_to_trivial", full.rate / nothing.rate, "", conditions);
    let conditions = "server processor time of a request, exchange over trivial";
    let ratio = full.server_micros / nothing.server_micros;
    report.add("http_cpu_ratio_to_trivial", ratio, "", conditions);
}

/// WebSocket: many orders in a message, each in a message of its own, and one alone.
pub fn websocket(report: &mut Report, folder: &Path) {
    batches(report, folder);
    single_orders(report, folder);
}

fn batches(report: &mut Report, folder: &Path) {
    let folder = made(folder, "ws_batches");
    let (server, keys) = founding::found(&folder, BATCHING);
    let full = load::run(&server, plan("b", &server, &keys, BATCHING, BATCHES), batches::trade);
    let conditions = format!(
        "real binary, {BATCHING} sockets with {BATCHES} messages of {} orders or cancels under way each, one login, \
         closed loop, {}, generator on the same machine",
        batches::ORDERS,
        mix(&full)
    );
    report.add("ws_orders_per_s", full.rate, "orders/s", &conditions);
    report.add_latencies("ws", &full.latencies, Unit::Millis, &conditions);
    add_processor_times(report, "ws", &full);
}

fn single_orders(report: &mut Report, folder: &Path) {
    let folder = made(folder, "ws");
    let (server, keys) = founding::found(&folder, CONNECTIONS);
    let full = plan("w", &server, &keys, CONNECTIONS, IN_FLIGHT);
    let full = load::run(&server, full, socket::trade);
    let conditions = format!(
        "real binary, {CONNECTIONS} sockets with {IN_FLIGHT} orders under way each, each in a message of its own, one login, \
         closed loop, {}, generator on the same machine",
        mix(&full)
    );
    report.add("ws_single_orders_per_s", full.rate, "orders/s", &conditions);
    report.add_latencies("ws_single", &full.latencies, Unit::Millis, &conditions);
    add_processor_times(report, "ws_single", &full);
    open_loops(report, "ws_single", &server, &keys, full.rate, socket::trade);
    let alone = load::run(&server, lone(plan("l", &server, &keys, 1, 1)), socket::trade);
    let conditions = "1 socket, 1 order, 1 ms idle in between";
    report.add_latencies("ws_lone", &alone.latencies, Unit::Millis, conditions);
}

/// The same clients at fixed rates below the capacity that was just measured.
fn open_loops<F: Future<Output = ()> + 'static>(
    report: &mut Report,
    name: &str,
    server: &Process,
    keys: &[Key],
    capacity: f64,
    client: fn(Client) -> F,
) {
    for share in SHARES {
        let rate = capacity * f64::from(share) / 100.0;
        let plan = plan(&format!("o{share}"), server, keys, CONNECTIONS, 1);
        let load = load::run(server, Plan { rate: Some(rate), ..plan }, client);
        let conditions = format!(
            "open loop: {rate:.0} requests/s, {share} % of the capacity, over {CONNECTIONS} connections, from when each was due, \
             {:.2} % refused as overload",
            load.refused_percent
        );
        report.add_latencies(
            &format!("{name}_open_{share}"),
            &load.latencies,
            Unit::Millis,
            &conditions,
        );
    }
}

fn plan(run: &str, server: &Process, keys: &[Key], connections: usize, in_flight: usize) -> Plan {
    let (run, address, keys) = (run.to_owned(), server.address, keys.to_vec());
    Plan { run, address, keys, connections, in_flight, rate: None, pause: Duration::ZERO }
}

fn lone(plan: Plan) -> Plan {
    Plan { pause: IDLE, ..plan }
}

fn mix(load: &Load) -> String {
    let (late, refused) = (load.late_percent, load.refused_percent);
    format!(
        "about 45 % new limits, 45 % cancels ({late:.1} % of all come too late), 10 % crossing, {refused:.2} % refused \
         as overload"
    )
}

fn add_processor_times(report: &mut Report, name: &str, load: &Load) {
    let conditions = "processor time of the server process for each request, all threads";
    report.add(&format!("{name}_server_cpu_us"), load.server_micros, "us", conditions);
    let conditions = "processor time of the generator for each request";
    report.add(&format!("{name}_generator_cpu_us"), load.generator_micros, "us", conditions);
}

fn trivial(folder: &Path) -> Process {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.arg(SERVE_TRIVIAL);
    Process::start(command, &folder.join("trivial.log"))
}

fn made(folder: &Path, name: &str) -> std::path::PathBuf {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).expect("a writable folder");
    folder
}
