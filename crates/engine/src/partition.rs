//! [`Partition`]: the state machine behind one log.

use std::collections::VecDeque;

use book::{Market, Work};
use ledger::{Context, Definitions, Ledger, Treasury};
use types::{
    Command, Component, Delivery, Effects, Event, MarketChange, MarketId, Message, PartitionId,
    Seq, Timestamp, Topology,
};

use crate::channel::Channels;
use crate::deadlines::Deadlines;
use crate::messages::WaitingRequest;
use crate::plans::DefinitionPlans;
use crate::quarantine::Quarantines;

/// Steps and fills that one entry may do before the rest waits for a `Continue`.
const WORK_PER_ENTRY: u32 = 4_096;

/// One partition.
pub struct Partition {
    pub(crate) id: PartitionId,
    pub(crate) hash_seed: u64,
    /// The last entry applied.
    pub(crate) seq: Seq,
    pub(crate) now: Timestamp,
    pub(crate) term: u64,
    /// The last entry ended the term: whoever begins the next one finds all in order.
    pub(crate) term_ended: bool,
    pub(crate) topology: Option<Topology>,
    pub(crate) definitions: Definitions,
    /// Changes of definitions to come, if this is the treasury's partition.
    pub(crate) plans: DefinitionPlans,
    pub(crate) ledger: Ledger,
    /// Markets that live here, by id.
    pub(crate) markets: Vec<Option<Box<Market>>>,
    /// When their timers are due.
    pub(crate) deadlines: Deadlines,
    /// Here if this is the treasury's partition.
    pub(crate) treasury: Option<Treasury>,
    pub(crate) channels: Channels,
    /// Events of the current entry, and the messages that are still to be handled or sent, first in,
    /// first out.
    pub(crate) fx: Effects,
    /// Messages for markets that are interrupted; each market takes them up when it has finished.
    pub(crate) deferred: VecDeque<Message>,
    /// Requests that came while messages were left: each waits until all that was caused before it
    /// is done.
    pub(crate) waiting: VecDeque<WaitingRequest>,
    /// Components that have failed, and what waits for them.
    pub(crate) quarantines: Quarantines,
    /// Whose step is being made. Not part of the state: it tells whose fault a panic is.
    pub(crate) stepping: Option<Component>,
}

impl Partition {
    /// A partition without a log. `hash_seed` may differ from process to process: nothing that can
    /// be seen depends on it.
    #[must_use]
    pub fn new(id: PartitionId, hash_seed: u64) -> Self {
        Self {
            id,
            hash_seed,
            seq: Seq(0),
            now: Timestamp(0),
            term: 0,
            term_ended: false,
            topology: None,
            definitions: Definitions::default(),
            plans: DefinitionPlans::default(),
            ledger: Ledger::new(std::iter::empty(), hash_seed),
            markets: Vec::new(),
            deadlines: Deadlines::default(),
            treasury: None,
            channels: Channels::default(),
            fx: Effects::default(),
            deferred: VecDeque::new(),
            waiting: VecDeque::new(),
            quarantines: Quarantines::default(),
            stepping: None,
        }
    }

    /// Puts a bug into this partition.
    #[cfg(feature = "fault-injection")]
    pub fn set_bug(&mut self, bug: Option<types::Bug>) {
        self.fx.bug = bug;
    }

    /// Applies the next entry and appends its events.
    ///
    /// # Panics
    /// If `seq` is not the next one, `time` goes backwards, or an invariant breaks: all are bugs of the
    /// sequencer or of this crate. Then the state is good for nothing, but [`Self::failed_component`] may
    /// say whose fault it was.
    pub fn apply(&mut self, seq: Seq, time: Timestamp, command: &Command, events: &mut Vec<Event>) {
        assert_eq!(seq, self.seq.next(), "entries have no gaps");
        assert!(time >= self.now, "time never goes backwards");
        (self.seq, self.now) = (seq, time);
        self.fx.events.swap(events);
        let mut work = Work { remaining: WORK_PER_ENTRY };
        let ends_term = matches!(command, Command::EndTerm);
        let term_ended = std::mem::replace(&mut self.term_ended, ends_term);
        if let Command::NewTerm { term } = command {
            self.begin_term(*term, term_ended);
        }
        if let Command::Quarantine { component, reason } = command {
            // No component takes a step in this entry: another may fail on what is left, and its
            // quarantine must not stand in front of this one.
            self.quarantine(*component, reason);
        } else {
            self.fire_due_timers(&mut work);
            self.command(command, &mut work);
            self.run(&mut work);
        }
        self.ledger.emit_touched(&mut self.fx);
        self.fx.events.swap(events);
    }

    fn command(&mut self, command: &Command, work: &mut Work) {
        match command {
            Command::Request { reply, valid_until, request } => {
                let (reply, valid_until) = (*reply, *valid_until);
                if self.needs_continue() || self.deadlines.are_due(self.now) {
                    let request = request.clone();
                    self.waiting.push_back(WaitingRequest { reply, valid_until, request });
                } else {
                    self.request(reply, valid_until, request, work);
                }
            }
            Command::Deliver(delivery) => self.deliver(delivery),
            Command::Acknowledge { by, through } => self.channels.acknowledge(*by, *through),
            Command::SetTopology(topology) => self.set_topology(topology),
            Command::Continue
            | Command::Tick
            | Command::NewTerm { .. }
            | Command::EndTerm
            | Command::Quarantine { .. } => {}
        }
    }

    /// A new leader. If the last one did not end in order, markets with a rule for that reopen in steps,
    /// before anything that has become due meanwhile.
    fn begin_term(&mut self, term: u64, last_ended: bool) {
        let is_first = self.term == 0;
        self.term = term;
        if is_first || last_ended {
            return;
        }
        let markets = self.markets.iter().flatten();
        for market in markets.filter(|market| market.rules().reopening.is_some()) {
            let market = market.definition().id;
            let change = Box::new(MarketChange::Reopen);
            self.fx.send(Message::ChangeMarket { market, change });
        }
    }

    /// When the sequencer must append a [`Command::Tick`], if nothing else comes before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.next()
    }

    /// Due timers fire before what the entry commands, in the order of their deadlines. What a dead man's
    /// switch cancels is gone before the timers of anybody else fire, such as those of a market that opens.
    #[inline]
    fn fire_due_timers(&mut self, work: &mut Work) {
        while work.remaining > 0
            && let Some(component) = self.deadlines.tell_due(self.now)
        {
            self.fx.send(Message::FireTimers { component });
            if matches!(component, Component::Ledger(_)) {
                self.deliver_own(work);
            }
        }
    }

    /// Whether work is left: the sequencer appends [`Command::Continue`] before anything else.
    #[must_use]
    pub fn needs_continue(&self) -> bool {
        !self.fx.messages.is_empty() || !self.waiting.is_empty()
    }

    /// Works off what is left, as far as this entry may.
    fn run(&mut self, work: &mut Work) {
        self.deliver_own(work);
        while work.remaining > 0
            && let Some(waiting) = self.waiting.pop_front()
        {
            work.remaining -= 1;
            self.request(waiting.reply, waiting.valid_until, &waiting.request, work);
            self.deliver_own(work);
        }
    }

    /// Brings components of this partition what others of it have sent, until nothing is left.
    fn deliver_own(&mut self, work: &mut Work) {
        while work.remaining > 0
            // Borrowed where it was popped to: a message is large.
            && let Some(message) = &mut self.fx.messages.pop_front()
        {
            work.remaining -= 1;
            self.route(message, work);
        }
    }

    /// Handles a message here, or sends it to its partition.
    fn route(&mut self, message: &mut Message, work: &mut Work) {
        let to = message.to();
        // Almost all are, and then nobody need be asked for the way.
        if self.hosts(to) {
            return self.handle(message, to, work);
        }
        let topology = self.topology.as_ref().expect("the topology comes first");
        let home = home_of(self.id, topology, &self.definitions, to);
        if home == self.id {
            self.handle(message, to, work);
        } else {
            if let Some(reply) = message.reply_mut() {
                (reply.passed, reply.passed_seq) = (self.id, self.seq);
            }
            self.channels.send(home, message.clone());
        }
    }

    /// Whether the component is here. A market that is not may still have its home here: it is not listed.
    #[inline]
    fn hosts(&self, component: Component) -> bool {
        match component {
            Component::Ledger(slot) => self.ledger.hosts_slot(slot),
            Component::Market(market) => self.market(market).is_some(),
            Component::Treasury => self.treasury.is_some(),
            Component::Registry(partition) => partition == self.id,
        }
    }

    fn deliver(&mut self, delivery: &Delivery) {
        let new = self.channels.accept(delivery);
        new.iter().cloned().for_each(|message| self.fx.messages.push_back(message));
    }

    fn set_topology(&mut self, topology: &Topology) {
        assert!(self.topology.is_none(), "the topology is the first entry of a log");
        assert!(topology.is_valid(), "the sequencer checks the topology");
        self.ledger = Ledger::new(topology.slots_of(self.id), self.hash_seed);
        self.treasury = (topology.treasury == self.id).then(Treasury::default);
        self.topology = Some(topology.clone());
    }

    /// Which partition this is.
    #[must_use]
    pub fn id(&self) -> PartitionId {
        self.id
    }

    /// The last entry applied.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Its time.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.now
    }

    /// The term of the log's writer.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Which partition hosts what, once the log says it.
    #[must_use]
    pub fn topology(&self) -> Option<&Topology> {
        self.topology.as_ref()
    }

    /// Assets, markets and fee tiers.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The partition that hosts a market's book, if the market is known.
    #[must_use]
    pub fn market_home(&self, market: MarketId) -> Option<PartitionId> {
        self.definitions.market(market).map(|listed| listed.def.home)
    }

    /// A market that lives here.
    #[must_use]
    pub fn market(&self, market: MarketId) -> Option<&Market> {
        self.markets.get(market.0 as usize)?.as_deref()
    }

    /// The accounts that live here.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The treasury, if it lives here.
    #[must_use]
    pub fn treasury(&self) -> Option<&Treasury> {
        self.treasury.as_ref()
    }

    /// Partitions with messages of this one that they have not acknowledged.
    pub fn outgoing(&self) -> impl Iterator<Item = PartitionId> {
        self.channels.waiting_peers()
    }

    /// How many messages wait for acknowledgement, over all channels.
    #[must_use]
    pub fn outbox_len(&self) -> usize {
        self.channels.waiting_count()
    }

    /// Number of the last message to `peer`.
    #[must_use]
    pub fn sent_to(&self, peer: PartitionId) -> u64 {
        self.channels.sent_to(peer)
    }

    /// Up to `max` messages to `to` with numbers above `after`.
    #[must_use]
    pub fn outbox(&self, to: PartitionId, after: u64, max: usize) -> Option<Delivery> {
        self.channels.outbox(self.id, to, after, max)
    }

    /// Number of the last message received from `peer`.
    #[must_use]
    pub fn received_from(&self, peer: PartitionId) -> u64 {
        self.channels.received_from(peer)
    }

    /// Number of the last message that `peer` has made durable.
    #[must_use]
    pub fn acknowledged_by(&self, peer: PartitionId) -> u64 {
        self.channels.acknowledged_by(peer)
    }

    /// Messages to `peer` that it has not acknowledged, with their numbers.
    pub fn unacknowledged(&self, peer: PartitionId) -> impl Iterator<Item = (u64, &Message)> {
        self.channels.waiting_for(peer)
    }
}

/// What a ledger step may look at. Free-standing, so that the ledger itself can be borrowed mutably.
pub(crate) fn context<'a>(
    topology: Option<&Topology>,
    definitions: &'a Definitions,
    now: Timestamp,
) -> Context<'a> {
    let (max_accounts, max_client_ids_per_account) =
        topology.map_or((0, 0), |t| (t.max_accounts, t.max_client_ids_per_account));
    Context { definitions, now, max_accounts, max_client_ids_per_account }
}

/// The partition that hosts a component. Messages name components that exist: the sender checked the
/// definition or was written to by the component itself.
fn home_of(
    here: PartitionId,
    topology: &Topology,
    definitions: &Definitions,
    component: Component,
) -> PartitionId {
    match component {
        Component::Ledger(slot) => topology.home_of_slot(slot),
        Component::Market(market) => definitions.market(market).map_or(here, |m| m.def.home),
        Component::Treasury => topology.treasury,
        Component::Registry(partition) => partition,
    }
}
