//! Trials on copies of a disk, after a restart: starting from every snapshot there is must come to the
//! same state, and damage of what was acknowledged must be noticed.

use std::path::PathBuf;
use std::sync::Arc;

use chance::Random;
use journal::{Dir, SnapshotStore, Storage, verify_commands};
use node::stepping::SteppedNode;
use node::{DataDir, NodeConfig, NodeError, NodeHooks};
use types::{PartitionId, Seq};

use crate::disk::SimDisk;
use crate::faults::{Counts, Fault};
use crate::observer::{Check, Observer, at, commands};
use crate::run::DATA;

/// What trials start from: a node that has recovered, and its disk.
pub(crate) struct Trial<'a> {
    pub disk: &'a SimDisk,
    pub config: &'a NodeConfig,
    pub hooks: &'a NodeHooks,
    pub node: &'a SteppedNode,
    pub observer: &'a Observer,
    pub random: &'a mut Random,
    pub counts: &'a mut Counts,
}

/// Where a record stands in a file, and its last entry.
struct Record {
    file: PathBuf,
    start: usize,
    end: usize,
    last: Seq,
}

impl Trial<'_> {
    /// One that is drawn, in one partition: over a run they take turns.
    pub fn run(&mut self) -> Check {
        let count = u64::from(self.config.topology.partitions);
        let id = PartitionId(self.random.below(count) as u16);
        match self.random.below(5) {
            0 => self.every_snapshot(id),
            1 => self.flip_command(id),
            2 => self.misdirect_command(id),
            3 => self.flip_event(id),
            _ => self.flip_snapshot(id),
        }
    }

    fn start(&self, disk: &SimDisk) -> Result<SteppedNode, NodeError> {
        let hooks = NodeHooks { storage: Arc::new(disk.clone()), ..self.hooks.clone() };
        SteppedNode::start(self.config, &hooks)
    }

    fn is_same(&self, other: &SteppedNode) -> bool {
        (0..self.config.topology.partitions).map(PartitionId).all(|id| {
            let (ours, theirs) = (self.node.partition(id), other.partition(id));
            ours.seq() == theirs.seq() && ours.state_hash() == theirs.state_hash()
        })
    }

    fn data(&self) -> DataDir {
        DataDir::on(Arc::new(self.disk.clone()), DATA.as_ref())
    }

    fn snapshots(&self, id: PartitionId) -> Check<Vec<Seq>> {
        let (_, identity) = commands(self.disk, id)?;
        let dir = Dir::new(Arc::new(self.disk.clone()), self.data().snapshots(id));
        SnapshotStore::new(dir, identity).list().map_err(|error| error.to_string())
    }

    fn snapshot_file(&self, id: PartitionId, seq: Seq) -> PathBuf {
        self.data().snapshots(id).join(format!("{:020}.snapshot", seq.0))
    }

    /// From the newest snapshot, the one before, and so on down to none, if the log is still whole.
    fn every_snapshot(&mut self, id: PartitionId) -> Check {
        let fork = self.disk.fork();
        let all = self.snapshots(id)?;
        let first = self.data().commands(id).join(format!("{:020}.log", 1));
        let is_whole = self.disk.bytes(&first).is_some();
        for (index, &seq) in all.iter().enumerate().rev() {
            fork.remove(&self.snapshot_file(id, seq)).map_err(|error| error.to_string())?;
            let reaches = index > 0 || is_whole;
            match self.start(&fork) {
                Ok(other) if self.is_same(&other) => {}
                Ok(_) => return Err(at(id, seq, "without this snapshot the state is another")),
                // An older one may not reach the log any more.
                Err(NodeError::Inconsistent { .. }) if !is_whole => break,
                Err(error) if reaches => {
                    return Err(at(id, seq, format!("without this snapshot: {error}")));
                }
                Err(_) => {}
            }
            self.counts.add(Fault::RestartFromEverySnapshot);
        }
        Ok(())
    }

    /// The records of a log, as `docs/journal-format.md` describes them.
    fn records(&self, dir: PathBuf) -> Vec<Record> {
        let names = self.disk.list(&dir).unwrap_or_default();
        let mut files: Vec<_> = names.iter().filter(|name| name.ends_with(".log")).collect();
        files.sort_unstable();
        let mut records = Vec::new();
        for file in files.into_iter().map(|name| dir.join(name)) {
            let bytes = self.disk.bytes(&file).unwrap_or_default();
            let mut start = 128;
            while bytes.get(start..start + 4) == Some(b"OCRB") {
                let word = |at: usize, len: usize| {
                    let mut word = [0; 8];
                    word[..len].copy_from_slice(&bytes[start + at..start + at + len]);
                    u64::from_le_bytes(word)
                };
                let (count, first, payload) = (word(20, 4), word(24, 8), word(56, 4));
                let end = start + (128 + payload as usize + 8).next_multiple_of(64);
                let last = Seq(first + count - 1);
                records.push(Record { file: file.clone(), start, end, last });
                start = end;
            }
        }
        records
    }

    /// Records of the command log whose entries somebody has seen.
    fn acknowledged(&self, id: PartitionId) -> Vec<Record> {
        let seen = self.observer.last_seen(id);
        let mut records = self.records(self.data().commands(id));
        records.retain(|record| record.last <= seen && record.last > Seq(0));
        records
    }

    fn flip_command(&mut self, id: PartitionId) -> Check {
        let records = self.acknowledged(id);
        if records.is_empty() {
            return Ok(());
        }
        // The newest records are the ones that could be taken for torn.
        let newest = records.len().saturating_sub(2);
        let from = if self.random.one_in(2) { newest } else { 0 };
        let record = &records[self.random.between(from as u64, records.len() as u64 - 1) as usize];
        let at_byte = self.random.between(record.start as u64, record.end as u64 - 1) as usize;
        let bit = self.random.below(8);
        let fork = self.disk.fork();
        fork.damage(&record.file, |bytes| bytes[at_byte] ^= 1 << bit);
        self.counts.add(Fault::BitFlip);
        self.must_be_noticed(id, &fork, record, &format!("bit {bit} of byte {at_byte}"))
    }

    /// A record was written over an older one instead of to its place, and later ones were acknowledged.
    fn misdirect_command(&mut self, id: PartitionId) -> Check {
        let records = self.acknowledged(id);
        if records.len() < 4 {
            return Ok(());
        }
        let index = self.random.between(1, records.len() as u64 - 2) as usize;
        let record = &records[index];
        let instead = &records[self.random.below(index as u64) as usize];
        let fork = self.disk.fork();
        let mut moved = Vec::new();
        fork.damage(&record.file, |bytes| {
            let place = &mut bytes[record.start..record.end];
            moved = place.to_vec();
            place.fill(0);
        });
        fork.damage(&instead.file, |bytes| {
            let end = (instead.start + moved.len()).min(bytes.len());
            bytes[instead.start..end].copy_from_slice(&moved[..end - instead.start]);
        });
        self.counts.add(Fault::Misdirected);
        self.must_be_noticed(id, &fork, record, "misdirected")
    }

    /// A start is refused, naming a file; or it did not need what is damaged, and `verify` finds it.
    fn must_be_noticed(
        &self,
        id: PartitionId,
        disk: &SimDisk,
        record: &Record,
        what: &str,
    ) -> Check {
        let place = format!("{what} of {} (entry {})", record.file.display(), record.last);
        let (dir, identity) = commands(disk, id)?;
        if verify_commands(dir, identity).is_ok() {
            return Err(format!("damage passed verification: {place}"));
        }
        match self.start(disk) {
            Err(NodeError::Journal { source, .. }) if names_a_place(&source) => Ok(()),
            // A snapshot that does not fit the log any more.
            Err(NodeError::Inconsistent { .. }) => Ok(()),
            Err(error) => Err(format!("damage was refused without its place: {place}: {error}")),
            Ok(other) if self.is_same(&other) => Ok(()),
            Ok(_) => Err(format!("damage was accepted: {place}")),
        }
    }

    /// Damaged events are derived anew or refused, never believed.
    fn flip_event(&mut self, id: PartitionId) -> Check {
        let records = self.records(self.data().events(id));
        if records.is_empty() {
            return Ok(());
        }
        let record = &records[self.random.below(records.len() as u64) as usize];
        let at_byte = self.random.between(record.start as u64, record.end as u64 - 1) as usize;
        let fork = self.disk.fork();
        fork.damage(&record.file, |bytes| bytes[at_byte] ^= 1 << self.random.below(8));
        self.counts.add(Fault::EventBitFlip);
        match self.start(&fork) {
            Ok(other) if !self.is_same(&other) => {
                Err(at(id, record.last, "damaged events led to another state"))
            }
            Ok(other) => self.observer.events_are_true_or_refused(&other, id),
            Err(NodeError::Journal { .. }) => Ok(()),
            Err(error) => Err(at(id, record.last, format!("damaged events: {error}"))),
        }
    }

    /// A damaged snapshot is not used.
    fn flip_snapshot(&mut self, id: PartitionId) -> Check {
        let all = self.snapshots(id)?;
        if all.is_empty() {
            return Ok(());
        }
        let seq = self.random.pick(&all);
        let fork = self.disk.fork();
        fork.damage(&self.snapshot_file(id, seq), |bytes| {
            let at = self.random.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << self.random.below(8);
        });
        self.counts.add(Fault::SnapshotBitFlip);
        match self.start(&fork) {
            Ok(other) if self.is_same(&other) => Ok(()),
            Ok(_) => Err(at(id, seq, "a damaged snapshot led to another state")),
            Err(NodeError::Inconsistent { .. }) if self.config.trim_commands => Ok(()),
            Err(error) => Err(at(id, seq, format!("a damaged snapshot: {error}"))),
        }
    }
}

fn names_a_place(error: &journal::JournalError) -> bool {
    use journal::JournalError as E;
    matches!(
        error,
        E::Damaged { .. }
            | E::MissingSegment { .. }
            | E::WrongLog { .. }
            | E::UnknownVersion { .. }
            | E::EndsEarly { .. }
    )
}
