//! One seeded log of several partitions gives the same events and state whatever the batches that it is
//! written in, and whatever the hash seeds of the process; in every build profile what
//! `determinism.expected` says. `make test` runs this in the profile of tests and in that of releases.
//! Where encodings or behaviour have changed on purpose, `UPDATE_EXPECT=1` writes the file anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use borsh::BorshDeserialize;
use chance::Random;
use engine::Partition;
use journal::{BatchBuilder, CommandLog, CommandReader, Identity, Options};
use node::{EventDigest, replay};
use sim::venue::Venue;
use types::{Command, PartitionId, RequestKind, Seq};

const SEED: u64 = 1;
const REQUESTS: u32 = 15_000;
const BATCHES: [usize; 3] = [1, 7, 4_096];
const EXPECTED: &str = "determinism.expected";
const MILLISECOND: u64 = 1_000_000;
/// Client ids are forgotten after a day.
const HOUR: u64 = 3_600_000 * MILLISECOND;

#[test]
fn the_same_log_gives_the_same_events_and_state_in_every_batching_with_every_hash_seed() {
    let venue = make_logs();
    assert_all_kinds(&venue);
    let mut hash_seed = u64::from(std::process::id());
    let mut found = None;
    for batch in BATCHES {
        for _ in 0..2 {
            hash_seed = hash_seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
            let replayed = replay_all(&venue, batch, hash_seed);
            let first = found.get_or_insert_with(|| replayed.clone());
            assert_eq!(replayed, *first, "batches of {batch}, hash seed {hash_seed}");
        }
    }
    assert_expected(&found.expect("replayed"));
}

/// Requests of every kind, and messages between partitions that come late.
fn make_logs() -> Venue {
    let mut venue = Venue::new(3, Random::new(SEED));
    for number in 1..=REQUESTS {
        let request = venue.draw();
        venue.submit(request);
        if venue.random().one_in(2) {
            venue.settle();
        }
        if number % 1_000 == 0 {
            venue.restart(number % 2_000 == 0);
        }
        venue.wait(if number % 500 == 0 { HOUR } else { MILLISECOND });
    }
    venue.settle();
    venue.assert_quiet();
    venue
}

/// A kind of command that no log here has would not be checked.
fn assert_all_kinds(venue: &Venue) {
    let commands = || venue.logs.iter().flatten().map(|(_, command)| command);
    let seen: BTreeSet<_> = commands().map(kind).collect();
    assert_eq!(seen, KINDS.into_iter().collect());
    let asked: BTreeSet<_> = commands()
        .filter_map(|command| match command {
            Command::Request { request, .. } => Some(request.kind()),
            _ => None,
        })
        .collect();
    let all = (0..=u8::MAX).filter_map(|tag| RequestKind::try_from_slice(&[tag]).ok());
    let missing: Vec<_> = all.filter(|kind| !asked.contains(kind)).collect();
    assert!(missing.is_empty(), "`sim::workload` never asks {missing:?}");
}

const KINDS: [&str; 7] =
    ["request", "deliver", "acknowledge", "new term", "end of term", "topology", "tick"];

fn kind(command: &Command) -> &'static str {
    match command {
        Command::Request { .. } => "request",
        Command::Deliver(_) => "deliver",
        Command::Acknowledge { .. } => "acknowledge",
        // Only an entry of more than 4,096 steps asks for it.
        Command::Continue => "continue",
        Command::NewTerm { .. } => "new term",
        Command::SetTopology(_) => "topology",
        Command::Tick => "tick",
        Command::EndTerm => "end of term",
        // Only a component that fails asks for it.
        Command::Quarantine { .. } => "quarantine",
    }
}

/// A line for each partition: entries, digest of events, hash of the state.
fn replay_all(venue: &Venue, batch: usize, hash_seed: u64) -> String {
    let mut lines = String::new();
    for (id, log) in (0..).map(PartitionId).zip(&venue.logs) {
        let dir = tempfile::tempdir().expect("a directory");
        let identity = Identity { cluster: 1, partition: id };
        write_log(dir.path(), identity, log, batch);
        let reader = CommandReader::open(dir.path(), identity, Seq(1), None).expect("just written");
        let mut partition = Partition::new(id, hash_seed);
        let nothing = EventDigest::default();
        let summary = replay(reader, &mut partition, nothing, |_, _, _| Ok(()), |_| {});
        let summary = summary.expect("just written");
        assert_eq!(summary.entries, log.len() as u64);
        let (entries, digest) = (summary.entries, summary.digest.0);
        write!(lines, "{id} {entries} {digest:016x} ").expect("memory takes all");
        for byte in partition.state_hash() {
            write!(lines, "{byte:02x}").expect("memory takes all");
        }
        lines.push('\n');
    }
    lines
}

fn write_log(dir: &Path, identity: Identity, log: &[(types::Timestamp, Command)], batch: usize) {
    let options = Options { segment_size: 4 << 20, ..Options::default() };
    let (mut journal, _) = CommandLog::open(dir, identity, options).expect("a new log");
    let mut record = BatchBuilder::new();
    for entries in log.chunks(batch) {
        for (time, command) in entries {
            record.push_command(*time, command);
        }
        journal.append(&mut record, Seq(0), 1).expect("room");
    }
}

fn assert_expected(found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(EXPECTED);
    let head = format!(
        "# Seed {SEED}, {REQUESTS} requests: partition, entries, digest of events, hash of state.\n"
    );
    let found = head + found;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, found).expect("a file of this crate");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found, expected,
        "the log, its events or its state are not those of {EXPECTED}; if encodings, behaviour or the \
         workload changed on purpose: UPDATE_EXPECT=1 cargo test -p sim --test determinism"
    );
}
