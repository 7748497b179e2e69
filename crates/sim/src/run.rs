//! One seed, one run: an exchange of several partitions under load, with everything going wrong that
//! the seed says, and checks after each step.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use engine::audit;
use node::stepping::SteppedNode;
use node::{EventLogConfig, Exchange, NodeConfig, NodeError, NodeHooks};
use types::{PartitionId, RejectCode, ReplyTo, Request, Seq, Timestamp, Topology};

use crate::clock::SimClock;
use crate::disk::SimDisk;
use crate::experiments;
use crate::faults::{Counts, Fault};
use crate::network::Network;
use crate::observer::{Check, Observer, at};
use crate::random::Random;
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
    /// Requests for the treasury: the next goes when the one before is answered.
    treasury: VecDeque<Request>,
    treasury_token: Option<u64>,
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
            randomness: Arc::new(move || words.lock().draw()),
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
            treasury: VecDeque::new(),
            treasury_token: None,
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
            self.load();
            self.tick()?;
            if self.requests >= next_crash {
                next_crash += self.random.between(20, REQUESTS / planned);
                self.plan_end()?;
            }
        }
        Ok(())
    }

    /// The end of this life: at once, or at some operation of the disk to come.
    fn plan_end(&mut self) -> Check {
        let within = self.random.below(60);
        match self.random.below(8) {
            0 => return self.crash("at once"),
            1 => self.disk.plan(|plan| plan.fail_sync_in = Some(within / 4)),
            2 => self.disk.plan(|plan| plan.fail_write_in = Some(within / 4)),
            3 => self.disk.plan(|plan| plan.is_full = true),
            _ => self.disk.plan(|plan| plan.crash_in = Some(within)),
        }
        Ok(())
    }

    fn draw_faults(&mut self) {
        if self.random.one_in(150) {
            let nanos = self.random.between(1, 600) * SECOND;
            let fault = if self.random.one_in(2) {
                self.clock.advance(nanos);
                Fault::ClockForward
            } else {
                self.clock.turn_back(nanos);
                Fault::ClockBackward
            };
            self.counts.add(fault);
        }
        if self.random.one_in(100) {
            self.clock_stalled = self.random.between(1, 30);
            self.counts.add(Fault::ClockStalled);
        }
        let one = self.random.below(self.stalled.len() as u64) as usize;
        if self.random.one_in(60) {
            self.stalled[one] = self.random.between(1, 25);
            self.counts.add(Fault::StalledPartition);
        }
        if self.random.one_in(60) {
            self.unpublished[one] = self.random.between(1, 60);
            self.counts.add(Fault::SlowPublisher);
        }
        if self.random.one_in(80) {
            let id = PartitionId(one as u16);
            // Whoever asked looks at the list of snapshots.
            drop(self.node().node().request_snapshot(id));
            self.counts.add(Fault::SnapshotTaken);
        }
    }

    /// Some requests, now and then more than the queues take.
    fn load(&mut self) {
        let count = if self.random.one_in(50) { 120 } else { self.random.below(9) };
        for _ in 0..count {
            let request = self.workload.next(self.clock.now());
            match request {
                Request::Credit { .. } | Request::Debit { .. } | Request::SettleDebit { .. } => {
                    self.treasury.push_back(request);
                }
                other => {
                    self.submit(other);
                }
            }
        }
        self.ask_treasury();
    }

    fn ask_treasury(&mut self) {
        if self.treasury_token.is_some_and(|token| self.observer.is_answered(token)) {
            self.treasury_token = None;
            self.treasury.pop_front();
        }
        if self.treasury_token.is_none()
            && let Some(request) = self.treasury.front().cloned()
        {
            self.treasury_token = self.submit(request);
        }
    }

    /// The token of a request that was taken.
    fn submit(&mut self, request: Request) -> Option<u64> {
        let token = self.next_token;
        let valid_until = match self.random.below(10) {
            0 => Timestamp(self.clock.now().0 + 5_000_000),
            _ => Timestamp(u64::MAX),
        };
        let is_treasury = matches!(
            request,
            Request::Credit { .. } | Request::Debit { .. } | Request::SettleDebit { .. }
        );
        let valid_until = if is_treasury { Timestamp(u64::MAX) } else { valid_until };
        let reply = ReplyTo::new(self.session, token);
        match self.node().node().submit(reply, valid_until, request) {
            Ok(()) => {
                self.next_token += 1;
                self.requests += 1;
                Some(token)
            }
            Err(code) => {
                assert_eq!(code, RejectCode::Overloaded, "submitting gives no other code");
                self.counts.add(Fault::Overload);
                None
            }
        }
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
        } else if let Err(error) = self.node().publish(id) {
            return Ok(Err(error));
        }
        if self.random.one_in(40) {
            let node = self.node.as_ref().expect("runs");
            // A dead disk cannot be read, either.
            if !self.disk.is_dead() && self.observer.read_late(node, id)? {
                self.counts.add(Fault::SlowConsumer);
            }
        }
        Ok(Ok(()))
    }

    fn after_step(&mut self, id: PartitionId) -> Check {
        for letter in self.node().take_letters(id) {
            self.network.send(letter);
        }
        let before = self.observer.last_seen(id);
        let node = self.node.as_ref().expect("runs");
        self.observer.follow(node, id, |event| self.workload.learn(event))?;
        if self.observer.last_seen(id) > before {
            self.audit()?;
        }
        // Before a snapshot may have removed what it covers.
        if self.config.trim_commands && !self.disk.is_dead() {
            self.observer.shadow(&self.disk, id)?;
        }
        Ok(())
    }

    fn audit(&self) -> Check<bool> {
        let node = self.node.as_ref().expect("runs");
        let partitions: Vec<_> = self.ids().map(|id| node.partition(id)).collect();
        let audit = audit(&partitions);
        match audit.violations.first() {
            Some(violation) => Err(format!("after a step: {violation}")),
            None => Ok(audit.quiet),
        }
    }

    /// The process has ended, of a fault that was planned; nothing else may end it.
    fn crash(&mut self, why: &str) -> Check {
        let is_planned = self.disk.is_dead() || why.contains("simulated") || why == "at once";
        let is_full = self.disk.has_plan() && why.contains("space");
        if !is_planned && !is_full {
            return Err(format!("the node ended by itself: {why}"));
        }
        self.crashes += 1;
        self.node = None;
        self.network.crash();
        self.stalled.fill(0);
        self.unpublished.fill(0);
        self.after_end();
        if self.random.one_in(2) {
            let within = self.random.below(80);
            self.disk.plan(|plan| plan.crash_in = Some(within));
        }
        self.restart()
    }

    /// The disk as the next life finds it.
    fn after_end(&mut self) {
        if self.disk.is_dead() && !self.random.one_in(4) || self.random.one_in(3) {
            self.counts.add(Fault::PowerLoss);
            self.disk.power_loss();
        } else {
            self.counts.add(Fault::ProcessKilled);
            self.disk.revive();
        }
    }

    /// Starts a life, perhaps after some that end while they begin.
    fn restart(&mut self) -> Check {
        loop {
            match self.try_start() {
                Ok(checked) => {
                    checked?;
                    self.disk.plan(|plan| plan.crash_in = None);
                    break;
                }
                Err(_) if self.disk.is_dead() => {
                    self.counts.add(Fault::CrashInRecovery);
                    self.node = None;
                    self.network.crash();
                    self.after_end();
                }
                Err(error) => return Err(format!("the start was refused: {error}")),
            }
        }
        self.treasury_token = None;
        let sink = self.observer.sink();
        self.session = self.node().node().open_session(sink);
        for id in self.ids() {
            for letter in self.node().take_letters(id) {
                self.network.send(letter);
            }
        }
        self.audit()?;
        Ok(())
    }

    /// The outer error is the product's, the inner one that of a check.
    fn try_start(&mut self) -> Result<Check, NodeError> {
        self.node = Some(SteppedNode::start(&self.config, &self.hooks)?);
        if let Err(what) = self.check_recovered() {
            return Ok(Err(what));
        }
        for id in self.ids() {
            self.node().begin(id)?;
        }
        Ok(self.check_begun())
    }

    fn check_recovered(&mut self) -> Check {
        let node = self.node.as_ref().expect("runs");
        for id in self.ids() {
            let (last, seen) = (node.partition(id).seq(), self.observer.last_seen(id));
            if last < seen {
                return Err(at(
                    id,
                    seen,
                    format!("was seen and is lost: the log ends with {last}"),
                ));
            }
        }
        for part in node.node().recovery() {
            let fault = match part.snapshot_seq {
                Seq(0) => Fault::RestartFromLog,
                _ => Fault::RestartFromSnapshot,
            };
            self.counts.add(fault);
        }
        if self.crashes > 0 && !self.disk.has_plan() {
            self.experiment()?;
        }
        Ok(())
    }

    /// On copies of the disk: other ways to start, and damage that must not pass.
    fn experiment(&mut self) -> Check {
        let node = self.node.as_ref().expect("runs");
        let mut random = self.random.fork();
        let mut trial = experiments::Trial {
            disk: &self.disk,
            config: &self.config,
            hooks: &self.hooks,
            node,
            observer: &self.observer,
            random: &mut random,
            counts: &mut self.counts,
        };
        trial.run()
    }

    /// All of this life's first entries are durable: everything is as it was.
    fn check_begun(&mut self) -> Check {
        if self.disk.is_dead() {
            return Ok(());
        }
        let node = self.node.as_ref().expect("runs");
        for id in self.ids() {
            self.observer.read_again(node, id, |event| self.workload.learn(event))?;
            self.observer.shadow(&self.disk, id)?;
            self.observer.compare_state(node.partition(id))?;
        }
        Ok(())
    }

    /// Faults cease; everything becomes quiet and consistent.
    fn calm_down(&mut self) -> Check {
        self.network.set_faulty(false);
        self.disk.plan(|plan| *plan = crate::disk::Plan::default());
        self.stalled.fill(0);
        self.unpublished.fill(0);
        self.clock_stalled = 0;
        if self.disk.is_dead() {
            self.crash("at once")?;
        }
        for _ in 0..2_000 {
            self.ask_treasury();
            self.tick()?;
            if self.is_quiet() && self.treasury.is_empty() {
                return self.end();
            }
        }
        Err("faults ceased, but the exchange does not become quiet".to_owned())
    }

    fn is_quiet(&self) -> bool {
        let node = self.node.as_ref().expect("runs");
        let is_idle = |id| !node.has_work(id);
        self.network.is_quiet() && self.ids().all(is_idle) && self.audit() == Ok(true)
    }

    /// An orderly end, and a last look at everything.
    fn end(&mut self) -> Check {
        self.node().stop().map_err(|error| format!("the orderly end failed: {error}"))?;
        let node = self.node.as_ref().expect("runs");
        for id in self.ids() {
            self.observer.follow(node, id, |_| ())?;
            self.observer.read_late(node, id)?;
            self.observer.shadow(&self.disk, id)?;
            self.observer.compare_state(node.partition(id))?;
            for peer in self.ids() {
                let (sent, received) =
                    (node.partition(id).sent_to(peer), node.partition(peer).received_from(id));
                if sent != received {
                    return Err(format!("{id} sent {sent} messages to {peer}, it has {received}"));
                }
            }
            let left = node.partition(id).outbox_len();
            if left > 0 {
                return Err(format!("partition {id}: {left} messages are not acknowledged"));
            }
        }
        self.observer.check_answers()?;
        self.node = None;
        self.disk.power_loss();
        self.restart()?;
        let reports = self.node().node().recovery();
        if reports.iter().any(|report| !report.sealed || report.torn.is_some()) {
            return Err("a log that was sealed is not".to_owned());
        }
        Ok(())
    }
}

fn draw_config(random: &mut Random) -> NodeConfig {
    let mut config = NodeConfig::new(DATA);
    config.topology = Topology::spread(random.between(2, 4) as u16);
    config.queue_capacity = *random.pick(&[16, 64]);
    config.queue_reserved = 4;
    config.max_batch_entries = *random.pick(&[1, 7, 64]);
    config.segment_size = *random.pick(&[4 << 10, 16 << 10, 64 << 10]);
    let segment_size = *random.pick(&[4 << 10, 64 << 10]);
    config.event_log = Some(EventLogConfig { segment_size, ..EventLogConfig::default() });
    config.recent_events = *random.pick(&[32, 1_000]);
    config.max_unwritten_events = 400;
    config.max_outbox = *random.pick(&[40, 1_000]);
    config.snapshot_every = *random.pick(&[None, Some(150), Some(500)]);
    config.keep_snapshots = random.between(1, 4) as usize;
    config.trim_commands = random.one_in(3);
    config
}
