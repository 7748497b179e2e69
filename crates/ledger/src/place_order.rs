//! `PlaceOrder`: check an order against the account, hold its funds, send it to its market.

use types::{
    Admit, Amount, AssetId, Conditions, Effects, FeeRates, HoldId, MarketDef, MarketId, Message,
    OrderId, OrderSpec, PlaceOrder, Price, Quantity, RejectCode, ReplaceOrder, ReplyTo,
    RequestKind, Scaling, Side, TimeInForce, Timestamp, Trigger,
};

use crate::account::Account;
use crate::client_ids::Outcome;
use crate::definitions::ListedMarket;
use crate::holds::{Hold, Purpose};
use crate::ledger::{Asker, Context, Ledger, fingerprint};
use crate::slot::SlotState;

impl Ledger {
    /// Places an order of an account that is hosted here, and gives what goes to its market, if it is to.
    /// Its client id is checked first: a repetition is answered from memory, whatever has changed since.
    #[must_use]
    pub fn place_order(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        valid_until: Timestamp,
        order: &PlaceOrder,
        fx: &mut Effects,
    ) -> Option<Admit> {
        let asker = Asker {
            reply,
            request: RequestKind::PlaceOrder,
            account: order.account,
            market: order.market,
            client_id: order.client_order_id,
        };
        let mut slot = self.slot_mut(order.account);
        let Some(account) = slot.state.account(order.account) else {
            asker.reject(RejectCode::UnknownAccount, fx);
            return None;
        };
        let is_named = !asker.client_id.is_none();
        let fingerprint = if is_named { order_fingerprint(order) } else { 0 };
        if is_named && slot.answer_repeated(asker, fingerprint, ctx.now, fx) {
            return None;
        }
        let funds = match check(ctx, slot.state, account, order) {
            Ok(checked) => checked,
            Err(code) => {
                slot.reject_and_remember(asker, fingerprint, code, ctx, valid_until, fx);
                return None;
            }
        };
        if is_named && !slot.has_room(asker, ctx) {
            asker.reject(RejectCode::TooManyClientIds, fx);
            return None;
        }

        // From here on nothing can fail.
        let fees = slot.rates_for(ctx, order.account, order.market, fx);
        let purpose = purpose_of(order, false);
        let hold = slot.open_hold(order.account, funds.asset, funds.amount, purpose);
        if is_named {
            let outcome = Outcome::Open(hold);
            let ids = &mut slot.state.client_ids;
            let (account, id) = (order.account, asker.client_id);
            let at = ids.remember(account, id, fingerprint, outcome, ctx.now, valid_until);
            slot.state.holds.of(order.account, hold).client_id = Some(at);
        }
        Some(admission(reply, order, hold, funds.amount, fees))
    }
}

impl Ledger {
    /// Sends a cancel and the placement behind it to the market. A placement that was seen before is
    /// answered from memory, and nothing is cancelled.
    pub fn replace_order(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        valid_until: Timestamp,
        replace: &ReplaceOrder,
        fx: &mut Effects,
    ) {
        let order = &replace.order;
        let asker = Asker {
            reply,
            request: RequestKind::ReplaceOrder,
            account: order.account,
            market: order.market,
            client_id: order.client_order_id,
        };
        let slot = self.slot_mut(order.account);
        if slot.state.account(order.account).is_none() {
            return asker.reject(RejectCode::UnknownAccount, fx);
        }
        let fingerprint = if asker.client_id.is_none() { 0 } else { order_fingerprint(order) };
        if slot.answer_repeated(asker, fingerprint, ctx.now, fx) {
            return;
        }
        if let Err(code) = ctx.definitions.open_market(order.market) {
            return asker.reject(code, fx);
        }
        fx.send(Message::CancelThenPlace {
            reply,
            valid_until,
            replace: Box::new(replace.clone()),
        });
    }
}

/// What an order locks.
struct Funds {
    asset: AssetId,
    amount: Amount,
}

/// What an order's hold says of it.
#[inline]
pub(crate) fn purpose_of(order: &PlaceOrder, is_leg: bool) -> Purpose {
    Purpose::Order {
        market: order.market,
        order: OrderId(0),
        buys: order.side == Side::Buy,
        has_trigger: order.conditions.trigger.is_some(),
        price: order.spec.limit_price(),
        version: order.version,
        filled_base: Amount::ZERO,
        amending: false,
        cancel_when_known: false,
        is_leg,
    }
}

/// The order as it goes to its market.
#[inline]
pub(crate) fn admission(
    reply: ReplyTo,
    order: &PlaceOrder,
    hold: HoldId,
    budget: Amount,
    fees: FeeRates,
) -> Admit {
    Admit {
        reply,
        account: order.account,
        self_trade_group: order.account.0,
        hold,
        budget,
        fees,
        market: order.market,
        version: order.version,
        client_order_id: order.client_order_id,
        side: order.side,
        spec: order.spec,
        conditions: order.conditions.clone(),
        self_trade_prevention: order.self_trade_prevention,
    }
}

/// Everything that the ledger can refuse an order for, in order of precedence.
#[inline]
fn check(
    ctx: &Context<'_>,
    state: &SlotState,
    account: &Account,
    order: &PlaceOrder,
) -> Result<Funds, RejectCode> {
    let listed = check_market(ctx, account, order.market, order.version)?;
    check_terms(ctx, &listed.def, order)?;
    check_claim(listed, state, account, &Claim::of(order))?;
    let asset = paid_with(&listed.def, order.side);
    let available = account.available(asset);
    let amount = required(&listed.scaling, order, available);
    if amount.is_zero() || amount > available {
        return Err(RejectCode::InsufficientBalance);
    }
    Ok(Funds { asset, amount })
}

/// The account may place orders, and the market is as its client knows it.
#[inline]
pub(crate) fn check_market<'a>(
    ctx: &Context<'a>,
    account: &Account,
    market: MarketId,
    version: u32,
) -> Result<&'a ListedMarket, RejectCode> {
    if account.frozen {
        return Err(RejectCode::AccountFrozen);
    }
    let listed = ctx.definitions.open_market(market)?;
    if listed.def.version != version {
        return Err(RejectCode::StaleDefinition);
    }
    Ok(listed)
}

/// What can be said of an order without its account.
#[inline]
pub(crate) fn check_terms(
    ctx: &Context<'_>,
    def: &MarketDef,
    order: &PlaceOrder,
) -> Result<(), RejectCode> {
    check_spec(def, order.side, &order.spec)?;
    check_conditions(ctx, def, order)
}

/// The asset that a side pays with.
pub(crate) fn paid_with(def: &MarketDef, side: Side) -> AssetId {
    match side {
        Side::Buy => def.quote,
        Side::Sell => def.base,
    }
}

/// What new orders count for where an account's open ones are counted.
pub(crate) struct Claim {
    /// How many they are.
    pub orders: u32,
    /// How many of them have a trigger.
    pub waiting: usize,
    /// Lots to buy, in a purchase.
    pub buys: Option<Quantity>,
}

impl Claim {
    #[inline]
    fn of(order: &PlaceOrder) -> Self {
        Self {
            orders: 1,
            waiting: usize::from(order.conditions.trigger.is_some()),
            buys: (order.side == Side::Buy).then(|| order.spec.quantity().unwrap_or_default()),
        }
    }
}

/// The rules that look at the account's other orders in the market, which are bounded.
#[inline]
pub(crate) fn check_claim(
    listed: &ListedMarket,
    state: &SlotState,
    account: &Account,
    claim: &Claim,
) -> Result<(), RejectCode> {
    let orders = account.orders_in(listed.def.id);
    let open_orders = orders.map_or(0, |orders| orders.count);
    let bound = listed.def.bounds.max_orders_per_account;
    let most = listed.rules.max_open_orders.map_or(bound, |most| most.min(bound));
    if open_orders.saturating_add(claim.orders) > most {
        return Err(RejectCode::TooManyOpenOrders);
    }
    if let Some(most) = listed.rules.max_waiting_orders
        && claim.waiting > 0
    {
        let waits = |hold: &Hold| matches!(hold.purpose, Purpose::Order { has_trigger: true, .. });
        let holds = state.holds.oldest_first(orders);
        let count = holds.filter(|(_, hold)| waits(hold)).count();
        if count + claim.waiting > most as usize {
            return Err(RejectCode::TooManyWaitingOrders);
        }
    }
    claim
        .buys
        .map_or(Ok(()), |lots| check_position(listed, state, account, listed.scaling.base(lots)))
}

/// Whether the account may want to buy `more` base atoms than it does, besides what it has.
pub(crate) fn check_position(
    listed: &ListedMarket,
    state: &SlotState,
    account: &Account,
    more: Amount,
) -> Result<(), RejectCode> {
    let Some(most) = listed.rules.max_position else {
        return Ok(());
    };
    let wants = |(hold_id, hold): (HoldId, &Hold)| {
        let of_pair = state.legs.wants(hold_id, hold);
        of_pair.unwrap_or_else(|| hold.base_to_buy(listed))
    };
    let holds = state.holds.oldest_first(account.orders_in(listed.def.id));
    let open = holds.map(wants).fold(Amount::ZERO, |sum, wanted| sum + wanted);
    let fits = account.owned(listed.def.base) + open + more <= most;
    if fits { Ok(()) } else { Err(RejectCode::PositionLimit) }
}

/// Prices and quantities within the definition's bounds, and options that go together.
#[inline]
fn check_spec(def: &MarketDef, side: Side, spec: &OrderSpec) -> Result<(), RejectCode> {
    match *spec {
        OrderSpec::Limit { price, quantity, time_in_force, post_only } => {
            check_price(def, price)?;
            check_quantity(def, quantity)?;
            if post_only && time_in_force != TimeInForce::Gtc {
                return Err(RejectCode::InvalidCombination);
            }
            Ok(())
        }
        OrderSpec::MarketByQuantity { quantity, max_spend } => {
            check_quantity(def, quantity)?;
            // A seller spends the quantity itself.
            let stray = side == Side::Sell && max_spend.is_some();
            if stray { Err(RejectCode::InvalidCombination) } else { Ok(()) }
        }
        OrderSpec::MarketByQuote { quote, max_spend } => {
            if quote.is_zero() || quote > types::MAX_SUPPLY {
                return Err(RejectCode::InvalidQuantity);
            }
            let stray = side == Side::Buy && max_spend.is_some();
            if stray { Err(RejectCode::InvalidCombination) } else { Ok(()) }
        }
    }
}

/// Conditions that go together, with a date to come. A waiting order locks what it may need until its
/// trigger fires; where that is not known from the trigger, its client must say it.
#[inline]
fn check_conditions(
    ctx: &Context<'_>,
    def: &MarketDef,
    order: &PlaceOrder,
) -> Result<(), RejectCode> {
    if order.conditions.is_none() {
        return Ok(());
    }
    let is_known = match (order.conditions.trigger, order.side, order.spec) {
        (
            Some(Trigger::Trails { .. }),
            Side::Buy,
            OrderSpec::MarketByQuantity { max_spend, .. },
        )
        | (Some(_), Side::Sell, OrderSpec::MarketByQuote { max_spend, .. }) => max_spend.is_some(),
        _ => true,
    };
    if !is_known {
        return Err(RejectCode::InvalidCombination);
    }
    order.conditions.check(&order.spec, def.max_price)?;
    let has_come = order.conditions.expires_at.is_some_and(|at| at <= ctx.now);
    if has_come { Err(RejectCode::InvalidExpiry) } else { Ok(()) }
}

#[inline]
pub(crate) fn check_price(def: &MarketDef, price: Price) -> Result<(), RejectCode> {
    let valid = !price.is_zero() && price <= def.max_price;
    if valid { Ok(()) } else { Err(RejectCode::InvalidPrice) }
}

#[inline]
pub(crate) fn check_quantity(def: &MarketDef, quantity: Quantity) -> Result<(), RejectCode> {
    let valid = !quantity.is_zero() && quantity <= def.max_quantity;
    if valid { Ok(()) } else { Err(RejectCode::InvalidQuantity) }
}

/// What to lock. Market orders whose cost is not known lock the client's cap, else all there is.
#[inline]
pub(crate) fn required(scaling: &Scaling, order: &PlaceOrder, available: Amount) -> Amount {
    match (order.side, order.spec) {
        (side, OrderSpec::Limit { price, quantity, .. }) => scaling.need(side, price, quantity),
        (Side::Sell, OrderSpec::MarketByQuantity { quantity, .. }) => scaling.base(quantity),
        (Side::Buy, OrderSpec::MarketByQuote { quote, .. }) => quote,
        (Side::Buy, OrderSpec::MarketByQuantity { quantity, max_spend }) => max_spend
            .unwrap_or_else(|| match order.conditions.trigger {
                Some(Trigger::Rises { to } | Trigger::Falls { to }) => {
                    scaling.notional(protected_price(to), quantity)
                }
                Some(Trigger::Trails { .. }) | None => available,
            }),
        (Side::Sell, OrderSpec::MarketByQuote { max_spend, .. }) => max_spend.unwrap_or(available),
    }
}

/// What a stop order to buy at the market may cost per lot: a tenth more than its trigger, rounded up.
fn protected_price(trigger: Price) -> Price {
    Price::new(trigger.get().saturating_add(trigger.get().div_ceil(10)))
}

pub(crate) fn order_fingerprint(order: &PlaceOrder) -> u64 {
    let halves = |amount: Option<Amount>| {
        let value = amount.map_or(u128::MAX, Amount::get);
        (value as u64, (value >> 64) as u64)
    };
    let head = [u64::from(order.market.0), order.side as u64, order.self_trade_prevention as u64];
    let tail = match order.spec {
        OrderSpec::Limit { price, quantity, time_in_force, post_only } => {
            [1, price.get(), quantity.get(), time_in_force as u64, u64::from(post_only)]
        }
        OrderSpec::MarketByQuantity { quantity, max_spend } => {
            let (low, high) = halves(max_spend);
            [2, quantity.get(), low, high, 0]
        }
        OrderSpec::MarketByQuote { quote, max_spend } => {
            let (low, high) = halves(max_spend);
            let (quote_low, quote_high) = halves(Some(quote));
            [3, quote_low, quote_high, low, high]
        }
    };
    let [a, b, c] = head;
    let [d, e, f, g, h] = tail;
    if order.conditions.is_none() {
        return fingerprint(&[a, b, c, d, e, f, g, h]);
    }
    let [i, j, k, l, m, n] = condition_words(&order.conditions);
    fingerprint(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n])
}

/// The conditions as numbers: equal conditions give equal ones, and different ones differ.
fn condition_words(conditions: &Conditions) -> [u64; 6] {
    let Conditions { trigger, expires_at, visible, minimum, slide } = *conditions;
    let (kind, price) = match trigger {
        None => (0, 0),
        Some(Trigger::Rises { to }) => (1, to.get()),
        Some(Trigger::Falls { to }) => (2, to.get()),
        Some(Trigger::Trails { basis_points, activation }) => {
            (3 + u64::from(basis_points), activation.map_or(0, Price::get))
        }
    };
    let lots = |quantity: Option<Quantity>| quantity.map_or(0, Quantity::get);
    let expires_at = expires_at.map_or(0, |at| at.0);
    [kind, price, expires_at, lots(visible), lots(minimum), u64::from(slide)]
}
