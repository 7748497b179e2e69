//! From files to a running state: newest usable snapshot, the log after it, events compared with
//! those on disk or written anew.

use std::time::{Duration, Instant};

use engine::Partition;
use journal::{
    CommandLog, CommandReader, EventLog, Identity, Options, RecoveryReport, Snapshot, TornTail,
};
use types::{PartitionId, Seq};

use crate::config::{NodeConfig, NodeHooks};
use crate::data_dir::DataDir;
use crate::error::{NodeError, OfPartition};
use crate::replay::{EventDigest, ReplaySummary, replay_with};

/// How a partition came back.
#[derive(Clone, Debug)]
pub struct PartitionRecovery {
    /// Which.
    pub partition: PartitionId,
    /// The snapshot that it began with, zero for none.
    pub snapshot_seq: Seq,
    /// Entries of the log that were replayed after it.
    pub replayed: u64,
    /// The last entry of the log.
    pub last_seq: Seq,
    /// Whether the last life ended in order.
    pub sealed: bool,
    /// What was cut from the command log: never acknowledged.
    pub torn: Option<TornTail>,
    /// Newer snapshots that were not used, and why.
    pub skipped_snapshots: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

/// A partition as it was when its log ended.
pub(crate) struct Recovered {
    pub partition: Partition,
    pub log: CommandLog,
    pub events: Option<EventLog>,
    pub digest: EventDigest,
    pub report: PartitionRecovery,
}

pub(crate) fn recover(
    config: &NodeConfig,
    hooks: &NodeHooks,
    data: &DataDir,
    identity: Identity,
    term: u64,
) -> Result<Recovered, NodeError> {
    let id = identity.partition;
    let started = Instant::now();
    data.create_partition(id)?;
    data.snapshot_store(identity).remove_unfinished().of(id)?;
    let mut events = open_events(config, data, identity, term)?;
    let options = Options {
        segment_size: config.segment_size,
        acknowledged: last_known(data, identity, events.as_ref())?,
        hook: hooks.disk.clone(),
    };
    let (log, log_report) =
        CommandLog::open(data.dir(data.commands(id)), identity, options).of(id)?;
    tell_torn(&log_report);
    let (snapshot, skipped) = choose_snapshot(data, identity, &log, events.as_ref())?;
    for reason in &skipped {
        tracing::warn!("snapshot skipped: {reason}");
    }
    let (mut partition, mut digest) = restore(id, snapshot.as_ref(), (hooks.randomness)())?;
    #[cfg(feature = "fault-injection")]
    partition.set_bug(hooks.bug.clone());
    let snapshot_seq = partition.seq();
    let mut replayed = 0;
    // A log that was begun at a snapshot holds no events from before it.
    if let Some(events) = events.as_mut().filter(|events| events.last_seq() < snapshot_seq) {
        events.reset().of(id)?;
    }
    let reader = open_reader(data, identity, snapshot.as_ref(), log.last_seq())?;
    if log.last_seq() > snapshot_seq {
        let total = log.last_seq().0 - snapshot_seq.0;
        let summary = replay_with(
            reader,
            &mut partition,
            digest,
            data.threads(),
            |seq, time, content| match &mut events {
                Some(events) => events.reconcile(seq, time, content),
                None => Ok(()),
            },
            |seq| (hooks.progress)(id, seq.0 - snapshot_seq.0, total),
        );
        let summary = summary.of(id)?;
        (digest, replayed) = (summary.digest, summary.entries);
    }
    if let Some(events) = &mut events {
        events.finish_reconciling(log.last_seq()).of(id)?;
    }
    let report = PartitionRecovery {
        partition: id,
        snapshot_seq,
        replayed,
        last_seq: log.last_seq(),
        sealed: log_report.sealed,
        torn: log_report.torn,
        skipped_snapshots: skipped,
        duration: started.elapsed(),
    };
    Ok(Recovered { partition, log, events, digest, report })
}

fn tell_torn(report: &RecoveryReport) {
    if let Some(torn) = &report.torn {
        tracing::warn!(
            "{}: {} bytes from byte {} on were cut; entry {} and what followed were never \
             acknowledged",
            torn.file.display(),
            torn.bytes,
            torn.offset,
            torn.seq
        );
    }
}

fn open_events(
    config: &NodeConfig,
    data: &DataDir,
    identity: Identity,
    term: u64,
) -> Result<Option<EventLog>, NodeError> {
    let Some(event_config) = &config.event_log else {
        return Ok(None);
    };
    let options = Options { segment_size: event_config.segment_size, ..Options::default() };
    let dir = data.dir(data.events(identity.partition));
    let (log, report) = EventLog::open(dir, identity, options, term).of(identity.partition)?;
    if let Some(cut) = report.cut {
        tracing::info!(
            "{}: {} bytes were cut and are derived anew from entry {} on",
            cut.file.display(),
            cut.bytes,
            cut.seq
        );
    }
    Ok(Some(log))
}

/// The last entry that is in an event or a snapshot: those are made of durable entries alone, so the
/// log must hold it.
fn last_known(
    data: &DataDir,
    identity: Identity,
    events: Option<&EventLog>,
) -> Result<Seq, NodeError> {
    let store = data.snapshot_store(identity);
    let in_events = events.map_or(Seq(0), EventLog::last_seq);
    let snapshots = store.list().of(identity.partition)?.into_iter().rev();
    let in_snapshot =
        snapshots.take_while(|&seq| seq > in_events).find(|&seq| store.load(seq).is_ok());
    let known = in_snapshot.unwrap_or(in_events);
    // The exchange is founded only when every log has its first entries.
    let is_founded = data.founding()?.is_some_and(|founding| founding.partitions.is_some());
    Ok(if is_founded { known.max(Seq(1)) } else { known })
}

/// A snapshot counts only as far as the event log goes, or events in between would be lost; unless
/// the command log cannot give them any more.
fn choose_snapshot(
    data: &DataDir,
    identity: Identity,
    log: &CommandLog,
    events: Option<&EventLog>,
) -> Result<(Option<Snapshot>, Vec<String>), NodeError> {
    let id = identity.partition;
    let store = data.snapshot_store(identity);
    let limit = events.map_or(log.last_seq(), |events| events.last_seq().min(log.last_seq()));
    let (found, mut skipped) = store.load_newest(limit).of(id)?;
    let replayable_from = log.first_seq().0 - 1;
    if found.as_ref().map_or(0, |snapshot| snapshot.header.seq.0) >= replayable_from {
        return Ok((found, skipped));
    }
    let (found, more) = store.load_newest(log.last_seq()).of(id)?;
    skipped.extend(more);
    match found {
        Some(snapshot) if snapshot.header.seq.0 >= replayable_from => Ok((Some(snapshot), skipped)),
        _ => Err(NodeError::Inconsistent {
            partition: id,
            what: "no snapshot reaches the oldest kept segment of the log, which begins",
            seq: log.first_seq(),
        }),
    }
}

/// The state of a snapshot, checked against its hash; or a new one.
pub(crate) fn restore(
    id: PartitionId,
    snapshot: Option<&Snapshot>,
    hash_seed: u64,
) -> Result<(Partition, EventDigest), NodeError> {
    let Some(snapshot) = snapshot else {
        return Ok((Partition::new(id, hash_seed), EventDigest::default()));
    };
    let inconsistent =
        |what| NodeError::Inconsistent { partition: id, what, seq: snapshot.header.seq };
    let partition = Partition::restore(id, hash_seed, &snapshot.payload)
        .map_err(|_| inconsistent("this binary cannot read the state of the snapshot"))?;
    if partition.state_hash() != snapshot.header.state_hash
        || partition.seq() != snapshot.header.seq
    {
        return Err(inconsistent("the snapshot restores to another state than it was made of"));
    }
    Ok((partition, EventDigest(snapshot.header.event_digest)))
}

/// The state of a partition after an entry, as snapshots and the log give it.
pub(crate) struct StateAt {
    pub partition: Partition,
    pub replay: ReplaySummary,
    /// Hash of the record that holds the entry.
    pub record_hash: [u8; 32],
}

/// Replays the log of a partition up to `until`, which must be durable. Only reads.
pub(crate) fn state_at(
    data: &DataDir,
    identity: Identity,
    until: Seq,
    hash_seed: u64,
) -> Result<StateAt, NodeError> {
    let id = identity.partition;
    let (base, skipped) = data.snapshot_store(identity).load_newest(until).of(id)?;
    for reason in skipped {
        tracing::warn!("snapshot skipped: {reason}");
    }
    let (mut partition, digest) = restore(id, base.as_ref(), hash_seed)?;
    let reader = open_reader(data, identity, base.as_ref(), until)?;
    let of_base = base.map(|base| base.header.record_hash);
    let replay =
        replay_with(reader, &mut partition, digest, data.threads(), |_, _, _| Ok(()), |_| ());
    let replay = replay.of(id)?;
    let record_hash = replay.record_hash.or(of_base).unwrap_or_default();
    Ok(StateAt { partition, replay, record_hash })
}

/// A reader of all after the snapshot up to `until`. The record that holds the snapshot's entry must
/// be the one that the snapshot was made of.
pub(crate) fn open_reader(
    data: &DataDir,
    identity: Identity,
    snapshot: Option<&Snapshot>,
    until: Seq,
) -> Result<CommandReader, NodeError> {
    let id = identity.partition;
    let from = snapshot.map_or(Seq(1), |snapshot| snapshot.header.seq.next());
    let reader =
        CommandReader::open(data.dir(data.commands(id)), identity, from, Some(until)).of(id)?;
    if let (Some(snapshot), Some(found)) = (snapshot, reader.hash_before())
        && snapshot.header.record_hash != found
    {
        return Err(NodeError::Inconsistent {
            partition: id,
            what: "the snapshot is of another log than this one",
            seq: snapshot.header.seq,
        });
    }
    Ok(reader)
}
