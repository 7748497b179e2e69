//! Fee tiers, rates of markets, and schedules of volumes: mostly such that orders change their owners' tiers.

use types::{
    AccountId, Amount, AssetId, FeeRates, FeeSchedule, MakerRate, MarketId, PartsPerMillion,
    Request, TierStep, VolumeFactor,
};

use super::{Generator, Random, World};
use crate::naive::Exchange;

impl Generator {
    /// A tier's rates, a market's, an account's tier, or another schedule.
    pub(super) fn charge(&mut self, exchange: &Exchange) -> Request {
        let account = AccountId(self.account());
        let tier = self.random.below(4) as u8;
        match self.random.below(10) {
            0 | 1 => Request::SetAccountFeeTier { account, fee_tier: Some(tier) },
            2..5 => Request::SetAccountFeeTier { account, fee_tier: None },
            5 | 6 => Request::SetFeeTier { tier: tier % 3, rates: self.rates() },
            7 | 8 => {
                let at = self.any_market(exchange);
                let known = exchange.markets[at].def.id;
                let market = if self.random.one_in(40) { MarketId(8) } else { known };
                let rates = if self.random.one_in(3) { None } else { Some(self.rates()) };
                Request::SetMarketFees { market, tier, rates }
            }
            _ => Request::SetFeeSchedule(self.schedule()),
        }
    }

    fn rates(&mut self) -> FeeRates {
        let mut rates = rates(&mut self.random);
        match self.random.below(30) {
            0 => rates.maker = MakerRate(self.random.pick(&[1_000_001, -1_000_001, i32::MIN])),
            1 => rates.taker = PartsPerMillion(1_000_001),
            _ => {}
        }
        rates
    }

    fn schedule(&mut self) -> FeeSchedule {
        let mut schedule = schedule(&self.world, &mut self.random);
        if self.random.one_in(6) {
            schedule.steps.clear();
        }
        match self.random.below(24) {
            0 => schedule.steps.reverse(),
            1 => schedule.steps.extend(schedule.steps.last().copied()),
            2 => schedule.steps.extend([TierStep { tier: 3, least: Amount::MAX }]),
            3 => schedule.factors.reverse(),
            4 => schedule.factors.extend([factor(AssetId(7), 1, 1)]),
            5 => schedule.factors.extend([factor(AssetId(3), 0, 1)]),
            6 => schedule.factors = vec![factor(AssetId(3), 1, 0)],
            7 => {
                schedule.steps =
                    (0..65).map(|n| TierStep { tier: 0, least: Amount::new(n) }).collect()
            }
            _ => {}
        }
        schedule
    }
}

/// Rates of a fee tier: mostly small, sometimes nothing or all, and a maker's is often a rebate.
pub(super) fn rates(random: &mut Random) -> FeeRates {
    let mut rate = || match random.below(8) {
        0 => 0,
        1 => 1_000_000,
        2 => random.between(0, 1_000_000) as u32,
        _ => random.between(0, 10_000) as u32,
    };
    let (maker, taker) = (rate().cast_signed(), PartsPerMillion(rate()));
    let gets_rebate = random.one_in(3);
    FeeRates { maker: MakerRate(if gets_rebate { -maker } else { maker }), taker }
}

/// Steps that some ordinary orders reach, in the order of tiers or not.
pub(super) fn schedule(world: &World, random: &mut Random) -> FeeSchedule {
    let typical = world.styles.iter().map(|style| u128::from(style.lots * style.center)).max();
    let typical = typical.unwrap_or(1);
    let mut tiers = vec![0, 1, 2];
    for at in 0..3 {
        tiers.swap(at, random.below(3) as usize);
    }
    let mut least = 0;
    let steps = tiers.into_iter().take(random.between(1, 3) as usize).map(|tier| {
        let step = TierStep { tier, least: Amount::new(least) };
        least += 1 + typical * u128::from(random.between(0, 60));
        step
    });
    let steps = steps.collect();
    let mut factors: Vec<_> = [2, 3]
        .into_iter()
        .map(|quote| {
            let numerator = random.pick(&[1, 1, 2, 7, u32::MAX]);
            factor(AssetId(quote), numerator, random.pick(&[1, 1, 3, 1_000, u64::MAX]))
        })
        .collect();
    factors.truncate(random.between(1, 4) as usize);
    FeeSchedule { steps, factors }
}

fn factor(quote: AssetId, numerator: u32, denominator: u64) -> VolumeFactor {
    VolumeFactor { quote, numerator, denominator }
}
