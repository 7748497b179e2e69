//! Who watches a run: a consumer that reads every event at once, one that reads late, and for each
//! partition a shadow that applies the command log as it stands on disk. None of them ever crashes, so
//! each restart is held against what they know.
//!
//! They check that acknowledged entries are never lost, that events have no gap and never change, that
//! each command is answered at most once, and that the log alone gives the same events and the same
//! state.

use std::collections::HashMap;
use std::sync::Arc;

use engine::Partition;
use journal::{BatchBuilder, CommandReader, Identity};
use node::stepping::SteppedNode;
use node::{DataDir, Exchange, Reply, ReplySink};
use parking_lot::Mutex;
use types::{Command, Event, EventBatch, PartitionId, RejectCode, Seq};
use xxhash_rust::xxh3::xxh3_64;

use crate::disk::SimDisk;
use crate::run::DATA;

/// What is wrong, in words.
pub type Check<T = ()> = Result<T, String>;

/// What a session was told.
#[derive(Debug, Default)]
pub struct Told(Mutex<Vec<(u64, PartitionId, Seq)>>);

impl ReplySink for Told {
    fn deliver(&self, reply: Reply<'_>) {
        self.0.lock().push((reply.to.token, reply.partition, reply.seq));
    }
}

/// All that is known of one partition for certain.
struct Known {
    /// Digest of time and events of each durable entry, from entry 1 on.
    entries: Vec<u64>,
    /// Where the late consumer stands.
    late: Seq,
    shadow: Partition,
}

/// The watchers of a run.
pub struct Observer {
    known: Vec<Known>,
    /// Where each token was answered.
    answered: HashMap<u64, (PartitionId, Seq)>,
    /// The code of those that were refused.
    refused: HashMap<u64, RejectCode>,
    /// Requests in the logs, by token.
    sequenced: HashMap<u64, (PartitionId, Seq)>,
    encoder: BatchBuilder,
    told: Arc<Told>,
}

impl Observer {
    /// Watches so many partitions from their beginning.
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        let known = |id| Known {
            entries: Vec::new(),
            late: Seq(0),
            shadow: Partition::new(PartitionId(id), 7),
        };
        Self {
            known: (0..partitions).map(known).collect(),
            answered: HashMap::new(),
            refused: HashMap::new(),
            sequenced: HashMap::new(),
            encoder: BatchBuilder::new(),
            told: Arc::default(),
        }
    }

    /// Where answers are to go.
    #[must_use]
    pub fn sink(&self) -> Arc<Told> {
        Arc::clone(&self.told)
    }

    /// The last entry of a partition that was seen by anybody.
    #[must_use]
    pub fn last_seen(&self, partition: PartitionId) -> Seq {
        Seq(self.known[usize::from(partition.0)].entries.len() as u64)
    }

    /// Whether somebody answered this request.
    #[must_use]
    pub fn is_answered(&self, token: u64) -> bool {
        self.answered.contains_key(&token)
    }

    /// Why this request was refused, if it was.
    #[must_use]
    pub fn refusal(&self, token: u64) -> Option<RejectCode> {
        self.refused.get(&token).copied()
    }

    /// Reads what is new of a partition. `learn` gets each event that was not seen before.
    ///
    /// # Errors
    /// A gap, an answer that was given before, a reply without its event.
    pub fn follow(
        &mut self,
        node: &SteppedNode,
        partition: PartitionId,
        learn: impl FnMut(&Event),
    ) -> Check {
        let from = self.last_seen(partition);
        self.read(node, partition, from, learn)?;
        self.check_replies()
    }

    /// Reads all of a partition again, as a consumer that lost its place would.
    ///
    /// # Errors
    /// As of [`Observer::follow`], and when the past has changed.
    pub fn read_again(
        &mut self,
        node: &SteppedNode,
        partition: PartitionId,
        learn: impl FnMut(&Event),
    ) -> Check {
        self.read(node, partition, Seq(0), learn)
    }

    fn read(
        &mut self,
        node: &SteppedNode,
        partition: PartitionId,
        from: Seq,
        mut learn: impl FnMut(&Event),
    ) -> Check {
        let feed = node.node().feed(partition);
        let mut cursor = from;
        while let Some(batch) = feed.read(cursor).map_err(|error| at(partition, cursor, error))? {
            self.take(partition, &batch, &mut cursor, &mut learn)?;
        }
        if cursor != feed.head() {
            return Err(at(partition, cursor, "the feed ends before its head"));
        }
        Ok(())
    }

    fn take(
        &mut self,
        partition: PartitionId,
        batch: &EventBatch,
        cursor: &mut Seq,
        learn: &mut impl FnMut(&Event),
    ) -> Check {
        for entry in batch.iter() {
            if entry.seq != cursor.next() {
                return Err(at(partition, entry.seq, format!("read after entry {cursor}")));
            }
            *cursor = entry.seq;
            let digest = digest(&mut self.encoder, entry.time, entry.events);
            let entries = &mut self.known[usize::from(partition.0)].entries;
            match entries.get(entry.seq.0 as usize - 1) {
                Some(&before) if before == digest => continue,
                Some(_) => return Err(at(partition, entry.seq, "has other events than before")),
                None => entries.push(digest),
            }
            for event in entry.events {
                learn(event);
                let Some(reply) = event.answers() else { continue };
                let place = (partition, entry.seq);
                if let Some(before) = self.answered.insert(reply.token, place) {
                    let what = format!("answers request {} again, after {before:?}", reply.token);
                    return Err(at(partition, entry.seq, what));
                }
                if let Event::Rejected { code, .. } = *event {
                    self.refused.insert(reply.token, code);
                }
            }
        }
        Ok(())
    }

    /// A consumer that reads now and then: mostly from disk. True if it read something.
    ///
    /// # Errors
    /// A gap, or other events than were seen at first.
    pub fn read_late(&mut self, node: &SteppedNode, partition: PartitionId) -> Check<bool> {
        let feed = node.node().feed(partition);
        let Known { entries, late, .. } = &mut self.known[usize::from(partition.0)];
        let before = *late;
        while late.0 < entries.len() as u64 {
            let batch = feed.read(*late).map_err(|error| at(partition, *late, error))?;
            let Some(batch) = batch else { break };
            for entry in batch.iter() {
                let is_next = entry.seq == late.next();
                let digest = digest(&mut self.encoder, entry.time, entry.events);
                if !is_next || entries.get(late.0 as usize) != Some(&digest) {
                    return Err(at(partition, entry.seq, "is not what was read at first"));
                }
                *late = entry.seq;
            }
        }
        Ok(*late > before)
    }

    /// On a node whose event log was damaged: what it gives is what was seen, or it says why not.
    ///
    /// # Errors
    /// When it gives something else.
    pub fn events_are_true_or_refused(&self, node: &SteppedNode, partition: PartitionId) -> Check {
        let feed = node.node().feed(partition);
        let entries = &self.known[usize::from(partition.0)].entries;
        let mut encoder = BatchBuilder::new();
        let mut cursor = Seq(0);
        while let Ok(Some(batch)) = feed.read(cursor) {
            for entry in batch.iter() {
                let digest = digest(&mut encoder, entry.time, entry.events);
                let before = entries.get(cursor.0 as usize);
                if entry.seq != cursor.next() || before.is_some_and(|before| *before != digest) {
                    return Err(at(partition, entry.seq, "damaged events were believed"));
                }
                cursor = entry.seq;
            }
        }
        Ok(())
    }

    fn check_replies(&mut self) -> Check {
        for (token, partition, seq) in self.told.0.lock().drain(..) {
            if self.answered.get(&token) != Some(&(partition, seq)) {
                return Err(at(partition, seq, format!("told {token} without its event")));
            }
        }
        Ok(())
    }

    /// The shadow applies what the log on disk holds up to what was seen, and must come to the same.
    ///
    /// # Errors
    /// When the log does not reach so far, or gives other events.
    pub fn shadow(&mut self, disk: &SimDisk, partition: PartitionId) -> Check {
        let head = self.last_seen(partition);
        let Known { entries, shadow, .. } = &mut self.known[usize::from(partition.0)];
        if shadow.seq() >= head {
            return Ok(());
        }
        let (dir, identity) = commands(disk, partition)?;
        let from = shadow.seq().next();
        let reader = CommandReader::open(dir, identity, from, Some(head));
        for entry in reader.map_err(|error| at(partition, from, error))? {
            let entry = entry.map_err(|error| at(partition, from, error))?;
            if let Command::Request { reply, .. } = &entry.command
                && let Some(before) = self.sequenced.insert(reply.token, (partition, entry.seq))
            {
                let what = format!("holds request {} again, after {before:?}", reply.token);
                return Err(at(partition, entry.seq, what));
            }
            let mut events = Vec::new();
            shadow.apply(entry.seq, entry.time, &entry.command, &mut events);
            let digest = digest(&mut self.encoder, entry.time, &events);
            if entries[entry.seq.0 as usize - 1] != digest {
                return Err(at(partition, entry.seq, "gives other events when it is replayed"));
            }
        }
        if shadow.seq() != head {
            return Err(at(partition, shadow.seq(), format!("is the last, of {head}")));
        }
        Ok(())
    }

    /// Whether a partition has the state of its shadow, which must be as far.
    ///
    /// # Errors
    /// When it has not.
    pub fn compare_state(&self, partition: &Partition) -> Check {
        let shadow = &self.known[usize::from(partition.id().0)].shadow;
        if shadow.seq() != partition.seq() || shadow.state_hash() != partition.state_hash() {
            return Err(at(partition.id(), partition.seq(), "has another state than its replay"));
        }
        Ok(())
    }

    /// After the end: every request in a log was answered.
    ///
    /// # Errors
    /// When one was not.
    pub fn check_answers(&self) -> Check {
        for (token, &(partition, seq)) in &self.sequenced {
            if !self.answered.contains_key(token) {
                return Err(at(partition, seq, format!("request {token} was never answered")));
            }
        }
        Ok(())
    }
}

/// The command log of a partition and how its files name it.
///
/// # Errors
/// When there is no exchange on the disk.
pub fn commands(disk: &SimDisk, partition: PartitionId) -> Check<(journal::Dir, Identity)> {
    let data = DataDir::on(Arc::new(disk.clone()), DATA.as_ref());
    let identity = data.identity(partition).map_err(|error| error.to_string())?;
    Ok((journal::Dir::new(Arc::new(disk.clone()), data.commands(partition)), identity))
}

fn digest(encoder: &mut BatchBuilder, time: types::Timestamp, events: &[Event]) -> u64 {
    let digest = xxh3_64(encoder.push_events(time, events)) ^ time.0;
    encoder.clear();
    digest
}

/// Says where something is wrong.
pub fn at(partition: PartitionId, seq: Seq, what: impl std::fmt::Display) -> String {
    format!("partition {partition}, entry {seq}: {what}")
}
