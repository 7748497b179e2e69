//! Commands that are not about orders: which answers the rules let each have. Every one of them must be
//! seen, and no other may be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use types::{RejectCode, RequestKind};

use super::Outcome;

/// What was answered, how often.
pub type Answers = BTreeMap<(RequestKind, Outcome), u64>;

/// Every command that is not about orders, and why it may be refused. All can come too late besides.
const REFUSALS: &[(RequestKind, &[RejectCode])] = &[
    (
        RequestKind::Transfer,
        &[
            RejectCode::UnknownAccount,
            RejectCode::ClientIdReused,
            RejectCode::SameAccount,
            RejectCode::AccountFrozen,
            RejectCode::UnknownAsset,
            RejectCode::InvalidAmount,
            RejectCode::InsufficientBalance,
        ],
    ),
    (
        RequestKind::ReserveDebit,
        &[
            RejectCode::UnknownAccount,
            RejectCode::ClientIdReused,
            RejectCode::AccountFrozen,
            RejectCode::UnknownAsset,
            RejectCode::InvalidAmount,
            RejectCode::InsufficientBalance,
        ],
    ),
    (
        RequestKind::SettleDebit,
        &[RejectCode::UnknownPendingDebit, RejectCode::ReferenceUsed, RejectCode::ReferenceGap],
    ),
    (RequestKind::ReleaseDebit, &[RejectCode::UnknownPendingDebit]),
    (
        RequestKind::Credit,
        &[
            RejectCode::UnknownAsset,
            RejectCode::InvalidAmount,
            RejectCode::SupplyExceeded,
            RejectCode::ReferenceUsed,
            RejectCode::ReferenceGap,
            RejectCode::OperatorRequired,
            RejectCode::TooManyProposals,
        ],
    ),
    (
        RequestKind::Debit,
        &[
            RejectCode::UnknownAsset,
            RejectCode::InvalidAmount,
            RejectCode::UnknownAccount,
            RejectCode::AccountFrozen,
            RejectCode::InsufficientBalance,
            RejectCode::ReferenceUsed,
            RejectCode::ReferenceGap,
            RejectCode::OperatorRequired,
            RejectCode::TooManyProposals,
        ],
    ),
    (
        RequestKind::CreateAccount,
        &[RejectCode::TooManyAccounts, RejectCode::UnknownFeeTier, RejectCode::AccountExists],
    ),
    (RequestKind::FreezeAccount, &[RejectCode::UnknownAccount]),
    (RequestKind::SetAccountFeeTier, &[RejectCode::UnknownFeeTier, RejectCode::UnknownAccount]),
    (RequestKind::DefineAsset, &[RejectCode::AlreadyDefined, RejectCode::InvalidDefinition]),
    (
        RequestKind::ListMarket,
        &[RejectCode::AlreadyDefined, RejectCode::UnknownAsset, RejectCode::InvalidDefinition],
    ),
    (RequestKind::SetFeeTier, &[RejectCode::InvalidDefinition]),
    (
        RequestKind::SetMarketState,
        &[RejectCode::UnknownMarket, RejectCode::WrongState, RejectCode::MarketDelisted],
    ),
    (
        RequestKind::SetMarketRules,
        &[RejectCode::UnknownMarket, RejectCode::InvalidDefinition, RejectCode::MarketDelisted],
    ),
    (
        RequestKind::PlanMarketState,
        &[RejectCode::UnknownMarket, RejectCode::PlanRefused, RejectCode::MarketDelisted],
    ),
    (
        RequestKind::SetCountdown,
        &[RejectCode::UnknownAccount, RejectCode::UnknownMarket, RejectCode::MarketDelisted],
    ),
    (RequestKind::ReleaseQuarantine, &[RejectCode::NotQuarantined]),
    (
        RequestKind::SetFeeSchedule,
        &[RejectCode::UnknownFeeTier, RejectCode::UnknownAsset, RejectCode::InvalidDefinition],
    ),
    (
        RequestKind::SetMarketFees,
        &[
            RejectCode::UnknownMarket,
            RejectCode::UnknownFeeTier,
            RejectCode::InvalidDefinition,
            RejectCode::MarketDelisted,
        ],
    ),
    (
        RequestKind::AttestReserves,
        &[
            RejectCode::OperatorRequired,
            RejectCode::UnknownAsset,
            RejectCode::InvalidAmount,
            RejectCode::TooManyProposals,
        ],
    ),
    (
        RequestKind::SetCreditPolicy,
        &[
            RejectCode::OperatorRequired,
            RejectCode::UnknownAsset,
            RejectCode::InvalidDefinition,
            RejectCode::TooManyProposals,
        ],
    ),
    (RequestKind::SetSourceKind, &[RejectCode::OperatorRequired, RejectCode::TooManyProposals]),
    (
        RequestKind::ApproveProposal,
        &[
            RejectCode::OperatorRequired,
            RejectCode::UnknownProposal,
            RejectCode::SameOperator,
            RejectCode::CeilingExceeded,
            RejectCode::SupplyExceeded,
            RejectCode::UnknownAccount,
            RejectCode::AccountFrozen,
            RejectCode::InsufficientBalance,
        ],
    ),
    (RequestKind::RejectProposal, &[RejectCode::OperatorRequired, RejectCode::UnknownProposal]),
    (
        RequestKind::PlanRedefinition,
        &[
            RejectCode::UnknownMarket,
            RejectCode::MarketDelisted,
            RejectCode::PlanRefused,
            RejectCode::InvalidDefinition,
        ],
    ),
    (
        RequestKind::PlanDelisting,
        &[RejectCode::UnknownMarket, RejectCode::MarketDelisted, RejectCode::PlanRefused],
    ),
];

/// Every answer that must be seen.
fn possible() -> impl Iterator<Item = (RequestKind, Outcome)> {
    REFUSALS.iter().flat_map(|&(kind, codes)| {
        let refused =
            codes.iter().chain(&[RejectCode::Expired]).map(|&code| Outcome::Rejected(code));
        // Nothing fails here, so that nothing is released: section 13 is the simulator's.
        let accepted = (kind != RequestKind::ReleaseQuarantine).then_some(Outcome::Accepted);
        let repeated = is_repeated(kind).then_some(Outcome::Repeated);
        refused.chain(accepted).chain(repeated).map(move |outcome| (kind, outcome))
    })
}

/// Whether a command has a name or number under which it may come again.
fn is_repeated(kind: RequestKind) -> bool {
    matches!(
        kind,
        RequestKind::Transfer
            | RequestKind::ReserveDebit
            | RequestKind::SettleDebit
            | RequestKind::Credit
            | RequestKind::Debit
    )
}

/// Answers that were never seen.
pub fn missing(answers: &Answers) -> Vec<(RequestKind, Outcome)> {
    possible().filter(|answer| !answers.contains_key(answer)).collect()
}

/// Answers that were seen, and that no rule names.
pub fn impossible(answers: &Answers) -> Vec<(RequestKind, Outcome)> {
    let named = |answer: &&(RequestKind, Outcome)| possible().any(|other| other == **answer);
    answers.keys().filter(|answer| !named(answer)).copied().collect()
}

/// A line per command and answer.
pub fn table(answers: &Answers) -> String {
    let mut text = String::new();
    for ((kind, outcome), count) in answers {
        let _ = write!(text, "\n{:<21} {:<23} {count:>11}", kind.name(), outcome.name());
    }
    text
}
