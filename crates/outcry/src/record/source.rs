//! A partition's log in a data directory, opened to be read and replayed.

use std::ops::ControlFlow;
use std::path::Path;

use engine::Partition;
use journal::{CommandReader, Identity, JournalError, Snapshot, SnapshotStore};
use node::{DataDir, NodeError};
use types::{Entry, Event, PartitionId, Seq};

use crate::exit::{Failure, Status};

/// The data directory at `path`.
///
/// # Errors
/// When no exchange was ever started there.
pub fn open(path: &Path) -> Result<DataDir, Failure> {
    let data = DataDir::new(path);
    match data.founding().map_err(refusal)? {
        Some(_) => Ok(data),
        None => {
            let message = format!("there is no exchange in {}", path.display());
            Err(Failure::new(Status::Differs, message))
        }
    }
}

/// The failure of a command that a log's error ends.
pub fn failure(error: JournalError) -> Failure {
    let status = match error {
        JournalError::Io { .. } => Status::Io,
        _ => Status::Differs,
    };
    Failure::new(status, error)
}

/// The failure of a command that a node's error ends.
pub fn refusal(error: NodeError) -> Failure {
    match error {
        NodeError::Journal { source, .. } => failure(source),
        NodeError::Io { .. } => Failure::new(Status::Io, error),
        NodeError::InUse { .. } => Failure::new(Status::CannotCreate, error),
        _ => Failure::new(Status::Differs, error),
    }
}

/// The files of one partition. Reading needs no lock: what an exchange has written stays.
pub struct Source {
    data: DataDir,
    identity: Identity,
}

/// One entry that was just applied.
pub struct Visit<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// What it caused.
    pub events: &'a [Event],
    /// The partition as the entry left it.
    pub state: &'a Partition,
}

impl Source {
    /// The files of `partition` in `data`.
    ///
    /// # Errors
    /// When there is no such partition.
    pub fn new(data: &DataDir, partition: PartitionId) -> Result<Self, Failure> {
        let identity = data.identity(partition).map_err(refusal)?;
        if !data.commands(partition).is_dir() {
            let path = data.path().display();
            let message = format!("{path} has no partition {partition}");
            return Err(Failure::new(Status::Differs, message));
        }
        Ok(Self { data: data.clone(), identity })
    }

    /// Its command log's directory.
    pub fn commands(&self) -> std::path::PathBuf {
        self.data.commands(self.identity.partition)
    }

    /// Its event log's directory.
    pub fn events(&self) -> std::path::PathBuf {
        self.data.events(self.identity.partition)
    }

    /// Its snapshots.
    pub fn snapshots(&self) -> SnapshotStore {
        SnapshotStore::new(self.data.snapshots(self.identity.partition), self.identity)
    }

    /// How its files name it.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// A reader of the command log from `from` on.
    pub fn reader(&self, from: Seq, until: Option<Seq>) -> Result<CommandReader, JournalError> {
        CommandReader::open(self.commands(), self.identity, from, until)
    }

    /// The state of the newest usable snapshot up to `limit`, or the one before the first entry.
    ///
    /// # Errors
    /// When the snapshots cannot be read.
    pub fn state_up_to(&self, limit: Seq) -> Result<Partition, Failure> {
        let (snapshot, _) = self.snapshots().load_newest(limit).map_err(failure)?;
        match snapshot {
            Some(snapshot) => self.restore(&snapshot),
            None => Ok(self.fresh()),
        }
    }

    /// The oldest state from which the log that is kept can be followed: the one before the first
    /// entry, or an old snapshot's when the first entries are not kept any more.
    ///
    /// # Errors
    /// When there is no such snapshot, or the log or a snapshot is damaged.
    pub fn oldest_state(&self) -> Result<Partition, Failure> {
        let oldest = match self.reader(Seq(1), None) {
            Ok(_) => return Ok(self.fresh()),
            Err(JournalError::NotKept { oldest, .. }) => oldest,
            Err(error) => return Err(failure(error)),
        };
        let store = self.snapshots();
        let usable = store.list().map_err(failure)?.into_iter().filter(|seq| seq.next() >= oldest);
        let snapshot = usable.map(|seq| store.load(seq)).find_map(Result::ok);
        let missing = || {
            let message = format!("the log begins with entry {oldest} and no snapshot leads there");
            Failure::new(Status::Differs, message)
        };
        self.restore(&snapshot.ok_or_else(missing)?)
    }

    /// The state of a snapshot, which must have the hash that it was made with.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<Partition, Failure> {
        let (id, seq) = (self.identity.partition, snapshot.header.seq);
        let refused = |what| {
            let message = format!("partition {id}: the snapshot after entry {seq} {what}");
            Failure::new(Status::Differs, message)
        };
        let state = Partition::restore(id, 0, &snapshot.payload)
            .map_err(|_| refused("holds a state that this binary cannot read"))?;
        if state.state_hash() != snapshot.header.state_hash || state.seq() != seq {
            return Err(refused("restores to another state than it was made of"));
        }
        Ok(state)
    }

    /// Applies the entries after `state` one by one, up to the last valid one, and shows each to
    /// `visitor` until it breaks.
    ///
    /// # Errors
    /// When the log is damaged.
    pub fn visit(
        &self,
        state: &mut Partition,
        mut visitor: impl FnMut(&Visit<'_>) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        let mut reader = match self.reader(state.seq().next(), None) {
            // A snapshot of the log's last entry: nothing follows.
            Err(JournalError::EndsEarly { last, .. }) if last == state.seq() => return Ok(()),
            reader => reader?,
        };
        let (mut entries, mut events) = (Vec::new(), Vec::new());
        while reader.next_batch(&mut entries)?.is_some() {
            for entry in entries.drain(..) {
                events.clear();
                state.apply(entry.seq, entry.time, &entry.command, &mut events);
                let visit = Visit { entry: &entry, events: &events, state };
                if visitor(&visit).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn fresh(&self) -> Partition {
        Partition::new(self.identity.partition, 0)
    }
}
