//! The dead man's switch: an account that does not say in time that it is there loses its open orders.

use std::collections::{BTreeMap, BTreeSet};

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, ClientOrderId, Effects, Event, MarketId, RejectCode, ReplyTo, RequestKind, Slot,
    Timestamp,
};

use crate::ledger::{Asker, Context, Ledger};

const NANOS_PER_MS: u64 = 1_000_000;

/// The switches of a slot.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Countdowns {
    of: BTreeMap<(AccountId, MarketId), Timestamp>,
    queue: BTreeSet<(Timestamp, AccountId, MarketId)>,
}

impl Countdowns {
    fn set(&mut self, account: AccountId, market: MarketId, at: Option<Timestamp>) {
        let known = match at {
            Some(at) => self.of.insert((account, market), at),
            None => self.of.remove(&(account, market)),
        };
        if let Some(known) = known {
            self.queue.remove(&(known, account, market));
        }
        self.queue.extend(at.map(|at| (at, account, market)));
    }

    fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|&(at, _, _)| at)
    }

    /// The first that is due goes.
    fn take_due(&mut self, now: Timestamp) -> Option<(AccountId, MarketId)> {
        let &(at, account, market) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.set(account, market, None);
        Some((account, market))
    }
}

impl Ledger {
    /// Sets, puts off or takes off the switch of an account in a market.
    pub fn set_countdown(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        (account, market): (AccountId, MarketId),
        after_ms: u32,
        fx: &mut Effects,
    ) {
        let (request, client_id) = (RequestKind::SetCountdown, ClientOrderId::NONE);
        let asker = Asker { reply, request, account, market, client_id };
        let slot = self.slot_mut(account);
        if slot.state.account(account).is_none() {
            return asker.reject(RejectCode::UnknownAccount, fx);
        }
        if let Err(code) = ctx.definitions.open_market(market) {
            return asker.reject(code, fx);
        }
        let nanos = u64::from(after_ms) * NANOS_PER_MS;
        let at = (after_ms > 0).then(|| Timestamp(ctx.now.0.saturating_add(nanos)));
        slot.state.countdowns.set(account, market, at);
        fx.emit(Event::CountdownSet { reply, account, market, at });
    }

    /// When the first switch of a slot is due.
    #[must_use]
    pub fn next_deadline(&self, slot: Slot) -> Option<Timestamp> {
        self.slot_by_number(slot)?.countdowns.next()
    }

    /// Does the first that is due in a slot: as if the account had asked to cancel all; in a market that has
    /// ended it goes without that. False if nothing was due. In the order of times, then of accounts and
    /// markets.
    pub fn fire_timer(&mut self, ctx: &Context<'_>, slot: Slot, fx: &mut Effects) -> bool {
        let state = self.slot_by_number_mut(slot);
        let Some((account, market)) = state.and_then(|state| state.countdowns.take_due(ctx.now))
        else {
            return false;
        };
        fx.emit(Event::CountdownSet { reply: ReplyTo::NOBODY, account, market, at: None });
        if ctx.definitions.open_market(market).is_ok() {
            self.cancel_all(ReplyTo::NOBODY, account, market, fx);
        }
        true
    }
}
