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
        if let Err(code) = self.check(valid_until, request) {
            return self.reject(reply, request, code);
        }
        let ctx = context(self.topology.as_ref(), &self.definitions, self.now);
        let (ledger, fx) = (&mut self.ledger, &mut self.fx);
        match *request {
            Request::PlaceOrder(ref order) => {
                ledger.place_order(&ctx, reply, valid_until, order, fx)
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
            Request::AmendOrder { account, market, version, order, price, quantity } => {
                let amendment = Amendment { account, market, version, order, price, quantity };
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
            Request::Credit { .. } | Request::Debit { .. } | Request::SettleDebit { .. } => {
                let treasury = self.treasury.as_mut().expect("checked");
                treasury.request(&self.definitions, reply, request, fx);
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
            Request::PlanMarketState { market, at, state } => {
                if !self.at_market(market, |book, fx| book.plan_state(reply, at, state, fx)) {
                    let kind = RequestKind::PlanMarketState;
                    self.reject_at_market(reply, kind, AccountId(0), market);
                }
            }
            Request::SetMarketState { market, state } => {
                if !self.at_market(market, |book, fx| book.set_state(reply, state, work, fx)) {
                    let kind = RequestKind::SetMarketState;
                    self.reject_at_market(reply, kind, AccountId(0), market);
                }
            }
        }
    }

    /// Whether the request is in time, and this is the partition that decides it.
    fn check(&self, valid_until: Timestamp, request: &Request) -> Result<(), RejectCode> {
        if self.now > valid_until {
            return Err(RejectCode::Expired);
        }
        let here = match *request {
            Request::PlaceOrder(ref order) => self.ledger.hosts(order.account),
            Request::PlaceOrderList(ref list) => self.ledger.hosts(list.account),
            Request::ReplaceOrder(ref replace) => self.ledger.hosts(replace.order.account),
            Request::Transfer { from, .. } => self.ledger.hosts(from),
            Request::AmendOrder { account, .. }
            | Request::CancelByClientId { account, .. }
            | Request::CancelAll { account, .. }
            | Request::SetCountdown { account, .. }
            | Request::ReserveDebit { account, .. }
            | Request::ReleaseDebit { account, .. }
            | Request::CreateAccount { account, .. }
            | Request::FreezeAccount { account, .. }
            | Request::SetAccountFeeTier { account, .. } => self.ledger.hosts(account),
            Request::Credit { .. }
            | Request::Debit { .. }
            | Request::SettleDebit { .. }
            | Request::DefineAsset(_)
            | Request::ListMarket(_)
            | Request::SetFeeTier { .. }
            | Request::SetMarketRules { .. } => self.treasury.is_some(),
            // A market that is not here is answered as such.
            Request::CancelOrder { .. }
            | Request::CancelOrderList { .. }
            | Request::SetMarketState { .. }
            | Request::PlanMarketState { .. } => true,
        };
        if here { Ok(()) } else { Err(RejectCode::WrongPartition) }
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
        | Request::PlanMarketState { market, .. } => (nobody, market, none),
        Request::ListMarket(ref market) => (nobody, market.id, none),
        Request::DefineAsset(_) | Request::SetFeeTier { .. } => (nobody, nowhere, none),
    }
}
