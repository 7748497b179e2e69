//! From order id to the order's place in the slab, without hashing for recent orders.
//!
//! Ids rise by one per accepted order, so most lookups mean one of the last few thousand: a ring
//! keeps for each id modulo its size the last order that came to rest. What a later order pushes out
//! of the ring lives on in an open-addressing table. Both keep the low half of an id above its place
//! and so move entries without reading orders; whether the whole id is meant, the order itself tells,
//! which the caller reads next anyway.

use types::OrderId;

const FIRST_RING: usize = 1 << 10;
/// A ring with less room than this for each order grows instead of pushing one out: with four places, in a flow where
/// any of the open orders may be the next to end, one order in fifty is pushed out; with two it would be one in seven.
const PLACES_PER_ORDER: usize = 4;
/// 8 MB: about a million recent ids.
const LARGEST_RING: usize = 1 << 20;
const FIRST_TABLE: usize = 64;

/// No entry: no order has place 2^32 - 1.
const EMPTY: u64 = u64::MAX;

#[inline]
fn entry(id: OrderId, place: u32) -> u64 {
    id.0 << 32 | u64::from(place)
}

#[inline]
fn low_id(entry: u64) -> u64 {
    entry >> 32
}

#[inline]
fn place(entry: u64) -> u32 {
    entry as u32
}

pub(crate) struct OrderIndex {
    /// Entries by `id % len`; the length is a power of two of at most 32 bits.
    ring: Vec<u64>,
    old: OldOrders,
}

impl OrderIndex {
    pub(crate) fn new() -> Self {
        Self { ring: vec![EMPTY; FIRST_RING], old: OldOrders::new() }
    }

    /// What `order_in` says of the place of `id`: the order if it is the one that is meant. It is also asked for places
    /// where no order is, and says none.
    #[inline]
    pub(crate) fn get<T>(&self, id: OrderId, order_in: impl Fn(u32) -> Option<T>) -> Option<T> {
        let found = self.ring[self.ring_position(id.0)];
        order_in(place(found)).or_else(|| self.old.get(id, order_in))
    }

    /// Adds an id that is not there, the last of so many orders.
    #[inline]
    pub(crate) fn insert(&mut self, id: OrderId, place: u32, live: usize) {
        let position = self.ring_position(id.0);
        let occupant = std::mem::replace(&mut self.ring[position], entry(id, place));
        if occupant != EMPTY {
            self.push_out(occupant, live);
        }
    }

    /// Finds another place for an entry that a later one has pushed out.
    #[cold]
    fn push_out(&mut self, entry: u64, live: usize) {
        while self.ring.len() < LARGEST_RING && self.ring.len() / PLACES_PER_ORDER < live {
            self.double();
            let position = self.ring_position(low_id(entry));
            if self.ring[position] == EMPTY {
                self.ring[position] = entry;
                return;
            }
        }
        self.old.insert(entry);
    }

    /// Removes `id`, which is there with `place`.
    #[inline]
    pub(crate) fn remove(&mut self, id: OrderId, place: u32) {
        let position = self.ring_position(id.0);
        if self.ring[position] == entry(id, place) {
            self.ring[position] = EMPTY;
        } else {
            self.old.remove(entry(id, place));
        }
    }

    #[inline]
    fn ring_position(&self, id: u64) -> usize {
        id as usize & (self.ring.len() - 1)
    }

    /// Doubling keeps apart what was apart, so nothing is pushed out.
    #[cold]
    fn double(&mut self) {
        let larger = vec![EMPTY; self.ring.len() * 2];
        for entry in std::mem::replace(&mut self.ring, larger) {
            if entry != EMPTY {
                let position = self.ring_position(low_id(entry));
                self.ring[position] = entry;
            }
        }
    }
}

/// Linear probing at a load of at most one half; removal shifts back, so there are no tombstones and
/// no rehash but by growth.
struct OldOrders {
    entries: Vec<u64>,
    live: usize,
}

/// 2^64 divided by the golden ratio: spreads rising numbers evenly.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl OldOrders {
    fn new() -> Self {
        Self { entries: vec![EMPTY; FIRST_TABLE], live: 0 }
    }

    /// Where the search for an entry begins.
    #[inline]
    fn home(&self, entry: u64) -> usize {
        let bits = self.entries.len().trailing_zeros();
        (low_id(entry).wrapping_mul(GOLDEN) >> (u64::BITS - bits)) as usize
    }

    #[inline]
    fn after(&self, position: usize) -> usize {
        (position + 1) & (self.entries.len() - 1)
    }

    fn get<T>(&self, id: OrderId, order_in: impl Fn(u32) -> Option<T>) -> Option<T> {
        let sought = entry(id, 0);
        let mut position = self.home(sought);
        while self.entries[position] != EMPTY {
            let found = self.entries[position];
            if low_id(found) == low_id(sought)
                && let Some(order) = order_in(place(found))
            {
                return Some(order);
            }
            position = self.after(position);
        }
        None
    }

    fn insert(&mut self, entry: u64) {
        self.live += 1;
        if self.live * 2 > self.entries.len() {
            self.double();
        }
        self.put(entry);
    }

    fn put(&mut self, entry: u64) {
        let mut position = self.home(entry);
        while self.entries[position] != EMPTY {
            position = self.after(position);
        }
        self.entries[position] = entry;
    }

    fn remove(&mut self, sought: u64) {
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
            Self { ids: Vec::new(), free: Vec::new(), index: OrderIndex::new() }
        }

        fn insert(&mut self, id: u64) -> u32 {
            let place = self.free.pop().unwrap_or(self.ids.len() as u32);
            if place as usize == self.ids.len() {
                self.ids.push(id);
            }
            self.ids[place as usize] = id;
            let live = self.ids.len() - self.free.len();
            self.index.insert(OrderId(id), place, live);
            place
        }

        fn get(&self, id: u64) -> Option<u32> {
            let order_in = |place| (self.ids.get(place as usize) == Some(&id)).then_some(place);
            self.index.get(OrderId(id), order_in)
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
    fn recent_orders_are_found_without_hashing() {
        let mut places = Places::new();
        for id in 1..=10_000 {
            places.insert(id);
        }
        assert_eq!(places.index.old.live, 0);
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
                let pivot =
                    if random.is_multiple_of(10) { random / 10 % id } else { id - id.min(3_000) };
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
