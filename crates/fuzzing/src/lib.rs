//! What fuzzers call: each decoder of the product, and streams of commands, as a function of bytes that
//! panics where the product is wrong.
//!
//! `fuzz/` hands these functions to libFuzzer; the tests of this crate run them over the committed
//! corpora. Decoders of checked bytes get their checksums made right here, from the documents alone:
//! no fuzzer guesses a hash.
#![forbid(unsafe_code)]

mod command_log;
mod decimal;
mod disk;
mod duel;
mod event_log;
mod frames;
mod http_body;
mod input;
mod made_log;
mod records;
mod snapshot;
mod state;
mod stream;
mod venues;
mod views;
mod ws_message;

/// A function of any bytes.
pub type Target = fn(&[u8]);

/// All targets by name: a file of `fuzz/fuzz_targets` and a directory of `fuzz/corpus` each.
pub const TARGETS: &[(&str, Target)] = &[
    ("command_log", command_log::run),
    ("decimal", decimal::run),
    ("duel", duel::run),
    ("event_log", event_log::run),
    ("frames", frames::run),
    ("http_body", http_body::run),
    ("snapshot", snapshot::run),
    ("state", state::run),
    ("stream", stream::run),
    ("views", views::run),
    ("ws_message", ws_message::run),
];

/// Runs a target once.
///
/// # Panics
/// If there is no such target, or where the product is wrong.
pub fn run(target: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    found.expect("a target").1(bytes);
}
