//! The event log: read by cursor, cut freely at its end, reconciled with events derived anew, and
//! kept within limits.

use std::fs;
use std::path::Path;

use crate::common::{self, IDENTITY, events, options, records, segments, time};
use journal::{BatchBuilder, ConsumerState, EventLog, EventReader, JournalError, Retention};
use types::{Seq, Timestamp};

/// Appends the events of the entries `from..=to`, `per_record` in each record.
fn append(log: &mut EventLog, from: u64, to: u64, per_record: u64) {
    let mut batch = BatchBuilder::new();
    let mut first = from;
    for seq in from..=to {
        batch.push_events(time(seq), &events(seq));
        if seq == to || (seq + 1 - first) == per_record {
            log.append(Seq(first), &mut batch).unwrap();
            first = seq + 1;
        }
    }
}

fn open(dir: &Path) -> (EventLog, journal::EventRecovery) {
    EventLog::open(dir, IDENTITY, options(2048), 1).unwrap()
}

/// Reads all after `after` and compares it with what was written. Returns the last entry.
fn assert_readable(reader: &mut EventReader, after: u64) -> u64 {
    let mut last = after;
    while let Some(batch) = reader.read(Seq(last)).unwrap() {
        assert_eq!(batch.partition, IDENTITY.partition);
        for entry in batch.iter() {
            last += 1;
            assert_eq!((entry.seq, entry.time), (Seq(last), time(last)));
            assert_eq!(entry.events, events(last));
        }
    }
    last
}

#[test]
fn events_are_read_from_any_cursor_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    append(&mut log, 1, 300, 7);
    assert!(segments(dir.path()).len() > 3);
    let mut reader = EventReader::open(dir.path(), IDENTITY);
    for after in [0, 1, 6, 7, 150, 151, 3, 299, 300] {
        assert_eq!(assert_readable(&mut reader, after), 300, "after {after}");
    }
}

#[test]
fn a_reader_sees_what_is_written_after_it_came_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    let mut reader = EventReader::open(dir.path(), IDENTITY);
    assert!(reader.read(Seq(0)).unwrap().is_none());
    for round in 0..60 {
        append(&mut log, round * 5 + 1, round * 5 + 5, 5);
        assert_eq!(assert_readable(&mut reader, round * 5), round * 5 + 5);
    }
}

#[test]
fn whatever_is_wrong_at_the_end_is_cut() {
    for broken_at in [1, 40, 130, 200] {
        let dir = tempfile::tempdir().unwrap();
        append(&mut open(dir.path()).0, 1, 12, 2);
        let file = segments(dir.path()).pop().unwrap();
        let mut bytes = fs::read(&file).unwrap();
        let (offset, len) = common::records(&bytes)[1];
        bytes[offset + broken_at.min(len - 1)] ^= 1;
        fs::write(&file, bytes).unwrap();
        let (log, report) = open(dir.path());
        assert_eq!(report.cut.map(|cut| cut.offset), Some(offset as u64));
        assert_eq!(log.last_seq(), report.last_seq);
        let mut reader = EventReader::open(dir.path(), IDENTITY);
        assert_eq!(assert_readable(&mut reader, 0), report.last_seq.0);
    }
}

#[test]
fn whole_records_at_the_end_that_do_not_follow_are_cut_too() {
    for (from, to) in [(0, 6), (4, 5), (0, 3)] {
        let dir = tempfile::tempdir().unwrap();
        append(&mut open(dir.path()).0, 1, 12, 2);
        let file = segments(dir.path()).pop().unwrap();
        let mut bytes = fs::read(&file).unwrap();
        let records = common::records(&bytes);
        // A copy of one record behind the last one, or in the place of another.
        let (at, len) = records[from];
        let copy = bytes[at..at + len].to_vec();
        let place = records.get(to).map_or(bytes.len(), |&(at, _)| at);
        bytes.resize(bytes.len().max(place + len), 0);
        bytes[place..place + len].copy_from_slice(&copy);
        fs::write(&file, bytes).unwrap();
        let (mut log, report) = open(dir.path());
        assert_eq!(report.cut.map(|cut| cut.offset), Some(place as u64));
        assert_eq!(report.last_seq, Seq(to as u64 * 2));
        append(&mut log, report.last_seq.0 + 1, 20, 3);
        assert_eq!(assert_readable(&mut EventReader::open(dir.path(), IDENTITY), 0), 20);
    }
}

#[test]
fn damage_before_the_last_segment_is_not_cut() {
    let dir = tempfile::tempdir().unwrap();
    append(&mut open(dir.path()).0, 1, 300, 7);
    let files = segments(dir.path());
    let whole = fs::read(&files[1]).unwrap();
    let open_again = || EventLog::open(dir.path(), IDENTITY, options(2048), 1).map(|_| ());
    let mut bytes = whole.clone();
    bytes[40] ^= 1;
    fs::write(&files[1], &bytes).unwrap();
    assert!(matches!(open_again(), Err(JournalError::Damaged { .. })), "the head of a segment");
    let mut bytes = whole.clone();
    bytes[200] ^= 1;
    fs::write(&files[1], &bytes).unwrap();
    open_again().unwrap();
    assert!(fs::read(&files[1]).unwrap() == bytes, "its records are left to who reads them");
    assert!(EventReader::open(dir.path(), IDENTITY).read(Seq(150)).unwrap().is_some());
    fs::remove_file(&files[1]).unwrap();
    assert!(matches!(open_again(), Err(JournalError::MissingSegment { .. })));
}

#[test]
fn events_derived_anew_fill_what_a_crash_lost() {
    let dir = tempfile::tempdir().unwrap();
    append(&mut open(dir.path()).0, 1, 50, 6);
    let (mut log, _) = open(dir.path());
    let mut scratch = BatchBuilder::new();
    for seq in 31..=400 {
        let content = scratch.push_events(time(seq), &events(seq)).to_vec();
        log.reconcile(Seq(seq), time(seq), &content).unwrap();
    }
    log.finish_reconciling(Seq(400)).unwrap();
    assert_eq!(log.last_seq(), Seq(400));
    append(&mut log, 401, 410, 3);
    assert_eq!(assert_readable(&mut EventReader::open(dir.path(), IDENTITY), 0), 410);
}

#[test]
fn events_that_differ_from_those_on_disk_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    append(&mut open(dir.path()).0, 1, 50, 6);
    let (mut log, _) = open(dir.path());
    let mut scratch = BatchBuilder::new();
    let other = scratch.push_events(time(9), &events(10)).to_vec();
    let error = log.reconcile(Seq(9), time(9), &other).unwrap_err();
    assert!(matches!(error, JournalError::EventsDiffer { seq: Seq(9), .. }), "{error}");
    let right = scratch.push_events(time(10), &events(10)).to_vec();
    assert!(log.reconcile(Seq(10), time(10), &right).is_ok());
    assert!(log.reconcile(Seq(11), time(10), &right).is_err(), "another time");
}

#[test]
fn a_log_may_begin_anywhere_and_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, report) = open(dir.path());
    assert_eq!((report.oldest, report.last_seq), (Seq(0), Seq(0)));
    append(&mut log, 1000, 1010, 4);
    let mut reader = EventReader::open(dir.path(), IDENTITY);
    assert!(matches!(reader.read(Seq(0)), Err(JournalError::NotKept { oldest: Seq(1000), .. })));
    assert_eq!(assert_readable(&mut reader, 999), 1010);
    log.reset().unwrap();
    append(&mut log, 5, 6, 4);
    assert_eq!(log.oldest().unwrap(), Seq(5));
    assert_eq!(assert_readable(&mut EventReader::open(dir.path(), IDENTITY), 4), 6);
}

const NO_TIME: Timestamp = Timestamp(0);

#[test]
fn retention_by_size_removes_whole_segments_and_never_the_current_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    append(&mut log, 1, 400, 7);
    let mut retention = Retention::new(Some(5000), None);
    assert!(retention.enforce(&log, NO_TIME).unwrap().is_empty());
    let oldest = log.oldest().unwrap();
    assert!(oldest > Seq(1));
    let total: u64 =
        segments(dir.path()).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(total <= 5000, "{total} bytes are left");
    assert_eq!(assert_readable(&mut EventReader::open(dir.path(), IDENTITY), oldest.0 - 1), 400);
    retention.max_bytes = Some(0);
    retention.enforce(&log, NO_TIME).unwrap();
    assert_eq!(segments(dir.path()).len(), 1);
}

#[test]
fn retention_by_age_goes_by_the_last_write_of_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    append(&mut log, 1, 400, 7);
    let modified = fs::metadata(&segments(dir.path())[0]).unwrap().modified().unwrap();
    let written = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let hour = 3_600_000_000_000;
    let mut retention = Retention::new(None, Some(hour));
    retention.enforce(&log, Timestamp(written + hour / 2)).unwrap();
    assert_eq!(log.oldest().unwrap(), Seq(1));
    retention.enforce(&log, Timestamp(written + hour * 2)).unwrap();
    assert_eq!(segments(dir.path()).len(), 1);
}

#[test]
fn a_consumer_holds_what_it_has_not_read_until_its_budget_is_spent() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    append(&mut log, 1, 200, 7);
    let mut retention = Retention::new(Some(3000), None);
    retention.register("slow", Seq(10), 30_000);
    retention.register("quick", Seq(1500), 1);
    assert!(retention.enforce(&log, NO_TIME).unwrap().is_empty());
    assert!(log.oldest().unwrap() <= Seq(11), "held by the slow one");
    retention.advance("slow", Seq(90));
    retention.enforce(&log, NO_TIME).unwrap();
    let oldest = log.oldest().unwrap();
    assert!(oldest > Seq(11) && oldest <= Seq(91), "freed as it reads: {oldest}");
    append(&mut log, 201, 1500, 7);
    assert_eq!(retention.enforce(&log, NO_TIME).unwrap(), ["slow"]);
    assert_eq!(retention.state("quick"), Some(ConsumerState::Holding));
    assert_eq!(retention.state("slow"), Some(ConsumerState::Broken));
    assert!(log.oldest().unwrap() > Seq(1000), "it holds nothing any more");
    // It found what it lacked elsewhere, and reads the log again.
    retention.advance("slow", log.last_seq());
    retention.enforce(&log, NO_TIME).unwrap();
    assert_eq!(retention.state("slow"), Some(ConsumerState::Holding));
    assert_eq!(retention.lowest_cursor(), Some(Seq(1500)));
}

#[test]
fn an_entry_more_than_a_record_says_is_damage_and_not_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    append(&mut log, 1, 3, 3);
    drop(log);
    let path = &segments(dir.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let (at, _) = records(&bytes)[0];
    bytes[at + 20] -= 1;
    make_whole(&mut bytes[at..]);
    fs::write(path, bytes).unwrap();
    let read = EventReader::open(dir.path(), IDENTITY).read(Seq(0));
    assert!(matches!(read, Err(JournalError::Damaged { .. })), "{read:?}");
}

/// Makes hash and check of a record fit what it says.
fn make_whole(record: &mut [u8]) {
    let payload = u32::from_le_bytes(record[56..60].try_into().unwrap()) as usize;
    record[60..64].fill(0);
    record[96..128].fill(0);
    let hash = blake3::hash(&record[..128 + payload]);
    record[96..128].copy_from_slice(hash.as_bytes());
    let covered = [&record[..60], &record[64..128]].concat();
    let check = xxhash_rust::xxh3::xxh3_64(&covered) as u32;
    record[60..64].copy_from_slice(&check.to_le_bytes());
}
