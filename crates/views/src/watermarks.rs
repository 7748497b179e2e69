//! How far each partition's events have been applied: what read-your-writes waits for.
//!
//! A reply names the entry that answered (and the one passed before it); a reader that waits for
//! these sees what was done. Any consumer of events may own one: the views do, and so may the driver
//! of the SQL projection. Marks only rise.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, RwLock};
use types::{PartitionId, Seq};

/// Called after a partition's mark has risen, on the consumer's thread: must be quick and not block.
pub type AppliedHook = Box<dyn Fn(PartitionId, Seq) + Send + Sync>;

/// The last applied entry of each partition.
pub struct Watermarks {
    marks: Box<[AtomicU64]>,
    hooks: RwLock<Vec<AppliedHook>>,
    /// Guards nothing but the moment between a waiter's look and its sleep.
    sleepers: Mutex<()>,
    risen: Condvar,
}

impl Watermarks {
    /// All marks at zero.
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        Self {
            marks: (0..partitions).map(|_| AtomicU64::new(0)).collect(),
            hooks: RwLock::default(),
            sleepers: Mutex::new(()),
            risen: Condvar::new(),
        }
    }

    /// Number of partitions.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.marks.len() as u16
    }

    /// The last applied entry; zero for none, and for a partition that does not exist.
    #[must_use]
    pub fn applied(&self, partition: PartitionId) -> Seq {
        let mark = self.marks.get(usize::from(partition.0));
        Seq(mark.map_or(0, |mark| mark.load(Ordering::Acquire)))
    }

    /// Whether `seq` is applied. One atomic load. Seq zero always is.
    #[must_use]
    pub fn is_applied(&self, partition: PartitionId, seq: Seq) -> bool {
        self.applied(partition) >= seq
    }

    /// Blocks until `seq` is applied; false if `timeout` passed before. Asynchronous code uses
    /// [`Self::on_applied`] and [`Self::is_applied`] instead.
    #[must_use]
    pub fn wait_for(&self, partition: PartitionId, seq: Seq, timeout: Duration) -> bool {
        if self.is_applied(partition, seq) {
            return true;
        }
        let deadline = Instant::now() + timeout;
        let mut sleeping = self.sleepers.lock();
        while !self.is_applied(partition, seq) {
            let timed_out = self.risen.wait_until(&mut sleeping, deadline).timed_out();
            if timed_out {
                return self.is_applied(partition, seq);
            }
        }
        true
    }

    /// Adds a hook, for all marks that rise from now on. Look with [`Self::is_applied`] after adding,
    /// so that no rise is missed between.
    pub fn on_applied(&self, hook: AppliedHook) {
        self.hooks.write().push(hook);
    }

    /// Raises a mark, wakes the waiters and calls the hooks. A lower `seq` changes nothing.
    ///
    /// # Panics
    /// If there is no such partition.
    pub fn advance(&self, partition: PartitionId, seq: Seq) {
        let mark = &self.marks[usize::from(partition.0)];
        if mark.fetch_max(seq.0, Ordering::AcqRel) >= seq.0 {
            return;
        }
        drop(self.sleepers.lock());
        self.risen.notify_all();
        for hook in self.hooks.read().iter() {
            hook(partition, seq);
        }
    }
}

impl std::fmt::Debug for Watermarks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.marks.iter()).finish()
    }
}
