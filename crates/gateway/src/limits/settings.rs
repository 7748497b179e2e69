//! What the limits are: profiles and numbers.

use ipnet::IpNet;

use super::address::ForwardedHeader;
use super::together::SharedLimits;

/// Whose numbers hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Nothing is refused; what the dialect's headers state is counted all the same.
    Unlimited,
    /// The numbers of [`RateLimits`], in sliding windows.
    Standard,
    /// Those of the Binance dialect, in fixed windows. It weighs requests, which the native API does not:
    /// there this means [`Self::Standard`].
    Binance,
}

/// How fast clients may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Of the native API.
    pub native: Profile,
    /// Of the Binance dialect.
    pub dialect: Profile,
    /// Requests of everybody together in a second.
    pub all_per_second: u32,
    /// Requests of one address in a minute.
    pub address_per_minute: u32,
    /// Signed requests of one key in a minute, by the fee tier of its account; the last number holds for all
    /// higher tiers, and for keys of operators. Never empty.
    pub key_per_minute: Vec<u32>,
    /// The same, of those that place or change orders.
    pub orders_per_minute: Vec<u32>,
    /// How many addresses, and how many keys, are remembered.
    pub remembered: usize,
    /// Proxies that are believed when they name the client's address.
    pub trusted_proxies: Vec<IpNet>,
    /// Where they name it.
    pub forwarded_header: ForwardedHeader,
    /// Where several gateways keep them together; each on its own if this is not set.
    pub shared: Option<SharedLimits>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            native: Profile::Standard,
            dialect: Profile::Binance,
            all_per_second: 100_000,
            address_per_minute: 1_000,
            key_per_minute: vec![600, 6_000],
            orders_per_minute: vec![300, 3_000],
            remembered: 65_536,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            shared: None,
        }
    }
}

impl RateLimits {
    /// No limits: for tests and measurements, which say so by name.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { native: Profile::Unlimited, dialect: Profile::Unlimited, ..Self::default() }
    }
}

/// The number for a fee tier.
pub(super) fn of_tier(numbers: &[u32], tier: u8) -> u32 {
    let number = numbers.get(usize::from(tier)).or_else(|| numbers.last());
    number.copied().unwrap_or(0)
}
