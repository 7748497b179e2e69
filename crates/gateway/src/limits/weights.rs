//! The Binance dialect's weights: each address has a sum of them for each minute of the clock, and a number of
//! requests for each five minutes. Who goes on asking after being refused is banned, and the next time for
//! twice as long.

use super::address::Source;
use super::remembered::{Remembered, Stake};
use super::{Level, MINUTE, Refusal};

/// Weight in a minute.
pub(crate) const WEIGHT_1M: u32 = 6_000;
/// Requests in five minutes.
pub(crate) const RAW_5M: u32 = 300_000;
/// Sockets opened in five minutes.
const CONNECTIONS_5M: u32 = 300;
/// Refusals in a minute after which an address is banned.
const PATIENCE: u32 = 100;
/// The first ban, in nanoseconds.
const FIRST_BAN: u64 = 2 * MINUTE;
/// The longest; and bans are forgotten so long after the last one's end.
const LONGEST_BAN: u64 = 3 * 24 * 60 * MINUTE;

/// What addresses have used.
pub(crate) struct Weights {
    addresses: Remembered<Source, Used>,
}

/// What an address has used. Times are nanoseconds of the clock.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    minute: u64,
    weight: u32,
    refused: u32,
    five_minutes: u64,
    requests: u32,
    connections: u32,
    banned_until: u64,
    bans: u32,
}

impl Weights {
    /// At most so many addresses are remembered.
    pub(crate) fn new(remembered: usize) -> Self {
        Self { addresses: Remembered::new(remembered) }
    }

    /// Charges a request, or only counts it if it `only_counts`; gives the weight used in this minute. A refused
    /// one costs nothing, but patience.
    ///
    /// # Errors
    /// [`Level::Weight`], [`Level::RawRequests`], [`Level::Banned`].
    pub(crate) fn charge(
        &self,
        source: Source,
        weight: u32,
        only_counts: bool,
        now: u64,
    ) -> Result<u32, Refusal> {
        self.addresses.with(&source, now, Used::default, |used| {
            used.roll(now);
            if !only_counts {
                used.check(weight, now)?;
            }
            used.weight = used.weight.saturating_add(weight);
            used.requests = used.requests.saturating_add(1);
            Ok(used.weight)
        })
    }

    /// Charges an attempt to open a socket.
    ///
    /// # Errors
    /// [`Level::Connections`], or as [`Self::charge`]; never if it `only_counts`.
    pub(crate) fn connect(
        &self,
        source: Source,
        weight: u32,
        only_counts: bool,
        now: u64,
    ) -> Result<(), Refusal> {
        self.addresses.with(&source, now, Used::default, |used| {
            used.roll(now);
            if !only_counts {
                used.check_connections(now)?;
                used.check(weight, now)?;
            }
            used.connections = used.connections.saturating_add(1);
            used.weight = used.weight.saturating_add(weight);
            Ok(())
        })
    }

    /// Gives weight back.
    pub(crate) fn give_back(&self, source: Source, weight: u32, now: u64) -> u32 {
        let give = |used: &mut Used| {
            used.roll(now);
            used.weight = used.weight.saturating_sub(weight);
            used.weight
        };
        self.addresses.existing(&source, give).unwrap_or(0)
    }

    /// The weight used in the current minute.
    pub(crate) fn used(&self, source: Source, now: u64) -> u32 {
        let look = |used: &mut Used| {
            used.roll(now);
            used.weight
        };
        self.addresses.existing(&source, look).unwrap_or(0)
    }
}

impl Used {
    /// Begins new windows.
    fn roll(&mut self, now: u64) {
        let (minute, five_minutes) = (now / MINUTE, now / (5 * MINUTE));
        if self.minute != minute {
            (self.minute, self.weight, self.refused) = (minute, 0, 0);
        }
        if self.five_minutes != five_minutes {
            (self.five_minutes, self.requests, self.connections) = (five_minutes, 0, 0);
        }
        if self.bans > 0 && now > self.banned_until + LONGEST_BAN {
            self.bans = 0;
        }
    }

    fn check(&mut self, weight: u32, now: u64) -> Result<(), Refusal> {
        self.check_ban(now)?;
        let (level, window, limit) = if self.weight.saturating_add(weight) > WEIGHT_1M {
            (Level::Weight, MINUTE, WEIGHT_1M)
        } else if self.requests >= RAW_5M {
            (Level::RawRequests, 5 * MINUTE, RAW_5M)
        } else {
            return Ok(());
        };
        Err(self.lose_patience(level, window, limit, now))
    }

    fn check_connections(&mut self, now: u64) -> Result<(), Refusal> {
        self.check_ban(now)?;
        if self.connections < CONNECTIONS_5M {
            return Ok(());
        }
        Err(self.lose_patience(Level::Connections, 5 * MINUTE, CONNECTIONS_5M, now))
    }

    fn check_ban(&self, now: u64) -> Result<(), Refusal> {
        if now < self.banned_until {
            let wait = self.banned_until - now;
            return Err(Refusal { level: Level::Banned, wait, limit: WEIGHT_1M });
        }
        Ok(())
    }

    fn lose_patience(&mut self, level: Level, window: u64, limit: u32, now: u64) -> Refusal {
        self.refused += 1;
        if self.refused >= PATIENCE {
            self.ban(now);
        }
        Refusal { level, wait: window - now % window, limit }
    }

    fn ban(&mut self, now: u64) {
        let length = FIRST_BAN.saturating_mul(1 << self.bans);
        self.banned_until = now + length.min(LONGEST_BAN);
        self.bans = (self.bans + 1).min(32);
    }
}

impl Stake for Used {
    fn stake(&self, now: u64) -> u64 {
        if now < self.banned_until {
            return u64::MAX;
        }
        let mut now_used = *self;
        now_used.roll(now);
        let asked = u64::from(now_used.weight) + u64::from(now_used.requests);
        let asked = asked + u64::from(now_used.connections);
        asked + u64::from(now_used.refused) + u64::from(now_used.bans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SECOND;

    fn charge(weights: &Weights, weight: u32, now: u64) -> Result<u32, (Level, u64)> {
        let charged = weights.charge(None, weight, false, now);
        charged.map_err(|refusal| (refusal.level, refusal.seconds()))
    }

    #[test]
    fn weights_count_by_the_minute_of_the_clock() {
        let weights = Weights::new(100);
        assert_eq!(charge(&weights, 20, MINUTE), Ok(20));
        assert_eq!(charge(&weights, 5_980, 119 * SECOND), Ok(6_000));
        assert_eq!(charge(&weights, 1, 119 * SECOND), Err((Level::Weight, 1)));
        assert_eq!(weights.used(None, 119 * SECOND), 6_000);
        assert_eq!(weights.give_back(None, 5, 119 * SECOND), 5_995);
        assert_eq!(charge(&weights, 5, 119 * SECOND), Ok(6_000));
        assert_eq!(charge(&weights, 1, 120 * SECOND), Ok(1));
        assert_eq!(weights.charge(None, 50_000, true, 121 * SECOND), Ok(50_001));
    }

    #[test]
    fn requests_that_weigh_little_are_counted_too() {
        let weights = Weights::new(100);
        for minute in 0..5 {
            for _ in 0..60_000 {
                assert!(charge(&weights, 0, minute * MINUTE).is_ok());
            }
        }
        assert_eq!(charge(&weights, 0, 270 * SECOND), Err((Level::RawRequests, 30)));
        assert!(charge(&weights, 0, 300 * SECOND).is_ok());
    }

    #[test]
    fn who_goes_on_is_banned_and_the_next_time_for_longer_up_to_three_days() {
        let (weights, mut now) = (Weights::new(100), MINUTE);
        let mut bans = Vec::new();
        for _ in 0..40 {
            now = now.next_multiple_of(MINUTE);
            assert!(charge(&weights, WEIGHT_1M, now).is_ok(), "a new minute, and no ban any more");
            for _ in 0..PATIENCE {
                assert_eq!(charge(&weights, 1, now), Err((Level::Weight, 60)));
            }
            let Err((Level::Banned, seconds)) = charge(&weights, 1, now) else { panic!("no ban") };
            assert!(charge(&weights, 1, now + (seconds - 1) * SECOND).is_err());
            bans.push(seconds / 60);
            now += seconds * SECOND;
        }
        assert_eq!(bans[..5], [2, 4, 8, 16, 32]);
        assert_eq!(bans[11], 4_096);
        assert_eq!(bans[12..], [4_320; 28]);
        now += LONGEST_BAN + MINUTE;
        (0..200).for_each(|_| _ = charge(&weights, WEIGHT_1M, now));
        assert_eq!(charge(&weights, 1, now), Err((Level::Banned, 120)), "forgotten in three days");
    }

    #[test]
    fn sockets_are_counted_by_five_minutes_and_a_ban_is_one_for_them_too() {
        let weights = Weights::new(100);
        let connect = |now| weights.connect(None, 0, false, now).map_err(|refusal| refusal.level);
        assert!((0..300).all(|_| connect(5 * MINUTE).is_ok()));
        assert_eq!(connect(9 * MINUTE), Err(Level::Connections));
        assert!(weights.connect(None, 0, true, 9 * MINUTE).is_ok());
        assert_eq!(connect(10 * MINUTE), Ok(()));
        (0..200).for_each(|_| _ = charge(&weights, WEIGHT_1M, 10 * MINUTE));
        assert_eq!(connect(10 * MINUTE), Err(Level::Banned));
    }

    #[test]
    fn a_pause_of_a_minute_restores_patience() {
        let weights = Weights::new(100);
        for minute in 1..50 {
            assert!(charge(&weights, WEIGHT_1M, minute * MINUTE).is_ok());
            for _ in 1..PATIENCE {
                assert!(charge(&weights, 1, minute * MINUTE).is_err());
            }
        }
    }
}
