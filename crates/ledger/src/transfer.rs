//! `Transfer`: funds from one account to another, through the clearing accounts of their slots.

use types::{
    AccountId, Amount, AssetId, ClientOrderId, Effects, Event, MarketId, Message, OrderId,
    RejectCode, ReplyTo, RequestKind, Timestamp,
};

use crate::client_ids::Outcome;
use crate::ledger::{Asker, Context, Ledger, fingerprint};
use crate::slot::{Bucket, SlotState};

/// What is paid to whom.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// Pays.
    pub from: AccountId,
    /// Receives.
    pub to: AccountId,
    /// What.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// Idempotency key of the payer.
    pub client_id: ClientOrderId,
}

impl Ledger {
    /// The paying half, for an account that is hosted here.
    pub fn transfer(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        valid_until: Timestamp,
        transfer: &Transfer,
        fx: &mut Effects,
    ) {
        let &Transfer { from, to, asset, amount, client_id } = transfer;
        let request = RequestKind::Transfer;
        let asker = Asker { reply, request, account: from, market: MarketId(0), client_id };
        let words =
            [u64::from(to.0), u64::from(asset.0), amount.get() as u64, (amount.get() >> 64) as u64];
        let fingerprint = fingerprint(&words);
        let mut slot = self.slot_mut(from);
        if slot.state.account(from).is_none() {
            return asker.reject(RejectCode::UnknownAccount, fx);
        }
        if slot.answer_repeated(asker, fingerprint, ctx.now, fx) {
            return;
        }
        let checked = if from == to {
            Err(RejectCode::SameAccount)
        } else {
            check_spending(ctx, slot.state, from, asset, amount)
        };
        if let Err(code) = checked {
            return slot.reject_and_remember(asker, fingerprint, code, ctx, valid_until, fx);
        }
        if !slot.has_room(asker, ctx) {
            return asker.reject(RejectCode::TooManyClientIds, fx);
        }

        // From here on nothing can fail.
        slot.post(asset, Bucket::Available(from), Bucket::Clearing, amount);
        if !client_id.is_none() {
            let outcome = Outcome::Ended(Ok(OrderId(0)));
            let ids = &mut slot.state.client_ids;
            ids.remember(from, client_id, fingerprint, outcome, ctx.now, valid_until);
        }
        fx.emit(Event::TransferredOut { reply, account: from, to, asset, amount, client_id });
        fx.send(Message::TransferIn { from, account: to, asset, amount });
    }

    /// The receiving half. It is never refused.
    pub(crate) fn transfer_in(
        &mut self,
        from: AccountId,
        account: AccountId,
        asset: AssetId,
        amount: Amount,
        fx: &mut Effects,
    ) {
        let mut slot = self.slot_mut(account);
        let bucket = slot.credit_bucket(account);
        slot.post(asset, Bucket::Clearing, bucket, amount);
        let suspense = matches!(bucket, Bucket::Suspense);
        fx.emit(Event::TransferredIn { account, from, asset, amount, suspense });
    }
}

/// Whether the account may part with `amount` now.
pub(crate) fn check_spending(
    ctx: &Context<'_>,
    state: &SlotState,
    id: AccountId,
    asset: AssetId,
    amount: Amount,
) -> Result<(), RejectCode> {
    let account = state.account(id).ok_or(RejectCode::UnknownAccount)?;
    if account.frozen {
        return Err(RejectCode::AccountFrozen);
    }
    ctx.definitions.asset(asset).ok_or(RejectCode::UnknownAsset)?;
    if amount.is_zero() || amount > types::MAX_SUPPLY {
        return Err(RejectCode::InvalidAmount);
    }
    let covered = amount <= account.available(asset);
    if covered { Ok(()) } else { Err(RejectCode::InsufficientBalance) }
}
