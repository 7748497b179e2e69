//! A channel's recent messages, kept once for all its readers.
//!
//! Every reader has a cursor into the ring instead of a queue of its own, so that ten thousand
//! readers cost ten thousand integers, and a slow one costs nobody anything. What a reader has not
//! taken yet is its backlog; the ring's bound in messages and bytes is the bound of every backlog.
//! A reader that falls behind the ring has lost messages and is told so: what happens then (a new
//! snapshot, or the end of the connection) is not decided here.

use std::collections::VecDeque;
use std::sync::Arc;

use types::Seq;
use websocket::Text;

use super::depth::DepthUpdate;

/// What may be done to a message when its reader has a backlog.
#[derive(Clone, Debug)]
pub enum Conflation {
    /// Nothing: each one counts.
    Never,
    /// A later message with the same key makes this one void.
    Replaced(u64),
    /// Changed price levels, which merge with those that follow.
    Merged(Arc<DepthUpdate>),
}

/// A message, encoded once.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The entry that it reaches.
    pub seq: Seq,
    /// What goes over the wire.
    pub text: Text,
    /// The same with the name of its stream around it, where clients can ask for that. Shares its bytes
    /// with `text`.
    pub named: Option<Text>,
    /// What a slow reader may miss.
    pub conflation: Conflation,
}

impl Slot {
    /// A message without a name around it.
    #[must_use]
    pub fn new(seq: Seq, text: Text, conflation: Conflation) -> Self {
        Self { seq, text, named: None, conflation }
    }

    /// What a reader is sent.
    #[must_use]
    pub fn form(&self, named: bool) -> &Text {
        self.named.as_ref().filter(|_| named).unwrap_or(&self.text)
    }

    fn len(&self) -> usize {
        self.form(true).len()
    }
}

/// How much a ring keeps.
#[derive(Clone, Copy, Debug)]
pub struct RingBounds {
    /// Messages.
    pub messages: usize,
    /// Bytes of their texts.
    pub bytes: usize,
}

/// The recent messages of a channel. Positions count from zero and are never reused.
#[derive(Debug)]
pub struct Ring {
    slots: VecDeque<Slot>,
    /// Position of the oldest kept message.
    first: u64,
    bytes: usize,
    bounds: RingBounds,
    /// Everything of the channel after this entry is still here.
    complete_after: Seq,
}

impl Ring {
    /// An empty ring that is complete after entry `since`.
    #[must_use]
    pub fn new(since: Seq, bounds: RingBounds) -> Self {
        Self { slots: VecDeque::new(), first: 0, bytes: 0, bounds, complete_after: since }
    }

    /// The position of the next message.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Adds a message and drops the oldest beyond the bounds. The newest always stays.
    pub fn push(&mut self, slot: Slot) {
        self.bytes += slot.len();
        self.slots.push_back(slot);
        while self.slots.len() > 1
            && (self.slots.len() > self.bounds.messages || self.bytes > self.bounds.bytes)
        {
            let dropped = self.slots.pop_front().expect("more than one");
            self.bytes -= dropped.len();
            self.complete_after = dropped.seq;
            self.first += 1;
        }
    }

    /// Drops everything: the ring is complete after entry `seq` only, and every reader has lost something.
    pub fn restart(&mut self, seq: Seq) {
        self.first = self.end() + 1;
        self.slots.clear();
        self.bytes = 0;
        self.complete_after = seq;
    }

    /// The position from which all messages after entry `seq` can be read, if none is lost.
    #[must_use]
    pub fn position_after(&self, seq: Seq) -> Option<u64> {
        (seq >= self.complete_after).then(|| {
            let skip = self.slots.partition_point(|slot| slot.seq <= seq);
            self.first + skip as u64
        })
    }

    /// Up to `limit` messages from `cursor` on; `None` if some of them are lost.
    #[must_use]
    pub fn read(&self, cursor: u64, limit: usize) -> Option<impl Iterator<Item = &Slot>> {
        let skip = usize::try_from(cursor.checked_sub(self.first)?).ok()?;
        Some(self.slots.iter().skip(skip).take(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(seq: u64, text: &str) -> Slot {
        Slot::new(Seq(seq), text.into(), Conflation::Never)
    }

    fn seqs(ring: &Ring, cursor: u64) -> Option<Vec<u64>> {
        Some(ring.read(cursor, 100)?.map(|slot| slot.seq.0).collect())
    }

    #[test]
    fn the_oldest_go_when_a_bound_is_reached_and_readers_behind_are_told() {
        let mut ring = Ring::new(Seq(5), RingBounds { messages: 3, bytes: 100 });
        for seq in [6, 8, 9] {
            ring.push(slot(seq, "x"));
        }
        assert_eq!(seqs(&ring, 0), Some(vec![6, 8, 9]));
        ring.push(slot(12, "x"));
        assert_eq!(seqs(&ring, 0), None);
        assert_eq!(seqs(&ring, 1), Some(vec![8, 9, 12]));
        assert_eq!(seqs(&ring, 4), Some(vec![]));
    }

    #[test]
    fn bytes_are_bounded_but_the_newest_message_always_stays() {
        let mut ring = Ring::new(Seq(0), RingBounds { messages: 100, bytes: 10 });
        ring.push(slot(1, "123456"));
        ring.push(slot(2, "123456"));
        assert_eq!(seqs(&ring, 1), Some(vec![2]));
        ring.push(slot(3, "more than ten bytes"));
        assert_eq!(seqs(&ring, 2), Some(vec![3]));
        ring.push(slot(4, "1"));
        assert_eq!(seqs(&ring, 3), Some(vec![4]));
    }

    #[test]
    fn a_position_is_found_for_every_entry_that_the_ring_is_complete_after() {
        let mut ring = Ring::new(Seq(5), RingBounds { messages: 2, bytes: 100 });
        assert_eq!(ring.position_after(Seq(4)), None);
        assert_eq!(ring.position_after(Seq(5)), Some(0));
        for seq in [6, 8, 11] {
            ring.push(slot(seq, "x"));
        }
        assert_eq!(ring.position_after(Seq(5)), None);
        assert_eq!(ring.position_after(Seq(6)), Some(1));
        assert_eq!(ring.position_after(Seq(7)), Some(1));
        assert_eq!(ring.position_after(Seq(8)), Some(2));
        assert_eq!(ring.position_after(Seq(99)), Some(3));
    }
}
