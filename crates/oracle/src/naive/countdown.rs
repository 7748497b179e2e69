//! The dead man's switch (6.7).

use types::{
    AccountId, ClientOrderId, Event, MarketId, RejectCode, ReplyTo, RequestKind, Timestamp,
};

use super::{Asker, Exchange, Market};

/// Accounts whose numbers differ by this share a slot.
const SLOTS: u32 = 1_024;

/// A switch that is set.
#[derive(Clone, Debug)]
pub(super) struct Countdown {
    at: Timestamp,
    account: u32,
    market: u32,
}

impl Exchange {
    pub(super) fn set_countdown(&mut self, asker: &Asker, after_ms: u32) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        self.open_market(asker.market)?;
        let Asker { reply, account, market, .. } = *asker;
        self.countdowns.retain(|set| (set.account, set.market) != (account, market));
        let at = (after_ms > 0).then(|| Timestamp(self.now.0 + u64::from(after_ms) * 1_000_000));
        self.countdowns.extend(at.map(|at| Countdown { at, account, market }));
        let (account, market) = (AccountId(account), MarketId(market));
        self.events.push(Event::CountdownSet { reply, account, market, at });
        Ok(())
    }

    /// When the next switch is due.
    pub fn next_countdown(&self) -> Option<Timestamp> {
        self.countdowns.iter().map(|set| set.at).min()
    }

    /// Whether anything is known to be due then.
    pub fn is_due_at(&self, time: u64) -> bool {
        let switches = self.countdowns.iter().map(|set| set.at);
        let dates = self.markets.iter().flat_map(Market::deadlines);
        let proposals = self.guard.proposals.iter().map(|proposal| proposal.expires);
        let plans = self.plans.deadlines();
        switches.chain(dates).chain(proposals).chain(plans).any(|at| at.0 == time)
    }

    /// Fires the first of the switches that are due.
    pub(super) fn fire_switch(&mut self) {
        let order = |set: &Countdown| (set.at, set.account % SLOTS, set.account, set.market);
        let first = (0..self.countdowns.len()).min_by_key(|&place| order(&self.countdowns[place]));
        let Countdown { account, market, .. } = self.countdowns.remove(first.expect("one is due"));
        let (owner, place) = (AccountId(account), MarketId(market));
        let reply = ReplyTo::NOBODY;
        self.events.push(Event::CountdownSet { reply, account: owner, market: place, at: None });
        if self.open_market(market).is_err() {
            return;
        }
        let (request, client_id) = (RequestKind::CancelAll, ClientOrderId::NONE);
        let done = self.cancel_all(&Asker { reply, request, account, market, client_id });
        assert!(done.is_ok(), "the account was there when the switch was set");
    }
}
