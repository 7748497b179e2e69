//! Recorded times in the forms that venues use, as nanoseconds of which only differences mean
//! anything.

const SECOND: u64 = 1_000_000_000;

/// Nanoseconds since some start: the epoch, or midnight. Understands RFC 3339 with up to nine
/// decimals, seconds with a fraction, and whole numbers whose size tells the unit: nanoseconds,
/// microseconds or milliseconds since the epoch, seconds since the epoch, milliseconds of a day.
/// `None` if it is none of these.
pub fn parse_time(text: &str) -> Option<u64> {
    if let Ok(number) = text.parse::<u64>() {
        return match number {
            100_000_000_000_000_000.. => Some(number),
            100_000_000_000_000.. => number.checked_mul(1_000),
            100_000_000_000.. => number.checked_mul(1_000_000),
            100_000_000.. => number.checked_mul(SECOND),
            _ => number.checked_mul(1_000_000),
        };
    }
    match text.split_once(['T', ' ']) {
        Some((date, clock)) => {
            days(date)?.checked_mul(86_400 * SECOND)?.checked_add_signed(clock_with_zone(clock)?)
        }
        None => seconds(text),
    }
}

/// Days since 1970-01-01 of a `YYYY-MM-DD`, by the civil-calendar formula (March-based years).
fn days(date: &str) -> Option<u64> {
    let mut parts = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || year < 1970 || !(1..=12).contains(&month) || day > 31 {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + day_of_year).checked_sub(719_468)
}

/// Nanoseconds of `HH:MM:SS[.f]` in UTC, after a `Z`, `+HH:MM` or `-HH:MM`.
fn clock_with_zone(text: &str) -> Option<i64> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else if let Some(at) = text.rfind(['+', '-']) {
        let sign = if text[at..].starts_with('-') { -1 } else { 1 };
        (&text[..at], sign * minutes(&text[at + 1..])? as i64)
    } else {
        (text, 0)
    };
    let (hours_minutes, rest) = clock.split_at_checked(5)?;
    let nanos = minutes(hours_minutes)? * 60 * SECOND + seconds(rest.strip_prefix(':')?)?;
    i64::try_from(nanos).ok()?.checked_sub(offset * 60 * SECOND as i64)
}

fn minutes(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    Some(hours.parse::<u64>().ok().filter(|&h| h < 24)? * 60 + minutes.parse::<u64>().ok()?)
}

/// Nanoseconds of seconds with up to nine decimals, at most a century.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !digits(fraction) || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse::<u64>().ok()?;
    let whole = whole.parse::<u64>().ok().filter(|&s| s < 4_000_000_000)?;
    Some(whole * SECOND + nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_time_is_understood() {
        let second = 1_752_739_509_035_627_674;
        assert_eq!(parse_time("2025-07-17T08:05:09.035627674Z"), Some(second));
        assert_eq!(parse_time("2025-07-17T10:05:09.035627674+02:00"), Some(second));
        assert_eq!(parse_time("2025-07-17 08:05:09.035627674"), Some(second));
        assert_eq!(parse_time("1752739509035627674"), Some(second));
        assert_eq!(parse_time("1752739509035627"), Some(second / 1_000 * 1_000));
        assert_eq!(parse_time("1752739509035"), Some(second / 1_000_000 * 1_000_000));
        assert_eq!(parse_time("1752739509"), Some(second / SECOND * SECOND));
        assert_eq!(parse_time("34200030"), Some(34_200_030_000_000));
        assert_eq!(parse_time("34200.004241176"), Some(34_200_004_241_176));
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_time("2024-02-29T00:00:00Z"), Some(1_709_164_800 * SECOND));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "noon", "2025-13-01T00:00:00Z", "2025-07-17T8", "1.2.3", "é:é"] {
            assert_eq!(parse_time(text), None, "{text:?}");
        }
    }
}
