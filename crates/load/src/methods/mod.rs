//! The methods: which load follows which, and what it shows.

mod ramp;
mod replay;
mod soak;
mod spike;

use std::path::PathBuf;
use std::time::Duration;

use crate::LoadError;
use crate::report::{PhaseReport, Report};

pub(crate) use replay::Trace;

/// What comes before anything is measured: books fill, connections open.
const WARM_UP: Duration = Duration::from_secs(3);

/// Bounds beyond which something is called broken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Of orders.
    pub(crate) p99_ms: f64,
    /// Share of requests that may be turned away or fail.
    pub(crate) errors: f64,
}

/// A method with its settings.
pub(crate) enum Method {
    Baseline { seconds: u64 },
    Ramp { step_seconds: u64, bounds: Bounds, steps: u32 },
    Spike { factor: f64, calm: u64, spike: u64, after: u64 },
    Soak { factor: f64, seconds: u64 },
    Replay { file: PathBuf, trace: Trace },
}

/// A phase to come.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    /// Times the base rate, one row after the other.
    pub(crate) rows: Vec<f64>,
    /// How long a row takes.
    pub(crate) row: Duration,
    /// Whether all answers are awaited before the next phase.
    pub(crate) settles: bool,
}

impl Plan {
    fn steady(name: &str, multiplier: f64, seconds: u64) -> Self {
        let row = Duration::from_secs(seconds);
        Self { name: name.to_owned(), rows: vec![multiplier], row, settles: false }
    }

    /// How long it takes.
    pub(crate) fn lasts(&self) -> Duration {
        self.row * u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// Times the base rate, so long after its begin.
    pub(crate) fn multiplier(&self, at: Duration) -> f64 {
        let row = (at.as_secs_f64() / self.row.as_secs_f64().max(1e-9)) as usize;
        self.rows[row.min(self.rows.len() - 1)]
    }

    /// On average.
    pub(crate) fn mean(&self) -> f64 {
        self.rows.iter().sum::<f64>() / self.rows.len() as f64
    }
}

impl Method {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Baseline { .. } => "baseline".to_owned(),
            Self::Ramp { .. } => "ramp".to_owned(),
            Self::Spike { factor, .. } => format!("spike, {factor} times"),
            Self::Soak { factor, .. } => format!("soak, {factor} times"),
            Self::Replay { file, .. } => {
                let name = file.file_name().unwrap_or(file.as_os_str());
                format!("replay of {}", name.to_string_lossy())
            }
        }
    }

    /// The phase that follows those which are over, if one does.
    pub(crate) fn next(&self, over: &[PhaseReport]) -> Option<Plan> {
        let Some(number) = over.len().checked_sub(1) else {
            let first = if let Self::Replay { trace, .. } = self { trace.first() } else { 1.0 };
            let mut plan = Plan::steady("warm-up", first, WARM_UP.as_secs());
            plan.settles = true;
            return Some(plan);
        };
        match self {
            Self::Baseline { seconds } => {
                (number == 0).then(|| Plan::steady("baseline", 1.0, *seconds))
            }
            Self::Ramp { step_seconds, bounds, steps } => {
                ramp::next(over, *step_seconds, *bounds, *steps)
            }
            Self::Spike { factor, calm, spike, after } => match number {
                0 => Some(Plan::steady("calm", 1.0, *calm)),
                1 => Some(Plan::steady("spike", *factor, *spike)),
                2 => Some(Plan::steady("after", 1.0, *after)),
                _ => None,
            },
            Self::Soak { factor, seconds } => {
                (number == 0).then(|| Plan::steady("soak", *factor, *seconds))
            }
            Self::Replay { trace, .. } => (number == 0).then(|| trace.plan()),
        }
    }

    /// Says what the run showed.
    pub(crate) fn conclude(&self, report: &mut Report) {
        match self {
            Self::Baseline { .. } | Self::Replay { .. } => {}
            Self::Ramp { bounds, .. } => ramp::conclude(report, *bounds),
            Self::Spike { .. } => spike::conclude(report),
            Self::Soak { .. } => soak::conclude(report),
        }
    }
}

/// A seed, users and so on that cannot be is told before anything is begun.
pub(crate) fn check_positive(what: &str, value: f64) -> Result<(), LoadError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(LoadError::Usage(format!("{what} must be above zero")))
}
