//! What must be true afterwards: nothing acknowledged is lost, nothing untold, no gap, no atom too many.

mod audit;
mod known;
mod money;
mod told;

pub(crate) use audit::{Subject, audit};
pub(crate) use known::{Expected, Known};
pub(crate) use told::Told;

use std::collections::BTreeMap;

/// Findings that are told one by one; of more of a kind only the number is.
const TOLD_OF_A_KIND: usize = 10;

/// What is wrong, by kind.
#[derive(Default)]
pub(crate) struct Findings {
    kinds: BTreeMap<&'static str, Vec<String>>,
    counts: BTreeMap<&'static str, u64>,
    /// What was checked, and how often.
    pub(crate) checks: BTreeMap<String, u64>,
}

impl Findings {
    /// Something is wrong.
    pub(crate) fn add(&mut self, kind: &'static str, text: String) {
        *self.counts.entry(kind).or_default() += 1;
        let told = self.kinds.entry(kind).or_default();
        if told.len() < TOLD_OF_A_KIND {
            told.push(text);
        }
    }

    /// Something was looked at.
    pub(crate) fn checked(&mut self, what: &str, count: u64) {
        *self.checks.entry(what.to_owned()).or_default() += count;
    }

    /// One line for each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (kind, told) in &self.kinds {
            lines.extend(told.iter().map(|text| format!("{kind}: {text}")));
            let more = self.counts[kind] - told.len() as u64;
            if more > 0 {
                lines.push(format!("{kind}: and {more} more"));
            }
        }
        lines
    }
}
