//! All arithmetic on money, in integers, with every rounding named.
//!
//! | what | rounding | who keeps the remainder |
//! |---|---|---|
//! | notional of price × quantity | none: ticks × lots is a whole number of atoms by definition | - |
//! | lots that an amount of quote buys | down | the payer: what is not spent is released |
//! | fee on an amount received | up to the next atom for the payer; the exact part rounded down is fee income | the rounding account of the payer's slot gets the difference (0 or 1 atom) |

use borsh::{BorshDeserialize, BorshSerialize};

macro_rules! count {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            BorshSerialize, BorshDeserialize,
        )]
        pub struct $name($inner);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest value that the integer holds.
            pub const MAX: Self = Self(<$inner>::MAX);

            /// Wraps a count.
            #[must_use]
            pub const fn new(count: $inner) -> Self {
                Self(count)
            }

            /// The count.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }

            /// Whether this is nothing.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// `self + other`, or nothing if it does not fit.
            #[must_use]
            #[inline]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// `self - other`, or nothing if it would be negative.
            #[must_use]
            #[inline]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }

            /// `self - other`, at least zero.
            #[must_use]
            #[inline]
            pub fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        /// Panics on overflow in every profile: the bounds of definitions make it a bug.
        impl std::ops::AddAssign for $name {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                self.0 = self.0.checked_add(other.0).expect("money overflow");
            }
        }

        /// Panics below zero in every profile: callers check first, so it would be a bug.
        impl std::ops::SubAssign for $name {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                self.0 = self.0.checked_sub(other.0).expect("money below zero");
            }
        }

        impl std::ops::Add for $name {
            type Output = Self;
            #[inline]
            fn add(mut self, other: Self) -> Self {
                self += other;
                self
            }
        }

        impl std::ops::Sub for $name {
            type Output = Self;
            #[inline]
            fn sub(mut self, other: Self) -> Self {
                self -= other;
                self
            }
        }
    };
}

count!(
    /// A price in ticks of its market.
    Price(u64)
);
count!(
    /// A quantity in lots of its market.
    Quantity(u64)
);
count!(
    /// An amount in atoms of its asset.
    Amount(u128)
);

/// Millionths, at most 1,000,000. 1,000 is 0.1 %.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct PartsPerMillion(pub u32);

/// The whole, in parts per million.
const MILLION: u32 = 1_000_000;

/// What a fee takes from an amount received, split by who gets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Fee {
    /// The exact fee rounded down: income of the exchange.
    pub income: Amount,
    /// The atom (0 or 1) that rounding up takes besides: for the rounding account.
    pub rounding: Amount,
}

impl Fee {
    /// What the payer pays.
    #[must_use]
    #[inline]
    pub fn total(self) -> Amount {
        self.income + self.rounding
    }
}

/// Value of `quantity` lots at `price` ticks, in quote atoms. `quote_atoms_per_tick_lot` is the
/// market's scaling. Exact; definitions bound price and quantity so that it always fits.
#[must_use]
#[inline]
pub fn notional(price: Price, quantity: Quantity, quote_atoms_per_tick_lot: u64) -> Amount {
    let tick_lots = u128::from(price.0) * u128::from(quantity.0);
    Amount(tick_lots * u128::from(quote_atoms_per_tick_lot))
}

/// Most lots whose notional at `price` is at most `quote`. Rounded down; `price` is above zero.
#[must_use]
#[inline]
pub fn lots_for(quote: Amount, price: Price, quote_atoms_per_tick_lot: u64) -> Quantity {
    let per_lot = u128::from(price.0) * u128::from(quote_atoms_per_tick_lot);
    Quantity(u64::try_from(quote.0 / per_lot).unwrap_or(u64::MAX))
}

/// Base atoms of `quantity` lots. Exact.
#[must_use]
#[inline]
pub fn base_amount(quantity: Quantity, base_atoms_per_lot: u64) -> Amount {
    Amount(u128::from(quantity.0) * u128::from(base_atoms_per_lot))
}

/// The fee on `received`: never more than `received`, since `rate` is at most the whole.
#[must_use]
#[inline]
pub fn fee(received: Amount, rate: PartsPerMillion) -> Fee {
    debug_assert!(rate.0 <= MILLION);
    if rate.0 == 0 {
        return Fee::default();
    }
    // Most amounts fit 64 bits times a rate, and a 128-bit division costs several times more.
    let (quotient, remainder) = match u64::try_from(received.0) {
        Ok(small) if small <= u64::MAX / u64::from(MILLION) => {
            let product = small * u64::from(rate.0);
            let million = u64::from(MILLION);
            (u128::from(product / million), !product.is_multiple_of(million))
        }
        _ => {
            let product = received.0 * u128::from(rate.0);
            let million = u128::from(MILLION);
            (product / million, !product.is_multiple_of(million))
        }
    };
    Fee { income: Amount(quotient), rounding: Amount(u128::from(remainder)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_rounds_up_and_the_difference_is_named() {
        let paid = fee(Amount(1_001), PartsPerMillion(1_000));
        assert_eq!(paid, Fee { income: Amount(1), rounding: Amount(1) });
        let paid = fee(Amount(1_000), PartsPerMillion(1_000));
        assert_eq!(paid, Fee { income: Amount(1), rounding: Amount(0) });
        assert_eq!(fee(Amount(1), PartsPerMillion(1)).total(), Amount(1));
        assert_eq!(fee(Amount(7), PartsPerMillion(1_000_000)).total(), Amount(7));
        assert_eq!(fee(Amount(0), PartsPerMillion(1_000)).total(), Amount(0));
    }

    #[test]
    fn both_widths_of_a_fee_agree() {
        let edge = u128::from(u64::MAX / u64::from(MILLION));
        for received in [edge - 1, edge, edge + 1, edge * 1_000] {
            for rate in [1, 999, 1_000, 999_999, 1_000_000] {
                let fee = fee(Amount(received), PartsPerMillion(rate));
                let product = received * u128::from(rate);
                assert_eq!(fee.income.0, product / 1_000_000);
                assert_eq!(fee.total().0, product.div_ceil(1_000_000));
            }
        }
    }

    #[test]
    fn lots_for_an_amount_never_cost_more_than_it() {
        let lots = lots_for(Amount(1_000), Price(30), 3);
        assert_eq!(lots, Quantity(11));
        assert!(notional(Price(30), lots, 3) <= Amount(1_000));
        assert_eq!(lots_for(Amount(u128::MAX), Price(1), 1), Quantity::MAX);
    }
}
