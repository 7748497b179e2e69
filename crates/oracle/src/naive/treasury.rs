//! Value that comes, leaves, and moves between accounts.

use types::{AccountId, Amount, AssetId, Event, OrderId, RejectCode, Request, TreasuryReference};

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
    outcome: Result<(), RejectCode>,
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
            self.events.push(Event::Repeated {
                reply: asker.reply,
                request: asker.request,
                account: AccountId(asker.account),
                market: types::MarketId(0),
                client_order_id: asker.client_id,
                outcome: outcome.map(|()| OrderId(0)),
            });
            return Ok(());
        }
        if reference.number <= last {
            return Err(RejectCode::ReferenceUsed);
        }
        if reference.number > last + 1 {
            return Err(RejectCode::ReferenceGap);
        }
        let outcome = match *request {
            Request::Credit { asset, amount, .. } => self.credit(asker, reference, asset, amount),
            Request::Debit { asset, amount, .. } => self.debit(asker, reference, asset, amount),
            _ => self.settle_debit(asker, reference),
        };
        self.sources[at] = Source { id: reference.source, last: reference.number, outcome };
        outcome
    }

    /// The name of a pending debit of the account, if there is one.
    pub fn pending_debit_of(&self, account: u32) -> Option<types::ClientOrderId> {
        let found = self.pending_debits.iter().find(|debit| debit.account == account);
        found.map(|debit| debit.name)
    }

    fn source(&mut self, id: u32) -> usize {
        self.sources.iter().position(|source| source.id == id).unwrap_or_else(|| {
            self.sources.push(Source { id, last: 0, outcome: Ok(()) });
            self.sources.len() - 1
        })
    }

    fn check_amount(&self, asset: AssetId, amount: Amount) -> Result<(), RejectCode> {
        if self.assets.iter().all(|known| known.id != asset) {
            return Err(RejectCode::UnknownAsset);
        }
        if amount.get() == 0 || amount.get() > LARGEST_AMOUNT {
            return Err(RejectCode::InvalidAmount);
        }
        Ok(())
    }

    /// Where an account's receipts go: into suspense if there is no such account.
    fn receiver(&self, account: u32) -> Place {
        if self.account(account).is_ok() { Place::Available(account) } else { Place::Suspense }
    }

    fn credit(
        &mut self,
        asker: &Asker,
        reference: TreasuryReference,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), RejectCode> {
        self.check_amount(asset, amount)?;
        let supply = -self.funds.of(Place::Outside, asset);
        if supply as u128 + amount.get() > LARGEST_AMOUNT {
            return Err(RejectCode::SupplyExceeded);
        }
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
        Ok(())
    }

    fn debit(
        &mut self,
        asker: &Asker,
        reference: TreasuryReference,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), RejectCode> {
        self.check_amount(asset, amount)?;
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
