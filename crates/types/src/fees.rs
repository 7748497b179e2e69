//! What trading costs: rates, and the schedule that leads an account to its tier by what it traded.
//! `docs/trading-rules.md`, section 10, states the rules.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::money::MakerRate;
use crate::{Amount, AssetId, DefinitionError, PartsPerMillion, Timestamp};

/// Days that an account's volume is counted over: today and those before it.
pub const VOLUME_DAYS: u32 = 30;

/// Most tiers of a schedule.
const MAX_STEPS: usize = 64;

/// Most quote assets of a schedule.
const MAX_FACTORS: usize = 1_024;

const NANOS_PER_DAY: u64 = 86_400_000_000_000;

/// Maker and taker rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FeeRates {
    /// For the order that rested, and for both sides of an auction (where a rebate is nothing).
    pub maker: MakerRate,
    /// For the order that came and matched: taken from what it receives.
    pub taker: PartsPerMillion,
}

impl FeeRates {
    /// Refuses rates above the whole.
    pub fn validate(&self) -> Result<(), DefinitionError> {
        let valid = self.maker.is_valid() && self.taker.0 <= 1_000_000;
        if valid { Ok(()) } else { Err(DefinitionError::Rate) }
    }
}

/// Which volume of the last 30 days leads to which tier. Empty: volumes are not counted, and accounts
/// stay in their tiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FeeSchedule {
    /// By rising volume, from zero.
    pub steps: Vec<TierStep>,
    /// What counts, by rising asset. Trades for another quote do not count.
    pub factors: Vec<VolumeFactor>,
}

/// A tier and what leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TierStep {
    /// The tier.
    pub tier: u8,
    /// The least volume, in the schedule's unit.
    pub least: Amount,
}

/// How many units of the schedule an atom of a quote asset is: `numerator / denominator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct VolumeFactor {
    /// The quote asset.
    pub quote: AssetId,
    /// Above zero.
    pub numerator: u32,
    /// Above zero.
    pub denominator: u64,
}

impl FeeSchedule {
    /// Refuses one that does not rise from zero, names a tier or an asset twice, or is too long.
    pub fn validate(&self) -> Result<(), DefinitionError> {
        let rises = self.steps.windows(2).all(|pair| pair[0].least < pair[1].least);
        let from_zero = self.steps.first().is_none_or(|first| first.least.is_zero());
        let once = |step: &TierStep| self.steps.iter().filter(|s| s.tier == step.tier).count() == 1;
        let sorted = self.factors.windows(2).all(|pair| pair[0].quote < pair[1].quote);
        let ratios = self.factors.iter().all(|f| f.numerator > 0 && f.denominator > 0);
        let short = self.steps.len() <= MAX_STEPS && self.factors.len() <= MAX_FACTORS;
        if short && rises && from_zero && self.steps.iter().all(once) && sorted && ratios {
            Ok(())
        } else {
            Err(DefinitionError::Schedule)
        }
    }

    /// The tier that a volume leads to; none if the schedule is empty.
    #[must_use]
    pub fn tier_of(&self, volume: Amount) -> Option<u8> {
        let reached = self.steps.partition_point(|step| step.least <= volume);
        Some(self.steps[..reached].last()?.tier)
    }

    /// What `traded` quote atoms count, in the schedule's unit, rounded down: nothing if the quote has no
    /// factor or the schedule is empty.
    #[must_use]
    pub fn volume_of(&self, quote: AssetId, traded: Amount) -> Amount {
        if self.steps.is_empty() {
            return Amount::ZERO;
        }
        match self.factors.binary_search_by_key(&quote, |factor| factor.quote) {
            Ok(at) => self.factors[at].units_of(traded),
            Err(_) => Amount::ZERO,
        }
    }
}

impl VolumeFactor {
    /// An asset's supply times 32 bits fits.
    fn units_of(&self, atoms: Amount) -> Amount {
        Amount::new(atoms.get() * u128::from(self.numerator) / u128::from(self.denominator))
    }
}

impl Timestamp {
    /// Whole days (UTC) since the Unix epoch.
    #[must_use]
    pub fn as_days(self) -> u32 {
        u32::try_from(self.0 / NANOS_PER_DAY).expect("the end of time is day 213,503")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(steps: &[(u8, u128)]) -> FeeSchedule {
        let steps = steps.iter().map(|&(tier, least)| TierStep { tier, least: Amount::new(least) });
        let factor = VolumeFactor { quote: AssetId(2), numerator: 2, denominator: 3 };
        FeeSchedule { steps: steps.collect(), factors: vec![factor] }
    }

    #[test]
    fn a_tier_is_reached_at_its_least_volume() {
        let schedule = schedule(&[(0, 0), (2, 10), (1, 20)]);
        let tiers = [0, 9, 10, 19, 20, 1_000].map(|v| schedule.tier_of(Amount::new(v)).unwrap());
        assert_eq!(tiers, [0, 0, 2, 2, 1, 1]);
        assert_eq!(FeeSchedule::default().tier_of(Amount::MAX), None);
    }

    #[test]
    fn a_schedule_rises_from_zero_and_names_each_tier_and_asset_once() {
        let valid = |steps: &[(u8, u128)]| schedule(steps).validate().is_ok();
        assert!(valid(&[]) && valid(&[(3, 0)]) && valid(&[(3, 0), (1, 5)]));
        assert!(!valid(&[(0, 1)]), "what is below the first tier?");
        assert!(!valid(&[(0, 0), (1, 5), (2, 5)]) && !valid(&[(0, 0), (0, 5)]));
        let long: Vec<(u8, u128)> = (0..=64).map(|tier| (tier, tier.into())).collect();
        assert!(valid(&long[..64]) && !valid(&long));
        let with = |factors: &[(u32, u32, u64)]| {
            let factors = factors.iter().map(|&(quote, numerator, denominator)| VolumeFactor {
                quote: AssetId(quote),
                numerator,
                denominator,
            });
            FeeSchedule { factors: factors.collect(), ..schedule(&[(0, 0)]) }.validate().is_ok()
        };
        assert!(with(&[]) && with(&[(1, 1, 1), (2, 1, 1)]));
        assert!(!with(&[(2, 1, 1), (1, 1, 1)]) && !with(&[(1, 1, 1), (1, 1, 1)]));
        assert!(!with(&[(1, 0, 1)]) && !with(&[(1, 1, 0)]));
    }

    #[test]
    fn a_trade_counts_rounded_down_and_only_for_a_quote_with_a_factor() {
        let schedule = schedule(&[(0, 0)]);
        assert_eq!(schedule.volume_of(AssetId(2), Amount::new(5)), Amount::new(3));
        assert_eq!(schedule.volume_of(AssetId(1), Amount::new(5)), Amount::ZERO);
        let empty = FeeSchedule { steps: Vec::new(), ..schedule };
        assert_eq!(empty.volume_of(AssetId(2), Amount::new(5)), Amount::ZERO);
        let largest = VolumeFactor { quote: AssetId(2), numerator: u32::MAX, denominator: 1 };
        let all = largest.units_of(crate::MAX_SUPPLY);
        assert_eq!(all.get(), u128::from(u32::MAX) << 96);
    }

    #[test]
    fn days_begin_at_midnight_utc() {
        let midnight = 20_000 * NANOS_PER_DAY;
        assert_eq!(Timestamp(midnight - 1).as_days(), 19_999);
        assert_eq!(Timestamp(midnight).as_days(), 20_000);
        assert_eq!(Timestamp(u64::MAX).as_days(), 213_503);
    }
}
