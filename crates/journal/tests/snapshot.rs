//! Snapshots: whole or skipped, newest first.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::{self, IDENTITY};
use journal::{Identity, JournalError, SnapshotHeader, SnapshotStore};
use types::{PartitionId, Seq, Timestamp};

const ALL: Seq = Seq(u64::MAX);

fn header(seq: u64) -> SnapshotHeader {
    SnapshotHeader {
        seq: Seq(seq),
        time: Timestamp(seq * 10),
        term: 4,
        event_digest: seq.wrapping_mul(0x1234_5678_9abc),
        record_hash: [7; 32],
        state_hash: [9; 32],
    }
}

#[test]
fn a_snapshot_is_read_back_and_the_newest_is_preferred() {
    let dir = tempfile::tempdir().unwrap();
    let store = SnapshotStore::new(dir.path().join("new"), IDENTITY);
    assert_eq!(store.list().unwrap(), vec![]);
    for seq in [5, 100, 20] {
        store.write(&header(seq), &vec![seq as u8; seq as usize]).unwrap();
    }
    assert_eq!(store.list().unwrap(), [Seq(5), Seq(20), Seq(100)]);
    let (newest, skipped) = store.load_newest(Seq(u64::MAX)).unwrap();
    let newest = newest.unwrap();
    assert_eq!((newest.header, newest.payload), (header(100), vec![100; 100]));
    assert!(skipped.is_empty());
    let (older, skipped) = store.load_newest(Seq(99)).unwrap();
    assert_eq!(older.unwrap().header.seq, Seq(20));
    assert!(skipped[0].contains("beyond entry 99"), "{skipped:?}");
}

#[test]
fn every_flipped_bit_and_every_truncation_is_detected() {
    let dir = tempfile::tempdir().unwrap();
    let store = SnapshotStore::new(dir.path(), IDENTITY);
    let path = store.write(&header(3), b"a small state").unwrap();
    let whole = fs::read(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        assert!(store.load(Seq(3)).is_err(), "bit {bit}");
    }
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(store.load(Seq(3)).is_err(), "cut to {len} bytes");
    }
    fs::write(&path, &whole).unwrap();
    assert!(store.load(Seq(3)).is_ok());
}

#[test]
fn a_damaged_snapshot_is_skipped_with_a_line_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = SnapshotStore::new(dir.path(), IDENTITY);
    store.write(&header(10), b"older").unwrap();
    let path = store.write(&header(20), b"newer").unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[130] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (found, skipped) = store.load_newest(Seq(u64::MAX)).unwrap();
    assert_eq!(found.unwrap().payload, b"older");
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].contains("00000000000000000020.snapshot"), "{skipped:?}");
}

#[test]
fn snapshots_of_other_logs_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    SnapshotStore::new(dir.path(), IDENTITY).write(&header(10), b"state").unwrap();
    for identity in
        [Identity { cluster: 1, ..IDENTITY }, Identity { partition: PartitionId(9), ..IDENTITY }]
    {
        let error = SnapshotStore::new(dir.path(), identity).load(Seq(10)).unwrap_err();
        assert!(matches!(error, JournalError::WrongLog { .. }), "{error}");
    }
    fs::rename(
        dir.path().join("00000000000000000010.snapshot"),
        dir.path().join("00000000000000000011.snapshot"),
    )
    .unwrap();
    assert!(SnapshotStore::new(dir.path(), IDENTITY).load(Seq(11)).is_err());
}

#[test]
fn what_killed_writers_left_is_removed_and_what_is_being_written_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = SnapshotStore::new(dir.path(), IDENTITY);
    assert_eq!(
        SnapshotStore::new(dir.path().join("none"), IDENTITY).remove_unfinished().unwrap(),
        0
    );
    store.write(&header(10), b"state").unwrap();
    let path = |seq: u64| dir.path().join(format!("{seq:020}.tmp"));
    let names = || {
        let items = fs::read_dir(dir.path()).unwrap();
        let mut names: Vec<_> = items.map(|item| item.unwrap().path()).collect();
        names.sort();
        names
    };
    // One of a kept snapshot's entry, an old one, a new one, and one whose writer lives.
    for seq in [5, 10, 20, 30] {
        fs::write(path(seq), b"half a st").unwrap();
    }
    let writing = fs::File::open(path(30)).unwrap();
    writing.lock().unwrap();
    fs::write(dir.path().join("notes.tmp"), b"an operator's").unwrap();
    assert!(store.write(&header(30), b"state").is_err(), "two at once would mix");
    let [snapshot, notes] =
        ["00000000000000000010.snapshot", "notes.tmp"].map(|n| dir.path().join(n));
    store.prune(1, ALL).unwrap();
    assert_eq!(names(), [snapshot.clone(), path(30), notes.clone()]);
    assert_eq!(fs::read(path(30)).unwrap(), b"half a st");
    // Killed: its lock is gone. Another of the same entry takes its place.
    drop(writing);
    store.write(&header(30), b"state").unwrap();
    assert_eq!(store.load(Seq(30)).unwrap().payload, b"state");
    fs::write(path(30), b"half a st").unwrap();
    assert_eq!(store.remove_unfinished().unwrap(), 1);
    assert_eq!(names(), [snapshot, dir.path().join("00000000000000000030.snapshot"), notes]);
}

#[test]
fn what_is_written_can_be_read_by_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let snapshots = dir.path().join("p0/snapshots");
    let path = SnapshotStore::new(&snapshots, IDENTITY).write(&header(1), b"state").unwrap();
    let commands = dir.path().join("p0/commands");
    common::write_log(&commands, 1024, &[5, 5, 5], true);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    for folder in [&snapshots, &commands, &dir.path().join("p0")] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    for file in common::segments(&commands) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn only_the_newest_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = SnapshotStore::new(dir.path(), IDENTITY);
    for seq in 1..=5 {
        store.write(&header(seq), b"state").unwrap();
    }
    assert_eq!(store.prune(2, ALL).unwrap(), Some(Seq(4)));
    assert_eq!(store.list().unwrap(), [Seq(4), Seq(5)]);
    assert_eq!(store.prune(9, ALL).unwrap(), Some(Seq(4)));
}

#[test]
fn a_snapshot_stays_as_long_as_entries_after_it_are_needed() {
    let dir = tempfile::tempdir().unwrap();
    let store = SnapshotStore::new(dir.path(), IDENTITY);
    for seq in [10, 20, 30, 40, 50] {
        store.write(&header(seq), b"state").unwrap();
    }
    assert_eq!(store.prune(1, Seq(5)).unwrap(), Some(Seq(10)), "none leads to entry 6 but the log");
    assert_eq!(store.prune(1, Seq(29)).unwrap(), Some(Seq(20)));
    assert_eq!(store.prune(1, Seq(30)).unwrap(), Some(Seq(30)));
    assert_eq!(store.prune(2, Seq(50)).unwrap(), Some(Seq(40)));
}

#[test]
fn snapshots_do_not_pile_up_while_an_old_one_is_needed_and_the_need_can_move_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = SnapshotStore::new(dir.path(), IDENTITY);
    for seq in 1..=300 {
        store.write(&header(seq * 10), b"state").unwrap();
        assert_eq!(store.prune(2, Seq(15)).unwrap(), Some(Seq(10)));
        let listed = store.list().unwrap();
        assert!(listed.len() <= 1 + 8 + 2, "{listed:?}");
        assert!(seq < 2 || listed.ends_with(&[Seq(seq * 10 - 10), Seq(seq * 10)]));
    }
    // A reader that stays far behind lets go of what it has read all the same.
    let oldest = store.prune(2, Seq(1500)).unwrap().unwrap();
    assert!(oldest > Seq(500) && oldest <= Seq(1500), "{oldest}");
}
