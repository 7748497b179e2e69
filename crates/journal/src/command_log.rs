//! The command log: the truth of a partition. Opening recovers it; appending does not sync.

use types::Seq;

use crate::batch::BatchBuilder;
use crate::error::{JournalError, Result};
use crate::format::{Identity, Kind, RecordHeader};
use crate::recovery::{TornTail, judge_tail};
use crate::segment::{self, Listing};
use crate::storage::Dir;
use crate::walk::{Position, SegmentWalk, Step};
use crate::writer::{Options, Writer};

/// What opening or verifying a log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryReport {
    /// The oldest entry that is kept; the next one in an empty log.
    pub first_seq: Seq,
    /// The last entry, zero if there never was one.
    pub last_seq: Seq,
    /// Term of the last record that was read, zero if there is none.
    pub last_term: u64,
    /// Whether the last life of the log ended in order.
    pub sealed: bool,
    /// What was cut, or is to be cut, from the end.
    pub torn: Option<TornTail>,
    /// Records that were read and found whole.
    pub records: u64,
    /// Files in the directory that are none of the log's and were left alone.
    pub ignored: Vec<String>,
}

/// A command log, open for appending. One at a time per directory: the caller holds a lock.
#[derive(Debug)]
pub struct CommandLog {
    writer: Writer,
    first_seq: Seq,
    sealed: bool,
}

impl CommandLog {
    /// Opens the log in `dir`, or begins it there at entry 1. Checks the heads of all segments and
    /// the whole of the last one that has a record; [`crate::CommandReader`] checks all that it reads.
    ///
    /// # Errors
    /// Damage, foreign files, and what the operating system refuses. Then nothing was changed.
    pub fn open(
        dir: impl Into<Dir>,
        identity: Identity,
        options: Options,
    ) -> Result<(Self, RecoveryReport)> {
        let dir = &dir.into();
        let listing = if dir.exists()? { segment::list(dir)? } else { Listing::default() };
        for name in &listing.ignored {
            tracing::warn!("{} is no part of the log and is ignored", dir.join(name).display());
        }
        let (writer, report) = if let Some(&last) = listing.segments.last() {
            segment::check_headers(dir, &listing.segments, Kind::Command, identity)?;
            let (at, report) = walk_last(dir, identity, &listing, options.acknowledged)?;
            dir.create()?;
            let torn = report.torn.as_ref();
            let writer = Writer::resume(dir, Kind::Command, identity, options, last, at, torn)?;
            (writer, report)
        } else if options.acknowledged > Seq(0) {
            return Err(JournalError::EndsEarly {
                dir: dir.path().to_path_buf(),
                last: Seq(0),
                asked: options.acknowledged,
            });
        } else {
            dir.create()?;
            let writer = Writer::create(dir, Kind::Command, identity, options, Seq(1))?;
            (writer, empty_report(listing))
        };
        let log = Self { writer, first_seq: report.first_seq, sealed: report.sealed };
        Ok((log, report))
    }

    /// Writes `batch` as the next record and clears it. Not durable before [`Self::sync`].
    ///
    /// # Errors
    /// A failed write is fatal: the log takes nothing any more, and nothing of the batch may be
    /// acknowledged.
    pub fn append(&mut self, batch: &mut BatchBuilder, acked_seq: Seq, term: u64) -> Result<()> {
        self.sealed = false;
        self.writer.append(batch, acked_seq, term)
    }

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// A failed sync is fatal, like a failed write.
    pub fn sync(&mut self) -> Result<()> {
        self.writer.sync()
    }

    /// Ends this life of the log in order: whatever is wrong before the seal from now on is damage, not
    /// a crash. Everything before must be acknowledged or never will be.
    ///
    /// # Errors
    /// As of append and sync.
    pub fn seal(&mut self, term: u64) -> Result<()> {
        if !self.sealed {
            self.writer.append_seal(term)?;
            self.sealed = true;
        }
        self.writer.sync()
    }

    /// Removes whole segments of entries below `seq` from the log in `dir`, which may be open. Never
    /// the last one. Returns the oldest entry that is kept.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove_before(dir: impl Into<Dir>, seq: Seq) -> Result<Seq> {
        let dir = &dir.into();
        let segments = segment::list(dir)?.segments;
        let mut oldest = segments.first().copied().unwrap_or(Seq(1));
        for pair in segments.windows(2).take_while(|pair| pair[1] <= seq) {
            dir.remove(&segment::path_of(dir, pair[0]))?;
            oldest = pair[1];
        }
        dir.sync()?;
        Ok(oldest)
    }

    /// The oldest entry that was kept when the log was opened.
    #[must_use]
    pub fn first_seq(&self) -> Seq {
        self.first_seq
    }

    /// The last entry appended, zero if there is none.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.writer.last_seq()
    }
}

/// Checks every record of the log in `dir` and judges its end as [`CommandLog::open`] would, without
/// changing anything.
///
/// # Errors
/// Damage, foreign files, and what the operating system refuses.
pub fn verify_commands(dir: impl Into<Dir>, identity: Identity) -> Result<RecoveryReport> {
    let dir = &dir.into();
    let listing = segment::list(dir)?;
    let Some(&first) = listing.segments.first() else {
        return Ok(empty_report(listing));
    };
    segment::check_headers(dir, &listing.segments, Kind::Command, identity)?;
    let walk = SegmentWalk::open(dir, first, Kind::Command, identity)?;
    walk_to_end(dir, walk, &listing, Seq(0)).map(|(_, report)| report)
}

/// Walks the last segment; with the one before it, if there is no record yet that says how the log stands.
fn walk_last(
    dir: &Dir,
    identity: Identity,
    listing: &Listing,
    acknowledged: Seq,
) -> Result<(Position, RecoveryReport)> {
    let mut newest = listing.segments.iter().rev();
    loop {
        let first = *newest.next().expect("called for a log with segments");
        let walk = SegmentWalk::open(dir, first, Kind::Command, identity)?;
        let (at, report) = walk_to_end(dir, walk, listing, acknowledged)?;
        if report.records > 0 || newest.len() == 0 {
            return Ok((at, report));
        }
    }
}

/// Walks from the segment of `walk` to the end of the log and judges what is there.
fn walk_to_end(
    dir: &Dir,
    mut walk: SegmentWalk,
    listing: &Listing,
    acknowledged: Seq,
) -> Result<(Position, RecoveryReport)> {
    let mut last: Option<RecordHeader> = None;
    let mut records = 0;
    let start = listing.segments.partition_point(|&seq| seq <= walk.first_seq);
    let mut rest = listing.segments[start..].iter();
    let torn = loop {
        match walk.step()? {
            Step::Record(header) => {
                last = Some(header);
                records += 1;
            }
            Step::End(found) => match rest.next() {
                Some(&next) => {
                    walk.check_end(found)?;
                    walk.follow(dir, next)?;
                }
                None => break judge_tail(&mut walk, found)?,
            },
        }
    };
    if walk.at.next_seq <= acknowledged {
        return Err(walk.damaged("acknowledged entries are missing from here on"));
    }
    let report = RecoveryReport {
        first_seq: listing.segments[0],
        last_seq: Seq(walk.at.next_seq.0 - 1),
        last_term: last.map_or(0, |header| header.term),
        sealed: last.is_some_and(|header| header.seal),
        torn,
        records,
        ignored: listing.ignored.clone(),
    };
    Ok((walk.at, report))
}

fn empty_report(listing: Listing) -> RecoveryReport {
    RecoveryReport {
        first_seq: Seq(1),
        last_seq: Seq(0),
        last_term: 0,
        sealed: false,
        torn: None,
        records: 0,
        ignored: listing.ignored,
    }
}
