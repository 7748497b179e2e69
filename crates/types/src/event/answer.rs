//! Which events are answers, and which are plain.

use crate::{Event, ReplyTo};

impl Event {
    /// Whom this answers, if it is an answer somebody waits for.
    #[must_use]
    pub fn answers(&self) -> Option<ReplyTo> {
        let reply = match *self {
            Self::Rejected { reply, .. }
            | Self::Repeated { reply, .. }
            | Self::OrderPlaced { reply, .. }
            | Self::OrderCancelled { reply, .. }
            | Self::OrderReduced { reply, .. }
            | Self::OrderReplaced { reply, .. }
            | Self::CancelAllAccepted { reply, .. }
            | Self::Credited { reply, .. }
            | Self::Debited { reply, .. }
            | Self::DebitReserved { reply, .. }
            | Self::DebitReleased { reply, .. }
            | Self::TransferredOut { reply, .. }
            | Self::AccountCreated { reply, .. }
            | Self::AccountFrozen { reply, .. }
            | Self::AccountFeeTierSet { reply, .. }
            | Self::AssetDefined { reply, .. }
            | Self::MarketListed { reply, .. }
            | Self::FeeTierSet { reply, .. }
            | Self::MarketStateChanged { reply, .. }
            | Self::MarketRulesSet { reply, .. }
            | Self::MarketStatePlanned { reply, .. }
            | Self::FeeScheduleSet { reply, .. }
            | Self::MarketFeesSet { reply, .. }
            | Self::CountdownSet { reply, .. }
            | Self::QuarantineReleased { reply, .. }
            | Self::RedefinitionPlanned { reply, .. }
            | Self::DelistingPlanned { reply, .. }
            | Self::ProposalMade { reply, .. }
            | Self::ApprovalAwaited { reply, .. }
            | Self::ProposalDecided { reply, .. }
            | Self::ReservesAttested { reply, .. }
            | Self::CreditPolicySet { reply, .. }
            | Self::SourceKindSet { reply, .. } => reply,
            Self::OrderListPlaced(ref placed) => placed.reply,
            Self::OrderRested { .. }
            | Self::Trade(_)
            | Self::BalanceChanged { .. }
            | Self::TransferredIn { .. }
            | Self::AuctionUncrossed { .. }
            | Self::OrderRefilled { .. }
            | Self::OrderTriggered { .. }
            | Self::TradingInterrupted { .. }
            | Self::OrderListAdvanced { .. }
            | Self::OrderListEnded { .. }
            | Self::Quarantined { .. }
            | Self::FeeTierChanged { .. }
            | Self::VolumeChanged { .. }
            | Self::MarketRedefined { .. }
            | Self::MarketReopening { .. }
            | Self::OrderDecremented { .. } => return None,
        };
        (!reply.is_nobody()).then_some(reply)
    }

    /// Whether this is one of the events that own no memory, and of which there are many.
    #[must_use]
    #[inline]
    pub fn is_plain(&self) -> bool {
        match self {
            Self::OrderPlaced { conditions, .. } => conditions.is_none(),
            Self::OrderRested { .. }
            | Self::Trade(_)
            | Self::OrderCancelled { .. }
            | Self::BalanceChanged { .. }
            | Self::Rejected { .. }
            | Self::OrderReduced { .. }
            | Self::OrderReplaced { .. } => true,
            _ => false,
        }
    }
}
