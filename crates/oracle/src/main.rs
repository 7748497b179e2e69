//! The long campaign: `make oracle`.
//!
//! Reads SEED, COMMANDS and BLOCK from the environment. With BLOCK it runs that one block, to reproduce a
//! failure. Else it runs blocks until there were COMMANDS, writes down after which block it is, and goes on
//! from there when it is started again with the same seed.
//!
//! It ends with an error when the two sides differ, when something was seen that the lists call impossible,
//! and when nobody reads its output any more.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use oracle::campaign::{BLOCK, block_seed, run_block};
use oracle::coverage::{Coverage, operations};

const BETWEEN_LINES: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let commands = number("COMMANDS").unwrap_or(1_000_000_000);
    let done = match number("BLOCK") {
        Some(seed) => block(seed, commands.min(BLOCK)).and_then(|coverage| report(&coverage)),
        None => campaign(number("SEED").unwrap_or(1), commands),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // The exit code says it if nobody reads this either.
            let _ = writeln!(io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")))
}

/// What was seen in a block, all of it possible.
fn block(seed: u64, commands: u64) -> Result<Coverage, Box<dyn Error>> {
    let coverage = run_block(seed, commands)?;
    let again = |what| format!("{what}\nagain: make oracle BLOCK={seed} COMMANDS={commands}");
    coverage.check().map_err(again)?;
    Ok(coverage)
}

fn campaign(seed: u64, commands: u64) -> Result<(), Box<dyn Error>> {
    let progress = progress_file(seed);
    let first = read_progress(&progress);
    let blocks = commands.div_ceil(BLOCK);
    say(&format!(
        "SEED={seed} COMMANDS={commands}: blocks {first} to {blocks} of {BLOCK} commands"
    ))?;
    let mut coverage = Coverage::default();
    let (start, mut line) = (Instant::now(), Instant::now());
    for number in first..blocks {
        coverage.add(&block(block_seed(seed, number), BLOCK)?);
        if line.elapsed() >= BETWEEN_LINES || number + 1 == blocks {
            line = Instant::now();
            write_progress(&progress, number + 1)
                .map_err(|error| format!("{} cannot be written: {error}", progress.display()))?;
            say(&summary(&coverage, (number + 1) * BLOCK, start.elapsed()))?;
        }
    }
    report(&coverage)?;
    say(&format!("SEED={seed}: {} commands without a difference", blocks * BLOCK))
}

/// A line on standard output.
fn say(line: &str) -> Result<(), Box<dyn Error>> {
    let said = writeln!(io::stdout(), "{line}");
    Ok(said.map_err(|error| format!("standard output cannot be written: {error}"))?)
}

fn summary(coverage: &Coverage, through: u64, elapsed: Duration) -> String {
    let rate = coverage.commands as f64 / elapsed.as_secs_f64().max(0.001);
    let trades = coverage.facts.get("trade").copied().unwrap_or_default();
    let missing = coverage.missing().len();
    format!(
        "{through} commands, {rate:.0} a second; in this run {trades} trades, {missing} cells not seen"
    )
}

fn report(coverage: &Coverage) -> Result<(), Box<dyn Error>> {
    say(&coverage.table())?;
    say(&format!("reachable cells not seen in this run: {:?}", coverage.missing()))?;
    let answers = operations::missing(&coverage.answers);
    say(&format!("answers not seen in this run: {answers:?}"))?;
    say(&format!("never seen in this run: {:?}", coverage.missing_facts()))
}

/// Where the next block of the campaign of a seed is noted.
fn progress_file(seed: u64) -> PathBuf {
    format!("target/oracle-{seed}.progress").into()
}

fn read_progress(path: &Path) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().parse().unwrap_or_default()
}

fn write_progress(path: &Path, next: u64) -> io::Result<()> {
    let temporary = path.with_extension("progress.new");
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(&temporary, format!("{next}\n"))?;
    fs::rename(temporary, path)
}
