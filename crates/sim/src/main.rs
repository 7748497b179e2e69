//! A campaign: many seeds, one line for each that fails, counts per kind of fault at the end.
//!
//! `sim --seed 1 --seeds 100000 [--progress FILE]`. With a file, a campaign that was ended in any way goes on
//! where it stood (also towards more seeds than it was begun with), and `sim --status FILE` shows how far it has
//! come, in whatever process it runs; the file is removed when all seeds are through. Ends with status 1
//! when a seed failed or a kind of fault never happened in a campaign of 100 seeds or more.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use sim::faults::Counts;

/// Below so many seeds a missing kind of fault is chance.
const MEANINGFUL: u64 = 100;
/// Seeds between two lines of progress, and how many at most are run again after an end.
const REPORT: u64 = 100;
/// The same where nobody watches and lines stay: in a file.
const REPORT_TO_FILE: u64 = 1_000;

const USAGE: &str =
    "usage: sim [--seed FIRST] [--seeds COUNT] [--progress FILE]\n       sim --status FILE";

#[derive(Clone, Debug, Default)]
struct Campaign {
    first: u64,
    seeds: u64,
    done: u64,
    failed: Vec<u64>,
    counts: Counts,
    requests: u64,
    crashes: u64,
    seconds: u64,
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    if let [option, path] = words.as_slice()
        && option == "--status"
    {
        return status(Path::new(path));
    }
    let Some((mut campaign, progress)) = arguments(words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let earlier = progress.as_ref().and_then(|path| Campaign::load(path));
    if let Some(earlier) = earlier
        && earlier.first == campaign.first
        && earlier.done <= campaign.seeds
    {
        println!("goes on after {} seeds of an earlier run", earlier.done);
        campaign = Campaign { seeds: campaign.seeds, ..earlier };
    }
    campaign.run(progress.as_ref());
    campaign.report()
}

/// What a campaign that is under way has come to so far.
fn status(path: &Path) -> ExitCode {
    let Some(campaign) = Campaign::load(path) else {
        eprintln!("{}: no campaign is under way there", path.display());
        return ExitCode::from(2);
    };
    campaign.show();
    ExitCode::SUCCESS
}

fn arguments(words: Vec<String>) -> Option<(Campaign, Option<PathBuf>)> {
    let mut campaign = Campaign { first: 1, seeds: 1, ..Campaign::default() };
    let mut progress = None;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--seed" => campaign.first = value.parse().ok()?,
            "--seeds" => campaign.seeds = value.parse().ok()?,
            "--progress" => progress = Some(PathBuf::from(value)),
            _ => return None,
        }
    }
    Some((campaign, progress))
}

impl Campaign {
    fn run(&mut self, progress: Option<&PathBuf>) {
        let (started, before) = (Instant::now(), self.seconds);
        while self.done < self.seeds {
            self.run_seed(self.first + self.done);
            self.done += 1;
            self.seconds = before + started.elapsed().as_secs();
            if self.done.is_multiple_of(REPORT) {
                self.tell();
                if let Some(path) = progress {
                    self.save(path);
                }
            }
        }
        if let Some(path) = progress {
            // It may never have been written.
            let _ = fs::remove_file(path);
        }
    }

    fn run_seed(&mut self, seed: u64) {
        let outcome = catch_unwind(AssertUnwindSafe(|| sim::run(seed)));
        match outcome.unwrap_or_else(|_| Err("it panicked, see above".to_owned())) {
            Ok(outcome) => {
                self.counts.merge(&outcome.counts);
                self.requests += outcome.requests;
                self.crashes += outcome.crashes;
            }
            Err(what) => {
                println!("\nFAILED: make sim SEED={seed} SEEDS=1  # {what}");
                self.failed.push(seed);
            }
        }
    }

    fn tell(&self) {
        let mut out = std::io::stdout();
        let is_watched = out.is_terminal();
        if !is_watched && !self.done.is_multiple_of(REPORT_TO_FILE) {
            return;
        }
        let Self { done, seeds, failed, seconds, .. } = self;
        let line = format!("{done} of {seeds} seeds, {} failed, {seconds} s", failed.len());
        // A terminal that is gone does not end a campaign.
        let _ = if is_watched { write!(out, "\r{line} ") } else { writeln!(out, "{line}") };
        let _ = out.flush();
    }

    fn show(&self) {
        println!("\n{}", self.counts);
        println!(
            "{} of {} seeds from {}: {} requests, {} crashes, {} s, {} failed {:?}",
            self.done,
            self.seeds,
            self.first,
            self.requests,
            self.crashes,
            self.seconds,
            self.failed.len(),
            self.failed
        );
    }

    fn report(&self) -> ExitCode {
        self.show();
        let missing = if self.seeds >= MEANINGFUL { self.counts.missing() } else { Vec::new() };
        for fault in &missing {
            println!("NEVER HAPPENED: {}", fault.name());
        }
        ExitCode::from(u8::from(!self.failed.is_empty() || !missing.is_empty()))
    }

    fn save(&self, path: &PathBuf) {
        let Self { first, seeds, done, requests, crashes, seconds, .. } = self;
        let failed = self.failed.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        let numbers = format!("{first} {seeds} {done} {requests} {crashes} {seconds}");
        let text = format!("{numbers}\n{failed}\n{}\n", self.counts.to_line());
        let temporary = path.with_extension("tmp");
        let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
        if let Err(error) = written {
            eprintln!("\nprogress is not kept: {}: {error}", path.display());
        }
    }

    /// A campaign that is under way.
    fn load(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let mut lines = text.lines();
        let numbers = lines.next()?.split(' ').map(|word| word.parse().ok());
        let numbers: Vec<u64> = numbers.collect::<Option<_>>()?;
        let &[first, seeds, done, requests, crashes, seconds] = numbers.as_slice() else {
            return None;
        };
        let failed = lines.next()?.split_whitespace().map(|word| word.parse().ok());
        let failed = failed.collect::<Option<_>>()?;
        let counts = Counts::from_line(lines.next()?)?;
        Some(Self { first, seeds, done, failed, counts, requests, crashes, seconds })
    }
}
