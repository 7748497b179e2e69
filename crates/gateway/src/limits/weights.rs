//! The Binance dialect's weights: each address has a sum of them for each minute of the clock, and a number of
//! requests for each five minutes. Who goes on asking after being refused is banned, and the next time for
//! twice as long.

use std::sync::Arc;

use super::address::Source;
use super::clock::Clock;
use super::remembered::{Remembered, Stake};
use super::tally::{Hold, Limit, Tally};
use super::together::{Bans, Question, Together, Verdict};
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

const LIMITS: [Limit; 3] = [
    Limit { length: 5 * MINUTE, most: CONNECTIONS_5M, level: Level::Connections },
    Limit { length: MINUTE, most: WEIGHT_1M, level: Level::Weight },
    Limit { length: 5 * MINUTE, most: RAW_5M, level: Level::RawRequests },
];

const BANS: Bans = Bans { patience: PATIENCE, first: FIRST_BAN, longest: LONGEST_BAN };

/// What a request was charged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    weight: u32,
    /// When it was counted.
    at: u64,
}

impl Charge {
    fn of([_, weight, _]: [u32; 3], at: u64) -> Self {
        Self { weight, at }
    }
}

/// What addresses have used.
pub(crate) struct Weights {
    addresses: Remembered<Source, Used>,
    together: Option<Arc<Together>>,
}

/// What an address has used. Times are nanoseconds of the clock.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    /// Connections, weight and requests.
    tally: Tally<3>,
    minute: u64,
    refused: u32,
    banned_until: u64,
    bans: u32,
}

impl Weights {
    /// At most so many addresses are remembered. With other gateways, if there are any. Minutes are those of
    /// the clock.
    pub(crate) fn new(remembered: usize, together: Option<Arc<Together>>, clock: Clock) -> Self {
        Self { addresses: Remembered::new(remembered, clock), together }
    }

    /// Charges a request, or only counts it if nothing holds. A refused one costs nothing, but patience.
    ///
    /// # Errors
    /// [`Level::Weight`], [`Level::RawRequests`], [`Level::Banned`].
    pub(crate) async fn charge(
        &self,
        source: Source,
        weight: u32,
        hold: Hold,
    ) -> Result<Charge, Refusal> {
        self.add(source, [0, weight, 1], hold).await
    }

    /// Charges an attempt to open a socket.
    ///
    /// # Errors
    /// [`Level::Connections`], or as [`Self::charge`]; never if nothing holds.
    pub(crate) async fn connect(
        &self,
        source: Source,
        weight: u32,
        hold: Hold,
    ) -> Result<(), Refusal> {
        self.add(source, [1, weight, 0], hold).await.map(|_| ())
    }

    async fn add(&self, source: Source, adds: [u32; 3], hold: Hold) -> Result<Charge, Refusal> {
        match &self.together {
            None => self.add_here(source, adds, hold),
            Some(together) => self.add_together(together, source, adds, hold).await,
        }
    }

    fn add_here(&self, source: Source, adds: [u32; 3], hold: Hold) -> Result<Charge, Refusal> {
        self.with(source, |used, now| {
            used.check(adds, hold, now)?;
            used.tally.add(adds);
            Ok(Charge::of(adds, now))
        })
    }

    async fn add_together(
        &self,
        together: &Together,
        source: Source,
        adds: [u32; 3],
        hold: Hold,
    ) -> Result<Charge, Refusal> {
        let refuses = hold != Hold::Nothing;
        // Once more if Redis has forgotten, and is told; it does not go on forgetting.
        for _ in 0..3 {
            let told = self.with(source, |used, now| {
                // Who is banned is not worth a question.
                if refuses {
                    used.check_ban(now)?;
                }
                Ok(used.tally.tell())
            })?;
            let (name, adds_more) = (name(source), adds.map(i64::from));
            let bans = refuses.then_some(BANS);
            let limits = &LIMITS;
            let question = Question { name, limits, adds: adds_more, told, refuses, bans };
            let Ok(counted) = together.count(&question).await else {
                self.with(source, |used, _| used.tally.not_told(told.1));
                break;
            };
            let wait = counted.wait;
            match counted.verdict {
                Verdict::Forgotten => {
                    self.with(source, |used, _| used.tally.forgotten(counted.epoch));
                }
                Verdict::Exceeded(at) => {
                    let Limit { level, most, .. } = LIMITS[at];
                    return Err(Refusal { level, wait, limit: most });
                }
                Verdict::Banned if refuses => {
                    self.with(source, |used, now| used.banned_until = now + wait);
                    return Err(Refusal { level: Level::Banned, wait, limit: WEIGHT_1M });
                }
                Verdict::Counted | Verdict::Banned => {
                    return Ok(self.with(source, |used, now| {
                        used.tally.told(adds, counted.epoch, counted.counts);
                        Charge::of(adds, now)
                    }));
                }
            }
        }
        let hold = if refuses { together.share() } else { hold };
        self.with(source, |used, now| {
            used.check(adds, hold, now)?;
            used.tally.add_untold(adds);
            Ok(Charge::of(adds, now))
        })
    }

    /// Gives back what was charged, if its minute is not over; gives the weight used in this one.
    pub(crate) fn give_back(&self, source: Source, charge: Charge) -> u32 {
        let given_back = self.addresses.existing(&source, |used, now| {
            used.roll(now);
            let adds = used.tally.still_counted(&LIMITS, [0, charge.weight, 0], charge.at);
            used.tally.give_back(adds);
            (*used, adds)
        });
        if let (Some((used, adds)), Some(together)) = (given_back, &self.together) {
            together.take_back(name(source), &LIMITS, &used.tally, adds);
        }
        given_back.map_or(0, |(used, _)| used.weight())
    }

    /// The weight used in the current minute.
    pub(crate) fn used(&self, source: Source) -> u32 {
        let look = |used: &mut Used, now| {
            used.roll(now);
            used.weight()
        };
        self.addresses.existing(&source, look).unwrap_or(0)
    }

    fn with<R>(&self, source: Source, act: impl FnOnce(&mut Used, u64) -> R) -> R {
        self.addresses.with(&source, Used::default, |used, now| {
            used.roll(now);
            act(used, now)
        })
    }
}

/// An address's name at Redis.
fn name(source: Source) -> String {
    source.map_or("weights:none".to_owned(), |address| format!("weights:{address}"))
}

impl Used {
    /// Begins new windows.
    fn roll(&mut self, now: u64) {
        self.tally.roll(&LIMITS, now);
        let minute = now / MINUTE;
        if self.minute < minute {
            (self.minute, self.refused) = (minute, 0);
        }
        if self.bans > 0 && now > self.banned_until + LONGEST_BAN {
            self.bans = 0;
        }
    }

    fn weight(&self) -> u32 {
        self.tally.counts()[1]
    }

    fn check(&mut self, adds: [u32; 3], hold: Hold, now: u64) -> Result<(), Refusal> {
        if hold == Hold::Nothing {
            return Ok(());
        }
        self.check_ban(now)?;
        let Some(at) = self.tally.exceeded(&LIMITS, adds, hold) else { return Ok(()) };
        self.refused += 1;
        if self.refused >= PATIENCE {
            self.ban(now);
        }
        let Limit { level, most, length } = LIMITS[at];
        Err(Refusal { level, wait: length - now % length, limit: most })
    }

    fn check_ban(&self, now: u64) -> Result<(), Refusal> {
        if now < self.banned_until {
            let wait = self.banned_until - now;
            return Err(Refusal { level: Level::Banned, wait, limit: WEIGHT_1M });
        }
        Ok(())
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
        now_used.tally.total() + u64::from(now_used.refused) + u64::from(now_used.bans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SECOND;
    use crate::limits::tally::WHOLE;

    /// Weights under a clock that tests set.
    struct Timed {
        weights: Weights,
        clock: Clock,
    }

    impl Timed {
        fn new() -> Self {
            let clock = Clock::standing();
            Self { weights: Weights::new(100, None, clock.clone()), clock }
        }

        fn add(&self, adds: [u32; 3], hold: Hold, now: u64) -> Result<Charge, Refusal> {
            self.clock.set(now);
            self.weights.add_here(None, adds, hold)
        }

        fn used(&self, now: u64) -> u32 {
            self.clock.set(now);
            self.weights.used(None)
        }
    }

    fn charge(weights: &Timed, weight: u32, now: u64) -> Result<u32, (Level, u64)> {
        let charged = weights.add([0, weight, 1], WHOLE, now).map(|_| weights.used(now));
        charged.map_err(|refusal| (refusal.level, refusal.seconds()))
    }

    #[test]
    fn what_was_charged_in_the_last_minute_is_not_given_back_in_this_one() {
        let timed = Timed::new();
        let (before, after) = (59 * SECOND, 61 * SECOND);
        let early = timed.add([0, 5, 1], WHOLE, before).unwrap();
        assert_eq!(charge(&timed, 5_990, after), Ok(5_990));
        let late = timed.add([0, 5, 1], WHOLE, after).unwrap();
        assert_eq!(timed.weights.give_back(None, early), 5_995, "it does not count in this minute");
        assert_eq!(timed.weights.give_back(None, late), 5_990);
        assert_eq!(charge(&timed, 10, after), Ok(6_000));
        assert_eq!(charge(&timed, 1, after).unwrap_err().0, Level::Weight);
    }

    #[test]
    fn weights_count_by_the_minute_of_the_clock() {
        let weights = Timed::new();
        assert_eq!(charge(&weights, 20, MINUTE), Ok(20));
        assert_eq!(charge(&weights, 5_980, 119 * SECOND), Ok(6_000));
        assert_eq!(charge(&weights, 1, 119 * SECOND), Err((Level::Weight, 1)));
        assert_eq!(weights.used(119 * SECOND), 6_000);
        assert_eq!(charge(&weights, 1, 120 * SECOND), Ok(1));
        assert!(weights.add([0, 50_000, 1], Hold::Nothing, 121 * SECOND).is_ok());
        assert_eq!(weights.used(121 * SECOND), 50_001);
    }

    #[test]
    fn requests_that_weigh_little_are_counted_too() {
        let weights = Timed::new();
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
        let (weights, mut now) = (Timed::new(), MINUTE);
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
        let weights = Timed::new();
        let connect = |now| {
            let counted = weights.add([1, 0, 0], WHOLE, now);
            counted.map(|_| ()).map_err(|refusal| refusal.level)
        };
        assert!((0..300).all(|_| connect(5 * MINUTE).is_ok()));
        assert_eq!(connect(9 * MINUTE), Err(Level::Connections));
        assert!(weights.add([1, 0, 0], Hold::Nothing, 9 * MINUTE).is_ok());
        assert_eq!(connect(10 * MINUTE), Ok(()));
        (0..200).for_each(|_| _ = charge(&weights, WEIGHT_1M, 10 * MINUTE));
        assert_eq!(connect(10 * MINUTE), Err(Level::Banned));
    }

    #[test]
    fn a_pause_of_a_minute_restores_patience() {
        let weights = Timed::new();
        for minute in 1..50 {
            assert!(charge(&weights, WEIGHT_1M, minute * MINUTE).is_ok());
            for _ in 1..PATIENCE {
                assert!(charge(&weights, 1, minute * MINUTE).is_err());
            }
        }
    }
}
