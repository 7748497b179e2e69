//! Figures: printed as a table and written as JSON, each with the conditions it holds under.

use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::json;

/// Everything measured in a run.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
}

struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    conditions: String,
}

impl Report {
    /// Adds a figure and prints it.
    pub fn add(&mut self, name: &str, value: f64, unit: &'static str, conditions: &str) {
        println!("{name:<28} {value:>14.3} {unit:<14} {conditions}");
        let (name, conditions) = (name.to_owned(), conditions.to_owned());
        self.figures.push(Figure { name, value, unit, conditions });
    }

    /// Adds the percentiles of a histogram of nanoseconds as `<name>_p50_<unit>` and so on.
    pub fn add_latencies(
        &mut self,
        name: &str,
        histogram: &Histogram<u64>,
        unit: Unit,
        conditions: &str,
    ) {
        for (label, quantile) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
            let nanos = histogram.value_at_quantile(quantile) as f64;
            let (unit, value) = unit.of(nanos);
            self.add(&format!("{name}_{label}_{unit}"), value, unit, conditions);
        }
    }

    /// The figures as a table of `docs/performance.md`.
    pub fn markdown(&self) -> String {
        let mut table = String::from("| figure | value | unit | conditions |\n|---|--:|---|---|\n");
        for Figure { name, value, unit, conditions } in &self.figures {
            let digits = if *value < 100.0 { 3 } else { 0 };
            table += &format!("| `{name}` | {value:.digits$} | {unit} | {conditions} |\n");
        }
        table
    }

    /// Writes the list of `{name, value, unit, conditions}`.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let list: Vec<_> = self
            .figures
            .iter()
            .map(|f| {
                json!({"name": f.name, "value": f.value, "unit": f.unit, "conditions": f.conditions})
            })
            .collect();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_string_pretty(&list)?)
    }
}

/// How durations are shown.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Nanoseconds.
    Nanos,
    /// Milliseconds.
    Millis,
}

impl Unit {
    fn of(self, nanos: f64) -> (&'static str, f64) {
        match self {
            Self::Nanos => ("ns", nanos),
            Self::Millis => ("ms", nanos / 1e6),
        }
    }
}

/// A histogram of nanoseconds up to a minute, three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("valid bounds")
}

/// What the calling thread has run, by the scheduler's count: independent of what else is running,
/// but for the caches that it shares.
pub fn thread_time() -> Duration {
    thread_time_of(Path::new("/proc/thread-self"))
}

/// The same of the thread whose folder in `/proc` is given.
pub fn thread_time_of(thread: &Path) -> Duration {
    let text = std::fs::read_to_string(thread.join("schedstat")).expect("a Linux scheduler");
    let first = text.split_whitespace().next().expect("three numbers");
    Duration::from_nanos(first.parse().expect("a number"))
}

/// The middle of some measurements.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
