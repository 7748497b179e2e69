//! The port of a node: what gateways, views and projectors see of it. A gateway in the same process
//! talks to [`crate::Node`] through these traits; one elsewhere will talk to a remote one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use types::{
    Event, EventBatch, PartitionId, RejectCode, ReplyTo, Request, Seq, Timestamp, Topology,
};

/// Takes commands and gives events.
pub trait Exchange: Send + Sync {
    /// Hands a request to the partition that hosts its subject. Never blocks. The answer goes to the
    /// session of `reply`, once it is durable; nobody is told if `reply` is [`ReplyTo::NOBODY`].
    ///
    /// # Errors
    /// [`RejectCode::Overloaded`] when the queue is full: nothing was done. Cancels have slots of
    /// their own in the same queue.
    fn submit(
        &self,
        reply: ReplyTo,
        valid_until: Timestamp,
        request: Request,
    ) -> Result<(), RejectCode>;

    /// A new session whose answers go to `sink`: its number is the `session` of a [`ReplyTo`]. It is
    /// unique over all lives of the process.
    fn open_session(&self, sink: Arc<dyn ReplySink>) -> u64;

    /// Ends a session: answers still on their way are dropped.
    fn close_session(&self, session: u64);

    /// Which partition hosts what.
    fn topology(&self) -> &Topology;

    /// The events of a partition.
    fn feed(&self, partition: PartitionId) -> Arc<dyn EventFeed>;

    /// The sequencer's clock, for computing a `valid_until`.
    fn now(&self) -> Timestamp;

    /// By how much the last entry's time is ahead of the clock; zero if it is not. As long as it is,
    /// time stands still here, and what clients stamp by a right clock is too old.
    fn ahead_of_clock(&self) -> Duration {
        Duration::ZERO
    }
}

/// Receives the answers of a session, on the partition's thread: must not block.
pub trait ReplySink: Send + Sync {
    /// The entry that answered is durable and applied.
    fn deliver(&self, reply: Reply<'_>);
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Whom it is for: its token, and the partition passed before.
    pub to: ReplyTo,
    /// The partition that answers.
    pub partition: PartitionId,
    /// The entry there. A reader that waits for it (and for `to.passed_seq`) sees what was done.
    pub seq: Seq,
    /// When the entry was stamped.
    pub time: Timestamp,
    /// When its batch got on.
    pub batch: BatchTimes,
    /// What happened in the same entry before the answer, by this command or by others.
    pub before: &'a [Event],
    /// The answer, then what follows it in the same entry, up to the next answer: consequences of the
    /// same command are among them, and those of others may be.
    pub events: &'a [Event],
}

/// When a batch got on, by the clock that measures durations: for figures, never for decisions.
#[derive(Clone, Copy, Debug)]
pub struct BatchTimes {
    /// The partition began to take what waited.
    pub begun: Instant,
    /// All of it was applied.
    pub applied: Instant,
    /// All of it was durable.
    pub durable: Instant,
}

impl BatchTimes {
    /// All at this moment.
    #[must_use]
    pub fn now() -> Self {
        let now = Instant::now();
        Self { begun: now, applied: now, durable: now }
    }
}

/// A partition's event log, read by cursor.
pub trait EventFeed: Send + Sync {
    /// Events after entry `after` (zero: from the beginning): at least one entry, at most what lies
    /// together. `None` when there are none yet.
    ///
    /// # Errors
    /// When they are not kept any more, or cannot be read.
    fn read(&self, after: Seq) -> Result<Option<Arc<EventBatch>>, FeedError>;

    /// The last entry whose events can be read.
    fn head(&self) -> Seq;

    /// The oldest entry whose events can be read.
    fn oldest(&self) -> Seq;

    /// Waits until there are events after `after`; false when `timeout` passed or the node stopped.
    fn wait(&self, after: Seq, timeout: Duration) -> bool;

    /// Whether the node has stopped and nothing more will come.
    fn is_closed(&self) -> bool;
}

/// Why events cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FeedError {
    /// Retention has removed them: the consumer must be built anew from a snapshot.
    #[error("events before entry {oldest} are not kept any more")]
    TooOld {
        /// The oldest entry that can be read.
        oldest: Seq,
    },
    /// The event log is damaged or unreadable.
    #[error("event log: {0}")]
    Unreadable(String),
}
