//! Runs partitions: sequencing, group commit, acknowledgement, snapshots, event publication.
#![forbid(unsafe_code)]

mod port;

pub use port::{EventFeed, Exchange, FeedError, Reply, ReplySink};
