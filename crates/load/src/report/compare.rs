//! Two runs beside each other, phase by phase.

use super::Report;

/// A figure of both.
pub(crate) struct Row {
    pub(super) name: String,
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Row {
    /// The second over the first.
    pub(super) fn ratio(&self) -> Option<f64> {
        (self.a > 0.0).then(|| self.b / self.a)
    }
}

/// The figures that both runs have: of phases of the same name, and of the method.
pub(crate) fn rows(a: &Report, b: &Report) -> Vec<Row> {
    let mut rows = Vec::new();
    for phase in &a.phases {
        let Some(other) = b.phases.iter().find(|other| other.name == phase.name) else { continue };
        for (name, class) in &phase.classes {
            let Some(also) = other.classes.get(name) else { continue };
            let mut row = |what: &str, a: f64, b: f64| {
                rows.push(Row { name: format!("{}: {name} {what}", phase.name), a, b });
            };
            let rate = |count: u64, seconds: f64| count as f64 / seconds.max(1e-9);
            row("done/s", rate(class.done, phase.seconds), rate(also.done, other.seconds));
            let errors = (class.shed + class.failed, also.shed + also.failed);
            row("turned away or failed", errors.0 as f64, errors.1 as f64);
            row("p50 ms", class.latency.p50_ms, also.latency.p50_ms);
            row("p99 ms", class.latency.p99_ms, also.latency.p99_ms);
            row("p99.9 ms", class.latency.p999_ms, also.latency.p999_ms);
        }
    }
    for (name, value) in &a.figures {
        if let Some(also) = b.figures.get(name) {
            rows.push(Row { name: name.clone(), a: *value, b: *also });
        }
    }
    rows
}

/// As text.
pub(crate) fn text(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let ratio = row.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        format!("{:<36} {:>12.2} {:>12.2} {ratio:>8}\n", row.name, row.a, row.b)
    });
    format!("{:<36} {:>12} {:>12} {:>8}\n", "", "A", "B", "B over A") + &lines.collect::<String>()
}
