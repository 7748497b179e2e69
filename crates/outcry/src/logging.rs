//! The process's own log, on stderr: text for people or JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::config::{Log, LogFormat};

/// Starts logging. The filter was validated with the configuration.
pub fn start(log: &Log) {
    let filter: Targets = log.filter.parse().expect("a filter that was validated");
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match log.format {
        LogFormat::Text => registry.with(lines).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
    }
}

/// Logging of commands that are not `run`: warnings only.
pub fn quiet() {
    start(&Log { filter: "warn".to_owned(), ..Log::default() });
}

/// Panics anywhere stop the process: a thread that is missing is worse than a restart.
pub fn stop_on_panic() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        default(info);
        tracing::error!("stopped by a bug: {info}");
        std::process::exit(crate::exit::Status::Software as i32);
    }));
}
