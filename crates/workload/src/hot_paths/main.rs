//! Plays the hot paths of the exchange, so that their instructions can be counted; and holds the counts against those
//! that are committed.
//!
//! `hot-paths check` counts each path and fails if one has become more than 2 % longer than `instructions.txt` says;
//! `hot-paths count` prints lines for that file; `hot-paths play PATH` plays one, for a profiler. Counts are of
//! callgrind, on the flow `steady`: they are the same from run to run, whatever else the machine does.
#![forbid(unsafe_code)]

mod counted;
mod paths;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["check"] => counted::check(),
        ["count"] => counted::count(),
        ["play", path] => paths::play(path),
        _ => Err("usage: hot-paths check | count | play PATH".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hot-paths: {error}");
            ExitCode::FAILURE
        }
    }
}
