//! A naive exchange: what `docs/trading-rules.md` says, as obviously as it can be written.
//!
//! Numbers in brackets are those of its rules. Where the rules are silent (the answers to operators'
//! commands, the memory of client ids), `docs/api.md` and the texts of the reject codes speak.

mod admin;
mod amend;
mod auction;
mod cancel;
mod client_ids;
mod countdown;
mod definitions;
mod entering;
mod fees;
mod funds;
mod guard;
mod lists;
mod market;
mod matching;
mod order;
mod place;
mod place_list;
mod plans;
mod rules;
mod treasury;
mod triggers;
mod units;

pub use funds::{Funds, Place};
pub use guard::Guard;
pub use lists::List;
pub use market::Market;
pub use order::Order;

use std::collections::{BTreeMap, VecDeque};

use types::{
    AccountId, AssetDef, AssetId, ClientOrderId, Component, Event, FeeRates, FeeSchedule, MarketId,
    MarketState, PartitionId, RejectCode, ReplyTo, Request, RequestKind, Side, Timestamp,
};

use client_ids::Remembered;
use treasury::{PendingDebit, Source};

/// An account, without what it owns.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Its id.
    pub id: u32,
    /// Its fee tier.
    pub tier: u8,
    /// Whether an operator keeps it in its tier.
    pub pinned: bool,
    /// What it traded: day, and units of the schedule.
    pub traded: Vec<(u64, u128)>,
    /// Whether it may only cancel.
    pub frozen: bool,
}

/// The naive exchange.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The log's time.
    pub now: Timestamp,
    /// In the order of their definition.
    pub assets: Vec<AssetDef>,
    /// In the order of their listing.
    pub markets: Vec<Market>,
    /// In the order of their creation.
    pub accounts: Vec<Account>,
    /// Fee tiers that were set.
    pub tiers: Vec<(u8, FeeRates)>,
    /// Rates of a market for a tier, in place of the tier's.
    pub market_fees: Vec<(u32, u8, FeeRates)>,
    /// Which volume leads to which tier.
    pub schedule: FeeSchedule,
    /// Accounts and days whose volume has changed since somebody last looked.
    pub traded: Vec<(u32, u64)>,
    /// Who has what.
    pub funds: Funds,
    /// Accounts of the exchange have ids below this.
    pub max_accounts: u32,
    homes: Vec<PartitionId>,
    /// What value that comes and goes is checked against.
    pub guard: Guard,
    /// Changes of units and ends of markets to come.
    pub plans: plans::Plans,
    pending_debits: Vec<PendingDebit>,
    sources: Vec<Source>,
    /// By account and client id.
    remembered: BTreeMap<(u32, ClientOrderId), Remembered>,
    placements: u64,
    countdowns: Vec<countdown::Countdown>,
    /// Pending legs that were looked at and are to enter, the first first.
    coming: VecDeque<place_list::Coming>,
    /// What happened in the current command; balances are told by [`Funds`].
    events: Vec<Event>,
}

/// Who asks for what, as rejections repeat it.
#[derive(Clone, Copy, Debug)]
struct Asker {
    reply: ReplyTo,
    request: RequestKind,
    account: u32,
    market: u32,
    client_id: ClientOrderId,
}

impl Exchange {
    /// An exchange without anything. New markets live in these partitions, in turn.
    pub fn new(max_accounts: u32, homes: Vec<PartitionId>) -> Self {
        Self { max_accounts, homes, ..Self::default() }
    }

    /// When the next thing is due.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let markets = self.markets.iter().filter_map(Market::next_deadline);
        let plans = self.plans.deadlines();
        markets.chain(self.next_countdown()).chain(self.guard.next_deadline()).chain(plans).min()
    }

    /// The log's time comes to `now`: what is due is done (3.7, 6.7, 7.3). What happened.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Event> {
        self.now = now;
        for market in &mut self.markets {
            market.now = now;
        }
        if self.next_deadline().is_none_or(|date| date > now) {
            return Vec::new();
        }
        self.act_as_due();
        self.carry_out_plans();
        self.expire_proposals();
        self.place_what_pended();
        std::mem::take(&mut self.events)
    }

    /// Markets and switches act, first due first, at the same time the switch (7.3).
    fn act_as_due(&mut self) {
        loop {
            let market = (0..self.markets.len())
                .filter_map(|at| Some((self.markets[at].next_deadline()?, at)))
                .filter(|&(due, _)| due <= self.now)
                .min();
            let switch = self.next_countdown().filter(|&due| due <= self.now);
            match (market, switch) {
                (None, None) => return,
                (Some((due, at)), switch) if switch.is_none_or(|switch| due < switch) => {
                    self.markets[at].advance(self.now);
                    self.collect(at);
                }
                (_, Some(_)) => self.fire_switch(),
                (Some(_), None) => unreachable!("it acts"),
            }
        }
    }

    /// Does what is asked. What happened.
    pub fn apply(
        &mut self,
        reply: ReplyTo,
        valid_until: Timestamp,
        request: &Request,
    ) -> Vec<Event> {
        let asker = Asker::of(request, reply);
        let done = if valid_until < self.now {
            Err(RejectCode::Expired)
        } else {
            self.dispatch(&asker, request)
        };
        if let Err(code) = done {
            self.reject(&asker, code);
        }
        self.place_what_pended();
        std::mem::take(&mut self.events)
    }

    fn dispatch(&mut self, asker: &Asker, request: &Request) -> Result<(), RejectCode> {
        match request {
            Request::PlaceOrder(order) => self.place_order(asker, order),
            Request::AmendOrder { .. } => self.amend_order(asker, request),
            Request::CancelOrder { order, .. } => self.cancel_order(asker, *order),
            Request::CancelByClientId { .. } => self.cancel_by_client_id(asker),
            Request::CancelAll { .. } => self.cancel_all(asker),
            Request::Transfer { .. } | Request::ReserveDebit { .. } => {
                self.pay_once(asker, request)
            }
            Request::ReleaseDebit { .. } => self.release_debit(asker),
            Request::SettleDebit { reference, .. }
            | Request::Credit { reference, .. }
            | Request::Debit { reference, .. } => self.outside(asker, *reference, request),
            Request::CreateAccount { fee_tier, .. } => self.create_account(asker, *fee_tier),
            Request::FreezeAccount { frozen, .. } => self.freeze_account(asker, *frozen),
            Request::SetAccountFeeTier { fee_tier, .. } => self.set_account_tier(asker, *fee_tier),
            Request::SetFeeSchedule(schedule) => self.set_fee_schedule(asker, schedule),
            Request::SetMarketFees { tier, rates, .. } => {
                self.set_market_fees(asker, *tier, *rates)
            }
            Request::DefineAsset(asset) => self.define_asset(asker, asset),
            Request::ListMarket(market) => self.list_market(asker, market),
            Request::SetFeeTier { tier, rates } => self.set_fee_tier(asker, *tier, *rates),
            Request::SetMarketState { state, .. } => self.set_market_state(asker, *state),
            Request::SetMarketRules { rules, .. } => self.set_market_rules(asker, rules),
            Request::PlanMarketState { at, state, .. } => {
                self.plan_market_state(asker, *at, *state)
            }
            Request::PlanRedefinition { at, redefinition, .. } => {
                self.plan_redefinition(asker, *at, redefinition.as_deref().copied())
            }
            Request::PlanDelisting { at, .. } => self.plan_delisting(asker, *at),
            Request::ReplaceOrder(replace) => self.replace_order(asker, replace),
            Request::SetCountdown { after_ms, .. } => self.set_countdown(asker, *after_ms),
            Request::PlaceOrderList(list) => self.place_order_list(asker, list),
            Request::CancelOrderList { list, .. } => self.cancel_order_list(asker, *list),
            // Section 13 is about bugs of the product, and this exchange has no components that could fail
            // apart from each other: `crates/sim` shows it.
            Request::ReleaseQuarantine { .. } => Err(RejectCode::NotQuarantined),
            Request::AttestReserves { .. }
            | Request::SetCreditPolicy { .. }
            | Request::SetSourceKind { .. } => self.govern(asker, request),
            Request::ApproveProposal { operator, proposal } => {
                self.approve_proposal(asker, *operator, *proposal)
            }
            Request::RejectProposal { operator, proposal } => {
                self.reject_proposal(asker, *operator, *proposal)
            }
        }
    }

    fn reject(&mut self, asker: &Asker, code: RejectCode) {
        self.events.push(Event::Rejected {
            reply: asker.reply,
            request: asker.request,
            account: AccountId(asker.account),
            market: MarketId(asker.market),
            client_order_id: asker.client_id,
            code,
        });
    }

    /// Takes over what happened in a market, and settles its trades.
    fn collect(&mut self, market: usize) {
        let market = &mut self.markets[market];
        let (base, quote) = (market.def.base, market.def.quote);
        let events = std::mem::take(&mut market.events);
        for trade in funds::trades(&events) {
            self.funds.settle(trade, base, quote);
            self.count_volume(trade, quote);
        }
        for event in &events {
            if let Event::OrderReplaced { market, old_order, order, .. } = *event {
                self.rename(market, old_order, order);
            }
        }
        self.events.extend(events);
    }

    /// What is held becomes what open orders and pending debits need (10.2), of a pair the larger (12.5).
    fn fit_holds(&mut self) {
        let refused = self.events.iter().all(|event| matches!(event, Event::Rejected { .. }));
        if refused && self.funds.touched.is_empty() {
            return;
        }
        let mut needs: BTreeMap<_, u128> = BTreeMap::new();
        let mut add = |(account, asset, need)| *needs.entry((account, asset)).or_default() += need;
        for market in &self.markets {
            let pairs = market.pairs_of_needs();
            for order in market.open() {
                let asset = pays_with(market, order.side);
                let need = match pairs.iter().find(|pair| pair.orders.contains(&order.id)) {
                    Some(pair) if pair.orders[0] == order.id => pair.need,
                    Some(_) => 0,
                    None => market.need(order),
                };
                add((order.account, asset, need));
            }
        }
        self.coming.iter().filter_map(place_list::Coming::need).for_each(&mut add);
        for debit in &self.pending_debits {
            add((debit.account, debit.asset, debit.amount));
        }
        self.funds.fit_holds(&needs);
    }

    fn account(&self, id: u32) -> Result<&Account, RejectCode> {
        self.accounts.iter().find(|account| account.id == id).ok_or(RejectCode::UnknownAccount)
    }

    /// The place of a market that was not delisted.
    fn open_market(&self, id: u32) -> Result<usize, RejectCode> {
        let at = self.market(id)?;
        let delisted = self.markets[at].state == MarketState::Delisted;
        if delisted { Err(RejectCode::MarketDelisted) } else { Ok(at) }
    }

    /// The place of a market in the list.
    fn market(&self, id: u32) -> Result<usize, RejectCode> {
        let found = self.markets.iter().position(|market| market.def.id.0 == id);
        found.ok_or(RejectCode::UnknownMarket)
    }
}

/// The asset that an order of this side pays with.
fn pays_with(market: &Market, side: Side) -> AssetId {
    match side {
        Side::Buy => market.def.quote,
        Side::Sell => market.def.base,
    }
}

impl Asker {
    fn of(request: &Request, reply: ReplyTo) -> Self {
        let none = ClientOrderId::NONE;
        let (account, market, client_id) = match request {
            Request::PlaceOrder(order) => (order.account.0, order.market.0, order.client_order_id),
            Request::AmendOrder { account, market, .. }
            | Request::CancelOrder { account, market, .. }
            | Request::CancelAll { account, market } => (account.0, market.0, none),
            Request::CancelByClientId { account, client_order_id } => {
                (account.0, 0, *client_order_id)
            }
            Request::Transfer { from, client_id, .. } => (from.0, 0, *client_id),
            Request::ReserveDebit { account, client_id, .. }
            | Request::SettleDebit { account, client_id, .. }
            | Request::ReleaseDebit { account, client_id } => (account.0, 0, *client_id),
            Request::Credit { account, .. }
            | Request::Debit { account, .. }
            | Request::CreateAccount { account, .. }
            | Request::FreezeAccount { account, .. }
            | Request::SetAccountFeeTier { account, .. } => (account.0, 0, none),
            Request::ReleaseQuarantine { component: Component::Market(market) } => {
                (0, market.0, none)
            }
            Request::DefineAsset(_)
            | Request::SetFeeTier { .. }
            | Request::SetFeeSchedule(_)
            | Request::ReleaseQuarantine { .. }
            | Request::AttestReserves { .. }
            | Request::SetCreditPolicy { .. }
            | Request::SetSourceKind { .. }
            | Request::ApproveProposal { .. }
            | Request::RejectProposal { .. } => (0, 0, none),
            Request::ListMarket(market) => (0, market.id.0, none),
            Request::SetMarketState { market, .. }
            | Request::SetMarketRules { market, .. }
            | Request::SetMarketFees { market, .. }
            | Request::PlanRedefinition { market, .. }
            | Request::PlanDelisting { market, .. }
            | Request::PlanMarketState { market, .. } => (0, market.0, none),
            Request::SetCountdown { account, market, .. }
            | Request::CancelOrderList { account, market, .. } => (account.0, market.0, none),
            Request::PlaceOrderList(list) => (list.account.0, list.market.0, list.client_order_id),
            Request::ReplaceOrder(replace) => {
                let order = &replace.order;
                (order.account.0, order.market.0, order.client_order_id)
            }
        };
        Self { reply, request: request.kind(), account, market, client_id }
    }
}
