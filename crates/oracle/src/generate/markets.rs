//! Markets that come, change their units, and end; and lives of the exchange that end in order or not.

use types::{
    Decimal, MarketBounds, MarketDef, MarketId, MarketState, Price, Quantity, Redefinition,
    Request, Timestamp,
};

use super::Generator;
use super::world::style;
use crate::naive::{Exchange, Market};

/// Ids of markets are below this.
const UNKNOWN: u32 = 8;

impl Generator {
    /// Knows the markets as they are: one whose listing was refused is not there, and ordinary prices and
    /// quantities are worth the same in new units.
    pub(super) fn follow(&mut self, exchange: &Exchange) {
        self.world.styles.truncate(exchange.markets.len());
        for (style, market) in self.world.styles.iter_mut().zip(&exchange.markets) {
            if style.def.version == market.def.version {
                continue;
            }
            let (old, new) = (&style.def, &market.def);
            let converted = |count: u64, old: Decimal, new: Decimal| {
                let count = u128::from(count) * u128::from(old.units) / u128::from(new.units);
                u64::try_from(count).unwrap_or(u64::MAX).max(1)
            };
            let most = market.def.max_price.get();
            style.center = converted(style.center, old.tick, new.tick).min(most);
            style.spread = converted(style.spread, old.tick, new.tick).min(style.center);
            style.lots = converted(style.lots, old.lot, new.lot).min(new.max_quantity.get());
            (style.base_unit, style.quote_unit) = (market.base_unit, market.quote_unit);
            style.def = market.def.clone();
        }
    }

    /// A change of units, rarely the end of a market or a new one.
    pub(super) fn change_markets(&mut self, exchange: &Exchange) -> Request {
        match self.random.below(20) {
            0 => self.plan_delisting(exchange),
            1..5 if self.world.styles.len() < UNKNOWN as usize - 1 => self.list_another(),
            _ => self.plan_redefinition(exchange),
        }
    }

    fn list_another(&mut self) -> Request {
        let id = self.world.styles.len() as u32 + 1;
        let mut style = style(&mut self.random, id, &self.world.assets);
        if self.random.one_in(30) {
            style.def.bounds = self.without_room(style.def.bounds);
        }
        self.world.styles.push(style.clone());
        Request::ListMarket(Box::new(style.def))
    }

    /// A market's place; mostly of one that has not ended.
    pub(super) fn any_market(&mut self, exchange: &Exchange) -> usize {
        let mut any = || self.random.below(exchange.markets.len() as u64) as usize;
        let at = any();
        match exchange.markets[at].state {
            MarketState::Delisted if exchange.markets.len() > 1 => any(),
            _ => at,
        }
    }

    /// A market's place and id; rarely no market's id.
    fn some_market(&mut self, exchange: &Exchange) -> (usize, MarketId) {
        let at = self.any_market(exchange);
        let known = exchange.markets[at].def.id;
        (at, if self.random.one_in(60) { MarketId(UNKNOWN) } else { known })
    }

    fn soon(&mut self) -> Timestamp {
        // Two that do not go together must both be planned before one is due.
        let most = if self.world.strange { 2_000 } else { 60 };
        Timestamp(self.now + self.random.below(most) * self.world.step)
    }

    fn plan_delisting(&mut self, exchange: &Exchange) -> Request {
        let (_, market) = self.some_market(exchange);
        let at = self.soon();
        let at = if self.random.one_in(2) { None } else { Some(at) };
        Request::PlanDelisting { market, at }
    }

    fn plan_redefinition(&mut self, exchange: &Exchange) -> Request {
        let (at, id) = self.some_market(exchange);
        let known = exchange.plans.redefinition_of(id);
        let soon = self.soon();
        let time = if self.random.one_in(6) { known.unwrap_or(soon) } else { soon };
        let market = &exchange.markets[at];
        let redefinition = match self.world.strange && self.random.one_in(2) {
            true => self.one_of_two_far_apart(market),
            false => self.redefinition(market),
        };
        let taken_back = self.random.one_in(10);
        let redefinition = (!taken_back).then(|| Box::new(redefinition));
        Request::PlanRedefinition { market: id, at: time, redefinition }
    }

    /// Units twice or half as large, or any; ranges that hold what is ordinary, or less.
    fn redefinition(&mut self, market: &Market) -> Redefinition {
        let MarketDef { tick, lot, max_price, max_quantity, .. } = market.def;
        let (tick_is, lot_is) = (self.unit(tick), self.unit(lot));
        let mut largest = |count: u64, old: Decimal, new: Decimal| {
            let same = u128::from(count) * u128::from(old.units) / u128::from(new.units).max(1);
            let same = u64::try_from(same).unwrap_or(u64::MAX).clamp(1, 1 << 40);
            match self.random.below(12) {
                0 => same / 2,
                1 => 1 << 63,
                2 => 0,
                3 => same * 2,
                _ => same,
            }
        };
        let max_price = Price::new(largest(max_price.get(), tick, tick_is));
        let max_quantity = Quantity::new(largest(max_quantity.get(), lot, lot_is));
        let bounds = match self.random.below(90) {
            0 => Some(self.without_room(market.def.bounds)),
            1..30 => Some(super::world::bounds(&mut self.random)),
            _ => None,
        };
        Redefinition { tick: tick_is, lot: lot_is, max_price, max_quantity, bounds }
    }

    /// Bounds of which one is zero.
    fn without_room(&mut self, mut bounds: MarketBounds) -> MarketBounds {
        match self.random.below(4) {
            0 => bounds.max_orders = 0,
            1 => bounds.max_levels = 0,
            2 => bounds.max_orders_per_account = 0,
            _ => bounds.max_waiting = 0,
        }
        bounds
    }

    /// Each of the two may follow ordinary units, but neither the other: their ticks stand in no simple ratio.
    fn one_of_two_far_apart(&mut self, market: &Market) -> Redefinition {
        let MarketDef { tick, lot, .. } = market.def;
        let (places, of_lot) = (self.world.places(&market.def), lot.scale);
        let (tick, lot) = match self.random.one_in(2) && tick.scale == places {
            true => (Decimal::new(4_611_686_018_427_387_847, places), Decimal::new(1, of_lot)),
            false => (Decimal::new(7, places + 6), Decimal::new(1_000_000, of_lot)),
        };
        let (max_price, max_quantity) = (Price::new(1 << 10), Quantity::new(1 << 10));
        Redefinition { tick, lot, max_price, max_quantity, bounds: None }
    }

    fn unit(&mut self, old: Decimal) -> Decimal {
        let Decimal { units, scale } = old;
        match self.random.below(24) {
            0 => Decimal::new(0, scale),
            1 => Decimal::new(units, scale + 1),
            2 => Decimal::new(18_446_744_073_709_551_557, scale),
            3..6 if units < 1 << 30 => Decimal::new(units * 10, scale + 1),
            6..12 => old,
            12..16 if units.is_multiple_of(2) && units < 1 << 30 => Decimal::new(units / 2, scale),
            16 if units.is_multiple_of(5) && units < 1 << 30 => Decimal::new(units / 5, scale),
            17 if units < 1 << 30 => Decimal::new(units * 3 / 2, scale),
            18 | 19 if units < 1 << 30 => Decimal::new(units * 5, scale),
            _ if units < 1 << 30 => Decimal::new(units * 2, scale),
            _ => old,
        }
    }
}
