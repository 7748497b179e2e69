//! [`Node`]: starts and stops the partitions of a data directory, and is their [`Exchange`].

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use types::{Command, PartitionId, RejectCode, ReplyTo, Request, Seq, Timestamp, Topology};

use crate::config::{Clock, NodeConfig, NodeHooks};
use crate::data_dir::{DataDir, Founding};
use crate::error::{Context, NodeError};
use crate::failure::watch_panics;
use crate::founding;
use crate::launch::{
    Launch, Mailboxes, Part, Workers, recover_all, refuse_other_topology, shared_mailboxes,
};
use crate::market_homes::MarketHomes;
use crate::port::{EventFeed, Exchange, ReplySink};
use crate::publisher::is_holding;
use crate::recovery::PartitionRecovery;
use crate::sequencer::{Ending, Limits, Shared};
use crate::sessions::Sessions;
use crate::snapshots::SnapshotOutcome;
use crate::stats::{NodeStats, PartitionStats};

/// How long a stop waits for partitions that keep each other busy.
const DRAIN_AT_MOST: Duration = Duration::from_secs(30);

/// How far a log may be ahead of the clock before it is worth a word.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// A running node. Dropping it ends it as a crash would; [`Node::stop`] ends it in order.
pub struct Node {
    topology: Topology,
    term: u64,
    clock: Clock,
    parts: Vec<Part>,
    sessions: Arc<Sessions>,
    markets: Arc<MarketHomes>,
    ending: Arc<Ending>,
    limits: Limits,
    recovery: Vec<PartitionRecovery>,
    /// Held as long as the node lives; none on a storage that nobody else can reach.
    lock: Option<File>,
}

impl Node {
    /// Recovers all partitions and starts them. Returns when they serve.
    ///
    /// # Errors
    /// When the directory is in use, was founded with another topology, is damaged, or cannot be
    /// read or written.
    pub fn start(config: NodeConfig, hooks: NodeHooks) -> Result<Self, NodeError> {
        if !config.topology.is_valid() {
            return Err(NodeError::InvalidTopology);
        }
        // 1. The directory is ours alone.
        let data = DataDir::on(Arc::clone(&hooks.storage), &config.data);
        founding::refuse_losses(&config, &data)?;
        let lock = data.lock()?;
        // 2. to 4. State from files.
        let (ready, all_ready) = bounded(0);
        let (mut node, workers) = Self::build(&config, &hooks, &shared_mailboxes(&config), ready)?;
        node.lock = Some(lock);
        // 5. Threads. Every log has the new term when nobody holds a sender of `ready` any more.
        for (part, workers) in node.parts.iter_mut().zip(workers) {
            part.threads = workers.spawn(config.pin_threads);
        }
        let _ = all_ready.recv();
        let ahead = node.ahead_of_clock();
        if ahead > CLOCK_TOLERANCE {
            tracing::warn!(
                "the log is {ahead:?} ahead of this machine's clock, which is wrong or was: until it has \
                 caught up, time stands still here and signed requests are refused"
            );
        }
        node.finish_founding(&data)?;
        Ok(node)
    }

    /// Notes that the exchange is founded, once every partition has its first entries on disk.
    pub(crate) fn finish_founding(&self, data: &DataDir) -> Result<(), NodeError> {
        let has_entries = |part: &Part| part.shared.durable.load(Ordering::Acquire) > 0;
        match data.founding()? {
            Some(founding) if self.parts.iter().all(has_entries) => {
                founding::complete(data, founding, self.topology.partitions)
            }
            _ => Ok(()),
        }
    }

    /// A node whose partitions are recovered, and what is to do their work.
    pub(crate) fn build(
        config: &NodeConfig,
        hooks: &NodeHooks,
        mailboxes: &[Mailboxes],
        ready: Sender<()>,
    ) -> Result<(Self, Vec<Workers>), NodeError> {
        watch_panics();
        let data = DataDir::on(Arc::clone(&hooks.storage), &config.data);
        // 2. Who we are.
        let founding = match data.founding()? {
            Some(founding) => founding,
            None => {
                (hooks.before_founding)(data.path()).context("found", data.path())?;
                let founding = Founding::draw((hooks.randomness)());
                data.begin_term(founding)?;
                founding
            }
        };
        refuse_other_topology(config, &data, founding.cluster)?;
        let founding = Founding { term: founding.term + 1, ..founding };
        let term = founding.term;
        // 3. State from files. A term begins when they are found sound.
        let recovered = recover_all(config, hooks, &data, founding.cluster, term)?;
        data.begin_term(founding)?;
        let markets = Arc::new(MarketHomes::default());
        for market in recovered.iter().flat_map(|part| part.partition.definitions().markets()) {
            markets.learn(market.def.id, market.def.home);
        }
        // 4. What works on it.
        let limits = Limits {
            batch_bytes: config.max_batch_bytes,
            batch_entries: config.max_batch_entries.max(1),
            outbox: config.max_outbox,
            unwritten_events: config.max_unwritten_events,
        };
        let launch = Launch {
            config,
            hooks,
            data: &data,
            founding,
            limits,
            mailboxes: mailboxes.to_vec(),
            sessions: Arc::new(Sessions::new(term)),
            markets,
            ending: Arc::default(),
            ready,
        };
        let recovery = recovered.iter().map(|part| part.report.clone()).collect();
        let (parts, workers) = recovered.into_iter().map(|part| launch.build(part)).unzip();
        let node = Self {
            topology: config.topology.clone(),
            term,
            clock: Arc::clone(&hooks.clock),
            parts,
            sessions: Arc::clone(&launch.sessions),
            markets: Arc::clone(&launch.markets),
            ending: Arc::clone(&launch.ending),
            limits,
            recovery,
            lock: None,
        };
        Ok((node, workers))
    }

    /// How the partitions came back.
    #[must_use]
    pub fn recovery(&self) -> &[PartitionRecovery] {
        &self.recovery
    }

    /// Counts this start among all of the exchange, from 1.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Counters for metrics.
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        let of = |(id, part): (usize, &Part)| part.stats(PartitionId(id as u16));
        NodeStats { partitions: self.parts.iter().enumerate().map(of).collect() }
    }

    /// Whether any partition has ended: of a failed disk or a bug, or since the node was stopped.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.parts.iter().any(|part| part.shared.has_ended.load(Ordering::Acquire))
    }

    /// Makes a snapshot of `partition` up to now, in the background. The receiver gets the outcome.
    #[must_use]
    pub fn request_snapshot(
        &self,
        partition: PartitionId,
    ) -> Receiver<Result<SnapshotOutcome, String>> {
        let (reply, outcome) = bounded(1);
        let part = self.part(partition);
        if part.snapshot_requests.send(reply).is_ok() {
            part.shared.feed.call();
        }
        outcome
    }

    /// Registers a reader of the events of `partition` that has read up to `cursor`, durably: up to
    /// `budget` bytes of the event log are kept for it. If the command log is trimmed, what follows
    /// the cursor can be derived from it anew, whatever the budget.
    pub fn register_consumer(&self, partition: PartitionId, name: &str, cursor: Seq, budget: u64) {
        self.part(partition).retention.lock().register(name, cursor, budget);
    }

    /// A registered reader has read up to `cursor`, durably. False when it has fallen behind by more
    /// than its budget: what it has not read may be gone from the event log.
    pub fn advance_consumer(&self, partition: PartitionId, name: &str, cursor: Seq) -> bool {
        let retention = &self.part(partition).retention;
        retention.lock().advance(name, cursor);
        is_holding(retention, name)
    }

    /// Ends the node in order: refuses new requests, finishes what waits (also between partitions),
    /// seals the logs and writes all events.
    pub fn stop(mut self) {
        for part in &self.parts {
            part.shared.mailbox.close();
        }
        self.wait_until_settled();
        self.ending.stop.store(true, Ordering::Release);
        self.join();
    }

    /// Ends the node as a crash would: nothing that waits is done, no log is sealed.
    pub fn kill(self) {
        drop(self);
    }

    /// Until no partition has anything to do, and none has got anything meanwhile.
    fn wait_until_settled(&self) {
        let deadline = Instant::now() + DRAIN_AT_MOST;
        let mut before = None;
        while Instant::now() < deadline && !self.has_failed() {
            let mailboxes = self.parts.iter().map(|part| part.shared.mailbox.settled());
            let settled: Option<Vec<u64>> = mailboxes.collect();
            if settled.is_some() && settled == before {
                return;
            }
            before = settled;
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn join(&mut self) {
        for part in &self.parts {
            part.shared.mailbox.wake();
        }
        for part in &mut self.parts {
            for handle in part.threads.drain(..) {
                // A panic was told to the fatal handler.
                let _ = handle.join();
            }
        }
    }

    /// Refuses new requests, and lets partitions seal their logs when they are done.
    pub(crate) fn end(&self) {
        for part in &self.parts {
            part.shared.mailbox.close();
        }
        self.ending.stop.store(true, Ordering::Release);
    }

    fn part(&self, partition: PartitionId) -> &Part {
        &self.parts[usize::from(partition.0)]
    }
}

impl Part {
    fn stats(&self, partition: PartitionId) -> PartitionStats {
        let Shared { mailbox, feed, counters, durable, .. } = &*self.shared;
        PartitionStats {
            partition,
            last_seq: Seq(durable.load(Ordering::Acquire)),
            written_seq: feed.written(),
            entries: counters.entries.load(Ordering::Relaxed),
            batches: counters.batches.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            queue_len: mailbox.len(),
            outbox_len: counters.outbox_len.load(Ordering::Relaxed),
            quarantined: counters.quarantined.load(Ordering::Relaxed),
            sync_p50: counters.sync.quantile(500),
            sync_p99: counters.sync.quantile(990),
            sync_p999: counters.sync.quantile(999),
            sync_max: counters.sync.max(),
        }
    }
}

impl Exchange for Node {
    fn submit(
        &self,
        reply: ReplyTo,
        valid_until: Timestamp,
        request: Request,
    ) -> Result<(), RejectCode> {
        let home = self.topology.home_of(&request, |market| self.markets.get(market));
        let part = self.part(home);
        let is_cancel = request.is_cancel();
        let command = Command::Request { reply, valid_until, request };
        let has_backlog = part.shared.feed.backlog() > self.limits.unwritten_events;
        if has_backlog && !is_cancel || !part.shared.mailbox.submit(command, is_cancel) {
            part.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Err(RejectCode::Overloaded);
        }
        Ok(())
    }

    fn open_session(&self, sink: Arc<dyn ReplySink>) -> u64 {
        self.sessions.open(sink)
    }

    fn close_session(&self, session: u64) {
        self.sessions.close(session);
    }

    fn topology(&self) -> &Topology {
        &self.topology
    }

    fn feed(&self, partition: PartitionId) -> Arc<dyn EventFeed> {
        Arc::clone(&self.part(partition).shared.feed) as Arc<dyn EventFeed>
    }

    fn now(&self) -> Timestamp {
        let last = |part: &Part| Timestamp(part.shared.last_time.load(Ordering::Acquire));
        let latest = self.parts.iter().map(last).max().unwrap_or_default();
        (self.clock)().max(latest)
    }

    fn ahead_of_clock(&self) -> Duration {
        let clock = (self.clock)();
        Duration::from_nanos(self.now().0.saturating_sub(clock.0))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.ending.kill.store(true, Ordering::Release);
        self.join();
    }
}
