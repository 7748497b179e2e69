//! An exchange of some partitions without node, disk and network: the engine alone, with its logs and all
//! that must hold of it. For whoever makes streams of commands.

use std::collections::{BTreeMap, BTreeSet};

use chance::Random;
use engine::{Partition, audit};
use types::{
    AccountId, Amount, AssetId, Command, Event, PartitionId, ReplyTo, Request, Timestamp, Topology,
};

use crate::rare;
use crate::workload::Workload;

/// The session that asks.
const SESSION: u64 = 1;
const SECOND: u64 = 1_000_000_000;
/// One request in so many is a rare one.
const RARE: u64 = 8;
const BEGIN: Timestamp = Timestamp(1_700_000_000 * SECOND);
/// Entries that one may need to be worked off.
const MOST_CONTINUES: u32 = 10_000;

/// The exchange.
pub struct Venue {
    /// Which partition hosts what.
    pub topology: Topology,
    /// By id.
    pub partitions: Vec<Partition>,
    /// What each applied, from entry 1 on.
    pub logs: Vec<Vec<(Timestamp, Command)>>,
    /// What came of each entry.
    pub events: Vec<Vec<(Timestamp, Vec<Event>)>>,
    /// Of the last entry; it never stands still.
    pub now: Timestamp,
    workload: Workload,
    next_token: u64,
    /// Tokens of requests without an answer so far.
    unanswered: BTreeSet<u64>,
    /// What events last said of each balance.
    told: BTreeMap<(AccountId, AssetId), (Amount, Amount)>,
    hash_seed: u64,
    term: u64,
}

impl Venue {
    /// With assets, markets and funded accounts; what comes then is drawn from `random`.
    pub fn new(partitions: u16, random: Random) -> Self {
        let mut venue = Self {
            topology: Topology::spread(partitions),
            partitions: (0..partitions).map(|id| Partition::new(PartitionId(id), 7)).collect(),
            logs: vec![Vec::new(); usize::from(partitions)],
            events: vec![Vec::new(); usize::from(partitions)],
            now: BEGIN,
            workload: Workload::new(random),
            next_token: 0,
            unanswered: BTreeSet::new(),
            told: BTreeMap::new(),
            hash_seed: 7,
            term: 1,
        };
        for id in (0..partitions).map(PartitionId) {
            venue.append(id, Command::SetTopology(venue.topology.clone()));
            venue.append(id, Command::NewTerm { term: 1 });
        }
        for request in venue.workload.founding() {
            venue.submit(request);
            venue.settle();
        }
        venue
    }

    /// Of one partition, before anything happens.
    pub fn founded() -> Self {
        Self::new(1, Random::new(1))
    }

    /// The source of chance, which decides between requests too.
    pub fn random(&mut self) -> &mut Random {
        self.workload.random()
    }

    /// What the workload asks now, or what is asked rarely.
    pub fn draw(&mut self) -> Request {
        if self.random().one_in(RARE) {
            let now = self.now;
            return rare::request(self.random(), now);
        }
        self.workload.next(self.now)
    }

    /// Appends a request to the log of the partition that decides it.
    pub fn submit(&mut self, request: Request) {
        let home = self.home(&request);
        self.submit_to(home, request, self.now.saturating_add_nanos(SECOND));
    }

    /// Appends a request to the log of a partition.
    pub fn submit_to(&mut self, to: PartitionId, request: Request, valid_until: Timestamp) {
        self.next_token += 1;
        self.unanswered.insert(self.next_token);
        let reply = ReplyTo::new(SESSION, self.next_token);
        self.append(to, Command::Request { reply, valid_until, request });
    }

    /// Appends an entry, and the continuations that it needs.
    pub fn append(&mut self, to: PartitionId, command: Command) {
        self.now = self.now.saturating_add_nanos(1_000);
        self.append_one(to, command);
        for _ in 0..MOST_CONTINUES {
            if !self.partitions[usize::from(to.0)].needs_continue() {
                return;
            }
            self.append_one(to, Command::Continue);
        }
        panic!("the work of an entry has no end");
    }

    fn append_one(&mut self, to: PartitionId, command: Command) {
        let index = usize::from(to.0);
        let partition = &mut self.partitions[index];
        let (seq, mut events) = (partition.seq().next(), Vec::new());
        partition.apply(seq, self.now, &command, &mut events);
        self.logs[index].push((self.now, command));
        for event in &events {
            self.take_in(event);
        }
        self.events[index].push((self.now, events));
    }

    fn take_in(&mut self, event: &Event) {
        self.workload.learn(event);
        if let Some(reply) = event.answers() {
            let is_asked = reply.session == SESSION && self.unanswered.remove(&reply.token);
            assert!(is_asked, "answered twice, or never asked: {event:?}");
        }
        if let Event::BalanceChanged { account, asset, available, held } = *event {
            self.told.insert((account, asset), (available, held));
        }
    }

    /// Carries every message to its partition until all are quiet.
    pub fn settle(&mut self) {
        while let Some((from, to)) = self.next_wire() {
            self.carry(from, to, usize::MAX);
            self.acknowledge(from, to);
        }
    }

    fn next_wire(&self) -> Option<(PartitionId, PartitionId)> {
        self.partitions.iter().find_map(|p| p.outgoing().next().map(|to| (p.id(), to)))
    }

    /// Delivers up to `most` of the messages that `to` does not have yet.
    pub fn carry(&mut self, from: PartitionId, to: PartitionId, most: usize) {
        let received = self.partitions[usize::from(to.0)].received_from(from);
        self.carry_after(from, to, received, most);
    }

    /// Delivers up to `most` of the messages with numbers above `after`: perhaps again, or too early.
    pub fn carry_after(&mut self, from: PartitionId, to: PartitionId, after: u64, most: usize) {
        if let Some(delivery) = self.partitions[usize::from(from.0)].outbox(to, after, most) {
            self.append(to, Command::Deliver(delivery));
        }
    }

    /// Tells `from` what `to` has.
    pub fn acknowledge(&mut self, from: PartitionId, to: PartitionId) {
        let through = self.partitions[usize::from(to.0)].received_from(from);
        self.append(from, Command::Acknowledge { by: to, through });
    }

    /// Lets time pass; partitions with something due get a tick, as from their sequencers.
    pub fn wait(&mut self, nanos: u64) {
        self.now = self.now.saturating_add_nanos(nanos);
        for index in 0..self.partitions.len() {
            if self.partitions[index].next_deadline().is_some_and(|at| at <= self.now) {
                self.append(PartitionId(index as u16), Command::Tick);
            }
        }
    }

    /// Begins the next term of each partition, after one that ended in order, or did not.
    pub fn restart(&mut self, in_order: bool) {
        self.term += 1;
        for id in (0..self.topology.partitions).map(PartitionId) {
            if in_order {
                self.append(id, Command::EndTerm);
            }
            self.append(id, Command::NewTerm { term: self.term });
        }
    }

    /// Goes on with a partition restored from its snapshot.
    pub fn restore(&mut self, id: PartitionId) {
        self.hash_seed = self.hash_seed.wrapping_mul(31).wrapping_add(1);
        let original = &mut self.partitions[usize::from(id.0)];
        let bytes = original.snapshot();
        let restored = Partition::restore(id, self.hash_seed, &bytes).expect("just written");
        assert_eq!(restored.snapshot(), bytes, "a restored partition is another one");
        assert_eq!(restored.next_deadline(), original.next_deadline());
        *original = restored;
    }

    /// The partition that decides a request.
    pub fn home(&self, request: &Request) -> PartitionId {
        let registry = &self.partitions[usize::from(self.topology.treasury.0)];
        self.topology.home_of(request, |market| registry.market_home(market))
    }

    /// Panics with every violated invariant.
    pub fn assert_sound(&self) {
        let partitions: Vec<_> = self.partitions.iter().collect();
        let audit = audit(&partitions);
        assert!(audit.violations.is_empty(), "{:#?}", audit.violations);
    }

    /// What holds besides when nothing is under way: all is answered, and events told the balances.
    pub fn assert_quiet(&self) {
        self.assert_sound();
        assert!(self.unanswered.is_empty(), "without an answer: {:?}", self.unanswered);
        for (account, asset, available, held) in
            self.partitions.iter().flat_map(|p| p.ledger().balances())
        {
            let told = self.told.get(&(account, asset)).copied().unwrap_or_default();
            assert_eq!(told, (available, held), "account {account}, asset {asset}");
        }
    }

    /// Each log gives the same events and state again.
    pub fn assert_replays(&self) {
        for (original, (log, events)) in
            self.partitions.iter().zip(self.logs.iter().zip(&self.events))
        {
            let mut replayed = Partition::new(original.id(), 12_345);
            for ((time, command), (_, expected)) in log.iter().zip(events) {
                let mut found = Vec::new();
                replayed.apply(replayed.seq().next(), *time, command, &mut found);
                assert_eq!(found, *expected, "partition {}, {command:?}", original.id());
            }
            assert_eq!(replayed.snapshot(), original.snapshot(), "partition {}", original.id());
        }
    }
}
