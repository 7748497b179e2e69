//! Doubling until something breaks, and where it broke.

use super::{Bounds, Plan};
use crate::report::{PhaseReport, Report, Second};

/// Answers must keep up with at least this share of what comes due.
const FOLLOWS: f64 = 0.95;

pub(super) fn next(
    over: &[PhaseReport],
    step_seconds: u64,
    bounds: Bounds,
    steps: u32,
) -> Option<Plan> {
    let steps_done = over.len() - 1;
    if steps_done > 0 && breaks(&over[steps_done], bounds).is_some() || steps_done >= steps as usize
    {
        return None;
    }
    let multiplier = 2.0_f64.powi(i32::try_from(steps_done).ok()?);
    let mut plan = Plan::steady(&format!("step {}", steps_done + 1), multiplier, step_seconds);
    plan.settles = true;
    Some(plan)
}

/// How a step broke, if it did.
fn breaks(phase: &PhaseReport, bounds: Bounds) -> Option<String> {
    let (mut due, mut answered, mut shed, mut failed) = (0, 0, 0, 0);
    for class in phase.classes.values() {
        due += class.due;
        answered += class.done + class.refused;
        shed += class.shed;
        failed += class.failed;
    }
    let share = |count: u64| count as f64 / due.max(1) as f64;
    let place = phase.classes.get("place").map_or(0.0, |class| class.latency.p99_ms);
    let mut ways = Vec::new();
    if place > bounds.p99_ms {
        ways.push(format!("p99 of orders {place:.0} ms, above {} ms", bounds.p99_ms));
    }
    if share(shed + failed) > bounds.errors {
        let percent = |count| 100.0 * share(count);
        ways.push(format!(
            "{:.1} % of requests turned away and {:.1} % without an answer",
            percent(shed),
            percent(failed)
        ));
    }
    if share(answered) < FOLLOWS {
        ways.push(format!("{:.0} % of what came due was answered", 100.0 * share(answered)));
    }
    (!ways.is_empty()).then(|| ways.join("; "))
}

/// Names the step that broke, how, and where the time went.
pub(super) fn conclude(report: &mut Report, bounds: Bounds) {
    let rate = |phase: &PhaseReport| {
        let done: u64 = phase.classes.values().map(|class| class.done + class.refused).sum();
        done as f64 / phase.seconds.max(1e-9)
    };
    let steps = report.phases.get(1..).unwrap_or_default();
    let whole = steps.iter().rfind(|phase| breaks(phase, bounds).is_none());
    let mut outcome = Vec::new();
    if let Some(whole) = whole {
        outcome.push(format!(
            "It held {} times the base rate: {:.0} requests/s answered.",
            whole.multiplier,
            rate(whole)
        ));
        report.figures.insert("held_multiplier".to_owned(), whole.multiplier);
        report.figures.insert("held_requests_per_s".to_owned(), rate(whole));
    }
    match steps.last().and_then(|last| Some((last, breaks(last, bounds)?))) {
        Some((last, how)) => {
            outcome.push(format!("It broke at {} times: {how}.", last.multiplier));
            outcome.push(place_of(last, &seconds_of(report, last)));
            report.figures.insert("broke_at_multiplier".to_owned(), last.multiplier);
            report.figures.insert("broke_requests_per_s".to_owned(), rate(last));
        }
        None => outcome.push("It did not break in the steps that were taken.".to_owned()),
    }
    report.outcome = outcome;
}

fn seconds_of(report: &Report, phase: &PhaseReport) -> Vec<Second> {
    let of_phase = |second: &&Second| {
        second.t as f64 >= phase.begins && (second.t as f64) < phase.begins + phase.seconds
    };
    report.seconds.iter().filter(of_phase).cloned().collect()
}

/// Where a step broke: the class that suffered most, the longest stage, what was busy meanwhile.
fn place_of(phase: &PhaseReport, seconds: &[Second]) -> String {
    let mut parts = Vec::new();
    let slowest =
        phase.classes.iter().max_by(|a, b| a.1.latency.p99_ms.total_cmp(&b.1.latency.p99_ms));
    if let Some((class, figures)) = slowest {
        parts.push(format!("slowest were {class} requests, p99 {:.0} ms", figures.latency.p99_ms));
    }
    // Refusals with reason are no errors.
    let errors = phase.codes.iter().filter(|(code, _)| !code.contains(" refused: "));
    if let Some((code, count)) = errors.max_by_key(|(_, count)| **count) {
        parts.push(format!("most errors were {code} ({count})"));
    }
    let longest = phase.stages.iter().max_by(|a, b| a.1.p99_ms.total_cmp(&b.1.p99_ms));
    if let Some((stage, figures)) = longest {
        parts.push(format!(
            "the longest stage of orders over HTTP was {stage}, p99 {:.1} ms",
            figures.p99_ms
        ));
    }
    let mean = |value: fn(&Second) -> Option<f64>| {
        let values: Vec<_> = seconds.iter().filter_map(value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    if let Some(cores) = mean(|second| second.exchange_cpu) {
        parts.push(format!("the exchange had {cores:.2} cores"));
    }
    if let Some(cores) = mean(|second| Some(second.generator_cpu)) {
        parts.push(format!("the generator {cores:.2}"));
    }
    let late = seconds.iter().map(|second| second.generator_late_ms).fold(0.0, f64::max);
    parts.push(format!("requests were made up to {late:.0} ms late by the generator itself"));
    format!("Where: {}.", parts.join("; "))
}
