//! Numbered places for equal things, reused after they are freed: no allocation in the steady state.
//! The numbers are of no meaning outside; nothing observable may depend on them.

use std::ops::{Index, IndexMut};

/// No place.
pub(crate) const NONE: u32 = u32::MAX;

/// Things by number. The last freed place is the first to be reused, since it is warm.
pub(crate) struct Slab<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }

    /// How many places are in use.
    #[inline]
    pub(crate) fn live(&self) -> usize {
        self.items.len() - self.free.len()
    }

    #[inline]
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self.items[place as usize] = item;
            return place;
        }
        let place = u32::try_from(self.items.len()).expect("bounds keep slabs below 2^32");
        assert_ne!(place, NONE, "bounds keep slabs below 2^32");
        self.items.push(item);
        place
    }

    /// What is, or was, in a place; nothing if there is no such place.
    #[inline]
    pub(crate) fn get(&self, place: u32) -> Option<&T> {
        self.items.get(place as usize)
    }

    /// Frees a place that is in use. What it held stays there until it is reused.
    #[inline]
    pub(crate) fn remove(&mut self, place: u32) {
        debug_assert!((place as usize) < self.items.len());
        self.free.push(place);
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, place: u32) -> &T {
        &self.items[place as usize]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, place: u32) -> &mut T {
        &mut self.items[place as usize]
    }
}
