//! Why a node cannot start, or cannot go on.

use std::path::PathBuf;

use journal::JournalError;
use types::{PartitionId, Seq};

/// Exit status when a write or sync failed (`EX_IOERR`).
pub const EXIT_DISK: i32 = 74;
/// Exit status when a partition's thread panicked (`EX_SOFTWARE`).
pub const EXIT_BUG: i32 = 70;

/// What fails in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Another process uses the data directory.
    #[error("{} is in use by process {pid}", data.display())]
    InUse {
        /// The data directory.
        data: PathBuf,
        /// That process, as far as it said.
        pid: String,
    },
    /// The configuration spreads accounts and markets differently from what the log says.
    #[error(
        "partition {partition} was founded with another topology than is configured; moving accounts and markets is not a matter of configuration"
    )]
    TopologyChanged {
        /// The partition.
        partition: PartitionId,
    },
    /// A partition of a founded exchange has no command log.
    #[error(
        "partition {partition} is lost: there is no command log in {}; put that directory back from a backup of the whole data directory, nothing was changed", commands.display()
    )]
    LogLost {
        /// The partition.
        partition: PartitionId,
        /// Where its command log should be.
        commands: PathBuf,
    },
    /// A role without a partition.
    #[error("the topology names partitions that do not exist, or leaves a role without one")]
    InvalidTopology,
    /// A file that a node keeps for itself is not what it wrote.
    #[error("{}: {what}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A log or a snapshot.
    #[error("partition {partition}: {source}")]
    Journal {
        /// Whose.
        partition: PartitionId,
        /// What is wrong with it.
        source: JournalError,
    },
    /// The log does not lead to where a snapshot says.
    #[error("partition {partition}: {what} at entry {seq}")]
    Inconsistent {
        /// Whose.
        partition: PartitionId,
        /// What does not agree.
        what: &'static str,
        /// Where.
        seq: Seq,
    },
    /// A partition's thread panicked.
    #[error("partition {partition} stopped by a bug: its thread panicked")]
    Bug {
        /// Whose.
        partition: PartitionId,
    },
}

impl NodeError {
    /// The exit status of a process that ends with this.
    #[must_use]
    pub fn exit_status(&self) -> i32 {
        match self {
            Self::Bug { .. } => EXIT_BUG,
            _ => EXIT_DISK,
        }
    }
}

/// Says whose journal failed.
pub(crate) trait OfPartition<T> {
    fn of(self, partition: PartitionId) -> Result<T, NodeError>;
}

impl<T> OfPartition<T> for Result<T, JournalError> {
    fn of(self, partition: PartitionId) -> Result<T, NodeError> {
        self.map_err(|source| NodeError::Journal { partition, source })
    }
}

/// Says what was tried, and on what.
pub(crate) trait Context<T> {
    fn context(self, action: &'static str, path: &std::path::Path) -> Result<T, NodeError>;
}

impl<T> Context<T> for std::io::Result<T> {
    fn context(self, action: &'static str, path: &std::path::Path) -> Result<T, NodeError> {
        self.map_err(|source| NodeError::Io { action, path: path.to_path_buf(), source })
    }
}
