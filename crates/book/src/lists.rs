//! Lists: orders that depend on each other.
//!
//! A market keeps of a list who its open orders are. Of a pair at most the first one rests in the book,
//! so that the same round of matching can never trade both; the other waits for its trigger.
//! When one of a pair trades, enters or ends, the list ends in the same step: the other is cancelled
//! before anything else can happen to it.
//!
//! Invariant: each order of a list is open, and its hold contains what the list's state says: the first
//! of a pair the larger need of both, the second nothing.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Admit, AdmitList, Amount, CancelCause, Effects, Event, HoldId, ListEnd, ListLeg,
    MarketState, Message, OrderId, OrderListKind, OrderListPlaced, OrderSpec, PlaceOrderList,
    PlacePending, RejectCode, ReplyTo, RequestKind,
};

use crate::admit::{Checked, Entry, ensure};
use crate::market::{Market, Work};

/// A list that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OrderList {
    /// The owner.
    pub account: AccountId,
    /// How far it is.
    pub stage: ListStage,
}

/// How far a list is.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ListStage {
    /// One of two open orders cancels the other.
    Pair([OrderId; 2]),
    /// Others are to be placed when the order that names the list is filled.
    Working(Box<PlaceOrderList>),
    /// They are on their way through the ledger.
    Placing {
        /// All orders were asked to be cancelled meanwhile.
        cancelled: bool,
    },
}

/// All lists of a market.
#[derive(Default)]
pub(crate) struct Lists {
    by_id: BTreeMap<OrderId, OrderList>,
    /// The list of each open order.
    of: BTreeMap<OrderId, OrderId>,
    /// What is to be placed when the command is through that filled the orders it waited for.
    pub(crate) filled: Vec<PlacePending>,
}

impl Lists {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (OrderId, &OrderList)> {
        self.by_id.iter().map(|(&id, list)| (id, list))
    }

    /// Keeps a list, with its open orders.
    pub(crate) fn insert(&mut self, id: OrderId, list: OrderList) {
        match list.stage {
            ListStage::Pair([first, second]) => self.of.extend([(first, id), (second, id)]),
            ListStage::Working(_) => self.of.extend([(id, id)]),
            ListStage::Placing { .. } => {}
        }
        self.by_id.insert(id, list);
    }

    fn remove(&mut self, id: OrderId) -> Option<OrderList> {
        let list = self.by_id.remove(&id)?;
        match list.stage {
            ListStage::Pair([first, second]) => {
                self.of.remove(&first);
                self.of.remove(&second);
            }
            ListStage::Working(_) => {
                self.of.remove(&id);
            }
            ListStage::Placing { .. } => {}
        }
        Some(list)
    }

    /// What is to follow an order when it is filled.
    pub(crate) fn pending_of(&mut self, order: OrderId) -> Option<&mut PlaceOrderList> {
        match &mut self.by_id.get_mut(&order)?.stage {
            ListStage::Working(orders) => Some(orders),
            ListStage::Pair(_) | ListStage::Placing { .. } => None,
        }
    }

    fn of(&self, order: OrderId) -> Option<(OrderId, &OrderList)> {
        let id = *self.of.get(&order)?;
        Some((id, &self.by_id[&id]))
    }
}

/// An order that something happens to, and what its hold must contain for it.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) order: OrderId,
    pub(crate) account: AccountId,
    pub(crate) hold: HoldId,
    pub(crate) need: Amount,
}

impl Market {
    /// Lists that have not ended, by id.
    pub fn lists(&self) -> impl Iterator<Item = (OrderId, &OrderList)> {
        self.lists.iter()
    }

    /// Takes a list, or the pending legs of one whose first order is filled. Each order is checked as by
    /// itself, the first before the second, and the first code refuses all. The first of a pair must not
    /// match on arrival.
    pub fn admit_list(&mut self, admit: &AdmitList, work: &mut Work, fx: &mut Effects) {
        self.assert_not_interrupted();
        let begun = (admit.list != OrderId(0)).then_some(admit.list);
        let was_cancelled = begun.is_some_and(|list| self.take_placing(list));
        let legs: Vec<Admit> = admit.legs.iter().map(|leg| self.with_age(leg)).collect();
        let entries = match self.check_legs(&legs) {
            Ok(entries) if !was_cancelled => entries,
            checked => {
                // Retryable, so that the client ids are free again.
                let code = checked.err().filter(|_| !was_cancelled);
                return self.refuse_list(admit, code, fx);
            }
        };
        // Nothing below can fail.
        let list = begun.unwrap_or(self.next_order);
        let ids: Vec<OrderId> = legs.iter().map(|_| self.take_order_id()).collect();
        self.announce(admit, list, &ids, fx);
        let stage = match (&ids[..], &admit.pending[..]) {
            (&[first, second], _) => Some(ListStage::Pair([first, second])),
            (_, []) => None,
            (_, pending) => Some(ListStage::Working(Box::new(as_orders(&legs[0], pending)))),
        };
        let (account, goes_on) = (admit.account, stage.is_some());
        match stage {
            Some(stage) => self.lists.insert(list, OrderList { account, stage }),
            // Before its order enters, which may go on in later entries.
            None => self.emit_list_end(list, account, ListEnd::Done, fx),
        }
        for ((id, leg), entry) in ids.into_iter().zip(&legs).zip(entries) {
            let leg = Admit { reply: ReplyTo::NOBODY, ..leg.clone() };
            self.accept(id, &leg, entry, goes_on, work, fx);
        }
    }

    fn announce(&self, admit: &AdmitList, list: OrderId, ids: &[OrderId], fx: &mut Effects) {
        let (market, account, orders) = (self.def.id, admit.account, ids.to_vec());
        if admit.list != OrderId(0) {
            return fx.emit(Event::OrderListAdvanced { market, list, account, orders });
        }
        let kind = match (ids.len(), admit.pending.len()) {
            (2, _) => OrderListKind::OneCancelsOther,
            (_, 1) => OrderListKind::OneTriggersOther,
            (_, _) => OrderListKind::OneTriggersPair,
        };
        fx.emit(Event::OrderListPlaced(Box::new(OrderListPlaced {
            reply: admit.reply,
            market,
            list,
            account,
            client_order_id: admit.client_order_id,
            kind,
            orders,
            pending: admit.pending.clone(),
        })));
    }

    fn check_legs(&mut self, legs: &[Admit]) -> Result<Vec<Entry>, RejectCode> {
        let [first, second] = legs else {
            return Ok(vec![self.check(&legs[0])?]);
        };
        let mut stays = first.clone();
        if let OrderSpec::Limit { post_only, .. } = &mut stays.spec
            && self.state == MarketState::Continuous
            && first.conditions.trigger.is_none()
        {
            *post_only = true;
        }
        let entries = vec![self.check(&stays)?, self.check(second)?];
        let both_wait = first.conditions.trigger.is_some();
        let has_room = self.waiting.len() + 1 < self.def.bounds.max_waiting as usize;
        ensure(has_room || !both_wait, RejectCode::TooManyWaitingOrders)?;
        Ok(entries)
    }

    /// Refuses a list, or its pending legs: for nothing but that it was cancelled, if there is no code.
    fn refuse_list(&mut self, admit: &AdmitList, code: Option<RejectCode>, fx: &mut Effects) {
        let &AdmitList { reply, account, market, list, client_order_id, .. } = admit;
        if list == OrderId(0) {
            let code = code.expect("a new list was not cancelled");
            let request = RequestKind::PlaceOrderList;
            fx.emit(Event::Rejected { reply, request, account, market, client_order_id, code });
        } else {
            let end = code.map_or(ListEnd::Cancelled, |code| ListEnd::Refused { code });
            self.emit_list_end(list, account, end, fx);
        }
        let code = code.unwrap_or(RejectCode::UnknownOrder);
        for leg in &admit.legs {
            fx.send(Message::Refused { account, hold: leg.hold, code });
        }
    }

    /// Forgets a list whose pending legs have come. Whether it was cancelled meanwhile.
    fn take_placing(&mut self, list: OrderId) -> bool {
        let stage = self.lists.remove(list).map(|list| list.stage);
        let Some(ListStage::Placing { cancelled }) = stage else {
            panic!("list {list} of market {} has nothing that pends", self.def.id);
        };
        cancelled
    }

    /// The ledger could not place the pending legs of a list.
    pub fn drop_pending(
        &mut self,
        account: AccountId,
        list: OrderId,
        end: ListEnd,
        fx: &mut Effects,
    ) {
        self.take_placing(list);
        self.emit_list_end(list, account, end, fx);
    }

    /// Cancels a list of `account` by its first open order, which ends it. Rejected as a cancel is.
    pub fn cancel_list(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        list: OrderId,
        fx: &mut Effects,
    ) {
        self.assert_not_interrupted();
        let known = self.lists.by_id.get(&list).filter(|known| known.account == account);
        let first = known.and_then(|known| match known.stage {
            ListStage::Pair([first, _]) => Some(first),
            ListStage::Working(_) => Some(list),
            ListStage::Placing { .. } => None,
        });
        let may_cancel = ensure(self.state != MarketState::Halted, RejectCode::MarketHalted);
        match may_cancel.and(first.ok_or(RejectCode::UnknownOrder)) {
            Ok(order) => self.cancel_open(order, reply, CancelCause::Client, fx),
            Err(code) => self.reject(reply, RequestKind::CancelOrderList, account, code, fx),
        }
    }

    /// All orders of `account` are asked to be cancelled, one of them being filled already: what was to
    /// follow it must not come any more.
    pub(crate) fn cancel_placing(&mut self, account: AccountId, order: OrderId) {
        let list = self.lists.by_id.get_mut(&order).filter(|list| list.account == account);
        if let Some(OrderList { stage: ListStage::Placing { cancelled }, .. }) = list {
            *cancelled = true;
        }
    }

    /// One of a pair traded or enters: the list ends, and the other one with it. Nothing for an order
    /// that others wait for.
    #[cold]
    pub(crate) fn leg_acts(&mut self, member: Member, fx: &mut Effects) {
        if let Some((_, OrderList { stage: ListStage::Pair(_), .. })) = self.lists.of(member.order)
        {
            self.end_list(member, ListEnd::Done, fx);
        }
    }

    /// An order ends before it was filled, or loses lots without a trade: so does its list.
    #[cold]
    pub(crate) fn leg_fails(&mut self, member: Member, fx: &mut Effects) {
        self.end_list(member, ListEnd::Cancelled, fx);
    }

    /// Ends the list of an order, if it is of one. Afterwards the order's hold contains what it needs,
    /// and it is one by itself.
    fn end_list(&mut self, member: Member, end: ListEnd, fx: &mut Effects) {
        let Some((list, _)) = self.lists.of(member.order) else {
            return;
        };
        let Member { order, account, hold, need } = member;
        let ended = self.lists.remove(list).expect("it is of this list");
        let other = match ended.stage {
            ListStage::Pair([first, second]) => Some(if order == first { second } else { first }),
            ListStage::Working(_) | ListStage::Placing { .. } => None,
        };
        let other = other.map(|other| self.take_out(other, fx));
        let closes = other.map(|(_, hold)| hold);
        fx.send(Message::ListSettled { account, list, hold, other: closes, need });
        if let Some((order, hold)) = other {
            let release = Amount::ZERO;
            fx.send(Message::Closed { account, hold, order, release });
        }
        self.emit_list_end(list, account, end, fx);
    }

    /// Takes the other one of a pair out of the market: its hold is not its own to close.
    fn take_out(&mut self, order: OrderId, fx: &mut Effects) -> (OrderId, HoldId) {
        let (account, hold, remaining) = match self.book.find(order) {
            Some(place) => {
                let remaining = self.book.remaining(place);
                let resting = self.book.at(place);
                let of = (resting.account, resting.hold, remaining);
                self.book.remove(place);
                of
            }
            None => {
                let waiting = self.waiting.remove(order).expect("both of a pair are open");
                let Admit { account, hold, spec, .. } = waiting.admit;
                (account, hold, spec.quantity().unwrap_or_default())
            }
        };
        let (reply, market, cause) = (ReplyTo::NOBODY, self.def.id, CancelCause::OrderList);
        fx.emit(Event::OrderCancelled { reply, market, order, account, remaining, cause });
        (order, hold)
    }

    /// An order is filled. If others wait for that, they go to the ledger when the command is through;
    /// that then also closes the order's hold. False if there are none.
    #[cold]
    pub(crate) fn keep_pending(&mut self, order: OrderId, hold: HoldId) -> bool {
        let Some((list, OrderList { stage: ListStage::Working(_), .. })) = self.lists.of(order)
        else {
            return false;
        };
        let OrderList { account, stage } = self.lists.remove(list).expect("it is of this list");
        let ListStage::Working(orders) = stage else { unreachable!("just seen") };
        let stage = ListStage::Placing { cancelled: false };
        self.lists.insert(list, OrderList { account, stage });
        self.lists.filled.push(PlacePending { list, hold, orders: *orders });
        true
    }

    /// A command is through, unless it goes on in a later entry: what waited for orders that it filled
    /// goes to the ledger, after all else that the command does to its owners' funds.
    #[inline]
    pub(crate) fn send_pending(&mut self, fx: &mut Effects) {
        if self.pending.is_none() && !self.lists.filled.is_empty() {
            for pending in self.lists.filled.drain(..) {
                fx.send(Message::PlacePending(Box::new(pending)));
            }
        }
    }

    fn emit_list_end(&self, list: OrderId, account: AccountId, end: ListEnd, fx: &mut Effects) {
        fx.emit(Event::OrderListEnded { market: self.def.id, list, account, end });
    }

    /// Whether a list as read from a snapshot can be one of this market.
    pub(crate) fn may_keep(&self, id: OrderId, list: &OrderList) -> Checked {
        let is_open = |order| {
            self.find_own(list.account, order).is_some()
                || self.find_waiting(list.account, order).is_some()
                || self.redefining.as_ref().is_some_and(|moved| moved.has(list.account, order))
        };
        let is_known = match list.stage {
            ListStage::Pair(orders) => orders.into_iter().all(is_open),
            ListStage::Working(_) | ListStage::Placing { .. } => id < self.next_order,
        };
        ensure(is_known, RejectCode::UnknownOrder)
    }
}

/// The pending legs as orders that are placed at once.
fn as_orders(first: &Admit, pending: &[ListLeg]) -> PlaceOrderList {
    PlaceOrderList {
        account: first.account,
        market: first.market,
        version: first.version,
        client_order_id: types::ClientOrderId::NONE,
        self_trade_prevention: first.self_trade_prevention,
        legs: pending.to_vec(),
        pending: Vec::new(),
    }
}
