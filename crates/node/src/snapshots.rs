//! Snapshots are made by a child run of the binary, from the last snapshot and the log after it, so
//! that the partition's thread is not disturbed. What the running partition knows, its rolling digest
//! of events, must be what the child comes to.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use journal::{CommandLog, JournalError, SnapshotHeader, SnapshotStore};
use rustix::process::{Pid, setpriority_process};
use types::{PartitionId, Seq};

use crate::data_dir::{DataDir, random_word};
use crate::error::{NodeError, OfPartition};
use crate::publisher::{SharedRetention, SnapshotReply};
use crate::recovery::{StateAt, state_at};
use crate::replay::EventDigest;

/// A snapshot that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotOutcome {
    /// Of which partition.
    pub partition: PartitionId,
    /// After which entry.
    pub seq: Seq,
    /// Hash of the state.
    pub state_hash: [u8; 32],
    /// Rolling digest of the events.
    pub event_digest: u64,
    /// Entries that were replayed for it.
    pub replayed: u64,
    /// How long it took.
    pub duration: Duration,
}

/// Makes the snapshot of `partition` after entry `until`, which must be durable. Only reads the logs
/// and takes no lock: meant to run beside a node, in a process of its own.
///
/// # Errors
/// When the log is damaged or does not reach `until`, or the snapshot cannot be written.
pub fn take_snapshot(
    data: &Path,
    partition: PartitionId,
    until: Seq,
) -> Result<SnapshotOutcome, NodeError> {
    take_snapshot_in(&DataDir::new(data), partition, until)
}

fn take_snapshot_in(
    data: &DataDir,
    partition: PartitionId,
    until: Seq,
) -> Result<SnapshotOutcome, NodeError> {
    let started = Instant::now();
    let identity = data.identity(partition)?;
    let store = data.snapshot_store(identity);
    let StateAt { partition: state, replay, record_hash } =
        state_at(data, identity, until, random_word())?;
    let header = SnapshotHeader {
        seq: state.seq(),
        time: state.time(),
        term: state.term(),
        event_digest: replay.digest.0,
        record_hash,
        state_hash: state.state_hash(),
    };
    store.write(&header, &state.snapshot()).of(partition)?;
    Ok(SnapshotOutcome {
        partition,
        seq: header.seq,
        state_hash: header.state_hash,
        event_digest: header.event_digest,
        replayed: replay.entries,
        duration: started.elapsed(),
    })
}

/// Starts snapshots of one partition and judges what comes of them. One at a time.
pub(crate) struct Snapshots {
    pub data: DataDir,
    pub command: Option<Vec<OsString>>,
    pub keep: usize,
    pub trim_commands: bool,
    /// Knows what consumers have read: from the command log they can get the rest.
    pub retention: SharedRetention,
    pub running: AtomicBool,
}

impl Snapshots {
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Makes a snapshot in the background and tells `reply` how it went.
    pub fn start(
        this: &Arc<Self>,
        partition: PartitionId,
        until: Seq,
        digest: EventDigest,
        reply: Option<SnapshotReply>,
    ) {
        if this.running.swap(true, Ordering::AcqRel) {
            tell(reply, Err("a snapshot of this partition is being made already".to_owned()));
            return;
        }
        if this.data.storage().is_single_threaded() {
            return this.run(partition, until, digest, reply);
        }
        let this = Arc::clone(this);
        thread::spawn(move || this.run(partition, until, digest, reply));
    }

    fn run(
        &self,
        partition: PartitionId,
        until: Seq,
        digest: EventDigest,
        reply: Option<SnapshotReply>,
    ) {
        let result = self.make(partition, until, digest);
        self.running.store(false, Ordering::Release);
        match &result {
            Ok(made) => tracing::info!(
                "snapshot of partition {partition} after entry {} in {:?}",
                made.seq,
                made.duration
            ),
            Err(error) => tracing::error!("snapshot of partition {partition}: {error}"),
        }
        tell(reply, result);
    }

    fn make(
        &self,
        partition: PartitionId,
        until: Seq,
        digest: EventDigest,
    ) -> Result<SnapshotOutcome, String> {
        let started = Instant::now();
        let identity = self.data.identity(partition).map_err(|error| error.to_string())?;
        let store = self.data.snapshot_store(identity);
        let replayed = match &self.command {
            Some(words) => {
                run_command(words, self.data.path(), partition, until)?;
                0
            }
            None => {
                take_snapshot_in(&self.data, partition, until)
                    .map_err(|error| error.to_string())?
                    .replayed
            }
        };
        let header = store.load(until).map_err(|error| error.to_string())?.header;
        if header.event_digest != digest.0 {
            let aside = store.set_aside(until).map_err(|error| error.to_string())?;
            return Err(format!(
                "REPLAY DIFFERS: the running partition has event digest {:016x} after entry {until}, \
                 the replay of its log {:016x}; the snapshot is not used and kept as {}",
                digest.0,
                header.event_digest,
                aside.display()
            ));
        }
        self.remove_old(&store, partition).map_err(|error| error.to_string())?;
        Ok(SnapshotOutcome {
            partition,
            seq: until,
            state_hash: header.state_hash,
            event_digest: header.event_digest,
            replayed,
            duration: started.elapsed(),
        })
    }
}

impl Snapshots {
    /// Snapshots and commands that nobody needs. With a log that is trimmed, consumers need what leads
    /// to the entries that they have not read: a snapshot, and the log after it.
    fn remove_old(&self, store: &SnapshotStore, id: PartitionId) -> Result<(), JournalError> {
        let read = self.retention.lock().lowest_cursor().filter(|_| self.trim_commands);
        let needed = read.unwrap_or(Seq(u64::MAX));
        let oldest = store.prune(self.keep.max(1), needed)?;
        // The segment with the snapshot's own entry stays: it shows that the two belong together.
        if let Some(oldest) = oldest.filter(|&oldest| self.trim_commands && oldest <= needed) {
            CommandLog::remove_before(self.data.dir(self.data.commands(id)), oldest)?;
        }
        Ok(())
    }
}

fn tell(reply: Option<SnapshotReply>, result: Result<SnapshotOutcome, String>) {
    if let Some(reply) = reply {
        // Whoever asked may have gone.
        let _ = reply.send(result);
    }
}

/// Runs the configured command at low priority and waits for it.
fn run_command(
    words: &[OsString],
    data: &Path,
    partition: PartitionId,
    until: Seq,
) -> Result<(), String> {
    let fill = |word: &OsString| match word.to_str() {
        Some("{data}") => data.as_os_str().to_owned(),
        Some("{partition}") => OsString::from(partition.to_string()),
        Some("{until}") => OsString::from(until.to_string()),
        _ => word.clone(),
    };
    let words: Vec<OsString> = words.iter().map(fill).collect();
    let Some((program, arguments)) = words.split_first() else {
        return Err("the snapshot command is empty".to_owned());
    };
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // Without the lower priority it is a snapshot all the same.
        let _ = setpriority_process(Some(pid), 10);
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().last().unwrap_or_default();
        return Err(format!("{} ended with {}: {line}", OsStr::display(program), output.status));
    }
    Ok(())
}
