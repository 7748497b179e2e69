//! When requests come due: an open loop. Each user's turns come by chance at its rate, whatever became of the turns before,
//! so that a slow exchange is asked no less than a fast one.

use std::time::Duration;

use chance::Random;

/// The turns of all users together.
pub(crate) struct Arrivals {
    random: Random,
    /// Sums of the users' rates.
    sums: Vec<f64>,
    /// When the next turn is due, since the begin of the run.
    next: Duration,
}

impl Arrivals {
    /// With the turns a second of each user at the base rate.
    pub(crate) fn new(random: Random, rates: impl Iterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let sums = rates.map(|rate| {
            sum += rate;
            sum
        });
        Self { random, sums: sums.collect(), next: Duration::ZERO }
    }

    /// Turns a second at the base rate.
    pub(crate) fn rate(&self) -> f64 {
        self.sums.last().copied().unwrap_or_default()
    }

    /// No turn is due before `at`.
    pub(crate) fn begin(&mut self, at: Duration) {
        self.next = self.next.max(at);
    }

    /// When the next turn is due.
    pub(crate) fn next(&self) -> Duration {
        self.next
    }

    /// Takes the turn that is due next: whose it is. The one after it comes at so many times the base rate.
    pub(crate) fn take(&mut self, multiplier: f64) -> usize {
        let at = self.unit() * self.rate();
        let user = self.sums.partition_point(|sum| *sum <= at).min(self.sums.len() - 1);
        // Turns of many independent users are a Poisson process: the time between two is exponential.
        let wait = -(1.0 - self.unit()).ln() / (self.rate() * multiplier).max(1e-6);
        self.next += Duration::from_secs_f64(wait.min(60.0));
        user
    }

    /// From zero to one, without one.
    fn unit(&mut self) -> f64 {
        (self.random.number() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chance::Random;

    use super::Arrivals;

    #[test]
    fn turns_come_at_the_rate_and_to_users_by_their_share_and_a_seed_repeats_them() {
        let run = |seed| {
            let mut arrivals = Arrivals::new(Random::new(seed), [30.0, 10.0].into_iter());
            let mut counts = [0; 2];
            while arrivals.next() < Duration::from_secs(100) {
                counts[arrivals.take(2.0)] += 1;
            }
            counts
        };
        let counts = run(1);
        assert!((5_700..6_300).contains(&counts[0]), "{counts:?}");
        assert!((1_850..2_150).contains(&counts[1]), "{counts:?}");
        assert_eq!(run(1), counts);
        assert_ne!(run(2), counts);
    }
}
