//! Trading sessions as text: commands, and what the exchange said to each.
//!
//! A file in `tests/scenarios` holds sessions. A session begins with `== RULE title`, where RULE is a
//! number of `docs/trading-rules.md`; every session has an exchange of its own. A line without
//! indentation is a command (`commands.rs`, `treasury.rs` and `failures.rs` in `scenario` have the grammar), the indented lines after it are
//! the events that it caused. `UPDATE_EXPECT=1 cargo test -p engine scenarios` writes them anew:
//! read the difference before you commit it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::scenario::Floor;

/// Fewer sessions than this mean that some were lost.
const LEAST_SESSIONS: usize = 200;

/// What takes more than a session has: a thousand proposals. This test names its rule.
const OTHER_TESTS: [&str; 1] = [include_str!("treasury.rs")];

fn files() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = std::fs::read_dir(dir).expect("the sessions are there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The text of a file with what the exchange says now.
fn played(text: &str) -> String {
    let mut floor = Floor::new();
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with(' ')) {
        out += line;
        out.push('\n');
        if line.starts_with("==") {
            floor.close();
            floor = Floor::new();
        } else if !line.is_empty() && !line.starts_with('#') {
            for said in floor.play(line) {
                out += &format!("  {said}\n");
            }
        }
    }
    floor.close();
    out
}

#[test]
fn every_session_goes_as_written() {
    let mut wrong = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let now = played(&text);
        if now == text {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&file, now).unwrap();
            continue;
        }
        let mut lines = (1..).zip(text.lines().zip(now.lines()));
        let first = lines.find(|(_, (written, said))| written != said);
        wrong.push(format!("{}: {first:?}", file.display()));
    }
    assert!(wrong.is_empty(), "line, written, said now: {wrong:#?}");
}

#[test]
fn every_rule_is_shown_by_a_session_or_named_by_a_test() {
    let rules = include_str!("../../../docs/trading-rules.md");
    let number = |line: &str| line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let texts: Vec<String> =
        files().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let titles = texts.iter().flat_map(|text| text.lines().filter(|l| l.starts_with("== ")));
    let shown: Vec<String> = titles.map(number).collect();
    println!("{} sessions", shown.len());
    assert!(shown.len() >= LEAST_SESSIONS, "{} sessions", shown.len());
    let bold = rules.split("**").skip(1).step_by(2);
    let is_number = |text: &&str| text.split('.').all(|part| part.parse::<u32>().is_ok());
    let known: BTreeSet<&str> = bold.filter(is_number).collect();
    for rule in &shown {
        assert!(known.contains(rule.as_str()), "there is no rule {rule}");
    }
    let is_no_number = |c: char| !c.is_ascii_digit() && c != '.';
    let words = OTHER_TESTS.iter().flat_map(|text| text.split(is_no_number));
    let shown: BTreeSet<&str> =
        shown.iter().map(String::as_str).chain(words.map(|word| word.trim_matches('.'))).collect();
    let missing: Vec<_> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "nothing shows the rules {missing:?}");
}
