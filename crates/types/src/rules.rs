//! What an operator allows in a market besides what its definition can carry. Each command states all
//! rules anew; they hold for what comes after it. `docs/trading-rules.md`, section 11, states them exactly.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{Amount, DefinitionError, PartsPerMillion, Quantity};

/// Longest window of an average price, in minutes.
pub const MAX_WINDOW_MINUTES: u16 = 1_440;

/// Rules of a market's orders. All absent: the definition alone bounds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MarketRules {
    /// Lots of a limit order.
    pub limit_quantity: Range<Quantity>,
    /// Lots of a market order.
    pub market_quantity: Range<Quantity>,
    /// Quote atoms that an order is worth.
    pub notional: Range<Amount>,
    /// How far a limit price may be from the average price.
    pub price_band: Option<PriceBand>,
    /// Parts that an iceberg may come in.
    pub max_iceberg_parts: Option<u32>,
    /// Open orders of an account.
    pub max_open_orders: Option<u32>,
    /// Open orders of an account that were placed with a trigger.
    pub max_waiting_orders: Option<u32>,
    /// Base atoms that an account may have and want to buy, together.
    pub max_position: Option<Amount>,
    /// Resting orders without a date get one so many seconds ahead.
    pub max_order_age_seconds: Option<u32>,
    /// When a trade would be too far from the last one, an auction comes first.
    pub interruption: Option<Interruption>,
    /// After a start that no orderly stop preceded, trading begins again in steps.
    pub reopening: Option<Reopening>,
}

/// Least and most, where there is a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Range<T> {
    /// Not less.
    pub least: Option<T>,
    /// Not more.
    pub most: Option<T>,
}

/// Limit prices around the average of the last minutes' trades, weighted by their lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PriceBand {
    /// The current minute and those before it: 1 to [`MAX_WINDOW_MINUTES`].
    pub window_minutes: u16,
    /// For buyers.
    pub buy: Distance,
    /// For sellers.
    pub sell: Distance,
}

/// How far from a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Distance {
    /// At most so much below.
    pub below: PartsPerMillion,
    /// At most so much above.
    pub above: PartsPerMillion,
}

/// A volatility interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Interruption {
    /// How far a trade may be from the last price before its order came.
    pub distance: Distance,
    /// How long the auction takes, above zero.
    pub auction_seconds: u32,
}

/// How a market that was trading comes back after an unclean start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Reopening {
    /// So long orders can only be cancelled; above zero.
    pub cancel_only_seconds: u32,
    /// So long an auction collects orders then; above zero.
    pub auction_seconds: u32,
}

impl MarketRules {
    /// Refuses what could never let an order pass, or is out of range.
    pub fn validate(&self) -> Result<(), DefinitionError> {
        let is_ordered = self.limit_quantity.is_ordered()
            && self.market_quantity.is_ordered()
            && self.notional.is_ordered();
        let window = self
            .price_band
            .is_none_or(|band| (1..=MAX_WINDOW_MINUTES).contains(&band.window_minutes));
        let auction = self.interruption.is_none_or(|interruption| interruption.auction_seconds > 0);
        let reopening = self
            .reopening
            .is_none_or(|steps| steps.cancel_only_seconds > 0 && steps.auction_seconds > 0);
        let parts = self.max_iceberg_parts != Some(0);
        let age = self.max_order_age_seconds != Some(0);
        if is_ordered && window && auction && reopening && parts && age {
            Ok(())
        } else {
            Err(DefinitionError::Range)
        }
    }
}

impl<T: Copy + PartialOrd> Range<T> {
    /// Whether `value` lies below the least.
    #[inline]
    pub fn is_below(&self, value: T) -> bool {
        self.least.is_some_and(|least| value < least)
    }

    /// Whether `value` lies above the most.
    #[inline]
    pub fn is_above(&self, value: T) -> bool {
        self.most.is_some_and(|most| value > most)
    }

    fn is_ordered(&self) -> bool {
        self.least.zip(self.most).is_none_or(|(least, most)| least <= most)
    }
}

impl Distance {
    /// Whether `price` is this near to `reference`.
    #[must_use]
    pub fn allows(&self, reference: u64, price: u64) -> bool {
        const MILLION: u128 = 1_000_000;
        let (reference, price) = (u128::from(reference), u128::from(price) * MILLION);
        let lowest = reference * MILLION.saturating_sub(self.below.0.into());
        let highest = reference * (MILLION + u128::from(self.above.0));
        (lowest..=highest).contains(&price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_kept_to_the_tick() {
        let distance = Distance { below: PartsPerMillion(100_000), above: PartsPerMillion(50_000) };
        assert!(distance.allows(1_001, 901) && !distance.allows(1_001, 900));
        assert!(distance.allows(1_001, 1_051) && !distance.allows(1_001, 1_052));
    }

    #[test]
    fn rules_that_nothing_could_pass_are_refused() {
        let most = |most| Range { least: Some(Quantity::new(5)), most: Some(Quantity::new(most)) };
        let rules = |range| MarketRules { limit_quantity: range, ..MarketRules::default() };
        assert_eq!(rules(most(5)).validate(), Ok(()));
        assert_eq!(rules(most(4)).validate(), Err(DefinitionError::Range));
        assert_eq!(MarketRules::default().validate(), Ok(()));
    }
}
