//! What is remembered of addresses, keys and accounts, within bounds.
//!
//! An entry that says nothing any more gives its place to the next newcomer. When all places are taken,
//! a newcomer takes that of whoever has the least at stake among a few, picked blindly: a flood of
//! addresses that ask once each displaces its own, and one that has asked much, or is banned, stays.
//! Being displaced costs an honest client nothing: it begins with an empty window.
//!
//! *Invariant:* time never goes back in an entry, since the clock is read while the entry is held.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;

use super::clock::Clock;

const SHARDS: usize = 16;
/// Entries that a newcomer looks at, as long as there is room.
const GLANCE: usize = 4;
/// And when there is none.
const SEARCH: usize = 32;

/// What an entry is worth keeping for.
pub(crate) trait Stake {
    /// Zero says that a fresh entry would do as well; the least goes first.
    fn stake(&self, now: u64) -> u64;
}

/// Entries by key.
pub(crate) struct Remembered<K, V> {
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: RandomState,
    clock: Clock,
}

struct Shard<K, V> {
    places: HashMap<K, usize>,
    entries: Vec<(K, V)>,
    /// Leads to the places that the next newcomer looks at.
    dice: u64,
    most: usize,
}

impl<K: Clone + Eq + Hash, V: Stake> Remembered<K, V> {
    /// At most `most` entries (rounded up to a multiple of 16).
    pub(crate) fn new(most: usize, clock: Clock) -> Self {
        let shard = || {
            let most = most.div_ceil(SHARDS).max(1);
            Mutex::new(Shard { places: HashMap::new(), entries: Vec::new(), dice: 0, most })
        };
        let shards = (0..SHARDS).map(|_| shard()).collect();
        Self { shards, hasher: RandomState::new(), clock }
    }

    /// Does something with the entry of a key, which is made if it is not remembered, and the time.
    pub(crate) fn with<R>(
        &self,
        key: &K,
        fresh: impl FnOnce() -> V,
        act: impl FnOnce(&mut V, u64) -> R,
    ) -> R {
        let mut shard = self.shard(key).lock();
        let now = self.clock.now();
        let place = match shard.places.get(key) {
            Some(&place) => place,
            None => shard.admit(key.clone(), fresh(), now),
        };
        act(&mut shard.entries[place].1, now)
    }

    /// Does something with the entry of a key that is remembered, and the time.
    pub(crate) fn existing<R>(&self, key: &K, act: impl FnOnce(&mut V, u64) -> R) -> Option<R> {
        let mut shard = self.shard(key).lock();
        let now = self.clock.now();
        let place = *shard.places.get(key)?;
        Some(act(&mut shard.entries[place].1, now))
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().entries.len()).sum()
    }

    fn shard(&self, key: &K) -> &Mutex<Shard<K, V>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
}

impl<K: Clone + Eq + Hash, V: Stake> Shard<K, V> {
    fn admit(&mut self, key: K, value: V, now: u64) -> usize {
        let place = match self.vacant(now) {
            Some(place) => {
                let (gone, _) = std::mem::replace(&mut self.entries[place], (key.clone(), value));
                self.places.remove(&gone);
                place
            }
            None => {
                self.entries.push((key.clone(), value));
                self.entries.len() - 1
            }
        };
        self.places.insert(key, place);
        place
    }

    /// Any place: neighbours came at the same time, and may all be busy.
    fn next_place(&mut self) -> usize {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.dice >> 33) as usize % self.entries.len()
    }

    /// A place to take over, if one is idle or all are taken.
    fn vacant(&mut self, now: u64) -> Option<usize> {
        let is_full = self.entries.len() >= self.most;
        let looks = if is_full { SEARCH } else { GLANCE }.min(self.entries.len());
        let mut least: Option<(u64, usize)> = None;
        for _ in 0..looks {
            let place = self.next_place();
            let stake = self.entries[place].1.stake(now);
            if least.is_none_or(|(other, _)| stake < other) {
                least = Some((stake, place));
            }
            if stake == 0 {
                break;
            }
        }
        least.filter(|&(stake, _)| stake == 0 || is_full).map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count(u64, u64);

    impl Stake for Count {
        fn stake(&self, now: u64) -> u64 {
            if now > self.1 + 60 { 0 } else { self.0 }
        }
    }

    fn ask(table: &Remembered<u32, Count>, who: u32, now: u64) -> u64 {
        table.clock.set(now);
        table.with(
            &who,
            || Count(0, now),
            |count, now| {
                *count = Count(count.0 + 1, now);
                count.0
            },
        )
    }

    #[test]
    fn time_never_goes_back_in_an_entry_whoever_comes_first() {
        let time = std::sync::Arc::default();
        let table = Remembered::new(16, Clock::Set(std::sync::Arc::clone(&time)));
        let ask = || {
            for _ in 0..20_000 {
                time.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                table.with(
                    &7,
                    || Count(0, 0),
                    |count, now| {
                        assert!(now >= count.1, "{now} after {}", count.1);
                        count.1 = now;
                    },
                );
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(ask)));
    }

    #[test]
    fn a_flood_of_fresh_addresses_neither_grows_the_table_nor_displaces_the_busy_ones() {
        let table = Remembered::new(4_096, Clock::standing());
        let busy = 1..=1_000;
        for _ in 0..20 {
            busy.clone().for_each(|who| _ = ask(&table, who, 0));
        }
        (10_000..1_010_000).for_each(|who| _ = ask(&table, who, 1));
        assert_eq!(table.len(), 4_096);
        let kept = busy.filter(|&who| ask(&table, who, 2) == 21).count();
        assert_eq!(kept, 1_000);
    }

    #[test]
    fn idle_entries_give_way_before_the_table_grows() {
        let table = Remembered::new(4_096, Clock::standing());
        for minute in 0..50_u32 {
            for who in 0..200 {
                ask(&table, minute * 1_000 + who, u64::from(minute) * 61);
            }
        }
        assert!(table.len() < 1_000, "{} remembered of 200 at a time", table.len());
        assert!(table.existing(&49_000, |_, _| ()).is_some());
    }
}
