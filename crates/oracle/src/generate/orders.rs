//! Orders, amendments and cancels.

use types::{
    AccountId, Amount, ClientOrderId, Conditions, MarketId, OrderId, OrderSpec, PlaceOrder, Price,
    Quantity, ReplaceOrder, Request, SelfTradePrevention, Side, TimeInForce, Timestamp, Trigger,
};

use super::Generator;
use crate::naive::{Exchange, Market};

/// Lots of an order that takes more than one entry, if it is matched lot by lot.
const DEEP: u64 = 5_000;

impl Generator {
    pub(super) fn order(&mut self, exchange: &Exchange) -> PlaceOrder {
        let at = self.any_market(exchange);
        let market = &exchange.markets[at];
        let side = self.random.pick(&[Side::Buy, Side::Sell]);
        let spec = self.spec(market, at, side);
        let conditions = self.conditions(market, at, &spec);
        let off = u32::from(self.random.one_in(100));
        PlaceOrder {
            account: AccountId(self.account()),
            market: if self.random.one_in(400) { MarketId(8) } else { market.def.id },
            version: market.def.version + off,
            client_order_id: self.client_id(),
            side,
            spec,
            conditions: conditions.into(),
            self_trade_prevention: self.random.pick(&[
                SelfTradePrevention::None,
                SelfTradePrevention::None,
                SelfTradePrevention::ExpireTaker,
                SelfTradePrevention::ExpireMaker,
                SelfTradePrevention::ExpireBoth,
                SelfTradePrevention::Decrement,
            ]),
        }
    }

    pub(super) fn client_id(&mut self) -> ClientOrderId {
        if self.random.one_in(self.world.names) { self.new_name() } else { ClientOrderId::NONE }
    }

    pub(super) fn new_name(&mut self) -> ClientOrderId {
        self.name += 1;
        format!("c{}", self.name).parse().expect("short and printable")
    }

    pub(super) fn spec(&mut self, market: &Market, at: usize, side: Side) -> OrderSpec {
        let price = self.price(market, at);
        let quantity = Quantity::new(self.lots(at));
        match self.random.weighted(&[52, 10, 8, 8, 11, 11]) {
            0 => limit(price, quantity, TimeInForce::Gtc, false),
            1 => limit(price, quantity, TimeInForce::Gtc, true),
            2 => limit(price, quantity, TimeInForce::Ioc, self.random.one_in(40)),
            3 => limit(price, quantity, TimeInForce::Fok, self.random.one_in(40)),
            4 => {
                let capped = (side == Side::Buy) != self.random.one_in(40);
                let cap = self.notional(market, at, quantity.get());
                let max_spend = (capped && self.random.one_in(2)).then_some(cap);
                OrderSpec::MarketByQuantity { quantity, max_spend }
            }
            _ => {
                let capped = (side == Side::Sell) != self.random.one_in(40);
                let cap = Amount::new(u128::from(self.lots(at)) * market.base_unit);
                let max_spend = (capped && self.random.one_in(2)).then_some(cap);
                OrderSpec::MarketByQuote {
                    quote: self.notional(market, at, quantity.get()),
                    max_spend,
                }
            }
        }
    }

    /// About what so many lots cost, rarely nothing or too much.
    pub(super) fn notional(&mut self, market: &Market, at: usize, lots: u64) -> Amount {
        let price = self.price(market, at).get();
        let exact = (u128::from(lots) * u128::from(price)).saturating_mul(market.quote_unit);
        Amount::new(match self.random.below(60) {
            0 => 0,
            1 => exact << 60,
            2 => 1,
            3..20 => exact.saturating_add(self.random.below(4).into()),
            _ => exact,
        })
    }

    /// Around the best prices, around the center, anywhere, and rarely where no price is.
    pub(super) fn price(&mut self, market: &Market, at: usize) -> Price {
        let max = market.def.max_price.get();
        let style = &self.world.styles[at];
        let (center, spread) = (style.center, style.spread);
        let bests = [market.best(Side::Buy), market.best(Side::Sell), market.last_price];
        let near = bests[self.random.below(3) as usize].unwrap_or(center);
        Price::new(match self.random.below(100) {
            0 => 0,
            1 => self.random.pick(&[max + 1, u64::MAX]),
            2 => self.random.pick(&[1, max]),
            3..45 => (near + self.random.below(5)).saturating_sub(2),
            45..97 => (center + self.random.below(2 * spread + 1)).saturating_sub(spread),
            _ => self.random.between(1, max),
        })
    }

    /// Mostly few; rarely many, none, or more than are allowed.
    pub(super) fn lots(&mut self, at: usize) -> u64 {
        let style = &self.world.styles[at];
        let max = style.def.max_quantity.get();
        match self.random.below(400) {
            0..3 => 0,
            3..6 => max + 1,
            6..12 if self.world.deep => max.min(DEEP),
            _ => self.random.between(1, style.lots),
        }
    }

    /// Mostly those that go with the kind of order, rarely any.
    pub(super) fn conditions(
        &mut self,
        market: &Market,
        at: usize,
        spec: &OrderSpec,
    ) -> Conditions {
        let (gtc, ioc, post_only) = match *spec {
            OrderSpec::Limit { time_in_force: TimeInForce::Gtc, post_only, .. } => {
                (true, false, post_only)
            }
            OrderSpec::Limit { time_in_force: TimeInForce::Ioc, .. } => (false, true, false),
            _ => (false, false, false),
        };
        let anything = self.random.one_in(60);
        let mut chance = |fits: bool, n: u64| (fits || anything) && self.random.one_in(n);
        let waits = chance(!post_only, 4);
        let (dated, iceberg) = (chance(gtc || waits, 5), chance(gtc, 5));
        let (minimum, slide) = (chance((gtc && !post_only) || ioc, 7), chance(post_only, 2));
        let quantity = spec.quantity().map_or(5, |lots| lots.get());
        if gtc && !post_only && quantity == DEEP && self.random.one_in(2) {
            return Conditions { visible: Some(Quantity::new(1)), ..Conditions::NONE };
        }
        Conditions {
            trigger: waits.then(|| self.trigger(market, at)),
            expires_at: dated.then(|| self.date()),
            visible: iceberg.then(|| self.part(quantity, true)),
            minimum: minimum.then(|| self.part(quantity, false)),
            slide,
        }
    }

    fn trigger(&mut self, market: &Market, at: usize) -> Trigger {
        let to = self.price(market, at);
        match self.random.below(3) {
            0 => Trigger::Rises { to },
            1 => Trigger::Falls { to },
            _ => Trigger::Trails {
                basis_points: self.distance(),
                activation: self.random.one_in(2).then_some(to),
            },
        }
    }

    pub(super) fn distance(&mut self) -> u16 {
        match self.random.below(60) {
            0 => 0,
            1 => 5_001,
            _ => self.random.pick(&[1, 10, 100, 500, 1_000, 2_500, 4_999, 5_000]),
        }
    }

    fn date(&mut self) -> Timestamp {
        let steps = self.random.between(1, 60);
        match self.random.below(25) {
            0 => Timestamp(self.now),
            1 => Timestamp(self.now - 1),
            2 => Timestamp(u64::MAX),
            _ => Timestamp(self.now + steps * self.world.step),
        }
    }

    /// A part of a quantity, rarely none of it or more than there is.
    fn part(&mut self, quantity: u64, small: bool) -> Quantity {
        Quantity::new(match self.random.below(40) {
            0 => 0,
            1 => quantity.saturating_add(1),
            2 => quantity,
            _ if small => self.random.between(1, (quantity / 2).max(1)),
            _ => self.random.between(1, quantity.max(1)),
        })
    }

    /// An open order: market, account, id; rarely one that is not there or another's.
    pub(super) fn some_order(&mut self, exchange: &Exchange) -> (usize, u32, u64) {
        let at = self.any_market(exchange);
        let market = &exchange.markets[at];
        let open = market.open().count() as u64;
        if open == 0 || self.random.one_in(12) {
            let id = self.random.between(0, market.last_order + 1);
            return (at, self.account(), id);
        }
        let nth = self.random.below(open) as usize;
        let order = market.open().nth(nth).expect("below the count");
        let account = if self.random.one_in(25) { self.account() } else { order.account };
        (at, account, order.id)
    }

    pub(super) fn amend(&mut self, exchange: &Exchange) -> Request {
        let (at, account, id) = self.some_order(exchange);
        let market = &exchange.markets[at];
        let old = market.resting().find(|order| order.id == id);
        let (old_price, old_total) =
            old.map_or((1, 1), |order| (order.price, order.remaining + order.filled));
        let price = match self.random.below(6) {
            0..2 => None,
            2 => Some(Price::new(old_price)),
            _ => Some(self.price(market, at)),
        };
        let quantity = match self.random.below(6) {
            0 => None,
            1 => Some(old_total),
            2 | 3 => Some(self.random.between(1, old_total)),
            4 => Some(old_total + self.random.below(4)),
            _ => Some(self.lots(at)),
        };
        Request::AmendOrder {
            account: AccountId(account),
            market: if self.random.one_in(400) { MarketId(8) } else { market.def.id },
            version: market.def.version + u32::from(self.random.one_in(200)),
            order: OrderId(id),
            price,
            quantity: quantity.map(Quantity::new),
            keep_priority: self.random.one_in(4),
        }
    }

    pub(super) fn replace(&mut self, exchange: &Exchange) -> Request {
        if self.random.one_in(15) && !self.sent.is_empty() {
            return self.again();
        }
        let mut order = self.order(exchange);
        let (at, account, cancel) = self.some_order(exchange);
        let market = &exchange.markets[at];
        if order.market == market.def.id || self.random.one_in(2) {
            order.account = AccountId(account);
        }
        if !self.random.one_in(100) {
            order.market = market.def.id;
        }
        let (cancel, stop_on_failure) = (OrderId(cancel), self.random.one_in(2));
        let request =
            Request::ReplaceOrder(Box::new(ReplaceOrder { cancel, stop_on_failure, order }));
        self.keep(&request);
        request
    }

    pub(super) fn set_countdown(&mut self, exchange: &Exchange) -> Request {
        let at = self.any_market(exchange);
        let known = exchange.markets[at].def.id;
        let market = if self.random.one_in(100) { MarketId(8) } else { known };
        let steps = self.random.below(8) * (self.world.step / 1_000_000).max(1);
        let account = AccountId(self.account());
        Request::SetCountdown { account, market, after_ms: steps as u32 }
    }

    pub(super) fn cancel(&mut self, exchange: &Exchange) -> Request {
        let (at, account, id) = self.some_order(exchange);
        let market =
            if self.random.one_in(200) { MarketId(8) } else { exchange.markets[at].def.id };
        Request::CancelOrder { account: AccountId(account), market, order: OrderId(id) }
    }

    pub(super) fn cancel_by_client_id(&mut self, exchange: &Exchange) -> Request {
        let (at, account, id) = self.some_order(exchange);
        let market = &exchange.markets[at];
        if let Some((account, client_order_id)) = self.name_of_list(market)
            && self.random.one_in(4)
        {
            return Request::CancelByClientId { account: AccountId(account), client_order_id };
        }
        let order = market.open().find(|order| order.id == id);
        let name = order.map(|order| order.client_id).filter(|name| !name.is_none());
        let client_order_id = name.unwrap_or_else(|| self.old_name());
        Request::CancelByClientId { account: AccountId(account), client_order_id }
    }

    pub(super) fn old_name(&mut self) -> ClientOrderId {
        let name = self.random.between(1, self.name + 1);
        format!("c{name}").parse().expect("short and printable")
    }

    pub(super) fn cancel_all(&mut self, exchange: &Exchange) -> Request {
        let at = self.any_market(exchange);
        let known = exchange.markets[at].def.id;
        let market = if self.random.one_in(30) { MarketId(8) } else { known };
        Request::CancelAll { account: AccountId(self.account()), market }
    }
}

pub(super) fn limit(
    price: Price,
    quantity: Quantity,
    time_in_force: TimeInForce,
    post_only: bool,
) -> OrderSpec {
    OrderSpec::Limit { price, quantity, time_in_force, post_only }
}
