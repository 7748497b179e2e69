//! A small seeded generator of numbers; nothing here needs a better one.

/// Splitmix64; or numbers that a fuzzer chose.
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
}

/// The next `count` bytes, high ones first.
fn take(bytes: &mut Vec<u8>, count: u32) -> u64 {
    (0..count).fold(0, |number, _| number << 8 | u64::from(bytes.pop().unwrap_or_default()))
}
