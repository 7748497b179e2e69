//! `AmendOrder`: raise the hold to what the amended order may need, then ask the market.
//!
//! The order stays as it is until the market has accepted, and the account keeps it when the funds
//! do not suffice. One amendment of an order at a time: a second one would count with funds that the
//! first may give back.

use types::{
    AccountId, AmendOrder, Amount, Effects, MarketId, Message, OrderId, Price, Quantity,
    RejectCode, ReplyTo, RequestKind,
};

use crate::definitions::ListedMarket;
use crate::holds::{Hold, Purpose};
use crate::ledger::{Asker, Context, Ledger};
use crate::place_order::{check_position, check_price, check_quantity};
use crate::slot::SlotState;
use types::{ClientOrderId, HoldId};

/// What of an order is to change.
#[derive(Clone, Copy, Debug)]
pub struct Amendment {
    /// The owner.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// The version of the definition that price and quantity mean.
    pub version: u32,
    /// The order.
    pub order: OrderId,
    /// New price, or the old one.
    pub price: Option<Price>,
    /// New total quantity, or the old one.
    pub quantity: Option<Quantity>,
    /// Whether the market refuses what would lose the order its place.
    pub keep_priority: bool,
}

impl Ledger {
    /// Amends an order of an account that is hosted here.
    pub fn amend_order(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        amendment: &Amendment,
        fx: &mut Effects,
    ) {
        let &Amendment { account, market, version, order, price, quantity, keep_priority } =
            amendment;
        let asker = Asker {
            reply,
            request: RequestKind::AmendOrder,
            account,
            market,
            client_id: ClientOrderId::NONE,
        };
        let mut slot = self.slot_mut(account);
        let (hold_id, extra) = match check(ctx, slot.state, amendment) {
            Ok(checked) => checked,
            Err(code) => return asker.reject(code, fx),
        };

        // From here on nothing can fail.
        let hold = slot.state.holds.of(account, hold_id);
        hold.locked += extra;
        if let Purpose::Order { amending, .. } = &mut hold.purpose {
            *amending = true;
        }
        let asset = hold.asset;
        slot.lock(account, asset, extra);
        fx.send(Message::AmendOrder(AmendOrder {
            reply,
            account,
            hold: hold_id,
            extra,
            market,
            version,
            order,
            price,
            quantity,
            keep_priority,
        }));
    }
}

/// The order's hold and what must be added to it.
fn check(
    ctx: &Context<'_>,
    state: &SlotState,
    amendment: &Amendment,
) -> Result<(HoldId, Amount), RejectCode> {
    let account = state.account(amendment.account).ok_or(RejectCode::UnknownAccount)?;
    if account.frozen {
        return Err(RejectCode::AccountFrozen);
    }
    let listed = ctx.definitions.open_market(amendment.market)?;
    if listed.def.version != amendment.version {
        return Err(RejectCode::StaleDefinition);
    }
    if amendment.order == OrderId(0) {
        // Orders whose market has not told their id yet are kept under this one.
        return Err(RejectCode::UnknownOrder);
    }
    // Amendments are mostly of recent orders; an account's orders in a market are bounded.
    let wanted = Some((amendment.market, amendment.order));
    let orders = account.orders_in(amendment.market);
    let found = state.holds.newest_first(orders).find(|(_, hold)| hold.order() == wanted);
    let (hold_id, hold) = found.ok_or(RejectCode::UnknownOrder)?;
    if matches!(hold.purpose, Purpose::Order { amending: true, .. }) {
        return Err(RejectCode::AmendmentInFlight);
    }
    if let Some(price) = amendment.price {
        check_price(&listed.def, price)?;
    }
    if let Some(quantity) = amendment.quantity {
        check_quantity(&listed.def, quantity)?;
    }
    let Amended { needs, more_to_buy } = amended(listed, hold, amendment)?;
    if amendment.keep_priority {
        // What keeps its place needs no more; the market refuses what is more.
        return Ok((hold_id, Amount::ZERO));
    }
    if !more_to_buy.is_zero() {
        check_position(listed, state, account, more_to_buy)?;
    }
    let extra = needs.saturating_sub(hold.locked);
    if extra > account.available(hold.asset) {
        return Err(RejectCode::InsufficientBalance);
    }
    Ok((hold_id, extra))
}

/// What an amended order is, as far as this ledger knows: fills under way make it less.
struct Amended {
    /// What it needs in its hold.
    needs: Amount,
    /// Base atoms that it would buy and does not buy yet.
    more_to_buy: Amount,
}

fn amended(
    listed: &ListedMarket,
    hold: &Hold,
    amendment: &Amendment,
) -> Result<Amended, RejectCode> {
    let Purpose::Order { buys, price, version, filled_base, is_leg, .. } = hold.purpose else {
        return Err(RejectCode::UnknownOrder);
    };
    if is_leg || price.is_zero() {
        // A market order with an id waits for its trigger.
        return Err(RejectCode::NotAmendable);
    }
    let scaling = &listed.scaling;
    let before = if buys { hold.base_to_buy(listed) } else { hold.locked };
    let open = match amendment.quantity {
        Some(total) => {
            let total = scaling.base(total);
            if total <= filled_base {
                return Err(RejectCode::QuantityBelowFilled);
            }
            total - filled_base
        }
        None => before,
    };
    // An order that does not fit the market's new units is being cancelled.
    let price = listed.price_now(price, version).ok_or(RejectCode::UnknownOrder)?;
    let lots = u64::try_from(open.get() / u128::from(scaling.base_atoms_per_lot))
        .map_err(|_| RejectCode::InvalidQuantity)?;
    let lots = Quantity::new(lots);
    Ok(if buys {
        let needs = scaling.notional(amendment.price.unwrap_or(price), lots);
        Amended { needs, more_to_buy: open.saturating_sub(before) }
    } else {
        Amended { needs: scaling.base(lots), more_to_buy: Amount::ZERO }
    })
}
