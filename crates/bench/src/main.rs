//! Measures the layers of the exchange on this machine: book, engine, node with its durable journal,
//! restart, order entry over HTTP and WebSocket against the real binary, and its market data.
//!
//! Prints a table and writes `target/bench.json`. Arguments name the layers to measure; without any,
//! all are. `--markdown` prints the table of `docs/performance.md` at the end.
#![forbid(unsafe_code)]

mod durable;
mod edge;
mod flow;
mod pure;
mod report;
mod restart;

use std::path::Path;
use std::process::ExitCode;

use report::Report;

type Layer = (&'static str, fn(&mut Report, &Path));

/// From the inside out.
const LAYERS: &[Layer] = &[
    ("book", |report, _| pure::book(report)),
    ("engine", |report, _| pure::engine(report)),
    ("lone", durable::lone_order),
    ("durable", durable::throughput),
    ("restart", restart::restart),
    ("http", edge::http),
    ("ws", edge::websocket),
    ("streams", edge::streams),
];

/// How this binary is started as the server that HTTP is compared with.
const SERVE_TRIVIAL: &str = "--serve-trivial";

fn main() -> ExitCode {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted == [SERVE_TRIVIAL] {
        edge::trivial::serve();
        return ExitCode::SUCCESS;
    }
    let markdown = wanted.iter().position(|word| word == "--markdown");
    let markdown = markdown.map(|at| wanted.remove(at)).is_some();
    if let Some(unknown) = wanted.iter().find(|name| LAYERS.iter().all(|(layer, _)| layer != name))
    {
        let names: Vec<_> = LAYERS.iter().map(|(layer, _)| *layer).collect();
        eprintln!("unknown layer {unknown:?}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    // Beside the build, so that it is the disk of the project and not a file system in memory.
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    std::fs::create_dir_all(&target).expect("a writable target folder");
    let folder = tempfile::tempdir_in(&target).expect("a writable target folder");
    let mut report = Report::default();
    let machine = machine();
    println!("{machine}");
    for (name, measure) in LAYERS {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            measure(&mut report, folder.path());
        }
    }
    let path = Path::new(&target).join("bench.json");
    report.write(&path).expect("a writable target folder");
    println!("written to {}", path.display());
    if markdown {
        println!("\n{machine}\n\n{}", report.markdown());
    }
    ExitCode::SUCCESS
}

/// The processor, and how busy the machine is with other things.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    let load = load.split_whitespace().next().unwrap_or("?");
    format!("{model}, {cores} cores, load before the run {load}")
}
