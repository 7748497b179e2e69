//! The one source of chance of everything generated: commands of the oracle, runs of the simulator, inputs of
//! tests, the demo's participants.
//!
//! Invariant: a seed gives the same numbers for ever, on every machine; recorded seeds rely on it. Not for secrets.
#![forbid(unsafe_code)]

/// SplitMix64; or numbers that a fuzzer chose.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    /// Bytes that numbers are made of, the next one last.
    chosen: Option<Vec<u8>>,
}

impl Random {
    /// Begins at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed, chosen: None }
    }

    /// Takes its numbers from `bytes`: as many bytes for each as its bound needs. Zeros after the end.
    #[must_use]
    pub fn chosen(bytes: &[u8]) -> Self {
        Self { state: 0, chosen: Some(bytes.iter().rev().copied().collect()) }
    }

    /// Whether all chosen bytes were taken.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.chosen.as_ref().is_some_and(Vec::is_empty)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        if let Some(bytes) = &mut self.chosen {
            return take(bytes, 8);
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is above zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        if let Some(bytes) = &mut self.chosen {
            let bits = u64::BITS - (bound - 1).leading_zeros();
            return take(bytes, bits.div_ceil(8)) % bound;
        }
        self.number() % bound
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// One of them by weight: the place in the list.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (place, weight) in weights.iter().enumerate() {
            if at < *weight {
                return place;
            }
            at -= weight;
        }
        unreachable!("the number is below the sum")
    }

    /// A generator of its own, so that what one part draws does not shift another.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.number())
    }
}

/// The next `count` bytes, high ones first.
fn take(bytes: &mut Vec<u8>, count: u32) -> u64 {
    (0..count).fold(0, |number, _| number << 8 | u64::from(bytes.pop().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_gives_the_published_sequence_of_splitmix64() {
        let mut random = Random::new(1_234_567);
        let first = [0; 3].map(|_| random.number());
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first, published);
    }

    #[test]
    fn chosen_bytes_are_taken_as_each_bound_needs_them() {
        let mut random = Random::chosen(&[7, 1, 2, 9]);
        assert_eq!(random.below(10), 7);
        assert_eq!(random.below(1_000), 258);
        assert!(!random.is_used_up());
        assert_eq!(random.between(5, 8), 6);
        assert!(random.is_used_up());
        assert_eq!(random.number(), 0);
    }

    #[test]
    fn a_choice_by_weight_never_falls_on_what_weighs_nothing() {
        let mut random = Random::new(1);
        let mut counts = [0; 3];
        for _ in 0..1_000 {
            counts[random.weighted(&[1, 0, 3])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!(counts[0] < counts[2]);
    }
}
