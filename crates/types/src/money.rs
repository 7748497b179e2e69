//! All arithmetic on money, in integers, with every rounding named.
//!
//! | what | rounding | who keeps the remainder |
//! |---|---|---|
//! | notional of price × quantity | none: ticks × lots is a whole number of atoms by definition | - |
//! | lots that an amount of quote buys | down | the payer: what is not spent is released |
//! | fee on an amount received | up to the next atom for the payer; the exact part rounded down is fee income | the rounding account of the payer's slot gets the difference (0 or 1 atom) |
//! | rebate on what the taker received | down, and at most the taker's fee income | the exchange: its fee income is that much more |
//! | volume of a trade in the fee schedule's unit | down | nobody: it is a count, not money |

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

/// A maker's rate in millionths, from -1,000,000 to 1,000,000. Below zero it is a rebate.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct MakerRate(pub i32);

impl MakerRate {
    /// What the maker pays of what it receives: nothing if it gets a rebate.
    #[must_use]
    #[inline]
    pub fn fee(self) -> PartsPerMillion {
        PartsPerMillion(self.0.max(0).unsigned_abs())
    }

    /// What the maker gets of what the taker receives: nothing if it pays a fee.
    #[must_use]
    #[inline]
    pub fn rebate(self) -> PartsPerMillion {
        PartsPerMillion(self.0.min(0).unsigned_abs())
    }

    /// Whether it is neither above the whole nor a rebate above the whole.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.0.unsigned_abs() <= MILLION
    }
}

impl PartsPerMillion {
    /// Whether this is nothing.
    #[must_use]
    #[inline]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// What one side of a trade pays to the exchange, or gets from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Fee {
    /// It pays, out of what it receives and in that asset.
    Paid {
        /// Whether rounding up takes an atom besides: for the rounding account.
        rounded_up: bool,
        /// The exact fee rounded down: income of the exchange.
        income: Amount,
    } = 1,
    /// A maker gets a rebate, in the asset that it pays and the taker receives. Above zero.
    Rebate {
        /// Out of the exchange's fee income; never more than the taker's [`Fee::income`].
        amount: Amount,
    } = 2,
}

impl Fee {
    /// Nothing is paid.
    pub const NONE: Self = Self::Paid { income: Amount::ZERO, rounded_up: false };

    /// What this side pays: nothing if it gets a rebate.
    #[must_use]
    #[inline]
    pub fn total(self) -> Amount {
        self.income() + self.rounding()
    }

    /// What the fee account gets of that.
    #[must_use]
    #[inline]
    pub fn income(self) -> Amount {
        match self {
            Self::Paid { income, .. } => income,
            Self::Rebate { .. } => Amount::ZERO,
        }
    }

    /// What the rounding account gets of it: an atom or nothing.
    #[must_use]
    #[inline]
    pub fn rounding(self) -> Amount {
        match self {
            Self::Paid { rounded_up, .. } => Amount(rounded_up.into()),
            Self::Rebate { .. } => Amount::ZERO,
        }
    }

    /// What this side gets, in the asset that it pays.
    #[must_use]
    #[inline]
    pub fn rebate(self) -> Amount {
        match self {
            Self::Paid { .. } => Amount::ZERO,
            Self::Rebate { amount } => amount,
        }
    }
}

/// Value of `quantity` lots at `price` ticks, in quote atoms. `quote_atoms_per_tick_lot` is the
/// market's scaling. Exact; definitions bound price and quantity so that it always fits.
#[must_use]
#[inline]
pub fn notional(price: Price, quantity: Quantity, quote_atoms_per_tick_lot: u64) -> Amount {
    let atoms = u128::from(quote_atoms_per_tick_lot);
    // Almost all tick lots fit 64 bits, and then the product fits 128 whatever the atoms are.
    match price.0.checked_mul(quantity.0) {
        Some(tick_lots) => Amount(u128::from(tick_lots) * atoms),
        None => Amount(u128::from(price.0) * u128::from(quantity.0) * atoms),
    }
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
        return Fee::NONE;
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
    Fee::Paid { income: Amount(quotient), rounded_up: remainder }
}

/// The rebate of a maker at `rate` when the taker has received `received` and pays `taker` for it.
#[must_use]
pub fn rebate(received: Amount, rate: PartsPerMillion, taker: Fee) -> Fee {
    debug_assert!(rate.0 <= MILLION);
    let exact_down = Amount(received.0 * u128::from(rate.0) / u128::from(MILLION));
    let amount = exact_down.min(taker.income());
    if amount.is_zero() { Fee::NONE } else { Fee::Rebate { amount } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_SUPPLY;

    #[test]
    fn a_fee_rounds_up_and_the_difference_is_named() {
        let paid = fee(Amount(1_001), PartsPerMillion(1_000));
        assert_eq!(paid, Fee::Paid { income: Amount(1), rounded_up: true });
        assert_eq!(paid.total(), Amount(2));
        let paid = fee(Amount(1_000), PartsPerMillion(1_000));
        assert_eq!(paid, Fee::Paid { income: Amount(1), rounded_up: false });
        assert_eq!(fee(Amount(1), PartsPerMillion(1)).total(), Amount(1));
        assert_eq!(fee(Amount(7), PartsPerMillion(1_000_000)).total(), Amount(7));
        assert_eq!(fee(Amount(0), PartsPerMillion(1_000)).total(), Amount(0));
    }

    #[test]
    fn a_rebate_rounds_down_and_is_at_most_the_takers_fee_income() {
        let half = PartsPerMillion(500);
        let taker = fee(Amount(10_999), PartsPerMillion(1_000));
        assert_eq!((taker.income(), taker.rounding()), (Amount(10), Amount(1)));
        assert_eq!(rebate(Amount(10_999), half, taker), Fee::Rebate { amount: Amount(5) });
        let all = rebate(Amount(10_999), PartsPerMillion(2_000), taker);
        assert_eq!(all, Fee::Rebate { amount: Amount(10) }, "the atom of rounding is not paid out");
        assert_eq!((all.total(), all.rebate()), (Amount(0), Amount(10)));
        assert_eq!(rebate(Amount(1_999), half, taker), Fee::NONE, "less than an atom is nothing");
        assert_eq!(rebate(MAX_SUPPLY, half, Fee::NONE), Fee::NONE);
    }

    #[test]
    fn a_fee_takes_no_more_room_than_two_amounts() {
        // The flag lies beside the discriminant, as long as it is the first field.
        assert_eq!(size_of::<Fee>(), 2 * size_of::<Amount>());
        assert_eq!(size_of::<crate::Fill>(), 96);
        assert_eq!(size_of::<crate::Trade>(), 192);
    }

    #[test]
    fn a_makers_rate_is_a_fee_or_a_rebate() {
        let of = |rate: i32| (MakerRate(rate).fee().0, MakerRate(rate).rebate().0);
        assert_eq!([of(7), of(0), of(-7)], [(7, 0), (0, 0), (0, 7)]);
        assert!(MakerRate(-1_000_000).is_valid() && !MakerRate(-1_000_001).is_valid());
        assert!(!MakerRate(1_000_001).is_valid() && !MakerRate(i32::MIN).is_valid());
    }

    #[test]
    fn both_widths_of_a_fee_agree() {
        let edge = u128::from(u64::MAX / u64::from(MILLION));
        for received in [edge - 1, edge, edge + 1, edge * 1_000] {
            for rate in [1, 999, 1_000, 999_999, 1_000_000] {
                let fee = fee(Amount(received), PartsPerMillion(rate));
                let product = received * u128::from(rate);
                assert_eq!(fee.income().0, product / 1_000_000);
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
