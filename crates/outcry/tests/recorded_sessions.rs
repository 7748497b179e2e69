//! `outcry replay`: sessions of our own with every kind of row come out exactly, damaged copies are
//! found out, and recordings of real exchanges come out exactly where they are at hand
//! (`OUTCRY_RECORDINGS` names their folder).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a replay came to.
struct Replayed {
    status: Option<i32>,
    out: String,
    err: String,
}

fn replay(dir: &Path, options: &[&str]) -> Replayed {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outcry"));
    let output = command.arg("replay").arg(dir).args(options).output().expect("the binary starts");
    Replayed {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

fn session(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions").join(name)
}

fn is_exact(dir: &Path, options: &[&str], counts: &str) {
    let Replayed { status, out, err } = replay(dir, options);
    assert_eq!(status, Some(0), "{out}{err}");
    let name = dir.file_name().unwrap().to_string_lossy();
    assert!(out.starts_with(&format!("EXACT {name} {counts}\n")), "{out}");
}

/// A copy of a session in which the file `name` has `to` instead of `from`, once.
fn damaged(session_name: &str, name: &str, from: &str, to: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for file in fs::read_dir(session(session_name)).expect("the session is there") {
        let file = file.expect("readable").path();
        fs::copy(&file, copy.path().join(file.file_name().unwrap())).expect("copied");
    }
    let path = copy.path().join(name);
    let text = fs::read_to_string(&path).expect("text");
    assert_eq!(text.matches(from).count(), 1, "{name} has {from:?} once");
    fs::write(&path, text.replacen(from, to, 1)).expect("written");
    copy
}

fn differs(copy: &tempfile::TempDir, what: &str) {
    let Replayed { status, out, err } = replay(copy.path(), &[]);
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(out.starts_with("DIFFERS "), "{out}");
    assert!(out.contains(&format!("first difference: {what}")), "{out}");
    assert!(out.contains("book of the exchange there"), "{out}");
}

#[test]
fn a_session_with_every_kind_of_row_comes_out_exactly() {
    let counts = "{seeds: 5, inputs: 19, trades: 8, cancels: 2, amends: 5, reduces: 3, \
                  post_only_rejected: 1, books: 20, final_orders: 1}";
    is_exact(&session("every_row_kind"), &[], counts);
}

#[test]
fn compressed_files_and_books_without_counts_are_read() {
    let counts = "{inputs: 4, trades: 2, cancels: 1, books: 5}";
    is_exact(&session("compressed_from_empty"), &[], counts);
}

#[test]
fn an_opening_auction_leaves_the_seed() {
    let counts = "{auction_inputs: 9, auction_trades: 4, seeds: 3, inputs: 3, trades: 2, \
                  cancels: 1, books: 4, final_orders: 2}";
    is_exact(&session("opening_auction"), &[], counts);
    let counts = "{seeds: 3, inputs: 3, trades: 2, cancels: 1, books: 4, final_orders: 2}";
    is_exact(&session("opening_auction"), &["--no-auction"], counts);
}

#[test]
fn a_lobster_session_comes_out_row_by_row() {
    let counts = "{inputs: 7, trades: 1, books: 6}";
    is_exact(&session("lobster_two_levels"), &[], counts);
}

#[test]
fn recorded_time_is_kept() {
    // The recording takes 14 ms; how long the replay takes beyond that is not asserted.
    let started = std::time::Instant::now();
    let counts = "{inputs: 4, trades: 2, cancels: 1, books: 5}";
    is_exact(&session("compressed_from_empty"), &["--speed", "recorded"], counts);
    let replayed = replay(&session("every_row_kind"), &["--speed", "recorded"]);
    assert_eq!(replayed.status, Some(0), "{}", replayed.out);
    assert!(started.elapsed() >= std::time::Duration::from_millis(14));
}

#[test]
fn a_verdict_is_also_told_as_json() {
    let replayed = replay(&session("opening_auction"), &["--json"]);
    let verdict: serde_json::Value = serde_json::from_str(&replayed.out).expect("JSON");
    assert_eq!(verdict["exact"], true);
    assert_eq!(verdict["counts"]["auction_trades"], 4);
    let copy = damaged("opening_auction", "auction_open_trades.csv", "24,32,100,5", "24,32,100,4");
    let replayed = replay(copy.path(), &["--json"]);
    let verdict: serde_json::Value = serde_json::from_str(&replayed.out).expect("JSON");
    assert_eq!(verdict["exact"], false);
    assert_eq!(verdict["difference"]["what"], "trade 4 of the opening auction");
}

#[test]
fn a_wrong_quantity_of_a_trade_is_found() {
    differs(
        &damaged("every_row_kind", "trades.csv", "5,14,12,101,1", "5,14,12,101,2"),
        "seq 5: other trades",
    );
}

#[test]
fn a_wrong_maker_of_a_trade_is_found() {
    differs(
        &damaged("every_row_kind", "trades.csv", "4,13,4,101", "4,13,12,101"),
        "seq 4: other trades",
    );
}

#[test]
fn a_trade_too_few_is_found() {
    differs(&damaged("every_row_kind", "trades.csv", "11,16,3,99,4\n", ""), "seq 11: other trades");
}

#[test]
fn a_trade_too_many_is_found() {
    let extra = "11,16,3,99,4\n13,3,1,97,1\n";
    differs(
        &damaged("every_row_kind", "trades.csv", "11,16,3,99,4\n", extra),
        "seq 13: other trades",
    );
    let late = "21,5,1,97,2\n99,5,1,97,2\n";
    let copy = damaged("every_row_kind", "trades.csv", "21,5,1,97,2\n", late);
    differs(&copy, "trades were recorded after the last input");
}

#[test]
fn a_wrong_remainder_of_a_cancel_is_found() {
    let copy = damaged("every_row_kind", "input.csv", "CANCEL,2,B,,99,1", "CANCEL,2,B,,99,2");
    differs(&copy, "seq 14: another remainder was cancelled");
}

#[test]
fn a_cancel_of_an_order_that_is_gone_is_found() {
    let copy = damaged("every_row_kind", "input.csv", "CANCEL,2,B,,99,1", "CANCEL,4,B,,99,1");
    differs(&copy, "seq 14: the order to cancel is not in the book");
}

#[test]
fn a_wrong_book_is_found() {
    let damage = |from, to| damaged("every_row_kind", "books.csv", from, to);
    let quantity = damage("7,,22,10,100:4:1|99:11:2", "7,,22,10,100:4:1|99:12:2");
    differs(&quantity, "the book after seq 7: Buy side");
    let count = damage("7,,22,10,100:4:1|99:11:2", "7,,22,10,100:4:1|99:11:3");
    differs(&count, "the book after seq 7: Buy side");
    let level = damage("|98:7:1,102:10:1\n9,", ",102:10:1\n9,");
    differs(&level, "the book after seq 8: Buy side");
    let total = damage("22,10,100:4:1|99:11:2", "22,11,100:4:1|99:11:2");
    differs(&total, "the book after seq 7: total of Sell orders");
}

#[test]
fn a_wrong_final_book_is_found() {
    let copy = damaged("every_row_kind", "final_book.csv", "18,B,90,1", "18,B,90,2");
    differs(&copy, "the final book, by id: 1 orders recorded, 1 here");
}

#[test]
fn a_wrong_auction_is_found() {
    let damage = |name, from, to| damaged("opening_auction", name, from, to);
    let pair = damage("auction_open_trades.csv", "2,23,31,100,3", "2,23,32,100,3");
    differs(&pair, "trade 2 of the opening auction");
    let rest = damage("seed.csv", "24,B,GTC,100,3", "24,B,GTC,100,4");
    differs(&rest, "what the auction leaves on the Buy side");
}

#[test]
fn a_wrong_lobster_row_is_found() {
    let copy = damaged(
        "lobster_two_levels",
        "own_orderbook_2.csv",
        "10000,30,9900,31,10100",
        "10000,30,9900,32,10100",
    );
    differs(&copy, "line 3: the Buy side");
}

#[test]
fn a_row_that_makes_no_sense_is_named_by_file_and_line() {
    let refused = |from, to, said: &str| {
        let copy = damaged("every_row_kind", "input.csv", from, to);
        let Replayed { status, out, err } = replay(copy.path(), &[]);
        assert_eq!(status, Some(65), "{out}{err}");
        assert!(err.contains("input.csv, line ") && err.contains(said), "{err}");
    };
    refused("3,1752739509002,NEW", "3,1752739509002,MEW", "line 4: op \"MEW\" is none of");
    refused("NEW,15,S,GTC", "NEW,15,S,DAY", "line 8: tif \"DAY\" is none of");
    refused("NEW,13,B,IOC,101,12", "NEW,13,B,IOC,101,x", "line 5: qty \"x\" is not a whole number");
    refused("NEW,13,B,IOC,101,12", "NEW,13,B,IOC,101", "line 5: 7 columns where 8 are expected");
}

#[test]
fn rows_of_asynchronous_channels_may_come_out_of_order() {
    let from = "0,,22,20,99:15:2|98:7:1,101:10:1|102:10:1\n1,,26,20,100:4:1|99:15:2|98:7:1,101:10:1|102:10:1\n";
    let to = "1,,26,20,100:4:1|99:15:2|98:7:1,101:10:1|102:10:1\n0,,22,20,99:15:2|98:7:1,101:10:1|102:10:1\n";
    let copy = damaged("every_row_kind", "books.csv", from, to);
    assert_eq!(replay(copy.path(), &[]).status, Some(0));
}

#[test]
fn a_folder_without_a_session_is_refused() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(replay(empty.path(), &[]).status, Some(65));
    assert_eq!(replay(&empty.path().join("nowhere"), &[]).status, Some(74));
}

/// Replays a recording of a real exchange, if there is one.
fn recording(name: &str, counts: &str) {
    let Some(recordings) = std::env::var_os("OUTCRY_RECORDINGS") else {
        println!("SKIPPED {name}: OUTCRY_RECORDINGS is not set");
        return;
    };
    let dir = Path::new(&recordings).join(name);
    if !dir.exists() {
        println!("SKIPPED {name}: it is not in {}", Path::new(&recordings).display());
        return;
    }
    is_exact(&dir, &[], counts);
}

#[test]
fn shanghai_comes_out_exactly_with_its_opening_auction() {
    recording(
        "l3-sse600519-am",
        "{auction_inputs: 1484, auction_trades: 334, seeds: 1041, inputs: 35927, trades: 11203, \
         cancels: 8712, books: 2416, final_orders: 3491}",
    );
}

#[test]
fn bitstamp_comes_out_exactly() {
    recording(
        "l3-bitstamp-btcusd-2015",
        "{seeds: 203, inputs: 49230, trades: 574, cancels: 24306, amends: 36, books: 5009}",
    );
}

#[test]
fn nasdaq_comes_out_exactly() {
    recording(
        "l3-nasdaq-arl-20250717",
        "{inputs: 5828, trades: 11, cancels: 2902, books: 3928, final_orders: 6}",
    );
}

#[test]
fn lobster_comes_out_in_every_row() {
    recording("lobster-aapl-L10", "{inputs: 999, trades: 98, books: 998}");
}
