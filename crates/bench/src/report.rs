//! Figures: printed as a table and written as JSON, each with the conditions it holds under.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// Everything measured in a run.
pub struct Report {
    machine: String,
    figures: Vec<Figure>,
}

struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    conditions: String,
}

impl Report {
    /// An empty one; `machine`: what holds for every figure.
    pub fn new(machine: String) -> Self {
        Self { machine, figures: Vec::new() }
    }

    /// Adds a figure and prints it.
    pub fn add(&mut self, name: &str, value: f64, unit: &'static str, conditions: &str) {
        println!("{name:<28} {value:>14.3} {unit:<14} {conditions}");
        let name = name.to_owned();
        let conditions = format!("{conditions}; {}, load {}", self.machine, load());
        self.figures.push(Figure { name, value, unit, conditions });
    }

    /// Adds the middle of several runs, with the least and the most of them. Gives the middle.
    pub fn add_spread(
        &mut self,
        name: &str,
        runs: &[f64],
        unit: &'static str,
        conditions: &str,
    ) -> f64 {
        let mut sorted = runs.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
        let (median, count) = (sorted[sorted.len() / 2], sorted.len());
        let conditions = format!("median of {count}, from {least:.3} to {most:.3}; {conditions}");
        self.add(name, median, unit, &conditions);
        median
    }

    /// Adds the percentiles of a histogram of nanoseconds as `<name>_p50_<unit>` and so on.
    pub fn add_latencies(
        &mut self,
        name: &str,
        histogram: &Histogram<u64>,
        unit: Unit,
        conditions: &str,
    ) {
        for (label, quantile) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("p9999", 0.9999)] {
            let nanos = histogram.value_at_quantile(quantile) as f64;
            let (unit, value) = unit.of(nanos);
            self.add(&format!("{name}_{label}_{unit}"), value, unit, conditions);
        }
    }

    /// Puts the list of `{name, value, unit, conditions}` into a file, in place of older figures of these names.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut all: Vec<Value> = match std::fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        all.retain(|old| self.figures.iter().all(|new| old["name"] != *new.name));
        all.extend(self.figures.iter().map(|f| {
            json!({"name": f.name, "value": f.value, "unit": f.unit, "conditions": f.conditions})
        }));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_string_pretty(&all)? + "\n")
    }
}

/// How many threads wanted to run in the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}

/// How durations are shown.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Nanoseconds.
    Nanos,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
}

impl Unit {
    fn of(self, nanos: f64) -> (&'static str, f64) {
        match self {
            Self::Nanos => ("ns", nanos),
            Self::Micros => ("us", nanos / 1e3),
            Self::Millis => ("ms", nanos / 1e6),
        }
    }
}

/// A histogram of nanoseconds up to a minute, three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("valid bounds")
}

/// What the calling thread has run: independent of what else is running, but for the caches that it shares.
pub fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// About the same of the thread whose folder in `/proc` is given: it lags by up to a tick of the scheduler.
pub fn thread_time_of(thread: &Path) -> Duration {
    let text = std::fs::read_to_string(thread.join("schedstat")).expect("a Linux scheduler");
    let first = text.split_whitespace().next().expect("three numbers");
    Duration::from_nanos(first.parse().expect("a number"))
}
