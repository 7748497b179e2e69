//! The product and the naive exchange, command by command.
//!
//! What the rules do not fix is made alike before it is compared, and nothing else is:
//! - `BalanceChanged` events: which balances are told again without a change, and in which order, is free. What
//!   was told last of each balance must be true after each command.
//! - Orders of several markets whose dates come with one entry: their order between markets is free, within
//!   a market it is not.
//! - Whether the answer to a refused or repeated settlement states the name of the pending debit is free.
//! - How many entries one command's work is spread over ([`Command::Continue`]) is free.

mod check;

use std::collections::BTreeMap;

use engine::Partition;
use types::{
    AccountId, Amount, AssetId, CancelCause, ClientOrderId, Command, Event, MarketId, MarketState,
    PartitionId, ReplyTo, Request, RequestKind, Seq, Timestamp,
};

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
    product: Partition,
    naive: Exchange,
    now: Timestamp,
    token: u64,
    /// What the product's events last said of each balance.
    told: BTreeMap<(AccountId, AssetId), (Amount, Amount)>,
    /// What was seen.
    pub coverage: Coverage,
}

impl Duel {
    /// Two exchanges without anything. `hash_seed` must not matter.
    pub fn new(hash_seed: u64) -> Self {
        let topology = World::topology();
        let mut duel = Self {
            product: Partition::new(PartitionId(0), hash_seed),
            naive: Exchange::new(topology.max_accounts),
            now: Timestamp(0),
            token: 0,
            told: BTreeMap::new(),
            coverage: Coverage::default(),
        };
        duel.product(Timestamp(0), &Command::SetTopology(topology));
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
        self.tick_until(step)?;
        self.token += 1;
        let reply = ReplyTo::new(1, self.token);
        let mut expected = self.naive.advance(step.time);
        let state = self.state_of(&step.request);
        expected.extend(self.naive.apply(reply, step.valid_until, &step.request));
        let (valid_until, request) = (step.valid_until, step.request.clone());
        let found = self.product(step.time, &Command::Request { reply, valid_until, request });
        self.compare(expected, &found)?;
        self.count(&step.request, state, &found);
        Ok(())
    }

    /// Lets the clock wake both sides at each deadline up to the step, if it does.
    fn tick_until(&mut self, step: &Step) -> Result<(), Difference> {
        let due = |naive: &Exchange| naive.next_deadline().filter(|due| *due <= step.time);
        while let Some(due) = due(&self.naive).filter(|_| step.ticks) {
            let at = due.max(self.now);
            let expected = self.naive.advance(at);
            let found = self.product(at, &Command::Tick);
            self.compare(expected, &found)?;
        }
        Ok(())
    }

    /// Applies an entry and the continuations that it needs.
    fn product(&mut self, time: Timestamp, command: &Command) -> Vec<Event> {
        self.now = time;
        let mut events = Vec::new();
        self.product.apply(self.product.seq().next(), time, command, &mut events);
        while self.product.needs_continue() {
            let seq: Seq = self.product.seq().next();
            *self.coverage.facts.entry("entry continued").or_default() += 1;
            self.product.apply(seq, time, &Command::Continue, &mut events);
        }
        events
    }

    fn compare(&mut self, expected: Vec<Event>, found: &[Event]) -> Result<(), Difference> {
        let mut told = Vec::new();
        for event in found {
            if let Event::BalanceChanged { account, asset, available, held } = *event {
                told.push(((account, asset), (available, held)));
            }
        }
        let facts = |event: &&Event| !matches!(event, Event::BalanceChanged { .. });
        let same = found.iter().filter(facts).eq(expected.iter());
        if !same {
            let found: Vec<_> = found.iter().filter(facts).cloned().collect();
            let (expected, found) = (fixed(expected), fixed(found));
            if expected != found {
                return Err(Difference {
                    what: "events".to_string(),
                    expected: lines(&expected),
                    found: lines(&found),
                });
            }
        }
        self.told.extend(told);
        self.check_touched(found)
    }

    fn state_of(&self, request: &Request) -> Option<MarketState> {
        let id = match request {
            Request::PlaceOrder(order) => order.market,
            Request::AmendOrder { market, .. }
            | Request::CancelOrder { market, .. }
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
        for event in events {
            self.coverage.count_fact(event);
        }
        let Some(kind) = Kind::of(request) else { return };
        let outcome =
            events.iter().find(|event| event.answers().is_some()).map(|event| match event {
                Event::Rejected { code, .. } => Outcome::Rejected(*code),
                Event::Repeated { .. } => Outcome::Repeated,
                _ => Outcome::Accepted,
            });
        self.coverage.count(kind, state, outcome.expect("every command is answered"));
    }
}

/// Events as far as the rules fix them: expired orders, which come first, in the order of markets, and
/// refused or repeated settlements without the name of the debit.
fn fixed(mut events: Vec<Event>) -> Vec<Event> {
    for event in &mut events {
        if let Event::Rejected { request, client_order_id, .. }
        | Event::Repeated { request, client_order_id, .. } = event
            && *request == RequestKind::SettleDebit
        {
            *client_order_id = ClientOrderId::NONE;
        }
    }
    let market = |event: &Event| match event {
        Event::OrderCancelled { market, cause: CancelCause::Expired, .. } => Some(*market),
        _ => None,
    };
    let count = events.iter().take_while(|event| market(event).is_some()).count();
    events[..count].sort_by_key(|event| market(event).unwrap_or(MarketId(0)));
    events
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
