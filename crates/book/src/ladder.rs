//! One side's price levels, best first.
//!
//! Invariants: a level has at least one order; `best` is the level with the smallest key. Keys of asks
//! are their prices, keys of bids these with all bits turned over, so that "worse" is always "larger".
//! Nobody can foretell which side comes next, and so there is no branch for it.

use types::{Price, Quantity, Side};

use crate::slab::{NONE, Slab};
use crate::trie::Trie;

/// The orders of one price, oldest first.
#[derive(Clone, Copy)]
pub(crate) struct Level {
    pub(crate) price: Price,
    /// Open lots of all its orders: 96 bits, for no definition bounds their sum by 64.
    total_low: u64,
    total_high: u32,
    pub(crate) head: u32,
    pub(crate) tail: u32,
    pub(crate) count: u32,
}

const _: () = assert!(size_of::<Level>() == 32);

impl Level {
    #[inline]
    pub(crate) fn total(&self) -> u128 {
        u128::from(self.total_high) << 64 | u128::from(self.total_low)
    }

    #[inline]
    pub(crate) fn add(&mut self, quantity: Quantity) {
        let (low, carry) = self.total_low.overflowing_add(quantity.get());
        self.total_low = low;
        self.total_high += u32::from(carry);
    }

    #[inline]
    pub(crate) fn subtract(&mut self, quantity: Quantity) {
        let (low, borrow) = self.total_low.overflowing_sub(quantity.get());
        self.total_low = low;
        self.total_high -= u32::from(borrow);
    }
}

pub(crate) struct Ladder {
    max_price: Price,
    /// The bits of a price that its key has the other way round: none for asks, for bids all that a
    /// price may have.
    turned: u64,
    trie: Trie,
    levels: Slab<Level>,
    best: u32,
}

impl Ladder {
    pub(crate) fn new(side: Side, max_price: Price) -> Self {
        let turned = match side {
            Side::Buy => u64::MAX >> max_price.get().leading_zeros().min(u64::BITS - 1),
            Side::Sell => 0,
        };
        let trie = Trie::new(max_price.get());
        Self { max_price, turned, trie, levels: Slab::new(), best: NONE }
    }

    #[inline]
    fn key(&self, price: Price) -> u64 {
        debug_assert!(price <= self.max_price);
        price.get() ^ self.turned
    }

    pub(crate) fn count(&self) -> usize {
        self.levels.live()
    }

    #[inline]
    pub(crate) fn level(&self, level: u32) -> &Level {
        &self.levels[level]
    }

    #[inline]
    pub(crate) fn level_mut(&mut self, level: u32) -> &mut Level {
        &mut self.levels[level]
    }

    #[inline]
    pub(crate) fn best(&self) -> Option<&Level> {
        (self.best != NONE).then(|| &self.levels[self.best])
    }

    /// Whether an order of the other side with this limit would meet the best level.
    #[inline]
    pub(crate) fn meets(&self, limit: Price) -> bool {
        self.best().is_some_and(|best| self.key(best.price) <= self.key(limit))
    }

    #[inline]
    pub(crate) fn find(&mut self, price: Price) -> Option<u32> {
        self.trie.get(self.key(price))
    }

    /// The level of `price`, made if it is not there. Then the caller must put an order into it.
    #[inline]
    pub(crate) fn find_or_insert(&mut self, price: Price) -> u32 {
        let key = self.key(price);
        match self.trie.get(key) {
            Some(level) => level,
            None => self.insert(key, price),
        }
    }

    fn insert(&mut self, key: u64, price: Price) -> u32 {
        // Beyond it the trie would take the price for another.
        assert!(price <= self.max_price, "no price of this market");
        let level = self.levels.insert(Level {
            price,
            total_low: 0,
            total_high: 0,
            head: NONE,
            tail: NONE,
            count: 0,
        });
        self.trie.insert(key, level);
        if self.best == NONE || key < self.key(self.levels[self.best].price) {
            self.best = level;
        }
        level
    }

    /// Removes a level without orders.
    pub(crate) fn remove(&mut self, level: u32) {
        debug_assert_eq!(self.levels[level].total(), 0);
        let key = self.key(self.levels[level].price);
        if self.best == level {
            self.best = self.trie.next_above(key).unwrap_or(NONE);
        }
        self.trie.remove(key);
        self.levels.remove(level);
    }

    /// The next worse level.
    pub(crate) fn after(&self, level: u32) -> Option<&Level> {
        let next = self.trie.next_above(self.key(self.levels[level].price))?;
        Some(&self.levels[next])
    }

    /// All levels, best first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Level> + '_ {
        let first = (self.best != NONE).then_some(self.best);
        std::iter::successors(first, |&level| {
            self.trie.next_above(self.key(self.levels[level].price))
        })
        .map(|level| &self.levels[level])
    }
}
