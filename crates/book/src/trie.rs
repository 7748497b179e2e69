//! A sorted map from integer keys to places: a tree of bitmaps, 64 children a node, six bits of the
//! key a step. It costs the same wherever the keys lie, so a price may jump as far as it likes.
//!
//! Invariants: a node other than the root has at least one child; a child is `NONE` exactly where its
//! bit is clear; a remembered leaf is in the tree.

use crate::slab::{NONE, Slab};

/// Bits of the key per node.
const STEP: u32 = 6;
/// Nodes on the way of a 64-bit key.
const MAX_HEIGHT: usize = 11;
/// Leaves that are remembered, by the low bits of their prefix. A power of two.
const REMEMBERED: usize = 256;
/// No leaf has this prefix: a prefix has its highest bits clear.
const NO_PREFIX: u64 = u64::MAX;
const ROOT: u32 = 0;

#[derive(Clone, Copy)]
struct Node {
    occupied: u64,
    /// Nodes, or values in a leaf.
    children: [u32; 64],
}

impl Node {
    const EMPTY: Self = Self { occupied: 0, children: [NONE; 64] };

    #[inline]
    fn child(&self, digit: u32) -> Option<u32> {
        let child = self.children[digit as usize];
        (child != NONE).then_some(child)
    }

    #[inline]
    fn set(&mut self, digit: u32, child: u32) {
        self.occupied |= 1 << digit;
        self.children[digit as usize] = child;
    }

    /// Whether the node is empty after it.
    #[inline]
    fn clear(&mut self, digit: u32) -> bool {
        self.occupied &= !(1 << digit);
        self.children[digit as usize] = NONE;
        self.occupied == 0
    }

    /// The child with the smallest digit of at least `from`, which may be 64.
    #[inline]
    fn first_from(&self, from: u32) -> Option<u32> {
        let candidates = self.occupied & u64::MAX.checked_shl(from).unwrap_or(0);
        (candidates != 0).then(|| self.children[candidates.trailing_zeros() as usize])
    }
}

pub(crate) struct Trie {
    nodes: Slab<Node>,
    /// Nodes on the way from root to leaf.
    height: usize,
    /// The usual access touches a known leaf and nothing above it.
    remembered: Box<[(u64, u32); REMEMBERED]>,
}

/// The six bits of `key` that choose a child `depth` nodes above the leaves.
#[inline]
fn digit(key: u64, depth: usize) -> u32 {
    (key >> (STEP * depth as u32) & 63) as u32
}

impl Trie {
    /// A map for keys up to `max_key`.
    pub(crate) fn new(max_key: u64) -> Self {
        let bits = (u64::BITS - max_key.leading_zeros()).max(1);
        let mut nodes = Slab::new();
        assert_eq!(nodes.insert(Node::EMPTY), ROOT);
        Self {
            nodes,
            height: bits.div_ceil(STEP) as usize,
            remembered: Box::new([(NO_PREFIX, 0); REMEMBERED]),
        }
    }

    #[inline]
    pub(crate) fn get(&mut self, key: u64) -> Option<u32> {
        let leaf = self.leaf(key)?;
        self.nodes[leaf].child(digit(key, 0))
    }

    /// Adds a key that is not there.
    #[inline]
    pub(crate) fn insert(&mut self, key: u64, value: u32) {
        let leaf = match self.leaf(key) {
            Some(leaf) => leaf,
            None => self.grow(key),
        };
        let node = &mut self.nodes[leaf];
        debug_assert!(node.child(digit(key, 0)).is_none());
        node.set(digit(key, 0), value);
    }

    /// Removes a key that is there.
    #[inline]
    pub(crate) fn remove(&mut self, key: u64) {
        let leaf = self.leaf(key).expect("the key is there");
        if self.nodes[leaf].clear(digit(key, 0)) {
            self.shrink(key);
        }
    }

    /// The value of the smallest key above `key`.
    #[inline]
    pub(crate) fn next_above(&self, key: u64) -> Option<u32> {
        let prefix = key >> STEP;
        let (known, leaf) = self.remembered[prefix as usize % REMEMBERED];
        if known == prefix
            && let Some(value) = self.nodes[leaf].first_from(digit(key, 0) + 1)
        {
            return Some(value);
        }
        self.climb_above(key)
    }

    /// The leaf that has, or would have, `key`.
    #[inline]
    fn leaf(&mut self, key: u64) -> Option<u32> {
        let prefix = key >> STEP;
        let (known, leaf) = self.remembered[prefix as usize % REMEMBERED];
        if known == prefix {
            return Some(leaf);
        }
        let leaf = (1..self.height)
            .rev()
            .try_fold(ROOT, |node, depth| self.nodes[node].child(digit(key, depth)))?;
        self.remember(prefix, leaf);
        Some(leaf)
    }

    #[inline]
    fn remember(&mut self, prefix: u64, leaf: u32) {
        self.remembered[prefix as usize % REMEMBERED] = (prefix, leaf);
    }

    /// Makes the nodes that are missing on the way to `key` and returns its leaf.
    #[cold]
    fn grow(&mut self, key: u64) -> u32 {
        let mut at = ROOT;
        for depth in (1..self.height).rev() {
            let digit = digit(key, depth);
            at = match self.nodes[at].child(digit) {
                Some(child) => child,
                None => {
                    let child = self.nodes.insert(Node::EMPTY);
                    self.nodes[at].set(digit, child);
                    child
                }
            };
        }
        self.remember(key >> STEP, at);
        at
    }

    /// Frees the leaf of `key`, which is empty, and all above it that become empty by that.
    #[cold]
    fn shrink(&mut self, key: u64) {
        let prefix = key >> STEP;
        let place = &mut self.remembered[prefix as usize % REMEMBERED];
        if place.0 == prefix {
            place.0 = NO_PREFIX;
        }
        let path = self.path(key).0;
        for depth in 1..self.height {
            self.nodes.remove(path[depth - 1]);
            if !self.nodes[path[depth]].clear(digit(key, depth)) {
                return;
            }
        }
    }

    /// The nodes on the way to `key` by depth above the leaves, and the lowest depth that exists.
    fn path(&self, key: u64) -> ([u32; MAX_HEIGHT], usize) {
        let mut path = [ROOT; MAX_HEIGHT];
        for depth in (1..self.height).rev() {
            match self.nodes[path[depth]].child(digit(key, depth)) {
                Some(child) => path[depth - 1] = child,
                None => return (path, depth),
            }
        }
        (path, 0)
    }

    #[cold]
    fn climb_above(&self, key: u64) -> Option<u32> {
        let (path, lowest) = self.path(key);
        let (depth, start) = (lowest..self.height).find_map(|depth| {
            let child = self.nodes[path[depth]].first_from(digit(key, depth) + 1);
            child.map(|child| (depth, child))
        })?;
        // From here on down the smallest of everything, `depth` times.
        Some((0..depth).fold(start, |node, _| {
            let least = self.nodes[node].first_from(0);
            least.expect("a node below the root is never empty")
        }))
    }

    /// Nodes in use, the root included.
    #[cfg(test)]
    fn node_count(&self) -> usize {
        self.nodes.live()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn neighbours_are_found_within_a_leaf_and_across_the_whole_range() {
        let mut trie = Trie::new(u64::MAX);
        for (value, key) in [0, 1, 63, 64, 1 << 40, u64::MAX].into_iter().enumerate() {
            trie.insert(key, value as u32);
        }
        assert_eq!(trie.next_above(0), Some(1));
        assert_eq!(trie.next_above(1), Some(2));
        assert_eq!(trie.next_above(63), Some(3));
        assert_eq!(trie.next_above(64), Some(4));
        assert_eq!(trie.next_above(1 << 40), Some(5));
        assert_eq!(trie.next_above(u64::MAX), None);
    }

    #[test]
    fn an_emptied_trie_gives_all_its_nodes_back() {
        let mut trie = Trie::new(1 << 50);
        let keys = (0..1_000u64).map(|n| n * n * 1_000_003 % (1 << 50));
        for key in keys.clone() {
            trie.insert(key, 7);
        }
        assert!(trie.node_count() > 1_000);
        for key in keys {
            trie.remove(key);
        }
        assert_eq!(trie.node_count(), 1);
        assert_eq!(trie.next_above(0), None);
    }

    #[test]
    fn it_agrees_with_a_sorted_map_on_random_keys() {
        let mut random = 0x9E37_79B9_u64;
        for max_key in [1, 63, 64, 5_000, 1 << 30, u64::MAX] {
            let mut trie = Trie::new(max_key);
            let mut map = BTreeMap::new();
            for step in 0..20_000 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                // Half the keys lie together, half anywhere.
                let key = if random & 1 == 0 { random % 200 } else { random };
                let key = if max_key == u64::MAX { key } else { key % (max_key + 1) };
                if map.remove(&key).is_some() {
                    trie.remove(key);
                } else {
                    map.insert(key, step);
                    trie.insert(key, step);
                }
                assert_eq!(trie.get(key), map.get(&key).copied());
                let above = map.range((std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded));
                assert_eq!(trie.next_above(key), above.map(|(_, &v)| v).next());
            }
        }
    }
}
