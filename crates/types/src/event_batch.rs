//! Events as consumers get them: whole entries, in order, many at a time.

use crate::{Event, PartitionId, Seq, Timestamp};

/// Events of consecutive entries of one partition. An event is named by (partition, seq, index).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBatch {
    /// Whose log.
    pub partition: PartitionId,
    entries: Vec<EntryEnd>,
    events: Vec<Event>,
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
        Self { partition, entries: Vec::new(), events: Vec::new() }
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
        emit(&mut self.events);
        self.entries.push(EntryEnd { seq, time, end: self.events.len() });
    }

    /// Removes all entries and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.events.clear();
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
