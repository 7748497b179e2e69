//! Runs partitions: sequencing, group commit, acknowledgement, snapshots, event publication.
//!
//! One thread per partition forms batches of what waits, applies them to the engine, makes them
//! durable with one sync and only then lets anything out: answers, events, messages to other
//! partitions. A second thread per partition writes the derived event log.
//!
//! Invariants:
//! - nothing leaves a partition before the entry that caused it is durable;
//! - after a failed write or sync nothing leaves at all and the process ends ([`EXIT_DISK`]);
//! - submitting never blocks, and no queue grows without bound: new requests are refused instead;
//!
//! - a component's bug stops that component alone, and the log says so before the entry that it failed on.
//!
//! It decides nothing about orders or money; those rules are the engine's.
#![forbid(unsafe_code)]

mod clock;
mod config;
mod data_dir;
mod error;
mod failure;
mod feed;
mod founding;
mod launch;
mod mailbox;
mod market_homes;
mod node;
mod peers;
mod port;
mod publisher;
mod quarantine;
mod recovery;
mod replay;
mod sequencer;
mod sessions;
mod snapshots;
mod stats;
pub mod stepping;

pub use config::{
    BeforeFounding, Clock, EventLogConfig, FatalHandler, NodeConfig, NodeHooks, Progress,
    Randomness,
};
pub use data_dir::{DataDir, Founding};
pub use error::{EXIT_BUG, EXIT_DISK, NodeError};
pub use node::Node;
pub use port::{BatchTimes, EventFeed, Exchange, FeedError, Reply, ReplySink};
pub use recovery::PartitionRecovery;
pub use replay::{EventDigest, ReplaySummary, replay};
pub use snapshots::{SnapshotOutcome, take_snapshot};
pub use stats::{NodeStats, PartitionStats};
