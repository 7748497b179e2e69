//! When the timers of which market are due. Derived from the markets and the messages that are left, so
//! that a restored partition has the same.

use std::collections::{BTreeMap, BTreeSet};

use types::{MarketId, Message, Timestamp};

/// The next deadline of each market that has one.
#[derive(Default)]
pub(crate) struct Deadlines {
    of: BTreeMap<MarketId, Timestamp>,
    /// Those that are not told yet, first due first.
    queue: BTreeSet<(Timestamp, MarketId)>,
    /// Markets with a [`Message::FireTimers`] under way.
    told: BTreeSet<MarketId>,
}

impl Deadlines {
    /// Nothing but what `messages` tell.
    pub(crate) fn restore<'a>(messages: impl Iterator<Item = &'a Message>) -> Self {
        let told = messages.filter_map(|message| match message {
            Message::FireTimers { market } => Some(*market),
            _ => None,
        });
        Self { told: told.collect(), ..Self::default() }
    }

    /// The first of those that are not told yet.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|&(at, _)| at)
    }

    /// Notes the next deadline of a market.
    #[inline]
    pub(crate) fn set(&mut self, market: MarketId, next: Option<Timestamp>) {
        if next.is_some() || !self.of.is_empty() {
            self.change(market, next);
        }
    }

    fn change(&mut self, market: MarketId, next: Option<Timestamp>) {
        let known = match next {
            Some(at) => self.of.insert(market, at),
            None => self.of.remove(&market),
        };
        if known == next || self.told.contains(&market) {
            return;
        }
        if let Some(at) = known {
            self.queue.remove(&(at, market));
        }
        self.queue.extend(next.map(|at| (at, market)));
    }

    /// The first that is due and not told: from now on it is.
    #[inline]
    pub(crate) fn tell_due(&mut self, now: Timestamp) -> Option<MarketId> {
        let &(at, market) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.told.insert(market);
        Some(market)
    }

    /// The market was told.
    pub(crate) fn heard(&mut self, market: MarketId) {
        if self.told.remove(&market) {
            self.queue.extend(self.of.get(&market).map(|&at| (at, market)));
        }
    }
}
