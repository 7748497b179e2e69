//! Value that comes from and goes to the outside world, on the ledger's side.
//!
//! The treasury owns the references; here the funds move against the slot's outside account. A
//! withdrawal first reserves ([`Ledger::reserve_debit`]), later settles through the treasury or is
//! released.

use types::{
    AccountId, Amount, AssetId, ClientOrderId, Effects, Event, HoldId, MarketId, Message, OrderId,
    RejectCode, ReplyTo, RequestKind, Timestamp, TreasuryReference,
};

use crate::client_ids::Outcome;
use crate::holds::Purpose;
use crate::ledger::{Asker, Context, Ledger, fingerprint};
use crate::slot::{Bucket, SlotMut};
use crate::transfer::check_spending;

/// What a pending debit locks.
#[derive(Clone, Copy, Debug)]
pub struct Reservation {
    /// Pays.
    pub account: AccountId,
    /// What.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// Idempotency key, and the name of the pending debit.
    pub client_id: ClientOrderId,
    /// When the command ends to be valid.
    pub valid_until: Timestamp,
}

impl Ledger {
    /// Locks funds of an account that is hosted here until they are settled or released.
    pub fn reserve_debit(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        reservation: &Reservation,
        fx: &mut Effects,
    ) {
        let &Reservation { account, asset, amount, client_id, valid_until } = reservation;
        let asker = asker(reply, RequestKind::ReserveDebit, account, client_id);
        if client_id.is_none() {
            // Without a name nobody could settle it.
            return asker.reject(RejectCode::Malformed, fx);
        }
        let words = [u64::from(asset.0), amount.get() as u64, (amount.get() >> 64) as u64];
        let fingerprint = fingerprint(&words);
        let mut slot = self.slot_mut(account);
        if slot.answer_repeated(asker, fingerprint, ctx.now, fx) {
            return;
        }
        if let Err(code) = check_spending(ctx, slot.state, account, asset, amount) {
            return slot.reject_and_remember(asker, fingerprint, code, ctx, valid_until, fx);
        }
        if !slot.has_room(asker, ctx) {
            return asker.reject(RejectCode::TooManyClientIds, fx);
        }

        // From here on nothing can fail.
        let hold = slot.open_hold(account, asset, amount, Purpose::Debit);
        let ids = &mut slot.state.client_ids;
        let outcome = Outcome::Open(hold);
        let at = ids.remember(account, client_id, fingerprint, outcome, ctx.now, valid_until);
        slot.state.holds.of(account, hold).client_id = Some(at);
        fx.emit(Event::DebitReserved { reply, account, asset, amount, client_id });
    }

    /// Ends a pending debit whose funds will not leave.
    pub fn release_debit(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        account: AccountId,
        client_id: ClientOrderId,
        fx: &mut Effects,
    ) {
        let asker = asker(reply, RequestKind::ReleaseDebit, account, client_id);
        let mut slot = self.slot_mut(account);
        let Some(hold_id) = slot.pending_debit(account, client_id, ctx.now) else {
            return asker.reject(RejectCode::UnknownPendingDebit, fx);
        };
        let hold = slot.state.holds.of(account, hold_id);
        let (asset, amount) = (hold.asset, hold.locked);
        slot.close_hold(account, hold_id, Some(Outcome::Ended(Ok(OrderId(0)))));
        fx.emit(Event::DebitReleased { reply, account, asset, amount, client_id });
    }

    /// Value came from outside. Never refused: funds for an unknown account go to suspense.
    pub(crate) fn credit(
        &mut self,
        reply: ReplyTo,
        reference: TreasuryReference,
        account: AccountId,
        asset: AssetId,
        amount: Amount,
        fx: &mut Effects,
    ) {
        let mut slot = self.slot_mut(account);
        let bucket = slot.credit_bucket(account);
        slot.post(asset, Bucket::Outside, bucket, amount);
        let suspense = matches!(bucket, Bucket::Suspense);
        fx.emit(Event::Credited { reply, reference, account, asset, amount, suspense });
    }

    /// Value leaves at once, or is refused; the treasury hears which.
    pub(crate) fn debit(
        &mut self,
        reply: ReplyTo,
        reference: TreasuryReference,
        account: AccountId,
        asset: AssetId,
        amount: Amount,
        fx: &mut Effects,
    ) {
        let mut slot = self.slot_mut(account);
        let refused = match slot.state.account(account) {
            None => Some(RejectCode::UnknownAccount),
            Some(owner) if owner.frozen => Some(RejectCode::AccountFrozen),
            Some(owner) if owner.available(asset) < amount => Some(RejectCode::InsufficientBalance),
            Some(_) => None,
        };
        if let Some(code) = refused {
            return refuse_debit(reply, reference, account, asset, code, fx);
        }
        slot.post(asset, Bucket::Available(account), Bucket::Outside, amount);
        let client_id = ClientOrderId::NONE;
        fx.emit(Event::Debited { reply, reference, account, asset, amount, client_id });
        fx.send(Message::Debited { reference, asset, amount, outcome: Ok(()) });
    }

    /// A pending debit has left.
    pub(crate) fn settle_debit(
        &mut self,
        reply: ReplyTo,
        reference: TreasuryReference,
        account: AccountId,
        client_id: ClientOrderId,
        fx: &mut Effects,
    ) {
        let asker = asker(reply, RequestKind::SettleDebit, account, client_id);
        let mut slot = self.slot_mut(account);
        // Open holds are found at any time, so the time does not matter.
        let Some(hold_id) = slot.pending_debit(account, client_id, Timestamp(0)) else {
            let code = RejectCode::UnknownPendingDebit;
            asker.reject(code, fx);
            return fx.send(refused(reference, AssetId(0), code));
        };
        let hold = slot.state.holds.of(account, hold_id);
        let (asset, amount) = (hold.asset, hold.locked);
        hold.locked = Amount::ZERO;
        slot.post(asset, Bucket::Held(account), Bucket::Outside, amount);
        slot.close_hold(account, hold_id, Some(Outcome::Ended(Ok(OrderId(0)))));
        fx.emit(Event::Debited { reply, reference, account, asset, amount, client_id });
        fx.send(Message::Debited { reference, asset, amount, outcome: Ok(()) });
    }
}

impl SlotMut<'_> {
    fn pending_debit(
        &self,
        account: AccountId,
        client_id: ClientOrderId,
        now: Timestamp,
    ) -> Option<HoldId> {
        let (_, Outcome::Open(hold)) = self.state.client_ids.find(account, client_id, now)? else {
            return None;
        };
        matches!(self.state.holds.get(hold).purpose, Purpose::Debit).then_some(hold)
    }
}

/// Rejects [`Message::Debit`]: nothing has left, and the treasury hears why.
pub fn refuse_debit(
    reply: ReplyTo,
    reference: TreasuryReference,
    account: AccountId,
    asset: AssetId,
    code: RejectCode,
    fx: &mut Effects,
) {
    asker(reply, RequestKind::Debit, account, ClientOrderId::NONE).reject(code, fx);
    fx.send(refused(reference, asset, code));
}

fn refused(reference: TreasuryReference, asset: AssetId, code: RejectCode) -> Message {
    Message::Debited { reference, asset, amount: Amount::ZERO, outcome: Err(code) }
}

fn asker(
    reply: ReplyTo,
    request: RequestKind,
    account: AccountId,
    client_id: ClientOrderId,
) -> Asker {
    Asker { reply, request, account, market: MarketId(0), client_id }
}
