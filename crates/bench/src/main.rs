//! Measures the layers of the exchange on this machine: book, engine, node with its durable journal, restart, SQL
//! history, order entry over HTTP and WebSocket against the real binary, its market data, and what it takes idle.
//!
//! Prints the figures and writes them into `target/bench.json`. Arguments name the layers to measure; without any, all
//! are. `--page` measures nothing and writes tables and plots of the figures that are there into `docs/performance.md`.
#![forbid(unsafe_code)]

mod durable;
mod edge;
mod flow;
mod limits;
mod page;
mod process;
mod projector;
mod pure;
mod report;
mod restart;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Report;

type Layer = (&'static str, fn(&mut Report, &Path));

/// From the inside out.
const LAYERS: &[Layer] = &[
    ("book", pure::book),
    ("engine", pure::engine),
    ("limits", limits::limits),
    ("lone", durable::lone_order),
    ("durable", durable::throughput),
    ("restart", restart::restart),
    ("projector", projector::projector),
    ("http", edge::http),
    ("ws", edge::websocket),
    ("fanout", edge::fan_out),
    ("idle", edge::idle),
    ("streams", edge::streams),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // Beside the build, so that it is the disk of the project and not a file system in memory.
    let target = PathBuf::from(std::env::var("CARGO_TARGET_DIR").unwrap_or("target".into()));
    let figures = target.join("bench.json");
    match words[..] {
        [edge::SERVE_TRIVIAL] => edge::serve_trivial(),
        [edge::READ_TRADES, address, from, readers] => edge::read_trades(address, from, readers),
        ["--page"] => page::write(&figures),
        _ => {
            if let Some(unknown) =
                words.iter().find(|word| LAYERS.iter().all(|(name, _)| name != *word))
            {
                let names: Vec<_> = LAYERS.iter().map(|(layer, _)| *layer).collect();
                eprintln!("unknown layer {unknown:?}; there are {}", names.join(", "));
                return ExitCode::from(2);
            }
            measure(&words, &target, &figures);
        }
    }
    ExitCode::SUCCESS
}

/// Measures what is wanted; nothing is all.
fn measure(wanted: &[&str], target: &Path, figures: &Path) {
    std::fs::create_dir_all(target).expect("a writable target folder");
    let folder = tempfile::tempdir_in(target).expect("a writable target folder");
    let machine = machine(folder.path());
    println!("{machine}, load {}", report::load());
    let mut report = Report::new(machine);
    for (name, measure) in LAYERS {
        if wanted.is_empty() || wanted.contains(name) {
            measure(&mut report, folder.path());
            // After each layer, so that what is known is not lost with a later one.
            report.write(figures).expect("a writable target folder");
        }
    }
    println!("written to {}", figures.display());
}

/// The processor, the file system, and how long a sync takes on it now.
fn machine(folder: &Path) -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let folder = std::path::absolute(folder).expect("a folder");
    let mounts = read("/proc/mounts");
    let mount = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (_, at, kind) = (words.next()?, words.next()?, words.next()?);
        folder.starts_with(at).then_some((at.len(), kind))
    });
    let (_, kind) = mount.max().unwrap_or((0, "?"));
    let sync = limits::syncs(&folder).value_at_quantile(0.5) as f64 / 1e6;
    format!("{model}, {cores} cores, {kind}, sync p50 {sync:.3} ms")
}
