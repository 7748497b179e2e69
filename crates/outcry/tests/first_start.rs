//! A first start that is killed at any moment leaves what the next one makes whole: markets, the
//! demonstration and an admin key that somebody has seen.

use std::path::Path;
use std::time::Duration;

use crate::support::{Key, Server, spawn};
use chance::Random;
use serde_json::Value;

/// A start that nobody interrupts has all that a first one promises. `admin` is a key that an earlier
/// start has shown, if one has.
fn assert_whole(data: &Path, shown: Option<Key>, moment: &str) {
    let server =
        Server::start(data, None, &[]).unwrap_or_else(|output| panic!("{moment}: {output}"));
    let mut http = server.http();
    let (status, markets) = http.send(None, "GET", "/v1/markets", None).unwrap();
    let count = markets["markets"].as_array().map_or(0, Vec::len);
    assert_eq!((status, count), (200, 3), "{moment}: {markets}");
    let (status, demo) = http.send(None, "GET", "/v1/demo/session", None).unwrap();
    assert_eq!((status, &demo["account"]), (200, &Value::from(1)), "{moment}: {demo}");
    // A key that this start has shown replaces those of before.
    let admin = server.admin.clone().or(shown).unwrap_or_else(|| panic!("{moment}: no admin key"));
    http.ok(&admin, "GET", "/v1/admin/accounts", None);
    assert!(!data.join("ADMIN_KEY_NOT_SHOWN").exists());
    server.stop();
}

/// Kills a first start after `delay`; the admin key, if its output had one.
fn killed_after(data: &Path, delay: Duration) -> Option<Key> {
    let (mut child, lines) = spawn(data, None, &[]);
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    let output: Vec<String> = lines.iter().collect();
    let after = |text| output.iter().find_map(|line| Some(line.split_once(text)?.1.trim()));
    let (id, secret) = (after("admin key:")?.to_owned(), after("admin secret:")?.to_owned());
    Some(Key { id, secret })
}

#[test]
fn a_first_start_that_is_killed_at_any_moment_is_finished_by_the_next() {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random::new(seed);
    for round in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let delay = Duration::from_millis(random.below(if round < 5 { 50 } else { 200 }));
        let shown = killed_after(&data, delay);
        assert_whole(&data, shown, &format!("round {round}, killed after {delay:?}"));
    }
}

/// As the files are when a start ends after its key was stored and before it was shown.
#[test]
fn a_key_that_may_not_have_been_seen_is_replaced_by_one_that_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, None, &["--no-demo"]).unwrap();
    let unseen = server.admin.clone().expect("shown at the first start");
    server.stop();
    std::fs::write(data.join("ADMIN_KEY_NOT_SHOWN"), "").unwrap();
    let server = Server::start(&data, None, &["--no-demo"]).unwrap();
    let admin = server.admin.clone().expect("shown, since the first may not have been");
    let mut http = server.http();
    http.ok(&admin, "GET", "/v1/admin/accounts", None);
    let (status, _) = http.send(Some(&unseen), "GET", "/v1/admin/accounts", None).unwrap();
    assert_eq!(status, 401);
    server.stop();
    let server = Server::start(&data, None, &["--no-demo"]).unwrap();
    assert!(server.admin.is_none());
    server.stop();
}

/// As the files are when a first start ends right after the exchange is declared a demonstration.
#[test]
fn a_demonstration_that_was_only_declared_is_founded_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("DEMO"), "").unwrap();
    std::fs::write(data.join("LOCK"), "1\n").unwrap();
    assert_whole(&data, None, "declared");
}
