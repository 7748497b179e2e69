//! What a node is told when it starts, and what tests put in place of the world.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{DiskHook, FileSystem, Storage};
use types::{PartitionId, Timestamp, Topology};

use crate::NodeError;
use crate::data_dir::random_word;

/// How a node runs.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The data directory.
    pub data: PathBuf,
    /// Which partition hosts what. Cannot change once the exchange is founded.
    pub topology: Topology,
    /// Requests that may wait in a partition's queue.
    pub queue_capacity: usize,
    /// Slots of the queue that only cancels may take.
    pub queue_reserved: usize,
    /// Bytes of entries in a batch, at most (plus one entry).
    pub max_batch_bytes: usize,
    /// Entries in a batch, at most.
    pub max_batch_entries: u32,
    /// Bytes of a segment of the command log.
    pub segment_size: u64,
    /// The event log; without one, only the most recent events can be read.
    pub event_log: Option<EventLogConfig>,
    /// Recent events kept in memory for readers, per partition.
    pub recent_events: usize,
    /// Events that may wait for being written before new requests are refused, per partition.
    pub max_unwritten_events: usize,
    /// Messages to other partitions that may wait before new requests are refused.
    pub max_outbox: usize,
    /// A snapshot is made whenever this many entries were added.
    pub snapshot_every: Option<u64>,
    /// Snapshots that are kept, at least one.
    pub keep_snapshots: usize,
    /// Remove segments of the command log below the oldest kept snapshot. Else all is kept.
    pub trim_commands: bool,
    /// Consumers that will register: until they have, nothing is trimmed.
    pub consumers: Vec<String>,
    /// Makes a snapshot in another process. `{data}`, `{partition}` and `{until}` in its words are
    /// replaced. Without one, a thread of this process does it.
    pub snapshot_command: Option<Vec<OsString>>,
    /// Bind each partition's thread to a processor of its own.
    pub pin_threads: bool,
}

/// How events are kept on disk.
#[derive(Clone, Copy, Debug)]
pub struct EventLogConfig {
    /// Bytes of a segment.
    pub segment_size: u64,
    /// Bytes to keep, per partition.
    pub max_bytes: Option<u64>,
    /// Nanoseconds to keep a segment after its last write.
    pub max_age: Option<u64>,
}

impl Default for EventLogConfig {
    fn default() -> Self {
        Self { segment_size: 64 << 20, max_bytes: None, max_age: None }
    }
}

impl NodeConfig {
    /// The defaults, with everything in one partition.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            topology: Topology::single(),
            queue_capacity: 16_384,
            queue_reserved: 2_048,
            max_batch_bytes: 1 << 20,
            max_batch_entries: 8_192,
            segment_size: 64 << 20,
            event_log: Some(EventLogConfig::default()),
            recent_events: 1 << 17,
            max_unwritten_events: 1 << 20,
            max_outbox: 1 << 17,
            snapshot_every: None,
            keep_snapshots: 2,
            trim_commands: false,
            consumers: Vec::new(),
            snapshot_command: None,
            pin_threads: false,
        }
    }
}

/// Told once when a partition cannot go on. Must not return in production: what was not
/// acknowledged must not be, and state and log may differ.
pub type FatalHandler = Arc<dyn Fn(&NodeError) + Send + Sync>;

/// What must be durable before an exchange is founded in a data directory. May be repeated, if the
/// start is interrupted.
pub type BeforeFounding = Arc<dyn Fn(&Path) -> std::io::Result<()> + Send + Sync>;

/// The sequencer's clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Told while a partition replays its log: entries done, and all of them.
pub type Progress = Arc<dyn Fn(PartitionId, u64, u64) + Send + Sync>;

/// Where a node draws numbers from that nothing visible depends on, except the name of a new exchange.
pub type Randomness = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The edges of a node that tests replace.
#[derive(Clone)]
pub struct NodeHooks {
    /// What happens when a partition cannot go on. By default a line in the log, and exit.
    pub fatal: FatalHandler,
    /// Fails or observes writes and syncs of the command log.
    pub disk: Option<Arc<dyn DiskHook>>,
    /// What the logs, the snapshots and the term are kept on.
    pub storage: Arc<dyn Storage>,
    /// Called with the data directory before the first file of a new exchange is written.
    pub before_founding: BeforeFounding,
    /// The time.
    pub clock: Clock,
    /// Seeds of hash tables, and the name of a new exchange.
    pub randomness: Randomness,
    /// Watches replay.
    pub progress: Progress,
    /// A bug made on purpose, as if it were in this binary.
    #[cfg(feature = "fault-injection")]
    pub bug: Option<types::Bug>,
}

impl Default for NodeHooks {
    fn default() -> Self {
        Self {
            fatal: Arc::new(exit),
            disk: None,
            storage: Arc::new(FileSystem),
            before_founding: Arc::new(|_| Ok(())),
            clock: crate::clock::system(),
            randomness: Arc::new(random_word),
            progress: Arc::new(|_, _, _| ()),
            #[cfg(feature = "fault-injection")]
            bug: None,
        }
    }
}

fn exit(error: &NodeError) {
    tracing::error!("{error}; nothing more is acknowledged and the process ends");
    std::process::exit(error.exit_status());
}
