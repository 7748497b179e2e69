//! The life of one order, collected while its market's home is replayed. An amendment that gives it
//! another id does not end it.

use std::ops::ControlFlow;

use engine::Partition;
use serde_json::Value;
use types::{
    AccountId, Command, Event, MarketDef, MarketId, OrderId, OrderSpec, Request, RequestKind, Seq,
    Side, Timestamp, Trade,
};

use super::conditions::{under, wait};
use super::place::place;
use super::sentences::{asked, cancelled, filled, held, origin};
use crate::exit::Failure;
use crate::record::{Names, Source, Visit, event_line, failure};

const NOT_KEPT: &str = "earlier entries are not kept";

/// One thing that happened to the order.
pub struct Step {
    /// The entry.
    pub seq: Seq,
    /// When.
    pub time: Timestamp,
    /// The id that the order had then.
    pub order: OrderId,
    /// In a sentence.
    pub text: String,
    /// The event behind it.
    pub event: Value,
}

/// All that happened, in order.
pub struct Story {
    /// The ids that the order had, oldest first.
    pub ids: Vec<OrderId>,
    /// What happened. Empty if there is no such order.
    pub steps: Vec<Step>,
    /// The id before the first of `ids`, if that one came by an amendment.
    pub replaces: Option<OrderId>,
    /// Whether the order rests in the book or waits for its trigger.
    pub is_open: bool,
    /// How it stands at the end of the log.
    pub now: Vec<String>,
    /// The last entry of the log.
    pub last_seq: Seq,
    /// Whose it is. Nobody if it was never accepted, whatever was asked about it.
    pub owner: Option<AccountId>,
    is_by_quote: bool,
    has_ended: bool,
}

impl Story {
    /// Reads the whole log of the market's home for what happened to `ids`, which follow each other.
    ///
    /// # Errors
    /// When the log is damaged.
    pub fn read(source: &Source, market: &MarketDef, ids: Vec<OrderId>) -> Result<Self, Failure> {
        let mut story = Self {
            ids,
            steps: Vec::new(),
            replaces: None,
            is_open: false,
            now: Vec::new(),
            last_seq: Seq(0),
            owner: None,
            is_by_quote: false,
            has_ended: false,
        };
        let mut state = source.oldest_state()?;
        story.begin_in(&state, market);
        let read = source.visit(&mut state, |visit| {
            for event in visit.events {
                story.take(visit, market, event);
            }
            ControlFlow::Continue(())
        });
        read.map_err(failure)?;
        story.end_in(&state, market);
        Ok(story)
    }

    /// An order may be older than the log that is kept.
    fn begin_in(&mut self, state: &Partition, market: &MarketDef) {
        let order = self.ids[0];
        let resting = state.market(market.id).and_then(|found| found.book().order(order));
        if let (Some(resting), Some(place)) = (resting, place(state, market, order)) {
            self.began(state, resting.account, format!("rested already ({NOT_KEPT}): {place}"));
        }
        if let Some(wait) = wait(state, market, order) {
            self.is_by_quote = wait.is_by_quote;
            let text = format!("was there already ({NOT_KEPT}): {}", wait.text);
            self.began(state, wait.owner, text);
        }
    }

    fn began(&mut self, state: &Partition, owner: AccountId, text: String) {
        self.owner = Some(owner);
        let (seq, time, order) = (state.seq(), state.time(), self.ids[0]);
        self.steps.push(Step { seq, time, order, text, event: Value::Null });
    }

    fn take(&mut self, visit: &Visit<'_>, at: &MarketDef, event: &Event) {
        let names = Names(visit.state.definitions());
        match *event {
            Event::OrderPlaced {
                reply,
                market,
                order,
                account,
                client_order_id: id,
                side,
                ref spec,
                ref conditions,
            } if self.is_it(at, market, order) => {
                self.owner = Some(account);
                self.is_by_quote = matches!(spec, OrderSpec::MarketByQuote { .. });
                let named =
                    if id.is_none() { String::new() } else { format!(", client order id {id}") };
                let (what, held) = (asked(names, at, side, spec), held(visit, at, side, spec));
                let under = under(names, at, side, conditions);
                let origin = origin(visit, reply);
                let text = format!(
                    "placed {origin}: account {account} asked to {what}{under}{named}{held}"
                );
                self.push(visit, event, order, text);
            }
            Event::OrderRested { market, order, price, quantity, .. }
                if self.is_it(at, market, order) =>
            {
                let place = place(visit.state, at, order).unwrap_or_else(|| {
                    let (price, rest) =
                        (names.price(market, price), names.quantity(market, quantity));
                    format!("{rest} at {price}, and left the book in the same entry")
                });
                self.push(visit, event, order, format!("rested: {place}"));
            }
            Event::OrderListPlaced(ref placed) => {
                self.join_list(visit, at, event, (placed.market, placed.list, &placed.orders));
            }
            Event::OrderListAdvanced { market, list, ref orders, .. } => {
                self.join_list(visit, at, event, (market, list, orders));
            }
            Event::OrderTriggered { market, order, .. } if self.is_it(at, market, order) => {
                let text = "a trade fired its trigger: it enters as if it came now".to_owned();
                self.push(visit, event, order, text);
            }
            Event::OrderRefilled { market, order, quantity, hidden, .. }
                if self.is_it(at, market, order) =>
            {
                let (shown, hidden) =
                    (names.quantity(market, quantity), names.quantity(market, hidden));
                let text = format!(
                    "shows its next part, {shown}, behind all others of its price; {hidden} hidden"
                );
                self.push(visit, event, order, text);
            }
            Event::Trade(ref trade) => self.trade(visit, at, event, trade),
            Event::OrderReduced { reply, market, order, remaining, .. }
                if self.is_it(at, market, order) =>
            {
                let rest = names.quantity(market, remaining);
                let why = if reply.is_nobody() {
                    "so as not to trade with its own owner"
                } else {
                    "by its owner, and keeps its place"
                };
                self.push(visit, event, order, format!("reduced {why}: {rest} left"));
            }
            Event::OrderReplaced { .. } => self.replace(visit, at, event),
            Event::OrderCancelled { reply, market, order, remaining, cause, .. }
                if self.is_it(at, market, order) =>
            {
                let rest = match self.is_by_quote {
                    true => String::new(),
                    false => format!(", {} was left", names.quantity(market, remaining)),
                };
                self.has_ended = true;
                self.push(visit, event, order, format!("ended: {}{rest}", cancelled(cause, reply)));
            }
            Event::Rejected { code, request, .. } => {
                if let Some(order) = self.refused(visit, at, request) {
                    let text = format!("{} was rejected: {code}, {}", request.name(), code.text());
                    self.push(visit, event, order, text);
                }
            }
            _ => {}
        }
    }

    /// Says that the order was placed by a list, and with which other.
    fn join_list(
        &mut self,
        visit: &Visit<'_>,
        at: &MarketDef,
        event: &Event,
        (market, list, orders): (MarketId, OrderId, &[OrderId]),
    ) {
        let Some(&order) = orders.iter().find(|&&order| self.is_it(at, market, order)) else {
            return;
        };
        let other = orders.iter().find(|&&other| other != order);
        let other = other
            .map_or_else(String::new, |other| format!("; it and order {other} cancel each other"));
        self.push(visit, event, order, format!("placed by list {list}{other}"));
    }

    fn trade(&mut self, visit: &Visit<'_>, at: &MarketDef, event: &Event, trade: &Trade) {
        let names = Names(visit.state.definitions());
        for (own, side) in [(trade.buyer, Side::Buy), (trade.seller, Side::Sell)] {
            if !self.is_it(at, trade.market, own.order) {
                continue;
            }
            let mut text = filled(names, at, trade, side);
            if own.remaining.is_zero() && !self.is_by_quote {
                self.has_ended = true;
                text.push_str("; ended: filled");
            } else if !self.is_by_quote {
                text.push_str(&format!("; {} left", names.quantity(at.id, own.remaining)));
            }
            self.push(visit, event, own.order, text);
        }
    }

    fn replace(&mut self, visit: &Visit<'_>, at: &MarketDef, event: &Event) {
        let &Event::OrderReplaced {
            reply, market, old_order, order, side, price, quantity, ..
        } = event
        else {
            return;
        };
        if self.is_it(at, market, old_order) {
            if !self.ids.contains(&order) {
                self.ids.push(order);
            }
            let names = Names(visit.state.definitions());
            let (price, quantity) = (names.price(market, price), names.quantity(market, quantity));
            let verb = match side {
                Side::Buy => "buy",
                Side::Sell => "sell",
            };
            let text = format!(
                "amended {}: goes on as order {order}, {verb} {quantity} at {price}, behind all \
                 others of that price",
                origin(visit, reply)
            );
            self.push(visit, event, old_order, text);
        } else if self.is_it(at, market, order) {
            self.replaces = Some(old_order);
            self.push(visit, event, order, format!("replaced order {old_order}"));
        }
    }

    /// The order that the entry's request named, if it is this one.
    fn refused(&self, visit: &Visit<'_>, at: &MarketDef, rejected: RequestKind) -> Option<OrderId> {
        let Command::Request { request, .. } = &visit.entry.command else {
            return None;
        };
        match *request {
            Request::CancelOrder { market, order, .. }
            | Request::AmendOrder { market, order, .. }
                if self.is_it(at, market, order) =>
            {
                Some(order)
            }
            // A refused placement is none of the order's, which was cancelled before.
            Request::ReplaceOrder(ref replace)
                if rejected == RequestKind::ReplaceOrder
                    && self.is_it(at, replace.order.market, replace.cancel) =>
            {
                Some(replace.cancel)
            }
            _ => None,
        }
    }

    fn end_in(&mut self, state: &Partition, market: &MarketDef) {
        self.last_seq = state.seq();
        let Some(last) = self.steps.last() else {
            return;
        };
        let order = *self.ids.last().expect("one was asked for");
        if let Some(place) = place(state, market, order) {
            self.is_open = true;
            self.now.push(format!("open, {place}"));
        } else if let Some(wait) = wait(state, market, order) {
            self.is_open = true;
            self.now.push(format!("open, {}", wait.text));
        } else if self.has_ended {
            self.now.push("ended".to_owned());
        } else if self.is_by_quote {
            let seq = last.seq;
            self.now.push(format!("ended with entry {seq}: what it was to spend is spent"));
        } else {
            self.now.push("being matched: what is left goes on in the next entry".to_owned());
        }
        if let Some(owner) = self.owner {
            self.now.push(balances(state, market, owner));
        }
    }

    fn is_it(&self, at: &MarketDef, market: types::MarketId, order: OrderId) -> bool {
        market == at.id && self.ids.contains(&order)
    }

    fn push(&mut self, visit: &Visit<'_>, event: &Event, order: OrderId, text: String) {
        let (seq, time) = (visit.entry.seq, visit.entry.time);
        let event = event_line(Names(visit.state.definitions()), event).json();
        self.steps.push(Step { seq, time, order, text, event });
    }
}

/// What the owner has of both assets, if the account lives here.
fn balances(state: &Partition, market: &MarketDef, owner: AccountId) -> String {
    if !state.ledger().hosts(owner) {
        let home = state.topology().map(|topology| topology.home_of_slot(owner.slot()));
        let home = home.map_or_else(|| "another".to_owned(), |home| home.to_string());
        return format!("the balances of account {owner} are kept in partition {home}");
    }
    let names = Names(state.definitions());
    let of = |asset| {
        let (available, held) = state.ledger().balance(owner, asset).unwrap_or_default();
        let (available, held) = (names.amount(asset, available), names.amount(asset, held));
        format!("{available} {} available and {held} held", names.asset(asset))
    };
    format!("account {owner} has {}, {}", of(market.base), of(market.quote))
}
