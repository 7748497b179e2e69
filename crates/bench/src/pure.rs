//! The pure layers on one thread: the book with its market rules, and the engine around it.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use workload::{Operation, OurBook, OurEngine, Requests, Session, command, workload};

use crate::process::resident_bytes;
use crate::report::{Report, Unit, histogram, thread_time};

const OPERATIONS: usize = 1_000_000;

/// Requests are made and played so many at a time, so that they stay in the cache as they do when
/// they come from a queue.
const CHUNK: usize = 4_096;

const RUNS: u64 = 5;

/// Accounts in the engine's workload.
const ACCOUNTS: u32 = 1_000;

const SWINGS: [&str; 3] = ["swing_25", "swing_40", "swing_60"];

/// The book with market rules, all events and messages out.
pub fn book(report: &mut Report, _: &Path) {
    // First, as long as no freed memory lies about.
    memory(report);
    for name in ["steady", "deep"] {
        book_rate(report, name);
        book_latencies(report, name);
    }
    let swings = SWINGS.map(|name| book_rate(report, name));
    let least = swings.into_iter().fold(f64::INFINITY, f64::min);
    let conditions = "the least of the swings by 25, 40 and 60 %";
    report.add("book_swing_mops", least, "M ops/s", conditions);
    instructions(report);
}

fn book_rate(report: &mut Report, name: &str) -> f64 {
    let flow = workload(name);
    let rates: Vec<_> = (1..=RUNS).map(|seed| play_book(&flow.session(seed, OPERATIONS))).collect();
    let conditions = format!(
        "1 thread, processor time; {}; market rules, events and messages out",
        flow.meaning
    );
    report.add_spread(&format!("book_{name}_mops"), &rates, "M ops/s", &conditions)
}

/// Millions of operations a second.
fn play_book(session: &Session) -> f64 {
    let (mut book, mut player) = (OurBook::default(), Player::default());
    player.play(&mut book, &session.before);
    let started = thread_time();
    player.play(&mut book, &session.timed);
    let spent = thread_time() - started;
    session.timed.len() as f64 / spent.as_secs_f64() / 1e6
}

fn book_latencies(report: &mut Report, name: &str) {
    let session = workload(name).session(1, OPERATIONS);
    let (mut book, mut player, mut latencies) =
        (OurBook::default(), Player::default(), histogram());
    player.play(&mut book, &session.before);
    for operation in &session.timed {
        let began = Instant::now();
        player.play(&mut book, std::slice::from_ref(operation));
        latencies.saturating_record(began.elapsed().as_nanos() as u64);
    }
    let clock = clock_nanos();
    let conditions = format!("each operation timed by itself, {clock:.0} ns of clock included");
    report.add_latencies(&format!("book_{name}"), &latencies, Unit::Nanos, &conditions);
}

/// What reading the clock twice takes.
fn clock_nanos() -> f64 {
    let mut nanos = histogram();
    for _ in 0..100_000 {
        nanos.saturating_record(Instant::now().elapsed().as_nanos() as u64);
    }
    nanos.value_at_quantile(0.5) as f64
}

/// What a million resting orders on 10,000 prices take, tables and all.
fn memory(report: &mut Report) {
    let session = workload("deep").session(1, 0);
    let (mut book, mut player) = (OurBook::default(), Player::default());
    let before = resident_bytes(std::process::id());
    player.play(&mut book, &session.before);
    let grown = resident_bytes(std::process::id()).saturating_sub(before);
    let megabytes = grown as f64 / session.before.len() as f64;
    black_box(&book);
    let conditions = "growth of resident memory, a million orders on 10,000 prices";
    report.add("book_mb_per_million_orders", megabytes, "MB", conditions);
}

/// Numbers orders as they come, and looks at fills.
#[derive(Default)]
struct Player {
    orders: u64,
    lots: u64,
}

impl Player {
    fn play(&mut self, book: &mut OurBook, operations: &[Operation]) {
        for operation in operations {
            self.orders += u64::from(operation.is_order());
            book.apply(self.orders, operation, &mut |fill| self.lots += fill.lots);
        }
    }
}

/// Instructions of the hot paths, where valgrind can count them.
fn instructions(report: &mut Report) {
    let program = std::env::current_exe().expect("a path").with_file_name("hot-paths");
    let output = Command::new(&program).arg("count").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    if !output.status.success() {
        println!("SKIPPED: instructions: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        return;
    }
    let text = String::from_utf8(output.stdout).expect("text");
    let (compiler, counts) = text.split_once('\n').expect("a compiler and counts");
    let conditions = format!("callgrind, flow steady, {compiler}");
    for line in counts.lines() {
        let (path, count) = line.split_once(' ').expect("a path and its count");
        let name = match path {
            "book" => "book_steady_instr_per_op".to_owned(),
            other => format!("{other}_instr_per_op"),
        };
        report.add(&name, count.parse().expect("a number"), "instructions", &conditions);
    }
}

/// Ledger, book and events in one partition.
pub fn engine(report: &mut Report, _: &Path) {
    for (name, client_ids, accounts) in [
        ("engine_mops", false, ACCOUNTS),
        ("engine_client_ids_mops", true, ACCOUNTS),
        ("engine_100_accounts_mops", false, 100),
    ] {
        let rates: Vec<_> =
            (1..=RUNS).map(|seed| play_engine(seed, client_ids, accounts)).collect();
        let ids = if client_ids { "with" } else { "without" };
        let conditions = format!(
            "1 thread, processor time; flow steady of {accounts} accounts, {ids} client ids, events out, audited"
        );
        report.add_spread(name, &rates, "M commands/s", &conditions);
    }
}

fn play_engine(seed: u64, client_ids: bool, accounts: u32) -> f64 {
    let session = workload("steady").session(seed, OPERATIONS);
    let mut engine = OurEngine::founded(accounts);
    let mut requests = Requests::new(accounts, client_ids);
    let (mut events, mut spent) = (Vec::new(), Duration::ZERO);
    for operation in &session.before {
        engine.apply(&command(requests.of(operation)), &mut events);
    }
    for chunk in session.timed.chunks(CHUNK) {
        let commands: Vec<_> = chunk.iter().map(|one| command(requests.of(one))).collect();
        let started = thread_time();
        for command in &commands {
            events.clear();
            engine.apply(command, &mut events);
        }
        spent += thread_time() - started;
    }
    let audit = engine::audit(&[&engine.partition]);
    assert!(audit.violations.is_empty(), "{:?}", audit.violations);
    session.timed.len() as f64 / spent.as_secs_f64() / 1e6
}
