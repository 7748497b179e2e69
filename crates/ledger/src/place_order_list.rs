//! `PlaceOrderList`: check the legs together, hold the funds of those that are placed at once, send them
//! to their market; and the same for pending ones when their time has come.

use types::{
    AccountId, Admit, AdmitList, Amount, AssetId, Effects, HoldId, ListEnd, Message, OrderId,
    PlaceOrderList, PlacePending, Quantity, RejectCode, ReplyTo, RequestKind, Side, Timestamp,
};

use crate::account::Account;
use crate::client_ids::{Outcome, RememberedId};
use crate::definitions::ListedMarket;
use crate::holds::Purpose;
use crate::ledger::{Asker, Context, Ledger, fingerprint};
use crate::legs::Leg;
use crate::place_order::{
    Claim, admission, check_claim, check_market, check_terms, order_fingerprint, paid_with,
    purpose_of, required,
};
use crate::slot::{SlotMut, SlotState};

/// What the legs that are placed at once lock.
struct Funds {
    asset: AssetId,
    /// By leg.
    needs: Vec<Amount>,
    /// The largest of them: all that is locked.
    held: Amount,
}

/// Legs on their way into the market.
struct Placement<'a> {
    orders: &'a PlaceOrderList,
    /// The list, unless these orders begin it.
    list: Option<OrderId>,
    /// The client's name of the list.
    name: Option<RememberedId>,
    /// What came may come again until then.
    valid_until: Timestamp,
}

impl Ledger {
    /// Places a list of an account that is hosted here. Its client id is checked first: a repetition is
    /// answered from memory, whatever has changed since.
    pub fn place_order_list(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        valid_until: Timestamp,
        list: &PlaceOrderList,
        fx: &mut Effects,
    ) {
        let asker = Asker {
            reply,
            request: RequestKind::PlaceOrderList,
            account: list.account,
            market: list.market,
            client_id: list.client_order_id,
        };
        let mut slot = self.slot_mut(list.account);
        let Some(account) = slot.state.account(list.account) else {
            return asker.reject(RejectCode::UnknownAccount, fx);
        };
        let fingerprint = list_fingerprint(list);
        if slot.answer_repeated(asker, fingerprint, ctx.now, fx) {
            return;
        }
        let funds = match check_list(ctx, slot.state, account, list) {
            Ok(checked) => checked,
            Err(code) => {
                return slot.reject_and_remember(asker, fingerprint, code, ctx, valid_until, fx);
            }
        };
        let names = usize::from(!list.client_order_id.is_none()) + named_legs(list);
        if !slot.has_room_for(list.account, names, ctx) {
            return asker.reject(RejectCode::TooManyClientIds, fx);
        }

        // From here on nothing can fail.
        let name = (!list.client_order_id.is_none()).then(|| {
            // Its first hold is not there yet; until it is, nobody asks.
            let (ids, outcome) = (&mut slot.state.client_ids, Outcome::Open(HoldId(0)));
            let (account, id) = (list.account, list.client_order_id);
            ids.remember(account, id, fingerprint, outcome, ctx.now, valid_until)
        });
        let placement = Placement { orders: list, list: None, name, valid_until };
        let legs = slot.open_legs(ctx, reply, &placement, &funds, fx);
        fx.send(Message::AdmitList(Box::new(AdmitList {
            reply,
            account: list.account,
            market: list.market,
            list: OrderId(0),
            client_order_id: list.client_order_id,
            legs,
            pending: list.pending.clone(),
        })));
    }

    /// Closes the hold of the order that others waited for, and places those: as if they came now, but
    /// nobody waits, and the market is told if they are refused.
    pub fn place_pending(&mut self, ctx: &Context<'_>, pending: &PlacePending, fx: &mut Effects) {
        let PlacePending { list, hold, orders } = pending;
        let (list, account) = (*list, orders.account);
        let mut slot = self.slot_mut(account);
        let FilledLeg { name, was_asked } = slot.close_filled_leg(account, *hold, list);
        let checked = match check_pending(ctx, slot.state, orders) {
            _ if was_asked => Err(ListEnd::Cancelled),
            Err(code) => Err(ListEnd::Refused { code }),
            Ok(_) if !slot.has_room_for(account, named_legs(orders), ctx) => {
                Err(ListEnd::Refused { code: RejectCode::TooManyClientIds })
            }
            Ok(funds) => Ok(funds),
        };
        let goes_on = checked.is_ok() && orders.legs.len() > 1;
        if let Some(name) = name.filter(|_| !goes_on) {
            slot.state.client_ids.set_outcome(name, Outcome::Ended(Ok(list)));
        }
        let funds = match checked {
            Ok(funds) => funds,
            Err(end) => {
                let market = orders.market;
                return fx.send(Message::PendingDropped { account, market, list, end });
            }
        };
        let name = name.filter(|_| goes_on);
        let placement = Placement { orders, list: Some(list), name, valid_until: ctx.now };
        let legs = slot.open_legs(ctx, ReplyTo::NOBODY, &placement, &funds, fx);
        fx.send(Message::AdmitList(Box::new(AdmitList {
            reply: ReplyTo::NOBODY,
            account,
            market: orders.market,
            list,
            client_order_id: orders.client_order_id,
            legs,
            pending: Vec::new(),
        })));
    }

    /// A list has ended for these orders: the first keeps what it needs, the other nothing.
    pub(crate) fn list_settled(
        &mut self,
        account: AccountId,
        list: OrderId,
        (hold_id, other): (HoldId, Option<HoldId>),
        need: Amount,
    ) {
        let mut slot = self.slot_mut(account);
        let holds = &mut slot.state.holds;
        let from_other = other.map(|other| std::mem::take(&mut holds.of(account, other).locked));
        let hold = holds.of(account, hold_id);
        let surplus = hold.locked + from_other.unwrap_or_default() - need;
        hold.locked = need;
        let asset = hold.asset;
        slot.unlock(account, asset, surplus);
        for hold in [Some(hold_id), other].into_iter().flatten() {
            slot.end_leg(account, hold, Some(Outcome::Ended(Ok(list))));
        }
    }
}

/// What is left to do for a list whose first order was filled.
struct FilledLeg {
    name: Option<RememberedId>,
    /// All orders were asked to be cancelled before its id was known.
    was_asked: bool,
}

impl SlotMut<'_> {
    /// Closes the hold of a filled order that others waited for.
    fn close_filled_leg(
        &mut self,
        account: AccountId,
        hold_id: HoldId,
        order: OrderId,
    ) -> FilledLeg {
        let hold = self.state.holds.of(account, hold_id);
        assert!(hold.locked.is_zero(), "hold {hold_id} of {account} is of a filled order");
        let was_asked = matches!(hold.purpose, Purpose::Order { cancel_when_known: true, .. });
        let name = self.state.legs.take_name(hold_id);
        self.close_hold(account, hold_id, Some(Outcome::Ended(Ok(order))));
        FilledLeg { name, was_asked }
    }

    /// Locks the funds of the legs that are placed at once, and remembers their client ids.
    fn open_legs(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        placement: &Placement<'_>,
        funds: &Funds,
        fx: &mut Effects,
    ) -> Vec<Admit> {
        let &Placement { orders, list, name, valid_until } = placement;
        let account = orders.account;
        let fees = self.rates_for(ctx, account, orders.market, fx);
        let is_pair = orders.legs.len() > 1;
        // A pending leg that is single is an order like any other.
        let is_leg = is_pair || list.is_none();
        let wants = is_pair.then(|| wanted(ctx, orders));
        let mut first = Some((funds.held, Leg { list, name, wants }));
        let mut admits = Vec::with_capacity(orders.legs.len());
        for (leg, &need) in orders.legs.iter().zip(&funds.needs) {
            let order = orders.order(leg);
            let later = Leg { list, name: None, wants: wants.map(|_| Amount::ZERO) };
            let (held, known) = first.take().unwrap_or((Amount::ZERO, later));
            let hold = self.open_hold(account, funds.asset, held, purpose_of(&order, is_leg));
            if is_leg {
                self.state.legs.insert(hold, known);
            }
            if let Some(name) = known.name {
                self.state.client_ids.set_outcome(name, Outcome::Open(hold));
            }
            if !leg.client_order_id.is_none() {
                let (print, id) = (order_fingerprint(&order), leg.client_order_id);
                let (ids, outcome) = (&mut self.state.client_ids, Outcome::Open(hold));
                let at = ids.remember(account, id, print, outcome, ctx.now, valid_until);
                self.state.holds.of(account, hold).client_id = Some(at);
            }
            admits.push(admission(reply, &order, hold, need, fees));
        }
        admits
    }

    /// Whether so many more client ids can be remembered.
    fn has_room_for(&mut self, account: AccountId, names: usize, ctx: &Context<'_>) -> bool {
        let max = ctx.max_client_ids_per_account;
        let others = u32::try_from(names.saturating_sub(1)).expect("a few");
        let ids = &mut self.state.client_ids;
        names == 0 || ids.make_room(account, max.saturating_sub(others), ctx.now)
    }
}

/// Everything that the ledger can refuse a new list for, in order of precedence.
fn check_list(
    ctx: &Context<'_>,
    state: &SlotState,
    account: &Account,
    list: &PlaceOrderList,
) -> Result<Funds, RejectCode> {
    // First, since it bounds the legs that are looked at.
    if list.kind().is_none() {
        return Err(RejectCode::InvalidCombination);
    }
    check_names(ctx, state, list)?;
    let listed = check_market(ctx, account, list.market, list.version)?;
    for leg in list.all_legs() {
        check_terms(ctx, &listed.def, &list.order(leg))?;
    }
    check_funds(listed, state, account, list)
}

/// The same for pending legs that are to be placed.
fn check_pending(
    ctx: &Context<'_>,
    state: &SlotState,
    orders: &PlaceOrderList,
) -> Result<Funds, RejectCode> {
    let account = state.account(orders.account).ok_or(RejectCode::UnknownAccount)?;
    check_names(ctx, state, orders)?;
    let listed = check_market(ctx, account, orders.market, orders.version)?;
    for leg in &orders.legs {
        check_terms(ctx, &listed.def, &orders.order(leg))?;
    }
    check_funds(listed, state, account, orders)
}

/// The names differ from each other, and no leg has one that is remembered.
fn check_names(
    ctx: &Context<'_>,
    state: &SlotState,
    list: &PlaceOrderList,
) -> Result<(), RejectCode> {
    let mut names = vec![list.client_order_id];
    for name in list.all_legs().map(|leg| leg.client_order_id).filter(|name| !name.is_none()) {
        let is_used = state.client_ids.find(list.account, name, ctx.now).is_some();
        if is_used || names.contains(&name) {
            return Err(RejectCode::ClientIdReused);
        }
        names.push(name);
    }
    Ok(())
}

/// What the legs that are placed at once lock, if the account may have so many and can pay.
fn check_funds(
    listed: &ListedMarket,
    state: &SlotState,
    account: &Account,
    orders: &PlaceOrderList,
) -> Result<Funds, RejectCode> {
    check_claim(listed, state, account, &claim_of(orders))?;
    let asset = paid_with(&listed.def, orders.legs[0].side);
    let available = account.available(asset);
    let need = |leg| required(&listed.scaling, &orders.order(leg), available);
    let needs: Vec<Amount> = orders.legs.iter().map(need).collect();
    let held = needs.iter().copied().max().unwrap_or_default();
    if needs.iter().any(|need| need.is_zero()) || held > available {
        return Err(RejectCode::InsufficientBalance);
    }
    Ok(Funds { asset, needs, held })
}

/// A pair counts as two orders, and buys its lots once.
fn claim_of(orders: &PlaceOrderList) -> Claim {
    let first = &orders.legs[0];
    Claim {
        orders: orders.legs.len() as u32,
        waiting: orders.legs.iter().filter(|leg| leg.conditions.trigger.is_some()).count(),
        buys: (first.side == Side::Buy).then(|| first.spec.quantity().unwrap_or_default()),
    }
}

/// What an open pair counts for as something to buy: its lots, if one of it is a limit order.
fn wanted(ctx: &Context<'_>, pair: &PlaceOrderList) -> Amount {
    let buys_at_limit = pair.legs.iter().any(|leg| !leg.spec.limit_price().is_zero());
    let lots = claim_of(pair).buys.filter(|_| buys_at_limit);
    let listed = ctx.definitions.market(pair.market).expect("checked");
    lots.map_or(Amount::ZERO, |lots: Quantity| listed.scaling.base(lots))
}

fn named_legs(orders: &PlaceOrderList) -> usize {
    orders.legs.iter().filter(|leg| !leg.client_order_id.is_none()).count()
}

fn list_fingerprint(list: &PlaceOrderList) -> u64 {
    let legs = list.all_legs().flat_map(|leg| {
        let [a, b, c, d] = leg.client_order_id.words();
        [order_fingerprint(&list.order(leg)), a, b, c, d]
    });
    let words: Vec<u64> = [list.legs.len() as u64].into_iter().chain(legs).collect();
    fingerprint(&words)
}
