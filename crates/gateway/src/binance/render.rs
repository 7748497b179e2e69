//! How counts become text and numbers: amounts with exactly 8 decimals, percents with 3, times in
//! milliseconds or microseconds. Everything is exact integer arithmetic.
//!
//! Books are kept by clients under the text of a price, so there is one text for each: REST, streams and
//! the WebSocket API all call this.

use axum::http::{HeaderMap, HeaderName};
use serde::Serialize;
use types::{Amount, AssetDef, Decimal, Price, Timestamp};
use views::MarketInfo;

use super::error::Error;

/// The header that names the unit of times.
pub(crate) const TIME_UNIT: HeaderName = HeaderName::from_static("x-mbx-time-unit");

/// Decimal places of every amount.
pub(crate) const PLACES: u8 = 8;

/// `count` units with 8 decimals. What is beyond them is cut off; markets that the dialect shows have
/// nothing there.
pub(crate) fn decimal8(unit: Decimal, count: u128) -> String {
    let value = count.saturating_mul(unit.units.into());
    let divisor = 10_u128.pow(unit.scale.into());
    let (whole, fraction) = (value / divisor, value % divisor);
    let fraction = match unit.scale.checked_sub(PLACES) {
        Some(beyond) => fraction / 10_u128.pow(beyond.into()),
        None => fraction * 10_u128.pow((PLACES - unit.scale).into()),
    };
    format!("{whole}.{fraction:08}")
}

/// A price of `market`.
pub(crate) fn price(market: &MarketInfo, price: Price) -> String {
    decimal8(market.def.tick, price.get().into())
}

/// A price of `market`, or zero.
pub(crate) fn price_or_zero(market: &MarketInfo, found: Option<Price>) -> String {
    price(market, found.unwrap_or(Price::ZERO))
}

/// A number of lots of `market`, in base.
pub(crate) fn lots(market: &MarketInfo, lots: impl Into<u128>) -> String {
    decimal8(market.def.lot, lots.into())
}

/// An amount of an asset.
pub(crate) fn amount(asset: &AssetDef, amount: Amount) -> String {
    decimal8(Decimal::atom(asset.scale), amount.get())
}

/// A quote amount of `market`.
pub(crate) fn quote(market: &MarketInfo, value: Amount) -> String {
    amount(&market.quote, value)
}

/// A rate in millionths, as a fraction of one with 8 decimals.
pub(crate) fn rate(parts_per_million: u32) -> String {
    decimal8(Decimal::new(1, 6), parts_per_million.into())
}

/// Nothing.
pub(crate) const ZERO: &str = "0.00000000";

/// `to - from` with a sign if it is below zero.
pub(crate) fn price_change(market: &MarketInfo, from: Price, to: Price) -> String {
    let size = price(market, Price::new(from.get().abs_diff(to.get())));
    if to < from { format!("-{size}") } else { size }
}

/// The change from one price to another in percent, with 3 decimals, rounded to the nearest.
pub(crate) fn percent_change(from: Price, to: Price) -> String {
    let (from_ticks, size) = (u128::from(from.get()), u128::from(from.get().abs_diff(to.get())));
    // Thousandths of a percent.
    let change = (size * 100_000 + from_ticks / 2).checked_div(from_ticks).unwrap_or(0);
    let sign = if to < from && change > 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", change / 1_000, change % 1_000)
}

/// The average price of `lots` that changed hands for `quote` atoms, with 8 decimals, rounded down; zero
/// if nothing did.
pub(crate) fn average_price(market: &MarketInfo, lots: u128, quote: u128) -> String {
    if lots == 0 {
        return ZERO.to_owned();
    }
    let tick = market.def.tick;
    // Ticks times lots: whole, for a tick of a lot is a whole number of atoms.
    let ticks = quote / u128::from(market.scaling.quote_atoms_per_tick_lot);
    let (whole, rest) = (ticks / lots, ticks % lots);
    // The whole part and the fraction of a tick apart, so that large volumes do not overflow.
    let unit = 10_u128.pow(PLACES.into()) * u128::from(tick.units);
    let divisor = 10_u128.pow(tick.scale.into());
    let fraction =
        rest.checked_mul(unit).map_or_else(|| rest / lots.div_ceil(unit), |all| all / lots);
    decimal8(Decimal::new(1, PLACES), (whole.saturating_mul(unit) + fraction) / divisor)
}

/// In what a client wants times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum TimeUnit {
    /// Milliseconds.
    #[default]
    Milli,
    /// Microseconds.
    Micro,
}

impl TimeUnit {
    /// By its name: `MILLISECOND` or `MICROSECOND` in any case.
    ///
    /// # Errors
    /// -1194.
    pub(crate) fn from_name(name: &str) -> Result<Self, Error> {
        match name.to_ascii_uppercase().as_str() {
            "MILLISECOND" => Ok(Self::Milli),
            "MICROSECOND" => Ok(Self::Micro),
            _ => Err(Error::new(
                -1194,
                "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
            )),
        }
    }

    /// That of a request, by its header.
    ///
    /// # Errors
    /// As [`Self::from_name`].
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let header = headers.get(TIME_UNIT);
        header.map_or(Ok(Self::Milli), |value| Self::from_name(value.to_str().unwrap_or_default()))
    }

    /// A time in this unit.
    pub(crate) fn show(self, time: Timestamp) -> Time {
        Time((time.0 / self.nanos()) as i64)
    }

    /// The last moment before a time: where a closed interval ends.
    pub(crate) fn show_before(self, time: Timestamp) -> Time {
        Time((time.0 / self.nanos()) as i64 - 1)
    }

    fn nanos(self) -> u64 {
        match self {
            Self::Milli => 1_000_000,
            Self::Micro => 1_000,
        }
    }
}

/// A time as a number of the client's unit; below zero: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) i64);

impl Time {
    /// There is no such time.
    pub(crate) const NONE: Self = Self(-1);
}

/// A time that a client sent, in milliseconds or microseconds: its size tells.
pub(crate) fn read_time(number: u64) -> Timestamp {
    Timestamp(number.saturating_mul(unit_of(number).nanos()))
}

/// A time that a client sent, up to its end: the last moment that is shown as this number.
pub(crate) fn read_end_time(number: u64) -> Timestamp {
    read_time(number).saturating_add_nanos(unit_of(number).nanos() - 1)
}

fn unit_of(number: u64) -> TimeUnit {
    /// Milliseconds reach this in the year 5138, microseconds left it behind in 1973.
    const FIRST_MICROS: u64 = 100_000_000_000_000;
    if number >= FIRST_MICROS { TimeUnit::Micro } else { TimeUnit::Milli }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_8_decimals_whatever_their_unit() {
        let text = |unit: &str, count| decimal8(unit.parse().unwrap(), count);
        assert_eq!(text("0.01", 6_000_000), "60000.00000000");
        assert_eq!(text("0.00000001", 1), "0.00000001");
        assert_eq!(text("5", 3), "15.00000000");
        assert_eq!(text("0.25", 0), "0.00000000");
        assert_eq!(text("0.000000001", 19), "0.00000001", "cut, never rounded up");
        assert_eq!(text("0.01", u128::MAX), "3402823669209384634633746074317682114.55000000");
    }

    #[test]
    fn a_percent_change_has_a_sign_and_3_decimals() {
        let change = |from, to| percent_change(Price::new(from), Price::new(to));
        assert_eq!(change(100, 110), "10.000");
        assert_eq!(change(3, 2), "-33.333");
        assert_eq!(change(3, 5), "66.667");
        assert_eq!(change(1_000_000, 999_999), "0.000", "no sign without a size");
        assert_eq!(change(0, 5), "0.000");
    }

    #[test]
    fn times_are_read_by_their_size() {
        assert_eq!(read_time(1_700_000_000_000), read_time(1_700_000_000_000_000));
        assert_eq!(read_time(1_700_000_000_000), Timestamp(1_700_000_000_000_000_000));
        assert_eq!(read_end_time(1_700_000_000_000), Timestamp(1_700_000_000_000_999_999));
        assert_eq!(read_end_time(1_700_000_000_000_000), Timestamp(1_700_000_000_000_000_999));
    }

    #[test]
    fn a_unit_is_known_by_its_name_in_any_case() {
        assert_eq!(TimeUnit::from_name("Microsecond").unwrap(), TimeUnit::Micro);
        assert_eq!(TimeUnit::from_name("hour").unwrap_err().code, -1194);
        assert_eq!(TimeUnit::Micro.show(Timestamp(5_000_999)), Time(5_000));
        assert_eq!(TimeUnit::Milli.show_before(Timestamp(60_000_000_000)), Time(59_999));
    }
}
