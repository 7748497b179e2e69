//! `outcry load`: traders as they behave, over real HTTP and WebSocket.
//!
//! Agents read the book from the streams and react to it. The loop is open: a request has a time when it is due, and its
//! latency counts from then. Everything acknowledged is asked for again when the load is over.
//!
//! Invariants: a seed gives the same users, the same rates and the same course of arrivals; what an agent does
//! depends on what it is told, too. The generator is one thread: several processes can share a run.
#![forbid(unsafe_code)]

mod agents;
mod arrivals;
mod book;
mod checks;
mod cli;
mod client;
mod error;
mod figures;
mod in_process;
mod lanes;
mod methods;
mod report;
mod request;
mod run;
mod target;
mod view;
mod watch;
mod world;

use std::path::{Path, PathBuf};

use tokio::runtime::Builder;
use tokio::task::LocalSet;

pub use cli::LoadCommand;
pub use error::LoadError;
use report::Report;

/// Does what the command says and prints its summary. Gives whether everything was right.
///
/// # Errors
/// When there could be no run: what the exchange does wrong in one is a finding, and no error.
pub fn call(command: &LoadCommand) -> Result<bool, LoadError> {
    match command {
        LoadCommand::Compare { a, b, out } => compare(a, b, out),
        LoadCommand::Merge { parts, out } => merge(parts, out),
        _ => make_run(command),
    }
}

fn make_run(command: &LoadCommand) -> Result<bool, LoadError> {
    let Some((common, method)) = command.method()? else { return Ok(true) };
    let settings = common.settings()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let report = LocalSet::new().block_on(&runtime, run::run(&settings, &method))?;
    let out = common.out.clone().unwrap_or_else(|| format!("load-{}", command.name()).into());
    tell(&report, &out)
}

fn compare(a: &Path, b: &Path, out: &Path) -> Result<bool, LoadError> {
    let (a, b) = (Report::read(a)?, Report::read(b)?);
    let rows = report::rows(&a, &b);
    print!("{}", report::compared(&rows));
    std::fs::write(out, report::comparison(&a, &b, &rows)).map_err(LoadError::file(out))?;
    println!("comparison: {}", out.display());
    Ok(true)
}

fn merge(parts: &[PathBuf], out: &Path) -> Result<bool, LoadError> {
    let reports: Result<Vec<_>, _> = parts.iter().map(|path| Report::read(path)).collect();
    let merged = report::merge(&reports?).map_err(LoadError::Usage)?;
    tell(&merged, out)
}

/// Writes and prints a report. Gives whether nothing was found.
fn tell(report: &Report, out: &Path) -> Result<bool, LoadError> {
    let (json, html) = (with_ending(out, "json"), with_ending(out, "html"));
    report.write(&json)?;
    std::fs::write(&html, report::page(report)).map_err(LoadError::file(&html))?;
    print!("{}", report::summary(report));
    println!("report: {} and {}", html.display(), json.display());
    Ok(report.findings.is_empty())
}

/// A file's name and its ending; dots of the name stay.
fn with_ending(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
