//! Replay: the entries of a log through the engine, with what comes out of it handed on.
//!
//! Three threads work on consecutive pieces of the log: one reads, checks and decodes, the calling
//! one applies, one encodes events for the digest and for whoever wants them. On a storage that wants
//! one thread alone, the calling one does all three in turn.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
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

/// Who does the work of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The calling thread alone.
    One,
    /// The calling thread and two others.
    Three,
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaySummary {
    /// Entries applied.
    pub entries: u64,
    /// Digest of all events up to the last entry.
    pub digest: EventDigest,
    /// Hash of the record that holds the last entry. None if that one is not kept any more and nothing
    /// follows it, or the log is empty.
    pub record_hash: Option<[u8; 32]>,
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
    reader: CommandReader,
    partition: &mut Partition,
    digest: EventDigest,
    on_events: impl FnMut(Seq, Timestamp, &[u8]) -> Result<(), JournalError> + Send,
    on_progress: impl FnMut(Seq),
) -> Result<ReplaySummary, JournalError> {
    replay_with(reader, partition, digest, Threads::Three, on_events, on_progress)
}

/// [`replay`] on so many threads.
pub(crate) fn replay_with(
    reader: CommandReader,
    partition: &mut Partition,
    digest: EventDigest,
    threads: Threads,
    on_events: impl FnMut(Seq, Timestamp, &[u8]) -> Result<(), JournalError> + Send,
    on_progress: impl FnMut(Seq),
) -> Result<ReplaySummary, JournalError> {
    match threads {
        Threads::One => replay_here(reader, partition, digest, on_events, on_progress),
        Threads::Three => replay_in_threads(reader, partition, digest, on_events, on_progress),
    }
}

fn replay_here(
    mut reader: CommandReader,
    partition: &mut Partition,
    mut digest: EventDigest,
    mut on_events: impl FnMut(Seq, Timestamp, &[u8]) -> Result<(), JournalError>,
    mut on_progress: impl FnMut(Seq),
) -> Result<ReplaySummary, JournalError> {
    let (mut encoder, mut entries) = (BatchBuilder::new(), Vec::new());
    let mut batch = EventBatch::new(partition.id());
    let mut applied = 0;
    while reader.next_batch(&mut entries)?.is_some() {
        apply_all(&entries, partition, &mut batch);
        digest = digest_batch(&batch, &mut encoder, digest, &mut on_events)?;
        applied += entries.len() as u64;
        entries.clear();
        batch.clear();
        on_progress(partition.seq());
    }
    Ok(ReplaySummary { entries: applied, digest, record_hash: reader.hash_before() })
}

fn replay_in_threads(
    mut reader: CommandReader,
    partition: &mut Partition,
    digest: EventDigest,
    mut on_events: impl FnMut(Seq, Timestamp, &[u8]) -> Result<(), JournalError> + Send,
    mut on_progress: impl FnMut(Seq),
) -> Result<ReplaySummary, JournalError> {
    let id = partition.id();
    let (entries_in, entries_out) = sync_channel::<Vec<Entry>>(AHEAD);
    let (events_in, events_out) = sync_channel::<EventBatch>(AHEAD);
    // What was worked off goes back: fresh memory costs more than to fill it.
    let (used_entries, spare_entries) = channel::<Vec<Entry>>();
    let (used_events, spare_events) = channel::<EventBatch>();
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            read(&mut reader, &entries_in, &spare_entries)?;
            Ok::<_, JournalError>(reader.hash_before())
        });
        let digesting =
            scope.spawn(move || digest_all(&events_out, &used_events, digest, &mut on_events));
        let mut applied = 0;
        for mut piece in entries_out {
            let mut batch = spare_events.try_recv().unwrap_or_else(|_| EventBatch::new(id));
            apply_all(&piece, partition, &mut batch);
            applied += piece.len() as u64;
            piece.clear();
            // The reader may have ended.
            let _ = used_entries.send(piece);
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

fn apply_all(entries: &[Entry], partition: &mut Partition, batch: &mut EventBatch) {
    for Entry { seq, time, command } in entries {
        batch.push_with(*seq, *time, |events| {
            partition.apply(*seq, *time, command, events);
        });
    }
}

fn read(
    reader: &mut CommandReader,
    pieces: &SyncSender<Vec<Entry>>,
    spare: &Receiver<Vec<Entry>>,
) -> Result<(), JournalError> {
    let mut piece = Vec::with_capacity(PIECE * 2);
    while reader.next_batch(&mut piece)?.is_some() {
        if piece.len() >= PIECE {
            let next = spare.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE * 2));
            if pieces.send(std::mem::replace(&mut piece, next)).is_err() {
                // The other threads ended with an error of their own.
                return Ok(());
            }
        }
    }
    let _ = pieces.send(piece);
    Ok(())
}

fn digest_all(
    batches: &Receiver<EventBatch>,
    used: &Sender<EventBatch>,
    mut digest: EventDigest,
    on_events: &mut impl FnMut(Seq, Timestamp, &[u8]) -> Result<(), JournalError>,
) -> Result<EventDigest, JournalError> {
    let mut encoder = BatchBuilder::new();
    for mut batch in batches {
        digest = digest_batch(&batch, &mut encoder, digest, on_events)?;
        batch.clear();
        let _ = used.send(batch);
    }
    Ok(digest)
}

fn digest_batch(
    batch: &EventBatch,
    encoder: &mut BatchBuilder,
    mut digest: EventDigest,
    on_events: &mut impl FnMut(Seq, Timestamp, &[u8]) -> Result<(), JournalError>,
) -> Result<EventDigest, JournalError> {
    for entry in batch.iter() {
        let content = encoder.push_events(entry.time, entry.events);
        digest.update(content);
        on_events(entry.seq, entry.time, content)?;
    }
    encoder.clear();
    Ok(digest)
}
