//! Building the partitions of a node: recovery of all of them, then a sequencer and a publisher for
//! each, which run on threads of their own or are stepped by a simulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, unbounded};
use journal::{BatchBuilder, CommandReader, Identity, Retention};
use parking_lot::Mutex;
use types::{Command, PartitionId, Seq};

use crate::config::{NodeConfig, NodeHooks};
use crate::data_dir::{DataDir, Founding};
use crate::error::NodeError;
use crate::feed::Feed;
use crate::mailbox::Mailbox;
use crate::market_homes::MarketHomes;
use crate::peers::Peers;
use crate::publisher::{Publisher, SharedRetention, SnapshotReply};
use crate::quarantine::Rebuilding;
use crate::recovery::{Recovered, recover};
use crate::sequencer::{Ending, Limits, Sequencer, Shared, Work};
use crate::sessions::Sessions;
use crate::snapshots::Snapshots;
use crate::stats::Counters;

/// One partition as its node holds it.
pub(crate) struct Part {
    pub shared: Arc<Shared>,
    pub snapshot_requests: Sender<SnapshotReply>,
    pub retention: SharedRetention,
    pub threads: Vec<JoinHandle<()>>,
}

/// What does the work of a partition.
pub(crate) struct Workers {
    pub sequencer: Sequencer,
    pub publisher: Publisher,
}

impl Workers {
    /// A thread for each of the two.
    pub fn spawn(self, pin: bool) -> Vec<JoinHandle<()>> {
        let Self { sequencer, publisher } = self;
        let id = sequencer.id;
        vec![
            spawn(format!("partition-{id}"), move || {
                if pin {
                    pin_to_processor(usize::from(id.0));
                }
                sequencer.run();
            }),
            spawn(format!("events-{id}"), move || publisher.run()),
        ]
    }
}

/// What all partitions of a node are started with.
pub(crate) struct Launch<'a> {
    pub config: &'a NodeConfig,
    pub hooks: &'a NodeHooks,
    pub data: &'a DataDir,
    pub founding: Founding,
    pub limits: Limits,
    /// By partition: how it reaches all of them, itself included.
    pub mailboxes: Vec<Mailboxes>,
    pub sessions: Arc<Sessions>,
    pub markets: Arc<MarketHomes>,
    pub ending: Arc<Ending>,
    /// Each partition holds a copy until it serves.
    pub ready: Sender<()>,
}

impl Launch<'_> {
    /// Builds a partition that was recovered. Nothing of it runs yet.
    pub fn build(&self, recovered: Recovered) -> (Part, Workers) {
        let id = recovered.partition.id();
        let shared = Arc::new(self.shared(&recovered));
        let limits = self.config.event_log.unwrap_or_default();
        let mut retention = Retention::new(limits.max_bytes, limits.max_age);
        for name in &self.config.consumers {
            retention.register(name, Seq(0), u64::MAX);
        }
        let retention = Arc::new(Mutex::new(retention));
        let (snapshot_requests, requests) = unbounded();
        let Recovered { partition, log, events, digest, report } = recovered;
        let publisher = Publisher {
            partition: id,
            feed: Arc::clone(&shared.feed),
            log: events,
            digest,
            retention: Arc::clone(&retention),
            snapshots: Arc::new(self.snapshots(Arc::clone(&retention))),
            requests,
            clock: Arc::clone(&self.hooks.clock),
            fatal: Arc::clone(&self.hooks.fatal),
            snapshot_every: self.config.snapshot_every,
            last_snapshot: report.snapshot_seq,
            batch: BatchBuilder::new(),
            written_bytes: 0,
        };
        let sequencer = Sequencer {
            id,
            partition,
            log,
            term: self.founding.term,
            topology: self.config.topology.clone(),
            limits: self.limits,
            shared: Arc::clone(&shared),
            ending: Arc::clone(&self.ending),
            peers: Peers::new(id, self.mailboxes_of(id)),
            sessions: Arc::clone(&self.sessions),
            markets: Arc::clone(&self.markets),
            clock: Arc::clone(&self.hooks.clock),
            fatal: Arc::clone(&self.hooks.fatal),
            work: Work::new(id),
            rebuilding: Rebuilding {
                data: self.data.clone(),
                identity: Identity { cluster: self.founding.cluster, partition: id },
                randomness: Arc::clone(&self.hooks.randomness),
                #[cfg(feature = "fault-injection")]
                bug: self.hooks.bug.clone(),
            },
            starting: Some(self.ready.clone()),
        };
        let part = Part { shared, snapshot_requests, retention, threads: Vec::new() };
        (part, Workers { sequencer, publisher })
    }

    fn mailboxes_of(&self, id: PartitionId) -> Mailboxes {
        Arc::clone(&self.mailboxes[usize::from(id.0)])
    }

    fn shared(&self, recovered: &Recovered) -> Shared {
        let id = recovered.partition.id();
        let identity = Identity { cluster: self.founding.cluster, partition: id };
        let events = self.data.events(id);
        let disk = self.config.event_log.map(|_| (self.data.dir(events), identity));
        let head = recovered.log.last_seq();
        Shared {
            mailbox: Arc::clone(&self.mailboxes_of(id)[usize::from(id.0)]),
            feed: Arc::new(Feed::new(id, head, disk, self.config.recent_events)),
            counters: Arc::new(Counters::default()),
            last_time: AtomicU64::new(recovered.partition.time().0),
            durable: AtomicU64::new(head.0),
            has_ended: AtomicBool::new(false),
        }
    }

    fn snapshots(&self, retention: SharedRetention) -> Snapshots {
        Snapshots {
            data: self.data.clone(),
            command: self.config.snapshot_command.clone(),
            keep: self.config.keep_snapshots,
            trim_commands: self.config.trim_commands,
            retention,
            running: AtomicBool::new(false),
        }
    }
}

/// The mailboxes that a partition posts to, by partition.
pub(crate) type Mailboxes = Arc<[Arc<Mailbox>]>;

/// A mailbox for each partition, and who posts to which: all to the same ones.
pub(crate) fn shared_mailboxes(config: &NodeConfig) -> Vec<Mailboxes> {
    vec![mailboxes(config); usize::from(config.topology.partitions)]
}

/// A mailbox for each partition.
pub(crate) fn mailboxes(config: &NodeConfig) -> Mailboxes {
    let mailbox = |_| Arc::new(Mailbox::new(config.queue_capacity, config.queue_reserved));
    (0..config.topology.partitions).map(mailbox).collect()
}

/// Before anything is written: what the first entry of the first log says. A log that does not begin
/// at its first entry any more says it later, by its snapshot.
pub(crate) fn refuse_other_topology(
    config: &NodeConfig,
    data: &DataDir,
    cluster: u64,
) -> Result<(), NodeError> {
    let partition = PartitionId(0);
    let identity = Identity { cluster, partition };
    let reader = CommandReader::open(data.dir(data.commands(partition)), identity, Seq(1), None);
    // Whatever else is wrong with the log, recovery finds it.
    match reader.ok().and_then(|mut reader| reader.next()) {
        Some(Ok(first)) => match first.command {
            Command::SetTopology(founded) if founded != config.topology => {
                Err(NodeError::TopologyChanged { partition })
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// All partitions at once, each on threads of its own; one after the other if the storage wants that.
pub(crate) fn recover_all(
    config: &NodeConfig,
    hooks: &NodeHooks,
    data: &DataDir,
    cluster: u64,
    term: u64,
) -> Result<Vec<Recovered>, NodeError> {
    let recover_one = |id| {
        let identity = Identity { cluster, partition: PartitionId(id) };
        let recovered = recover(config, hooks, data, identity, term)?;
        check_topology(config, &recovered)?;
        Ok(recovered)
    };
    let partitions = 0..config.topology.partitions;
    if data.storage().is_single_threaded() {
        return partitions.map(recover_one).collect();
    }
    thread::scope(|scope| {
        let start = |id| scope.spawn(move || recover_one(id));
        let threads: Vec<_> = partitions.map(start).collect();
        let join = |(id, thread): (usize, thread::ScopedJoinHandle<'_, _>)| {
            let partition = PartitionId(id as u16);
            thread.join().unwrap_or(Err(NodeError::Bug { partition }))
        };
        threads.into_iter().enumerate().map(join).collect()
    })
}

fn check_topology(config: &NodeConfig, recovered: &Recovered) -> Result<(), NodeError> {
    match recovered.partition.topology() {
        Some(founded) if *founded != config.topology => {
            Err(NodeError::TopologyChanged { partition: recovered.partition.id() })
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
