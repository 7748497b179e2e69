//! Writes the event log behind the partition's thread, keeps the digest and the retention, and
//! starts snapshots, which need the event log durable up to them.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use journal::{BatchBuilder, ConsumerState, EventLog, JournalError, Retention};
use parking_lot::Mutex;
use types::{EventBatch, PartitionId, Seq};

use crate::NodeError;
use crate::config::{Clock, FatalHandler};
use crate::error::OfPartition;
use crate::feed::{Feed, Wake};
use crate::port::EventFeed;
use crate::replay::EventDigest;
use crate::snapshots::{SnapshotOutcome, Snapshots};

/// A record of the event log is written when it has this many bytes.
const RECORD: usize = 256 << 10;
/// Batches taken at once.
const BATCHES: usize = 256;
/// Retention is looked after whenever this many bytes were written.
const RETENTION_EVERY: u64 = 16 << 20;

/// What is to be told when a snapshot that was asked for is made.
pub(crate) type SnapshotReply = Sender<Result<SnapshotOutcome, String>>;

/// Limits of the event log, shared with those who register consumers.
pub(crate) type SharedRetention = Arc<Mutex<Retention>>;

pub(crate) struct Publisher {
    pub partition: PartitionId,
    pub feed: Arc<Feed>,
    pub log: Option<EventLog>,
    pub digest: EventDigest,
    pub retention: SharedRetention,
    pub snapshots: Arc<Snapshots>,
    pub requests: Receiver<SnapshotReply>,
    pub clock: Clock,
    pub fatal: FatalHandler,
    pub snapshot_every: Option<u64>,
    pub last_snapshot: Seq,
    pub batch: BatchBuilder,
    pub written_bytes: u64,
}

impl Publisher {
    /// Until the feed is closed.
    pub fn run(mut self) {
        if let Err(error) = self.work() {
            (self.fatal)(&error);
        }
    }

    fn work(&mut self) -> Result<(), NodeError> {
        loop {
            let wake = self.feed.next_unwritten(BATCHES);
            let is_closed = matches!(wake, Wake::Closed);
            self.turn(wake)?;
            if is_closed {
                return Ok(());
            }
        }
    }

    /// What waits now, without waiting for more. False if there was nothing. Also for simulators.
    pub fn step(&mut self) -> Result<bool, NodeError> {
        match self.feed.unwritten(BATCHES) {
            Some(wake) => self.turn(wake).map(|()| true),
            None => Ok(false),
        }
    }

    fn turn(&mut self, wake: Wake) -> Result<(), NodeError> {
        let id = self.partition;
        match wake {
            Wake::Batches(batches) => {
                self.write(&batches).of(id)?;
                self.feed.set_written(&batches);
                self.keep_retention().of(id)?;
                self.schedule_snapshot().of(id)
            }
            Wake::Called => self.answer_requests().of(id),
            Wake::Closed => self.sync().of(id),
        }
    }

    /// Encodes the events, for the digest in any case and for the disk if there is a log.
    fn write(&mut self, batches: &[Arc<EventBatch>]) -> Result<(), JournalError> {
        let mut first = None;
        for entry in batches.iter().flat_map(|batch| batch.iter()) {
            let first_seq = *first.get_or_insert(entry.seq);
            self.digest.update(self.batch.push_events(entry.time, entry.events));
            if self.batch.payload_len() >= RECORD {
                self.flush(first_seq)?;
                first = None;
            }
        }
        first.map_or(Ok(()), |first_seq| self.flush(first_seq))
    }

    fn flush(&mut self, first_seq: Seq) -> Result<(), JournalError> {
        self.written_bytes += self.batch.payload_len() as u64;
        match &mut self.log {
            Some(log) => log.append(first_seq, &mut self.batch),
            None => {
                self.batch.clear();
                Ok(())
            }
        }
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        self.log.as_mut().map_or(Ok(()), EventLog::sync)
    }

    fn keep_retention(&mut self) -> Result<(), JournalError> {
        let Some(log) = self.log.as_ref().filter(|_| self.written_bytes >= RETENTION_EVERY) else {
            return Ok(());
        };
        self.written_bytes = 0;
        for name in self.retention.lock().enforce(log, (self.clock)())? {
            tracing::warn!(
                "consumer {name} of partition {} fell behind by more than its budget of disk: what \
                 it has not read must be derived from the command log",
                self.partition
            );
        }
        Ok(())
    }

    /// Whether the next turn with something to write makes a snapshot, for simulators.
    pub fn snapshot_is_due(&self) -> bool {
        !self.requests.is_empty() || self.is_scheduled_by(self.feed.head())
    }

    fn is_scheduled_by(&self, seq: Seq) -> bool {
        self.snapshot_every.is_some_and(|every| seq.0 >= self.last_snapshot.0 + every)
    }

    fn schedule_snapshot(&mut self) -> Result<(), JournalError> {
        if self.is_scheduled_by(self.feed.written()) && !self.snapshots.is_running() {
            self.start_snapshot(None)?;
        }
        Ok(())
    }

    /// A snapshot is to hold all that was there when it was asked for.
    fn answer_requests(&mut self) -> Result<(), JournalError> {
        let batches = self.feed.unwritten_until(self.feed.head());
        self.write(&batches)?;
        self.feed.set_written(&batches);
        loop {
            match self.requests.try_recv() {
                Ok(reply) => self.start_snapshot(Some(reply))?,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Up to the last entry that is written: its events are made durable first.
    fn start_snapshot(&mut self, reply: Option<SnapshotReply>) -> Result<(), JournalError> {
        self.sync()?;
        let until = self.feed.written();
        self.last_snapshot = until;
        Snapshots::start(&self.snapshots, self.partition, until, self.digest, reply);
        Ok(())
    }
}

/// Whether a registered consumer still holds its events.
pub(crate) fn is_holding(retention: &SharedRetention, name: &str) -> bool {
    retention.lock().state(name) == Some(ConsumerState::Holding)
}
