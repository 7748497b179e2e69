//! One partition: its command log, its snapshots, its event log.

use std::ops::ControlFlow;

use engine::Partition;
use journal::{BatchBuilder, RecoveryReport, SnapshotHeader, verify_commands};
use node::{EventDigest, replay};
use types::Seq;

use super::event_log::EventLogCheck;
use super::postings::Postings;
use super::report::Report;
use super::rows::Rows;
use crate::progress;
use crate::record::{Source, Visit};

const COMMANDS: &str = "command log";
const SNAPSHOT: &str = "snapshot";
const REPLAY: &str = "replay";
const EVENTS: &str = "event log";

/// Entries between two movements of the progress bar.
const STEP: u64 = 4_096;

/// Checks all files of a partition. Returns the state at the end of its log, if it can be replayed.
/// `must_have_entries` says that the exchange was founded with it.
pub fn check(
    source: &Source,
    must_have_entries: bool,
    postings: &mut Postings,
    rows: &mut Rows,
    report: &mut Report,
) -> Option<Partition> {
    let id = Some(source.identity().partition);
    let log = match verify_commands(source.commands(), source.identity()) {
        Ok(log) => log,
        Err(error) => {
            report.add(id, COMMANDS, Err(error.to_string()));
            report.skip(id, REPLAY, "the command log is damaged");
            return None;
        }
    };
    if log.last_seq == Seq(0) && must_have_entries {
        let text = format!("it is lost: {} holds no entries", source.commands().display());
        report.add(id, COMMANDS, Err(text));
        report.skip(id, REPLAY, "the command log is lost");
        return None;
    }
    report.add(id, COMMANDS, Ok(describe(&log)));
    let snapshots = whole_snapshots(source, &log, report);
    let start = match source.oldest_state() {
        Ok(start) => start,
        Err(failure) => {
            report.add(id, REPLAY, Err(failure.message));
            return None;
        }
    };
    if start.seq() > log.last_seq {
        let (seq, last) = (start.seq(), log.last_seq);
        let text =
            format!("it begins with a snapshot of entry {seq}, the log ends with entry {last}");
        report.add(id, REPLAY, Err(text));
        return None;
    }
    let replayed = Replay::new(source, start, &log, &snapshots, (postings, rows)).run(report)?;
    for header in &snapshots {
        report.add(id, SNAPSHOT, lead_to_end(source, header, &replayed));
    }
    Some(replayed.state)
}

fn describe(log: &RecoveryReport) -> String {
    let RecoveryReport { first_seq, last_seq, records, .. } = log;
    let end = match &log.torn {
        Some(torn) => format!(
            "{} bytes at byte {} of {} are torn, were never acknowledged and are cut at the next start",
            torn.bytes,
            torn.offset,
            torn.file.display()
        ),
        None if log.sealed => "ended in order".to_owned(),
        None => "did not end in order, nothing is torn".to_owned(),
    };
    format!("entries {first_seq} to {last_seq} in {records} records, every hash and link; {end}")
}

/// The heads of all snapshots that can be read; what is wrong with the others is reported.
fn whole_snapshots(
    source: &Source,
    log: &RecoveryReport,
    report: &mut Report,
) -> Vec<SnapshotHeader> {
    let id = Some(source.identity().partition);
    let store = source.snapshots();
    let mut whole = Vec::new();
    let listed = store.list().unwrap_or_else(|error| {
        report.add(id, SNAPSHOT, Err(error.to_string()));
        Vec::new()
    });
    for seq in listed {
        match store.load(seq) {
            Ok(_) if seq > log.last_seq => {
                let last = log.last_seq;
                let text = format!(
                    "one of entry {seq} is there, but the command log ends with entry {last}: \
                     acknowledged entries are missing"
                );
                report.add(id, SNAPSHOT, Err(text));
            }
            Ok(snapshot) => whole.push(snapshot.header),
            Err(error) => report.add(id, SNAPSHOT, Err(error.to_string())),
        }
    }
    whole
}

/// The replay of all that is kept, with everything that is compared on the way.
struct Replay<'a> {
    source: &'a Source,
    state: Partition,
    log: &'a RecoveryReport,
    snapshots: &'a [SnapshotHeader],
    postings: &'a mut Postings,
    rows: &'a mut Rows,
    events: EventLogCheck,
    digest: EventDigest,
    encoder: BatchBuilder,
    /// Snapshots that the replay came by with another state or other events.
    differing: Vec<Seq>,
}

/// Where a replay ended.
struct End {
    state: Partition,
    state_hash: [u8; 32],
    digest: EventDigest,
}

impl<'a> Replay<'a> {
    fn new(
        source: &'a Source,
        start: Partition,
        log: &'a RecoveryReport,
        snapshots: &'a [SnapshotHeader],
        (postings, rows): (&'a mut Postings, &'a mut Rows),
    ) -> Self {
        if start.seq() > Seq(0) {
            postings.set_incomplete();
        }
        let known = snapshots.iter().find(|header| header.seq == start.seq());
        Self {
            source,
            events: EventLogCheck::new(source, start.seq()),
            digest: EventDigest(known.map_or(0, |header| header.event_digest)),
            state: start,
            log,
            snapshots,
            postings,
            rows,
            encoder: BatchBuilder::new(),
            differing: Vec::new(),
        }
    }

    fn run(mut self, report: &mut Report) -> Option<End> {
        let id = Some(self.source.identity().partition);
        let first = self.state.seq();
        let mut state = std::mem::replace(&mut self.state, Partition::new(id?, 0));
        let bar = progress::bar("replaying", self.log.last_seq.0 - first.0);
        let source = self.source;
        let read = source.visit(&mut state, |visit| {
            self.entry(visit);
            if visit.entry.seq.0.is_multiple_of(STEP) {
                bar.set_position(visit.entry.seq.0 - first.0);
            }
            ControlFlow::Continue(())
        });
        bar.finish_and_clear();
        if let Err(error) = read {
            report.add(id, REPLAY, Err(error.to_string()));
            return None;
        }
        let state_hash = state.state_hash();
        report.add(id, REPLAY, self.verdict(first, &state, &state_hash));
        report.add(id, EVENTS, self.events.finish(state.seq(), self.log.sealed));
        Some(End { state, state_hash, digest: self.digest })
    }

    fn entry(&mut self, visit: &Visit<'_>) {
        self.digest.update(self.encoder.push_events(visit.entry.time, visit.events));
        self.encoder.clear();
        self.events.take(visit);
        self.postings.take(visit);
        // Rows of what was before the first entry that is kept cannot be made again.
        if self.postings.is_complete() {
            self.rows.take(visit);
        }
        let passed = self.snapshots.iter().find(|header| header.seq == visit.entry.seq);
        if let Some(header) = passed {
            let same_state = visit.state.state_hash() == header.state_hash;
            if !same_state || self.digest.0 != header.event_digest {
                self.differing.push(header.seq);
            }
        }
    }

    fn verdict(&self, first: Seq, state: &Partition, hash: &[u8]) -> Result<String, String> {
        if let Some(seq) = self.differing.first() {
            return Err(format!(
                "the log gives another state or other events than the snapshot after entry {seq} says"
            ));
        }
        let start = match first {
            Seq(0) => "from the first entry".to_owned(),
            seq => format!("from the snapshot after entry {seq}"),
        };
        let (end, hash) = (state.seq(), hex::encode(hash));
        Ok(format!("{start} to entry {end}; state {hash}"))
    }
}

/// A restart from this snapshot must end in the same state, after the same events.
fn lead_to_end(source: &Source, header: &SnapshotHeader, end: &End) -> Result<String, String> {
    let seq = header.seq;
    let snapshot = source.snapshots().load(seq).map_err(|error| error.to_string())?;
    let mut state = source.restore(&snapshot).map_err(|failure| failure.message)?;
    drop(snapshot);
    let reader = source.reader(seq.next(), None).map_err(|error| error.to_string())?;
    if reader.hash_before().is_some_and(|before| before != header.record_hash) {
        return Err(format!("the one of entry {seq} is of another log than this one"));
    }
    let digest = EventDigest(header.event_digest);
    let summary = replay(reader, &mut state, digest, |_, _, _| Ok(()), |_| ())
        .map_err(|error| error.to_string())?;
    if state.state_hash() != end.state_hash || summary.digest != end.digest {
        let last = end.state.seq();
        return Err(format!("the one of entry {seq} leads to another state at entry {last}"));
    }
    Ok(format!("the one of entry {seq} is what the log gives there, and leads to the same end"))
}
