//! Value that comes, leaves, and moves between accounts.

use types::{
    AccountId, Amount, AssetId, Event, OrderId, RejectCode, Request, TreasuryAct, TreasuryReference,
};

use super::funds::Place;
use super::place::LARGEST_AMOUNT;
use super::{Asker, Exchange};

/// Funds that are to leave the exchange.
#[derive(Clone, Debug)]
pub(super) struct PendingDebit {
    pub account: u32,
    pub asset: AssetId,
    pub amount: u128,
    pub name: types::ClientOrderId,
}

/// A source of references, the number of its last command, and what became of that.
#[derive(Clone, Debug)]
pub(super) struct Source {
    id: u32,
    last: u64,
    outcome: Outcome,
}

/// What became of a number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// It is done, or refused for good.
    Ended(Result<(), RejectCode>),
    /// The proposal with this number.
    Proposed(u64),
}

impl Exchange {
    /// A credit, a debit or a settlement, under a reference that is used once.
    pub(super) fn outside(
        &mut self,
        asker: &Asker,
        reference: TreasuryReference,
        request: &Request,
    ) -> Result<(), RejectCode> {
        let at = self.source(reference.source);
        let Source { last, outcome, .. } = self.sources[at];
        if reference.number == last && last > 0 {
            self.answer_again(asker, outcome);
            return Ok(());
        }
        if reference.number <= last {
            return Err(RejectCode::ReferenceUsed);
        }
        if reference.number > last + 1 {
            return Err(RejectCode::ReferenceGap);
        }
        let account = AccountId(asker.account);
        let decided = match *request {
            Request::Credit { operator, asset, amount, .. } => {
                let act = TreasuryAct::Credit { reference, account, asset, amount };
                self.do_or_propose(asker, operator, act)
            }
            Request::Debit { operator, asset, amount, .. } => {
                let act = TreasuryAct::Debit { reference, account, asset, amount };
                self.do_or_propose(asker, operator, act)
            }
            _ => self.settle_debit(asker, reference).map(|()| Outcome::Ended(Ok(()))),
        };
        let (outcome, answer) = match decided {
            // It leaves the number unused (14.6).
            Err(RejectCode::TooManyProposals) => return Err(RejectCode::TooManyProposals),
            Err(code) => (Outcome::Ended(Err(code)), Err(code)),
            Ok(outcome) => (outcome, Ok(())),
        };
        self.sources[at] = Source { id: reference.source, last: reference.number, outcome };
        answer
    }

    fn answer_again(&mut self, asker: &Asker, outcome: Outcome) {
        let (reply, account) = (asker.reply, AccountId(asker.account));
        self.events.push(match outcome {
            Outcome::Proposed(proposal) => Event::ApprovalAwaited { reply, account, proposal },
            Outcome::Ended(outcome) => Event::Repeated {
                reply,
                request: asker.request,
                account,
                market: types::MarketId(0),
                client_order_id: asker.client_id,
                outcome: outcome.map(|()| OrderId(0)),
            },
        });
    }

    /// What became of a proposal is what its number is answered with, as long as that is the last (14.5).
    pub(super) fn note_outcome(&mut self, reference: Option<TreasuryReference>, outcome: Outcome) {
        let Some(reference) = reference else { return };
        let at = self.source(reference.source);
        if self.sources[at].last == reference.number {
            self.sources[at].outcome = outcome;
        }
    }

    /// The last number of a source, zero if it has none.
    pub fn last_number(&self, source: u32) -> u64 {
        self.sources.iter().find(|known| known.id == source).map_or(0, |known| known.last)
    }

    /// The name of a pending debit of the account, if there is one.
    pub fn pending_debit_of(&self, account: u32) -> Option<types::ClientOrderId> {
        let found = self.pending_debits.iter().find(|debit| debit.account == account);
        found.map(|debit| debit.name)
    }

    fn source(&mut self, id: u32) -> usize {
        self.sources.iter().position(|source| source.id == id).unwrap_or_else(|| {
            self.sources.push(Source { id, last: 0, outcome: Outcome::Ended(Ok(())) });
            self.sources.len() - 1
        })
    }

    pub(super) fn check_asset(&self, asset: AssetId) -> Result<(), RejectCode> {
        let known = self.assets.iter().any(|known| known.id == asset);
        if known { Ok(()) } else { Err(RejectCode::UnknownAsset) }
    }

    pub(super) fn check_amount(&self, asset: AssetId, amount: Amount) -> Result<(), RejectCode> {
        self.check_asset(asset)?;
        if amount.get() == 0 || amount.get() > LARGEST_AMOUNT {
            return Err(RejectCode::InvalidAmount);
        }
        Ok(())
    }

    /// Where an account's receipts go: into suspense if there is no such account.
    fn receiver(&self, account: u32) -> Place {
        if self.account(account).is_ok() { Place::Available(account) } else { Place::Suspense }
    }

    pub(super) fn credit(
        &mut self,
        asker: &Asker,
        reference: TreasuryReference,
        asset: AssetId,
        amount: Amount,
    ) {
        let to = self.receiver(asker.account);
        self.funds.post(asset, Place::Outside, to, amount.get());
        self.events.push(Event::Credited {
            reply: asker.reply,
            reference,
            account: AccountId(asker.account),
            asset,
            amount,
            suspense: to == Place::Suspense,
        });
    }

    /// What the account's ledger does with a debit.
    pub(super) fn debit(
        &mut self,
        asker: &Asker,
        reference: TreasuryReference,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), RejectCode> {
        if self.account(asker.account)?.frozen {
            return Err(RejectCode::AccountFrozen);
        }
        if amount.get() > self.funds.available(asker.account, asset) {
            return Err(RejectCode::InsufficientBalance);
        }
        self.funds.post(asset, Place::Available(asker.account), Place::Outside, amount.get());
        self.debited(asker, reference, asset, amount);
        Ok(())
    }

    fn debited(
        &mut self,
        asker: &Asker,
        reference: TreasuryReference,
        asset: AssetId,
        amount: Amount,
    ) {
        self.events.push(Event::Debited {
            reply: asker.reply,
            reference,
            account: AccountId(asker.account),
            asset,
            amount,
            client_id: asker.client_id,
        });
    }

    fn take_pending(&mut self, asker: &Asker) -> Result<PendingDebit, RejectCode> {
        let place = self
            .pending_debits
            .iter()
            .position(|debit| debit.account == asker.account && debit.name == asker.client_id);
        Ok(self.pending_debits.remove(place.ok_or(RejectCode::UnknownPendingDebit)?))
    }

    fn settle_debit(
        &mut self,
        asker: &Asker,
        reference: TreasuryReference,
    ) -> Result<(), RejectCode> {
        let PendingDebit { asset, amount, .. } = self.take_pending(asker)?;
        self.funds.post(asset, Place::Held(asker.account), Place::Outside, amount);
        self.debited(asker, reference, asset, Amount::new(amount));
        Ok(())
    }

    pub(super) fn release_debit(&mut self, asker: &Asker) -> Result<(), RejectCode> {
        let debit = self.take_pending(asker)?;
        self.events.push(Event::DebitReleased {
            reply: asker.reply,
            account: AccountId(asker.account),
            asset: debit.asset,
            amount: Amount::new(debit.amount),
            client_id: asker.client_id,
        });
        Ok(())
    }

    /// A transfer or a reservation: once per client id.
    pub(super) fn pay_once(&mut self, asker: &Asker, request: &Request) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        if !asker.client_id.is_none() && self.repeated(asker, request)? {
            return Ok(());
        }
        let outcome = match *request {
            Request::Transfer { to, asset, amount, .. } => self.transfer(asker, to, asset, amount),
            Request::ReserveDebit { asset, amount, .. } => self.reserve(asker, asset, amount),
            _ => unreachable!("dispatched by kind"),
        };
        self.remember(asker, request, outcome.map(|()| OrderId(0)));
        outcome
    }

    fn check_payer(&self, asker: &Asker, asset: AssetId, amount: Amount) -> Result<(), RejectCode> {
        if self.account(asker.account)?.frozen {
            return Err(RejectCode::AccountFrozen);
        }
        self.check_amount(asset, amount)
    }

    fn check_cover(&self, asker: &Asker, asset: AssetId, amount: Amount) -> Result<(), RejectCode> {
        let covered = amount.get() <= self.funds.available(asker.account, asset);
        if covered { Ok(()) } else { Err(RejectCode::InsufficientBalance) }
    }

    fn transfer(
        &mut self,
        asker: &Asker,
        to: AccountId,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), RejectCode> {
        if to.0 == asker.account {
            return Err(RejectCode::SameAccount);
        }
        self.check_payer(asker, asset, amount)?;
        self.check_cover(asker, asset, amount)?;
        let place = self.receiver(to.0);
        let from = AccountId(asker.account);
        self.funds.post(asset, Place::Available(from.0), place, amount.get());
        self.events.push(Event::TransferredOut {
            reply: asker.reply,
            account: from,
            to,
            asset,
            amount,
            client_id: asker.client_id,
        });
        let suspense = place == Place::Suspense;
        self.events.push(Event::TransferredIn { account: to, from, asset, amount, suspense });
        Ok(())
    }

    fn reserve(&mut self, asker: &Asker, asset: AssetId, amount: Amount) -> Result<(), RejectCode> {
        self.check_payer(asker, asset, amount)?;
        self.check_cover(asker, asset, amount)?;
        let account = asker.account;
        self.funds.post(asset, Place::Available(account), Place::Held(account), amount.get());
        let name = asker.client_id;
        self.pending_debits.push(PendingDebit { account, asset, amount: amount.get(), name });
        self.events.push(Event::DebitReserved {
            reply: asker.reply,
            account: AccountId(account),
            asset,
            amount,
            client_id: name,
        });
        Ok(())
    }
}
