//! Replay: the entries of a log through the engine, with what comes out of it handed on.
//!
//! Three threads work on consecutive pieces of the log: one reads, checks and decodes, the calling
//! one applies, one encodes events for the digest and for whoever wants them.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use engine::Partition;
use journal::{BatchBuilder, CommandReader, JournalError};
use types::{Entry, EventBatch, Seq, Timestamp};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Entries handed from thread to thread at once, at least, as long as there are so many.
const PIECE: usize = 2048;
/// Pieces that may lie between two threads.
const AHEAD: usize = 4;

/// Rolling digest of the events of a partition, from entry 1 on: equal digests, equal events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventDigest(pub u64);

impl EventDigest {
    /// Takes in the next entry's events, as the event log encodes them.
    pub fn update(&mut self, content: &[u8]) {
        self.0 = xxh3_64_with_seed(content, self.0);
    }
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaySummary {
    /// Entries applied.
    pub entries: u64,
    /// Digest of all events up to the last entry.
    pub digest: EventDigest,
    /// Hash of the record that holds the last entry.
    pub record_hash: [u8; 32],
}

/// Applies all that `reader` gives to `partition`. `on_events` gets each entry's events, encoded, on
/// another thread; `on_progress` the last entry applied, now and then.
///
/// # Errors
/// Of the reader and of `on_events`.
///
/// # Panics
/// If the log does not begin where the partition stands, or the engine finds a bug.
pub fn replay(
    mut reader: CommandReader,
    partition: &mut Partition,
    digest: EventDigest,
    mut on_events: impl FnMut(Seq, Timestamp, &[u8]) -> Result<(), JournalError> + Send,
    mut on_progress: impl FnMut(Seq),
) -> Result<ReplaySummary, JournalError> {
    let id = partition.id();
    let (entries_in, entries_out) = sync_channel::<Vec<Entry>>(AHEAD);
    let (events_in, events_out) = sync_channel::<EventBatch>(AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            read(&mut reader, &entries_in)?;
            Ok::<_, JournalError>(reader.last_hash())
        });
        let digesting = scope.spawn(move || digest_all(&events_out, digest, &mut on_events));
        let mut applied = 0;
        let mut events = Vec::new();
        for piece in entries_out {
            let mut batch = EventBatch::new(id);
            for entry in &piece {
                partition.apply(entry.seq, entry.time, &entry.command, &mut events);
                batch.push(entry.seq, entry.time, &mut events);
            }
            applied += piece.len() as u64;
            if events_in.send(batch).is_err() {
                break;
            }
            on_progress(partition.seq());
        }
        drop(events_in);
        let digest = digesting.join().expect("encoding does not panic")?;
        let record_hash = reading.join().expect("reading does not panic")?;
        Ok(ReplaySummary { entries: applied, digest, record_hash })
    })
}

fn read(reader: &mut CommandReader, pieces: &SyncSender<Vec<Entry>>) -> Result<(), JournalError> {
    let mut piece = Vec::with_capacity(PIECE * 2);
    let mut is_more = true;
    while is_more {
        is_more = reader.next_batch(&mut piece)?.is_some();
        let is_full = piece.len() >= PIECE || !is_more;
        if is_full && !piece.is_empty() {
            let next = Vec::with_capacity(PIECE * 2);
            if pieces.send(std::mem::replace(&mut piece, next)).is_err() {
                // The other threads ended with an error of their own.
                return Ok(());
            }
        }
    }
    Ok(())
}

fn digest_all(
    batches: &Receiver<EventBatch>,
    mut digest: EventDigest,
    on_events: &mut impl FnMut(Seq, Timestamp, &[u8]) -> Result<(), JournalError>,
) -> Result<EventDigest, JournalError> {
    let mut encoder = BatchBuilder::new();
    for batch in batches {
        for entry in batch.iter() {
            let content = encoder.push_events(entry.time, entry.events);
            digest.update(content);
            on_events(entry.seq, entry.time, content)?;
        }
        encoder.clear();
    }
    Ok(digest)
}
