//! The figures of one phase of a run: of all requests that were due in it, whenever they were answered.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{End, histogram};
use crate::report::{ClassReport, Latency, PhaseReport};
use crate::request::{CLASSES, Class};

/// Figures of a class of requests.
struct ClassFigures {
    due: u64,
    done: u64,
    refused: u64,
    shed: u64,
    failed: u64,
    latency: Histogram<u64>,
}

/// A phase.
pub(crate) struct PhaseFigures {
    /// What it is called.
    pub(crate) name: String,
    /// Times the base rate.
    pub(crate) multiplier: f64,
    /// When it begins, since the begin of the run.
    pub(crate) begins: Duration,
    /// How long requests come due in it.
    pub(crate) lasts: Duration,
    classes: [ClassFigures; CLASSES.len()],
    codes: BTreeMap<String, u64>,
    stages: BTreeMap<String, Histogram<u64>>,
}

impl PhaseFigures {
    /// An empty phase.
    pub(crate) fn new(name: &str, multiplier: f64, begins: Duration, lasts: Duration) -> Self {
        let class = |_| ClassFigures {
            due: 0,
            done: 0,
            refused: 0,
            shed: 0,
            failed: 0,
            latency: histogram(),
        };
        Self {
            name: name.to_owned(),
            multiplier,
            begins,
            lasts,
            classes: std::array::from_fn(class),
            codes: BTreeMap::new(),
            stages: BTreeMap::new(),
        }
    }

    /// A request came due.
    pub(crate) fn due(&mut self, class: Class) {
        self.classes[class as usize].due += 1;
    }

    /// It ended, so long after it was due.
    pub(crate) fn ended(&mut self, class: Class, end: &End, took: Duration) {
        let figures = &mut self.classes[class as usize];
        let (count, code) = match end {
            End::Done => (&mut figures.done, None),
            End::Refused(code) => (&mut figures.refused, Some(("refused", code))),
            End::Shed(code) => (&mut figures.shed, Some(("shed", code))),
            End::Failed(code) => (&mut figures.failed, Some(("failed", code))),
        };
        *count += 1;
        // Whoever is turned away at once has not waited; whoever gave up has.
        if !matches!(end, End::Shed(_)) {
            figures.latency.saturating_record(micros(took));
        }
        if let Some((how, code)) = code {
            let name = format!("{} {how}: {code}", CLASSES[class as usize]);
            *self.codes.entry(name).or_default() += 1;
        }
    }

    /// The stages of an answer: the value of `Server-Timing`.
    pub(crate) fn stages(&mut self, timing: &str) {
        for part in timing.split(", ") {
            if let Some((name, millis)) = part.split_once(";dur=")
                && let Ok(millis) = millis.parse::<f64>()
            {
                let of_stage = self.stages.entry(name.to_owned()).or_insert_with(histogram);
                of_stage.saturating_record((millis * 1e3) as u64);
            }
        }
    }

    /// For the report.
    pub(crate) fn report(&self) -> PhaseReport {
        let class = |(name, figures): (&&str, &ClassFigures)| {
            let report = ClassReport {
                due: figures.due,
                done: figures.done,
                refused: figures.refused,
                shed: figures.shed,
                failed: figures.failed,
                latency: Latency::of(&figures.latency),
            };
            ((*name).to_owned(), report)
        };
        PhaseReport {
            name: self.name.clone(),
            multiplier: self.multiplier,
            begins: self.begins.as_secs_f64(),
            seconds: self.lasts.as_secs_f64(),
            classes: CLASSES.iter().zip(&self.classes).map(class).collect(),
            codes: self.codes.clone(),
            stages: self
                .stages
                .iter()
                .map(|(name, histogram)| (name.clone(), Latency::of(histogram)))
                .collect(),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
