use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::exchange::{Said, Venue, outcry, written, written_by};

fn verify(data: &Path) -> Said {
    outcry(&["verify", "DATA"], data)
}

/// The lines of checks that failed; the verdict must agree with them.
fn failures(said: &Said) -> Vec<&str> {
    let failed: Vec<&str> = said.out.lines().filter(|line| line.starts_with("FAILED")).collect();
    let (status, verdict) =
        if failed.is_empty() { (0, "VERDICT sound") } else { (1, "VERDICT damaged") };
    assert_eq!((said.status, said.out.lines().last()), (status, Some(verdict)), "{}", said.out);
    failed
}

/// One failure, which says all of `parts`.
fn assert_fails(said: &Said, parts: &[&str]) {
    let failed = failures(said);
    assert_eq!(failed.len(), 1, "{}", said.out);
    for part in parts {
        assert!(failed[0].contains(part), "{part:?} is missing in {}", failed[0]);
    }
}

/// The only segment in `dir`.
fn segment(dir: &Path) -> PathBuf {
    let mut items = fs::read_dir(dir).unwrap().map(|item| item.unwrap().path());
    items.find(|path| path.extension().is_some_and(|end| end == "log")).unwrap()
}

/// Changes a byte of the first place in the file where `text` stands.
fn damage(file: &Path, text: &str) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.windows(text.len()).position(|part| part == text.as_bytes()).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_a_node_wrote_is_sound() {
    for partitions in [1, 3] {
        let data = written(partitions);
        let said = verify(data.path());
        assert_eq!(failures(&said), Vec::<&str>::new());
        let ok = said.out.lines().filter(|line| line.starts_with("ok ")).count();
        // Per partition: log, replay, events, two snapshots; then money, balances, history.
        assert_eq!(ok, usize::from(partitions) * 5 + 3, "{}", said.out);
        assert!(said.out.contains("open orders with exactly their holds"), "{}", said.out);
        assert!(said.out.contains("are what the log gives, row by row"), "{}", said.out);
    }
}

#[test]
fn the_verdict_as_json_has_the_same_checks() {
    let data = written(1);
    let said = outcry(&["verify", "DATA", "--json"], data.path());
    let verdict: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.status, &verdict["verdict"]), (0, &Value::from("sound")));
    let checks = verdict["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["outcome"] == "ok"), "{verdict}");
    assert_eq!(checks.len(), 8);
}

#[test]
fn a_crashed_exchange_is_sound_and_a_history_may_be_behind() {
    for partitions in [1, 3] {
        let data = tempfile::tempdir().unwrap();
        let venue = Venue::start(data.path(), partitions);
        venue.found();
        venue.project(data.path());
        venue.trade();
        venue.node.kill();
        let said = verify(data.path());
        assert_eq!(failures(&said), Vec::<&str>::new());
        assert!(said.out.contains("did not end in order"), "{}", said.out);
        assert!(said.out.contains(" behind)"), "{}", said.out);
    }
}

#[test]
fn a_running_exchange_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let venue = Venue::start(data.path(), 1);
    let said = verify(data.path());
    assert_eq!(said.status, 73);
    assert!(said.err.contains("is in use by process"), "{}", said.err);
    venue.node.stop();
}

#[test]
fn a_changed_byte_of_the_command_log_is_found_and_named() {
    let data = written(3);
    let file = segment(&data.path().join("p0/commands"));
    damage(&file, "BTC-USDT");
    let said = verify(data.path());
    assert_fails(&said, &["partition 0, command log", file.to_str().unwrap(), "at byte", "entry"]);
    assert!(said.out.contains("skipped money and books"), "{}", said.out);
}

#[test]
fn a_changed_byte_of_the_event_log_is_found_and_named() {
    let data = written(1);
    let file = segment(&data.path().join("p0/events"));
    damage(&file, "second");
    assert_fails(
        &verify(data.path()),
        &["partition 0, event log", file.to_str().unwrap(), "at byte", ", entry "],
    );
}

#[test]
fn a_changed_byte_of_a_snapshot_is_found_and_named() {
    let data = written(1);
    let dir = data.path().join("p0/snapshots");
    let file = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    damage(&file, "USDT");
    assert_fails(&verify(data.path()), &["partition 0, snapshot", file.to_str().unwrap()]);
}

#[test]
fn a_changed_ledger_entry_is_found_and_named() {
    let data = written(1);
    let sql = "UPDATE ledger_entries SET delta = '7'
               WHERE id = (SELECT max(id) FROM ledger_entries WHERE account = 3 AND asset = 1)";
    let history = rusqlite::Connection::open(data.path().join("history.sqlite")).unwrap();
    assert_eq!(history.execute(sql, []).unwrap(), 1);
    drop(history);
    assert_fails(
        &verify(data.path()),
        &["SQL history", "history.sqlite", "ledger_entries: partition 0, seq", "delta is \"7\""],
    );
}

#[test]
fn every_changed_missing_or_added_row_of_the_history_is_found_and_named() {
    for (partitions, sql, parts) in [
        (
            1,
            "UPDATE orders SET filled = 1 WHERE order_id = 1",
            ["order_id 1: filled is 1", "the log gives "],
        ),
        (
            3,
            "UPDATE orders SET cause = 'client' WHERE order_id = 3",
            ["order_id 3: cause is", "the log gives nothing"],
        ),
        (
            1,
            "UPDATE orders SET status = 'open' WHERE order_id = 7",
            ["order_id 7: status is \"open\"", "\"cancelled\""],
        ),
        (
            1,
            "UPDATE trades SET price = price + 1 WHERE trade_id = 2",
            ["market 1, trade_id 2: price is", "the log gives"],
        ),
        (
            3,
            "DELETE FROM trades WHERE trade_id = 1",
            ["trades: market 1, trade_id 1", "is missing"],
        ),
        (
            1,
            "DELETE FROM orders WHERE order_id = (SELECT max(order_id) FROM orders)",
            ["orders: market 1", "is missing"],
        ),
        (
            1,
            "INSERT INTO trades SELECT NULL, market, 99, price, quantity, base_amount, quote_amount, \
             aggressor, buyer, buy_order, buyer_fee, seller, sell_order, seller_fee, time, partition, \
             seq, event_index, maker_rebate, aggregate FROM trades WHERE trade_id = 1",
            ["trade_id 99 is there", "no such row"],
        ),
        (
            3,
            "UPDATE ledger_entries SET kind = 'debit' WHERE kind = 'fee' AND account = 3",
            ["ledger_entries", "kind is \"debit\""],
        ),
        (1, "UPDATE markets SET base = 2", ["markets: market 1: base is 2", "the log gives 1"]),
    ] {
        let data = written(partitions);
        assert!(failures(&verify(data.path())).is_empty());
        let history = rusqlite::Connection::open(data.path().join("history.sqlite")).unwrap();
        assert!(history.execute(sql, []).unwrap() >= 1, "{sql}");
        drop(history);
        assert_fails(&verify(data.path()), &["SQL history", parts[0], parts[1]]);
    }
}

#[test]
fn changed_missing_or_added_units_and_ends_of_markets_are_found_and_named() {
    for (sql, parts) in [
        (
            "UPDATE market_units SET through = through + 1",
            ["market_units: market 1, version 1: through is", "the log gives"],
        ),
        (
            "UPDATE market_units SET tick = '0.1'",
            ["market_units: market 1, version 1: tick is \"0.1\"", "the log gives \"0.01\""],
        ),
        ("DELETE FROM market_units", ["market_units: market 1, version 1", "is missing"]),
        (
            "UPDATE delistings SET time = time - 1",
            ["delistings: market 1: time is", "the log gives"],
        ),
        ("DELETE FROM delistings", ["delistings: market 1", "is missing"]),
        ("INSERT INTO delistings VALUES (7, 1)", ["delistings: market 7 is there", "no such row"]),
    ] {
        let data = written_by(1, Venue::redefine_and_delist);
        assert!(failures(&verify(data.path())).is_empty());
        let history = rusqlite::Connection::open(data.path().join("history.sqlite")).unwrap();
        assert_eq!(history.execute(sql, []).unwrap(), 1, "{sql}");
        drop(history);
        assert_fails(&verify(data.path()), &["SQL history", parts[0], parts[1]]);
    }
}

#[test]
fn a_log_that_lost_its_end_is_found_by_its_snapshots_and_events() {
    let (data, earlier) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let venue = Venue::start(data.path(), 1);
    venue.found();
    let commands = segment(&data.path().join("p0/commands"));
    let kept = earlier.path().join("kept");
    fs::copy(&commands, &kept).unwrap();
    venue.trade();
    venue.project(data.path());
    venue.node.stop();
    fs::copy(&kept, &commands).unwrap();
    let said = verify(data.path());
    let failed = failures(&said);
    for check in ["snapshot: ", "event log: ", "SQL history: "] {
        assert!(failed.iter().any(|line| line.contains(check)), "{check} in\n{}", said.out);
    }
}

#[test]
fn a_lost_partition_a_lost_log_and_a_stray_directory_have_a_verdict_that_names_them() {
    let log_of = |id: u16| format!("partition {id}, command log");
    for id in 0..5 {
        let data = written(5);
        fs::remove_dir_all(data.path().join(format!("p{id}"))).unwrap();
        assert_fails(&verify(data.path()), &[&log_of(id), &format!("p{id}/commands is missing")]);
        // Snapshots and events are there without their log.
        let data = written(5);
        let commands = data.path().join(format!("p{id}/commands"));
        fs::remove_dir_all(&commands).unwrap();
        assert_fails(&verify(data.path()), &[&log_of(id), "is missing"]);
        fs::create_dir(&commands).unwrap();
        assert_fails(&verify(data.path()), &[&log_of(id), "holds no entries"]);
    }
    let data = written(5);
    fs::create_dir_all(data.path().join("p5/commands")).unwrap();
    assert_fails(&verify(data.path()), &["partitions", "p5", "5 partitions"]);
}

/// As an exchange was founded before its record told the number of partitions.
#[test]
fn a_record_without_the_number_of_partitions_gives_a_verdict_all_the_same() {
    let old = |data: &Path| {
        let file = data.join("cluster");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.split_once("partitions").unwrap().0).unwrap();
    };
    let data = written(5);
    old(data.path());
    assert_eq!(failures(&verify(data.path())), Vec::<&str>::new());
    for id in 0..5 {
        let data = written(5);
        old(data.path());
        fs::remove_dir_all(data.path().join(format!("p{id}"))).unwrap();
        let said = verify(data.path());
        let text = "4 partitions are here, the exchange has 5";
        assert!(failures(&said)[0].contains(text), "{}", said.out);
        let data = written(5);
        old(data.path());
        let commands = data.path().join(format!("p{id}/commands"));
        fs::remove_dir_all(&commands).unwrap();
        fs::create_dir(&commands).unwrap();
        let said = verify(data.path());
        assert!(
            !failures(&said).is_empty() && said.out.contains("VERDICT damaged"),
            "{}",
            said.out
        );
    }
    let data = written(5);
    old(data.path());
    fs::create_dir_all(data.path().join("p5/commands")).unwrap();
    let said = verify(data.path());
    let text = "6 partitions are here, the exchange has 5";
    assert!(failures(&said).iter().any(|line| line.contains(text)), "{}", said.out);
}
