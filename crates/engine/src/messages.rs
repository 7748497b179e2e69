//! Messages: each is handled by the one component that it is for.

use book::{Market, Work};
use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Admit, AdmitList, AmendOrder, CancelCause, ClientOrderId, Component, Effects, Event,
    MarketChange, MarketId, Message, OrderId, PlaceOrder, RejectCode, ReplaceOrder, ReplyTo,
    Request, RequestKind, Timestamp,
};

use crate::partition::{Partition, context};

/// A client's request that arrived while earlier work was left.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct WaitingRequest {
    pub reply: ReplyTo,
    pub valid_until: Timestamp,
    pub request: Request,
}

impl Partition {
    /// Handles a message for a component here. A market that is in the middle of an order takes
    /// nothing but its own `Resume`; what comes for it meanwhile waits, in order.
    pub(crate) fn handle(&mut self, message: &Message, to: Component, work: &mut Work) {
        if self.quarantines.holds(to) {
            return self.divert(message.clone(), to);
        }
        if let Some(market) = interruptible(message)
            && self.is_interrupted(market)
        {
            self.deferred.push_back(message.clone());
            return;
        }
        self.stepping = Some(to);
        self.dispatch(message, work);
        #[cfg(feature = "fault-injection")]
        self.fx.look(types::Done::Handled(message));
        self.stepping = None;
    }

    fn dispatch(&mut self, message: &Message, work: &mut Work) {
        match message {
            Message::Admit(admit) => self.admit(admit, work),
            Message::AmendOrder(amend) => self.amend(amend, work),
            Message::CancelOrder { reply, account, market, order, cause } => {
                self.cancel(*reply, *account, *market, *order, *cause);
            }
            Message::Resume { market } => self.resume(*market, work),
            Message::FireTimers { component } => self.fire_timers(*component, work),
            Message::CancelThenPlace { reply, valid_until, replace } => {
                self.cancel_then_place(*reply, *valid_until, replace);
            }
            Message::Place { reply, valid_until, order } => {
                self.request(*reply, *valid_until, &Request::PlaceOrder((**order).clone()), work);
            }
            Message::AdmitList(admit) => self.admit_list(admit, work),
            Message::PlacePending(pending) => {
                let ctx = context(self.topology.as_ref(), &self.definitions, self.now);
                self.ledger.place_pending(&ctx, pending, &mut self.fx);
            }
            Message::PendingDropped { account, market, list, end } => {
                let is_here = self
                    .at_market(*market, |book, fx| book.drop_pending(*account, *list, *end, fx));
                assert!(is_here, "its market sent the pending legs");
            }
            Message::Debited { reference, asset, amount, outcome } => {
                let treasury = self.treasury.as_mut().expect("messages are routed");
                treasury.debited(*reference, *asset, *amount, *outcome);
            }
            Message::Define { definition, .. } => self.define(definition.clone()),
            Message::ChangeMarket { market, change } => self.change_market(*market, change, work),
            Message::Rested { .. }
            | Message::Filled { .. }
            | Message::Released { .. }
            | Message::Amended { .. }
            | Message::AmendmentRefused { .. }
            | Message::Closed { .. }
            | Message::Refused { .. }
            | Message::ListSettled { .. }
            | Message::Credit { .. }
            | Message::Debit { .. }
            | Message::SettleDebit { .. }
            | Message::TransferIn { .. } => {
                let ctx = context(self.topology.as_ref(), &self.definitions, self.now);
                self.ledger.receive(&ctx, message, &mut self.fx);
            }
        }
    }

    /// Lets a market here do something. False if it is not here.
    #[inline]
    pub(crate) fn at_market(
        &mut self,
        market: MarketId,
        step: impl FnOnce(&mut Market, &mut Effects),
    ) -> bool {
        let Some(book) = self.markets.get_mut(market.0 as usize).and_then(Option::as_mut) else {
            return false;
        };
        book.set_time(self.now);
        step(book, &mut self.fx);
        self.deadlines.set(Component::Market(market), book.next_deadline());
        true
    }

    pub(crate) fn cancel(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        market: MarketId,
        order: OrderId,
        cause: CancelCause,
    ) {
        let is_here =
            self.at_market(market, |book, fx| book.cancel(reply, account, order, cause, fx));
        if !is_here {
            self.reject_at_market(reply, RequestKind::CancelOrder, account, market);
        }
    }

    /// An order goes to its market: at once, if that is here and nothing is in front of it. Otherwise it
    /// queues. What happens is the same, for a queued message that is the first takes this step, too.
    pub(crate) fn hand_over(&mut self, admit: Admit, work: &mut Work) {
        let to = Component::Market(admit.market);
        let is_next = self.fx.messages.is_empty()
            && self.market(admit.market).is_some_and(|market| !market.is_interrupted())
            && !self.quarantines.holds(to);
        #[cfg(feature = "fault-injection")]
        let is_next = is_next && self.fx.bug.is_none();
        if is_next && work.take() {
            self.stepping = Some(to);
            self.admit(&admit, work);
        } else {
            self.fx.send(Message::Admit(Box::new(admit)));
        }
    }

    fn admit(&mut self, admit: &Admit, work: &mut Work) {
        if self.at_market(admit.market, |market, fx| market.admit(admit, work, fx)) {
            return;
        }
        // The ledger's partition heard of the market before this one did.
        self.refuse_admit(admit, RejectCode::UnknownMarket);
    }

    fn admit_list(&mut self, admit: &AdmitList, work: &mut Work) {
        if self.at_market(admit.market, |market, fx| market.admit_list(admit, work, fx)) {
            return;
        }
        // As for a single order. Pending legs come after their market has spoken of them.
        self.refuse_list(admit, RejectCode::UnknownMarket);
    }

    pub(crate) fn cancel_list(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        market: MarketId,
        list: OrderId,
    ) {
        if !self.at_market(market, |book, fx| book.cancel_list(reply, account, list, fx)) {
            self.reject_at_market(reply, RequestKind::CancelOrderList, account, market);
        }
    }

    fn amend(&mut self, amend: &AmendOrder, work: &mut Work) {
        if !self.at_market(amend.market, |market, fx| market.amend(amend, work, fx)) {
            // No order has an id before its market is here, so that nothing was added to a hold.
            let &AmendOrder { reply, account, market, .. } = amend;
            self.reject_at_market(reply, RequestKind::AmendOrder, account, market);
        }
    }

    fn resume(&mut self, market: MarketId, work: &mut Work) {
        let is_here = self.at_market(market, |book, fx| book.resume(work, fx));
        assert!(is_here, "only a market here sends itself a message");
        if !self.is_interrupted(market) {
            self.take_up_deferred(market);
        }
    }

    fn cancel_then_place(
        &mut self,
        reply: ReplyTo,
        valid_until: Timestamp,
        replace: &ReplaceOrder,
    ) {
        let PlaceOrder { account, market, .. } = replace.order;
        let is_here = self
            .at_market(market, |book, fx| book.cancel_then_place(reply, valid_until, replace, fx));
        if !is_here {
            self.reject_at_market(reply, RequestKind::ReplaceOrder, account, market);
        }
    }

    fn fire_timers(&mut self, component: Component, work: &mut Work) {
        match component {
            Component::Market(market) => {
                let is_here = self.at_market(market, |book, fx| book.fire_timers(work, fx));
                assert!(is_here, "a market elsewhere has no deadline here");
            }
            Component::Ledger(slot) => {
                // One at a time, each with a step of work: the next ones come behind what it sends.
                let ctx = context(self.topology.as_ref(), &self.definitions, self.now);
                if self.ledger.fire_timer(&ctx, slot, &mut self.fx) {
                    return self.fx.send(Message::FireTimers { component });
                }
                self.deadlines.set(component, self.ledger.next_deadline(slot));
            }
            Component::Treasury => {
                // One at a time, as above.
                let treasury = self.treasury.as_mut().expect("it has a deadline here");
                if treasury.fire_timer(self.now, &mut self.fx) {
                    return self.fx.send(Message::FireTimers { component });
                }
                self.deadlines.set(component, treasury.next_deadline());
            }
            Component::Registry(_) => {
                if self.carry_out_plan() {
                    return self.fx.send(Message::FireTimers { component });
                }
                self.deadlines.set(component, self.plans.next_deadline());
            }
        }
        self.deadlines.heard(component);
    }

    fn change_market(&mut self, market: MarketId, change: &MarketChange, work: &mut Work) {
        let is_here = match change {
            MarketChange::Redefine(def) => {
                let scaling = self.definitions.scaling(def).expect("the registry has checked it");
                self.at_market(market, |book, fx| book.redefine(def.clone(), scaling, work, fx))
            }
            MarketChange::Rules(rules) => self.at_market(market, |book, _| book.set_rules(*rules)),
            MarketChange::Delist => self.at_market(market, |book, fx| book.delist(work, fx)),
            MarketChange::Reopen => self.at_market(market, |book, fx| book.reopen(fx)),
        };
        assert!(is_here, "only a market here is told");
    }

    /// What waited for `market` goes to the front of the queue, in order.
    fn take_up_deferred(&mut self, market: MarketId) {
        for message in self.take_deferred(market).into_iter().rev() {
            self.fx.messages.push_front(message);
        }
    }

    pub(crate) fn is_interrupted(&self, market: MarketId) -> bool {
        self.market(market).is_some_and(book::Market::is_interrupted)
    }

    pub(crate) fn reject_at_market(
        &mut self,
        reply: ReplyTo,
        request: RequestKind,
        account: AccountId,
        market: MarketId,
    ) {
        let known = self.definitions.market(market).is_some();
        let code = if known { RejectCode::WrongPartition } else { RejectCode::UnknownMarket };
        let client_order_id = ClientOrderId::NONE;
        self.fx.emit(Event::Rejected { reply, request, account, market, client_order_id, code });
    }
}

/// The market that must not be interrupted for this message, if it goes to one.
pub(crate) fn interruptible(message: &Message) -> Option<MarketId> {
    match (message, message.to()) {
        (Message::Resume { .. }, _) => None,
        (_, Component::Market(market)) => Some(market),
        (_, Component::Ledger(_) | Component::Treasury | Component::Registry(_)) => None,
    }
}
