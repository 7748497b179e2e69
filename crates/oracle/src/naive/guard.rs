//! What guards the door through which value comes and goes: ceilings, policies, and acts that wait for a
//! second operator (14).

use types::{
    Amount, AssetId, Concerns, CreditPolicy, Decision, Event, OperatorName, Proposal, RejectCode,
    ReplyTo, Request, RequestKind, SourceKind, Timestamp, TreasuryAct, TreasuryReference,
};

use super::place::LARGEST_AMOUNT;
use super::treasury::Outcome;
use super::{Asker, Exchange, Place};

const NANOS_PER_MINUTE: u64 = 60_000_000_000;
const NANOS_PER_HOUR: u64 = 60 * NANOS_PER_MINUTE;
const MAX_PROPOSALS: usize = 1_000;

/// What was said of assets and sources, and what waits.
#[derive(Debug, Default)]
pub struct Guard {
    /// Attested reserves, by asset.
    pub ceilings: Vec<(AssetId, u128)>,
    /// Policies, by asset.
    pub policies: Vec<(AssetId, CreditPolicy)>,
    /// Sources that are machines.
    pub machines: Vec<u32>,
    /// Open proposals, by number.
    pub proposals: Vec<Proposal>,
    last: u64,
    /// Credits without approval since their asset has an hourly limit: asset, source, minute, amount.
    recent: Vec<(AssetId, u32, u64, u128)>,
}

impl Guard {
    /// How much of an asset may exist without approval.
    pub fn ceiling(&self, asset: AssetId) -> Option<u128> {
        self.ceilings.iter().find(|row| row.0 == asset).map(|row| row.1)
    }

    /// What an asset asks for.
    pub fn policy(&self, asset: AssetId) -> CreditPolicy {
        self.policies.iter().find(|row| row.0 == asset).map(|row| row.1).unwrap_or_default()
    }

    /// What stands behind a source.
    pub fn kind(&self, source: u32) -> SourceKind {
        if self.machines.contains(&source) { SourceKind::Machine } else { SourceKind::Manual }
    }

    /// When the first proposal expires.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.proposals.iter().map(|proposal| proposal.expires).min()
    }

    fn is_guarded(&self, asset: AssetId) -> bool {
        self.ceiling(asset).is_some() || has_limit(&self.policy(asset))
    }

    fn has_guards(&self) -> bool {
        !self.ceilings.is_empty() || self.policies.iter().any(|row| has_limit(&row.1))
    }

    /// Why a credit needs approval (14.1, 14.2).
    fn about_credit(&self, now: Timestamp, supply: u128, act: &TreasuryAct) -> Concerns {
        let &TreasuryAct::Credit { reference, asset, amount, .. } = act else {
            unreachable!("asked of credits");
        };
        let amount = amount.get();
        let policy = self.policy(asset);
        let above = |limit: Option<Amount>, sum: u128| limit.is_some_and(|most| sum > most.get());
        let minute = now.0 / NANOS_PER_MINUTE;
        let recent = self.recent.iter().filter(|row| (row.0, row.1) == (asset, reference.source));
        let hour: u128 = recent.filter(|row| row.2 + 60 > minute).map(|row| row.3).sum();
        Concerns {
            ceiling: self.ceiling(asset).is_some_and(|most| supply + amount > most),
            large: above(policy.large_credit, amount),
            hourly: above(policy.hourly_credit, hour + amount),
            manual: policy.manual_needs_approval
                && self.kind(reference.source) == SourceKind::Manual,
            loosening: false,
        }
    }

    /// Why an act needs approval (14.1 to 14.3, 14.9).
    fn concerns(&self, now: Timestamp, supply: u128, act: &TreasuryAct) -> Concerns {
        let mut concerns = Concerns::default();
        match *act {
            TreasuryAct::Credit { .. } => return self.about_credit(now, supply, act),
            TreasuryAct::Debit { reference, asset, .. } => {
                concerns.manual = self.policy(asset).manual_needs_approval
                    && self.kind(reference.source) == SourceKind::Manual;
            }
            TreasuryAct::AttestReserves { asset, ceiling, .. } => {
                concerns.loosening = self.ceiling(asset).is_some_and(|now| ceiling.get() > now);
            }
            TreasuryAct::SetCreditPolicy { asset, policy } => {
                concerns.loosening =
                    self.is_guarded(asset) && allows_more(&policy, &self.policy(asset));
            }
            TreasuryAct::SetSourceKind { source, kind } => {
                concerns.loosening = kind == SourceKind::Machine
                    && self.kind(source) == SourceKind::Manual
                    && self.has_guards();
            }
        }
        concerns
    }
}

impl Exchange {
    /// A change of the guard (14.9).
    pub(super) fn govern(&mut self, asker: &Asker, request: &Request) -> Result<(), RejectCode> {
        let (operator, act) = match *request {
            Request::AttestReserves { operator, asset, ceiling, evidence } => {
                (operator, TreasuryAct::AttestReserves { asset, ceiling, evidence })
            }
            Request::SetCreditPolicy { operator, asset, ref policy } => {
                (operator, TreasuryAct::SetCreditPolicy { asset, policy: **policy })
            }
            Request::SetSourceKind { operator, source, kind } => {
                (operator, TreasuryAct::SetSourceKind { source, kind })
            }
            _ => unreachable!("dispatched by kind"),
        };
        if operator.is_none() {
            return Err(RejectCode::OperatorRequired);
        }
        self.do_or_propose(asker, operator, act).map(|_| ())
    }

    /// Does what needs no approval, and proposes all else (14.4).
    pub(super) fn do_or_propose(
        &mut self,
        asker: &Asker,
        operator: OperatorName,
        act: TreasuryAct,
    ) -> Result<Outcome, RejectCode> {
        self.check_act(&act)?;
        let concerns = self.guard.concerns(self.now, self.supply_for(&act), &act);
        if concerns != Concerns::default() {
            return self.propose(asker, operator, act, concerns);
        }
        if let TreasuryAct::Credit { reference, asset, amount, .. } = act
            && self.guard.policy(asset).hourly_credit.is_some()
        {
            let minute = self.now.0 / NANOS_PER_MINUTE;
            self.guard.recent.push((asset, reference.source, minute, amount.get()));
        }
        Ok(self.perform(asker, operator, act))
    }

    /// What nobody may do, approved or not (14.4).
    fn check_act(&self, act: &TreasuryAct) -> Result<(), RejectCode> {
        match *act {
            TreasuryAct::Credit { asset, amount, .. } => {
                self.check_amount(asset, amount)?;
                let fits = self.supply(asset) + amount.get() <= LARGEST_AMOUNT;
                if fits { Ok(()) } else { Err(RejectCode::SupplyExceeded) }
            }
            TreasuryAct::Debit { asset, amount, .. } => self.check_amount(asset, amount),
            TreasuryAct::AttestReserves { asset, ceiling, .. } => {
                self.check_asset(asset)?;
                let fits = ceiling.get() <= LARGEST_AMOUNT;
                if fits { Ok(()) } else { Err(RejectCode::InvalidAmount) }
            }
            TreasuryAct::SetCreditPolicy { asset, policy } => {
                self.check_asset(asset)?;
                let fits = (1..=720).contains(&policy.expiry_hours);
                if fits { Ok(()) } else { Err(RejectCode::InvalidDefinition) }
            }
            TreasuryAct::SetSourceKind { .. } => Ok(()),
        }
    }

    /// What exists of an asset on the exchange.
    pub fn supply(&self, asset: AssetId) -> u128 {
        (-self.funds.of(Place::Outside, asset)).cast_unsigned()
    }

    fn supply_for(&self, act: &TreasuryAct) -> u128 {
        asset_of(act).map_or(0, |asset| self.supply(asset))
    }

    fn propose(
        &mut self,
        asker: &Asker,
        operator: OperatorName,
        act: TreasuryAct,
        concerns: Concerns,
    ) -> Result<Outcome, RejectCode> {
        let from_machine = reference_of(&act)
            .is_some_and(|reference| self.guard.kind(reference.source) == SourceKind::Machine);
        if operator.is_none() && !from_machine {
            return Err(RejectCode::OperatorRequired);
        }
        if self.guard.proposals.len() >= MAX_PROPOSALS {
            return Err(RejectCode::TooManyProposals);
        }
        self.guard.last += 1;
        let number = self.guard.last;
        let hours = asset_of(&act).map_or(24, |asset| self.guard.policy(asset).expiry_hours);
        let expires = Timestamp(self.now.0 + u64::from(hours) * NANOS_PER_HOUR);
        let proposal = Proposal { number, operator, act, concerns, expires };
        self.guard.proposals.push(proposal);
        let (reply, proposal) = (asker.reply, Box::new(proposal));
        self.events.push(Event::ProposalMade { reply, proposal });
        Ok(Outcome::Proposed(number))
    }

    /// Does it. Only a debit can still be refused, by its account's ledger.
    fn perform(&mut self, asker: &Asker, operator: OperatorName, act: TreasuryAct) -> Outcome {
        let reply = asker.reply;
        Outcome::Ended(match act {
            TreasuryAct::Credit { reference, account, asset, amount } => {
                let asker = Asker { request: RequestKind::Credit, account: account.0, ..*asker };
                self.credit(&asker, reference, asset, amount);
                Ok(())
            }
            TreasuryAct::Debit { reference, account, asset, amount } => {
                let asker = Asker { request: RequestKind::Debit, account: account.0, ..*asker };
                let done = self.debit(&asker, reference, asset, amount);
                if let Err(code) = done {
                    self.reject(&asker, code);
                }
                done
            }
            TreasuryAct::AttestReserves { asset, ceiling, evidence } => {
                self.guard.ceilings.retain(|row| row.0 != asset);
                self.guard.ceilings.push((asset, ceiling.get()));
                let attested =
                    Event::ReservesAttested { reply, operator, asset, ceiling, evidence };
                self.events.push(attested);
                Ok(())
            }
            TreasuryAct::SetCreditPolicy { asset, policy } => {
                self.guard.policies.retain(|row| row.0 != asset);
                self.guard.policies.push((asset, policy));
                if policy.hourly_credit.is_none() {
                    self.guard.recent.retain(|row| row.0 != asset);
                }
                let policy = Box::new(policy);
                self.events.push(Event::CreditPolicySet { reply, operator, asset, policy });
                Ok(())
            }
            TreasuryAct::SetSourceKind { source, kind } => {
                self.guard.machines.retain(|machine| *machine != source);
                if kind == SourceKind::Machine {
                    self.guard.machines.push(source);
                }
                self.events.push(Event::SourceKindSet { reply, operator, source, kind });
                Ok(())
            }
        })
    }

    /// Another operator agrees (14.7, 14.8).
    pub(super) fn approve_proposal(
        &mut self,
        asker: &Asker,
        operator: OperatorName,
        number: u64,
    ) -> Result<(), RejectCode> {
        let place = self.open_proposal(operator, number)?;
        let proposal = self.guard.proposals[place];
        if proposal.operator == operator {
            return Err(RejectCode::SameOperator);
        }
        self.check_act(&proposal.act)?;
        let act = proposal.act;
        let now = self.guard.concerns(self.now, self.supply_for(&act), &act);
        if now.ceiling && !proposal.concerns.ceiling {
            return Err(RejectCode::CeilingExceeded);
        }
        if proposal.operator.is_none() {
            self.guard.proposals[place].operator = operator;
            self.decided(asker.reply, number, Decision::Endorsed, operator);
            return Ok(());
        }
        self.guard.proposals.remove(place);
        self.decided(ReplyTo::NOBODY, number, Decision::Approved, operator);
        let outcome = self.perform(asker, proposal.operator, act);
        self.note_outcome(reference_of(&act), outcome);
        Ok(())
    }

    /// An operator ends a proposal undone.
    pub(super) fn reject_proposal(
        &mut self,
        asker: &Asker,
        operator: OperatorName,
        number: u64,
    ) -> Result<(), RejectCode> {
        let place = self.open_proposal(operator, number)?;
        let proposal = self.guard.proposals.remove(place);
        let outcome = Outcome::Ended(Err(RejectCode::NotApproved));
        self.note_outcome(reference_of(&proposal.act), outcome);
        self.decided(asker.reply, number, Decision::Rejected, operator);
        Ok(())
    }

    /// Ends the proposals whose time has come (14.6).
    pub(super) fn expire_proposals(&mut self) {
        let due = |proposal: &&Proposal| proposal.expires <= self.now;
        let mut due: Vec<_> = self.guard.proposals.iter().filter(due).copied().collect();
        due.sort_by_key(|proposal| (proposal.expires, proposal.number));
        for Proposal { number, act, .. } in due {
            self.guard.proposals.retain(|proposal| proposal.number != number);
            let outcome = Outcome::Ended(Err(RejectCode::ApprovalExpired));
            self.note_outcome(reference_of(&act), outcome);
            self.decided(ReplyTo::NOBODY, number, Decision::Expired, OperatorName::NONE);
        }
    }

    /// The place of an open proposal that an operator wants to decide.
    fn open_proposal(&self, operator: OperatorName, number: u64) -> Result<usize, RejectCode> {
        if operator.is_none() {
            return Err(RejectCode::OperatorRequired);
        }
        let found = self.guard.proposals.iter().position(|proposal| proposal.number == number);
        found.ok_or(RejectCode::UnknownProposal)
    }

    fn decided(
        &mut self,
        reply: ReplyTo,
        proposal: u64,
        decision: Decision,
        operator: OperatorName,
    ) {
        self.events.push(Event::ProposalDecided { reply, proposal, decision, operator });
    }
}

fn has_limit(policy: &CreditPolicy) -> bool {
    policy.large_credit.is_some() || policy.hourly_credit.is_some() || policy.manual_needs_approval
}

/// Whether a policy allows more than another in any part (14.9).
fn allows_more(policy: &CreditPolicy, before: &CreditPolicy) -> bool {
    let most = |limit: Option<Amount>| limit.map_or(u128::MAX, |limit| limit.get());
    most(policy.large_credit) > most(before.large_credit)
        || most(policy.hourly_credit) > most(before.hourly_credit)
        || (before.manual_needs_approval && !policy.manual_needs_approval)
        || policy.expiry_hours > before.expiry_hours
}

fn asset_of(act: &TreasuryAct) -> Option<AssetId> {
    match *act {
        TreasuryAct::Credit { asset, .. }
        | TreasuryAct::Debit { asset, .. }
        | TreasuryAct::AttestReserves { asset, .. }
        | TreasuryAct::SetCreditPolicy { asset, .. } => Some(asset),
        TreasuryAct::SetSourceKind { .. } => None,
    }
}

fn reference_of(act: &TreasuryAct) -> Option<TreasuryReference> {
    match *act {
        TreasuryAct::Credit { reference, .. } | TreasuryAct::Debit { reference, .. } => {
            Some(reference)
        }
        _ => None,
    }
}
