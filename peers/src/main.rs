//! Our book beside those of others: the same operations, the same run, one thread, in turn.
//!
//! `peers [FLOW...]` prints a table and puts its figures into `bench.json` of the target folder, beside those that are
//! there.

mod engines;
mod node;
mod recorded;

use std::hint::black_box;
use std::io::ErrorKind;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::time::Duration;

use engines::{Bourse, Engine, Lobster, Matchcore, OrderbookRs, RustOb};
use serde_json::{Value, json};
use workload::{Fill, Operation, OurBook, Session, WORKLOADS};

/// Timed operations of a session.
const OPERATIONS: usize = 500_000;
const RUNS: u64 = 5;

/// A book that takes longer for a session is stopped there, and rated by what it did.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Millions of operations in that time, below which a book is run just once.
const TOO_SLOW: f64 = 1.0;
/// How many operations come between two looks at the clock.
const CHUNK: usize = 4_096;

/// Gives millions of operations a second, in processor time.
type Play = fn(&Session) -> f64;
type Verify = fn(&Session) -> Verdict;
type Book = (&'static str, Play, Verify);

/// The books: how each is called, timed, and held against the naive book.
const BOOKS: [Book; 6] = [
    ("outcry", play::<OurBook>, verify::<OurBook>),
    ("matchcore", play::<Matchcore>, verify::<Matchcore>),
    ("bourse-book", play::<Bourse>, verify::<Bourse>),
    ("rust_ob", play::<RustOb>, verify::<RustOb>),
    ("lobster", play::<Lobster>, verify::<Lobster>),
    ("orderbook-rs", play::<OrderbookRs>, verify::<OrderbookRs>),
];
const NODE_BOOK: Book = ("nodejs-order-book", node::play, verify_node);

fn main() {
    let mut books = BOOKS.to_vec();
    if node::is_installed() {
        books.push(NODE_BOOK);
    } else {
        println!("SKIPPED: {} (scripts/node-peer.sh installs it)", NODE_BOOK.0);
    }
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|one| one == name);
    let mut failed = Vec::new();
    let mut run = |name: &str, meaning: &str, sessions: &[&Session]| {
        failed.extend(keep(&compare(&books, name, meaning, sessions)).err());
    };
    for flow in WORKLOADS.iter().filter(|flow| is_chosen(flow.name)) {
        let sessions: Vec<_> = (1..=RUNS).map(|seed| flow.session(seed, OPERATIONS)).collect();
        run(flow.name, flow.meaning, &sessions.iter().collect::<Vec<_>>());
    }
    for (name, meaning, session) in recorded::sessions() {
        if is_chosen(name) {
            run(name, meaning, &[&session; RUNS as usize]);
        }
    }
    if let Some(error) = failed.first() {
        eprintln!("peers: {}: {error}", file().display());
        std::process::exit(1);
    }
}

/// Where all benches keep their figures.
fn file() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_TARGET_DIR").unwrap_or("target".into())).join("bench.json")
}

/// Puts figures into the file of all figures, in place of older ones of the same name.
fn keep(figures: &[Value]) -> std::io::Result<()> {
    let mut all: Vec<Value> = match std::fs::read(file()) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    all.retain(|old| figures.iter().all(|new| new["name"] != old["name"]));
    all.extend_from_slice(figures);
    let path = file();
    std::fs::create_dir_all(path.parent().expect("a file in a folder"))?;
    let mut text = serde_json::to_vec_pretty(&all)?;
    text.push(b'\n');
    std::fs::write(path, text)
}

/// Runs all books on one flow. Gives its figures.
fn compare(books: &[Book], flow: &str, meaning: &str, sessions: &[&Session]) -> Vec<Value> {
    println!("\n{flow}: {meaning}");
    let judge =
        |(_, _, verify): &Book| catch_unwind(|| verify(sessions[0])).unwrap_or(Verdict::Panics);
    let verdicts: Vec<_> = books.iter().map(judge).collect();
    let mut rates = vec![Vec::new(); books.len()];
    for session in sessions {
        for ((rates, (_, play, _)), verdict) in rates.iter_mut().zip(books).zip(&verdicts) {
            // Once is enough to know that a book is not made for this.
            let is_slow =
                rates.first().is_some_and(|rate| rate * PATIENCE.as_secs_f64() < TOO_SLOW);
            if !is_slow && !matches!(verdict, Verdict::Panics) {
                rates.push(play(session));
            }
        }
    }
    let mut figures = Vec::new();
    let ours = median(&rates[0]);
    println!("  {:<14}{:>10}{:>18}{:>8}  fills", "book", "M ops/s", "from to", "ratio");
    for (((name, _, _), rates), verdict) in books.iter().zip(&rates).zip(&verdicts) {
        if rates.is_empty() {
            println!("  {name:<14}{:>36}  {verdict}", "");
            continue;
        }
        let (rate, least, most) = (median(rates), least(rates), most(rates));
        let ratio = ours / rate;
        println!(
            "  {name:<14}{rate:>10.3}{:>18}{ratio:>8.1}  {verdict}",
            format!("{least:.3} {most:.3}")
        );
        let figure = format!("peer_{}_{flow}_mops", name.replace('-', "_"));
        let conditions = format!(
            "1 thread, processor time, median of {}, from {least:.3} to {most:.3}; {meaning}; {verdict}; {}",
            rates.len(),
            machine()
        );
        figures.push(
            json!({"name": figure, "value": rate, "unit": "M ops/s", "conditions": conditions}),
        );
    }
    figures
}

/// Millions of operations a second, in processor time.
fn play<E: Engine>(session: &Session) -> f64 {
    let (mut engine, mut number) = (E::new(), 0);
    let (mut traded, mut done, mut spent) = (0, 0, Duration::ZERO);
    run(&mut engine, &session.before, &mut number, &mut |fill| traded += fill.lots);
    for chunk in session.timed.chunks(CHUNK) {
        let started = thread_time();
        run(&mut engine, chunk, &mut number, &mut |fill| traded += fill.lots);
        spent += thread_time() - started;
        done += chunk.len();
        if spent > PATIENCE {
            break;
        }
    }
    black_box(traded);
    done as f64 / spent.as_secs_f64() / 1e6
}

fn run<E: Engine>(
    engine: &mut E,
    operations: &[Operation],
    number: &mut u64,
    fills: &mut impl FnMut(Fill),
) {
    for operation in operations {
        *number += u64::from(operation.is_order());
        engine.apply(*number, operation, fills);
    }
}

/// Whether a book's fills are those of price-time priority.
enum Verdict {
    Right {
        fills: usize,
    },
    Wrong {
        at: usize,
        expected: Option<Fill>,
        found: Option<Fill>,
    },
    /// It is not timed then.
    Panics,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Panics => write!(f, "PANICS"),
            Self::Right { fills } => write!(f, "all {fills} right"),
            Self::Wrong { at, expected, found } => {
                let say = |fill: &Option<Fill>| {
                    fill.map_or("none".into(), |fill| {
                        format!(
                            "{} with {}: {} at {}",
                            fill.taker, fill.maker, fill.lots, fill.price
                        )
                    })
                };
                write!(f, "WRONG from fill {at} on: {} instead of {}", say(found), say(expected))
            }
        }
    }
}

fn verify<E: Engine>(session: &Session) -> Verdict {
    let (mut engine, mut number, mut found) = (E::new(), 0, Vec::new());
    run(&mut engine, &session.before, &mut number, &mut |fill| found.push(fill));
    let started = thread_time();
    for chunk in session.timed.chunks(CHUNK) {
        run(&mut engine, chunk, &mut number, &mut |fill| found.push(fill));
        if thread_time() - started > PATIENCE {
            break;
        }
    }
    let expected = session.fills.partition_point(|fill| fill.taker <= number);
    judge(&session.fills[..expected], &found)
}

fn verify_node(session: &Session) -> Verdict {
    let (found, done) = node::fills(session);
    judge(&session.first(done).fills, &found)
}

fn judge(expected: &[Fill], found: &[Fill]) -> Verdict {
    let longest = expected.len().max(found.len());
    match (0..longest).find(|&at| expected.get(at) != found.get(at)) {
        None => Verdict::Right { fills: found.len() },
        Some(at) => Verdict::Wrong {
            at,
            expected: expected.get(at).copied(),
            found: found.get(at).copied(),
        },
    }
}

/// The processor, and how busy it was in the last minute.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let load = read("/proc/loadavg");
    format!("{model}, load {}", load.split_whitespace().next().unwrap_or("?"))
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn least(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(f64::INFINITY, f64::min)
}

fn most(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}

/// Processor time of this thread.
fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock is known and the structure is ours.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0, "the thread's clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
