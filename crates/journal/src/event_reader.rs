//! Reads an event log by cursor. Checks all that it gives; may read while the log is written.

use std::io;

use borsh::BorshDeserialize;
use types::{Event, EventBatch, Seq, Timestamp};

use crate::batch::{Entries, read_varint};
use crate::error::{JournalError, Result};
use crate::format::{Identity, Kind, RecordHeader};
use crate::segment;
use crate::storage::Dir;
use crate::walk::{SegmentWalk, Step};

/// A reader of one event log. It remembers where it stands, so that a cursor that goes on is cheap;
/// one that jumps walks its segment from the beginning.
#[derive(Debug)]
pub struct EventReader {
    dir: Dir,
    identity: Identity,
    walk: Option<SegmentWalk>,
    /// The record whose entries are being compared, and the next of them.
    comparing: Option<Comparing>,
}

#[derive(Debug)]
struct Comparing {
    header: RecordHeader,
    next_seq: Seq,
    /// Where the next entry stands in the payload.
    consumed: usize,
    time: Timestamp,
}

impl EventReader {
    /// A reader of the log in `dir`.
    #[must_use]
    pub fn open(dir: impl Into<Dir>, identity: Identity) -> Self {
        Self { dir: dir.into(), identity, walk: None, comparing: None }
    }

    /// The last entry before the place where the reader stands, if it stands anywhere: a cursor that
    /// is there goes on without searching.
    #[must_use]
    pub fn position(&self) -> Option<Seq> {
        self.walk.as_ref().map(|walk| Seq(walk.at.next_seq.0 - 1))
    }

    /// The events of the entries after `after` that stand in one record. None if there are none yet.
    ///
    /// # Errors
    /// [`JournalError::NotKept`] when they were removed; damage.
    pub fn read(&mut self, after: Seq) -> Result<Option<EventBatch>> {
        match self.find(after.next())? {
            Some(header) => self.decode(&header, after).map(Some),
            None => Ok(None),
        }
    }

    /// The oldest entry whose events are kept, zero if there is none.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn oldest(&self) -> Result<Seq> {
        Ok(segment::list(&self.dir)?.segments.first().copied().unwrap_or_default())
    }

    /// Steps over the record that holds `seq`.
    fn find(&mut self, seq: Seq) -> Result<Option<RecordHeader>> {
        let stands_before = |walk: &&mut SegmentWalk| walk.at.next_seq <= seq;
        if self.walk.as_mut().filter(stands_before).is_none() {
            self.walk = self.open_segment_of(seq)?;
        }
        while let Some(walk) = &mut self.walk {
            let mut step = walk.step()?;
            if let Step::End(_) = step {
                step = walk.step_anew()?;
            }
            match step {
                Step::Record(header) if walk.at.next_seq > seq => return Ok(Some(header)),
                Step::Record(_) => {}
                Step::End(_) => {
                    if !self.turn_page()? {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(None)
    }

    fn open_segment_of(&self, seq: Seq) -> Result<Option<SegmentWalk>> {
        let segments = segment::list(&self.dir)?.segments;
        let Some(&oldest) = segments.first() else {
            return Ok(None);
        };
        let Some(&first) = segments.iter().rev().find(|&&first| first <= seq) else {
            return Err(JournalError::NotKept { asked: seq, oldest });
        };
        match SegmentWalk::open(&self.dir, first, Kind::Event, self.identity) {
            // Retention removed it after it was listed.
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(JournalError::NotKept { asked: seq, oldest: self.oldest()? })
            }
            other => other.map(Some),
        }
    }

    /// Goes on with the next segment, if there is one that follows.
    fn turn_page(&mut self) -> Result<bool> {
        let Some(walk) = &mut self.walk else {
            return Ok(false);
        };
        let segments = segment::list(&self.dir)?.segments;
        let next = segments.iter().find(|&&first| first > walk.first_seq);
        match next {
            // One that begins later was created after this segment was read: the next try sees it.
            Some(&next) if next == walk.at.next_seq => walk.follow(&self.dir, next).map(|()| true),
            _ => Ok(false),
        }
    }

    fn decode(&mut self, header: &RecordHeader, after: Seq) -> Result<EventBatch> {
        let mut batch = EventBatch::new(self.identity.partition);
        let walk = self.walk.as_mut().expect("stands behind the record");
        let mut parts = Entries::new(walk.payload(header)?, header.time_base);
        let mut events = Vec::new();
        let mut seq = header.first_seq;
        for _ in 0..header.count {
            let decoded = parts.next_entry().and_then(|(time, content)| {
                (seq <= after || decode_events(content, &mut events)).then_some(time)
            });
            let Some(time) = decoded else {
                return Err(self.undecodable(header));
            };
            if seq > after {
                batch.push(seq, time, &mut events);
            }
            seq = seq.next();
        }
        if !parts.is_at_end() {
            return Err(self.undecodable(header));
        }
        Ok(batch)
    }

    /// Whether the entry `seq` on disk has this time and content. Entries that are not kept any more
    /// compare as equal. Made for rising `seq`.
    pub(crate) fn compare(&mut self, seq: Seq, time: Timestamp, content: &[u8]) -> Result<bool> {
        if self.comparing.as_ref().is_none_or(|comparing| comparing.next_seq != seq) {
            let header = match self.find(seq) {
                Ok(Some(header)) => header,
                Ok(None) => return Ok(false),
                Err(JournalError::NotKept { .. }) => return Ok(true),
                Err(error) => return Err(error),
            };
            self.comparing = Some(Comparing {
                next_seq: header.first_seq,
                consumed: 0,
                time: header.time_base,
                header,
            });
        }
        self.compare_in_record(seq, time, content)
    }

    fn compare_in_record(&mut self, seq: Seq, time: Timestamp, content: &[u8]) -> Result<bool> {
        let comparing = self.comparing.as_mut().expect("just found");
        let walk = self.walk.as_mut().expect("stands behind the record");
        let payload = walk.payload(&comparing.header)?;
        while comparing.next_seq <= seq {
            let mut parts = Entries::new(&payload[comparing.consumed..], comparing.time);
            let Some((found_time, found)) = parts.next_entry() else {
                return Ok(false);
            };
            comparing.consumed = payload.len() - parts.remaining();
            comparing.time = found_time;
            let is_it = comparing.next_seq == seq;
            comparing.next_seq = comparing.next_seq.next();
            if is_it {
                let is_equal = found_time == time && found == content;
                if comparing.consumed == payload.len() {
                    self.comparing = None;
                }
                return Ok(is_equal);
            }
        }
        Ok(false)
    }

    fn undecodable(&self, header: &RecordHeader) -> JournalError {
        let walk = self.walk.as_ref().expect("stands behind the record");
        JournalError::Damaged {
            file: walk.window.path.clone(),
            offset: walk.at.offset - header.record_len(),
            seq: header.first_seq,
            what: "the record is whole, but holds no events that this binary knows",
        }
    }
}

fn decode_events(content: &[u8], events: &mut Vec<Event>) -> bool {
    let Some((count, mut rest)) = read_varint(content) else {
        return false;
    };
    for _ in 0..count {
        match Event::deserialize(&mut rest) {
            Ok(event) => events.push(event),
            Err(_) => return false,
        }
    }
    rest.is_empty()
}
