//! How fast clients may ask: limits of everybody together, of an address, of a key, and of its orders.
//!
//! [`Rates`] has the limits of requests, in sliding windows ([`sliding`]); [`weights`] and
//! [`order_counts`] have the Binance dialect's, in fixed ones. Which of them hold on which paths is a matter
//! of profiles ([`settings`]). Native requests pass [`too_fast`] first, and [`Rates::signed`] once their
//! signature is verified: nobody can use up what belongs to another's key. `docs/limits.md` tells all
//! this to clients and operators.
//!
//! *Invariants:* a refused request was not begun. Nothing here is in the log: a restart forgets it. Memory
//! is bounded ([`remembered`]). What is refused for one's address does not count for everybody.

mod address;
mod admit;
mod clock;
mod held;
mod order_counts;
mod remembered;
mod settings;
mod sliding;
mod tally;
mod together;
mod weights;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, Method};
use parking_lot::Mutex;

use remembered::{Remembered, Stake};
use settings::of_tier;
use sliding::Sliding;

pub use address::ForwardedHeader;
pub(crate) use address::{Origin, Source, network, source};
pub(crate) use admit::too_fast;
pub(crate) use clock::Clock;
pub(crate) use held::{Held, Place};
pub(crate) use order_counts::{ORDERS_1D, ORDERS_10S, OrderCount, OrderCounts};
pub use settings::{Profile, RateLimits};
pub(crate) use tally::{Hold, WHOLE};
pub use together::SharedLimits;
pub(crate) use together::Together;
pub(crate) use weights::{Charge, RAW_5M, WEIGHT_1M, Weights};

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;

/// What was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Requests of everybody together.
    All,
    /// Those of an address.
    Address,
    /// Those of a key.
    Key,
    /// Those of a key that place or change orders.
    Orders,
    /// The dialect's weight of an address.
    Weight,
    /// Requests in five minutes, whatever they weigh.
    RawRequests,
    /// The address went on asking after it was refused.
    Banned,
    /// The dialect's unfilled orders in ten seconds.
    TenSeconds,
    /// The dialect's unfilled orders in a day.
    Day,
    /// Sockets of the dialect opened in five minutes.
    Connections,
    /// Connections that an address holds open.
    HeldConnections,
    /// WebSocket connections that it does.
    HeldSockets,
}

impl Level {
    /// All, in their order.
    const ALL: [Self; 12] = [
        Self::All,
        Self::Address,
        Self::Key,
        Self::Orders,
        Self::Weight,
        Self::RawRequests,
        Self::Banned,
        Self::TenSeconds,
        Self::Day,
        Self::Connections,
        Self::HeldConnections,
        Self::HeldSockets,
    ];

    /// As a label of metrics.
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Address => "address",
            Self::Key => "key",
            Self::Orders => "orders",
            Self::Weight => "weight",
            Self::RawRequests => "raw_requests",
            Self::Banned => "banned",
            Self::TenSeconds => "orders_10s",
            Self::Day => "orders_1d",
            Self::Connections => "connections",
            Self::HeldConnections => "held_connections",
            Self::HeldSockets => "held_sockets",
        }
    }
}

/// A request that came too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What was exceeded.
    pub(crate) level: Level,
    /// By how many nanoseconds it came too soon.
    pub(crate) wait: u64,
    /// The number that was exceeded.
    pub(crate) limit: u32,
}

impl Refusal {
    /// What `Retry-After` says.
    pub(crate) fn seconds(self) -> u64 {
        self.wait.div_ceil(SECOND).max(1)
    }
}

/// What a signed request does, as far as limits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Places or changes orders. Cancels do not: they always pass as long as the key may ask at all.
    Orders,
    /// Everything else.
    Other,
}

impl Class {
    /// Of a native request.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let is_of_orders = path.starts_with("/v1/orders") || path.starts_with("/v1/order-lists");
        let changes = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
        if is_of_orders && changes { Self::Orders } else { Self::Other }
    }
}

/// The limits of requests.
pub(crate) struct Rates {
    settings: RateLimits,
    clock: Clock,
    all: Mutex<Sliding>,
    addresses: Remembered<IpAddr, Sliding>,
    keys: Remembered<Arc<str>, KeyUse>,
    refused: [AtomicU64; Level::ALL.len()],
    /// Keeps them instead, if there are several gateways.
    together: Option<Arc<Together>>,
}

struct KeyUse {
    requests: Sliding,
    orders: Sliding,
}

impl Rates {
    pub(crate) fn new(settings: RateLimits) -> Self {
        Self::with_clock(settings, Clock::from_zero())
    }

    fn with_clock(settings: RateLimits, clock: Clock) -> Self {
        Self {
            all: Mutex::new(Sliding::new(SECOND)),
            addresses: Remembered::new(settings.remembered, clock.clone()),
            keys: Remembered::new(settings.remembered, clock.clone()),
            clock,
            refused: Default::default(),
            together: settings
                .shared
                .as_ref()
                .map(|shared| Arc::new(Together::new(shared, settings.remembered))),
            settings,
        }
    }

    /// The address that a request from `peer` is charged to.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let RateLimits { trusted_proxies, forwarded_header, .. } = &self.settings;
        address::origin(trusted_proxies, *forwarded_header, peer, headers)
    }

    /// The address that holds a connection from `peer`; none if that is a trusted proxy, which holds those of
    /// many.
    pub(crate) fn holder(&self, peer: IpAddr) -> Source {
        address::holder(&self.settings.trusted_proxies, peer)
    }

    /// Counts a request for its address, if it came over a connection, and for everybody, as far as the
    /// profile limits these.
    ///
    /// # Errors
    /// [`Level::Address`], [`Level::All`].
    pub(crate) async fn request(&self, profile: Profile, source: Source) -> Result<(), Refusal> {
        self.noted(match &self.together {
            None => self.request_here(profile, source),
            Some(together) => together.request(&self.settings, profile, source).await,
        })
    }

    /// Counts a signed request for its key; `tier` is asked for only when it matters.
    ///
    /// # Errors
    /// [`Level::Orders`], [`Level::Key`].
    pub(crate) async fn signed(
        &self,
        profile: Profile,
        key: &Arc<str>,
        class: Class,
        tier: impl FnOnce() -> u8,
    ) -> Result<(), Refusal> {
        self.noted(match &self.together {
            Some(together) if profile == Profile::Standard => {
                together.signed(&self.settings, key, class, tier()).await
            }
            _ => self.signed_here(profile, key, class, tier),
        })
    }

    /// Keeps limits with other gateways, if there are any.
    pub(crate) fn together(&self) -> Option<&Arc<Together>> {
        self.together.as_ref()
    }

    /// Passes a decision on, and counts it if it is a refusal.
    pub(crate) fn noted<T>(&self, decision: Result<T, Refusal>) -> Result<T, Refusal> {
        if let Err(refusal) = &decision {
            self.refused[refusal.level as usize].fetch_add(1, Ordering::Relaxed);
        }
        decision
    }

    /// How many requests were refused, by the name of the limit.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let count = |level: Level| self.refused[level as usize].load(Ordering::Relaxed);
        Level::ALL.into_iter().map(move |level| (level.name(), count(level)))
    }

    /// How many addresses and keys are remembered.
    pub(crate) fn remembered(&self) -> (usize, usize) {
        match &self.together {
            None => (self.addresses.len(), self.keys.len()),
            Some(together) => together.remembered(),
        }
    }

    fn request_here(&self, profile: Profile, source: Source) -> Result<(), Refusal> {
        if profile == Profile::Unlimited {
            return Ok(());
        }
        if profile == Profile::Standard
            && let Some(address) = source
        {
            let most = self.settings.address_per_minute;
            let fresh = || Sliding::new(MINUTE);
            let admitted = self.addresses.with(&address, fresh, |used, now| used.admit(most, now));
            admitted.map_err(|wait| Refusal { level: Level::Address, wait, limit: most })?;
        }
        let most = self.settings.all_per_second;
        let mut all = self.all.lock();
        let admitted = all.admit(most, self.clock.now());
        admitted.map_err(|wait| Refusal { level: Level::All, wait, limit: most })
    }

    fn signed_here(
        &self,
        profile: Profile,
        key: &Arc<str>,
        class: Class,
        tier: impl FnOnce() -> u8,
    ) -> Result<(), Refusal> {
        if profile != Profile::Standard {
            return Ok(());
        }
        let RateLimits { key_per_minute, orders_per_minute, .. } = &self.settings;
        let fresh = || KeyUse { requests: Sliding::new(MINUTE), orders: Sliding::new(MINUTE) };
        self.keys.with(key, fresh, |used, now| {
            let tier = tier();
            if class == Class::Orders {
                let limit = of_tier(orders_per_minute, tier);
                let decided = used.orders.check(limit, now);
                decided.map_err(|wait| Refusal { level: Level::Orders, wait, limit })?;
            }
            let limit = of_tier(key_per_minute, tier);
            let decided = used.requests.admit(limit, now);
            decided.map_err(|wait| Refusal { level: Level::Key, wait, limit })?;
            if class == Class::Orders {
                used.orders.add(now);
            }
            Ok(())
        })
    }
}

impl Stake for Sliding {
    fn stake(&self, now: u64) -> u64 {
        self.at_most(now)
    }
}

impl Stake for KeyUse {
    fn stake(&self, now: u64) -> u64 {
        self.requests.at_most(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At zero.
    fn rates() -> Rates {
        let settings = RateLimits {
            all_per_second: 50,
            address_per_minute: 10,
            key_per_minute: vec![6, 60],
            orders_per_minute: vec![3, 30],
            ..RateLimits::default()
        };
        Rates::with_clock(settings, Clock::standing())
    }

    fn ip(last: u8) -> Source {
        Some([10, 0, 0, last].into())
    }

    #[test]
    fn an_address_that_is_refused_uses_up_nothing_of_what_all_share() {
        let (rates, standard) = (rates(), Profile::Standard);
        let ask = |last, now| {
            rates.clock.set(now);
            rates.request_here(standard, ip(last)).map_err(|no| no.level)
        };
        for round in 0..100 {
            let expected = if round < 10 { Ok(()) } else { Err(Level::Address) };
            assert_eq!(ask(1, 0), expected);
        }
        assert!((0..40).all(|number| ask(2 + number / 10, 0).is_ok()));
        assert_eq!(ask(9, 0), Err(Level::All));
        assert_eq!(ask(9, 2 * SECOND), Ok(()));
        assert_eq!(ask(1, 50 * SECOND), Err(Level::Address));
        assert_eq!(ask(1, 61 * SECOND), Ok(()));
        assert!((0..500).all(|_| rates.request_here(Profile::Unlimited, ip(1)).is_ok()));
        // The dialect has limits of its own for an address, and no others for all.
        rates.clock.set(99 * SECOND);
        assert!((0..40).all(|_| rates.request_here(Profile::Binance, ip(1)).is_ok()));
    }

    #[test]
    fn orders_are_limited_more_strictly_than_reads_and_higher_tiers_less() {
        let rates = rates();
        let (alice, bob) = (Arc::from("alice"), Arc::from("bob"));
        let ask = |key: &Arc<str>, class, tier| {
            let asked = rates.signed_here(Profile::Standard, key, class, || tier);
            asked.map_err(|no| (no.level, no.limit))
        };
        assert!((0..3).all(|_| ask(&alice, Class::Orders, 0).is_ok()));
        assert_eq!(ask(&alice, Class::Orders, 0), Err((Level::Orders, 3)));
        assert!((0..3).all(|_| ask(&alice, Class::Other, 0).is_ok()), "cancels and reads go on");
        assert_eq!(ask(&alice, Class::Other, 0), Err((Level::Key, 6)));
        assert_eq!(ask(&alice, Class::Other, 1), Ok(()), "its account has risen");
        assert!((0..30).all(|_| ask(&bob, Class::Orders, 200).is_ok()));
        assert_eq!(ask(&bob, Class::Orders, 200), Err((Level::Orders, 30)));
    }

    #[test]
    fn what_places_or_changes_orders_is_told_by_method_and_path() {
        use Class::{Orders, Other};
        for (method, path, class) in [
            (Method::POST, "/v1/orders", Orders),
            (Method::POST, "/v1/orders/replace", Orders),
            (Method::PATCH, "/v1/orders/BTC-USDT/7", Orders),
            (Method::POST, "/v1/order-lists", Orders),
            (Method::DELETE, "/v1/orders/BTC-USDT/7", Other),
            (Method::GET, "/v1/orders", Other),
            (Method::POST, "/v1/transfers", Other),
        ] {
            assert_eq!(Class::of(&method, path), class, "{method} {path}");
        }
    }

    #[test]
    fn refusals_are_counted_by_level() {
        let rates = rates();
        (0..15).for_each(|_| _ = rates.noted(rates.request_here(Profile::Standard, ip(1))));
        let counts: Vec<_> = rates.refused().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counts, [("address", 5)]);
        assert!(Level::ALL.iter().enumerate().all(|(at, &level)| at == level as usize));
        assert_eq!(rates.remembered(), (1, 0));
    }
}
