//! A new order: the rules in their order (9), the hold (10.1), the market.

use types::{
    AccountId, ClientOrderId, Event, MarketState, OrderId, OrderSpec, PlaceOrder, RejectCode,
    ReplyTo, Request, Side, TimeInForce, Trigger,
};

use super::funds::Place;
use super::market::Market;
use super::order::Order;
use super::{Asker, Exchange, pays_with};

/// No amount is larger.
pub(super) const LARGEST_AMOUNT: u128 = 1 << 96;

impl Exchange {
    pub(super) fn place_order(
        &mut self,
        asker: &Asker,
        order: &PlaceOrder,
    ) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        let request = Request::PlaceOrder(order.clone());
        if !asker.client_id.is_none() && self.repeated(asker, &request)? {
            return Ok(());
        }
        let outcome = self.decide(asker, order);
        self.remember(asker, &request, outcome);
        outcome.map(|_| ())
    }

    fn decide(&mut self, asker: &Asker, order: &PlaceOrder) -> Result<OrderId, RejectCode> {
        if self.account(asker.account)?.frozen {
            return Err(RejectCode::AccountFrozen);
        }
        let at = self.open_market(asker.market)?;
        let market = &self.markets[at];
        if order.version != market.def.version {
            return Err(RejectCode::StaleDefinition);
        }
        check_order(market, order, self.now)?;
        self.check_account_rules(market, std::slice::from_ref(order))?;
        let asset = pays_with(market, order.side);
        let available = self.funds.available(asker.account, asset);
        let hold = hold(market, order, available);
        if hold > available || hold == 0 {
            return Err(RejectCode::InsufficientBalance);
        }
        self.follow_volume(asker.account);
        let new = self.new_order(order, hold)?;
        // The hold comes first; what is not needed of it is given back when the command is through.
        let account = asker.account;
        self.funds.post(asset, Place::Available(account), Place::Held(account), hold);
        let id = self.markets[at].admit(asker, new);
        self.collect(at);
        id
    }

    /// A checked order on its way into the market, with what it may spend.
    pub(super) fn new_order(
        &mut self,
        order: &PlaceOrder,
        budget: u128,
    ) -> Result<Order, RejectCode> {
        let rates = self.rates(self.account(order.account.0)?, order.market.0);
        self.placements += 1;
        Ok(Order {
            id: 0,
            account: order.account.0,
            side: order.side,
            spec: order.spec,
            conditions: *order.conditions,
            prevention: order.self_trade_prevention,
            rates,
            client_id: order.client_order_id,
            placed: self.placements,
            price: order.spec.limit_price().get(),
            remaining: order.spec.quantity().map_or(0, |lots| lots.get()),
            shown: 0,
            filled: 0,
            quote_left: match order.spec {
                OrderSpec::MarketByQuote { quote, .. } => quote.get(),
                _ => 0,
            },
            budget,
            reference: None,
        })
    }
}

/// What placing holds, in atoms of what the order pays with (10.1, 4.8).
pub(super) fn hold(market: &Market, order: &PlaceOrder, available: u128) -> u128 {
    let base = |lots: u64| u128::from(lots) * market.base_unit;
    match (order.spec, order.side) {
        (OrderSpec::Limit { price, quantity, .. }, Side::Buy) => {
            market.notional(price.get(), quantity.get())
        }
        (
            OrderSpec::Limit { quantity, .. } | OrderSpec::MarketByQuantity { quantity, .. },
            Side::Sell,
        ) => base(quantity.get()),
        (OrderSpec::MarketByQuote { quote, .. }, Side::Buy) => quote.get(),
        (OrderSpec::MarketByQuantity { max_spend: Some(cap), .. }, Side::Buy)
        | (OrderSpec::MarketByQuote { max_spend: Some(cap), .. }, Side::Sell) => cap.get(),
        (OrderSpec::MarketByQuantity { quantity, max_spend: None }, Side::Buy) => {
            match order.conditions.trigger {
                Some(Trigger::Rises { to } | Trigger::Falls { to }) => {
                    let protected = to.get() + to.get().div_ceil(10);
                    market.notional(protected, quantity.get())
                }
                _ => available,
            }
        }
        (OrderSpec::MarketByQuote { max_spend: None, .. }, Side::Sell) => available,
    }
}

/// From the price to the date, in the order of section 9.
pub(super) fn check_order(
    market: &Market,
    order: &PlaceOrder,
    now: types::Timestamp,
) -> Result<(), RejectCode> {
    if let OrderSpec::Limit { price, .. } = order.spec {
        market.check_price(price.get())?;
    }
    if let Some(lots) = order.spec.quantity() {
        market.check_quantity(lots.get())?;
    }
    if let OrderSpec::MarketByQuote { quote, .. } = order.spec
        && !(1..=LARGEST_AMOUNT).contains(&quote.get())
    {
        return Err(RejectCode::InvalidQuantity);
    }
    check_combination(order)?;
    check_conditions(market, order)?;
    if order.conditions.expires_at.is_some_and(|date| date <= now) {
        return Err(RejectCode::InvalidExpiry);
    }
    Ok(())
}

/// Which options go together (3, 4.8).
fn check_combination(order: &PlaceOrder) -> Result<(), RejectCode> {
    let conditions = &order.conditions;
    let (in_force, post_only) = match order.spec {
        OrderSpec::Limit { time_in_force, post_only, .. } => (Some(time_in_force), post_only),
        _ => (None, false),
    };
    let gtc = in_force == Some(TimeInForce::Gtc);
    let waits = conditions.trigger.is_some();
    let asks_minimum = conditions.minimum.is_some();
    let wrong = (post_only && (!gtc || waits))
        || (conditions.slide && !post_only)
        || (asks_minimum && (post_only || !(gtc || in_force == Some(TimeInForce::Ioc))))
        || (conditions.visible.is_some() && !gtc)
        || (conditions.expires_at.is_some() && !gtc && !waits)
        || wrong_cap(order);
    if wrong { Err(RejectCode::InvalidCombination) } else { Ok(()) }
}

/// A cap belongs to an order whose cost is not known, and some that wait must have one (4.8, 10.1).
fn wrong_cap(order: &PlaceOrder) -> bool {
    let trails = matches!(order.conditions.trigger, Some(Trigger::Trails { .. }));
    let waits = order.conditions.trigger.is_some();
    match (order.spec, order.side) {
        (OrderSpec::Limit { .. }, _) => false,
        (OrderSpec::MarketByQuantity { max_spend, .. }, Side::Buy) => max_spend.is_none() && trails,
        (OrderSpec::MarketByQuote { max_spend, .. }, Side::Sell) => max_spend.is_none() && waits,
        (OrderSpec::MarketByQuantity { max_spend, .. }, Side::Sell)
        | (OrderSpec::MarketByQuote { max_spend, .. }, Side::Buy) => max_spend.is_some(),
    }
}

/// Trigger, visible quantity and minimum.
fn check_conditions(market: &Market, order: &PlaceOrder) -> Result<(), RejectCode> {
    let price = |price: types::Price| market.check_price(price.get()).is_ok();
    let fine = match order.conditions.trigger {
        None => true,
        Some(Trigger::Rises { to } | Trigger::Falls { to }) => price(to),
        Some(Trigger::Trails { basis_points, activation }) => {
            (1..=5_000).contains(&basis_points) && activation.is_none_or(price)
        }
    };
    if !fine {
        return Err(RejectCode::InvalidTrigger);
    }
    let quantity = order.spec.quantity().map_or(0, |lots| lots.get());
    let visible = order.conditions.visible.map(|lots| lots.get());
    if visible.is_some_and(|visible| visible == 0 || visible >= quantity) {
        return Err(RejectCode::InvalidVisibleQuantity);
    }
    let minimum = order.conditions.minimum.map(|lots| lots.get());
    if minimum.is_some_and(|minimum| minimum == 0 || minimum > quantity) {
        return Err(RejectCode::InvalidQuantity);
    }
    Ok(())
}

impl Market {
    pub(super) fn check_price(&self, price: u64) -> Result<(), RejectCode> {
        let fine = (1..=self.def.max_price.get()).contains(&price);
        if fine { Ok(()) } else { Err(RejectCode::InvalidPrice) }
    }

    pub(super) fn check_quantity(&self, lots: u64) -> Result<(), RejectCode> {
        let fine = (1..=self.def.max_quantity.get()).contains(&lots);
        if fine { Ok(()) } else { Err(RejectCode::InvalidQuantity) }
    }

    /// A funded order comes to the market: it is checked, then it matches, rests or waits.
    fn admit(&mut self, asker: &Asker, mut order: Order) -> Result<OrderId, RejectCode> {
        self.check_admission(&mut order, false, 0)?;
        self.last_order += 1;
        order.id = self.last_order;
        let id = OrderId(order.id);
        self.accept(asker.reply, asker.client_id, order);
        self.enter_fired();
        Ok(id)
    }

    /// What section 9 asks of an order in the market: of one that comes with `to_wait` others that are to
    /// wait, and perhaps as one of a pair.
    pub(super) fn check_admission(
        &self,
        order: &mut Order,
        of_pair: bool,
        to_wait: usize,
    ) -> Result<(), RejectCode> {
        self.accepts_orders()?;
        let waits = order.conditions.trigger.is_some();
        let plain = order.time_in_force() == Some(TimeInForce::Gtc)
            && !order.is_post_only()
            && order.minimum().is_none();
        if self.state != MarketState::Continuous && !waits && !plain {
            return Err(RejectCode::NotDuringAuction);
        }
        self.age(order);
        self.check_rules(order)?;
        if waits { self.check_waiting(order, to_wait) } else { self.check_entering(order, of_pair) }
    }

    /// Says that a checked order with its id is placed, and lets it match, rest or wait.
    pub(super) fn accept(&mut self, reply: ReplyTo, name: ClientOrderId, order: Order) {
        self.events.push(Event::OrderPlaced {
            reply,
            market: self.def.id,
            order: OrderId(order.id),
            account: AccountId(order.account),
            client_order_id: name,
            side: order.side,
            spec: order.spec,
            conditions: order.conditions.into(),
        });
        match self.state {
            _ if order.conditions.trigger.is_some() => self.wait(order),
            MarketState::Continuous => self.enter(order),
            _ => self.rest(order),
        }
    }
}
