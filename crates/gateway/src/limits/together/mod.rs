//! Limits that several gateways keep together, over Redis.
//!
//! Redis has the windows ([`link`] and its scripts); a gateway borrows requests out of them, a few at a time
//! where the number is large, and so admits most of them without asking ([`window`]). Near a limit and with small
//! numbers each request asks, within a time-out. When Redis is away each gateway admits within its
//! share, a number divided by that of the gateways, and when it is back it is told what was admitted meanwhile.
//! The dialect's counters are kept there too ([`counters`]).
//!
//! *Invariants:* nothing is ever without a limit; no request fails or waits long because of Redis. All together
//! admit at most what the number says and a two-hundredth, as long as Redis keeps what it has.

mod counters;
mod link;
#[cfg(test)]
mod tests;
mod window;

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::clock::Clock;
use super::remembered::Remembered;
use super::settings::of_tier;
use super::{Class, Level, MINUTE, Profile, RateLimits, Refusal, SECOND, Source};
use crate::breaker::Breaker;
use link::{Ask, Link};
use window::{Leased, Loan, Step};

pub(crate) use counters::{Bans, Question, Verdict};
pub(crate) use link::Away;

/// Where limits are shared, and among how many.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedLimits {
    address: String,
    /// How many gateways there are: without Redis each has so much of the limits.
    pub gateways: u32,
    /// How long a request waits for Redis.
    pub timeout: Duration,
    /// What names of keys begin with. Gateways with the same one share.
    pub prefix: String,
}

impl SharedLimits {
    /// Over the Redis of this address, `redis://[[user]:password@]host[:port][/database]`, among `gateways`.
    ///
    /// # Errors
    /// That it is no such address.
    pub fn new(address: &str, gateways: u32) -> Result<Self, &'static str> {
        // Words of the library may repeat the password.
        let wrong = "no address of Redis, as redis://:password@host:port/database is one";
        redis::Client::open(address).map_err(|_| wrong)?;
        Ok(Self {
            address: address.to_owned(),
            gateways: gateways.max(1),
            timeout: Duration::from_millis(50),
            prefix: "outcry".to_owned(),
        })
    }
}

/// Without the address, which may have a password.
impl std::fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { gateways, timeout, prefix, .. } = self;
        write!(f, "SharedLimits {{ {gateways} gateways, {timeout:?}, {prefix:?} }}")
    }
}

/// Limits that are kept together.
pub(crate) struct Together {
    link: Link,
    gateways: u32,
    all: Mutex<Leased>,
    addresses: Remembered<IpAddr, Leased>,
    keys: Remembered<(Arc<str>, Class), Leased>,
    clock: Clock,
    /// That of requests.
    runtime: OnceLock<Handle>,
}

/// Whose requests a window counts: with a class of orders, those of a key that place or change some.
#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    All,
    Address(IpAddr),
    Key(&'a Arc<str>, Class),
}

impl Subject<'_> {
    /// Its name at Redis.
    fn name(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Address(address) => format!("address:{address}"),
            Self::Key(key, Class::Other) => format!("key:{key}"),
            Self::Key(key, Class::Orders) => format!("orders:{key}"),
        }
    }

    fn level(&self) -> (Level, u64) {
        match self {
            Self::All => (Level::All, SECOND),
            Self::Address(_) => (Level::Address, MINUTE),
            Self::Key(_, Class::Other) => (Level::Key, MINUTE),
            Self::Key(_, Class::Orders) => (Level::Orders, MINUTE),
        }
    }
}

/// What Redis is told of the time, in microseconds: zero means that its own clock counts.
fn time_for_redis(clock: &Clock) -> i64 {
    match clock {
        Clock::Running(..) => 0,
        #[cfg(test)]
        Clock::Set(_) => (clock.now() / 1_000) as i64,
    }
}

impl Together {
    pub(crate) fn new(settings: &SharedLimits, remembered: usize) -> Self {
        Self::with_clock(settings, remembered, Clock::from_zero())
    }

    fn with_clock(settings: &SharedLimits, remembered: usize, clock: Clock) -> Self {
        Self {
            link: Link::new(settings),
            gateways: settings.gateways,
            all: Mutex::new(Leased::new(SECOND)),
            addresses: Remembered::new(remembered, clock.clone()),
            keys: Remembered::new(2 * remembered, clock.clone()),
            clock,
            runtime: OnceLock::new(),
        }
    }

    /// As `Rates::request`.
    ///
    /// # Errors
    /// [`Level::Address`], [`Level::All`].
    pub(super) async fn request(
        &self,
        settings: &RateLimits,
        profile: Profile,
        source: Source,
    ) -> Result<(), Refusal> {
        if profile == Profile::Unlimited {
            return Ok(());
        }
        if profile == Profile::Standard
            && let Some(address) = source
        {
            self.admit(Subject::Address(address), settings.address_per_minute).await?;
        }
        self.admit(Subject::All, settings.all_per_second).await
    }

    /// As `Rates::signed`.
    ///
    /// # Errors
    /// [`Level::Orders`], [`Level::Key`].
    pub(super) async fn signed(
        &self,
        settings: &RateLimits,
        key: &Arc<str>,
        class: Class,
        tier: u8,
    ) -> Result<(), Refusal> {
        if class == Class::Orders {
            let most = of_tier(&settings.orders_per_minute, tier);
            self.admit(Subject::Key(key, Class::Orders), most).await?;
        }
        let most = of_tier(&settings.key_per_minute, tier);
        let admitted = self.admit(Subject::Key(key, Class::Other), most).await;
        if admitted.is_err() && class == Class::Orders {
            self.keys.existing(&(Arc::clone(key), class), |window, _| window.give_back());
        }
        admitted
    }

    /// Admits a request of a subject that may make `most` in its window.
    async fn admit(&self, subject: Subject<'_>, most: u32) -> Result<(), Refusal> {
        let (level, length) = subject.level();
        let refusal = |wait| Refusal { level, wait, limit: most };
        let mut attempts = 0..3;
        loop {
            let borrowing = match self.with(subject, |window, now| window.begin(most, now)) {
                Step::Admitted => return Ok(()),
                Step::Refused(wait) => return Err(refusal(wait)),
                Step::Borrow(borrowing) => borrowing,
            };
            let fresh = epoch();
            let told = [time_for_redis(&self.clock), (length / 1_000) as i64, most.into()];
            let wanted = [borrowing.wanted.into(), borrowing.epoch, fresh];
            let args: Vec<_> =
                told.into_iter().chain(wanted).chain(borrowing.untold(self.clock.now())).collect();
            let answer = self.link.ask(Ask::Sliding, &subject.name(), &args).await;
            let [lent, wait, epoch] = match answer.as_deref() {
                // Once more if Redis has forgotten, and is told; it does not go on forgetting.
                Ok(&[lent, wait, epoch]) if attempts.next().is_some() => [lent, wait, epoch],
                _ => {
                    let share = (most / self.gateways).max(1);
                    let alone = |window: &mut Leased, now| window.alone(borrowing, share, now);
                    return self.with(subject, alone).map_err(refusal);
                }
            };
            let loan = Loan { lent, wait: wait.max(0) as u64 * 1_000, epoch };
            let answered = |window: &mut Leased, now| window.answered(&borrowing, loan, most, now);
            if let Some(decided) = self.with(subject, answered) {
                return decided.map_err(refusal);
            }
        }
    }

    fn with<R>(&self, subject: Subject<'_>, act: impl FnOnce(&mut Leased, u64) -> R) -> R {
        let fresh = || Leased::new(MINUTE);
        match subject {
            Subject::All => {
                let mut all = self.all.lock();
                act(&mut all, self.clock.now())
            }
            Subject::Address(address) => self.addresses.with(&address, fresh, act),
            Subject::Key(key, class) => self.keys.with(&(Arc::clone(key), class), fresh, act),
        }
    }

    /// How many windows of addresses and of keys are remembered.
    pub(super) fn remembered(&self) -> (usize, usize) {
        (self.addresses.len(), self.keys.len())
    }

    /// How Redis stands.
    pub(crate) fn breaker(&self) -> &Breaker {
        &self.link.breaker
    }

    /// How many questions Redis has answered, and how many it has not.
    pub(crate) fn asked(&self) -> (u64, u64) {
        let count = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        (count(&self.link.answered), count(&self.link.failed))
    }
}

/// A name that no other has: of at most 53 bits, which Redis can count with.
fn epoch() -> i64 {
    let bits = getrandom::u64().unwrap_or_default() >> 11;
    bits.max(1) as i64
}
