//! What markets report about holds: rested, filled, released, closed, refused.

use types::{AccountId, Amount, Effects, Fill, HoldId, MarketId, OrderId, Price, RejectCode};

use crate::cancel::cancel;
use crate::client_ids::Outcome;
use crate::holds::Purpose;
use crate::ledger::{Context, Ledger};
use crate::slot::{Bucket, SlotMut};

impl Ledger {
    pub(crate) fn rested(
        &mut self,
        account: AccountId,
        hold: HoldId,
        order_id: OrderId,
        (limit, version): (Price, u32),
        fx: &mut Effects,
    ) {
        let slot = self.slot_mut(account);
        let purpose = &mut slot.state.holds.of(account, hold).purpose;
        let Purpose::Order { market, order, price, version: meant, cancel_when_known, .. } =
            purpose
        else {
            panic!("hold {hold} is not for an order");
        };
        (*order, *price, *meant) = (order_id, limit, version);
        if std::mem::take(cancel_when_known) {
            fx.send(cancel(account, *market, order_id));
        }
    }

    /// An amendment has ended; what it does not need is available again. A "cancel all" that came
    /// meanwhile has cancelled the id that was known then; it follows the order to its new id.
    pub(crate) fn amended(
        &mut self,
        account: AccountId,
        hold: HoldId,
        order_id: OrderId,
        (limit, version): (Price, u32),
        release: Amount,
        fx: &mut Effects,
    ) {
        let slot = self.slot_mut(account);
        let purpose = &mut slot.state.holds.of(account, hold).purpose;
        let Purpose::Order {
            market,
            order,
            price,
            version: meant,
            amending,
            cancel_when_known,
            ..
        } = purpose
        else {
            panic!("hold {hold} is not for an order");
        };
        *amending = false;
        let is_replaced = *order != order_id;
        (*order, *price, *meant) = (order_id, limit, version);
        if std::mem::take(cancel_when_known) && is_replaced {
            fx.send(cancel(account, *market, order_id));
        }
        self.released(account, hold, release);
    }

    /// An amendment came to nothing, since its market is quarantined. The order may have ended before:
    /// then what was added went with its hold, whose place may be another's by now.
    pub(crate) fn amendment_refused(
        &mut self,
        account: AccountId,
        hold_id: HoldId,
        wanted: (MarketId, OrderId),
        release: Amount,
    ) {
        let slot = self.slot_mut(account);
        let hold = slot.state.holds.get(hold_id);
        if hold.account != account || hold.order() != Some(wanted) {
            return;
        }
        let hold = slot.state.holds.of(account, hold_id);
        if let Purpose::Order { amending: amending @ true, cancel_when_known, .. } =
            &mut hold.purpose
        {
            (*amending, *cancel_when_known) = (false, false);
            self.released(account, hold_id, release);
        }
    }

    /// One side of a trade: the debit leaves the hold, the credit less the fee arrives, both against
    /// the slot's clearing account. A rebate comes out of the slot's fee account, to which the taker has
    /// paid at least as much, there or in another slot.
    pub(crate) fn filled(&mut self, ctx: &Context<'_>, fill: &Fill, is_self_trade: bool) {
        let id = fill.account;
        let mut slot = self.slot_mut(id);
        let hold = slot.state.holds.of(id, fill.hold);
        debug_assert_eq!(hold.asset, fill.debit_asset);
        hold.locked -= fill.debit + fill.release;
        let Purpose::Order { buys, ref mut filled_base, .. } = hold.purpose else {
            panic!("hold {} is not for an order", fill.hold);
        };
        *filled_base += if buys { fill.credit } else { fill.debit };
        slot.post(fill.debit_asset, Bucket::Held(id), Bucket::Clearing, fill.debit);
        slot.unlock(id, fill.debit_asset, fill.release);
        let net = fill.credit - fill.fee.total();
        slot.post(fill.credit_asset, Bucket::Clearing, Bucket::Available(id), net);
        slot.post(fill.credit_asset, Bucket::Clearing, Bucket::Fees, fill.fee.income());
        slot.post(fill.credit_asset, Bucket::Clearing, Bucket::Rounding, fill.fee.rounding());
        slot.post(fill.debit_asset, Bucket::Fees, Bucket::Available(id), fill.fee.rebate());
        if let Some(schedule) = ctx.definitions.fee_schedule()
            && !is_self_trade
        {
            self.count_volume(schedule, ctx.now, fill, buys);
        }
    }

    pub(crate) fn released(&mut self, account: AccountId, hold: HoldId, amount: Amount) {
        let mut slot = self.slot_mut(account);
        let hold = slot.state.holds.of(account, hold);
        hold.locked -= amount;
        let asset = hold.asset;
        slot.unlock(account, asset, amount);
    }

    pub(crate) fn closed(
        &mut self,
        account: AccountId,
        hold: HoldId,
        order: OrderId,
        left: Amount,
    ) {
        let mut slot = self.slot_mut(account);
        assert_release_is_exact(&mut slot, account, hold, left);
        slot.close_hold(account, hold, Some(Outcome::Ended(Ok(order))));
    }

    pub(crate) fn refused(&mut self, account: AccountId, hold: HoldId, code: RejectCode) {
        let outcome = (!code.is_retryable()).then_some(Outcome::Ended(Err(code)));
        self.slot_mut(account).close_hold(account, hold, outcome);
    }
}

/// Market and ledger count independently; here they must agree. Only while an amendment is under way
/// may a hold contain more than the market had seen when the order ended.
fn assert_release_is_exact(slot: &mut SlotMut<'_>, account: AccountId, hold: HoldId, left: Amount) {
    let state = slot.state.holds.of(account, hold);
    let may_have_more = matches!(state.purpose, Purpose::Order { amending: true, .. });
    let agrees = state.locked == left || (may_have_more && state.locked > left);
    assert!(agrees, "hold {hold} of {account} has {} left, its market says {left}", state.locked);
}
