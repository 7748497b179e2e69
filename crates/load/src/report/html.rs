//! A report as one HTML file that needs nothing else: no script, no font, no network.

use std::fmt::Write;

use super::svg::{Series, escape, plot, short};
use super::{PhaseReport, Report, Second};

const STYLE: &str = "\
:root{color-scheme:light dark;--c0:#2563eb;--c1:#dc2626;--c2:#d97706;--c3:#059669}\
body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em}\
h1{font-size:1.5em}h2{font-size:1.1em;margin-top:2em}table{border-collapse:collapse;width:100%}\
td,th{text-align:right;padding:.2em .6em;border-bottom:1px solid #8884}td:first-child,th:first-child{text-align:left}\
svg{width:100%}svg text{font-size:11px;fill:currentColor}.grid{stroke:#8884}.band0{fill:#8881}.band1{fill:#8883}\
path{fill:none;stroke-width:1.5}.line0{stroke:var(--c0)}.line1{stroke:var(--c1)}.line2{stroke:var(--c2)}.line3{stroke:var(--c3)}\
.legend span{margin-right:1em}.legend span:before{content:'\\25A0 '}.key0:before{color:var(--c0)}.key1:before{color:var(--c1)}\
.key2:before{color:var(--c2)}.key3:before{color:var(--c3)}.none{opacity:.6}.bad{color:#dc2626;font-weight:600}.good{color:#059669;font-weight:600}";

/// A line of a plot: its name, and its value in a second.
type Line = (&'static str, fn(&Second) -> Option<f64>);
/// A plot: title, whether its scale is logarithmic, lines.
type Plot = (&'static str, bool, &'static [Line]);

const PLOTS: [Plot; 7] = [
    (
        "Requests a second",
        false,
        &[
            ("came due", |second| Some(second.due as f64)),
            ("turned away or failed", |second| Some((second.shed + second.failed) as f64)),
            ("answered", |second| Some(second.answered as f64)),
        ],
    ),
    (
        "Latency of orders, ms, by the second they were due in",
        true,
        &[
            ("p50", |second| second.place_p50_ms),
            ("p99.9", |second| second.place_p999_ms),
            ("p99", |second| second.place_p99_ms),
        ],
    ),
    (
        "p99 of cancels and reads, ms",
        true,
        &[("reads", |second| second.read_p99_ms), ("cancels", |second| second.cancel_p99_ms)],
    ),
    (
        "Commands in the exchange",
        false,
        &[
            ("in queues of partitions", |second| second.queue),
            ("without an answer yet", |second| second.pending),
        ],
    ),
    ("Memory of the exchange, MB", false, &[("resident", |second| second.memory_mb)]),
    (
        "Cores",
        false,
        &[
            ("exchange", |second| second.exchange_cpu),
            ("generator", |second| Some(second.generator_cpu)),
        ],
    ),
    (
        "Descriptors, and MB on disk",
        false,
        &[("descriptors", |second| second.descriptors), ("MB on disk", |second| second.disk_mb)],
    ),
];

/// Plots of two runs: title, whether its scale is logarithmic, value.
type Compared = (&'static str, bool, fn(&Second) -> Option<f64>);

const COMPARED: [Compared; 4] = [
    ("Requests answered a second", false, |second| Some(second.answered as f64)),
    ("p99 of orders, ms", true, |second| second.place_p99_ms),
    ("p99 of cancels, ms", true, |second| second.cancel_p99_ms),
    ("Memory of the exchange, MB", false, |second| second.memory_mb),
];

/// The page of one run.
pub(crate) fn page(report: &Report) -> String {
    let c = &report.conditions;
    let mut body = String::new();
    let title = format!("outcry load: {}", c.method);
    put(&mut body, format_args!("<h1>{}</h1>", escape(&title)));
    put(&mut body, format_args!("<p>{}</p>", escape(&c.to_string())));
    verdict(report, &mut body);
    for (title, is_log, lines) in PLOTS {
        let series: Vec<_> =
            lines.iter().map(|(name, value)| series(name, report, *value)).collect();
        put(&mut body, format_args!("<h2>{title}</h2>{}", plot(&series, &bands(report), is_log)));
    }
    body += "<h2>Phases</h2>";
    for phase in &report.phases {
        table_of(phase, &mut body);
    }
    body += "<h2>Checked</h2><table>";
    for (what, count) in &report.checks {
        put(&mut body, format_args!("<tr><td>{}</td><td>{count}</td></tr>", escape(what)));
    }
    body += "</table>";
    document(&title, &body)
}

/// Two runs beside each other.
pub(crate) fn comparison(a: &Report, b: &Report, rows: &[super::compare::Row]) -> String {
    let mut body = String::from("<h1>outcry load: two runs</h1>");
    for (name, report) in [("A", a), ("B", b)] {
        put(
            &mut body,
            format_args!(
                "<p><b>{name}</b>: {}, {}</p>",
                escape(&report.conditions.method),
                escape(&report.conditions.to_string())
            ),
        );
    }
    body += "<table><tr><th></th><th>A</th><th>B</th><th>B over A</th></tr>";
    for row in rows {
        let ratio = row.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        put(
            &mut body,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{ratio}</td></tr>",
                escape(&row.name),
                short(row.a),
                short(row.b)
            ),
        );
    }
    body += "</table>";
    for (title, is_log, value) in COMPARED {
        let lines = [series("A", a, value), series("B", b, value)];
        put(&mut body, format_args!("<h2>{title}</h2>{}", plot(&lines, &[], is_log)));
    }
    document("outcry load: two runs", &body)
}

fn verdict(report: &Report, body: &mut String) {
    for sentence in &report.outcome {
        put(body, format_args!("<p>{}</p>", escape(sentence)));
    }
    match report.findings.len() {
        0 => {
            *body += "<p class=\"good\">Nothing that was acknowledged is lost; no gap, no atom too many.</p>"
        }
        count => put(body, format_args!("<p class=\"bad\">{count} findings</p>")),
    }
    for finding in &report.findings {
        put(body, format_args!("<p class=\"bad\">{}</p>", escape(finding)));
    }
}

fn series<'a>(name: &'a str, report: &Report, value: fn(&Second) -> Option<f64>) -> Series<'a> {
    let points = report.seconds.iter().map(|second| (second.t as f64, value(second)));
    let mut points: Vec<_> = points.collect();
    // What is measured now and then is a line all the same.
    if points.iter().filter(|(_, value)| value.is_some()).count() * 2 < points.len() {
        points.retain(|(_, value)| value.is_some());
    }
    Series { name, points }
}

fn bands(report: &Report) -> Vec<(f64, f64, &str)> {
    let band = |phase: &'_ PhaseReport| (phase.begins, phase.begins + phase.seconds);
    report.phases.iter().map(|phase| (band(phase).0, band(phase).1, phase.name.as_str())).collect()
}

fn table_of(phase: &PhaseReport, body: &mut String) {
    put(
        body,
        format_args!(
            "<table><tr><th>{}, {:.1} times</th><th>due/s</th><th>done</th><th>refused</th><th>shed</th><th>failed</th>\
         <th>p50 ms</th><th>p99</th><th>p99.9</th><th>p99.99</th><th>max</th></tr>",
            escape(&phase.name),
            phase.multiplier
        ),
    );
    for (name, class) in &phase.classes {
        let latency = &class.latency;
        put(
            body,
            format_args!(
                "<tr><td>{name}</td><td>{:.0}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td>{:.1}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1}</td></tr>",
                class.due as f64 / phase.seconds.max(1e-9),
                class.done,
                class.refused,
                class.shed,
                class.failed,
                latency.p50_ms,
                latency.p99_ms,
                latency.p999_ms,
                latency.p9999_ms,
                latency.max_ms
            ),
        );
    }
    for (name, latency) in &phase.stages {
        put(
            body,
            format_args!(
                "<tr><td>stage {}</td><td></td><td>{}</td><td></td><td></td><td></td><td>{:.2}</td><td>{:.2}</td><td>{:.2}</td><td>{:.2}</td><td>{:.2}</td></tr>",
                escape(name),
                latency.count,
                latency.p50_ms,
                latency.p99_ms,
                latency.p999_ms,
                latency.p9999_ms,
                latency.max_ms
            ),
        );
    }
    *body += "</table>";
    let codes: Vec<_> =
        phase.codes.iter().map(|(code, count)| format!("{} {count}", escape(code))).collect();
    put(body, format_args!("<p>{}</p>", codes.join(", ")));
}

fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style>{body}</html>\n"
    )
}

fn put(to: &mut String, what: std::fmt::Arguments<'_>) {
    to.write_fmt(what).expect("a string takes everything");
}
