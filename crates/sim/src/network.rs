//! The way of messages between partitions: late, twice, overtaken, or not at all.
//!
//! A message that is dropped breaks the connection between its two partitions; when it is mended, both
//! say again what they have, as after a start, and what was lost is asked for. Until then later
//! messages still arrive, so that gaps are seen, too.

use std::collections::{BTreeMap, BTreeSet};

use chance::Random;
use node::stepping::Letter;
use types::PartitionId;

use crate::faults::{Counts, Fault};

/// Ticks until a broken connection is mended, at most.
const BROKEN: u64 = 60;

/// Messages under way.
#[derive(Debug)]
pub struct Network {
    random: Random,
    now: u64,
    sent: u64,
    /// By the tick when they arrive and the order in which they were sent.
    under_way: BTreeMap<(u64, u64), Letter>,
    /// The last message that arrived, by sender and receiver.
    arrived: BTreeMap<(PartitionId, PartitionId), u64>,
    /// When partitions that lost a message greet again.
    broken: BTreeMap<PartitionId, u64>,
    is_faulty: bool,
    counts: Counts,
}

impl Network {
    /// Nothing under way, and no faults until [`Network::set_faulty`].
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            random,
            now: 0,
            sent: 0,
            under_way: BTreeMap::new(),
            arrived: BTreeMap::new(),
            broken: BTreeMap::new(),
            is_faulty: false,
            counts: Counts::default(),
        }
    }

    /// Whether messages suffer from now on.
    pub fn set_faulty(&mut self, is_faulty: bool) {
        self.is_faulty = is_faulty;
    }

    /// Takes a message on its way.
    pub fn send(&mut self, letter: Letter) {
        if self.is_faulty {
            if self.random.one_in(25) {
                self.counts.add(Fault::MessageDropped);
                for end in [letter.from, letter.to] {
                    let mended = self.now + self.random.between(1, BROKEN);
                    self.broken.entry(end).or_insert(mended);
                }
                return;
            }
            if self.random.one_in(15) {
                self.counts.add(Fault::MessageDuplicated);
                self.put(letter.clone());
            }
        }
        self.put(letter);
    }

    fn put(&mut self, letter: Letter) {
        let mut at = self.now;
        if self.is_faulty && self.random.one_in(4) {
            at += self.random.between(1, 40);
            self.counts.add(Fault::MessageDelayed);
        }
        self.sent += 1;
        self.under_way.insert((at, self.sent), letter);
    }

    /// The next moment: what arrives now.
    pub fn tick(&mut self) -> Vec<Letter> {
        self.now += 1;
        let later = self.under_way.split_off(&(self.now, 0));
        let arrived = std::mem::replace(&mut self.under_way, later);
        for ((_, number), letter) in &arrived {
            let last = self.arrived.entry((letter.from, letter.to)).or_default();
            if number < last {
                self.counts.add(Fault::MessageReordered);
            }
            *last = *number.max(last);
        }
        arrived.into_values().collect()
    }

    /// Partitions whose connections are mended now: they must greet.
    pub fn mended(&mut self) -> BTreeSet<PartitionId> {
        let now = self.now;
        let is_faulty = self.is_faulty;
        let due = |at: u64| at <= now || !is_faulty;
        let mended = self.broken.iter().filter(|(_, at)| due(**at)).map(|(id, _)| *id).collect();
        self.broken.retain(|_, at| !due(*at));
        mended
    }

    /// All processes ended: their connections are gone, and perhaps what was under way.
    pub fn crash(&mut self) {
        if self.random.one_in(2) {
            self.under_way.clear();
        }
        self.broken.clear();
    }

    /// Whether nothing is under way and no connection broken.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.under_way.is_empty() && self.broken.is_empty()
    }

    /// What went wrong so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}
