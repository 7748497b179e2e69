//! Which component decides a request first: the one table that routing, sequencing and applying share.

use crate::{AccountId, Component, MarketId, PartitionId, Request, Topology};

impl Request {
    /// The component that decides this first; for a release, the one to be released. `registry` is the
    /// partition where definitions are registered: the treasury's.
    #[inline]
    #[must_use]
    pub fn decider(&self, registry: PartitionId) -> Component {
        let of = |account: AccountId| Component::Ledger(account.slot());
        match *self {
            Self::PlaceOrder(ref order) => of(order.account),
            Self::PlaceOrderList(ref list) => of(list.account),
            Self::ReplaceOrder(ref replace) => of(replace.order.account),
            Self::Transfer { from, .. } => of(from),
            Self::AmendOrder { account, .. }
            | Self::CancelByClientId { account, .. }
            | Self::CancelAll { account, .. }
            | Self::SetCountdown { account, .. }
            | Self::ReserveDebit { account, .. }
            | Self::ReleaseDebit { account, .. }
            | Self::CreateAccount { account, .. }
            | Self::FreezeAccount { account, .. }
            | Self::SetAccountFeeTier { account, .. } => of(account),
            Self::Credit { .. }
            | Self::Debit { .. }
            | Self::SettleDebit { .. }
            | Self::AttestReserves { .. }
            | Self::SetCreditPolicy { .. }
            | Self::SetSourceKind { .. }
            | Self::ApproveProposal { .. }
            | Self::RejectProposal { .. } => Component::Treasury,
            Self::DefineAsset(_)
            | Self::ListMarket(_)
            | Self::SetFeeTier { .. }
            | Self::SetFeeSchedule(_)
            | Self::SetMarketFees { .. }
            | Self::PlanRedefinition { .. }
            | Self::PlanDelisting { .. }
            | Self::SetMarketRules { .. } => Component::Registry(registry),
            Self::CancelOrder { market, .. }
            | Self::CancelOrderList { market, .. }
            | Self::SetMarketState { market, .. }
            | Self::PlanMarketState { market, .. } => Component::Market(market),
            Self::ReleaseQuarantine { component } => component,
        }
    }
}

impl Topology {
    /// The partition that decides `request`; `market_home` tells where a market lives. What names an unknown
    /// market goes to the treasury's partition, which has every definition first and answers that there is
    /// none.
    pub fn home_of(
        &self,
        request: &Request,
        market_home: impl FnOnce(MarketId) -> Option<PartitionId>,
    ) -> PartitionId {
        match request.decider(self.treasury) {
            Component::Ledger(slot) => self.home_of_slot(slot),
            Component::Market(market) => market_home(market).unwrap_or(self.treasury),
            // Who releases a registry is told that it cannot be quarantined.
            Component::Treasury | Component::Registry(_) => self.treasury,
        }
    }
}
