//! Event logs, opened and read by cursors: what is given is what was written, in order; an open log
//! takes more.

use borsh::BorshSerialize;
use journal::{BatchBuilder, EventLog, EventReader, JournalError, Options};
use types::{Event, EventBatch, Seq, Timestamp};

use crate::disk::Disk;
use crate::input::Input;
use crate::made_log::{MadeLog, make};
use crate::records::{IDENTITY, Kind, varint};
use crate::venues;

pub fn run(bytes: &[u8]) {
    let busy = venues::busy();
    let events = &busy.events[0];
    let content = |seq: u64| encode(&events[(seq % events.len() as u64) as usize].1);
    let mut input = Input(bytes);
    let cursor = Seq(u64::from(input.byte()) % 20);
    let made = make(&mut input, Kind::Event, content);
    let disk = Disk::new();
    made.put(&disk);
    check_read(&made, &read_all(&disk, Seq(0)));
    let _ = read_all(&disk, cursor);
    let options = Options { segment_size: 4096, ..Options::default() };
    let Ok((mut log, report)) = EventLog::open(disk.dir(), IDENTITY, options, 2) else {
        assert!(!made.is_whole, "a whole log is refused");
        return;
    };
    if made.is_whole {
        assert_eq!((report.last_seq.0, report.cut), (made.last_seq, None));
    }
    reconcile(&made, &mut log);
    if log.last_seq().0 > u64::MAX / 2 {
        // No log gets so far.
        return;
    }
    let next = log.last_seq().next();
    let mut batch = BatchBuilder::new();
    batch.push_events(Timestamp(u64::MAX), &[]);
    log.append(next, &mut batch).expect("the disk is in order");
    log.sync().expect("the disk is in order");
    assert_eq!(log.last_seq(), next);
}

fn encode(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(&mut bytes, events.len() as u64);
    for event in events {
        event.serialize(&mut bytes).expect("memory takes all");
    }
    bytes
}

fn read_all(disk: &Disk, after: Seq) -> Result<Vec<EventBatch>, JournalError> {
    let mut reader = EventReader::open(disk.dir(), IDENTITY);
    let (mut batches, mut cursor) = (Vec::new(), after);
    while let Some(batch) = reader.read(cursor)? {
        assert_eq!(batch.first_seq(), Some(cursor.next()), "no entry is passed over");
        cursor = batch.last_seq().expect("it has a first");
        batches.push(batch);
    }
    Ok(batches)
}

fn check_read(made: &MadeLog, read: &Result<Vec<EventBatch>, JournalError>) {
    let count = |batches: &Vec<EventBatch>| batches.iter().map(EventBatch::len).sum::<usize>();
    if made.is_right {
        assert_eq!(read.as_ref().map_or(0, count), made.entries.len(), "{read:?}");
    }
    assert!(read.is_err() || !(made.is_whole && made.has_uncounted), "an entry is passed over");
    let (true, Ok(batches)) = (made.is_whole && made.is_known, read) else { return };
    let entries = batches.iter().flat_map(EventBatch::iter);
    for (entry, (time, content)) in entries.zip(&made.entries) {
        assert_eq!(entry.time, Timestamp(*time));
        assert_eq!(encode(entry.events), *content, "events are written in two ways");
    }
}

/// What was written is what is derived anew; with another byte it is not.
fn reconcile(made: &MadeLog, log: &mut EventLog) {
    if !made.is_right {
        return;
    }
    let last = log.last_seq();
    for (seq, (time, content)) in (1..).map(Seq).zip(&made.entries) {
        log.reconcile(seq, Timestamp(*time), content).expect("it is what was written");
    }
    if let Some((time, content)) = made.entries.last() {
        let other = [&content[..], &[0]].concat();
        assert!(log.reconcile(last, Timestamp(*time), &other).is_err(), "{last}");
    }
    log.finish_reconciling(last).expect("nothing is missing");
    assert_eq!(log.last_seq(), last);
}
