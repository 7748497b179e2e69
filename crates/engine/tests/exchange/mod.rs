//! An exchange of some partitions in memory, with a log of its own: what the tests drive.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::{Partition, audit};
use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, Bug, ClientOrderId, Command, Component,
    Decimal, Event, FeeRates, ListLeg, MakerRate, MarketBounds, MarketDef, MarketId, OrderId,
    OrderSpec, PartitionId, PartsPerMillion, PlaceOrder, PlaceOrderList, Price, Quantity, ReplyTo,
    Request, SelfTradePrevention, Seq, Side, TimeInForce, Timestamp, Topology, TreasuryReference,
};

pub const BASE: AssetId = AssetId(1);
pub const QUOTE: AssetId = AssetId(2);
pub const FIRST_MARKET: MarketId = MarketId(1);

/// Partitions, their logs, and the wires between them.
pub struct Exchange {
    pub topology: Topology,
    pub partitions: Vec<Partition>,
    pub logs: Vec<Vec<(Timestamp, Command)>>,
    pub events: Vec<Vec<(Seq, Vec<Event>)>>,
    pub now: Timestamp,
    /// Sessions and tokens of requests that were answered: none is answered twice.
    answered: BTreeSet<(u64, u64)>,
    /// What is wrong with the binary that runs this.
    bug: Option<Bug>,
    next_token: u64,
    next_reference: u64,
}

impl Exchange {
    pub fn new(partitions: u16) -> Self {
        let topology = Topology::spread(partitions);
        let mut exchange = Self {
            partitions: (0..partitions).map(|id| Partition::new(PartitionId(id), 7)).collect(),
            logs: vec![Vec::new(); usize::from(partitions)],
            events: vec![Vec::new(); usize::from(partitions)],
            topology,
            now: Timestamp(1_000_000_000),
            answered: BTreeSet::new(),
            bug: None,
            next_token: 0,
            next_reference: 0,
        };
        for id in 0..partitions {
            exchange.append(PartitionId(id), Command::SetTopology(exchange.topology.clone()));
        }
        exchange
    }

    /// With two assets, `markets` markets between them, and `accounts` funded accounts from 1.
    pub fn funded(partitions: u16, markets: u32, accounts: u32, each: u128) -> Self {
        let mut exchange = Self::new(partitions);
        for (id, symbol) in [(BASE, "BASE"), (QUOTE, "QUOTE")] {
            let asset = AssetDef { id, symbol: symbol.into(), scale: 0 };
            exchange.submit_quietly(Request::DefineAsset(asset));
        }
        for id in 1..=markets {
            exchange.submit_quietly(Request::ListMarket(Box::new(market(MarketId(id)))));
        }
        for id in 1..=accounts {
            let account = AccountId(id);
            exchange.submit_quietly(Request::CreateAccount { account, fee_tier: 0 });
            for asset in [BASE, QUOTE] {
                exchange.credit(account, asset, each);
            }
        }
        exchange
    }

    pub fn set_fees(&mut self, maker: i32, taker: u32) {
        let rates = FeeRates { maker: MakerRate(maker), taker: PartsPerMillion(taker) };
        self.submit_quietly(Request::SetFeeTier { tier: 0, rates });
    }

    pub fn credit(&mut self, account: AccountId, asset: AssetId, amount: u128) -> Vec<Event> {
        self.next_reference += 1;
        let reference = TreasuryReference { source: 1, number: self.next_reference };
        let amount = Amount::new(amount);
        self.submit_quietly(Request::Credit {
            reference,
            operator: types::OperatorName::NONE,
            account,
            asset,
            amount,
        })
    }

    /// Submits and delivers all messages until nothing is under way. All events that it caused.
    pub fn submit_quietly(&mut self, request: Request) -> Vec<Event> {
        let mut events = self.submit(request);
        self.settle(&mut events);
        events
    }

    /// Appends a request to the log of the partition that decides it.
    pub fn submit(&mut self, request: Request) -> Vec<Event> {
        let home = self.home(&request);
        self.next_token += 1;
        let reply = ReplyTo::new(1, self.next_token);
        let valid_until = self.now.saturating_add_nanos(1_000_000_000);
        self.append(home, Command::Request { reply, valid_until, request })
    }

    /// Appends and applies one entry, and the continuations that it needs.
    pub fn append(&mut self, to: PartitionId, command: Command) -> Vec<Event> {
        self.now = self.now.saturating_add_nanos(1_000);
        let mut all = self.append_one(to, command);
        while self.partitions[usize::from(to.0)].needs_continue() {
            all.extend(self.append_one(to, Command::Continue));
        }
        all
    }

    /// Applies one entry. If a component fails, it is quarantined before that entry.
    pub fn append_one(&mut self, to: PartitionId, command: Command) -> Vec<Event> {
        let Err(component) = self.try_append(to, &command) else {
            return self.events[usize::from(to.0)].last().expect("just added").1.clone();
        };
        self.rebuild(to);
        let reason = "a bug made on purpose".to_owned();
        let mut events = self.append_one(to, Command::Quarantine { component, reason });
        events.extend(self.append_one(to, command));
        events
    }

    fn try_append(&mut self, to: PartitionId, command: &Command) -> Result<(), Component> {
        let index = usize::from(to.0);
        let partition = &mut self.partitions[index];
        let mut events = Vec::new();
        let seq = partition.seq().next();
        let apply = || partition.apply(seq, self.now, command, &mut events);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(apply)) {
            let Some(component) = partition.failed_component() else {
                std::panic::resume_unwind(panic);
            };
            return Err(component);
        }
        for reply in events.iter().filter_map(Event::answers) {
            let is_first = self.answered.insert((reply.session, reply.token));
            assert!(is_first, "{reply:?} is answered again: {events:#?}");
        }
        self.logs[index].push((self.now, command.clone()));
        self.events[index].push((seq, events));
        Ok(())
    }

    /// What a restart does: the partition as its log says.
    pub fn rebuild(&mut self, id: PartitionId) {
        let index = usize::from(id.0);
        let mut partition = Partition::new(id, 99);
        partition.set_bug(self.bug.clone());
        for (n, (time, command)) in self.logs[index].iter().enumerate() {
            let mut events = Vec::new();
            partition.apply(Seq(n as u64 + 1), *time, command, &mut events);
            assert_eq!(events, self.events[index][n].1, "partition {id}, entry {}", n + 1);
        }
        self.partitions[index] = partition;
    }

    /// Goes on with another binary: every log is replayed by it, to the same state.
    pub fn run_with(&mut self, bug: Option<Bug>) {
        self.bug = bug;
        for index in 0..self.partitions.len() {
            let before = self.partitions[index].state_hash();
            self.rebuild(PartitionId(index as u16));
            assert_eq!(self.partitions[index].state_hash(), before, "partition {index}");
        }
    }

    /// Who is quarantined, over all partitions.
    pub fn quarantined(&self) -> Vec<Component> {
        let all = self.partitions.iter().flat_map(Partition::quarantined);
        all.map(|quarantined| quarantined.component).collect()
    }

    pub fn release(&mut self, component: Component) -> Vec<Event> {
        self.submit_quietly(Request::ReleaseQuarantine { component })
    }

    /// Carries every message to its partition until all are quiet.
    pub fn settle(&mut self, events: &mut Vec<Event>) {
        while let Some((from, to)) = self.next_wire() {
            events.extend(self.carry(from, to, usize::MAX));
            self.acknowledge(from, to);
        }
    }

    fn next_wire(&self) -> Option<(PartitionId, PartitionId)> {
        self.partitions.iter().find_map(|p| p.outgoing().next().map(|to| (p.id(), to)))
    }

    /// Delivers up to `max` of the messages that `to` does not have yet.
    pub fn carry(&mut self, from: PartitionId, to: PartitionId, max: usize) -> Vec<Event> {
        let received = self.partitions[usize::from(to.0)].received_from(from);
        match self.partitions[usize::from(from.0)].outbox(to, received, max) {
            Some(delivery) => self.append(to, Command::Deliver(delivery)),
            None => Vec::new(),
        }
    }

    /// Tells `from` what `to` has.
    pub fn acknowledge(&mut self, from: PartitionId, to: PartitionId) {
        let through = self.partitions[usize::from(to.0)].received_from(from);
        if through > self.partitions[usize::from(from.0)].acknowledged_by(to) {
            self.append(from, Command::Acknowledge { by: to, through });
        }
    }

    fn home(&self, request: &Request) -> PartitionId {
        let registry = &self.partitions[usize::from(self.topology.treasury.0)];
        self.topology.home_of(request, |market| registry.market_home(market))
    }

    /// Lets the time come: every partition with something due gets a tick, as from its sequencer.
    pub fn wait_until(&mut self, time: Timestamp) -> Vec<Event> {
        self.now = self.now.max(time);
        let mut events = Vec::new();
        for index in 0..self.partitions.len() {
            if self.partitions[index].next_deadline().is_some_and(|at| at <= self.now) {
                events.extend(self.append(PartitionId(index as u16), Command::Tick));
            }
        }
        self.settle(&mut events);
        events
    }

    /// Panics with every violated invariant.
    pub fn assert_sound(&self) -> engine::Audit {
        let partitions: Vec<_> = self.partitions.iter().collect();
        let audit = audit(&partitions);
        assert!(audit.violations.is_empty(), "{:#?}", audit.violations);
        audit
    }

    /// Applies each log to a new partition: state and events must come out the same.
    pub fn assert_replays(&self) {
        for (index, log) in self.logs.iter().enumerate() {
            let original = &self.partitions[index];
            let mut replayed = Partition::new(original.id(), 12_345);
            for (n, (time, command)) in log.iter().enumerate() {
                let mut events = Vec::new();
                replayed.apply(Seq(n as u64 + 1), *time, command, &mut events);
                assert_eq!(events, self.events[index][n].1, "partition {index}, entry {}", n + 1);
            }
            assert_eq!(replayed.state_hash(), original.state_hash(), "partition {index}");
        }
    }

    pub fn balances(&self) -> BTreeMap<(AccountId, AssetId), (Amount, Amount)> {
        let all = self.partitions.iter().flat_map(|p| p.ledger().balances());
        all.map(|(account, asset, available, held)| ((account, asset), (available, held))).collect()
    }

    /// Every resting order in priority order, by market and side.
    pub fn books(&self) -> Books {
        let mut books = BTreeMap::new();
        let treasury = &self.partitions[usize::from(self.topology.treasury.0)];
        for listed in treasury.definitions().markets() {
            let home = &self.partitions[usize::from(listed.def.home.0)];
            let market = home.market(listed.def.id).expect("it lives there");
            for side in [Side::Buy, Side::Sell] {
                let orders = market.book().orders(side);
                let seen = orders.map(|o| (o.id, o.account, o.price, o.remaining)).collect();
                books.insert((listed.def.id, side), seen);
            }
        }
        books
    }
}

/// One atom of quote per tick and lot, one atom of base per lot.
pub fn market(id: MarketId) -> MarketDef {
    MarketDef {
        id,
        symbol: format!("M{id}"),
        base: BASE,
        quote: QUOTE,
        tick: Decimal::new(1, 0),
        lot: Decimal::new(1, 0),
        max_price: Price::new(1_000_000),
        max_quantity: Quantity::new(1_000_000_000),
        bounds: MarketBounds { max_orders_per_account: 100_000, ..MarketBounds::default() },
        home: PartitionId(0),
        version: 1,
    }
}

/// A good-till-cancelled limit order in the first market, without a client id.
pub fn limit(account: u32, side: Side, price: u64, quantity: u64) -> PlaceOrder {
    PlaceOrder {
        account: AccountId(account),
        market: FIRST_MARKET,
        version: 1,
        client_order_id: ClientOrderId::NONE,
        side,
        spec: OrderSpec::Limit {
            price: Price::new(price),
            quantity: Quantity::new(quantity),
            time_in_force: TimeInForce::Gtc,
            post_only: false,
        },
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    }
}

/// A list in the first market, without client ids.
pub fn order_list(account: u32, legs: Vec<ListLeg>, pending: Vec<ListLeg>) -> Request {
    Request::PlaceOrderList(Box::new(PlaceOrderList {
        account: AccountId(account),
        market: FIRST_MARKET,
        version: 1,
        client_order_id: ClientOrderId::NONE,
        self_trade_prevention: SelfTradePrevention::None,
        legs,
        pending,
    }))
}

/// Every kind of self-trade prevention, to pick from; most orders have none.
pub const PREVENTIONS: [SelfTradePrevention; 6] = [
    SelfTradePrevention::None,
    SelfTradePrevention::None,
    SelfTradePrevention::ExpireTaker,
    SelfTradePrevention::ExpireMaker,
    SelfTradePrevention::ExpireBoth,
    SelfTradePrevention::Decrement,
];

/// Resting orders in priority order.
pub type Books = BTreeMap<(MarketId, Side), Vec<(OrderId, AccountId, Price, Quantity)>>;
