//! Exact decimals: how ticks, lots and atoms are written for people, and read back.
//!
//! A value of the engine is always an integer count of units; [`Decimal`] is one such unit (a tick
//! of 0.01), and the functions here convert counts to text and text to counts without a float.

use borsh::{BorshDeserialize, BorshSerialize};

/// Largest number of decimal places of a unit.
const MAX_SCALE: u8 = 18;

/// `units / 10^scale`, as a definition states a tick or a lot. `scale` is 0 to 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Decimal {
    /// Integer value at `scale` decimal places.
    pub units: u64,
    /// Number of decimal places.
    pub scale: u8,
}

/// Why a text is not a whole count of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// Not digits with at most one point between or after them.
    Malformed,
    /// Not a whole multiple of the unit.
    NotAMultiple,
    /// Larger than the integer behind it can hold.
    TooLarge,
}

impl std::fmt::Display for DecimalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a plain decimal number",
            Self::NotAMultiple => "not a multiple of the unit",
            Self::TooLarge => "too large",
        })
    }
}

impl std::error::Error for DecimalError {}

impl Decimal {
    /// `units / 10^scale`.
    #[must_use]
    pub const fn new(units: u64, scale: u8) -> Self {
        Self { units, scale }
    }

    /// One atom of an asset with `scale` decimal places.
    #[must_use]
    pub const fn atom(scale: u8) -> Self {
        Self { units: 1, scale }
    }

    /// How many of this unit `text` is, exactly.
    pub fn count(&self, text: &str) -> Result<u128, DecimalError> {
        let (digits, places) = parse_digits(text)?;
        let scale = u32::from(self.scale);
        // Trailing zeros beyond the unit's places are harmless: "1.500" is 150 of 0.01.
        let value = if places <= scale {
            digits.checked_mul(power_of_ten(scale - places)).ok_or(DecimalError::TooLarge)?
        } else {
            let divisor = power_of_ten(places - scale);
            if !digits.is_multiple_of(divisor) {
                return Err(DecimalError::NotAMultiple);
            }
            digits / divisor
        };
        let unit = u128::from(self.units);
        if unit == 0 || !value.is_multiple_of(unit) {
            return Err(DecimalError::NotAMultiple);
        }
        Ok(value / unit)
    }

    /// [`Self::count`] that fits 64 bits, as prices and quantities do.
    pub fn count_u64(&self, text: &str) -> Result<u64, DecimalError> {
        u64::try_from(self.count(text)?).map_err(|_| DecimalError::TooLarge)
    }

    /// `count` units as text with all decimal places of the unit.
    #[must_use]
    pub fn format(&self, count: u128) -> String {
        format_scaled(count * u128::from(self.units), self.scale)
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&format_scaled(u128::from(self.units), self.scale))
    }
}

impl std::str::FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, places) = parse_digits(text)?;
        let scale = u8::try_from(places).map_err(|_| DecimalError::TooLarge)?;
        if scale > MAX_SCALE {
            return Err(DecimalError::TooLarge);
        }
        let units = u64::try_from(digits).map_err(|_| DecimalError::TooLarge)?;
        Ok(Self { units, scale })
    }
}

/// 10^exponent; `exponent` is at most 38.
pub(crate) fn power_of_ten(exponent: u32) -> u128 {
    10u128.pow(exponent)
}

/// The digits of `text` as one integer, and how many of them stand behind the point.
fn parse_digits(text: &str) -> Result<(u128, u32), DecimalError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(DecimalError::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 38 {
        return Err(DecimalError::NotAMultiple);
    }
    let mut digits = 0u128;
    for byte in whole.bytes().chain(fraction.bytes()) {
        digits = digits
            .checked_mul(10)
            .and_then(|d| d.checked_add(u128::from(byte - b'0')))
            .ok_or(DecimalError::TooLarge)?;
    }
    Ok((digits, fraction.len() as u32))
}

fn format_scaled(value: u128, scale: u8) -> String {
    if scale == 0 {
        return value.to_string();
    }
    let divisor = power_of_ten(u32::from(scale));
    format!("{}.{:0width$}", value / divisor, value % divisor, width = usize::from(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_and_round_trip() {
        let half_cent = Decimal::new(5, 3);
        assert_eq!(half_cent.count("1.235"), Ok(247));
        assert_eq!(half_cent.format(247), "1.235");
        assert_eq!(half_cent.count("1.2350000"), Ok(247));
        assert_eq!(half_cent.count("1.236"), Err(DecimalError::NotAMultiple));
        assert_eq!(half_cent.count("1.23501"), Err(DecimalError::NotAMultiple));
        assert_eq!(Decimal::atom(8).count("21000000"), Ok(2_100_000_000_000_000));
        assert_eq!(Decimal::atom(0).format(7), "7");
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "0x1", " 1", "1,5", "1.2.3", "NaN", "١"]
        {
            assert_eq!(Decimal::atom(2).count(text), Err(DecimalError::Malformed), "{text:?}");
        }
        let huge = "9".repeat(60);
        assert_eq!(Decimal::atom(2).count(&huge), Err(DecimalError::TooLarge));
        let fine = format!("0.{}1", "0".repeat(60));
        assert_eq!(Decimal::atom(2).count(&fine), Err(DecimalError::NotAMultiple));
        assert_eq!(Decimal::atom(0).count_u64("18446744073709551616"), Err(DecimalError::TooLarge));
    }
}
