//! Order lists: mostly of the form that makes one, with prices on the sides where they can act.

use types::{
    ClientOrderId, Conditions, ListLeg, OrderId, OrderSpec, PlaceOrder, PlaceOrderList, Price,
    Quantity, Request, Side, TimeInForce, Trigger,
};

use super::Generator;
use super::orders::limit;
use crate::naive::{Exchange, List, Market};

impl Generator {
    pub(super) fn order_list(&mut self, exchange: &Exchange) -> Request {
        if self.random.one_in(25) && !self.sent.is_empty() {
            return self.again();
        }
        // It says who, where and how; the legs come from below.
        let order = self.order(exchange);
        let known = exchange.markets.iter().position(|market| market.def.id == order.market);
        let at = known.unwrap_or(0);
        let market = &exchange.markets[at];
        let kinds = if self.world.may_pend(order.account) { 24 } else { 10 };
        let (legs, pending) = match self.random.below(kinds) {
            0..10 => (self.pair(market, at), Vec::new()),
            10..16 => (vec![self.working(market, at)], vec![self.leg(market, at)]),
            16..23 => (vec![self.working(market, at)], self.pair(market, at)),
            _ => {
                let mut legs = |most| -> Vec<_> {
                    let count = self.random.below(most);
                    (0..count).map(|_| self.leg(market, at)).collect()
                };
                (legs(4), legs(4))
            }
        };
        let mut list = PlaceOrderList {
            account: order.account,
            market: order.market,
            version: order.version,
            client_order_id: order.client_order_id,
            self_trade_prevention: order.self_trade_prevention,
            legs,
            pending,
        };
        self.use_a_name_twice(&mut list);
        let request = Request::PlaceOrderList(Box::new(list));
        self.keep(&request);
        request
    }

    /// Rarely, a leg has the list's name, another leg's, or one that was used before.
    fn use_a_name_twice(&mut self, list: &mut PlaceOrderList) {
        if self.world.long || !self.random.one_in(40) {
            return;
        }
        let used = match self.random.below(3) {
            0 => list.client_order_id,
            1 => list.legs.first().map_or(ClientOrderId::NONE, |leg| leg.client_order_id),
            _ => self.old_name(),
        };
        if let Some(leg) = list.pending.last_mut().or(list.legs.last_mut()) {
            leg.client_order_id = used;
        }
    }

    /// A list that was sent before with something else in it, or a leg of it as an order by itself.
    pub(super) fn differing(&mut self, list: &PlaceOrderList) -> Request {
        let mut list = list.clone();
        let legs = list.legs.len() as u64;
        if legs > 0 && self.random.one_in(2) {
            let leg = list.legs[self.random.below(legs) as usize];
            return Request::PlaceOrder(PlaceOrder {
                account: list.account,
                market: list.market,
                version: list.version,
                client_order_id: leg.client_order_id,
                side: leg.side,
                spec: leg.spec,
                conditions: leg.conditions.into(),
                self_trade_prevention: list.self_trade_prevention,
            });
        }
        match list.pending.pop() {
            Some(_) => {}
            None => list.legs.reverse(),
        }
        Request::PlaceOrderList(Box::new(list))
    }

    /// Any order.
    fn leg(&mut self, market: &Market, at: usize) -> ListLeg {
        let side = self.random.pick(&[Side::Buy, Side::Sell]);
        let spec = self.spec(market, at, side);
        let conditions = self.conditions(market, at, &spec);
        ListLeg { client_order_id: self.client_id(), side, spec, conditions }
    }

    /// Mostly a limit order without a trigger.
    fn working(&mut self, market: &Market, at: usize) -> ListLeg {
        let mut leg = self.leg(market, at);
        if self.random.one_in(25) {
            return leg;
        }
        if !matches!(leg.spec, OrderSpec::Limit { .. }) {
            let in_force =
                self.random.pick(&[TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]);
            let quantity = Quantity::new(self.lots(at));
            leg.spec = limit(self.price(market, at), quantity, in_force, false);
            leg.conditions = Conditions::NONE;
        }
        if leg.conditions.trigger.take().is_some() {
            leg.conditions = Conditions::NONE;
        }
        leg
    }

    /// Mostly two legs of which one cancels the other.
    fn pair(&mut self, market: &Market, at: usize) -> Vec<ListLeg> {
        let side = self.random.pick(&[Side::Buy, Side::Sell]);
        let quantity = Quantity::new(self.lots(at));
        let (first, second) = if self.random.one_in(3) {
            let above = self.random.one_in(2);
            let first = self.stop(market, at, side, quantity, above);
            (first, self.stop(market, at, side, quantity, !above))
        } else {
            let above = side == Side::Sell;
            let first = self.resting(market, at, side, quantity);
            (first, self.stop(market, at, side, quantity, !above))
        };
        let mut legs = vec![first, second];
        match self.random.below(60) {
            0 => legs.swap(0, 1),
            1 => legs[0] = self.leg(market, at),
            2 => legs[1] = self.leg(market, at),
            3 => legs[1].side = side.opposite(),
            4 => legs[0].conditions.slide = true,
            _ => {}
        }
        legs
    }

    fn resting(&mut self, market: &Market, at: usize, side: Side, quantity: Quantity) -> ListLeg {
        let price = self.beyond(market, at, side == Side::Sell);
        let spec = limit(price, quantity, TimeInForce::Gtc, self.random.one_in(8));
        let mut conditions = self.conditions(market, at, &spec);
        if !self.random.one_in(40) {
            let Conditions { expires_at, visible, .. } = conditions;
            conditions = Conditions { expires_at, visible, ..Conditions::NONE };
        }
        ListLeg { client_order_id: self.client_id(), side, spec, conditions }
    }

    /// A leg with a trigger that lies above or below the last price.
    fn stop(
        &mut self,
        market: &Market,
        at: usize,
        side: Side,
        quantity: Quantity,
        above: bool,
    ) -> ListLeg {
        let to = self.beyond(market, at, above);
        let trails = above == (side == Side::Buy) && self.random.one_in(3);
        let trigger = match above {
            _ if trails => Trigger::Trails {
                basis_points: self.distance(),
                activation: self.random.one_in(3).then_some(to),
            },
            true => Trigger::Rises { to },
            false => Trigger::Falls { to },
        };
        let near = Price::new(to.get().saturating_add(self.random.below(3)).saturating_sub(1));
        let spec = match self.random.below(6) {
            0 | 1 => limit(near, quantity, TimeInForce::Gtc, false),
            2 => limit(near, quantity, TimeInForce::Ioc, false),
            3 => limit(near, quantity, TimeInForce::Fok, false),
            _ => {
                let capped = side == Side::Buy && (trails || self.random.one_in(4));
                let cap = self.notional(market, at, quantity.get());
                OrderSpec::MarketByQuantity { quantity, max_spend: capped.then_some(cap) }
            }
        };
        let extra = self.conditions(market, at, &spec);
        let conditions = Conditions { trigger: Some(trigger), ..extra };
        ListLeg { client_order_id: self.client_id(), side, spec, conditions }
    }

    /// Mostly some ticks above or below the last price, sometimes anywhere.
    fn beyond(&mut self, market: &Market, at: usize, above: bool) -> Price {
        if self.random.one_in(8) {
            return self.price(market, at);
        }
        let last = market.last_price.unwrap_or(self.world.styles[at].center);
        let spread = self.world.styles[at].spread.min(6);
        let by = self.random.between(1, spread);
        Price::new(if above { last + by } else { last.saturating_sub(by) })
    }

    /// By its id; rarely one that is not there, or another's.
    pub(super) fn cancel_list(&mut self, exchange: &Exchange) -> Request {
        let (at, account, id) = self.some_order(exchange);
        let market = &exchange.markets[at];
        let list = self.some_list(market).filter(|_| !self.random.one_in(10));
        let (account, id) = list.unwrap_or((account, id));
        let account = if self.random.one_in(25) { self.account() } else { account };
        let market = if self.random.one_in(100) { types::MarketId(8) } else { market.def.id };
        let (account, list) = (types::AccountId(account), OrderId(id));
        Request::CancelOrderList { account, market, list }
    }

    fn some_list(&mut self, market: &Market) -> Option<(u32, u64)> {
        let count = market.lists.len() as u64;
        let nth = self.random.below(count.max(1)) as usize;
        market.lists.get(nth).map(|list| (list.account, list.id))
    }

    /// The name of a list, if one of this market has one.
    pub(super) fn name_of_list(&mut self, market: &Market) -> Option<(u32, ClientOrderId)> {
        let named = |list: &&List| !list.request.client_order_id.is_none();
        let list = market.lists.iter().find(named)?;
        Some((list.account, list.request.client_order_id))
    }
}
