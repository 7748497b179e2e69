//! Which figures are drawn.

use super::Figures;
use super::books::{BOOKS, FLOWS};
use super::svg::{Bar, bars, curves};

/// A layer: its name, its figure, and how many a second one of that figure is.
const LAYERS: [(&str, &str, f64); 11] = [
    ("book", "book_steady_mops", 1e6),
    ("book, a million orders", "book_deep_mops", 1e6),
    ("engine", "engine_mops", 1e6),
    ("replay of the log", "replay_mops", 1e6),
    ("durable, 16,000 waiting", "durable_16k_mops", 1e6),
    ("durable, 1,024 waiting", "durable_1k_mops", 1e6),
    ("WebSocket, an order a message", "ws_single_orders_per_s", 1.0),
    ("WebSocket, 100 orders a message", "ws_orders_per_s", 1.0),
    ("HTTP orders", "http_requests_per_s", 1.0),
    ("fan-out, messages", "fanout_msgs_per_s", 1.0),
    ("SQL history, rows", "projector_sqlite_rows_per_s", 1.0),
];

/// Latencies of open loops in milliseconds: a name, and that of the figures.
const LATENCIES: [(&str, &str); 8] = [
    ("durable, 50 % load", "durable_open_50"),
    ("durable, 80 % load", "durable_open_80"),
    ("HTTP, 50 % load", "http_open_50"),
    ("HTTP, 80 % load", "http_open_80"),
    ("WebSocket, 50 % load", "ws_single_open_50"),
    ("WebSocket, 80 % load", "ws_single_open_80"),
    ("fan-out to the last, 50 %", "fanout_open_50"),
    ("a bare sync", "limit_sync"),
];

/// The plots with the names of their files.
pub fn all(figures: &Figures) -> [(&'static str, String); 3] {
    [
        ("layers.svg", layers(figures)),
        ("peers.svg", peers(figures)),
        ("latencies.svg", latencies(figures)),
    ]
}

fn layers(figures: &Figures) -> String {
    let bar = |(label, name, unit): &(&str, &str, f64)| {
        let value = figures.get(name)? * unit;
        Some(Bar { label: (*label).to_owned(), value, shown: grouped(value), colour: 0 })
    };
    bars(
        "Layers, operations a second (logarithmic)",
        &[(String::new(), LAYERS.iter().filter_map(bar).collect())],
    )
}

fn peers(figures: &Figures) -> String {
    let group = |flow: &str| {
        let bar = |(colour, (label, prefix)): (usize, &(&str, &str))| {
            let value = figures.get(&format!("{prefix}_{flow}_mops"))?;
            Some(Bar { label: (*label).to_owned(), value, shown: format!("{value:.2}"), colour })
        };
        (flow.replace('_', " "), BOOKS.iter().enumerate().filter_map(bar).collect())
    };
    bars(
        "Books on the same flows, millions of operations a second (logarithmic)",
        &FLOWS.map(group),
    )
}

fn latencies(figures: &Figures) -> String {
    let places = ["p50", "p99", "p999", "p9999"];
    let curve = |(label, name): &(&str, &str)| {
        let values: Option<Vec<f64>> =
            places.iter().map(|place| figures.get(&format!("{name}_{place}_ms"))).collect();
        Some(((*label).to_owned(), values?))
    };
    let drawn: Vec<_> = LATENCIES.iter().filter_map(curve).collect();
    curves(
        "Latencies at fixed rates, from when each was due",
        &["p50", "p99", "p99.9", "p99.99"],
        "ms",
        &drawn,
    )
}

/// With commas.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
