//! The parser of decimals, against one that counts digits of texts.

use types::{Decimal, DecimalError};

use crate::input::Input;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let unit = Decimal::new(units(&mut input), input.byte() % 37);
    let Ok(text) = std::str::from_utf8(input.0) else { return };
    check_parse(text);
    check_count(unit, text);
}

/// Small ones, round ones and any.
fn units(input: &mut Input) -> u64 {
    match input.byte() {
        kind @ 0..128 => u64::from(kind),
        kind @ 128..148 => 10_u64.pow(u32::from(kind) - 128),
        _ => input.long(),
    }
}

fn check_parse(text: &str) {
    let Ok(parsed) = text.parse::<Decimal>() else {
        return;
    };
    assert!(is_plain(text), "{text:?} is taken");
    assert_eq!(normal(&parsed.to_string()), normal(text));
    assert_eq!(parsed.to_string().parse(), Ok(parsed));
}

fn check_count(unit: Decimal, text: &str) {
    match unit.count(text) {
        Ok(count) => {
            assert!(is_plain(text), "{text:?} is taken");
            // What fits is shown as it was written.
            if count.checked_mul(u128::from(unit.units)).is_some() {
                let shown = unit.format(count);
                assert_eq!(normal(&shown), normal(text), "{unit:?}");
                assert_eq!(unit.count(&shown), Ok(count));
            }
            assert_eq!(
                unit.count_u64(text),
                u64::try_from(count).map_err(|_| DecimalError::TooLarge)
            );
        }
        Err(DecimalError::Malformed) => assert!(!is_plain(text), "{text:?} is refused"),
        Err(DecimalError::NotAMultiple) => {
            assert!(is_plain(text));
            let is_zero = normal(text) == "0";
            assert!(!is_zero || unit.units == 0, "zero is a multiple of everything");
        }
        Err(DecimalError::TooLarge) => {
            assert!(is_plain(text));
            assert!(normal(text).len() > 2, "{text:?} is not large");
        }
    }
}

/// Digits, and perhaps a point with digits after it.
fn is_plain(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c: char| c.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

/// Without zeros that mean nothing.
fn normal(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}
