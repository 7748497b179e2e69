//! Typed values of a configuration: sizes, spans of time and the rest, as they are written in TOML.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

/// A number of bytes, written `"64MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// A span of time, written `"10ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Whose limits hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Requests by address and key, in sliding windows.
    Standard,
    /// Weights and order counts of the Binance dialect, on its paths.
    Binance,
    /// Nothing is refused.
    Unlimited,
}

/// Which header proxies write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forwarded {
    /// `X-Forwarded-For`
    XForwardedFor,
    /// `Forwarded`
    Forwarded,
}

const BYTE_UNITS: [(&str, u64); 4] =
    [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

const TIME_UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl Bytes {
    /// Mebibytes.
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }
}

impl Span {
    /// Milliseconds.
    pub const fn ms(n: u64) -> Self {
        Self(Duration::from_millis(n))
    }

    /// Seconds.
    pub const fn secs(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }

    /// Days.
    pub const fn days(n: u64) -> Self {
        Self::secs(n * 86_400)
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = parse_units(text, &BYTE_UNITS);
        count
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no size like \"64MiB\" (B, KiB, MiB, GiB)"))
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let nanos = parse_units(text, &TIME_UNITS);
        nanos
            .map(|nanos| Self(Duration::from_nanos(nanos)))
            .ok_or_else(|| format!("{text:?} is no time like \"10ms\" (ns, us, ms, s, min, h, d)"))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_units(f, self.0, &BYTE_UNITS)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_units(f, self.0.as_nanos() as u64, &TIME_UNITS)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err = String>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// A whole number directly followed by its unit.
fn parse_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let &(_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// In the largest unit that divides it.
fn write_units(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    let mut largest_first: Vec<_> = units.to_vec();
    largest_first.sort_unstable_by_key(|&(_, factor)| std::cmp::Reverse(factor));
    let divides = |&&(_, factor): &&(&str, u64)| value != 0 && value.is_multiple_of(factor);
    let fallback = largest_first[largest_first.len() - 1];
    let (unit, factor) = *largest_first.iter().find(divides).unwrap_or(&fallback);
    write!(f, "{}{unit}", value / factor)
}

/// A value that can be shown as TOML.
pub trait Setting {
    /// As it is written behind the `=`. `None`: it is absent by default.
    fn toml(&self) -> Option<String>;
}

macro_rules! plain_settings {
    ($($kind:ty),*) => {
        $(impl Setting for $kind {
            fn toml(&self) -> Option<String> {
                Some(self.to_string())
            }
        })*
    };
}

macro_rules! text_settings {
    ($($kind:ty),*) => {
        $(impl Setting for $kind {
            fn toml(&self) -> Option<String> {
                Some(format!("\"{self}\""))
            }
        })*
    };
}

plain_settings!(bool, u16, u32, u64);
text_settings!(Bytes, Span, SocketAddr, String, IpNet);

impl Setting for PathBuf {
    fn toml(&self) -> Option<String> {
        Some(format!("\"{}\"", self.display()))
    }
}

impl Setting for LogFormat {
    fn toml(&self) -> Option<String> {
        Some(match self {
            Self::Text => "\"text\"".to_owned(),
            Self::Json => "\"json\"".to_owned(),
        })
    }
}

impl Setting for Profile {
    fn toml(&self) -> Option<String> {
        let name = match self {
            Self::Standard => "standard",
            Self::Binance => "binance",
            Self::Unlimited => "unlimited",
        };
        Some(format!("\"{name}\""))
    }
}

impl Setting for Forwarded {
    fn toml(&self) -> Option<String> {
        Some(match self {
            Self::XForwardedFor => "\"x-forwarded-for\"".to_owned(),
            Self::Forwarded => "\"forwarded\"".to_owned(),
        })
    }
}

impl<T: Setting> Setting for Option<T> {
    fn toml(&self) -> Option<String> {
        self.as_ref().and_then(T::toml)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn toml(&self) -> Option<String> {
        let values: Vec<_> = self.iter().filter_map(T::toml).collect();
        Some(format!("[{}]", values.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_and_written_alike() {
        for text in ["0B", "1B", "1025B", "64KiB", "64MiB", "3GiB"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
        for text in ["0ns", "5ns", "10us", "10ms", "1500ms", "90s", "5min", "1h", "7d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("120s".parse::<Span>().unwrap(), "2min".parse().unwrap());
    }

    #[test]
    fn what_has_no_known_unit_is_refused() {
        for text in ["", "64", "MiB", "-1MiB", "1.5MiB", "64MB", "99999999999GiB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text:?}");
        }
        for text in ["", "10", "ms", "10m", "1 year"] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }
}
