//! The durable log of a partition: segments of checksummed, hash-chained batches, recovery after a
//! crash, the derived event log, and snapshots. `docs/journal-format.md` describes the bytes.
//!
//! Invariants:
//! - the record is the batch: written by one `pwrite`, made durable by one sync, checked by one hash;
//! - only what was never acknowledged, at the end of the last segment, may be torn and is cut; any
//!   other damage is an error that names file, offset and seq, and then nothing is changed;
//! - after a failed write or sync a log refuses everything: what the disk holds is not known any more.
//!
//! This crate knows `types` only. It has no clock, decides no ordering and applies no command.
#![forbid(unsafe_code)]

mod batch;
mod command_log;
mod command_reader;
mod disk;
mod encode;
mod error;
mod event_log;
mod event_reader;
mod format;
mod recovery;
mod retention;
mod segment;
mod snapshot;
mod storage;
mod walk;
mod writer;

pub use batch::BatchBuilder;
pub use command_log::{CommandLog, RecoveryReport, verify_commands};
pub use command_reader::{BatchInfo, CommandReader};
pub use disk::{DiskHook, FileSystem};
pub use error::JournalError;
pub use event_log::{EventLog, EventRecovery};
pub use event_reader::EventReader;
pub use format::{FORMAT_VERSION, Identity};
pub use recovery::TornTail;
pub use retention::{ConsumerState, Retention};
pub use snapshot::{Snapshot, SnapshotHeader, SnapshotStore};
pub use storage::{Access, Dir, Storage, StoredFile, read_exact_at};
pub use writer::Options;
