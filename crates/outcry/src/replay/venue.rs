//! What a replay asks of an exchange: take requests, tell events.

use std::collections::VecDeque;

use types::{AccountId, Event, MarketId, OrderId, Request};

use crate::exit::Failure;
use crate::session::LevelRow;

/// An exchange under replay. The events come in the order of the log, and each request's answer
/// carries its token.
pub trait Venue {
    /// Hands a request over under `token`. False: there is no room now, [`Self::receive`] first.
    fn submit(&mut self, token: u64, request: &Request) -> Result<bool, Failure>;

    /// Adds what has happened since to `events`. Waits until something has.
    fn receive(&mut self, events: &mut Vec<Event>) -> Result<(), Failure>;

    /// The book that the exchange shows its clients, after all that was received. `None`: it shows
    /// none.
    fn shown_book(&self, market: MarketId) -> Option<ShownBook>;
}

/// All levels of a book, best first.
pub struct ShownBook {
    /// Bids.
    pub bids: Vec<LevelRow>,
    /// Asks.
    pub asks: Vec<LevelRow>,
}

/// A request with everything that it caused, its answer first.
pub struct Group {
    /// The request's token.
    pub token: u64,
    /// The answer, then what follows it.
    pub events: Vec<Event>,
}

/// Keeps many requests under way and sorts the events by the request that caused them.
///
/// A request's events end where the next request's answer begins, since one partition answers in
/// order.
pub struct Pipeline<'v> {
    venue: &'v mut dyn Venue,
    window: u64,
    market: MarketId,
    sent: u64,
    answered: u64,
    /// The group that may still grow is the last one.
    groups: VecDeque<Group>,
    /// Tokens of settling requests, whose groups are nobody's business.
    settling: VecDeque<u64>,
    events: Vec<Event>,
}

impl<'v> Pipeline<'v> {
    /// At most `window` requests wait at a time.
    pub fn new(venue: &'v mut dyn Venue, market: MarketId, window: u64) -> Self {
        Self {
            venue,
            window,
            market,
            sent: 0,
            answered: 0,
            groups: VecDeque::new(),
            settling: VecDeque::new(),
            events: Vec::new(),
        }
    }

    /// Sends a request; gives its token.
    pub fn send(&mut self, request: &Request) -> Result<u64, Failure> {
        while self.sent - self.answered >= self.window
            || !self.venue.submit(self.sent + 1, request)?
        {
            self.receive()?;
        }
        self.sent += 1;
        Ok(self.sent)
    }

    /// The next request of which all is known.
    pub fn take(&mut self) -> Option<Group> {
        while self.groups.len() > 1 {
            let group = self.groups.pop_front()?;
            if self.settling.pop_front_if(|token| *token == group.token).is_none() {
                return Some(group);
            }
        }
        None
    }

    /// Waits until all that was sent before has happened, so that [`Self::take`] gives it. It does
    /// so by asking for something that changes nothing: to cancel an order that does not exist.
    pub fn settle(&mut self) -> Result<(), Failure> {
        let nothing = Request::CancelOrder {
            account: AccountId(1),
            market: self.market,
            order: OrderId((1 << 53) - 1),
        };
        let token = self.send(&nothing)?;
        self.settling.push_back(token);
        while self.answered < token {
            self.receive()?;
        }
        Ok(())
    }

    /// The book that clients see.
    pub fn shown_book(&self) -> Option<ShownBook> {
        self.venue.shown_book(self.market)
    }

    fn receive(&mut self) -> Result<(), Failure> {
        self.venue.receive(&mut self.events)?;
        for event in self.events.drain(..) {
            if let Some(reply) = event.answers() {
                self.answered = reply.token;
                self.groups.push_back(Group { token: reply.token, events: vec![event] });
            } else if let Some(group) = self.groups.back_mut() {
                group.events.push(event);
            }
        }
        Ok(())
    }
}
