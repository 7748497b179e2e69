//! What the ledger knows of the orders of lists, besides their holds.
//!
//! A pair (one cancels the other) has two holds: that of the first order contains the larger need of
//! the two, that of the second nothing. Both are marked until their market has said which one goes on.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{AccountId, Amount, HoldId, OrderId, RequestKind};

use crate::client_ids::{Outcome, RememberedId};
use crate::holds::{Hold, Purpose};
use crate::slot::{SlotMut, SlotState};

/// An order of a list that has not ended.
#[derive(Clone, Copy, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Leg {
    /// The list, if not this order names it.
    pub list: Option<OrderId>,
    /// The client's name of the list. Only the first order of those that are open has it.
    pub name: Option<RememberedId>,
    /// Of a pair: the base that it counts for as something to buy. The second counts nothing.
    pub wants: Option<Amount>,
}

/// The orders of a slot's lists, by hold.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Legs {
    of: BTreeMap<HoldId, Leg>,
}

impl Legs {
    pub fn insert(&mut self, hold: HoldId, leg: Leg) {
        self.of.insert(hold, leg);
    }

    /// Takes a list's name off its first order, which is filled, for those that were pending.
    pub fn take_name(&mut self, hold: HoldId) -> Option<RememberedId> {
        self.of.get_mut(&hold)?.name.take()
    }

    /// What one of a pair counts for as something to buy.
    pub fn wants(&self, hold_id: HoldId, hold: &Hold) -> Option<Amount> {
        match hold.purpose {
            Purpose::Order { is_leg: true, .. } => self.of.get(&hold_id)?.wants,
            _ => None,
        }
    }
}

impl SlotState {
    /// The order that a hold is for, or its list if that was asked for. Zero while it is not known, none
    /// if the hold is for something else.
    pub fn named(&self, hold: HoldId, request: RequestKind) -> Option<OrderId> {
        let (_, order) = self.holds.get(hold).order()?;
        let leg = self.legs.of.get(&hold);
        let list = leg.filter(|_| request == RequestKind::PlaceOrderList).and_then(|leg| leg.list);
        Some(list.unwrap_or(order))
    }
}

impl SlotMut<'_> {
    /// From now on an order is one by itself. If it has its list's name, the name gets this outcome, or
    /// is forgotten; that of a list which was accepted before stays with the list.
    pub fn end_leg(&mut self, account: AccountId, hold_id: HoldId, outcome: Option<Outcome>) {
        let Purpose::Order { is_leg, .. } = &mut self.state.holds.of(account, hold_id).purpose
        else {
            unreachable!("a leg is an order");
        };
        *is_leg = false;
        let leg = self.state.legs.of.remove(&hold_id).expect("it was marked");
        let accepted = leg.list.map(|list| Outcome::Ended(Ok(list)));
        match (leg.name, accepted.or(outcome)) {
            (Some(name), Some(outcome)) => self.state.client_ids.set_outcome(name, outcome),
            (Some(name), None) => self.state.client_ids.take_back(name),
            (None, _) => {}
        }
    }
}
