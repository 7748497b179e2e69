//! What operators see of the guard of the treasury.

use serde::Serialize;
use types::{AssetDef, CreditPolicy, Decimal, OperatorName, TreasuryAct};
use utoipa::ToSchema;
use views::{GuardView, ProposalView, Views};

use super::{Watermark, millis};
use crate::wire::word::SourceKind;

/// Answer to what may need a second operator.
#[derive(Serialize, ToSchema)]
pub(crate) struct DoneOrProposed {
    /// `done` or `awaiting_approval`.
    pub(crate) status: &'static str,
    /// The proposal that waits.
    pub(crate) proposal: Option<u64>,
    /// When.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to an approval or a rejection.
#[derive(Serialize, ToSchema)]
pub(crate) struct DecidedProposal {
    /// Its number.
    pub(crate) proposal: u64,
    /// `approved`, `endorsed` (a machine asked: another operator must approve) or `rejected`.
    pub(crate) status: &'static str,
    /// When.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// What guards the assets.
#[derive(Serialize, ToSchema)]
pub(crate) struct TreasuryState {
    /// All assets.
    pub(crate) assets: Vec<Guard>,
    /// Sources whose kind was set; all others are manual.
    pub(crate) sources: Vec<Source>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// What guards an asset.
#[derive(Serialize, ToSchema)]
pub(crate) struct Guard {
    /// Ticker of the asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// What came in less what left: what the exchange owes.
    pub(crate) supply: String,
    /// The attested reserves; none if there are none.
    pub(crate) reserves: Option<Reserves>,
    /// What needs approval besides.
    pub(crate) policy: Policy,
}

/// Attested reserves.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reserves {
    /// How much may exist without approval.
    pub(crate) ceiling: String,
    /// Hash of the document that shows it.
    pub(crate) evidence: String,
    /// Who attested.
    pub(crate) operator: String,
    /// Since when.
    pub(crate) time: u64,
}

/// What needs approval.
#[derive(Serialize, ToSchema)]
pub(crate) struct Policy {
    /// A credit above this.
    pub(crate) large_credit: Option<String>,
    /// The credit that would lift the sum of a source's credits of an hour above this.
    pub(crate) hourly_credit: Option<String>,
    /// Every credit and debit of a manual source.
    pub(crate) manual_needs_approval: bool,
    /// How long a proposal waits.
    pub(crate) expiry_hours: u16,
}

/// A source of credits and debits.
#[derive(Serialize, ToSchema)]
pub(crate) struct Source {
    /// Its number.
    pub(crate) source: u32,
    /// What it is.
    pub(crate) kind: SourceKind,
}

/// What waits for approval.
#[derive(Serialize, ToSchema)]
pub(crate) struct Proposals {
    /// By number.
    pub(crate) proposals: Vec<Proposal>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// An act that waits for approval. Fields that it does not have are null.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Proposal {
    /// Its number.
    pub(crate) proposal: u64,
    /// `credit`, `debit`, `attest_reserves`, `set_credit_policy` or `set_source_kind`.
    pub(crate) act: &'static str,
    /// Why it waits: `ceiling`, `large_credit`, `hourly_credit`, `manual`, `loosening`.
    pub(crate) concerns: Vec<&'static str>,
    /// The operator who asked; none if only a machine did.
    pub(crate) proposed_by: Option<String>,
    /// The operator who endorsed it, where a machine asked.
    pub(crate) endorsed_by: Option<String>,
    /// When it was made.
    pub(crate) proposed_at: u64,
    /// When it ends undone.
    pub(crate) expires_at: u64,
    /// The reference in the log, `source:number`.
    pub(crate) reference: Option<String>,
    /// What the operator called it: the `reference` of the credit or debit that was asked of this exchange's
    /// own desk.
    pub(crate) desk_reference: Option<String>,
    /// Whose.
    pub(crate) account: Option<u32>,
    /// Ticker of the asset.
    pub(crate) asset: Option<String>,
    /// How much; the ceiling of an attestation.
    pub(crate) amount: Option<String>,
    /// Hash of an attestation's document.
    pub(crate) evidence: Option<String>,
    /// The policy that is to be set.
    pub(crate) policy: Option<Policy>,
    /// The source that is to be of another kind.
    pub(crate) source: Option<Source>,
}

impl Guard {
    pub(crate) fn new(asset: &AssetDef, guard: &GuardView) -> Self {
        let unit = Decimal::atom(asset.scale);
        Self {
            asset: asset.symbol.clone(),
            // Between two partitions' events a debit may be seen before its credit.
            supply: unit.format(guard.supply.max(0) as u128),
            reserves: guard.attested.map(|attested| Reserves {
                ceiling: unit.format(attested.ceiling.get()),
                evidence: hex::encode(attested.evidence),
                operator: attested.operator.to_string(),
                time: millis(attested.at),
            }),
            policy: Policy::new(Some(asset), &guard.policy),
        }
    }
}

impl Policy {
    fn new(asset: Option<&AssetDef>, policy: &CreditPolicy) -> Self {
        let amount = |amount| text(asset, amount);
        Self {
            large_credit: policy.large_credit.map(amount),
            hourly_credit: policy.hourly_credit.map(amount),
            manual_needs_approval: policy.manual_needs_approval,
            expiry_hours: policy.expiry_hours,
        }
    }
}

impl Proposal {
    pub(crate) fn new(views: &Views, view: &ProposalView, desk_reference: Option<String>) -> Self {
        let types::Proposal { number, operator, act, concerns, expires } = view.proposal;
        let def = act.asset().and_then(|asset| views.asset(asset));
        let def = def.as_deref();
        let base = Self {
            proposal: number,
            act: act.word(),
            concerns: concerns.words().collect(),
            proposed_by: name(operator),
            endorsed_by: name(view.endorsed_by),
            proposed_at: millis(view.proposed_at),
            expires_at: millis(expires),
            asset: def.map(|asset| asset.symbol.clone()),
            desk_reference,
            ..Self::default()
        };
        match act {
            TreasuryAct::Credit { reference, account, amount, .. }
            | TreasuryAct::Debit { reference, account, amount, .. } => Self {
                reference: Some(format!("{}:{}", reference.source, reference.number)),
                account: Some(account.0),
                amount: Some(text(def, amount)),
                ..base
            },
            TreasuryAct::AttestReserves { ceiling, evidence, .. } => Self {
                amount: Some(text(def, ceiling)),
                evidence: Some(hex::encode(evidence)),
                ..base
            },
            TreasuryAct::SetCreditPolicy { policy, .. } => {
                Self { policy: Some(Policy::new(def, &policy)), ..base }
            }
            TreasuryAct::SetSourceKind { source, kind } => {
                Self { source: Some(Source { source, kind: kind.into() }), ..base }
            }
        }
    }
}

fn text(asset: Option<&AssetDef>, amount: types::Amount) -> String {
    asset.map_or_else(|| amount.to_string(), |def| Decimal::atom(def.scale).format(amount.get()))
}

fn name(operator: OperatorName) -> Option<String> {
    (!operator.is_none()).then(|| operator.to_string())
}
