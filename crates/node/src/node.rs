//! [`Node`]: starts and stops the partitions of a data directory, and is their [`Exchange`].

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use journal::{BatchBuilder, Identity, Retention};
use parking_lot::Mutex;
use types::{Command, PartitionId, RejectCode, ReplyTo, Request, Seq, Timestamp, Topology};

use crate::config::{Clock, NodeConfig, NodeHooks};
use crate::data_dir::{DataDir, Founding};
use crate::error::NodeError;
use crate::feed::Feed;
use crate::mailbox::Mailbox;
use crate::peers::Peers;
use crate::port::{EventFeed, Exchange, ReplySink};
use crate::publisher::{Publisher, SharedRetention, SnapshotReply, is_holding};
use crate::recovery::{PartitionRecovery, Recovered, recover};
use crate::route::{MarketHomes, route};
use crate::sequencer::{Ending, Limits, Sequencer, Shared, Work};
use crate::sessions::Sessions;
use crate::snapshots::{SnapshotOutcome, Snapshots};
use crate::stats::{Counters, NodeStats, PartitionStats};

/// How long a stop waits for partitions that keep each other busy.
const DRAIN_AT_MOST: Duration = Duration::from_secs(30);

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
    /// Held as long as the node lives.
    _lock: File,
}

/// One partition as its node holds it.
struct Part {
    shared: Arc<Shared>,
    snapshot_requests: Sender<SnapshotReply>,
    retention: SharedRetention,
    threads: Vec<JoinHandle<()>>,
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
        let data = DataDir::new(&config.data);
        let lock = data.lock()?;
        // 2. Who we are.
        let founding = data.founding()?.unwrap_or_else(Founding::draw);
        let term = founding.term + 1;
        data.begin_term(Founding { term, ..founding })?;
        // 3. State from files.
        let recovered = recover_all(&config, &hooks, &data, founding.cluster, term)?;
        let markets = Arc::new(MarketHomes::default());
        for part in &recovered {
            check_topology(&config, part)?;
            for market in part.partition.definitions().markets() {
                markets.learn(market.def.id, market.def.home);
            }
        }
        // 4. Threads.
        let mut node = Self {
            topology: config.topology.clone(),
            term,
            clock: Arc::clone(&hooks.clock),
            parts: Vec::new(),
            sessions: Arc::new(Sessions::new(term)),
            markets,
            ending: Arc::default(),
            limits: Limits {
                batch_bytes: config.max_batch_bytes,
                batch_entries: config.max_batch_entries.max(1),
                outbox: config.max_outbox,
                unwritten_events: config.max_unwritten_events,
            },
            recovery: recovered.iter().map(|part| part.report.clone()).collect(),
            _lock: lock,
        };
        let mailbox = || Arc::new(Mailbox::new(config.queue_capacity, config.queue_reserved));
        let mailboxes: Arc<[_]> = recovered.iter().map(|_| mailbox()).collect();
        let (starting, started) = bounded(0);
        for part in recovered {
            let identity = Identity { cluster: founding.cluster, partition: part.partition.id() };
            let starting = starting.clone();
            let part =
                node.start_part(&config, &hooks, &data, identity, part, &mailboxes, starting);
            node.parts.push(part);
        }
        // 5. Every log has the new term: the receiver ends when nobody holds a sender any more.
        drop(starting);
        let _ = started.recv();
        Ok(node)
    }

    fn start_part(
        &self,
        config: &NodeConfig,
        hooks: &NodeHooks,
        data: &DataDir,
        identity: Identity,
        recovered: Recovered,
        mailboxes: &Arc<[Arc<Mailbox>]>,
        starting: Sender<()>,
    ) -> Part {
        let id = identity.partition;
        let events_dir = data.events(id);
        let disk = config.event_log.map(|_| (events_dir.as_path(), identity));
        let head = recovered.log.last_seq();
        let shared = Arc::new(Shared {
            mailbox: Arc::clone(&mailboxes[usize::from(id.0)]),
            feed: Arc::new(Feed::new(id, head, disk, config.recent_events)),
            counters: Arc::new(Counters::default()),
            last_time: AtomicU64::new(recovered.partition.time().0),
            durable: AtomicU64::new(head.0),
            has_ended: AtomicBool::new(false),
        });
        let limits = config.event_log.unwrap_or_default();
        let retention = Arc::new(Mutex::new(Retention::new(limits.max_bytes, limits.max_age)));
        let (snapshot_requests, requests) = unbounded();
        let publisher = Publisher {
            partition: id,
            feed: Arc::clone(&shared.feed),
            log: recovered.events,
            digest: recovered.digest,
            retention: Arc::clone(&retention),
            snapshots: Arc::new(Snapshots {
                data: data.clone(),
                command: config.snapshot_command.clone(),
                keep: config.keep_snapshots,
                trim_commands: config.trim_commands,
                running: AtomicBool::new(false),
            }),
            requests,
            clock: Arc::clone(&hooks.clock),
            fatal: Arc::clone(&hooks.fatal),
            snapshot_every: config.snapshot_every,
            last_snapshot: recovered.report.snapshot_seq,
            batch: BatchBuilder::new(),
            written_bytes: 0,
        };
        let sequencer = Sequencer {
            id,
            partition: recovered.partition,
            log: recovered.log,
            term: self.term,
            topology: config.topology.clone(),
            limits: self.limits,
            shared: Arc::clone(&shared),
            ending: Arc::clone(&self.ending),
            peers: Peers::new(id, Arc::clone(mailboxes)),
            sessions: Arc::clone(&self.sessions),
            markets: Arc::clone(&self.markets),
            clock: Arc::clone(&hooks.clock),
            fatal: Arc::clone(&hooks.fatal),
            work: Work::new(id),
            starting: Some(starting),
        };
        let pin = config.pin_threads;
        let threads = vec![
            spawn(format!("partition-{id}"), move || {
                if pin {
                    pin_to_processor(usize::from(id.0));
                }
                sequencer.run();
            }),
            spawn(format!("events-{id}"), move || publisher.run()),
        ];
        Part { shared, snapshot_requests, retention, threads }
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

    /// Registers a reader of the events of `partition` that has read up to `cursor`: up to `budget`
    /// bytes of the event log are kept for it.
    pub fn register_consumer(&self, partition: PartitionId, name: &str, cursor: Seq, budget: u64) {
        self.part(partition).retention.lock().register(name, cursor, budget);
    }

    /// A registered reader has read up to `cursor`. False when it has fallen behind by more than its
    /// budget: what it has not read may be gone, and it must be built anew.
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
        let part = self.part(route(&self.topology, &self.markets, &request));
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
}

impl Drop for Node {
    fn drop(&mut self) {
        self.ending.kill.store(true, Ordering::Release);
        self.join();
    }
}

/// All partitions at once: each replays on threads of its own.
fn recover_all(
    config: &NodeConfig,
    hooks: &NodeHooks,
    data: &DataDir,
    cluster: u64,
    term: u64,
) -> Result<Vec<Recovered>, NodeError> {
    thread::scope(|scope| {
        let start = |id| {
            let identity = Identity { cluster, partition: PartitionId(id) };
            scope.spawn(move || recover(config, hooks, data, identity, term))
        };
        let threads: Vec<_> = (0..config.topology.partitions).map(start).collect();
        let join = |(id, thread): (usize, thread::ScopedJoinHandle<'_, _>)| {
            let partition = PartitionId(id as u16);
            thread.join().unwrap_or(Err(NodeError::Bug { partition }))
        };
        threads.into_iter().enumerate().map(join).collect()
    })
}

fn check_topology(config: &NodeConfig, part: &Recovered) -> Result<(), NodeError> {
    match part.partition.topology() {
        Some(founded) if *founded != config.topology => {
            Err(NodeError::TopologyChanged { partition: part.partition.id() })
        }
        _ => Ok(()),
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = thread::Builder::new().name(name);
    thread.spawn(run).expect("the system can start a thread")
}

fn pin_to_processor(index: usize) {
    let count = thread::available_parallelism().map_or(1, usize::from);
    let mut set = rustix::thread::CpuSet::new();
    set.set(index % count);
    if let Err(error) = rustix::thread::sched_setaffinity(None, &set) {
        tracing::warn!("partition {index} is not pinned to a processor: {error}");
    }
}
