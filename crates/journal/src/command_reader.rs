//! Reads a command log in order, checking all that it reads. Changes nothing, and may read a log
//! that another process is writing.

use borsh::BorshDeserialize;
use types::{Command, Entry, Seq};

use crate::batch::Entries;
use crate::error::{JournalError, Result};
use crate::format::{Hash, Identity, Kind, RecordHeader};
use crate::recovery::judge_tail;
use crate::segment;
use crate::storage::Dir;
use crate::walk::{Found, SegmentWalk, Step};

/// Where a batch stands and what its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchInfo {
    /// First entry; with none, the one that comes next.
    pub first_seq: Seq,
    /// Number of entries in the record.
    pub count: u32,
    /// The term that wrote it.
    pub term: u64,
    /// Highest entry acknowledged when it was written.
    pub acked_seq: Seq,
    /// Whether it ends a life of the log in order.
    pub seal: bool,
    /// Its hash.
    pub hash: [u8; 32],
}

/// A cursor over the batches of a command log.
#[derive(Debug)]
pub struct CommandReader {
    dir: Dir,
    walk: SegmentWalk,
    from: Seq,
    until: Option<Seq>,
    /// Hash of the last record before the position that holds entries: never a seal's.
    passed: Option<Hash>,
    /// Entries of batches that were given out, for the iterator.
    buffered: std::vec::IntoIter<Entry>,
}

impl CommandReader {
    /// Reads entries from `from` on: up to `until`, which must be there, or up to the last valid one.
    ///
    /// # Errors
    /// When `from` is not kept any more or lies beyond the end, or the log is damaged before it.
    pub fn open(
        dir: impl Into<Dir>,
        identity: Identity,
        from: Seq,
        until: Option<Seq>,
    ) -> Result<Self> {
        let dir = dir.into();
        let segments = segment::list(&dir)?.segments;
        segment::check_headers(&dir, &segments, Kind::Command, identity)?;
        let not_kept = || JournalError::NotKept {
            asked: from,
            oldest: segments.first().copied().unwrap_or(Seq(1)),
        };
        let segment_of = |seq| segments.iter().rev().find(|&&first| first <= seq).copied();
        let first = segment_of(from).ok_or_else(not_kept)?;
        // The entry before may end the segment before, with or without a seal behind it.
        let start = segment_of(Seq(from.0.saturating_sub(1))).unwrap_or(first);
        let mut reader = Self {
            walk: SegmentWalk::open(&dir, start, Kind::Command, identity)?,
            dir,
            from,
            until,
            passed: None,
            buffered: Vec::new().into_iter(),
        };
        reader.skip_to_start()?;
        Ok(reader)
    }

    /// Hash of the record that holds the last entry given out; before the first, of the one that
    /// holds the entry before `from`. A snapshot of that entry carries the same. None if that entry
    /// is not kept any more, or there is none.
    #[must_use]
    pub fn hash_before(&self) -> Option<[u8; 32]> {
        self.passed
    }

    /// Appends the entries of the next batch to `entries`, as far as they were asked for. None at the
    /// end.
    ///
    /// # Errors
    /// Damage, or an end before `until`.
    pub fn next_batch(&mut self, entries: &mut Vec<Entry>) -> Result<Option<BatchInfo>> {
        if self.until.is_some_and(|until| self.walk.at.next_seq > until) {
            return Ok(None);
        }
        let Some(header) = self.next_record()? else {
            return Ok(None);
        };
        self.decode(&header, entries)?;
        self.pass(&header);
        Ok(Some(BatchInfo {
            first_seq: header.first_seq,
            count: header.count,
            term: header.term,
            acked_seq: header.acked_seq,
            seal: header.seal,
            hash: header.hash,
        }))
    }

    /// Passes records that end before `from`. One that holds both `from` and the entry before is read
    /// again.
    fn skip_to_start(&mut self) -> Result<()> {
        while self.walk.at.next_seq < self.from {
            let before = self.walk.at;
            let Some(header) = self.next_record()? else {
                return Err(self.ends_early(self.from));
            };
            if header.count > 0 && header.last_seq() >= self.from {
                if header.first_seq < self.from {
                    self.pass(&header);
                }
                self.walk.at = before;
                return Ok(());
            }
            self.pass(&header);
        }
        Ok(())
    }

    fn pass(&mut self, header: &RecordHeader) {
        if header.count > 0 {
            self.passed = Some(header.hash);
        }
    }

    fn next_record(&mut self) -> Result<Option<RecordHeader>> {
        loop {
            if let Step::Record(header) = self.walk.step()? {
                return Ok(Some(header));
            }
            // A log that is being written may have grown: segments first, then bytes.
            let segments = segment::list(&self.dir)?.segments;
            let found = match self.walk.step_anew()? {
                Step::Record(header) => return Ok(Some(header)),
                Step::End(found) => found,
            };
            match segments.iter().find(|&&first| first > self.walk.first_seq) {
                Some(&next) => {
                    self.walk.check_end(found)?;
                    self.walk.follow(&self.dir, next)?;
                }
                None => return self.end(found),
            }
        }
    }

    /// The end of the log: in order, torn, damaged, or grown meanwhile.
    fn end(&mut self, found: Found) -> Result<Option<RecordHeader>> {
        if let Err(error) = judge_tail(&mut self.walk, found) {
            return match self.walk.step_anew()? {
                Step::Record(header) => Ok(Some(header)),
                Step::End(_) => Err(error),
            };
        }
        match self.until {
            Some(until) if self.walk.at.next_seq <= until => Err(self.ends_early(until)),
            _ => Ok(None),
        }
    }

    fn ends_early(&self, asked: Seq) -> JournalError {
        JournalError::EndsEarly {
            dir: self.dir.path().to_path_buf(),
            last: Seq(self.walk.at.next_seq.0 - 1),
            asked,
        }
    }

    fn decode(&mut self, header: &RecordHeader, entries: &mut Vec<Entry>) -> Result<()> {
        let (from, until) = (self.from, self.until.unwrap_or(Seq(u64::MAX)));
        let payload = self.walk.payload(header)?;
        let mut parts = Entries::new(payload, header.time_base);
        let mut seq = header.first_seq;
        for _ in 0..header.count {
            let Some((time, mut content)) = parts.next_entry() else {
                return Err(self.undecodable(header));
            };
            if seq >= from && seq <= until {
                match Command::deserialize(&mut content) {
                    Ok(command) if content.is_empty() => {
                        entries.push(Entry { seq, time, command });
                    }
                    _ => return Err(self.undecodable(header)),
                }
            }
            seq = seq.next();
        }
        if !parts.is_at_end() {
            return Err(self.undecodable(header));
        }
        Ok(())
    }

    /// The hash is right, so these bytes were written: by a binary with other commands.
    fn undecodable(&self, header: &RecordHeader) -> JournalError {
        JournalError::Damaged {
            file: self.walk.window.path.clone(),
            offset: self.walk.at.offset - header.record_len(),
            seq: header.first_seq,
            what: "the record is whole, but an entry in it is no command that this binary knows",
        }
    }
}

/// Entry by entry, for tools; replay takes whole batches.
impl Iterator for CommandReader {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.buffered.next() {
                return Some(Ok(entry));
            }
            let mut entries = Vec::new();
            match self.next_batch(&mut entries) {
                Ok(Some(_)) => self.buffered = entries.into_iter(),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
