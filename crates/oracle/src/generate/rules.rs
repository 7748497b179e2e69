//! The operator's rules of markets, and planned states.

use types::{
    Amount, Distance, Interruption, MarketId, MarketRules, MarketState, PartsPerMillion, PriceBand,
    Quantity, Range, Reopening, Request, Timestamp,
};

use super::Generator;
use crate::naive::Exchange;

impl Generator {
    /// Some rules, all of them moderate; often none.
    pub(super) fn set_rules(&mut self, exchange: &Exchange) -> Request {
        let at = self.any_market(exchange);
        let market = &exchange.markets[at];
        let known = market.def.id;
        let id = if self.random.one_in(60) { MarketId(8) } else { known };
        let mut rules = MarketRules::default();
        if self.world.ruled && !self.random.one_in(3) {
            let lots = self.world.styles[at].lots;
            let center = self.world.styles[at].center;
            let typical = u128::from(lots) * u128::from(center) * market.quote_unit;
            rules.limit_quantity = self.range(lots.into(), |lots| Quantity::new(lots as u64));
            rules.market_quantity = self.range(lots.into(), |lots| Quantity::new(lots as u64));
            rules.notional = self.range(typical, Amount::new);
            rules.price_band = self.random.one_in(4).then(|| PriceBand {
                window_minutes: self.random.pick(&[0, 1, 1, 2, 3, 10, 1_440, 1_441]),
                buy: self.distance_of_rule(),
                sell: self.distance_of_rule(),
            });
            let small = |generator: &mut Self, n, most| {
                generator.random.one_in(n).then(|| generator.random.between(0, most) as u32)
            };
            rules.max_iceberg_parts = small(self, 4, 4);
            rules.max_open_orders = small(self, 3, 6);
            rules.max_waiting_orders = small(self, 5, 5);
            rules.max_order_age_seconds = small(self, 4, 40);
            let position = u128::from(lots) * market.base_unit * 40;
            rules.max_position = self
                .random
                .one_in(5)
                .then(|| Amount::new(position * self.random.between(0, 9) as u128));
            rules.interruption = self.random.one_in(2).then(|| Interruption {
                distance: self.distance_of_rule(),
                auction_seconds: self.random.between(0, 9) as u32,
            });
            rules.reopening = self.random.one_in(2).then(|| Reopening {
                cancel_only_seconds: self.random.between(0, 9) as u32,
                auction_seconds: self.random.between(0, 9) as u32,
            });
        }
        Request::SetMarketRules { market: id, rules: Box::new(rules) }
    }

    fn range<T>(&mut self, typical: u128, make: fn(u128) -> T) -> Range<T> {
        let mut bound = |parts: &[u128]| {
            let part = self.random.pick(parts);
            self.random.one_in(5).then(|| make(typical * part / 10))
        };
        Range { least: bound(&[1, 2, 4]), most: bound(&[3, 6, 9, 15]) }
    }

    fn distance_of_rule(&mut self) -> Distance {
        let mut far = || PartsPerMillion(self.random.pick(&[0, 1_000, 50_000, 200_000, 1_000_001]));
        Distance { below: far(), above: far() }
    }

    /// A state to come soon; sometimes a plan is taken back.
    pub(super) fn plan_state(&mut self, exchange: &Exchange) -> Request {
        let at = self.any_market(exchange);
        let market = &exchange.markets[at];
        let id = if self.random.one_in(60) { MarketId(8) } else { market.def.id };
        let known = market.plans.first().map(|plan| plan.0);
        let step = self.world.step;
        let soon = Timestamp(self.now + self.random.below(40) * step);
        let at = if self.random.one_in(4) { known.unwrap_or(soon) } else { soon };
        let state = self.random.pick(&[
            Some(MarketState::Continuous),
            Some(MarketState::Continuous),
            Some(MarketState::Continuous),
            Some(MarketState::Auction),
            Some(MarketState::PreOpen),
            Some(MarketState::Halted),
            Some(MarketState::Closed),
            Some(MarketState::Delisted),
            None,
        ]);
        Request::PlanMarketState { market: id, at, state }
    }
}
