//! From order id to the order's place in the slab, without hashing for recent orders.
//!
//! Ids rise by one per accepted order, so most lookups mean one of the last few thousand: a ring
//! keeps for each id modulo its size the newest order that rests. What a newer order pushes out of
//! the ring lives on in an open-addressing table. Neither knows whole ids: the order itself has its
//! id, and whoever looks it up reads it next anyway.

use types::OrderId;

use crate::slab::NONE;

const FIRST_RING: usize = 1 << 10;
const LARGEST_RING: usize = 1 << 20;

pub(crate) struct OrderIndex {
    /// Places by `id % len`; the length is a power of two.
    ring: Vec<u32>,
    old: OldOrders,
    live: usize,
}

impl OrderIndex {
    pub(crate) fn new() -> Self {
        Self {
            ring: vec![NONE; FIRST_RING],
            old: OldOrders::new(),
            live: 0,
        }
    }

    /// The place of `id`, if it rests. `id_of` tells the id of the order in a place.
    #[inline]
    pub(crate) fn get(&self, id: OrderId, id_of: impl Fn(u32) -> OrderId) -> Option<u32> {
        let place = self.ring[self.ring_position(id)];
        if place != NONE && id_of(place) == id {
            return Some(place);
        }
        self.old.get(id, id_of)
    }

    /// Adds an id that is not there. `id_of` tells the id of the order in any other live place.
    #[inline]
    pub(crate) fn insert(&mut self, id: OrderId, place: u32, id_of: impl Fn(u32) -> OrderId) {
        self.live += 1;
        if self.live * 2 > self.ring.len() && self.ring.len() < LARGEST_RING {
            self.double(&id_of);
        }
        let position = self.ring_position(id);
        let occupant = self.ring[position];
        if occupant == NONE {
            self.ring[position] = place;
            return;
        }
        let occupant_id = id_of(occupant);
        if occupant_id < id {
            self.ring[position] = place;
            self.old.insert(occupant_id, occupant);
        } else {
            self.old.insert(id, place);
        }
    }

    /// Removes `id`, which is there with `place`.
    #[inline]
    pub(crate) fn remove(&mut self, id: OrderId, place: u32) {
        self.live -= 1;
        let position = self.ring_position(id);
        if self.ring[position] == place {
            self.ring[position] = NONE;
        } else {
            self.old.remove(id, place);
        }
    }

    #[inline]
    fn ring_position(&self, id: OrderId) -> usize {
        id.0 as usize & (self.ring.len() - 1)
    }

    /// Doubling keeps apart what was apart, so nothing is pushed out.
    #[cold]
    fn double(&mut self, id_of: &impl Fn(u32) -> OrderId) {
        let larger = vec![NONE; self.ring.len() * 2];
        let places = std::mem::replace(&mut self.ring, larger);
        for place in places.into_iter().filter(|&place| place != NONE) {
            let position = self.ring_position(id_of(place));
            self.ring[position] = place;
        }
    }
}

/// Linear probing at a load of at most one half; removal shifts back, so there are no tombstones and
/// no rehash but by growth. An entry is the low half of an id above its place.
struct OldOrders {
    entries: Vec<u64>,
    live: usize,
}

const EMPTY: u64 = u64::MAX;
const FIRST_TABLE: usize = 64;
/// 2^64 divided by the golden ratio: spreads rising numbers evenly.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

#[inline]
fn entry(id: OrderId, place: u32) -> u64 {
    id.0 << 32 | u64::from(place)
}

#[inline]
fn place_of(entry: u64) -> u32 {
    entry as u32
}

impl OldOrders {
    fn new() -> Self {
        Self {
            entries: vec![EMPTY; FIRST_TABLE],
            live: 0,
        }
    }

    /// Where the search for an entry begins: depends on the half of the id that it keeps.
    #[inline]
    fn home(&self, entry: u64) -> usize {
        let bits = self.entries.len().trailing_zeros();
        ((entry >> 32).wrapping_mul(GOLDEN) >> (u64::BITS - bits)) as usize
    }

    #[inline]
    fn after(&self, position: usize) -> usize {
        (position + 1) & (self.entries.len() - 1)
    }

    fn get(&self, id: OrderId, id_of: impl Fn(u32) -> OrderId) -> Option<u32> {
        let sought = entry(id, 0);
        let mut position = self.home(sought);
        while self.entries[position] != EMPTY {
            let found = self.entries[position];
            if found >> 32 == sought >> 32 && id_of(place_of(found)) == id {
                return Some(place_of(found));
            }
            position = self.after(position);
        }
        None
    }

    fn insert(&mut self, id: OrderId, place: u32) {
        self.live += 1;
        if self.live * 2 > self.entries.len() {
            self.double();
        }
        self.put(entry(id, place));
    }

    fn put(&mut self, entry: u64) {
        let mut position = self.home(entry);
        while self.entries[position] != EMPTY {
            position = self.after(position);
        }
        self.entries[position] = entry;
    }

    fn remove(&mut self, id: OrderId, place: u32) {
        let sought = entry(id, place);
        let mut hole = self.home(sought);
        while self.entries[hole] != sought {
            assert_ne!(self.entries[hole], EMPTY, "the order is indexed");
            hole = self.after(hole);
        }
        // Whatever follows without a gap and would be cut off from its home moves into the hole.
        let mask = self.entries.len() - 1;
        let mut position = self.after(hole);
        while self.entries[position] != EMPTY {
            let home = self.home(self.entries[position]);
            if position.wrapping_sub(home) & mask >= position.wrapping_sub(hole) & mask {
                self.entries[hole] = self.entries[position];
                hole = position;
            }
            position = self.after(position);
        }
        self.entries[hole] = EMPTY;
        self.live -= 1;
    }

    #[cold]
    fn double(&mut self) {
        let larger = vec![EMPTY; self.entries.len() * 2];
        for entry in std::mem::replace(&mut self.entries, larger) {
            if entry != EMPTY {
                self.put(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Ids by place, as the slab of orders knows them.
    struct Places {
        ids: Vec<u64>,
        free: Vec<u32>,
        index: OrderIndex,
    }

    impl Places {
        fn new() -> Self {
            Self {
                ids: Vec::new(),
                free: Vec::new(),
                index: OrderIndex::new(),
            }
        }

        fn insert(&mut self, id: u64) -> u32 {
            let place = self.free.pop().unwrap_or(self.ids.len() as u32);
            if place as usize == self.ids.len() {
                self.ids.push(id);
            }
            self.ids[place as usize] = id;
            let ids = &self.ids;
            self.index
                .insert(OrderId(id), place, |place| OrderId(ids[place as usize]));
            place
        }

        fn get(&self, id: u64) -> Option<u32> {
            self.index
                .get(OrderId(id), |place| OrderId(self.ids[place as usize]))
        }
    }

    #[test]
    fn ids_that_share_their_low_half_are_told_apart() {
        let mut places = Places::new();
        let ids = [5, 5 + (1 << 32), 5 + (2 << 32), 5 + (1 << 20)];
        let found: Vec<u32> = ids.iter().map(|&id| places.insert(id)).collect();
        for (id, place) in ids.into_iter().zip(found) {
            assert_eq!(places.get(id), Some(place));
        }
        assert_eq!(places.get(5 + (3 << 32)), None);
    }

    #[test]
    fn it_agrees_with_a_map_while_ids_rise_and_old_orders_stay() {
        let mut places = Places::new();
        let mut map = BTreeMap::new();
        let mut random = 88_172_645_463_325_252_u64;
        let mut id = 0;
        for step in 0..200_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            id += 1 + random % 3;
            map.insert(id, places.insert(id));
            // First it fills up, then it stays level, with every tenth removal a random old one.
            if step > 20_000 {
                let pivot = if random % 10 == 0 {
                    random / 10 % id
                } else {
                    id - id.min(3_000)
                };
                let key = *map.range(pivot..).next().unwrap().0;
                let place = map.remove(&key).unwrap();
                assert_eq!(places.get(key), Some(place));
                places.index.remove(OrderId(key), place);
                places.free.push(place);
                assert_eq!(places.get(key), None);
            }
        }
        for (&id, &place) in &map {
            assert_eq!(places.get(id), Some(place));
        }
        assert!(places.index.old.live > 1_000, "the table was exercised");
    }
}
