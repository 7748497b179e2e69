//! The thread of a partition: sequence what waits, apply it, make it durable, let it out.
//!
//! ```text
//! 1. collect   peers' messages, then requests, until the batch is full or nothing waits;
//!              each is stamped, encoded and applied, and what an entry leaves goes on in a Continue;
//!              if a component fails, the batch is begun anew with its quarantine (`quarantine.rs`)
//! 2. commit    one write, one sync
//! 3. release   answers, events, messages to peers
//! ```
//!
//! Batches form by themselves: while one is synced, the next gathers in the mailbox. No timer makes
//! them wait; a lone request is a batch of one. When the partition names a deadline, a Tick is an entry
//! of its own, unless another entry comes first.
//!
//! The thread only repeats [`Sequencer::step`] and sleeps; a simulator calls the same step by itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use engine::Partition;
use journal::{BatchBuilder, CommandLog};
use types::{Command, EventBatch, PartitionId, Seq, Timestamp, Topology};

use crate::NodeError;
use crate::config::{Clock, FatalHandler};
use crate::error::OfPartition;
use crate::failure::{Failure, guard};
use crate::feed::Feed;
use crate::mailbox::{Mailbox, PeerMessage};
use crate::market_homes::MarketHomes;
use crate::peers::Peers;
use crate::port::BatchTimes;
use crate::quarantine::Rebuilding;
use crate::sessions::Sessions;
use crate::stats::Counters;

/// How partitions are told to end. Shared by all of a node.
#[derive(Default)]
pub(crate) struct Ending {
    /// Finish what waits, seal, end.
    pub stop: AtomicBool,
    /// End at once, as a crash would.
    pub kill: AtomicBool,
}

/// What the threads of a partition, and those who talk to it, share.
pub(crate) struct Shared {
    pub mailbox: Arc<Mailbox>,
    pub feed: Arc<Feed>,
    pub counters: Arc<Counters>,
    /// Time of the last entry.
    pub last_time: AtomicU64,
    /// The last durable entry.
    pub durable: AtomicU64,
    /// Set in the end, however it came.
    pub has_ended: AtomicBool,
}

/// Bounds of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub batch_bytes: usize,
    pub batch_entries: u32,
    pub outbox: usize,
    pub unwritten_events: usize,
}

pub(crate) struct Sequencer {
    pub id: PartitionId,
    pub partition: Partition,
    pub log: CommandLog,
    pub term: u64,
    pub topology: Topology,
    pub limits: Limits,
    pub shared: Arc<Shared>,
    pub ending: Arc<Ending>,
    pub peers: Peers,
    pub sessions: Arc<Sessions>,
    pub markets: Arc<MarketHomes>,
    pub clock: Clock,
    pub fatal: FatalHandler,
    pub work: Work,
    /// For when a component fails.
    pub rebuilding: Rebuilding,
    /// Dropped when the partition serves, or never will.
    pub starting: Option<Sender<()>>,
}

/// The batch that is being formed.
pub(crate) struct Work {
    pub batch: BatchBuilder,
    pub events: EventBatch,
    inbox: VecDeque<PeerMessage>,
    /// The time of all entries in it.
    pub now: Timestamp,
    /// What was taken out of the mailbox for it.
    taken: u64,
    times: BatchTimes,
}

impl Work {
    pub fn new(partition: PartitionId) -> Self {
        Self {
            batch: BatchBuilder::new(),
            events: EventBatch::new(partition),
            inbox: VecDeque::new(),
            now: Timestamp(0),
            taken: 0,
            times: BatchTimes::now(),
        }
    }
}

impl Sequencer {
    /// Until the node ends or the disk fails.
    pub fn run(mut self) {
        let guard = EndGuard {
            shared: Arc::clone(&self.shared),
            fatal: Arc::clone(&self.fatal),
            id: self.id,
        };
        self.shared.mailbox.attach();
        if let Err(error) = self.serve() {
            self.shared.mailbox.close();
            (self.fatal)(&error);
        }
        drop(guard);
    }

    fn serve(&mut self) -> Result<(), NodeError> {
        self.begin()?;
        while !self.ending.kill.load(Ordering::Acquire) {
            self.step()?;
            if self.has_work() {
                continue;
            }
            if self.ending.stop.load(Ordering::Acquire) {
                return self.finish();
            }
            let (ending, until_deadline) = (&self.ending, self.until_deadline());
            self.shared.mailbox.park(until_deadline, || {
                ending.stop.load(Ordering::Acquire) || ending.kill.load(Ordering::Acquire)
            });
        }
        Ok(())
    }

    /// What comes before the first step: the term is in the log, and peers are told of this life.
    pub fn begin(&mut self) -> Result<(), NodeError> {
        self.begin_term()?;
        self.peers.greet(&self.partition);
        self.starting = None;
        Ok(())
    }

    /// One batch: collect, commit, release. There may be nothing to commit. After an error the state is
    /// ahead of the log and good for nothing.
    pub fn step(&mut self) -> Result<(), NodeError> {
        self.collect()?;
        if !self.work.batch.is_empty() {
            self.commit()?;
        }
        self.release();
        Ok(())
    }

    /// Whether another step has something to do at once.
    pub fn has_work(&self) -> bool {
        self.shared.mailbox.has_work()
            || !self.work.inbox.is_empty()
            || self.partition.needs_continue()
            || self.until_deadline() == Some(Duration::ZERO)
    }

    /// How long until the next timer of the partition is due, if there is one.
    fn until_deadline(&self) -> Option<Duration> {
        let deadline = self.partition.next_deadline()?;
        Some(Duration::from_nanos(deadline.0.saturating_sub(self.stamp().0)))
    }

    /// The first entries of a life: the topology if this is the first of all, and the term; then what the last
    /// life left undone.
    fn begin_term(&mut self) -> Result<(), NodeError> {
        self.work.now = self.stamp();
        if self.partition.topology().is_none() {
            self.sequence(&Command::SetTopology(self.topology.clone()))?;
        }
        // Before what the last life left undone, so that the entry tells whether it ended in order.
        self.sequence(&Command::NewTerm { term: self.term })?;
        self.commit()?;
        self.release();
        Ok(())
    }

    /// Never goes backwards: a clock that is behind the log waits at its last entry.
    fn stamp(&self) -> Timestamp {
        (self.clock)().max(self.partition.time())
    }

    /// Forms a batch of what waits. It may be empty.
    fn collect(&mut self) -> Result<(), NodeError> {
        self.work.now = self.stamp();
        self.work.times.begun = Instant::now();
        self.continue_work()?;
        self.shared.mailbox.take_peers(&mut self.work.inbox);
        while self.has_room()
            && let Some(message) = self.work.inbox.pop_front()
        {
            self.work.taken += 1;
            if let Some(command) = self.peers.receive(message, &self.partition) {
                self.sequence(&command)?;
            }
        }
        while self.has_room()
            && let Some(command) = self.shared.mailbox.pop_request()
        {
            self.work.taken += 1;
            self.sequence(&command)?;
        }
        self.acknowledge()?;
        let is_due = self.partition.next_deadline().is_some_and(|at| at <= self.work.now);
        if is_due && self.has_room() {
            self.sequence(&Command::Tick)?;
        }
        Ok(())
    }

    /// Acknowledgements enter the log in company, or when there are many or somebody waits for them.
    fn acknowledge(&mut self) -> Result<(), NodeError> {
        let is_congested = self.shared.mailbox.congested.load(Ordering::Relaxed);
        let is_worth_it = !self.work.batch.is_empty()
            || self.ending.stop.load(Ordering::Acquire)
            || self.peers.must_acknowledge(&self.partition, is_congested);
        while is_worth_it
            && self.has_room()
            && let Some(command) = self.peers.next_acknowledgement()
        {
            self.sequence(&command)?;
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        let Work { batch, .. } = &self.work;
        batch.payload_len() < self.limits.batch_bytes
            && batch.count() < self.limits.batch_entries
            && !self.partition.needs_continue()
    }

    /// Adds an entry to the batch and applies it, and what it leaves to be done.
    fn sequence(&mut self, command: &Command) -> Result<(), NodeError> {
        self.add_entry(command)?;
        self.continue_work()
    }

    /// Work that an entry left goes on before anything else, in this batch or in the next.
    fn continue_work(&mut self) -> Result<(), NodeError> {
        while self.partition.needs_continue()
            && self.work.batch.payload_len() < self.limits.batch_bytes
            && self.work.batch.count() < self.limits.batch_entries
        {
            self.add_entry(&Command::Continue)?;
        }
        Ok(())
    }

    /// If a component fails on the entry, its quarantine comes first.
    fn add_entry(&mut self, command: &Command) -> Result<(), NodeError> {
        match self.try_add(command) {
            Ok(()) => Ok(()),
            Err(failure) => self.survive(failure),
        }
    }

    pub(crate) fn try_add(&mut self, command: &Command) -> Result<(), Failure> {
        let Work { batch, events, now, .. } = &mut self.work;
        let seq = self.partition.seq().next();
        batch.push_command(*now, command);
        let (time, partition) = (*now, &mut self.partition);
        guard(|| events.push_with(seq, time, |events| partition.apply(seq, time, command, events)))
    }

    fn commit(&mut self) -> Result<(), NodeError> {
        let applied = Instant::now();
        let entries = u64::from(self.work.batch.count());
        let acked = Seq(self.shared.durable.load(Ordering::Relaxed));
        self.log.append(&mut self.work.batch, acked, self.term).of(self.id)?;
        self.log.sync().of(self.id)?;
        let counters = &self.shared.counters;
        let durable = Instant::now();
        counters.sync.record(durable - applied);
        (self.work.times.applied, self.work.times.durable) = (applied, durable);
        counters.entries.fetch_add(entries, Ordering::Relaxed);
        counters.batches.fetch_add(1, Ordering::Relaxed);
        self.shared.durable.store(self.log.last_seq().0, Ordering::Release);
        self.shared.last_time.store(self.work.now.0, Ordering::Release);
        Ok(())
    }

    /// Everything in the batch is durable: let it out.
    fn release(&mut self) {
        if !self.work.events.is_empty() {
            let batch = std::mem::replace(&mut self.work.events, self.shared.feed.spare());
            // Listings are rare, and to look for one reads all that was written for readers elsewhere.
            if !batch.is_plain() {
                batch.iter().for_each(|entry| self.markets.learn_from(entry.events));
            }
            // Whoever has an answer finds its events; whoever follows events does not delay an answer.
            let (batch, feed) = (Arc::new(batch), &self.shared.feed);
            feed.push(Arc::clone(&batch));
            self.sessions.deliver(self.id, &batch, self.work.times);
            feed.wake();
        }
        self.peers.after_commit(&self.partition);
        let outbox = self.partition.outbox_len();
        let counters = &self.shared.counters;
        counters.outbox_len.store(outbox as u64, Ordering::Relaxed);
        let quarantined = self.partition.quarantined_count() as u64;
        counters.quarantined.store(quarantined, Ordering::Relaxed);
        let mailbox = &self.shared.mailbox;
        mailbox.congested.store(outbox > self.limits.outbox, Ordering::Relaxed);
        if !self.partition.needs_continue() {
            mailbox.finish(std::mem::take(&mut self.work.taken));
        }
    }

    /// The last acknowledgements, then the end of the term, then the seal.
    pub fn finish(&mut self) -> Result<(), NodeError> {
        // More than one batch, if a batch takes less than there are peers.
        loop {
            self.acknowledge()?;
            if self.work.batch.is_empty() {
                break;
            }
            self.commit()?;
            self.release();
        }
        self.end_term()?;
        self.log.seal(self.term).of(self.id)
    }

    /// The last entry of a life that ends in order. It is stamped with the time of the one before it, so that
    /// nothing becomes due by it.
    fn end_term(&mut self) -> Result<(), NodeError> {
        self.work.now = self.partition.time();
        self.add_entry(&Command::EndTerm)?;
        self.commit()?;
        self.release();
        Ok(())
    }
}

/// Closes what others wait on, and tells of a panic: a partition must not be missing silently.
struct EndGuard {
    shared: Arc<Shared>,
    fatal: FatalHandler,
    id: PartitionId,
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.shared.mailbox.close();
        self.shared.has_ended.store(true, Ordering::Release);
        self.shared.feed.close();
        if std::thread::panicking() {
            (self.fatal)(&NodeError::Bug { partition: self.id });
        }
    }
}
