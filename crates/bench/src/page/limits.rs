//! What was measured beside what the machine can do at best.

use std::fmt::Write;

use super::{Figures, shown};

type Value = fn(&Figures) -> Option<f64>;

/// What it is, its unit, what was measured; what the limit is, and how much.
type Distance = (&'static str, &'static str, Value, &'static str, Value);

const DISTANCES: &[Distance] = &[
    (
        "an operation of the book",
        "ns",
        |f| nanos(f, "book_steady_mops"),
        "a load from the second cache",
        |f| f.get("limit_load_512kb_ns"),
    ),
    (
        "one with a million orders",
        "ns",
        |f| nanos(f, "book_deep_mops"),
        "a load from memory",
        |f| f.get("limit_load_256mb_ns"),
    ),
    (
        "a command of the engine",
        "ns",
        |f| nanos(f, "engine_mops"),
        "a load from memory",
        |f| f.get("limit_load_256mb_ns"),
    ),
    (
        "a lone order in process",
        "ms",
        |f| f.get("lone_order_p50_ms"),
        "a sync, in turn with it",
        |f| f.get("sync_p50_ms"),
    ),
    (
        "a lone order over HTTP",
        "ms",
        |f| f.get("http_lone_p50_ms"),
        "a sync and a round trip",
        sync_and_round_trip,
    ),
    (
        "a lone order over WebSocket",
        "ms",
        |f| f.get("ws_lone_p50_ms"),
        "a sync and a round trip",
        sync_and_round_trip,
    ),
    (
        "processor time of an order over HTTP",
        "us",
        |f| f.get("http_server_cpu_us"),
        "that of a do-nothing handler",
        |f| f.get("http_trivial_server_cpu_us"),
    ),
    (
        "processor time of an order over WebSocket, a message of its own",
        "us",
        |f| f.get("ws_single_server_cpu_us"),
        "four system calls",
        |f| Some(f.get("limit_syscall_ns")? * 4.0 / 1e3),
    ),
    (
        "processor time of one of 100 orders in a message",
        "us",
        |f| f.get("ws_server_cpu_us"),
        "a command of the engine",
        |f| Some(1.0 / f.get("engine_mops")?),
    ),
    (
        "processor time of a message of fan-out",
        "us",
        |f| f.get("fanout_burst_1_server_cpu_us"),
        "a system call",
        |f| Some(f.get("limit_syscall_ns")? / 1e3),
    ),
    (
        "the same, 40 at a time",
        "us",
        |f| f.get("fanout_burst_40_server_cpu_us"),
        "a system call",
        |f| Some(f.get("limit_syscall_ns")? / 1e3),
    ),
];

fn nanos(figures: &Figures, rate: &str) -> Option<f64> {
    Some(1e3 / figures.get(rate)?)
}

fn sync_and_round_trip(figures: &Figures) -> Option<f64> {
    Some(figures.get("http_lone_sync_p50_ms")? + figures.get("limit_loopback_p50_us")? / 1e3)
}

/// All of them that were measured.
pub fn table(figures: &Figures) -> String {
    let mut table = String::from("| | measured | limit | | times |\n|---|--:|---|--:|--:|\n");
    for (what, unit, value, limit, least) in DISTANCES {
        if let (Some(value), Some(least)) = (value(figures), least(figures)) {
            let times = value / least;
            let (value, least) = (shown(value), shown(least));
            writeln!(table, "| {what} | {value} {unit} | {limit} | {least} {unit} | {times:.1} |")
                .expect("a string");
        }
    }
    table
}
