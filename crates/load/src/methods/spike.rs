//! A multiple of the base rate at once, and how long it takes until latency is what it was.

use crate::report::{PhaseReport, Report};

/// So many seconds in a row must be calm.
const IN_A_ROW: usize = 3;
/// What the exchange promises.
const CANCELS_P99_MS: f64 = 50.0;
const RECOVERY_SECONDS: f64 = 10.0;

pub(super) fn conclude(report: &mut Report) {
    let phase = |name: &str| report.phases.iter().find(|phase| phase.name == name).cloned();
    let (Some(calm), Some(spike), Some(after)) = (phase("calm"), phase("spike"), phase("after"))
    else {
        return;
    };
    let p99 = |phase: &PhaseReport, class: &str| {
        phase.classes.get(class).map_or(0.0, |class| class.latency.p99_ms)
    };
    let (place_calm, cancel_spike) = (p99(&calm, "place"), p99(&spike, "cancel"));
    let bound = (2.0 * place_calm).max(place_calm + 20.0);
    let recovery = recovery(report, &after, bound);
    let mut outcome = vec![format!(
        "p99 of orders: {place_calm:.1} ms calm, {:.1} ms in the spike, {:.1} ms after it.",
        p99(&spike, "place"),
        p99(&after, "place")
    )];
    let verdict = |is_met| if is_met { "met" } else { "missed" };
    outcome.push(format!(
        "p99 of cancels in the spike: {cancel_spike:.1} ms; target {CANCELS_P99_MS} ms {}.",
        verdict(cancel_spike <= CANCELS_P99_MS)
    ));
    let shed = |class: &str| {
        let of_class = spike.classes.get(class).cloned().unwrap_or_default();
        100.0 * (of_class.shed + of_class.failed) as f64 / of_class.due.max(1) as f64
    };
    outcome.push(format!(
        "Turned away or unanswered in the spike: {:.1} % of reads, {:.1} % of orders, {:.1} % of cancels.",
        shed("read"),
        shed("place"),
        shed("cancel")
    ));
    outcome.push(match recovery {
        Some(seconds) => format!(
            "Latency was back (p99 of orders at most {bound:.0} ms for {IN_A_ROW} s) {seconds:.1} s after the spike; \
             target {RECOVERY_SECONDS} s {}.",
            verdict(seconds <= RECOVERY_SECONDS)
        ),
        None => format!("Latency was not back (p99 of orders at most {bound:.0} ms) in the {:.0} s after the spike.", after.seconds),
    });
    let figures = [
        ("spike_place_p99_ms", p99(&spike, "place")),
        ("spike_cancel_p99_ms", cancel_spike),
        ("recovery_s", recovery.unwrap_or(f64::MAX)),
    ];
    report.figures.extend(figures.map(|(name, value)| (name.to_owned(), value)));
    report.outcome = outcome;
}

/// Seconds from the end of the spike until latency stays below the bound.
fn recovery(report: &Report, after: &PhaseReport, bound: f64) -> Option<f64> {
    let seconds: Vec<_> =
        report.seconds.iter().filter(|second| second.t as f64 >= after.begins).collect();
    let is_calm = |at: usize| {
        seconds.get(at).is_some_and(|second| second.place_p99_ms.is_some_and(|p99| p99 <= bound))
    };
    let first = (0..seconds.len()).find(|at| (*at..at + IN_A_ROW).all(is_calm))?;
    Some((seconds[first].t as f64 - after.begins).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::recovery;
    use crate::report::{Conditions, PhaseReport, Report, Second};

    #[test]
    fn recovery_counts_until_the_first_of_three_calm_seconds_in_a_row() {
        let mut report = Report::new(Conditions::default());
        let second =
            |(t, p99): (u64, f64)| Second { t, place_p99_ms: Some(p99), ..Second::default() };
        let course =
            [(9, 900.0), (10, 900.0), (11, 5.0), (12, 800.0), (13, 6.0), (14, 5.0), (15, 5.0)];
        report.seconds = course.map(second).to_vec();
        let after = PhaseReport {
            name: "after".to_owned(),
            multiplier: 1.0,
            begins: 10.0,
            seconds: 6.0,
            classes: Default::default(),
            codes: Default::default(),
            stages: Default::default(),
        };
        assert_eq!(recovery(&report, &after, 20.0), Some(3.0));
        assert_eq!(recovery(&report, &after, 4.0), None);
    }
}
