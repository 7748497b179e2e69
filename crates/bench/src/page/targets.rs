//! What was to be reached, beside what was.

use std::fmt::Write;

use super::{Figures, shown};

/// Where a value must lie.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A target: what it says, the value, its bound.
type Target = (&'static str, fn(&Figures) -> Option<f64>, Bound);

use Bound::{AtLeast, AtMost};

const TARGETS: &[Target] = &[
    ("book, steady flow, M ops/s", |f| f.get("book_steady_mops"), AtLeast(30.0)),
    (
        "book, steady flow, instructions of an operation",
        |f| f.get("book_steady_instr_per_op"),
        AtMost(200.0),
    ),
    ("book, steady flow, p99, ns (clock included)", |f| f.get("book_steady_p99_ns"), AtMost(150.0)),
    ("book with a million orders, M ops/s", |f| f.get("book_deep_mops"), AtLeast(15.0)),
    (
        "book with a million orders, p99, ns (clock included)",
        |f| f.get("book_deep_p99_ns"),
        AtMost(400.0),
    ),
    ("MB for a million resting orders", |f| f.get("book_mb_per_million_orders"), AtMost(64.0)),
    (
        "book while the price swings, share of steady",
        |f| f.ratio("book_swing_mops", "book_steady_mops"),
        AtLeast(0.5),
    ),
    (
        "times matchcore, steady",
        |f| f.ratio("peer_outcry_steady_mops", "peer_matchcore_steady_mops"),
        AtLeast(5.0),
    ),
    (
        "times bourse-book, steady",
        |f| f.ratio("peer_outcry_steady_mops", "peer_bourse_book_steady_mops"),
        AtLeast(7.0),
    ),
    (
        "times rust_ob, steady",
        |f| f.ratio("peer_outcry_steady_mops", "peer_rust_ob_steady_mops"),
        AtLeast(7.0),
    ),
    (
        "times orderbook-rs, steady",
        |f| f.ratio("peer_outcry_steady_mops", "peer_orderbook_rs_steady_mops"),
        AtLeast(60.0),
    ),
    ("times the best of them, deep", best_deep, AtLeast(8.0)),
    ("engine, M commands/s", |f| f.get("engine_mops"), AtLeast(10.0)),
    ("durable, 16,000 waiting, M commands/s", |f| f.get("durable_16k_mops"), AtLeast(5.0)),
    ("durable, 1,024 waiting, M commands/s", |f| f.get("durable_1k_mops"), AtLeast(1.0)),
    ("durable, 1,024 waiting, p50, ms", |f| f.get("durable_1k_p50_ms"), AtMost(0.4)),
    ("durable, 1,024 waiting, p99, ms", |f| f.get("durable_1k_p99_ms"), AtMost(1.0)),
    (
        "HTTP order entry, share of a do-nothing handler's rate",
        |f| f.get("http_ratio_to_trivial"),
        AtLeast(0.7),
    ),
    ("WebSocket order entry, orders/s", |f| f.get("ws_orders_per_s"), AtLeast(300_000.0)),
    ("lone order over HTTP, ms above a sync", lone_over_sync, AtMost(0.3)),
    ("fan-out, messages/s", |f| f.get("fanout_msgs_per_s"), AtLeast(500_000.0)),
    ("fan-out, p99 until the last connection, ms", |f| f.get("fanout_p99_ms"), AtMost(100.0)),
    ("idle subscribed connection, bytes", |f| f.get("conn_bytes"), AtMost(16_384.0)),
    ("SQL history, rows/s", |f| f.get("projector_sqlite_rows_per_s"), AtLeast(100_000.0)),
    ("replay, M commands/s", |f| f.get("replay_mops"), AtLeast(5.0)),
    ("idle exchange, MB", |f| f.get("idle_rss_mb"), AtMost(256.0)),
    ("idle exchange, % of a core", |f| f.get("idle_core_percent"), AtMost(1.0)),
    ("with its demonstration, % of a core", |f| f.get("demo_core_percent"), AtMost(5.0)),
];

const PEERS: [&str; 6] =
    ["matchcore", "bourse_book", "rust_ob", "lobster", "orderbook_rs", "nodejs_order_book"];

fn best_deep(figures: &Figures) -> Option<f64> {
    let rates = PEERS.iter().filter_map(|peer| figures.get(&format!("peer_{peer}_deep_mops")));
    let best = rates.max_by(f64::total_cmp)?;
    Some(figures.get("peer_outcry_deep_mops")? / best)
}

/// None where it is less than a sync, which cannot be: then both waited for a core, and nothing can be told.
fn lone_over_sync(figures: &Figures) -> Option<f64> {
    let over = figures.get("http_lone_p50_ms")? - figures.get("http_lone_sync_p50_ms")?;
    (over >= 0.0).then_some(over)
}

/// All targets with what was measured.
pub fn table(figures: &Figures) -> String {
    let mut table = String::from("| target | | measured | |\n|---|--:|--:|---|\n");
    for (what, value, bound) in TARGETS {
        let (sign, limit) = match bound {
            AtLeast(limit) => ("≥", limit),
            AtMost(limit) => ("≤", limit),
        };
        let (measured, verdict) = match value(figures) {
            None => ("".to_owned(), "not to be told"),
            Some(value) => {
                let is_reached = match bound {
                    AtLeast(limit) => value >= *limit,
                    AtMost(limit) => value <= *limit,
                };
                (shown(value), if is_reached { "reached" } else { "**missed**" })
            }
        };
        writeln!(table, "| {what} | {sign} {limit} | {measured} | {verdict} |").expect("a string");
    }
    table
}
