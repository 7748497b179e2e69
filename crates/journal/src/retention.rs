//! How long events are kept: by size and age, in whole segments. A registered consumer holds what it
//! has not read, but only within its budget of disk; beyond that it must catch up from
//! elsewhere.

use std::collections::BTreeMap;

use types::{Seq, Timestamp};

use crate::error::{Context, Result};
use crate::event_log::EventLog;
use crate::segment;
use crate::storage::{self, Dir};

/// Limits of an event log and the cursors of its consumers.
#[derive(Debug, Default)]
pub struct Retention {
    /// Bytes to keep at most, unless a consumer holds more.
    pub max_bytes: Option<u64>,
    /// Nanoseconds after its last write that a segment is kept at most.
    pub max_age: Option<u64>,
    consumers: BTreeMap<String, Consumer>,
}

#[derive(Debug)]
struct Consumer {
    cursor: Seq,
    budget: u64,
    state: ConsumerState,
}

/// Whether a consumer still holds segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerState {
    /// What it has not read is kept.
    Holding,
    /// It fell behind by more than its budget: what it lacks must come from elsewhere. It holds
    /// segments again when it has caught up.
    Broken,
}

impl Retention {
    /// Limits without consumers.
    #[must_use]
    pub fn new(max_bytes: Option<u64>, max_age: Option<u64>) -> Self {
        Self { max_bytes, max_age, consumers: BTreeMap::new() }
    }

    /// Registers a consumer that has read up to `cursor` and may hold `budget` bytes of the log.
    pub fn register(&mut self, name: &str, cursor: Seq, budget: u64) {
        let state = ConsumerState::Holding;
        self.consumers.insert(name.to_owned(), Consumer { cursor, budget, state });
    }

    /// The consumer has read up to `cursor`. Unknown names are nobody's business.
    pub fn advance(&mut self, name: &str, cursor: Seq) {
        if let Some(consumer) = self.consumers.get_mut(name) {
            consumer.cursor = consumer.cursor.max(cursor);
        }
    }

    /// The lowest entry that some consumer has read up to. None without consumers.
    #[must_use]
    pub fn lowest_cursor(&self) -> Option<Seq> {
        self.consumers.values().map(|consumer| consumer.cursor).min()
    }

    /// How a registered consumer stands.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<ConsumerState> {
        self.consumers.get(name).map(|consumer| consumer.state)
    }

    /// Removes the oldest segments that are beyond the limits and held by nobody. Returns the names
    /// of consumers that broke. `now` is compared with the modification times of the files.
    ///
    /// # Errors
    /// When a file cannot be read or removed.
    pub fn enforce(&mut self, log: &EventLog, now: Timestamp) -> Result<Vec<String>> {
        let (dir, current) = log.place();
        let segments = segment::list(dir)?.segments;
        let sizes = sizes(dir, &segments)?;
        let mut total: u64 = sizes.iter().sum();
        let mut broken = Vec::new();
        self.restore_consumers(segments.last().copied().unwrap_or_default());
        for (pair, size) in segments.windows(2).zip(sizes) {
            if Some(pair[0]) == current || !self.is_expired(dir, pair[0], total, now)? {
                break;
            }
            self.break_consumers(pair[1], total, &mut broken);
            if self.is_held(pair[1]) {
                break;
            }
            dir.remove(&segment::path_of(dir, pair[0]))?;
            dir.sync()?;
            total -= size;
        }
        Ok(broken)
    }

    fn is_expired(&self, dir: &Dir, first: Seq, total: u64, now: Timestamp) -> Result<bool> {
        if self.max_bytes.is_some_and(|max| total > max) {
            return Ok(true);
        }
        let Some(max_age) = self.max_age else {
            return Ok(false);
        };
        let path = segment::path_of(dir, first);
        let modified = dir.storage().modified(&path).context("read the age of", &path)?;
        Ok(now.0.saturating_sub(max_age) > modified.0)
    }

    /// Those that need nothing before the newest segment have caught up.
    fn restore_consumers(&mut self, newest: Seq) {
        for consumer in self.consumers.values_mut().filter(|it| !it.needs_before(newest)) {
            consumer.state = ConsumerState::Holding;
        }
    }

    /// Those that need a segment before `next`, though the log has outgrown their budget, are broken.
    fn break_consumers(&mut self, next: Seq, total: u64, broken: &mut Vec<String>) {
        for (name, consumer) in &mut self.consumers {
            let is_over = total > consumer.budget && consumer.needs_before(next);
            if is_over && consumer.state == ConsumerState::Holding {
                consumer.state = ConsumerState::Broken;
                broken.push(name.clone());
            }
        }
    }

    fn is_held(&self, next: Seq) -> bool {
        self.consumers
            .values()
            .any(|consumer| consumer.state == ConsumerState::Holding && consumer.needs_before(next))
    }
}

impl Consumer {
    /// Whether it has not read all entries before `next`.
    fn needs_before(&self, next: Seq) -> bool {
        self.cursor.next() < next
    }
}

fn sizes(dir: &Dir, segments: &[Seq]) -> Result<Vec<u64>> {
    let size = |&first: &Seq| {
        let path = segment::path_of(dir, first);
        storage::file_len(&*dir.open_read(&path)?, &path)
    };
    segments.iter().map(size).collect()
}
