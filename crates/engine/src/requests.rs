//! Client requests: each goes to the one component that decides it first.

use book::Work;
use ledger::{Amendment, Reservation, Transfer};
use types::{
    AccountId, CancelCause, ClientOrderId, Component, Definition, Event, MarketId, RejectCode,
    ReplyTo, Request, RequestKind, Timestamp,
};

use crate::partition::{Partition, context};

impl Partition {
    pub(crate) fn request(
        &mut self,
        reply: ReplyTo,
        valid_until: Timestamp,
        request: &Request,
        work: &mut Work,
    ) {
        // A release is decided by the partition itself.
        let is_release = matches!(request, Request::ReleaseQuarantine { .. });
        let decider = (!is_release).then(|| request.decider(self.id));
        if let Err(code) = self.check(valid_until, decider) {
            return self.reject(reply, request, code);
        }
        self.stepping = decider;
        self.decide(reply, valid_until, request, work);
        self.stepping = None;
    }

    fn decide(
        &mut self,
        reply: ReplyTo,
        valid_until: Timestamp,
        request: &Request,
        work: &mut Work,
    ) {
        let ctx = context(self.topology.as_ref(), &self.definitions, self.now);
        let (ledger, fx) = (&mut self.ledger, &mut self.fx);
        match *request {
            Request::PlaceOrder(ref order) => {
                if let Some(admit) = ledger.place_order(&ctx, reply, valid_until, order, fx) {
                    self.hand_over(admit, work);
                }
            }
            Request::PlaceOrderList(ref list) => {
                ledger.place_order_list(&ctx, reply, valid_until, list, fx);
            }
            Request::CancelOrderList { account, market, list } => {
                self.cancel_list(reply, account, market, list);
            }
            Request::ReplaceOrder(ref replace) => {
                ledger.replace_order(&ctx, reply, valid_until, replace, fx);
            }
            Request::SetCountdown { account, market, after_ms } => {
                ledger.set_countdown(&ctx, reply, (account, market), after_ms, fx);
                let slot = account.slot();
                self.deadlines.set(Component::Ledger(slot), ledger.next_deadline(slot));
            }
            Request::AmendOrder {
                account,
                market,
                version,
                order,
                price,
                quantity,
                keep_priority,
            } => {
                let amendment =
                    Amendment { account, market, version, order, price, quantity, keep_priority };
                ledger.amend_order(&ctx, reply, &amendment, fx);
            }
            Request::CancelOrder { account, market, order } => {
                self.cancel(reply, account, market, order, CancelCause::Client);
            }
            Request::CancelByClientId { account, client_order_id } => {
                ledger.cancel_by_client_id(&ctx, reply, account, client_order_id, fx);
            }
            Request::CancelAll { account, market } => ledger.cancel_all(reply, account, market, fx),
            Request::Transfer { from, to, asset, amount, client_id } => {
                let transfer = Transfer { from, to, asset, amount, client_id };
                ledger.transfer(&ctx, reply, valid_until, &transfer, fx);
            }
            Request::ReserveDebit { account, asset, amount, client_id } => {
                let reservation = Reservation { account, asset, amount, client_id, valid_until };
                ledger.reserve_debit(&ctx, reply, &reservation, fx);
            }
            Request::ReleaseDebit { account, client_id } => {
                ledger.release_debit(&ctx, reply, account, client_id, fx);
            }
            Request::Credit { .. }
            | Request::Debit { .. }
            | Request::SettleDebit { .. }
            | Request::AttestReserves { .. }
            | Request::SetCreditPolicy { .. }
            | Request::SetSourceKind { .. }
            | Request::ApproveProposal { .. }
            | Request::RejectProposal { .. } => {
                let treasury = self.treasury.as_mut().expect("checked");
                treasury.request(&ctx, reply, request, fx);
                self.deadlines.set(Component::Treasury, treasury.next_deadline());
            }
            Request::CreateAccount { account, fee_tier } => {
                ledger.create_account(&ctx, reply, account, fee_tier, fx);
            }
            Request::FreezeAccount { account, frozen } => {
                ledger.freeze_account(reply, account, frozen, fx);
            }
            Request::SetAccountFeeTier { account, fee_tier } => {
                ledger.set_account_fee_tier(&ctx, reply, account, fee_tier, fx);
            }
            Request::DefineAsset(ref asset) => {
                self.register(reply, RequestKind::DefineAsset, Definition::Asset(asset.clone()));
            }
            Request::ListMarket(ref market) => {
                self.register(reply, RequestKind::ListMarket, Definition::Market(market.clone()));
            }
            Request::SetFeeTier { tier, rates } => {
                let definition = Definition::FeeTier { tier, rates };
                self.register(reply, RequestKind::SetFeeTier, definition);
            }
            Request::SetMarketRules { market, ref rules } => {
                let definition = Definition::Rules { market, rules: rules.clone() };
                self.register(reply, RequestKind::SetMarketRules, definition);
            }
            Request::SetFeeSchedule(ref schedule) => {
                let definition = Definition::FeeSchedule(schedule.clone());
                self.register(reply, RequestKind::SetFeeSchedule, definition);
            }
            Request::SetMarketFees { market, tier, rates } => {
                let definition = Definition::MarketFees { market, tier, rates };
                self.register(reply, RequestKind::SetMarketFees, definition);
            }
            Request::PlanMarketState { market, at, state } => {
                if !self.at_market(market, |book, fx| book.plan_state(reply, at, state, fx)) {
                    let kind = RequestKind::PlanMarketState;
                    self.reject_at_market(reply, kind, AccountId(0), market);
                }
            }
            Request::PlanRedefinition { market, at, ref redefinition } => {
                self.plan_redefinition(reply, market, at, redefinition.as_deref().copied());
            }
            Request::PlanDelisting { market, at } => self.plan_delisting(reply, market, at),
            Request::SetMarketState { market, state } => {
                if !self.at_market(market, |book, fx| book.set_state(reply, state, work, fx)) {
                    let kind = RequestKind::SetMarketState;
                    self.reject_at_market(reply, kind, AccountId(0), market);
                }
            }
            Request::ReleaseQuarantine { component } => {
                self.release_quarantine(reply, component, work);
            }
        }
    }

    /// Whether the request is in time, and whoever decides it is here and in order.
    fn check(&self, valid_until: Timestamp, decider: Option<Component>) -> Result<(), RejectCode> {
        if self.now > valid_until {
            return Err(RejectCode::Expired);
        }
        let is_here = match decider {
            Some(Component::Ledger(slot)) => self.ledger.hosts_slot(slot),
            Some(Component::Treasury | Component::Registry(_)) => self.treasury.is_some(),
            // A market that is not here is answered as such.
            Some(Component::Market(_)) | None => true,
        };
        if !is_here {
            return Err(RejectCode::WrongPartition);
        }
        let is_held = decider.is_some_and(|component| self.quarantines.holds(component));
        if is_held { Err(RejectCode::ComponentQuarantined) } else { Ok(()) }
    }

    fn reject(&mut self, reply: ReplyTo, request: &Request, code: RejectCode) {
        let (account, market, client_order_id) = subject(request);
        let request = request.kind();
        self.fx.emit(Event::Rejected { reply, request, account, market, client_order_id, code });
    }
}

/// Whom and what a request is about, as far as it says.
fn subject(request: &Request) -> (AccountId, MarketId, ClientOrderId) {
    let (nobody, nowhere, none) = (AccountId(0), MarketId(0), ClientOrderId::NONE);
    match *request {
        Request::PlaceOrder(ref order) => (order.account, order.market, order.client_order_id),
        Request::PlaceOrderList(ref list) => (list.account, list.market, list.client_order_id),
        Request::AmendOrder { account, market, .. }
        | Request::CancelOrder { account, market, .. }
        | Request::CancelOrderList { account, market, .. }
        | Request::CancelAll { account, market }
        | Request::SetCountdown { account, market, .. } => (account, market, none),
        Request::ReplaceOrder(ref replace) => {
            let order = &replace.order;
            (order.account, order.market, order.client_order_id)
        }
        Request::CancelByClientId { account, client_order_id } => {
            (account, nowhere, client_order_id)
        }
        Request::Transfer { from, client_id, .. } => (from, nowhere, client_id),
        Request::ReserveDebit { account, client_id, .. }
        | Request::SettleDebit { account, client_id, .. }
        | Request::ReleaseDebit { account, client_id } => (account, nowhere, client_id),
        Request::Credit { account, .. }
        | Request::Debit { account, .. }
        | Request::CreateAccount { account, .. }
        | Request::FreezeAccount { account, .. }
        | Request::SetAccountFeeTier { account, .. } => (account, nowhere, none),
        Request::SetMarketState { market, .. }
        | Request::SetMarketRules { market, .. }
        | Request::SetMarketFees { market, .. }
        | Request::PlanRedefinition { market, .. }
        | Request::PlanDelisting { market, .. }
        | Request::PlanMarketState { market, .. } => (nobody, market, none),
        Request::ListMarket(ref market) => (nobody, market.id, none),
        Request::ReleaseQuarantine { component: Component::Market(market) } => {
            (nobody, market, none)
        }
        Request::DefineAsset(_)
        | Request::SetFeeTier { .. }
        | Request::SetFeeSchedule(_)
        | Request::ReleaseQuarantine { .. }
        | Request::AttestReserves { .. }
        | Request::SetCreditPolicy { .. }
        | Request::SetSourceKind { .. }
        | Request::ApproveProposal { .. }
        | Request::RejectProposal { .. } => (nobody, nowhere, none),
    }
}
