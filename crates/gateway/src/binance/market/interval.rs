//! Intervals of candles in any time zone: when they begin, and what they are put together from.

use types::Timestamp;
use views::Interval as Base;

use crate::binance::error::Error;
use crate::binance::params::Params;

const MINUTE: i64 = 60_000_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The length of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// So many nanoseconds, from the Unix epoch on.
    Fixed(i64),
    /// From Monday to Sunday.
    Week,
    /// From the first of a month on.
    Month,
}

/// An interval in a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::binance) struct Interval {
    length: Length,
    /// How far the zone's clocks are ahead of UTC.
    offset: i64,
}

impl Interval {
    /// By its name, in a zone that is so far ahead of UTC.
    pub(in crate::binance) fn from_name(name: &str, offset: i64) -> Option<Self> {
        let length = match name {
            "1s" => Length::Fixed(1_000_000_000),
            "1m" => Length::Fixed(MINUTE),
            "3m" => Length::Fixed(3 * MINUTE),
            "5m" => Length::Fixed(5 * MINUTE),
            "15m" => Length::Fixed(15 * MINUTE),
            "30m" => Length::Fixed(30 * MINUTE),
            "1h" => Length::Fixed(HOUR),
            "2h" => Length::Fixed(2 * HOUR),
            "4h" => Length::Fixed(4 * HOUR),
            "6h" => Length::Fixed(6 * HOUR),
            "8h" => Length::Fixed(8 * HOUR),
            "12h" => Length::Fixed(12 * HOUR),
            "1d" => Length::Fixed(DAY),
            "3d" => Length::Fixed(3 * DAY),
            "1w" => Length::Week,
            "1M" => Length::Month,
            _ => return None,
        };
        Some(Self { length, offset })
    }

    /// `interval` and `timeZone` of a request.
    ///
    /// # Errors
    /// -1102, -1120, or -1130 for a zone that is none.
    pub(in crate::binance) fn of(params: &Params) -> Result<Self, Error> {
        let name = params.required("interval")?;
        let offset = zone(params)?;
        Self::from_name(name, offset).ok_or_else(|| Error::new(-1120, "Invalid interval."))
    }

    /// When the interval that `time` lies in begins.
    pub(in crate::binance) fn start_of(self, time: Timestamp) -> Timestamp {
        let local = nanos(time) + self.offset;
        let start = match self.length {
            Length::Fixed(length) => local - local.rem_euclid(length),
            Length::Week => {
                // The epoch was a Thursday.
                let since_monday = (local.div_euclid(DAY) + 3).rem_euclid(7);
                local - local.rem_euclid(DAY) - since_monday * DAY
            }
            Length::Month => first_of_month(local.div_euclid(DAY)) * DAY,
        };
        stamp(start - self.offset)
    }

    /// When the interval after the one that begins at `start` begins.
    pub(in crate::binance) fn next(self, start: Timestamp) -> Timestamp {
        match self.length {
            Length::Fixed(length) => stamp(nanos(start) + length),
            Length::Week => stamp(nanos(start) + 7 * DAY),
            Length::Month => self.start_of(stamp(nanos(start) + 32 * DAY)),
        }
    }

    /// When the interval before the one that begins at `start` begins.
    pub(in crate::binance) fn previous(self, start: Timestamp) -> Timestamp {
        self.start_of(stamp(nanos(start).saturating_sub(1)))
    }

    /// The longest candles of the views that these can be put together from.
    pub(in crate::binance) fn base(self) -> Base {
        let length = match self.length {
            Length::Fixed(length) => length,
            Length::Week | Length::Month => DAY,
        };
        let divides = |base: &Base| {
            let base = base.nanos() as i64;
            length % base == 0 && self.offset % base == 0
        };
        Base::ALL.into_iter().rev().find(divides).unwrap_or(Base::Second1)
    }
}

/// `timeZone`: `0`, `8`, `-1:00`, `05:45`; from -12:00 to +14:00. How far it is ahead of UTC.
///
/// # Errors
/// -1130.
pub(in crate::binance) fn zone(params: &Params) -> Result<i64, Error> {
    let Some(text) = params.text("timeZone")? else {
        return Ok(0);
    };
    read_zone(text).ok_or_else(|| Error::invalid_data("timeZone"))
}

/// A time zone by its text, as [`zone`].
pub(in crate::binance) fn read_zone(text: &str) -> Option<i64> {
    let (sign, text) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        // An unencoded plus sign arrives as a space.
        b'+' | b' ' => (1, &text[1..]),
        _ => (1, text),
    };
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "00"));
    let digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(hours, 2) || !digits(minutes, 2) || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let offset = sign * (hours * HOUR + minutes * MINUTE);
    (minutes < 60 && (-12 * HOUR..=14 * HOUR).contains(&offset)).then_some(offset)
}

/// Days from the epoch to the first of the month that this day lies in.
fn first_of_month(day: i64) -> i64 {
    let (_, _, of_month) = civil(day);
    day - (of_month - 1)
}

/// Year, month and day of a time (UTC).
pub(in crate::binance) fn date(time: Timestamp) -> (i64, i64, i64) {
    civil(nanos(time).div_euclid(DAY))
}

/// Year, month and day of a day since the epoch. Calendars repeat every 400 years; counted from a March, the
/// day that may be missing is the last one.
fn civil(day: i64) -> (i64, i64, i64) {
    const DAYS: i64 = 146_097;
    let from_march_0 = day + 719_468;
    let (era, of_era) = (from_march_0.div_euclid(DAYS), from_march_0.rem_euclid(DAYS));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, of_month)
}

/// Times of an exchange are far below the largest of 63 bits; what clients send may not be.
fn nanos(time: Timestamp) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX / 2).min(i64::MAX / 2)
}

fn stamp(nanos: i64) -> Timestamp {
    Timestamp(u64::try_from(nanos).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds since the epoch.
    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000_000_000)
    }

    fn starts(name: &str, zone: &str, time: u64) -> (u64, u64, u64) {
        let interval = Interval::from_name(name, read_zone(zone).unwrap()).unwrap();
        let start = interval.start_of(at(time));
        let seconds = |time: Timestamp| time.0 / 1_000_000_000;
        (seconds(interval.previous(start)), seconds(start), seconds(interval.next(start)))
    }

    #[test]
    fn intervals_begin_where_calendars_say() {
        // 2024-02-29 (a Thursday) 12:34:56 UTC.
        let leap = 1_709_210_096;
        assert_eq!(starts("1m", "0", leap), (1_709_209_980, 1_709_210_040, 1_709_210_100));
        assert_eq!(starts("1d", "0", leap), (1_709_078_400, 1_709_164_800, 1_709_251_200));
        // Monday the 26th, and the 19th and March 4th.
        assert_eq!(starts("1w", "0", leap), (1_708_300_800, 1_708_905_600, 1_709_510_400));
        // January, February, March.
        assert_eq!(starts("1M", "0", leap), (1_704_067_200, 1_706_745_600, 1_709_251_200));
        // In +14:00 it is March already.
        assert_eq!(starts("1M", "14", leap).1, 1_709_251_200 - 14 * 3_600);
        assert_eq!(starts("1d", "+05:45", leap).1, 1_709_164_800 - 20_700);
        assert_eq!(starts("1d", "-1:00", leap).1, 1_709_164_800 + 3_600);
    }

    #[test]
    fn a_day_has_its_date() {
        assert_eq!(date(at(0)), (1970, 1, 1));
        assert_eq!(date(at(1_709_210_096)), (2024, 2, 29));
        assert_eq!(date(at(4_102_444_799)), (2099, 12, 31));
    }

    #[test]
    fn candles_are_put_together_from_the_longest_that_fit() {
        let base = |name: &str, zone: &str| {
            Interval::from_name(name, read_zone(zone).unwrap()).unwrap().base()
        };
        assert_eq!(base("3m", "0"), Base::Minute1);
        assert_eq!(base("30m", "0"), Base::Minute15);
        assert_eq!(base("12h", "0"), Base::Hour4);
        assert_eq!(base("1M", "0"), Base::Day1);
        assert_eq!(base("1d", "05:45"), Base::Minute15);
        assert_eq!(base("1d", "00:01"), Base::Minute1);
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in ["", "x", "15", "-13", "5:5", "5:60", "1:2:3", "+", "123"] {
            assert_eq!(read_zone(text), None, "{text}");
        }
        assert_eq!(Interval::from_name("2m", 0), None);
    }
}
