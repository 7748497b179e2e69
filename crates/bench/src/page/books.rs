//! Our book beside those of others.

use std::fmt::Write;

use super::{Figure, shown};

/// As figures call them.
pub const FLOWS: [&str; 10] = [
    "steady",
    "deep",
    "crossing",
    "storm",
    "swing_25",
    "swing_40",
    "swing_60",
    "recorded_shanghai",
    "recorded_bitstamp",
    "recorded_nasdaq",
];

/// What books are called, and what the names of their figures begin with.
pub const BOOKS: [(&str, &str); 7] = [
    ("outcry", "peer_outcry"),
    ("matchcore 0.4.0", "peer_matchcore"),
    ("bourse-book 0.4.0", "peer_bourse_book"),
    ("rust_ob 2.5.3", "peer_rust_ob"),
    ("lobster 0.7.0", "peer_lobster"),
    ("orderbook-rs 0.15.3", "peer_orderbook_rs"),
    ("nodejs-order-book 10.1.1", "peer_nodejs_order_book"),
];

/// Rates by flow. A star stands at those of which fills were wrong; what panicked has none.
pub fn table(list: &[Figure]) -> String {
    let mut table = String::from("| millions of operations a second |");
    for flow in FLOWS {
        write!(table, " {} |", flow.replace('_', " ")).expect("a string");
    }
    writeln!(table, "\n|---|{}", "--:|".repeat(FLOWS.len())).expect("a string");
    for (book, prefix) in BOOKS {
        write!(table, "| {book} |").expect("a string");
        for flow in FLOWS {
            let name = format!("{prefix}_{flow}_mops");
            let cell = list.iter().find(|figure| figure.name == name).map(cell);
            write!(table, " {} |", cell.unwrap_or_default()).expect("a string");
        }
        table.push('\n');
    }
    table
}

fn cell(figure: &Figure) -> String {
    let star = if figure.conditions.contains("WRONG") { " *" } else { "" };
    format!("{}{star}", shown(figure.value))
}
