//! Segment files: their names, their heads, and preparing the next one ahead of its use.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use types::Seq;

use crate::error::{Context, JournalError, Result};
use crate::format::{Identity, Kind, Malformed, SEGMENT_HEADER, SegmentHeader};
use crate::storage::{self, Dir, StoredFile};

const SUFFIX: &str = ".log";
/// A segment in preparation. Means nothing after a crash.
const NEXT: &str = "next.tmp";

/// The segments of a directory in order, and names that are none.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub segments: Vec<Seq>,
    pub ignored: Vec<String>,
}

pub(crate) fn path_of(dir: &Dir, first_seq: Seq) -> PathBuf {
    dir.join(format!("{:020}{SUFFIX}", first_seq.0))
}

/// The number in a name of 20 digits and `suffix`.
pub(crate) fn parse_name(name: &str, suffix: &str) -> Option<Seq> {
    let digits = name.strip_suffix(suffix)?;
    let well_formed = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| digits.parse().ok()).flatten()
}

/// Refuses names that end like a segment's but are none: a log whose files were renamed is not one.
pub(crate) fn list(dir: &Dir) -> Result<Listing> {
    let mut listing = Listing::default();
    for name in dir.names()? {
        if let Some(seq) = parse_name(&name, SUFFIX) {
            listing.segments.push(seq);
        } else if name.ends_with(SUFFIX) {
            return Err(JournalError::WrongLog {
                file: dir.join(name),
                what: "its name is not 20 digits",
            });
        } else if name != NEXT {
            listing.ignored.push(name);
        }
    }
    listing.segments.sort_unstable();
    Ok(listing)
}

/// Reads the head of a segment and checks that it is the one its name says.
pub(crate) fn read_header(
    file: &dyn StoredFile,
    path: &Path,
    first_seq: Seq,
    kind: Kind,
    identity: Identity,
) -> Result<SegmentHeader> {
    let mut bytes = [0; SEGMENT_HEADER];
    let len = storage::file_len(file, path)?.min(SEGMENT_HEADER as u64) as usize;
    storage::read_exact_at(file, &mut bytes[..len], 0).context("read", path)?;
    let header = SegmentHeader::decode(&bytes[..len], kind, identity)
        .map_err(|malformed| malformed_error(malformed, path, 0, first_seq))?;
    if header.first_seq != first_seq {
        return Err(JournalError::WrongLog {
            file: path.to_path_buf(),
            what: "its name is not that of its first entry",
        });
    }
    Ok(header)
}

pub(crate) fn malformed_error(
    malformed: Malformed,
    path: &Path,
    offset: u64,
    seq: Seq,
) -> JournalError {
    let file = path.to_path_buf();
    match malformed {
        Malformed::Bytes(what) => JournalError::Damaged { file, offset, seq, what },
        Malformed::Version(version) => JournalError::UnknownVersion { file, version },
        Malformed::Identity(what) => JournalError::WrongLog { file, what },
    }
}

/// Reads all heads of `segments` and checks that each names the one before it.
pub(crate) fn check_headers(
    dir: &Dir,
    segments: &[Seq],
    kind: Kind,
    identity: Identity,
) -> Result<()> {
    let mut previous = None;
    for &first_seq in segments {
        let path = path_of(dir, first_seq);
        let file = dir.open_read(&path)?;
        let header = read_header(&*file, &path, first_seq, kind, identity)?;
        if previous.is_some_and(|previous| previous != header.prev_first_seq) {
            return Err(JournalError::MissingSegment {
                file: path,
                expected: header.prev_first_seq,
            });
        }
        previous = Some(first_seq);
    }
    Ok(())
}

/// Makes a zeroed file ready while the segment before it fills.
#[derive(Debug)]
pub(crate) struct Preparer {
    dir: Dir,
    size: u64,
    running: Option<JoinHandle<Result<Box<dyn StoredFile>>>>,
}

impl Preparer {
    pub fn new(dir: &Dir, size: u64) -> Self {
        Self { dir: dir.clone(), size, running: None }
    }

    /// Begins to prepare the next file, unless that is under way.
    pub fn start(&mut self) {
        if self.running.is_none() && !self.dir.storage().is_single_threaded() {
            let (dir, size) = (self.dir.clone(), self.size);
            self.running = std::thread::Builder::new()
                .name("journal-prepare".into())
                .spawn(move || prepare(&dir, size))
                .ok();
        }
    }

    /// The prepared file, durable under the name of its first entry.
    pub fn take(&mut self, header: &SegmentHeader) -> Result<(Box<dyn StoredFile>, PathBuf)> {
        let file = match self.running.take() {
            Some(thread) => thread.join().expect("preparing a segment does not panic")?,
            None => prepare(&self.dir, self.size)?,
        };
        let (temporary, path) = (self.dir.join(NEXT), path_of(&self.dir, header.first_seq));
        file.write_all_at(&header.encode(), 0).context("write", &temporary)?;
        file.sync_all().context("sync", &temporary)?;
        self.dir.rename(&temporary, &path)?;
        self.dir.sync()?;
        Ok((file, path))
    }
}

impl Drop for Preparer {
    fn drop(&mut self) {
        if let Some(thread) = self.running.take() {
            // The file is of no use any more; what became of it does not matter.
            let _ = thread.join();
            let _ = self.dir.remove(&self.dir.join(NEXT));
        }
    }
}

fn prepare(dir: &Dir, size: u64) -> Result<Box<dyn StoredFile>> {
    let path = dir.join(NEXT);
    let file = dir.create_file(&path)?;
    storage::write_zeros(&*file, &path, 0, size)?;
    file.sync_all().context("sync", &path)?;
    Ok(file)
}
