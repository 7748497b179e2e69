//! Operators who guard the door of value: reserves, policies, sources, approvals. And value that comes and goes.

use types::{
    AccountId, Amount, AssetId, ClientOrderId, CreditPolicy, OperatorName, Request, SourceKind,
    TreasuryReference,
};

use super::Generator;
use crate::naive::Exchange;

impl Generator {
    /// One of three people, or nobody.
    fn operator(&mut self) -> OperatorName {
        match self.random.below(12) {
            0 => OperatorName::NONE,
            1..6 => name("ann"),
            6..11 => name("ben"),
            _ => name("cyd"),
        }
    }

    /// Reserves, a policy, what a source is; or a decision about what waits.
    pub(super) fn guard(&mut self, exchange: &Exchange) -> Request {
        let operator = self.operator();
        match self.random.below(if self.world.hoards { 3 } else { 12 }) {
            0 => self.attest(exchange, operator),
            1 => {
                let asset = self.asset();
                let policy = Box::new(self.policy(asset));
                Request::SetCreditPolicy { operator, asset, policy }
            }
            2 => {
                let source = self.random.between(2, 3) as u32;
                let kind = self.random.pick(&[SourceKind::Machine, SourceKind::Manual]);
                Request::SetSourceKind { operator, source, kind }
            }
            3 => {
                let proposal = self.proposal(exchange);
                Request::RejectProposal { operator, proposal }
            }
            _ => self.approve(exchange),
        }
    }

    fn attest(&mut self, exchange: &Exchange, operator: OperatorName) -> Request {
        let asset = self.asset();
        let (supply, purse) = (exchange.supply(asset), self.world.purse(asset, &mut self.random));
        let ceiling = Amount::new(match self.random.below(12) {
            0 => supply,
            1 => supply / 2,
            2 => (1 << 96) + 1,
            3 => 1 << 96,
            _ => supply + purse * self.random.between(0, 3) as u128,
        });
        let evidence = [self.random.below(256) as u8; 32];
        Request::AttestReserves { operator, asset, ceiling, evidence }
    }

    fn policy(&mut self, asset: AssetId) -> CreditPolicy {
        let purse = self.world.purse(asset, &mut self.random);
        let mut limit = |most: u64| {
            let times = u128::from(self.random.below(most));
            self.random.one_in(2).then(|| Amount::new(purse * times / 2))
        };
        CreditPolicy {
            large_credit: limit(5),
            hourly_credit: limit(12),
            manual_needs_approval: self.random.one_in(4),
            expiry_hours: self.random.pick(&[1, 1, 1, 2, 24, 720, 0, 721]),
        }
    }

    /// The number of an open proposal, rarely of none.
    fn proposal(&mut self, exchange: &Exchange) -> u64 {
        let open = &exchange.guard.proposals;
        let at = self.random.below(open.len().max(1) as u64) as usize;
        let known = open.get(at).map_or(1, |proposal| proposal.number);
        if self.random.one_in(20) { known + 1_000 } else { known }
    }

    pub(super) fn approve(&mut self, exchange: &Exchange) -> Request {
        let (operator, proposal) = (self.operator(), self.proposal(exchange));
        Request::ApproveProposal { operator, proposal }
    }

    pub(super) fn asset(&mut self) -> AssetId {
        if self.random.one_in(60) { AssetId(7) } else { AssetId(self.random.between(1, 3) as u32) }
    }

    fn reference(&mut self, exchange: &Exchange) -> TreasuryReference {
        let source = self.random.between(2, 3) as u32;
        let last = exchange.last_number(source);
        let number = match self.random.below(30) {
            0 => last,
            1 => last + 2,
            2 => last.saturating_sub(1),
            _ => last + 1,
        };
        TreasuryReference { source, number }
    }

    /// Value from or to the outside: to those who have little, from those who have much.
    pub(super) fn outside(&mut self, exchange: &Exchange) -> Request {
        let waits = !exchange.guard.proposals.is_empty() && !self.world.hoards;
        if waits && self.random.one_in(3) {
            return self.approve(exchange);
        }
        let account = AccountId(self.account());
        let asset = self.asset();
        let purse = self.world.purse(asset, &mut self.random);
        let available = exchange.funds.available(account.0, asset);
        let poor = available < purse;
        let reference = self.reference(exchange);
        if self.random.one_in(12) {
            let client_id = self.debit_name(exchange, account);
            return Request::SettleDebit { reference, account, client_id };
        }
        let amount = Amount::new(match self.random.below(30) {
            0 => 0,
            1 => 1 << 96,
            2 => (1 << 96) + 1,
            3 => available + 1,
            _ if poor => purse,
            _ => available / 2,
        });
        let operator = self.operator();
        let gives = poor && !self.random.one_in(20);
        if gives || self.random.one_in(10) {
            let amount = self.bearable(exchange, asset, amount);
            return Request::Credit { reference, operator, account, asset, amount };
        }
        Request::Debit { reference, operator, account, asset, amount }
    }

    /// What fills the supply up would only stop later credits. As a proposal it may be tried.
    fn bearable(&mut self, exchange: &Exchange, asset: AssetId, amount: Amount) -> Amount {
        let guarded = exchange.guard.ceiling(asset).is_some();
        match amount.get() == 1 << 96 {
            true if guarded => Amount::new(1 << 95),
            true => Amount::new((1 << 96) + 1),
            false => amount,
        }
    }

    pub(super) fn debit_name(&mut self, exchange: &Exchange, account: AccountId) -> ClientOrderId {
        let name = exchange.pending_debit_of(account.0);
        name.filter(|_| !self.random.one_in(5)).unwrap_or_else(|| self.new_name())
    }
}

pub(super) fn name(text: &str) -> OperatorName {
    text.parse().expect("short and printable")
}
