//! Opening accounts, freezing them, and their fee tiers.

use types::{AccountId, ClientOrderId, Effects, Event, MarketId, RejectCode, ReplyTo, RequestKind};

use crate::account::Account;
use crate::ledger::{Asker, Context, Ledger};

impl Ledger {
    /// Opens an account in a slot that is hosted here.
    pub fn create_account(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        account: AccountId,
        fee_tier: u8,
        fx: &mut Effects,
    ) {
        let asker = asker(reply, RequestKind::CreateAccount, account);
        if account == AccountId(0) || account.0 >= ctx.max_accounts {
            return asker.reject(RejectCode::TooManyAccounts, fx);
        }
        if !ctx.definitions.has_fee_tier(fee_tier) {
            return asker.reject(RejectCode::UnknownFeeTier, fx);
        }
        let slot = self.slot_mut(account);
        if slot.state.account(account).is_some() {
            return asker.reject(RejectCode::AccountExists, fx);
        }
        slot.state.add_account(account, Account::new(fee_tier));
        fx.emit(Event::AccountCreated { reply, account, fee_tier });
    }

    /// Freezes or unfreezes. A frozen account may cancel, but not place, amend or pay.
    pub fn freeze_account(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        frozen: bool,
        fx: &mut Effects,
    ) {
        match self.slot_mut(account).state.account_mut(account) {
            Some(owner) => {
                owner.frozen = frozen;
                fx.emit(Event::AccountFrozen { reply, account, frozen });
            }
            None => asker(reply, RequestKind::FreezeAccount, account)
                .reject(RejectCode::UnknownAccount, fx),
        }
    }

    /// Puts an account into a fee tier and pins it there, or lets its volume decide from its next order
    /// on. Open orders keep the rates they were admitted with.
    pub fn set_account_fee_tier(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        account: AccountId,
        fee_tier: Option<u8>,
        fx: &mut Effects,
    ) {
        let asker = asker(reply, RequestKind::SetAccountFeeTier, account);
        if fee_tier.is_some_and(|tier| !ctx.definitions.has_fee_tier(tier)) {
            return asker.reject(RejectCode::UnknownFeeTier, fx);
        }
        match self.slot_mut(account).state.account_mut(account) {
            Some(owner) => {
                owner.is_pinned = fee_tier.is_some();
                owner.fee_tier = fee_tier.unwrap_or(owner.fee_tier);
                let (fee_tier, pinned) = (owner.fee_tier, owner.is_pinned);
                fx.emit(Event::AccountFeeTierSet { reply, account, fee_tier, pinned });
            }
            None => asker.reject(RejectCode::UnknownAccount, fx),
        }
    }
}

fn asker(reply: ReplyTo, request: RequestKind, account: AccountId) -> Asker {
    Asker { reply, request, account, market: MarketId(0), client_id: ClientOrderId::NONE }
}
