//! What a run came to: one JSON file that all else is made of (text, HTML, comparisons, merged runs).

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::Path;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::LoadError;

mod compare;
mod html;
mod merge;
mod svg;
mod text;

pub(crate) use compare::{rows, text as compared};
pub(crate) use html::{comparison, page};
pub(crate) use merge::merge;
pub(crate) use text::summary;

/// The version of the file's form.
const VERSION: u32 = 1;

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Of this form.
    pub version: u32,
    /// The conditions.
    pub conditions: Conditions,
    /// In their order.
    pub phases: Vec<PhaseReport>,
    /// From the begin of the run.
    pub seconds: Vec<Second>,
    /// What was checked, and how often.
    pub checks: BTreeMap<String, u64>,
    /// What is wrong: a run without findings proves what its checks say.
    pub findings: Vec<String>,
    /// What the method was made to find out, in sentences.
    pub outcome: Vec<String>,
    /// The same in numbers.
    pub figures: BTreeMap<String, f64>,
}

/// Under which a run was made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Conditions {
    /// Name of the method.
    pub method: String,
    /// Of the agents' decisions and of when they are due.
    pub seed: u64,
    /// Of all parts of the run together.
    pub users: usize,
    /// Times the base rate, before what the method multiplies.
    pub rate: f64,
    /// Requests a second that come due at this rate, about.
    pub base_requests_per_second: f64,
    /// Which part this is, or all.
    pub part: String,
    /// Address, or that it was the run's own.
    pub target: String,
    /// Profile of limits, as far as it is known.
    pub limits: String,
    /// Symbol.
    pub market: String,
    /// Milliseconds since 1970.
    pub started: u64,
    /// Of the machine of the generator.
    pub cores: usize,
    /// Of the last minute, when the run began.
    pub load_average: f64,
    /// Version of the program.
    pub program: String,
}

/// Everything but the method, as one line for people.
impl Display for Conditions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { users, rate, base_requests_per_second, seed, part, market, .. } = self;
        let Self { limits, target, cores, load_average, program, .. } = self;
        write!(
            f,
            "{users} users at {rate} times the base rate (about {base_requests_per_second:.0} requests/s), seed {seed}, \
             part {part}, market {market}, limits {limits}, {target}; generator on {cores} cores at a load average of \
             {load_average:.1}; outcry {program}"
        )
    }
}

/// A phase.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhaseReport {
    /// Name.
    pub name: String,
    /// Times the base rate.
    pub multiplier: f64,
    /// Seconds after the begin of the run.
    pub begins: f64,
    /// How many seconds requests came due.
    pub seconds: f64,
    /// `place`, `cancel`, `read`.
    pub classes: BTreeMap<String, ClassReport>,
    /// By class, how it ended (`refused`, `shed`, `failed`) and code: how often.
    pub codes: BTreeMap<String, u64>,
    /// Stages of orders over HTTP, of a sample.
    pub stages: BTreeMap<String, Latency>,
}

/// Requests of one class that were due in a phase.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClassReport {
    /// How many came due.
    pub due: u64,
    /// Were done.
    pub done: u64,
    /// Were refused with reason.
    pub refused: u64,
    /// Were turned away for want of room.
    pub shed: u64,
    /// Got no answer, or a failure.
    pub failed: u64,
    /// Of all but those that were turned away.
    pub latency: Latency,
}

/// A distribution of durations in milliseconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Median.
    pub p50_ms: f64,
    /// 99 of a hundred are no longer.
    pub p99_ms: f64,
    /// 999 of a thousand.
    pub p999_ms: f64,
    /// 9,999 of ten thousand.
    pub p9999_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// Microseconds and how often, for merging.
    pub recorded: Vec<(u64, u64)>,
}

impl Latency {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        let recorded =
            histogram.iter_recorded().map(|v| (v.value_iterated_to(), v.count_at_value()));
        Self {
            count: histogram.len(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            p9999_ms: at(0.9999),
            max_ms: histogram.max() as f64 / 1e3,
            recorded: recorded.collect(),
        }
    }
}

/// One second of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Second {
    /// Seconds since the begin.
    pub t: u64,
    /// Times the base rate.
    pub multiplier: f64,
    /// Requests that came due.
    pub due: u64,
    /// Answered with a yes or a no, whenever due.
    pub answered: u64,
    /// Turned away.
    pub shed: u64,
    /// Without an answer, or with a failure.
    pub failed: u64,
    /// Of orders that were due in it.
    pub place_p50_ms: Option<f64>,
    /// The same.
    pub place_p99_ms: Option<f64>,
    /// The same.
    pub place_p999_ms: Option<f64>,
    /// Of cancels.
    pub cancel_p99_ms: Option<f64>,
    /// Of reads.
    pub read_p99_ms: Option<f64>,
    /// How late requests were made, at most, since the generator was busy; it is among their latencies.
    pub generator_late_ms: f64,
    /// Processor time of the generator in the second.
    pub generator_cpu: f64,
    /// Processor time of the exchange in the second, in cores.
    pub exchange_cpu: Option<f64>,
    /// Commands that waited for a partition.
    pub queue: Option<f64>,
    /// Commands that waited for their answer.
    pub pending: Option<f64>,
    /// Megabytes of memory of the exchange.
    pub memory_mb: Option<f64>,
    /// Open descriptors of the exchange.
    pub descriptors: Option<f64>,
    /// Megabytes of its data directory.
    pub disk_mb: Option<f64>,
    /// Messages of market data and private streams that came.
    pub messages: u64,
}

impl Report {
    pub(crate) fn new(conditions: Conditions) -> Self {
        Self {
            version: VERSION,
            conditions,
            phases: Vec::new(),
            seconds: Vec::new(),
            checks: BTreeMap::new(),
            findings: Vec::new(),
            outcome: Vec::new(),
            figures: BTreeMap::new(),
        }
    }

    /// Reads a report's JSON.
    ///
    /// # Errors
    /// If there is none, or one of another version.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let text = std::fs::read(path).map_err(LoadError::file(path))?;
        let wrong = |reason: String| LoadError::Content { path: path.to_owned(), reason };
        let report: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        match report.version {
            VERSION => Ok(report),
            other => Err(wrong(format!("version {other} of the report, not {VERSION}"))),
        }
    }

    /// Writes it as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<(), LoadError> {
        let text = serde_json::to_vec(self).expect("a report has no map keys but texts");
        std::fs::write(path, text).map_err(LoadError::file(path))
    }
}
