//! A partition's events as readers see them: the recent ones in memory, older ones from the event
//! log. Written by the partition's thread, which never waits for readers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use journal::{Dir, EventReader, Identity, JournalError};
use parking_lot::{Condvar, Mutex};
use types::{EventBatch, PartitionId, Seq};

use crate::port::{EventFeed, FeedError};

/// Places in the event log that are remembered for cursors that read it in turn.
const IDLE_READERS: usize = 8;

pub(crate) struct Feed {
    partition: PartitionId,
    ring: Mutex<Ring>,
    /// Notified when the ring or its state changes.
    changed: Condvar,
    /// The last entry in the ring.
    head: AtomicU64,
    /// The last entry that the publisher is done with.
    written: AtomicU64,
    /// Events in the ring that it is not done with.
    unwritten_events: AtomicUsize,
    /// Reads what the ring does not hold any more, if there is an event log.
    disk: Option<Disk>,
    /// Events that the ring keeps once they are written.
    capacity: usize,
}

/// The event log as read by several cursors at once.
struct Disk {
    dir: Dir,
    identity: Identity,
    /// Where cursors stopped last, the most recent first.
    idle: Mutex<Vec<EventReader>>,
}

struct Ring {
    batches: VecDeque<Arc<EventBatch>>,
    events: usize,
    /// An old batch whose memory may be used again, once its readers are done with it.
    spare: Option<Arc<EventBatch>>,
    /// The publisher is to look: there is a request for it.
    is_called: bool,
    is_closed: bool,
}

/// Why the publisher wakes.
pub(crate) enum Wake {
    /// These batches are new.
    Batches(Vec<Arc<EventBatch>>),
    /// There is a request.
    Called,
    /// Everything is written and nothing more comes.
    Closed,
}

impl Feed {
    /// A feed whose last entry so far is `head`; what is before is on disk, if anywhere.
    pub fn new(
        partition: PartitionId,
        head: Seq,
        disk: Option<(Dir, Identity)>,
        capacity: usize,
    ) -> Self {
        Self {
            partition,
            ring: Mutex::new(Ring {
                batches: VecDeque::new(),
                events: 0,
                spare: None,
                is_called: false,
                is_closed: false,
            }),
            changed: Condvar::new(),
            head: AtomicU64::new(head.0),
            written: AtomicU64::new(head.0),
            unwritten_events: AtomicUsize::new(0),
            disk: disk.map(|(dir, identity)| Disk { dir, identity, idle: Mutex::default() }),
            capacity,
        }
    }

    /// Adds the events of durable entries. Readers find them from now on; who sleeps is woken by
    /// [`Self::wake`].
    pub fn push(&self, batch: Arc<EventBatch>) {
        let Some(last) = batch.last_seq() else {
            return;
        };
        let mut ring = self.ring.lock();
        ring.events += cost(&batch);
        self.unwritten_events.fetch_add(cost(&batch), Ordering::Relaxed);
        ring.batches.push_back(batch);
        self.head.store(last.0, Ordering::Release);
        self.evict(&mut ring);
    }

    /// Wakes those who wait for what was pushed.
    pub fn wake(&self) {
        self.changed.notify_all();
    }

    /// Drops the oldest batches beyond the capacity, as far as the publisher is done with them. The
    /// newest one stays, whatever its size.
    fn evict(&self, ring: &mut Ring) {
        let written = self.written();
        while ring.events > self.capacity
            && ring.batches.len() > 1
            && ring.batches.front().is_some_and(|oldest| oldest.last_seq() <= Some(written))
        {
            let oldest = ring.batches.pop_front().expect("just looked at");
            ring.events -= cost(&oldest);
            ring.spare = Some(oldest);
        }
    }

    /// An empty batch, with the memory of an old one if there is one: fresh memory costs a page
    /// fault every few events.
    pub fn spare(&self) -> EventBatch {
        let old = self.ring.lock().spare.take();
        match old.and_then(Arc::into_inner) {
            Some(mut batch) => {
                batch.clear();
                batch
            }
            None => EventBatch::new(self.partition),
        }
    }

    /// Events that wait for the publisher.
    pub fn backlog(&self) -> usize {
        self.unwritten_events.load(Ordering::Relaxed)
    }

    pub fn written(&self) -> Seq {
        Seq(self.written.load(Ordering::Acquire))
    }

    /// The publisher is done with these batches.
    pub fn set_written(&self, batches: &[Arc<EventBatch>]) {
        let Some(last) = batches.last().and_then(|batch| batch.last_seq()) else {
            return;
        };
        let events = batches.iter().map(|batch| cost(batch)).sum();
        self.written.store(last.0, Ordering::Release);
        self.unwritten_events.fetch_sub(events, Ordering::Relaxed);
        self.evict(&mut self.ring.lock());
    }

    /// Waits for batches that the publisher has not seen, at most `max` of them.
    pub fn next_unwritten(&self, max: usize) -> Wake {
        let mut ring = self.ring.lock();
        loop {
            if let Some(wake) = ring.wake(self.written(), max) {
                return wake;
            }
            self.changed.wait(&mut ring);
        }
    }

    /// [`Self::next_unwritten`] without waiting.
    pub fn unwritten(&self, max: usize) -> Option<Wake> {
        self.ring.lock().wake(self.written(), max)
    }

    /// Batches that the publisher has not seen, up to the one with entry `until`.
    pub fn unwritten_until(&self, until: Seq) -> Vec<Arc<EventBatch>> {
        let ring = self.ring.lock();
        let new = ring.batches.iter().skip(ring.first_after(self.written()));
        new.take_while(|batch| batch.first_seq() <= Some(until)).cloned().collect()
    }

    /// Wakes the publisher for a request.
    pub fn call(&self) {
        self.ring.lock().is_called = true;
        self.changed.notify_all();
    }

    /// Nothing more comes.
    pub fn close(&self) {
        self.ring.lock().is_closed = true;
        self.changed.notify_all();
    }

    fn read_disk(&self, after: Seq) -> Result<Option<Arc<EventBatch>>, FeedError> {
        let Some(disk) = &self.disk else {
            return Err(FeedError::TooOld { oldest: self.oldest() });
        };
        match disk.read(after) {
            Ok(Some(batch)) => Ok(Some(Arc::new(batch))),
            Ok(None) => Err(FeedError::Unreadable(format!(
                "entry {} is not in it though later ones are",
                after.next()
            ))),
            Err(JournalError::NotKept { oldest, .. }) => Err(FeedError::TooOld { oldest }),
            Err(error) => Err(FeedError::Unreadable(error.to_string())),
        }
    }
}

impl Disk {
    /// Goes on with the reader that stopped at `after`, or with a new one.
    fn read(&self, after: Seq) -> Result<Option<EventBatch>, JournalError> {
        let mut reader = self.take(after);
        let result = reader.read(after);
        if result.is_ok() {
            let mut idle = self.idle.lock();
            idle.insert(0, reader);
            idle.truncate(IDLE_READERS);
        }
        result
    }

    fn take(&self, after: Seq) -> EventReader {
        let mut idle = self.idle.lock();
        match idle.iter().position(|reader| reader.position() == Some(after)) {
            Some(index) => idle.remove(index),
            None => EventReader::open(&self.dir, self.identity),
        }
    }
}

impl Ring {
    /// What the publisher is to do, if anything, when it is done with entries up to `written`.
    fn wake(&mut self, written: Seq, max: usize) -> Option<Wake> {
        if std::mem::take(&mut self.is_called) {
            return Some(Wake::Called);
        }
        let new = self.first_after(written);
        if new < self.batches.len() {
            return Some(Wake::Batches(self.batches.iter().skip(new).take(max).cloned().collect()));
        }
        self.is_closed.then_some(Wake::Closed)
    }

    /// Index of the first batch with entries after `seq`.
    fn first_after(&self, seq: Seq) -> usize {
        self.batches.partition_point(|batch| batch.last_seq() <= Some(seq))
    }
}

/// An entry without events takes room, too.
fn cost(batch: &EventBatch) -> usize {
    batch.event_count() + batch.len()
}

/// The entries of `batch` after `seq` alone. Readers stop at the ends of batches, so that this is
/// only for those that come from elsewhere.
fn trimmed(batch: &Arc<EventBatch>, after: Seq) -> Arc<EventBatch> {
    if batch.first_seq() > Some(after) {
        return Arc::clone(batch);
    }
    let mut rest = EventBatch::new(batch.partition);
    for entry in batch.iter_after(after) {
        rest.push(entry.seq, entry.time, &mut entry.events.to_vec());
    }
    Arc::new(rest)
}

impl EventFeed for Feed {
    fn read(&self, after: Seq) -> Result<Option<Arc<EventBatch>>, FeedError> {
        if after >= self.head() {
            return Ok(None);
        }
        {
            let ring = self.ring.lock();
            let oldest = ring.batches.front().and_then(|batch| batch.first_seq());
            if oldest.is_some_and(|oldest| oldest <= after.next()) {
                return Ok(Some(trimmed(&ring.batches[ring.first_after(after)], after)));
            }
        }
        self.read_disk(after)
    }

    fn head(&self) -> Seq {
        Seq(self.head.load(Ordering::Acquire))
    }

    fn oldest(&self) -> Seq {
        let on_disk = self
            .disk
            .as_ref()
            .and_then(|disk| EventReader::open(&disk.dir, disk.identity).oldest().ok());
        if let Some(oldest) = on_disk.filter(|&oldest| oldest > Seq(0)) {
            return oldest;
        }
        let ring = self.ring.lock();
        let oldest = ring.batches.front().and_then(|batch| batch.first_seq());
        oldest.unwrap_or(self.head().next())
    }

    fn wait(&self, after: Seq, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut ring = self.ring.lock();
        while self.head() <= after {
            if ring.is_closed || self.changed.wait_until(&mut ring, deadline).timed_out() {
                return self.head() > after;
            }
        }
        true
    }

    fn is_closed(&self) -> bool {
        self.ring.lock().is_closed
    }
}

#[cfg(test)]
mod tests {
    use types::{AccountId, Amount, AssetId, Event, Timestamp};

    use super::*;

    fn batch(first: u64, last: u64) -> Arc<EventBatch> {
        let mut batch = EventBatch::new(PartitionId(0));
        for seq in first..=last {
            let event = Event::BalanceChanged {
                account: AccountId(seq as u32),
                asset: AssetId(1),
                available: Amount::ZERO,
                held: Amount::ZERO,
            };
            batch.push(Seq(seq), Timestamp(seq), &mut vec![event]);
        }
        Arc::new(batch)
    }

    #[test]
    fn a_cursor_within_a_batch_gets_only_what_follows() {
        let feed = Feed::new(PartitionId(0), Seq(0), None, 1000);
        feed.push(batch(1, 10));
        feed.push(batch(11, 12));
        let read = feed.read(Seq(4)).unwrap().unwrap();
        assert_eq!((read.first_seq(), read.last_seq()), (Some(Seq(5)), Some(Seq(10))));
        let read = feed.read(Seq(10)).unwrap().unwrap();
        assert_eq!((read.first_seq(), read.last_seq()), (Some(Seq(11)), Some(Seq(12))));
        assert!(feed.read(Seq(12)).unwrap().is_none());
        assert!(feed.wait(Seq(11), Duration::ZERO) && !feed.wait(Seq(12), Duration::ZERO));
    }

    #[test]
    fn nothing_is_dropped_from_memory_before_it_is_written() {
        let feed = Feed::new(PartitionId(0), Seq(0), None, 4);
        let batches = [batch(1, 10), batch(11, 20), batch(21, 30)];
        for batch in &batches {
            feed.push(Arc::clone(batch));
        }
        assert_eq!((feed.oldest(), feed.backlog()), (Seq(1), 60));
        feed.set_written(&batches[..1]);
        assert_eq!((feed.oldest(), feed.backlog()), (Seq(11), 40));
        feed.set_written(&batches[1..]);
        assert_eq!((feed.oldest(), feed.backlog()), (Seq(21), 0), "the newest stays");
        assert!(matches!(feed.read(Seq(19)), Err(FeedError::TooOld { oldest: Seq(21) })));
    }

    #[test]
    fn memory_is_used_again_only_when_no_reader_holds_it() {
        let feed = Feed::new(PartitionId(0), Seq(0), None, 4);
        feed.push(batch(1, 10));
        let held = feed.read(Seq(0)).unwrap().unwrap();
        let second = batch(11, 20);
        feed.push(Arc::clone(&second));
        feed.set_written(&[Arc::clone(&held), second]);
        assert!(feed.spare().is_empty());
        assert_eq!(held.len(), 10);
    }
}
