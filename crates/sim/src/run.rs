//! One seed, one run: an exchange of several partitions under load, with everything going wrong that
//! the seed says, and checks after each step.

mod lives;
mod load;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use chance::Random;
use engine::audit;
use node::stepping::SteppedNode;
use node::{EventLogConfig, NodeConfig, NodeError, NodeHooks};
use types::{Event, PartitionId, Request, Timestamp, Topology};

use crate::clock::SimClock;
use crate::disk::SimDisk;
use crate::faults::{Counts, Fault};
use crate::flaw::{self, Flaw};
use crate::network::Network;
use crate::observer::{Check, Observer};
use crate::ward::Ward;
use crate::workload::Workload;

/// Where the data directory is on the simulated disk.
pub const DATA: &str = "/data";
/// Requests of a run that are taken, at least.
const REQUESTS: u64 = 2_000;
/// Crashes of a run, at least.
const CRASHES: u64 = 3;
const SECOND: u64 = 1_000_000_000;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// How often each kind of fault happened.
    pub counts: Counts,
    /// Requests that were taken.
    pub requests: u64,
    /// Restarts after a crash.
    pub crashes: u64,
    /// Entries in all logs.
    pub entries: u64,
}

/// Runs a seed to its end.
///
/// # Errors
/// What is wrong with the product, in words.
pub fn run(seed: u64) -> Result<Outcome, String> {
    flaw::keep_quiet();
    let mut world = World::new(seed);
    world.restart()?;
    world.found()?;
    world.live()?;
    world.calm_down()?;
    let requests = world.requests;
    let crashes = world.crashes;
    let entries = world.ids().map(|id| world.observer.last_seen(id).0).sum();
    let mut counts = world.counts;
    counts.merge(&world.disk.counts());
    counts.merge(world.network.counts());
    Ok(Outcome { counts, requests, crashes, entries })
}

/// Everything of a run.
pub(crate) struct World {
    random: Random,
    clock: SimClock,
    pub disk: SimDisk,
    network: Network,
    pub config: NodeConfig,
    pub hooks: NodeHooks,
    node: Option<SteppedNode>,
    session: u64,
    workload: Workload,
    pub observer: Observer,
    pub counts: Counts,
    next_token: u64,
    requests: u64,
    crashes: u64,
    /// What is wrong with the binary that runs now.
    flaw: Option<Flaw>,
    ward: Ward,
    may_delist: bool,
    /// Requests for the treasury: the next goes when the one before is answered.
    treasury: VecDeque<Request>,
    treasury_token: Option<u64>,
    /// Ticks until it is asked again what it refused for a while.
    treasury_pause: u64,
    /// By partition: so many ticks its thread, and its publisher, does nothing.
    stalled: Vec<u64>,
    unpublished: Vec<u64>,
    clock_stalled: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let clock = SimClock::new(Timestamp(1_700_000_000 * SECOND));
        let disk = SimDisk::new(random.fork(), clock.clone(), Path::new(DATA));
        let config = draw_config(&mut random);
        let partitions = config.topology.partitions;
        let (time, words) = (clock.clone(), parking_lot::Mutex::new(random.fork()));
        let hooks = NodeHooks {
            storage: Arc::new(disk.clone()),
            clock: Arc::new(move || time.now()),
            randomness: Arc::new(move || words.lock().number()),
            ..NodeHooks::default()
        };
        Self {
            clock,
            disk,
            network: Network::new(random.fork()),
            config,
            hooks,
            node: None,
            session: 0,
            workload: Workload::new(random.fork()),
            observer: Observer::new(partitions),
            counts: Counts::default(),
            next_token: 1,
            requests: 0,
            crashes: 0,
            flaw: None,
            ward: Ward::default(),
            may_delist: random.one_in(4),
            treasury: VecDeque::new(),
            treasury_token: None,
            treasury_pause: 0,
            stalled: vec![0; usize::from(partitions)],
            unpublished: vec![0; usize::from(partitions)],
            clock_stalled: 0,
            random,
        }
    }

    pub fn ids(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..self.config.topology.partitions).map(PartitionId)
    }

    fn node(&mut self) -> &mut SteppedNode {
        self.node.as_mut().expect("runs")
    }

    /// Definitions, accounts and funds, one after the other, without faults.
    fn found(&mut self) -> Check {
        for request in self.workload.founding() {
            let token = self.submit(request).ok_or("a request of the founding was refused")?;
            for _ in 0..100 {
                self.tick()?;
                if self.observer.is_answered(token) {
                    break;
                }
            }
            if !self.observer.is_answered(token) {
                return Err("a request of the founding was not answered".to_owned());
            }
        }
        self.requests = 0;
        Ok(())
    }

    /// Load and faults.
    fn live(&mut self) -> Check {
        self.network.set_faulty(true);
        self.disk.plan(|plan| plan.slow_sync_one_in = Some(200));
        let planned = self.random.between(CRASHES, CRASHES + 3);
        let mut next_crash = self.random.between(50, REQUESTS / planned);
        while self.requests < REQUESTS || self.crashes < CRASHES {
            self.draw_faults();
            self.load()?;
            self.tick()?;
            if self.requests >= next_crash {
                next_crash += self.random.between(20, REQUESTS / planned);
                self.plan_end()?;
            }
        }
        Ok(())
    }

    /// A moment: each partition makes a step, messages arrive, consumers read.
    fn tick(&mut self) -> Check {
        if self.clock_stalled > 0 {
            self.clock_stalled -= 1;
        } else {
            self.clock.advance(self.random.below(2_000_000));
        }
        let first = self.random.below(self.stalled.len() as u64) as u16;
        let count = self.config.topology.partitions;
        for id in (0..count).map(|index| PartitionId((first + index) % count)) {
            if let Err(error) = self.turn(id)? {
                return self.crash(&error.to_string());
            }
        }
        for letter in self.network.tick() {
            self.node().deliver(letter);
        }
        for id in self.network.mended() {
            self.node().greet(id);
        }
        Ok(())
    }

    /// What the two threads of a partition do in a moment. The inner error is one of the disk.
    fn turn(&mut self, id: PartitionId) -> Check<Result<(), NodeError>> {
        let index = usize::from(id.0);
        if self.stalled[index] > 0 {
            self.stalled[index] -= 1;
        } else if let Err(error) = self.node().step(id) {
            return Ok(Err(error));
        } else {
            self.after_step(id)?;
        }
        if self.unpublished[index] > 0 {
            self.unpublished[index] -= 1;
            return self.read_late(id).map(Ok);
        }
        // Before a snapshot may remove what it covers.
        let node = self.node.as_ref().expect("runs");
        if self.config.trim_commands && node.snapshot_is_due(id) && !self.disk.is_dead() {
            self.observer.shadow(&self.disk, id)?;
        }
        if let Err(error) = self.node().publish(id) {
            return Ok(Err(error));
        }
        self.read_late(id).map(Ok)
    }

    fn read_late(&mut self, id: PartitionId) -> Check {
        if self.random.one_in(40) {
            let node = self.node.as_ref().expect("runs");
            // A dead disk cannot be read, either.
            if !self.disk.is_dead() && self.observer.read_late(node, id)? {
                self.counts.add(Fault::SlowConsumer);
            }
        }
        Ok(())
    }

    fn after_step(&mut self, id: PartitionId) -> Check {
        for letter in self.node().take_letters(id) {
            self.network.send(letter);
        }
        let before = self.observer.last_seen(id);
        self.follow(id)?;
        if self.observer.last_seen(id) > before {
            self.audit()?;
        }
        Ok(())
    }

    /// Reads what is new of a partition.
    fn follow(&mut self, id: PartitionId) -> Check {
        let node = self.node.as_ref().expect("runs");
        let learn = learner(&mut self.workload, &mut self.ward, &mut self.counts);
        self.observer.follow(node, id, learn)?;
        self.ward.check()
    }

    /// Whether nothing is under way but what is parked.
    fn audit(&self) -> Check<bool> {
        let node = self.node.as_ref().expect("runs");
        let partitions: Vec<_> = self.ids().map(|id| node.partition(id)).collect();
        let audit = audit(&partitions);
        match audit.violations.first() {
            Some(violation) => Err(format!("after a step: {violation}")),
            None => Ok(audit.quiet),
        }
    }
}

/// Who learns of each event that was not seen before.
fn learner<'a>(
    workload: &'a mut Workload,
    ward: &'a mut Ward,
    counts: &'a mut Counts,
) -> impl FnMut(&Event) + use<'a> {
    |event| {
        workload.learn(event);
        ward.learn(event, counts);
        if let Some(turn) = Fault::told_by(event) {
            counts.add(turn);
        }
    }
}

fn draw_config(random: &mut Random) -> NodeConfig {
    let mut config = NodeConfig::new(DATA);
    config.topology = Topology::spread(random.between(2, 4) as u16);
    config.queue_capacity = random.pick(&[16, 64]);
    config.queue_reserved = 4;
    config.max_batch_entries = random.pick(&[1, 7, 64]);
    config.segment_size = random.pick(&[4 << 10, 16 << 10, 64 << 10]);
    let segment_size = random.pick(&[4 << 10, 64 << 10]);
    config.event_log = Some(EventLogConfig { segment_size, ..EventLogConfig::default() });
    config.recent_events = random.pick(&[32, 1_000]);
    config.max_unwritten_events = 400;
    config.max_outbox = random.pick(&[40, 1_000]);
    config.snapshot_every = random.pick(&[None, Some(150), Some(500)]);
    config.keep_snapshots = random.between(1, 4) as usize;
    config.trim_commands = random.one_in(3);
    config
}
