//! The treasury: the one door through which value enters and leaves.
//!
//! It owns the references of every source, the supply of every asset, and what guards both: ceilings,
//! policies, and proposals that wait for a second operator (`proposals.rs`). A reference is used up by
//! its first command, whatever became of it; only the number itself being wrong, or no room for a
//! proposal, leaves it unused. The outcome of a source's last number is kept, so that a source that
//! lost the answer asks again with the same command before it goes on.
//!
//! Invariants: the supply of an asset stands above its ceiling only as far as two operators agreed or
//! as it stood when the ceiling came; nobody's single command lifts a ceiling or loosens a policy in force.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Amount, AssetId, ClientOrderId, Concerns, CreditPolicy, Effects, Event, MAX_SUPPLY,
    MarketId, Message, OperatorName, OrderId, Proposal, RejectCode, ReplyTo, Request, RequestKind,
    SourceKind, Timestamp, TreasuryAct, TreasuryReference,
};

use crate::definitions::slot_at;
use crate::guard::Guard;
use crate::ledger::Context;

/// References by source, supply and guards by asset, open proposals.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Treasury {
    sources: BTreeMap<u32, Source>,
    /// Atoms on the exchange: deposits less withdrawals.
    supply: Vec<Amount>,
    /// Of assets that were ever given a ceiling or a policy.
    pub(crate) guards: BTreeMap<AssetId, Guard>,
    /// By number.
    pub(crate) proposals: BTreeMap<u64, Proposal>,
    pub(crate) last_proposal: u64,
}

#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
struct Source {
    kind: SourceKind,
    last: u64,
    /// Of the last number.
    outcome: Outcome,
}

/// What became of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Outcome {
    /// A ledger has not answered yet.
    #[default]
    InFlight,
    /// It is done, or refused for good.
    Ended(Result<(), RejectCode>),
    /// The proposal with this number.
    Proposed(u64),
}

/// A command that is to be answered.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub reply: ReplyTo,
    pub request: RequestKind,
    pub account: AccountId,
}

impl Treasury {
    /// Handles the requests that only the treasury decides.
    ///
    /// # Panics
    /// On any other request: the engine routes.
    pub fn request(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        request: &Request,
        fx: &mut Effects,
    ) {
        let asked = Asked { reply, request: request.kind(), account: AccountId(0) };
        match *request {
            Request::Credit { reference, operator, account, asset, amount } => {
                let act = TreasuryAct::Credit { reference, account, asset, amount };
                self.move_value(ctx, Asked { account, ..asked }, operator, act, fx);
            }
            Request::Debit { reference, operator, account, asset, amount } => {
                let act = TreasuryAct::Debit { reference, account, asset, amount };
                self.move_value(ctx, Asked { account, ..asked }, operator, act, fx);
            }
            Request::SettleDebit { reference, account, client_id } => {
                if self.is_new(Asked { account, ..asked }, reference, fx) {
                    fx.send(Message::SettleDebit { reply, reference, account, client_id });
                    self.use_up(reference, Outcome::InFlight);
                }
            }
            Request::AttestReserves { operator, asset, ceiling, evidence } => {
                let act = TreasuryAct::AttestReserves { asset, ceiling, evidence };
                self.govern(ctx, asked, operator, act, fx);
            }
            Request::SetCreditPolicy { operator, asset, ref policy } => {
                let act = TreasuryAct::SetCreditPolicy { asset, policy: **policy };
                self.govern(ctx, asked, operator, act, fx);
            }
            Request::SetSourceKind { operator, source, kind } => {
                let act = TreasuryAct::SetSourceKind { source, kind };
                self.govern(ctx, asked, operator, act, fx);
            }
            Request::ApproveProposal { operator, proposal } => {
                self.approve(ctx, asked, operator, proposal, fx);
            }
            Request::RejectProposal { operator, proposal } => {
                self.reject(asked, operator, proposal, fx);
            }
            _ => unreachable!("not for the treasury: {request:?}"),
        }
    }

    /// A ledger has answered a debit.
    pub fn debited(
        &mut self,
        reference: TreasuryReference,
        asset: AssetId,
        amount: Amount,
        outcome: Result<(), RejectCode>,
    ) {
        if !amount.is_zero() {
            let supply = &mut self.supply[asset.0 as usize];
            *supply -= amount;
            if let Some(guard) = self.guards.get_mut(&asset) {
                guard.supply_fell(*supply);
            }
        }
        self.note(reference, Outcome::Ended(outcome));
    }

    /// Atoms of `asset` on the exchange: deposits less withdrawals.
    #[must_use]
    pub fn supply(&self, asset: AssetId) -> Amount {
        self.supply.get(asset.0 as usize).copied().unwrap_or_default()
    }

    /// The last number of a source, zero if it has none.
    #[must_use]
    pub fn last_number(&self, source: u32) -> u64 {
        self.sources.get(&source).map_or(0, |source| source.last)
    }

    /// Who stands behind a source.
    #[must_use]
    pub fn source_kind(&self, source: u32) -> SourceKind {
        self.sources.get(&source).map_or(SourceKind::default(), |source| source.kind)
    }

    /// How much of an asset may exist without approval, if anything was attested.
    #[must_use]
    pub fn ceiling(&self, asset: AssetId) -> Option<Amount> {
        self.guards.get(&asset)?.ceiling()
    }

    /// What needs approval with an asset, besides its ceiling.
    #[must_use]
    pub fn credit_policy(&self, asset: AssetId) -> CreditPolicy {
        self.guards.get(&asset).map(|guard| *guard.policy()).unwrap_or_default()
    }

    /// Assets whose supply stands higher than ceiling and approvals let it: none, ever.
    pub fn above_ceiling(&self) -> impl Iterator<Item = AssetId> {
        let above = |&(&asset, guard): &(&AssetId, &Guard)| !guard.allows(self.supply(asset));
        self.guards.iter().filter(above).map(|(&asset, _)| asset)
    }

    /// A credit or a debit: done, proposed or refused, and its number used up.
    fn move_value(
        &mut self,
        ctx: &Context<'_>,
        asked: Asked,
        operator: OperatorName,
        act: TreasuryAct,
        fx: &mut Effects,
    ) {
        let reference = act.reference().expect("it moves value");
        if !self.is_new(asked, reference, fx) {
            return;
        }
        let outcome = match self.decide(ctx, asked.reply, operator, act, fx) {
            Ok(outcome) => outcome,
            Err(code) => {
                asked.reject(code, fx);
                if code == RejectCode::TooManyProposals {
                    return;
                }
                Outcome::Ended(Err(code))
            }
        };
        self.use_up(reference, outcome);
    }

    /// A change of what guards the door: done if it only tightens, else proposed.
    fn govern(
        &mut self,
        ctx: &Context<'_>,
        asked: Asked,
        operator: OperatorName,
        act: TreasuryAct,
        fx: &mut Effects,
    ) {
        let decided = if operator.is_none() {
            Err(RejectCode::OperatorRequired)
        } else {
            self.decide(ctx, asked.reply, operator, act, fx)
        };
        if let Err(code) = decided {
            asked.reject(code, fx);
        }
    }

    /// Does what nothing speaks against, or proposes it.
    fn decide(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        operator: OperatorName,
        act: TreasuryAct,
        fx: &mut Effects,
    ) -> Result<Outcome, RejectCode> {
        self.check(ctx, &act)?;
        let concerns = self.concerns(ctx.now, &act);
        if !concerns.is_none() {
            return self.propose(ctx.now, reply, operator, act, concerns, fx);
        }
        if let TreasuryAct::Credit { reference, asset, amount, .. } = act
            && let Some(guard) = self.guards.get_mut(&asset)
        {
            guard.count(reference.source, amount, ctx.now);
        }
        Ok(self.execute(reply, operator, act, fx))
    }

    /// What nobody may do, approved or not.
    pub(crate) fn check(&self, ctx: &Context<'_>, act: &TreasuryAct) -> Result<(), RejectCode> {
        if let Some(asset) = act.asset() {
            ctx.definitions.asset(asset).ok_or(RejectCode::UnknownAsset)?;
        }
        match *act {
            TreasuryAct::Credit { asset, amount, .. } => {
                check_amount(amount)?;
                let fits = self.supply(asset) + amount <= MAX_SUPPLY;
                if fits { Ok(()) } else { Err(RejectCode::SupplyExceeded) }
            }
            TreasuryAct::Debit { amount, .. } => check_amount(amount),
            TreasuryAct::AttestReserves { ceiling, .. } => {
                let valid = ceiling <= MAX_SUPPLY;
                if valid { Ok(()) } else { Err(RejectCode::InvalidAmount) }
            }
            TreasuryAct::SetCreditPolicy { policy, .. } => {
                if policy.is_valid() {
                    Ok(())
                } else {
                    Err(RejectCode::InvalidDefinition)
                }
            }
            TreasuryAct::SetSourceKind { .. } => Ok(()),
        }
    }

    /// Which rules ask for a second operator.
    pub(crate) fn concerns(&self, now: Timestamp, act: &TreasuryAct) -> Concerns {
        let none = Concerns::default();
        if let TreasuryAct::SetSourceKind { source, kind } = *act {
            let becomes_machine =
                kind == SourceKind::Machine && self.source_kind(source) == SourceKind::Manual;
            let in_force = self.guards.values().any(Guard::is_in_force);
            return Concerns { loosening: becomes_machine && in_force, ..none };
        }
        let asset = act.asset().expect("all others have one");
        let Some(guard) = self.guards.get(&asset) else { return none };
        match *act {
            TreasuryAct::Credit { reference, amount, .. } => Concerns {
                ceiling: guard.is_above_ceiling(self.supply(asset) + amount),
                large: guard.is_large(amount),
                hourly: guard.exceeds_hour(reference.source, amount, now),
                manual: self.is_manual(guard, reference),
                ..none
            },
            TreasuryAct::Debit { reference, .. } => {
                Concerns { manual: self.is_manual(guard, reference), ..none }
            }
            TreasuryAct::AttestReserves { ceiling, .. } => {
                Concerns { loosening: guard.ceiling().is_some_and(|now| ceiling > now), ..none }
            }
            TreasuryAct::SetCreditPolicy { policy, .. } => {
                let loosening = guard.is_in_force() && policy.loosens(guard.policy());
                Concerns { loosening, ..none }
            }
            TreasuryAct::SetSourceKind { .. } => unreachable!("handled above"),
        }
    }

    fn is_manual(&self, guard: &Guard, reference: TreasuryReference) -> bool {
        let manual = self.source_kind(reference.source) == SourceKind::Manual;
        manual && guard.policy().manual_needs_approval
    }

    /// Does it, whatever asks for approval. From here on only a ledger can refuse, and only a debit.
    pub(crate) fn execute(
        &mut self,
        reply: ReplyTo,
        operator: OperatorName,
        act: TreasuryAct,
        fx: &mut Effects,
    ) -> Outcome {
        let done = Outcome::Ended(Ok(()));
        match act {
            TreasuryAct::Credit { reference, account, asset, amount } => {
                *slot_at(&mut self.supply, asset.0 as usize) += amount;
                fx.send(Message::Credit { reply, reference, account, asset, amount });
                done
            }
            TreasuryAct::Debit { reference, account, asset, amount } => {
                fx.send(Message::Debit { reply, reference, account, asset, amount });
                Outcome::InFlight
            }
            TreasuryAct::AttestReserves { asset, ceiling, evidence } => {
                let supply = self.supply(asset);
                self.guards.entry(asset).or_default().set_ceiling(ceiling, supply);
                fx.emit(Event::ReservesAttested { reply, operator, asset, ceiling, evidence });
                done
            }
            TreasuryAct::SetCreditPolicy { asset, policy } => {
                self.guards.entry(asset).or_default().set_policy(policy);
                let policy = Box::new(policy);
                fx.emit(Event::CreditPolicySet { reply, operator, asset, policy });
                done
            }
            TreasuryAct::SetSourceKind { source, kind } => {
                self.sources.entry(source).or_default().kind = kind;
                fx.emit(Event::SourceKindSet { reply, operator, source, kind });
                done
            }
        }
    }

    /// Whether a reference is its source's next one; if not, it is answered.
    fn is_new(&self, asked: Asked, reference: TreasuryReference, fx: &mut Effects) -> bool {
        let source = self.sources.get(&reference.source);
        let last = source.map_or(0, |source| source.last);
        if reference.number == last.saturating_add(1) {
            return true;
        }
        match source.map(|source| source.outcome) {
            _ if reference.number > last => asked.reject(RejectCode::ReferenceGap, fx),
            _ if reference.number < last || reference.number == 0 => {
                asked.reject(RejectCode::ReferenceUsed, fx);
            }
            Some(Outcome::Ended(outcome)) => asked.repeat(outcome, fx),
            Some(Outcome::Proposed(proposal)) => {
                let Asked { reply, account, .. } = asked;
                fx.emit(Event::ApprovalAwaited { reply, account, proposal });
            }
            Some(Outcome::InFlight) | None => asked.reject(RejectCode::ClientIdInFlight, fx),
        }
        false
    }

    fn use_up(&mut self, reference: TreasuryReference, outcome: Outcome) {
        let source = self.sources.entry(reference.source).or_default();
        (source.last, source.outcome) = (reference.number, outcome);
    }

    /// Remembers what became of a number, if it is still its source's last.
    pub(crate) fn note(&mut self, reference: TreasuryReference, outcome: Outcome) {
        let source = self.sources.entry(reference.source).or_default();
        if source.last == reference.number {
            source.outcome = outcome;
        }
    }
}

fn check_amount(amount: Amount) -> Result<(), RejectCode> {
    let valid = !amount.is_zero() && amount <= MAX_SUPPLY;
    if valid { Ok(()) } else { Err(RejectCode::InvalidAmount) }
}

impl Asked {
    pub fn reject(&self, code: RejectCode, fx: &mut Effects) {
        fx.emit(Event::Rejected {
            reply: self.reply,
            request: self.request,
            account: self.account,
            market: MarketId(0),
            client_order_id: ClientOrderId::NONE,
            code,
        });
    }

    fn repeat(&self, outcome: Result<(), RejectCode>, fx: &mut Effects) {
        fx.emit(Event::Repeated {
            reply: self.reply,
            request: self.request,
            account: self.account,
            market: MarketId(0),
            client_order_id: ClientOrderId::NONE,
            outcome: outcome.map(|()| OrderId(0)),
        });
    }
}
