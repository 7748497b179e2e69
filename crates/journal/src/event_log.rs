//! The event log: derived from the command log, so it is written without sync and cut freely.
//!
//! After a crash its end may be behind or torn. The node then derives events anew from the last
//! snapshot on, and [`EventLog::reconcile`] compares what is on disk and appends what is missing.

use types::{Seq, Timestamp};

use crate::batch::BatchBuilder;
use crate::error::{JournalError, Result};
use crate::event_reader::EventReader;
use crate::format::{Identity, Kind};
use crate::recovery::TornTail;
use crate::segment;
use crate::storage::Dir;
use crate::walk::{SegmentWalk, Step, last_non_zero};
use crate::writer::{Options, Writer};

/// A reconciled batch is written when it has this many bytes.
const RECONCILE_BATCH: usize = 256 << 10;

/// What opening an event log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecovery {
    /// The oldest entry whose events are kept, zero if there are none.
    pub oldest: Seq,
    /// The last entry whose events are on disk, zero if there are none.
    pub last_seq: Seq,
    /// What was cut from the end.
    pub cut: Option<TornTail>,
}

/// An event log, open for appending.
#[derive(Debug)]
pub struct EventLog {
    dir: Dir,
    identity: Identity,
    options: Options,
    /// None until the first entry says where the log begins.
    writer: Option<Writer>,
    /// Re-derived events that are not on disk.
    missing: BatchBuilder,
    reader: EventReader,
    term: u64,
}

impl EventLog {
    /// Opens the log in `dir` and cuts what is not whole, or does not follow, at the end of its last
    /// segment; one without a whole head goes altogether. `term` is written into records.
    ///
    /// # Errors
    /// Foreign files, missing segments, a damaged head of another segment, and what the operating
    /// system refuses. Records of other segments are checked by who reads them.
    pub fn open(
        dir: impl Into<Dir>,
        identity: Identity,
        options: Options,
        term: u64,
    ) -> Result<(Self, EventRecovery)> {
        let dir = &dir.into();
        dir.create()?;
        remove_broken_last_segment(dir, identity)?;
        let segments = segment::list(dir)?.segments;
        segment::check_headers(dir, &segments, Kind::Event, identity)?;
        let (writer, cut) = match segments.last() {
            Some(&last) => {
                let (writer, cut) = resume(dir, identity, &options, last)?;
                (Some(writer), cut)
            }
            None => (None, None),
        };
        let log = Self {
            dir: dir.clone(),
            identity,
            options,
            writer,
            missing: BatchBuilder::new(),
            reader: EventReader::open(dir, identity),
            term,
        };
        let report = EventRecovery {
            oldest: segments.first().copied().unwrap_or_default(),
            last_seq: log.last_seq(),
            cut,
        };
        Ok((log, report))
    }

    /// Writes the events of entries from `first_seq` on and clears the batch. Buffered by the
    /// operating system until [`Self::sync`].
    ///
    /// # Errors
    /// A failed write; the log takes nothing any more.
    ///
    /// # Panics
    /// If `first_seq` does not follow the last entry.
    pub fn append(&mut self, first_seq: Seq, batch: &mut BatchBuilder) -> Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            empty => {
                let options = self.options.clone();
                empty.insert(Writer::create(
                    &self.dir,
                    Kind::Event,
                    self.identity,
                    options,
                    first_seq,
                )?)
            }
        };
        assert_eq!(writer.last_seq().next(), first_seq, "the event log has no gaps");
        let acked = writer.last_seq();
        writer.append(batch, acked, self.term)
    }

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// A failed sync; the log takes nothing any more.
    pub fn sync(&mut self) -> Result<()> {
        self.writer.as_mut().map_or(Ok(()), Writer::sync)
    }

    /// The last entry whose events were appended, zero if there is none.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.writer.as_ref().map_or(Seq(0), Writer::last_seq)
    }

    /// The oldest entry whose events are kept, zero if there is none.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn oldest(&self) -> Result<Seq> {
        Ok(segment::list(&self.dir)?.segments.first().copied().unwrap_or_default())
    }

    /// Takes the events of an entry that were derived anew, as [`BatchBuilder::push_events`] encodes
    /// them: compares them with those on disk, or keeps them for appending. Entries come in order.
    /// [`Self::finish_reconciling`] ends it.
    ///
    /// # Errors
    /// When they differ from those on disk, or those cannot be read.
    pub fn reconcile(&mut self, seq: Seq, time: Timestamp, content: &[u8]) -> Result<()> {
        if seq <= self.last_seq() {
            return match self.reader.compare(seq, time, content)? {
                true => Ok(()),
                false => {
                    Err(JournalError::EventsDiffer { dir: self.dir.path().to_path_buf(), seq })
                }
            };
        }
        self.missing.push_encoded(time, content);
        if self.missing.payload_len() >= RECONCILE_BATCH {
            self.append_missing(seq)?;
        }
        Ok(())
    }

    /// Writes what was missing, the last being of entry `last`.
    ///
    /// # Errors
    /// A failed write.
    pub fn finish_reconciling(&mut self, last: Seq) -> Result<()> {
        if !self.missing.is_empty() {
            self.append_missing(last)?;
        }
        Ok(())
    }

    fn append_missing(&mut self, last: Seq) -> Result<()> {
        let first = Seq(last.0 + 1 - u64::from(self.missing.count()));
        let mut batch = std::mem::take(&mut self.missing);
        self.append(first, &mut batch)?;
        self.missing = batch;
        Ok(())
    }

    /// Deletes all of it: the next append may begin anywhere.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn reset(&mut self) -> Result<()> {
        self.writer = None;
        self.missing.clear();
        // From the end, so that a crash in between leaves a log without a hole.
        for &first in segment::list(&self.dir)?.segments.iter().rev() {
            self.dir.remove(&segment::path_of(&self.dir, first))?;
        }
        self.reader = EventReader::open(&self.dir, self.identity);
        self.dir.sync()
    }

    /// The directory and the segment that is being written.
    pub(crate) fn place(&self) -> (&Dir, Option<Seq>) {
        (&self.dir, self.writer.as_ref().map(Writer::segment))
    }
}

/// A crash may leave the head of the newest segment unwritten; its events are derived anew.
fn remove_broken_last_segment(dir: &Dir, identity: Identity) -> Result<()> {
    let Some(&last) = segment::list(dir)?.segments.last() else {
        return Ok(());
    };
    match SegmentWalk::open(dir, last, Kind::Event, identity) {
        Err(JournalError::Damaged { file, .. }) => {
            tracing::warn!("{} has no whole header and is removed", file.display());
            dir.remove(&file)?;
            dir.sync()
        }
        other => other.map(|_| ()),
    }
}

fn resume(
    dir: &Dir,
    identity: Identity,
    options: &Options,
    last: Seq,
) -> Result<(Writer, Option<TornTail>)> {
    let mut walk = SegmentWalk::open(dir, last, Kind::Event, identity)?;
    // Whatever is not the next record of the chain is the end, a whole record too.
    loop {
        match walk.step() {
            Ok(Step::Record(_)) => {}
            Ok(Step::End(_)) | Err(JournalError::Damaged { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    let at = walk.at;
    let cut = last_non_zero(&mut walk.window, at.offset)?.map(|end| TornTail {
        file: walk.window.path.clone(),
        offset: at.offset,
        bytes: end + 1 - at.offset,
        seq: at.next_seq,
    });
    let options = options.clone();
    let writer = Writer::resume(dir, Kind::Event, identity, options, last, at, cut.as_ref())?;
    Ok((writer, cut))
}
