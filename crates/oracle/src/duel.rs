//! The product and the naive exchange, command by command.
//!
//! What the rules do not fix is made alike before it is compared, and nothing else is:
//! - `BalanceChanged` events: which balances are told again without a change, and in which order, is free. What
//!   was told last of each balance must be true after each command. `VolumeChanged` likewise.
//! - What is due in several markets with one entry: the order between markets is free, within a market it
//!   is not. Nothing is due at the same time as a dead man's switch: the generator sees to it, and the
//!   clock wakes both sides for each, as it does where pending legs may come in one of several markets.
//! - Whether the answer to a refused or repeated settlement states the name of the pending debit is free.
//! - Where partitions are several: the order between what happens in one market, in another, and elsewhere.
//!   All channels are quiet after each command; ticks come for each deadline.
//! - How many entries one command's work is spread over ([`Command::Continue`]) is free.

mod check;
mod product;

use std::collections::BTreeMap;

use types::{
    AccountId, Amount, AssetId, ClientOrderId, Command, Event, ListEnd, MarketId, MarketState,
    OrderId, OrderListKind, ReplyTo, Request, RequestKind, Timestamp,
};

use self::product::Product;
use crate::coverage::{Coverage, Kind, Outcome};
use crate::generate::{Step, World};
use crate::naive::Exchange;

/// The two sides disagree.
#[derive(Clone, Debug)]
pub struct Difference {
    /// About what.
    pub what: String,
    /// The naive exchange's side.
    pub expected: String,
    /// The product's.
    pub found: String,
}

/// Both sides, and what was seen.
pub struct Duel {
    product: Product,
    naive: Exchange,
    now: Timestamp,
    token: u64,
    term: u64,
    /// What the product's events last said of each balance.
    told: BTreeMap<(AccountId, AssetId), (Amount, Amount)>,
    /// What they last said of what an account traded on a day.
    told_volumes: BTreeMap<(AccountId, u32), Amount>,
    /// The forms of lists, as events told them.
    kinds: BTreeMap<(MarketId, OrderId), OrderListKind>,
    /// What was seen.
    pub coverage: Coverage,
}

impl Duel {
    /// Two exchanges without anything; the product's has so many partitions. `hash_seed` must not matter.
    pub fn new(hash_seed: u64, partitions: u16) -> Self {
        let topology = World::topology(partitions);
        let mut duel = Self {
            naive: Exchange::new(topology.max_accounts, topology.markets.clone()),
            product: Product::new(topology, hash_seed),
            now: Timestamp(0),
            token: 0,
            term: 1,
            told: BTreeMap::new(),
            told_volumes: BTreeMap::new(),
            kinds: BTreeMap::new(),
            coverage: Coverage::default(),
        };
        duel.product(Timestamp(0), &Command::NewTerm { term: 1 });
        duel
    }

    /// The naive side, for the generator.
    pub fn naive(&self) -> &Exchange {
        &self.naive
    }

    /// Gives a command to both sides.
    ///
    /// # Errors
    /// What they disagree about.
    pub fn step(&mut self, step: &Step) -> Result<(), Difference> {
        if let Some(clean) = step.restart {
            self.tick_until(step.time, false)?;
            self.restart(step.time, clean)?;
        }
        self.tick_until(step.time, step.ticks)?;
        self.token += 1;
        let fired = self.fired();
        let reply = ReplyTo::new(1, self.token);
        let mut expected = self.naive.advance(step.time);
        let due = expected.len();
        let state = self.state_of(&step.request);
        expected.extend(self.naive.apply(reply, step.valid_until, &step.request));
        let (valid_until, request) = (step.valid_until, step.request.clone());
        let found = self.product(step.time, &Command::Request { reply, valid_until, request });
        self.compare(due, expected, &found)?;
        self.count_facts(&fired, &found);
        self.count(&step.request, state, &found);
        Ok(())
    }

    /// A new life begins; what has become due meanwhile comes with it.
    fn restart(&mut self, time: Timestamp, clean: bool) -> Result<(), Difference> {
        if clean {
            let found = self.product(self.now, &Command::EndTerm);
            self.compare(0, Vec::new(), &found)?;
        }
        self.term += 1;
        let fired = self.fired();
        let expected = self.naive.restart(time, clean);
        let found = self.product(time, &Command::NewTerm { term: self.term });
        self.compare(expected.len(), expected, &found)?;
        self.count_facts(&fired, &found);
        Ok(())
    }

    /// Lets the clock wake both sides at each deadline up to `time`, if it does or must.
    fn tick_until(&mut self, time: Timestamp, ticks: bool) -> Result<(), Difference> {
        let due = |naive: &Exchange| naive.next_deadline().filter(|due| *due <= time);
        let counts_down = self.naive.next_countdown().is_some_and(|due| due <= time);
        // Where partitions are several, what is due in one of them comes apart from what is due in another.
        let alone =
            counts_down || self.naive.may_place_in_one_of_many() || self.product.is_spread();
        while let Some(due) = due(&self.naive).filter(|_| ticks || alone) {
            let at = due.max(self.now);
            let fired = self.fired();
            let expected = self.naive.advance(at);
            let found = self.product(at, &Command::Tick);
            self.compare(expected.len(), expected, &found)?;
            self.count_facts(&fired, &found);
        }
        Ok(())
    }

    /// Applies an entry and the continuations that it needs.
    fn product(&mut self, time: Timestamp, command: &Command) -> Vec<Event> {
        self.now = time;
        let events = self.product.apply(time, command);
        if self.product.continued > 0 {
            let continued = self.coverage.facts.entry("entry continued").or_default();
            *continued += std::mem::take(&mut self.product.continued);
        }
        events
    }

    /// Compares events, of which the first `due` are what was due before the command.
    fn compare(
        &mut self,
        due: usize,
        expected: Vec<Event>,
        found: &[Event],
    ) -> Result<(), Difference> {
        for event in found {
            match *event {
                Event::BalanceChanged { account, asset, available, held } => {
                    self.told.insert((account, asset), (available, held));
                }
                Event::VolumeChanged { account, day, volume } => {
                    self.told_volumes.insert((account, day), volume);
                    self.naive.traded.push((account.0, day.into()));
                }
                _ => {}
            }
        }
        let facts = |event: &&Event| {
            !matches!(event, Event::BalanceChanged { .. } | Event::VolumeChanged { .. })
        };
        let same = found.iter().filter(facts).eq(expected.iter());
        if !same {
            let found: Vec<_> = found.iter().filter(facts).cloned().collect();
            let spread = self.product.is_spread();
            let due = if spread { usize::MAX } else { due };
            let (mut expected, mut found) = (fixed(due, expected), fixed(due, found));
            if spread && expected != found {
                sort_others(&mut expected);
                sort_others(&mut found);
            }
            if expected != found {
                return Err(Difference {
                    what: "events".to_string(),
                    expected: lines(&expected),
                    found: lines(&found),
                });
            }
        }
        self.check_touched(found)
    }

    fn state_of(&self, request: &Request) -> Option<MarketState> {
        let id = match request {
            Request::PlaceOrder(order) => order.market,
            Request::ReplaceOrder(replace) => replace.order.market,
            Request::PlaceOrderList(list) => list.market,
            Request::AmendOrder { market, .. }
            | Request::CancelOrder { market, .. }
            | Request::CancelOrderList { market, .. }
            | Request::CancelAll { market, .. } => *market,
            Request::CancelByClientId { account, client_order_id } => {
                self.naive.market_of_client_id(account.0, *client_order_id)?
            }
            _ => return None,
        };
        Some(self.naive.markets.iter().find(|market| market.def.id == id)?.state)
    }

    fn count(&mut self, request: &Request, state: Option<MarketState>, events: &[Event]) {
        self.coverage.commands += 1;
        let mut kind = Kind::of(request);
        let answer = events.iter().find(|event| event.answers().is_some());
        let outcome = match answer.expect("every command is answered") {
            Event::Rejected { code, request: answered, .. } => {
                if let (Request::ReplaceOrder(replace), RequestKind::PlaceOrder) =
                    (request, answered)
                {
                    // The cancel was done; what was refused is an order like others.
                    kind = Some(Kind::of_order(&replace.order));
                }
                Outcome::Rejected(*code)
            }
            Event::Repeated { .. } | Event::ApprovalAwaited { .. } => Outcome::Repeated,
            _ => Outcome::Accepted,
        };
        self.coverage.count_reason(request, outcome);
        match kind {
            Some(kind) => self.coverage.count(kind, state, outcome),
            None => *self.coverage.answers.entry((request.kind(), outcome)).or_default() += 1,
        }
    }

    fn count_facts(&mut self, fired: &[(MarketId, OrderId)], events: &[Event]) {
        for event in events {
            self.coverage.count_fact(event);
            self.count_pending(event);
        }
        for &(market, order) in fired {
            let entered = events.iter().any(|event| {
                matches!(*event, Event::OrderTriggered { market: m, order: o, .. } if (m, o) == (market, order))
            });
            let ended = events.iter().any(|event| {
                matches!(*event, Event::OrderCancelled { market: m, order: o, .. } if (m, o) == (market, order))
            });
            if ended && !entered {
                *self.coverage.facts.entry("fired order ended without entering").or_default() += 1;
            }
        }
    }

    /// Counts what became of the pending legs of lists. No command brings them, so no state is asked for.
    fn count_pending(&mut self, event: &Event) {
        let (market, list, outcome) = match *event {
            Event::OrderListPlaced(ref placed) => {
                self.kinds.insert((placed.market, placed.list), placed.kind);
                return;
            }
            Event::OrderListAdvanced { market, list, .. } => (market, list, Outcome::Accepted),
            Event::OrderListEnded { market, list, end: ListEnd::Refused { code }, .. } => {
                (market, list, Outcome::Rejected(code))
            }
            _ => return,
        };
        let kind = match self.kinds[&(market, list)] {
            OrderListKind::OneTriggersPair => Kind::PendingPair,
            _ => Kind::PendingOrder,
        };
        self.coverage.count(kind, None, outcome);
    }

    /// Fired orders that wait for trading to go on.
    fn fired(&self) -> Vec<(MarketId, OrderId)> {
        let markets = self.naive.markets.iter();
        let fired = markets.flat_map(|m| m.fired.iter().map(|o| (m.def.id, OrderId(o.id))));
        fired.collect()
    }
}

/// Events as far as the rules fix them: what was due, which comes first, in the order of markets, and
/// refused or repeated settlements without the name of the debit.
fn fixed(due: usize, mut events: Vec<Event>) -> Vec<Event> {
    for event in &mut events {
        if let Event::Rejected { request, client_order_id, .. }
        | Event::Repeated { request, client_order_id, .. } = event
            && *request == RequestKind::SettleDebit
        {
            *client_order_id = ClientOrderId::NONE;
        }
    }
    let count = due.min(events.len());
    events[..count].sort_by_key(market_of);
    events
}

/// Where partitions are several, only what happens in a market has an order. Its plans are the registry's, which
/// may be in another partition.
fn sort_others(events: &mut [Event]) {
    let is_plan = |event: &Event| matches!(event, Event::RedefinitionPlanned { .. });
    events.sort_by_cached_key(|event| match market_of(event).filter(|_| !is_plan(event)) {
        None => (None, format!("{event:?}")),
        market => (market, String::new()),
    });
}

fn market_of(event: &Event) -> Option<MarketId> {
    match *event {
        Event::Trade(ref trade) => Some(trade.market),
        Event::OrderCancelled { market, .. }
        | Event::OrderRested { market, .. }
        | Event::OrderReduced { market, .. }
        | Event::OrderRefilled { market, .. }
        | Event::OrderTriggered { market, .. }
        | Event::MarketStateChanged { market, .. }
        | Event::AuctionUncrossed { market, .. }
        | Event::OrderDecremented { market, .. }
        | Event::OrderListAdvanced { market, .. }
        | Event::OrderListEnded { market, .. }
        | Event::OrderPlaced { market, .. }
        | Event::TradingInterrupted { market, .. }
        | Event::RedefinitionPlanned { market, .. }
        | Event::MarketReopening { market, .. } => Some(market),
        Event::MarketRedefined { ref market, .. } => Some(market.id),
        _ => None,
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: &T,
    found: &T,
) -> Result<(), Difference> {
    if expected == found { Ok(()) } else { Err(difference(what, expected, found)) }
}

fn difference(
    what: &str,
    expected: &impl std::fmt::Debug,
    found: &impl std::fmt::Debug,
) -> Difference {
    Difference {
        what: what.to_string(),
        expected: format!("{expected:?}"),
        found: format!("{found:?}"),
    }
}

fn lines(events: &[Event]) -> String {
    events.iter().map(|event| format!("\n  {event:?}")).collect()
}
