//! Events as consumers get them: whole entries, in order, many at a time.

use crate::{Event, PartitionId, Seq, Timestamp};

/// Events of consecutive entries of one partition. An event is named by (partition, seq, index).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBatch {
    /// Whose log.
    pub partition: PartitionId,
    entries: Vec<EntryEnd>,
    events: Vec<Event>,
    /// Whether all events are plain: see [`Self::is_plain`].
    plain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EntryEnd {
    seq: Seq,
    time: Timestamp,
    end: usize,
}

/// The events of one entry; there may be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryEvents<'a> {
    /// The entry.
    pub seq: Seq,
    /// When it was stamped.
    pub time: Timestamp,
    /// What it caused, by index.
    pub events: &'a [Event],
}

impl EventBatch {
    /// An empty batch of `partition`.
    #[must_use]
    pub fn new(partition: PartitionId) -> Self {
        Self { partition, entries: Vec::new(), events: Vec::new(), plain: true }
    }

    /// Adds the next entry, moving its events out of `events`.
    ///
    /// # Panics
    /// If `seq` is not the one after the last.
    pub fn push(&mut self, seq: Seq, time: Timestamp, events: &mut Vec<Event>) {
        self.push_with(seq, time, |all| all.append(events));
    }

    /// Adds the next entry, whose events `emit` appends to the batch's own memory.
    ///
    /// # Panics
    /// If `seq` is not the one after the last.
    pub fn push_with(&mut self, seq: Seq, time: Timestamp, emit: impl FnOnce(&mut Vec<Event>)) {
        if let Some(last) = self.entries.last() {
            assert_eq!(last.seq.next(), seq, "event batches have no gaps");
        }
        let start = self.events.len();
        // Should `emit` panic, nobody has looked at what it leaves.
        let was_plain = std::mem::replace(&mut self.plain, false);
        emit(&mut self.events);
        self.plain = was_plain && self.events[start..].iter().all(Event::is_plain);
        self.entries.push(EntryEnd { seq, time, end: self.events.len() });
    }

    /// Removes all entries and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        if self.plain {
            // To ask each event what it owns would read all of a large batch once more, long after it was made. As
            // in `Effects`: std promises only that this is sound, so the length is asserted.
            std::mem::forget(self.events.drain(..));
            assert!(self.events.is_empty(), "std leaves the list empty before a drain");
        } else {
            self.events.clear();
            self.plain = true;
        }
    }

    /// Whether all events are of the kinds that trading is made of and own no memory: what lists a market, moves
    /// value from outside or is an operator's is not among them.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Number of events.
    #[must_use]
    pub fn event_count(&self) -> usize {
        self.events.len()
    }

    /// The first entry's seq, if there is one.
    #[must_use]
    pub fn first_seq(&self) -> Option<Seq> {
        self.entries.first().map(|entry| entry.seq)
    }

    /// The last entry's seq, if there is one.
    #[must_use]
    pub fn last_seq(&self) -> Option<Seq> {
        self.entries.last().map(|entry| entry.seq)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = EntryEvents<'_>> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let events = &self.events[start..entry.end];
            start = entry.end;
            EntryEvents { seq: entry.seq, time: entry.time, events }
        })
    }

    /// The entries after `seq`, in order.
    pub fn iter_after(&self, seq: Seq) -> impl Iterator<Item = EntryEvents<'_>> {
        self.iter().skip_while(move |entry| entry.seq <= seq)
    }
}

#[cfg(test)]
mod tests {
    use crate::{AccountId, Amount, AssetId, Component};

    use super::*;

    fn plain() -> Event {
        let (account, asset) = (AccountId(1), AssetId(1));
        Event::BalanceChanged { account, asset, available: Amount::ZERO, held: Amount::ZERO }
    }

    fn owning() -> Event {
        Event::Quarantined { component: Component::Treasury, reason: "a text".into() }
    }

    #[test]
    fn a_cleared_batch_is_empty_and_plain_again() {
        let mut batch = EventBatch::new(PartitionId(0));
        for round in 0..4 {
            batch.push(Seq(1), Timestamp(1), &mut vec![plain(), plain()]);
            assert!(batch.is_plain());
            if round % 2 == 1 {
                batch.push(Seq(2), Timestamp(1), &mut vec![plain(), owning()]);
                batch.push(Seq(3), Timestamp(1), &mut vec![plain()]);
                assert!(!batch.is_plain(), "one of them owns a text");
            }
            assert_eq!(batch.event_count(), 2 + round % 2 * 3);
            batch.clear();
            assert!(batch.is_empty() && batch.is_plain());
            assert_eq!((batch.event_count(), batch.iter().count()), (0, 0));
        }
    }

    #[test]
    fn what_a_panic_leaves_is_not_taken_for_plain() {
        let mut batch = EventBatch::new(PartitionId(0));
        let emit = |events: &mut Vec<Event>| {
            events.push(owning());
            panic!("a bug")
        };
        let add = std::panic::AssertUnwindSafe(|| batch.push_with(Seq(1), Timestamp(1), emit));
        assert!(std::panic::catch_unwind(add).is_err());
        assert!(!batch.is_plain());
    }
}
