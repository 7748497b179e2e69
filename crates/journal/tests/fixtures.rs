//! Files of each format version are kept for ever: this binary reads its own, and refuses by name what it
//! does not know. They are written only when a version is made:
//! `JOURNAL_WRITE_FIXTURES=1 cargo test -p journal --test journal fixtures`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{self, IDENTITY, entry, events, options, time};
use journal::{
    BatchBuilder, EventLog, EventReader, FORMAT_VERSION, JournalError, SnapshotHeader,
    SnapshotStore, verify_commands,
};
use types::{Seq, Timestamp};

const PAYLOAD: &[u8] = b"the state of a partition, as bytes";

fn fixtures(version: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/v{version}"))
}

fn snapshot_header() -> SnapshotHeader {
    SnapshotHeader {
        seq: Seq(6),
        time: Timestamp(1_700_000_000_006_000_018),
        term: 1,
        event_digest: 42,
        record_hash: [1; 32],
        state_hash: [2; 32],
    }
}

fn write_fixtures(root: &Path) {
    let _ = fs::remove_dir_all(root);
    common::write_log(&root.join("commands"), 1024, &[1, 2, 3, 1, 4], true);
    let (mut log, _) = EventLog::open(root.join("events"), IDENTITY, options(512), 1).unwrap();
    let mut batch = BatchBuilder::new();
    for first in [1, 5, 9] {
        for seq in first..first + 4 {
            batch.push_events(time(seq), &events(seq));
        }
        log.append(Seq(first), &mut batch).unwrap();
    }
    let snapshots = SnapshotStore::new(root.join("snapshots"), IDENTITY);
    snapshots.write(&snapshot_header(), PAYLOAD).unwrap();
}

#[test]
fn its_own_version_is_read_as_it_was_written() {
    let root = fixtures(FORMAT_VERSION);
    if std::env::var_os("JOURNAL_WRITE_FIXTURES").is_some() {
        write_fixtures(&root);
    }
    let report = verify_commands(root.join("commands"), IDENTITY).unwrap();
    assert!(report.sealed);
    let entries = common::read_all(&root.join("commands"), 1).unwrap();
    assert_eq!(entries, (1..=11).map(entry).collect::<Vec<_>>());
    let mut reader = EventReader::open(root.join("events"), IDENTITY);
    let mut last = 0;
    while let Some(batch) = reader.read(Seq(last)).unwrap() {
        for found in batch.iter() {
            last += 1;
            assert_eq!(
                (found.seq, found.time, found.events),
                (Seq(last), time(last), &events(last)[..])
            );
        }
    }
    assert_eq!(last, 12);
    let store = SnapshotStore::new(root.join("snapshots"), IDENTITY);
    let snapshot = store.load(Seq(6)).unwrap();
    assert_eq!((snapshot.header, &snapshot.payload[..]), (snapshot_header(), PAYLOAD));
}

#[test]
fn this_binary_writes_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    write_fixtures(dir.path());
    for part in ["commands", "events", "snapshots"] {
        let (written, fixture) = (dir.path().join(part), fixtures(FORMAT_VERSION).join(part));
        for item in fs::read_dir(&fixture).unwrap() {
            let name = item.unwrap().file_name();
            let (new, old) = (written.join(&name), fixture.join(&name));
            assert!(fs::read(new).unwrap() == fs::read(old).unwrap(), "{part}/{name:?} differs");
        }
    }
}

#[test]
fn an_earlier_version_is_refused_by_name() {
    for earlier in 1..FORMAT_VERSION {
        let is_named = |error: &JournalError| matches!(error, JournalError::UnknownVersion { version, .. } if *version == earlier);
        let root = fixtures(earlier);
        let commands = verify_commands(root.join("commands"), IDENTITY).unwrap_err();
        assert!(is_named(&commands), "{commands}");
        let said = commands.to_string();
        let expected =
            format!(".log has format version {earlier}, this binary reads {FORMAT_VERSION}");
        assert!(said.contains(&expected), "{said}");
        let mut reader = EventReader::open(root.join("events"), IDENTITY);
        let events = reader.read(Seq(0)).unwrap_err();
        assert!(is_named(&events), "{events}");
        let store = SnapshotStore::new(root.join("snapshots"), IDENTITY);
        let snapshot = store.load(Seq(6)).unwrap_err();
        assert!(is_named(&snapshot), "{snapshot}");
    }
}
