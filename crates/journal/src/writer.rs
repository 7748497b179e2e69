//! Writing records: into the current segment, and into the next when it is full.

use std::path::PathBuf;

use types::Seq;

use crate::batch::BatchBuilder;
use crate::disk::Hook;
use crate::error::{Context, JournalError, Result};
use crate::format::{
    ALIGN, Hash, Identity, Kind, RecordHeader, SEGMENT_HEADER, SegmentHeader, record_len,
};
use crate::recovery::TornTail;
use crate::segment::{self, Preparer};
use crate::storage::{self, Dir, StoredFile};
use crate::walk::Position;

/// How a log is written.
#[derive(Clone)]
pub struct Options {
    /// Bytes of a segment. The command log writes zeros over them beforehand.
    pub segment_size: u64,
    /// Entries of a command log that are known from elsewhere (events, snapshots) to have been
    /// acknowledged: a log that ends before is damaged, not torn.
    pub acknowledged: Seq,
    /// Fails or observes writes and syncs, for tests.
    pub hook: Hook,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_size: 64 << 20, acknowledged: Seq(0), hook: None }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("segment_size", &self.segment_size).finish_non_exhaustive()
    }
}

/// The end of a log, where records are added. One per log; keeps the rules on failure.
#[derive(Debug)]
pub(crate) struct Writer {
    dir: Dir,
    kind: Kind,
    identity: Identity,
    options: Options,
    file: Box<dyn StoredFile>,
    path: PathBuf,
    /// First entry of the current segment.
    segment: Seq,
    at: Position,
    preparer: Preparer,
    poisoned: bool,
}

impl Writer {
    /// Begins a log whose first entry will be `first_seq`.
    pub fn create(
        dir: &Dir,
        kind: Kind,
        identity: Identity,
        options: Options,
        first_seq: Seq,
    ) -> Result<Self> {
        let mut preparer = new_preparer(dir, kind, &options);
        let header = SegmentHeader {
            kind,
            identity,
            first_seq,
            prev_hash: Hash::default(),
            prev_first_seq: Seq(0),
        };
        let (file, path) = preparer.take(&header)?;
        Ok(Self {
            dir: dir.clone(),
            kind,
            identity,
            options,
            file,
            path,
            segment: first_seq,
            at: Position {
                next_seq: first_seq,
                prev_hash: Hash::default(),
                offset: SEGMENT_HEADER as u64,
            },
            preparer,
            poisoned: false,
        })
    }

    /// Goes on after the last valid record, cutting what is torn.
    pub fn resume(
        dir: &Dir,
        kind: Kind,
        identity: Identity,
        options: Options,
        segment: Seq,
        at: Position,
        torn: Option<&TornTail>,
    ) -> Result<Self> {
        let path = segment::path_of(dir, segment);
        let file = dir.open_write(&path)?;
        if let Some(torn) = torn {
            storage::write_zeros(&*file, &path, torn.offset, torn.offset + torn.bytes)?;
        }
        let len = storage::file_len(&*file, &path)?;
        if kind == Kind::Command && len < options.segment_size {
            storage::write_zeros(&*file, &path, len, options.segment_size)?;
        }
        // What was found here is about to count, whatever became of an earlier life's sync.
        storage::make_durable(&*file, &path, at.offset)?;
        let preparer = new_preparer(dir, kind, &options);
        Ok(Self {
            dir: dir.clone(),
            kind,
            identity,
            options,
            file,
            path,
            segment,
            at,
            preparer,
            poisoned: false,
        })
    }

    /// The last entry written.
    pub fn last_seq(&self) -> Seq {
        Seq(self.at.next_seq.0 - 1)
    }

    /// First entry of the segment that is being written.
    pub fn segment(&self) -> Seq {
        self.segment
    }

    /// Writes the batch as the next record and clears it.
    pub fn append(&mut self, batch: &mut BatchBuilder, acked_seq: Seq, term: u64) -> Result<()> {
        self.guarded(|writer| writer.write_record(batch, acked_seq, term, false))?;
        batch.clear();
        Ok(())
    }

    /// Writes a record without entries which says that everything before it is acknowledged.
    pub fn append_seal(&mut self, term: u64) -> Result<()> {
        let last_seq = self.last_seq();
        let mut empty = BatchBuilder::new();
        self.guarded(|writer| writer.write_record(&mut empty, last_seq, term, true))
    }

    /// Makes everything that was written durable.
    pub fn sync(&mut self) -> Result<()> {
        self.guarded(|writer| {
            writer
                .options
                .hook
                .as_ref()
                .map_or(Ok(()), |hook| hook.before_sync(&writer.path))
                .and_then(|()| writer.file.sync_data())
                .context("sync", &writer.path)
        })
    }

    /// After one failure nothing is tried again: what the disk holds is not known.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if self.poisoned {
            return Err(JournalError::Poisoned { dir: self.dir.path().to_path_buf() });
        }
        let result = work(self);
        self.poisoned = result.is_err();
        result
    }

    fn write_record(
        &mut self,
        batch: &mut BatchBuilder,
        acked_seq: Seq,
        term: u64,
        seal: bool,
    ) -> Result<()> {
        self.make_room(record_len(batch.payload_len()) as u64)?;
        let mut header = RecordHeader {
            kind: self.kind,
            seal,
            identity: self.identity,
            count: 0,
            first_seq: self.at.next_seq,
            term,
            time_base: types::Timestamp(0),
            acked_seq,
            payload_len: 0,
            prev_hash: self.at.prev_hash,
            hash: Hash::default(),
        };
        let record = batch.finish(&mut header);
        if let Some(hook) = &self.options.hook {
            hook.before_write(&self.path, self.at.offset, record.len())
                .context("write", &self.path)?;
        }
        self.file.write_all_at(record, self.at.offset).context("write", &self.path)?;
        self.at = Position {
            next_seq: Seq(header.first_seq.0 + u64::from(header.count)),
            prev_hash: header.hash,
            offset: self.at.offset + record.len() as u64,
        };
        Ok(())
    }

    /// Turns to the next segment if `len` bytes do not fit. A segment takes at least one entry,
    /// whatever its size, so that no two have the same first entry.
    fn make_room(&mut self, len: u64) -> Result<()> {
        let end = self.at.offset + len;
        if end > self.options.segment_size && self.at.next_seq > self.segment {
            return self.rotate();
        }
        if end > self.options.segment_size / 2 && self.kind == Kind::Command {
            self.preparer.start();
        }
        Ok(())
    }

    fn rotate(&mut self) -> Result<()> {
        // The records before must be durable before any record after: only a last segment is torn.
        self.sync_for_rotation()?;
        let header = SegmentHeader {
            kind: self.kind,
            identity: self.identity,
            first_seq: self.at.next_seq,
            prev_hash: self.at.prev_hash,
            prev_first_seq: self.segment,
        };
        (self.file, self.path) = self.preparer.take(&header)?;
        self.segment = header.first_seq;
        self.at.offset = SEGMENT_HEADER as u64;
        Ok(())
    }

    fn sync_for_rotation(&self) -> Result<()> {
        if let Some(hook) = &self.options.hook {
            hook.before_sync(&self.path).context("sync", &self.path)?;
        }
        self.file.sync_data().context("sync", &self.path)
    }
}

const _: () = assert!(SEGMENT_HEADER.is_multiple_of(ALIGN));

/// Only the command log pays for a sync per batch, and only it gains from zeros written beforehand.
fn new_preparer(dir: &Dir, kind: Kind, options: &Options) -> Preparer {
    let size = match kind {
        Kind::Command => options.segment_size,
        Kind::Event => 0,
    };
    Preparer::new(dir, size)
}
