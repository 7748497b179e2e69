//! Walking the records of a log in order: each is checked whole (checksum, hash, chain, padding,
//! trailer) before anything of it is believed.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use types::Seq;

use crate::error::{Context, JournalError, Result};
use crate::format::{
    Hash, Identity, Kind, Malformed, RECORD_HEADER, RecordHeader, SEGMENT_HEADER, TRAILER, is_zero,
};
use crate::segment;
use crate::storage::{Dir, StoredFile, file_len};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// A file seen through one buffer. Reading beyond the end gives fewer bytes, not an error.
#[derive(Debug)]
pub(crate) struct Window {
    file: Box<dyn StoredFile>,
    pub path: PathBuf,
    buffer: Vec<u8>,
    /// Where the valid bytes of `buffer` stand in the file.
    covered: Range<u64>,
}

impl Window {
    pub fn new(file: Box<dyn StoredFile>, path: PathBuf) -> Self {
        Self { file, path, buffer: Vec::new(), covered: 0..0 }
    }

    /// Up to `len` bytes at `offset`.
    pub fn bytes(&mut self, offset: u64, len: usize) -> Result<&[u8]> {
        let end = offset + len as u64;
        if offset < self.covered.start || end > self.covered.end {
            // No more than there is: most of what is read is far smaller than a chunk.
            let rest = file_len(&*self.file, &self.path)?.saturating_sub(offset);
            self.read(offset, len.max(CHUNK).min(rest as usize))?;
        }
        let end = end.min(self.covered.end).max(offset);
        let start = (offset - self.covered.start) as usize;
        Ok(&self.buffer[start..start + (end - offset) as usize])
    }

    /// Forgets what was read: the file may have changed.
    fn invalidate(&mut self) {
        self.covered = 0..0;
    }

    fn read(&mut self, offset: u64, len: usize) -> Result<()> {
        if self.buffer.len() < len {
            self.buffer.resize(len, 0);
        }
        let mut filled = 0;
        while filled < len {
            match self.file.read_at(&mut self.buffer[filled..len], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("read", &self.path),
            }
        }
        self.covered = offset..offset + filled as u64;
        Ok(())
    }
}

/// What stands at an offset where a record may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A whole record.
    Record(RecordHeader),
    /// Zeros, or the end of the file.
    Nothing,
    /// A header that cannot be trusted.
    BadHeader(Malformed),
    /// A trusted header with other content than it was written with.
    BadBody(RecordHeader, &'static str),
}

/// Checks the record at `offset` by itself, without regard to the records before it.
pub(crate) fn examine(
    window: &mut Window,
    offset: u64,
    kind: Kind,
    identity: Identity,
) -> Result<Found> {
    let head = window.bytes(offset, RECORD_HEADER)?;
    if is_zero(head) {
        return Ok(Found::Nothing);
    }
    let header = match RecordHeader::decode(head, kind, identity) {
        Ok(header) => header,
        Err(malformed) => return Ok(Found::BadHeader(malformed)),
    };
    let len = header.record_len() as usize;
    let record = window.bytes(offset, len)?;
    if record.len() < len {
        return Ok(Found::BadBody(header, "the record is cut off"));
    }
    let (payload, rest) = record[RECORD_HEADER..].split_at(header.payload_len as usize);
    let (padding, trailer) = rest.split_at(rest.len() - TRAILER.len());
    if header.computed_hash(payload) != header.hash {
        return Ok(Found::BadBody(header, "the record does not match its hash"));
    }
    if !is_zero(padding) || trailer != TRAILER {
        return Ok(Found::BadBody(header, "the end of the record is not what was written"));
    }
    Ok(Found::Record(header))
}

/// Where a walk stands between two records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// The entry that comes next.
    pub next_seq: Seq,
    /// Hash of the record before.
    pub prev_hash: Hash,
    /// Where the next record begins.
    pub offset: u64,
}

/// One segment, walked record by record.
#[derive(Debug)]
pub(crate) struct SegmentWalk {
    pub window: Window,
    pub kind: Kind,
    pub identity: Identity,
    pub first_seq: Seq,
    pub at: Position,
}

/// How a walk went on.
#[derive(Debug)]
pub(crate) enum Step {
    /// The next record of the chain; `SegmentWalk::payload` has its content.
    Record(RecordHeader),
    /// There is none.
    End(Found),
}

impl SegmentWalk {
    /// Opens the segment that begins with `first_seq`. Its own header says what it follows.
    pub fn open(dir: &Dir, first_seq: Seq, kind: Kind, identity: Identity) -> Result<Self> {
        let path = segment::path_of(dir, first_seq);
        let file = dir.open_read(&path)?;
        let header = segment::read_header(&*file, &path, first_seq, kind, identity)?;
        Ok(Self {
            window: Window::new(file, path),
            kind,
            identity,
            first_seq,
            at: Position {
                next_seq: first_seq,
                prev_hash: header.prev_hash,
                offset: SEGMENT_HEADER as u64,
            },
        })
    }

    /// Takes the next record.
    pub fn step(&mut self) -> Result<Step> {
        let found = examine(&mut self.window, self.at.offset, self.kind, self.identity)?;
        let Found::Record(header) = found else {
            return Ok(Step::End(found));
        };
        if header.prev_hash != self.at.prev_hash || header.first_seq != self.at.next_seq {
            return Err(self.damaged("the record does not follow the one before it"));
        }
        let Some(next_seq) = header.first_seq.0.checked_add(header.count.into()) else {
            return Err(self.damaged("the record has more entries than there are numbers"));
        };
        self.at = Position {
            next_seq: Seq(next_seq),
            prev_hash: header.hash,
            offset: self.at.offset + header.record_len(),
        };
        Ok(Step::Record(header))
    }

    /// [`Self::step`] on what the file holds now.
    pub fn step_anew(&mut self) -> Result<Step> {
        self.window.invalidate();
        self.step()
    }

    /// The payload of the record that the last step gave.
    pub fn payload(&mut self, header: &RecordHeader) -> Result<&[u8]> {
        let offset = self.at.offset - header.record_len() + RECORD_HEADER as u64;
        self.window.bytes(offset, header.payload_len as usize)
    }

    /// The error for what `found` at the current position is.
    pub fn error_for(&self, found: Found) -> JournalError {
        match found {
            Found::BadHeader(malformed) => segment::malformed_error(
                malformed,
                &self.window.path,
                self.at.offset,
                self.at.next_seq,
            ),
            Found::BadBody(_, what) => self.damaged(what),
            Found::Nothing => self.damaged("the record is missing"),
            Found::Record(_) => self.damaged("there is a record that should not be"),
        }
    }

    pub fn damaged(&self, what: &'static str) -> JournalError {
        JournalError::Damaged {
            file: self.window.path.clone(),
            offset: self.at.offset,
            seq: self.at.next_seq,
            what,
        }
    }

    /// Nothing but zeros may follow the last record of a segment that another one follows.
    pub fn check_end(&mut self, found: Found) -> Result<()> {
        if found != Found::Nothing {
            return Err(self.error_for(found));
        }
        match last_non_zero(&mut self.window, self.at.offset)? {
            Some(_) => Err(self.error_for(Found::Nothing)),
            None => Ok(()),
        }
    }

    /// Goes on with the segment after this one, which must follow the last record here.
    pub fn follow(&mut self, dir: &Dir, next: Seq) -> Result<()> {
        let following = Self::open(dir, next, self.kind, self.identity)?;
        if following.at.next_seq > self.at.next_seq {
            return Err(self.damaged("entries are missing before the next segment"));
        }
        if following.at.next_seq != self.at.next_seq || following.at.prev_hash != self.at.prev_hash
        {
            return Err(following.damaged("the segment does not follow the one before it"));
        }
        *self = following;
        Ok(())
    }
}

/// The last byte at or after `from` that is not zero.
pub(crate) fn last_non_zero(window: &mut Window, from: u64) -> Result<Option<u64>> {
    let mut last = None;
    let mut at = from;
    loop {
        let bytes = window.bytes(at, CHUNK)?;
        if bytes.is_empty() {
            return Ok(last);
        }
        let len = bytes.len() as u64;
        if !is_zero(bytes) {
            last = bytes.iter().rposition(|&byte| byte != 0).map(|index| at + index as u64);
        }
        at += len;
    }
}
