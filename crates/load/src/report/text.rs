//! A report as some lines for people.

use std::fmt::Write;

use super::{ClassReport, Report};

/// The summary that is printed at the end of a run.
pub(crate) fn summary(report: &Report) -> String {
    let mut text = String::new();
    line(&mut text, format_args!("{}: {}", report.conditions.method, report.conditions));
    for phase in &report.phases {
        line(
            &mut text,
            format_args!("{}: {:.1} times, {:.0} s", phase.name, phase.multiplier, phase.seconds),
        );
        for (name, class) in &phase.classes {
            line(&mut text, format_args!("  {name:<7} {}", of_class(class, phase.seconds)));
        }
        if !phase.codes.is_empty() {
            let codes: Vec<_> =
                phase.codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
            line(&mut text, format_args!("  {}", codes.join(", ")));
        }
        if !phase.stages.is_empty() {
            let stages: Vec<_> = phase
                .stages
                .iter()
                .map(|(name, stage)| format!("{name} {:.2}/{:.2}", stage.p50_ms, stage.p99_ms))
                .collect();
            line(&mut text, format_args!("  stages, ms p50/p99: {}", stages.join(", ")));
        }
    }
    let checks: Vec<_> =
        report.checks.iter().map(|(name, count)| format!("{count} {name}")).collect();
    line(&mut text, format_args!("checked: {}", checks.join(", ")));
    for sentence in &report.outcome {
        line(&mut text, format_args!("{sentence}"));
    }
    match report.findings.len() {
        0 => line(&mut text, format_args!("findings: none")),
        count => line(&mut text, format_args!("FINDINGS: {count}")),
    }
    for finding in &report.findings {
        line(&mut text, format_args!("  {finding}"));
    }
    text
}

fn of_class(class: &ClassReport, seconds: f64) -> String {
    let latency = &class.latency;
    format!(
        "{:>9.1}/s due  {} done, {} refused, {} shed, {} failed; ms p50 {:.1}, p99 {:.1}, p99.9 {:.1}, max {:.1}",
        class.due as f64 / seconds.max(1e-9),
        class.done,
        class.refused,
        class.shed,
        class.failed,
        latency.p50_ms,
        latency.p99_ms,
        latency.p999_ms,
        latency.max_ms,
    )
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes everything");
}
