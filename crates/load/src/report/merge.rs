//! The parts of a run that several processes shared, as one report. Counts add up and distributions are merged; percentiles
//! of single seconds cannot be, and are the worst of the parts.

use hdrhistogram::Histogram;

use super::{ClassReport, Latency, PhaseReport, Report, Second};
use crate::figures::histogram;

/// One report of all parts.
///
/// # Errors
/// When they are not parts of one run, in a sentence.
pub(crate) fn merge(parts: &[Report]) -> Result<Report, String> {
    let [first, others @ ..] = parts else { return Err("no report to merge".to_owned()) };
    let mut merged = first.clone();
    let mut names = vec![first.conditions.part.clone()];
    for other in others {
        let (a, b) = (&first.conditions, &other.conditions);
        if (&a.method, a.seed, a.users, &a.market, a.rate.to_bits())
            != (&b.method, b.seed, b.users, &b.market, b.rate.to_bits())
        {
            return Err(
                "the reports are not of one run: method, seed, users, rate or market differ"
                    .to_owned(),
            );
        }
        if names.contains(&b.part) {
            return Err(format!("part {} is there twice", b.part));
        }
        names.push(b.part.clone());
        add(&mut merged, other);
    }
    names.sort();
    merged.conditions.part = names.join(" + ");
    // What a part concluded holds for it alone.
    merged.outcome.clear();
    merged.figures.clear();
    Ok(merged)
}

fn add(to: &mut Report, other: &Report) {
    to.conditions.base_requests_per_second += other.conditions.base_requests_per_second;
    for phase in &other.phases {
        match to.phases.iter_mut().find(|known| known.name == phase.name) {
            Some(known) => add_phase(known, phase),
            None => to.phases.push(phase.clone()),
        }
    }
    for second in &other.seconds {
        match to.seconds.get_mut(second.t as usize) {
            Some(known) => add_second(known, second),
            None => to.seconds.push(second.clone()),
        }
    }
    for (check, count) in &other.checks {
        *to.checks.entry(check.clone()).or_default() += count;
    }
    let part = &other.conditions.part;
    to.findings.extend(other.findings.iter().map(|finding| format!("part {part}: {finding}")));
}

fn add_phase(to: &mut PhaseReport, other: &PhaseReport) {
    for (name, class) in &other.classes {
        let known = to.classes.entry(name.clone()).or_default();
        *known = ClassReport {
            due: known.due + class.due,
            done: known.done + class.done,
            refused: known.refused + class.refused,
            shed: known.shed + class.shed,
            failed: known.failed + class.failed,
            latency: together(&known.latency, &class.latency),
        };
    }
    for (code, count) in &other.codes {
        *to.codes.entry(code.clone()).or_default() += count;
    }
    for (stage, latency) in &other.stages {
        let known = to.stages.entry(stage.clone()).or_default();
        *known = together(known, latency);
    }
}

fn together(a: &Latency, b: &Latency) -> Latency {
    let mut all: Histogram<u64> = histogram();
    for (micros, count) in a.recorded.iter().chain(&b.recorded) {
        all.saturating_record_n(*micros, *count);
    }
    Latency::of(&all)
}

fn add_second(to: &mut Second, other: &Second) {
    to.due += other.due;
    to.answered += other.answered;
    to.shed += other.shed;
    to.failed += other.failed;
    to.messages += other.messages;
    to.generator_cpu += other.generator_cpu;
    to.generator_late_ms = to.generator_late_ms.max(other.generator_late_ms);
    // Of the same exchange, or of its slowest part.
    for (known, also) in [
        (&mut to.place_p50_ms, other.place_p50_ms),
        (&mut to.place_p99_ms, other.place_p99_ms),
        (&mut to.place_p999_ms, other.place_p999_ms),
        (&mut to.cancel_p99_ms, other.cancel_p99_ms),
        (&mut to.read_p99_ms, other.read_p99_ms),
        (&mut to.queue, other.queue),
        (&mut to.pending, other.pending),
        (&mut to.exchange_cpu, other.exchange_cpu),
        (&mut to.memory_mb, other.memory_mb),
        (&mut to.descriptors, other.descriptors),
        (&mut to.disk_mb, other.disk_mb),
    ] {
        *known = match (*known, also) {
            (Some(known), Some(also)) => Some(known.max(also)),
            (known, also) => known.or(also),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::figures::{End, PhaseFigures};
    use crate::report::{Conditions, Report};
    use crate::request::Class;
    use std::time::Duration;

    fn part(name: &str, latencies_ms: &[u64]) -> Report {
        let mut report = Report::new(Conditions { part: name.to_owned(), ..Conditions::default() });
        let second = Duration::from_secs(1);
        let mut phase = PhaseFigures::new("baseline", 1.0, Duration::ZERO, second);
        for millis in latencies_ms {
            phase.due(Class::Place);
            phase.ended(Class::Place, &End::Done, Duration::from_millis(*millis));
        }
        report.phases = vec![phase.report()];
        report
    }

    #[test]
    fn parts_add_up_and_percentiles_are_those_of_all_requests_together() {
        let merged = merge(&[part("1/2", &[1; 99]), part("2/2", &[500])]).unwrap();
        let place = &merged.phases[0].classes["place"];
        assert_eq!((place.due, place.done, place.latency.count), (100, 100, 100));
        assert!(place.latency.p50_ms < 2.0 && place.latency.max_ms > 490.0, "{place:?}");
        assert_eq!(merged.conditions.part, "1/2 + 2/2");
        merge(&[part("1/2", &[1]), part("1/2", &[1])]).unwrap_err();
    }
}
