//! Why a log or a snapshot cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use types::Seq;

/// What fails in this crate. None of it may be retried on the same object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as `write`.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Bytes that were whole once are not what was written. Nothing was changed.
    #[error("{} is damaged at byte {offset}, entry {seq}: {what}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it the damaged record begins.
        offset: u64,
        /// The entry that should stand there.
        seq: Seq,
        /// What is wrong.
        what: &'static str,
    },
    /// A segment between two others, or before the first, is missing.
    #[error("a segment is missing before {}: it follows the one from entry {expected}", file.display())]
    MissingSegment {
        /// The segment whose predecessor is not there.
        file: PathBuf,
        /// First entry of that predecessor.
        expected: Seq,
    },
    /// A whole file that does not belong here.
    #[error("{} does not belong to this log: {what}", file.display())]
    WrongLog {
        /// The file.
        file: PathBuf,
        /// Which part of its identity differs.
        what: &'static str,
    },
    /// Written by a version of the format that this binary does not know.
    #[error("{} has format version {version}, this binary reads {}", file.display(), crate::FORMAT_VERSION)]
    UnknownVersion {
        /// The file.
        file: PathBuf,
        /// Its version.
        version: u16,
    },
    /// Entries before the oldest segment were asked for.
    #[error("entry {asked} is not kept any more: the log begins with entry {oldest}")]
    NotKept {
        /// What was asked.
        asked: Seq,
        /// The oldest entry.
        oldest: Seq,
    },
    /// Entries that should be there are not.
    #[error("{} ends with entry {last}, before entry {asked}", dir.display())]
    EndsEarly {
        /// The log.
        dir: PathBuf,
        /// The last entry.
        last: Seq,
        /// What was asked.
        asked: Seq,
    },
    /// Events that are derived anew differ from those on disk.
    #[error("entry {seq} gives other events than {} holds", dir.display())]
    EventsDiffer {
        /// The event log.
        dir: PathBuf,
        /// The entry.
        seq: Seq,
    },
    /// An earlier write or sync of this log failed.
    #[error("an earlier write or sync of {} failed: it takes nothing any more", dir.display())]
    Poisoned {
        /// The log.
        dir: PathBuf,
    },
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, JournalError>;

/// Adds what was tried, and on which path, to an error of the operating system.
pub(crate) trait Context<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| JournalError::Io { action, path: path.to_path_buf(), source })
    }
}
