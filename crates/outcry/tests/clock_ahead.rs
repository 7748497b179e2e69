//! A log that was written by a wrong clock: time stands still until the right one has caught up, and
//! operators are told why.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Server, now_ms};
use node::{Node, NodeConfig, NodeHooks};
use types::Timestamp;

#[test]
fn a_log_that_is_ahead_of_the_clock_is_told_of_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = Timestamp((now_ms() + 3_600_000) * 1_000_000);
    let hooks = NodeHooks { clock: Arc::new(move || wrong), ..NodeHooks::default() };
    Node::start(NodeConfig::new(folder.path()), hooks).unwrap().stop();
    let server = Server::start(folder.path(), None, &["--no-demo"]).unwrap();
    server.says(&["ahead of this machine's clock"]);
    let ready = text(&server, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(ready.contains("s ahead of the clock"), "{ready}");
    let metrics = text(&server, "/metrics");
    let ahead =
        metrics.lines().find_map(|line| line.strip_prefix("outcry_log_ahead_of_clock_seconds "));
    let ahead: f64 = ahead.expect("a metric").parse().unwrap();
    assert!(ahead > 60.0 && ahead <= 3_600.0, "{ahead}");
    server.stop();
}

#[test]
fn a_right_clock_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), None, &["--no-demo"]).unwrap();
    let ready = text(&server, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    server.stop();
}

/// An answer as it comes.
fn text(server: &Server, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: exchange\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
