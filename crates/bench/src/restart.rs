//! Restart: the log of a run is replayed without a snapshot.

use std::path::Path;
use std::time::Instant;

use node::{Node, NodeHooks};
use workload::{Requests, workload};

use crate::durable::{ACCOUNTS, config, start};
use crate::report::Report;

const COMMANDS: usize = 5_000_000;

/// Fills a log, stops the node, starts it again.
pub fn restart(report: &mut Report, folder: &Path) {
    let session = workload("steady").session(1, COMMANDS);
    for (name, event_log) in [("replay_mops", false), ("replay_with_event_log_mops", true)] {
        let data = folder.join(name);
        let (node, client) = start(&data, event_log);
        let mut requests = Requests::new(ACCOUNTS, false);
        for operation in session.before.iter().chain(&session.timed) {
            client.submit(&node, requests.of(operation), 8_192);
        }
        client.wait(0);
        node.stop();
        let started = Instant::now();
        let node =
            Node::start(config(&data, event_log), NodeHooks::default()).expect("its own log");
        let seconds = started.elapsed().as_secs_f64();
        let replayed = node.recovery()[0].replayed;
        let log = if event_log { "on, every event compared" } else { "off" };
        let conditions = format!(
            "wall time from start to serving, {replayed} entries, no snapshot, log in the page \
             cache, event log {log}"
        );
        report.add(name, replayed as f64 / seconds / 1e6, "M commands/s", &conditions);
        node.stop();
        std::fs::remove_dir_all(&data).expect("our own folder");
    }
}
