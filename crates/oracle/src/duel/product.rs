//! The product's side: one partition, or several with their channels, which are quiet after each command.

use book::Market;
use engine::{Audit, Partition, audit};
use ledger::Treasury;
use types::{
    AccountId, Amount, AssetId, Command, Event, MarketId, PartitionId, ReplyTo, Request, Seq,
    Timestamp, Topology,
};

use super::{Difference, difference, same};

/// Messages of one delivery: few, so that a command's take several.
const AT_ONCE: usize = 7;

/// Partitions that share an exchange.
pub(super) struct Product {
    partitions: Vec<Partition>,
    topology: Topology,
    /// Entries that went on with earlier ones.
    pub(super) continued: u64,
}

impl Product {
    /// Without anything but its topology. `hash_seed` must not matter.
    pub(super) fn new(topology: Topology, hash_seed: u64) -> Self {
        let ids = (0..topology.partitions).map(PartitionId);
        let partitions = ids.map(|id| Partition::new(id, hash_seed)).collect();
        let mut product = Self { partitions, topology, continued: 0 };
        let topology = Command::SetTopology(product.topology.clone());
        product.apply_everywhere(Timestamp(0), &topology);
        product
    }

    /// Whether there are several partitions, so that what happens at once in two of them has no order.
    pub(super) fn is_spread(&self) -> bool {
        self.partitions.len() > 1
    }

    /// Gives a command to whom it is for, and lets come of it what comes, everywhere.
    pub(super) fn apply(&mut self, time: Timestamp, command: &Command) -> Vec<Event> {
        let mut events = Vec::new();
        match command {
            Command::Request { request, .. } => {
                let home = self.home(request);
                self.wake_due(time, Some(home), &mut events);
                self.append(home, time, command, &mut events);
            }
            Command::Tick => self.wake_due(time, None, &mut events),
            _ => return self.apply_everywhere(time, command),
        }
        self.deliver_all(time, &mut events);
        events
    }

    fn apply_everywhere(&mut self, time: Timestamp, command: &Command) -> Vec<Event> {
        let mut events = Vec::new();
        for at in 0..self.partitions.len() {
            self.append(at, time, command, &mut events);
        }
        self.deliver_all(time, &mut events);
        events
    }

    /// Partitions in which something is due come to this time, but for one whose own entry does that.
    fn wake_due(&mut self, time: Timestamp, but: Option<usize>, events: &mut Vec<Event>) {
        for at in (0..self.partitions.len()).filter(|at| Some(*at) != but) {
            if self.partitions[at].next_deadline().is_some_and(|due| due <= time) {
                self.append(at, time, &Command::Tick, events);
            }
        }
        self.deliver_all(time, events);
    }

    /// An entry, and those that go on with it.
    fn append(&mut self, at: usize, time: Timestamp, command: &Command, events: &mut Vec<Event>) {
        let partition = &mut self.partitions[at];
        let first = events.len();
        partition.apply(partition.seq().next(), time, command, events);
        while partition.needs_continue() {
            self.continued += 1;
            partition.apply(partition.seq().next(), time, &Command::Continue, events);
        }
        if self.topology.partitions > 1 {
            events[first..].iter_mut().for_each(forget_way);
        }
    }

    fn deliver_all(&mut self, time: Timestamp, events: &mut Vec<Event>) {
        while let Some((from, to)) = self.next_channel() {
            let after = self.partitions[to.0 as usize].received_from(from);
            let delivery = self.partitions[from.0 as usize].outbox(to, after, AT_ONCE);
            let delivery = Command::Deliver(delivery.expect("it was not received"));
            self.append(to.0.into(), time, &delivery, events);
            let through = self.partitions[to.0 as usize].received_from(from);
            let acknowledged = Command::Acknowledge { by: to, through };
            self.append(from.0.into(), time, &acknowledged, events);
        }
    }

    /// A channel with something under way.
    fn next_channel(&self) -> Option<(PartitionId, PartitionId)> {
        self.partitions.iter().find_map(|from| Some((from.id(), from.outgoing().next()?)))
    }

    /// The partition that decides a request first.
    fn home(&self, request: &Request) -> usize {
        let registry = &self.partitions[usize::from(self.topology.treasury.0)];
        self.topology.home_of(request, |market| registry.market_home(market)).0.into()
    }

    pub(super) fn market(&self, id: MarketId) -> Option<&Market> {
        self.partitions.iter().find_map(|partition| partition.market(id))
    }

    pub(super) fn treasury(&self) -> &Treasury {
        let home = usize::from(self.topology.treasury.0);
        self.partitions[home].treasury().expect("it lives here")
    }

    /// Available and held.
    pub(super) fn balance(&self, account: AccountId, asset: AssetId) -> (Amount, Amount) {
        let home = usize::from(self.topology.home_of_slot(account.slot()).0);
        self.partitions[home].ledger().balance(account, asset).unwrap_or_default()
    }

    pub(super) fn balances(
        &self,
    ) -> impl Iterator<Item = (AccountId, AssetId, Amount, Amount)> + '_ {
        self.partitions.iter().flat_map(|partition| partition.ledger().balances())
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.partitions.iter().filter_map(Partition::next_deadline).min()
    }

    pub(super) fn audit(&self) -> Audit {
        audit(&self.partitions.iter().collect::<Vec<_>>())
    }

    /// Goes on from its own snapshots, which must restore the same state.
    pub(super) fn restore(&mut self, hash_seed: u64) -> Result<(), Difference> {
        for partition in &mut self.partitions {
            let (bytes, hash) = (partition.snapshot(), partition.state_hash());
            let restored = Partition::restore(partition.id(), hash_seed, &bytes);
            let restored = restored.map_err(|error| difference("snapshot", &"restores", &error))?;
            same("hash of the restored state", &hash, &restored.state_hash())?;
            *partition = restored;
        }
        Ok(())
    }
}

/// An answer says which partitions its command passed: that depends on where things live, and on nothing else.
fn forget_way(event: &mut Event) {
    let reply = match event {
        Event::Rejected { reply, .. }
        | Event::Repeated { reply, .. }
        | Event::OrderPlaced { reply, .. }
        | Event::OrderCancelled { reply, .. }
        | Event::OrderReduced { reply, .. }
        | Event::OrderReplaced { reply, .. }
        | Event::CancelAllAccepted { reply, .. }
        | Event::Credited { reply, .. }
        | Event::Debited { reply, .. }
        | Event::DebitReserved { reply, .. }
        | Event::DebitReleased { reply, .. }
        | Event::TransferredOut { reply, .. } => reply,
        Event::OrderListPlaced(placed) => &mut placed.reply,
        _ => return,
    };
    (reply.passed, reply.passed_seq) = (ReplyTo::NOBODY.passed, Seq(0));
}
