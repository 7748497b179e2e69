//! Acts that wait for a second operator.
//!
//! A proposal holds nothing: no funds, no room below a ceiling. All checks are made anew when it is
//! approved, and what was not among its concerns then is not approved by it: a credit that was
//! proposed as a large one cannot lift the supply above a ceiling that it did not reach before.

use types::{
    Amount, Concerns, Decision, Effects, Event, OperatorName, Proposal, RejectCode, ReplyTo,
    SourceKind, Timestamp, TreasuryAct,
};

use crate::ledger::Context;
use crate::treasury::{Asked, Outcome, Treasury};

/// Open proposals at most.
const MAX_PROPOSALS: usize = 1_000;
/// How long a proposal waits that is about no asset.
const DEFAULT_EXPIRY_HOURS: u16 = 24;
const NANOS_PER_HOUR: u64 = 3_600_000_000_000;

impl Treasury {
    /// Open proposals, by number.
    pub fn proposals(&self) -> impl Iterator<Item = &Proposal> {
        self.proposals.values()
    }

    /// When the first open proposal expires.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.proposals.values().map(|proposal| proposal.expires).min()
    }

    /// Ends the proposal whose time came first, if one's has. False if none's has.
    pub fn fire_timer(&mut self, now: Timestamp, fx: &mut Effects) -> bool {
        let due = self.proposals.values().filter(|proposal| proposal.expires <= now);
        let Some(first) = due.min_by_key(|proposal| (proposal.expires, proposal.number)) else {
            return false;
        };
        let number = first.number;
        let asked = ReplyTo::NOBODY;
        self.end(asked, number, Decision::Expired, OperatorName::NONE, fx);
        true
    }

    pub(crate) fn propose(
        &mut self,
        now: Timestamp,
        reply: ReplyTo,
        operator: OperatorName,
        act: TreasuryAct,
        concerns: Concerns,
        fx: &mut Effects,
    ) -> Result<Outcome, RejectCode> {
        let from_machine = act
            .reference()
            .is_some_and(|reference| self.source_kind(reference.source) == SourceKind::Machine);
        if operator.is_none() && !from_machine {
            return Err(RejectCode::OperatorRequired);
        }
        if self.proposals.len() >= MAX_PROPOSALS {
            return Err(RejectCode::TooManyProposals);
        }

        // From here on nothing can fail.
        self.last_proposal += 1;
        let number = self.last_proposal;
        let hours =
            act.asset().map_or(DEFAULT_EXPIRY_HOURS, |a| self.credit_policy(a).expiry_hours);
        let expires = now.saturating_add_nanos(u64::from(hours) * NANOS_PER_HOUR);
        let proposal = Proposal { number, operator, act, concerns, expires };
        self.proposals.insert(number, proposal);
        fx.emit(Event::ProposalMade { reply, proposal: Box::new(proposal) });
        Ok(Outcome::Proposed(number))
    }

    /// Two operators have agreed: it happens, unless a check fails now; then it stays open. Where a
    /// machine asked, the first to agree is the first of the two.
    pub(crate) fn approve(
        &mut self,
        ctx: &Context<'_>,
        asked: Asked,
        operator: OperatorName,
        number: u64,
        fx: &mut Effects,
    ) {
        let proposal = match self.approvable(ctx, operator, number) {
            Ok(proposal) => proposal,
            Err(code) => return asked.reject(code, fx),
        };
        let decided = |reply, decision| Event::ProposalDecided {
            reply,
            proposal: number,
            decision,
            operator,
        };
        if proposal.operator.is_none() {
            self.proposals.insert(number, Proposal { operator, ..proposal });
            return fx.emit(decided(asked.reply, Decision::Endorsed));
        }

        self.proposals.remove(&number);
        fx.emit(decided(ReplyTo::NOBODY, Decision::Approved));
        let outcome = self.execute(asked.reply, proposal.operator, proposal.act, fx);
        if let TreasuryAct::Credit { asset, .. } = proposal.act {
            self.tolerate_supply(asset);
        }
        if let Some(reference) = proposal.act.reference() {
            self.note(reference, outcome);
        }
    }

    /// An operator, also the one who asked, ends a proposal undone.
    pub(crate) fn reject(
        &mut self,
        asked: Asked,
        operator: OperatorName,
        number: u64,
        fx: &mut Effects,
    ) {
        if operator.is_none() {
            asked.reject(RejectCode::OperatorRequired, fx);
        } else if !self.proposals.contains_key(&number) {
            asked.reject(RejectCode::UnknownProposal, fx);
        } else {
            self.end(asked.reply, number, Decision::Rejected, operator, fx);
        }
    }

    /// The proposal, if this operator's agreement counts and nothing has come between.
    fn approvable(
        &self,
        ctx: &Context<'_>,
        operator: OperatorName,
        number: u64,
    ) -> Result<Proposal, RejectCode> {
        if operator.is_none() {
            return Err(RejectCode::OperatorRequired);
        }
        let proposal = *self.proposals.get(&number).ok_or(RejectCode::UnknownProposal)?;
        if proposal.operator == operator {
            return Err(RejectCode::SameOperator);
        }
        self.check(ctx, &proposal.act)?;
        let is_above_now = self.concerns(ctx.now, &proposal.act).ceiling;
        if is_above_now && !proposal.concerns.ceiling {
            return Err(RejectCode::CeilingExceeded);
        }
        Ok(proposal)
    }

    fn end(
        &mut self,
        reply: ReplyTo,
        number: u64,
        decision: Decision,
        operator: OperatorName,
        fx: &mut Effects,
    ) {
        let proposal = self.proposals.remove(&number).expect("it is open");
        let code = match decision {
            Decision::Expired => RejectCode::ApprovalExpired,
            _ => RejectCode::NotApproved,
        };
        if let Some(reference) = proposal.act.reference() {
            self.note(reference, Outcome::Ended(Err(code)));
        }
        fx.emit(Event::ProposalDecided { reply, proposal: number, decision, operator });
    }

    fn tolerate_supply(&mut self, asset: types::AssetId) {
        let supply: Amount = self.supply(asset);
        if let Some(guard) = self.guards.get_mut(&asset) {
            guard.tolerate(supply);
        }
    }
}
