//! What makes an order more than a plain one: it waits for a price, shows only a part, expires, asks
//! for a minimum. `docs/trading-rules.md` states each rule exactly.

use std::ops::Deref;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{OrderSpec, Price, Quantity, RejectCode, Side, TimeInForce, Timestamp};

/// Largest distance of a trailing stop, in basis points.
pub const MAX_TRAILING_BASIS_POINTS: u16 = 5_000;

/// Conditions of an order. All absent: a plain order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Conditions {
    /// The order waits outside of the book until a trade fires this.
    pub trigger: Option<Trigger>,
    /// Good till date: cancelled when the log's time comes here. Only for what may rest.
    pub expires_at: Option<Timestamp>,
    /// Iceberg: so many lots are shown at a time. Only for what may rest; above zero and below the
    /// quantity.
    pub visible: Option<Quantity>,
    /// Rejected unless so many lots match on arrival. Above zero and at most the quantity.
    pub minimum: Option<Quantity>,
    /// A post-only order that would match rests one tick away from the other side instead.
    pub slide: bool,
}

impl Conditions {
    /// No conditions.
    pub const NONE: Self =
        Self { trigger: None, expires_at: None, visible: None, minimum: None, slide: false };

    /// Whether this is a plain order.
    #[must_use]
    #[inline]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether they go with the kind of an order of a market with this largest price.
    ///
    /// # Errors
    /// [`RejectCode::InvalidCombination`], [`RejectCode::InvalidTrigger`],
    /// [`RejectCode::InvalidVisibleQuantity`] or, for the minimum, [`RejectCode::InvalidQuantity`].
    pub fn check(&self, spec: &OrderSpec, max_price: Price) -> Result<(), RejectCode> {
        let (post_only, rests, may_ask_minimum) = match *spec {
            OrderSpec::Limit { time_in_force, post_only, .. } => {
                let rests = time_in_force == TimeInForce::Gtc;
                (post_only, rests, time_in_force != TimeInForce::Fok && !post_only)
            }
            OrderSpec::MarketByQuantity { .. } | OrderSpec::MarketByQuote { .. } => {
                (false, false, false)
            }
        };
        let waits = self.trigger.is_some();
        let stray = (self.visible.is_some() && !rests)
            || (self.expires_at.is_some() && !rests && !waits)
            || (self.minimum.is_some() && !may_ask_minimum)
            || (self.slide && !post_only)
            || (waits && post_only);
        if stray {
            return Err(RejectCode::InvalidCombination);
        }
        if self.trigger.is_some_and(|trigger| !trigger.is_valid(max_price)) {
            return Err(RejectCode::InvalidTrigger);
        }
        let quantity = spec.quantity().unwrap_or_default();
        if self.visible.is_some_and(|visible| visible.is_zero() || visible >= quantity) {
            return Err(RejectCode::InvalidVisibleQuantity);
        }
        if self.minimum.is_some_and(|minimum| minimum.is_zero() || minimum > quantity) {
            return Err(RejectCode::InvalidQuantity);
        }
        Ok(())
    }
}

/// The conditions of one order. Most orders have none: those carry one word, and cost no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BoxedConditions(Option<Box<Conditions>>);

impl BoxedConditions {
    /// Those of a plain order.
    pub const NONE: Self = Self(None);

    /// Whether this is a plain order.
    #[must_use]
    #[inline]
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// As [`Conditions::check`]; a plain order has nothing to check.
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn check(&self, spec: &OrderSpec, max_price: Price) -> Result<(), RejectCode> {
        self.0.as_ref().map_or(Ok(()), |conditions| conditions.check(spec, max_price))
    }
}

impl From<Conditions> for BoxedConditions {
    fn from(conditions: Conditions) -> Self {
        Self((!conditions.is_none()).then(|| Box::new(conditions)))
    }
}

impl Deref for BoxedConditions {
    type Target = Conditions;

    #[inline]
    fn deref(&self) -> &Conditions {
        self.0.as_deref().unwrap_or(&Conditions::NONE)
    }
}

/// The trade price that lets a waiting order enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Trigger {
    /// A trade at this price or above: the stop-loss of a buyer, the take-profit of a seller.
    Rises {
        /// In ticks.
        to: Price,
    } = 1,
    /// A trade at this price or below: the stop-loss of a seller, the take-profit of a buyer.
    Falls {
        /// In ticks.
        to: Price,
    } = 2,
    /// A trade this far from the best price for the owner since activation: below the highest for a
    /// seller, above the lowest for a buyer.
    Trails {
        /// The distance, 1 to [`MAX_TRAILING_BASIS_POINTS`].
        basis_points: u16,
        /// Active only from a trade here on: at or above for a seller, at or below for a buyer. None:
        /// at once.
        activation: Option<Price>,
    } = 3,
}

impl Trigger {
    /// Whether its prices and distances lie in their ranges.
    #[must_use]
    pub fn is_valid(&self, max_price: Price) -> bool {
        let in_range = |price: Price| !price.is_zero() && price <= max_price;
        match *self {
            Self::Rises { to } | Self::Falls { to } => in_range(to),
            Self::Trails { basis_points, activation } => {
                (1..=MAX_TRAILING_BASIS_POINTS).contains(&basis_points)
                    && activation.is_none_or(in_range)
            }
        }
    }
}

/// Where a trailing stop fires when the best price since its activation is `reference`: a fraction of
/// a tick is rounded away from the reference.
#[must_use]
pub fn trailing_price(side: Side, reference: Price, basis_points: u16) -> Price {
    const WHOLE: u128 = 10_000;
    let reference = u128::from(reference.get());
    let distance = u128::from(basis_points);
    let price = match side {
        Side::Sell => reference * (WHOLE - distance) / WHOLE,
        Side::Buy => (reference * (WHOLE + distance)).div_ceil(WHOLE),
    };
    Price::new(u64::try_from(price).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_stop_is_rounded_away_from_its_reference() {
        let at = |side, reference| trailing_price(side, Price::new(reference), 250).get();
        assert_eq!(at(Side::Sell, 1_000), 975);
        assert_eq!(at(Side::Sell, 1_001), 975);
        assert_eq!(at(Side::Buy, 1_000), 1_025);
        assert_eq!(at(Side::Buy, 1_001), 1_027);
        assert_eq!(at(Side::Sell, 1), 0, "never reached");
        assert_eq!(trailing_price(Side::Buy, Price::MAX, 5_000), Price::MAX);
    }
}
