//! What operators see of the treasury: ceilings, policies, sources, and what waits for approval.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    Amount, AssetId, CreditPolicy, Decision, Event, OperatorName, Proposal, SourceKind, Timestamp,
};

/// What guards an asset. The default: nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GuardView {
    /// The last attestation.
    pub attested: Option<Attestation>,
    /// What needs approval besides.
    pub policy: CreditPolicy,
    /// What came in less what left: what the exchange owes.
    pub supply: i128,
}

/// Reserves, as an operator attested them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Attestation {
    /// How much.
    pub ceiling: Amount,
    /// Hash of the document that shows it.
    pub evidence: [u8; 32],
    /// Who said so.
    pub operator: OperatorName,
    /// When it took effect.
    pub at: Timestamp,
}

/// A proposal with the time at which it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ProposalView {
    /// The proposal as it was made.
    pub proposal: Proposal,
    /// Who endorsed it, where a machine asked; or none yet.
    pub endorsed_by: OperatorName,
    /// When it was made.
    pub proposed_at: Timestamp,
}

#[derive(Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Treasury {
    /// Source → its last number that became value or a proposal.
    last_references: BTreeMap<u32, u64>,
    guards: BTreeMap<AssetId, GuardView>,
    source_kinds: BTreeMap<u32, SourceKind>,
    open: BTreeMap<u64, ProposalView>,
}

impl Treasury {
    /// Whether an event changes this: few do.
    pub fn concerns(event: &Event) -> bool {
        matches!(
            event,
            Event::Credited { .. }
                | Event::Debited { .. }
                | Event::ProposalMade { .. }
                | Event::ProposalDecided { .. }
                | Event::ReservesAttested { .. }
                | Event::CreditPolicySet { .. }
                | Event::SourceKindSet { .. }
        )
    }

    pub fn apply(&mut self, event: &Event, at: Timestamp) {
        match *event {
            Event::Credited { reference, asset, amount, .. } => {
                self.count(reference);
                self.guard(asset).supply += amount.get() as i128;
            }
            Event::Debited { reference, asset, amount, .. } => {
                self.count(reference);
                self.guard(asset).supply -= amount.get() as i128;
            }
            Event::ProposalMade { ref proposal, .. } => {
                if let Some(reference) = proposal.act.reference() {
                    self.count(reference);
                }
                let endorsed_by = OperatorName::NONE;
                let view = ProposalView { proposal: **proposal, endorsed_by, proposed_at: at };
                self.open.insert(proposal.number, view);
            }
            Event::ProposalDecided { proposal, decision, operator, .. } => {
                if decision != Decision::Endorsed {
                    self.open.remove(&proposal);
                } else if let Some(view) = self.open.get_mut(&proposal) {
                    view.endorsed_by = operator;
                }
            }
            Event::ReservesAttested { operator, asset, ceiling, evidence, .. } => {
                let attestation = Attestation { ceiling, evidence, operator, at };
                self.guard(asset).attested = Some(attestation);
            }
            Event::CreditPolicySet { asset, ref policy, .. } => self.guard(asset).policy = **policy,
            Event::SourceKindSet { source, kind, .. } => {
                self.source_kinds.insert(source, kind);
            }
            _ => {}
        }
    }

    pub fn last_reference(&self, source: u32) -> u64 {
        self.last_references.get(&source).copied().unwrap_or_default()
    }

    pub fn guard_of(&self, asset: AssetId) -> GuardView {
        self.guards.get(&asset).copied().unwrap_or_default()
    }

    pub fn source_kinds(&self) -> Vec<(u32, SourceKind)> {
        self.source_kinds.iter().map(|(&source, &kind)| (source, kind)).collect()
    }

    pub fn open(&self) -> Vec<ProposalView> {
        self.open.values().copied().collect()
    }

    pub fn proposal(&self, number: u64) -> Option<ProposalView> {
        self.open.get(&number).copied()
    }

    fn count(&mut self, reference: types::TreasuryReference) {
        let last = self.last_references.entry(reference.source).or_default();
        *last = reference.number.max(*last);
    }

    fn guard(&mut self, asset: AssetId) -> &mut GuardView {
        self.guards.entry(asset).or_default()
    }
}
