//! Entries on their way into a record: encoded once, straight behind the space of its header.

use types::{Command, Event, Timestamp};

use crate::encode;
use crate::format::{RECORD_HEADER, RecordHeader, TRAILER, record_len};

/// Collects the entries of one record in one buffer, which is reused from record to record.
///
/// An entry is a little-endian `u32` of the bytes that follow, a varint of the nanoseconds since the
/// entry before it, and its content.
#[derive(Debug)]
pub struct BatchBuilder {
    /// Space of the header, then the payload.
    buffer: Vec<u8>,
    count: u32,
    time_base: Timestamp,
    last_time: Timestamp,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buffer: vec![0; RECORD_HEADER],
            count: 0,
            time_base: Timestamp(0),
            last_time: Timestamp(0),
        }
    }

    /// Removes all entries and keeps the buffer.
    pub fn clear(&mut self) {
        self.buffer.truncate(RECORD_HEADER);
        self.count = 0;
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Number of entries.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes of the entries so far.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        self.buffer.len() - RECORD_HEADER
    }

    /// Adds a command.
    ///
    /// # Panics
    /// If `time` is before that of the last entry.
    pub fn push_command(&mut self, time: Timestamp, command: &Command) {
        self.push(time, |buffer| encode::command(command, buffer));
    }

    /// The commands that were added, in order.
    ///
    /// # Panics
    /// If something else was added.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        let mut entries = Entries::new(&self.buffer[RECORD_HEADER..], self.time_base);
        let contents = std::iter::from_fn(|| entries.next_entry());
        let decode = |(_, content)| borsh::from_slice(content).expect("encoded here");
        contents.map(decode).collect()
    }

    /// Adds the events of an entry. Gives their encoding, for a digest.
    ///
    /// # Panics
    /// If `time` is before that of the last entry.
    pub fn push_events(&mut self, time: Timestamp, events: &[Event]) -> &[u8] {
        let start = self.push(time, |buffer| encode_events(events, buffer));
        &self.buffer[start..]
    }

    /// Adds the events of an entry as [`encode_events`] gave them.
    pub(crate) fn push_encoded(&mut self, time: Timestamp, content: &[u8]) {
        self.push(time, |buffer| buffer.extend_from_slice(content));
    }

    /// Gives where the content begins.
    fn push(&mut self, time: Timestamp, content: impl FnOnce(&mut Vec<u8>)) -> usize {
        if self.count == 0 {
            self.time_base = time;
            self.last_time = time;
        }
        assert!(time >= self.last_time, "time goes backwards within a batch");
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 4]);
        write_varint(&mut self.buffer, time.0 - self.last_time.0);
        let content_start = self.buffer.len();
        content(&mut self.buffer);
        let len = u32::try_from(self.buffer.len() - start - 4).expect("an entry is below 4 GiB");
        self.buffer[start..start + 4].copy_from_slice(&len.to_le_bytes());
        self.last_time = time;
        self.count += 1;
        content_start
    }

    /// Completes `header` for these entries and gives the whole record. Until the batch is cleared,
    /// nothing may be added.
    pub(crate) fn finish(&mut self, header: &mut RecordHeader) -> &[u8] {
        header.count = self.count;
        header.time_base = if self.count == 0 { Timestamp(0) } else { self.time_base };
        header.payload_len = u32::try_from(self.payload_len()).expect("a batch is below 4 GiB");
        self.buffer[..RECORD_HEADER].copy_from_slice(&header.encode_unhashed());
        header.hash = *blake3::hash(&self.buffer).as_bytes();
        RecordHeader::finish(&mut self.buffer[..RECORD_HEADER], &header.hash);
        let end = record_len(header.payload_len as usize);
        self.buffer.resize(end - TRAILER.len(), 0);
        self.buffer.extend_from_slice(&TRAILER);
        &self.buffer
    }
}

/// The content of an event log's entry: a varint of their number, then the events.
pub(crate) fn encode_events(events: &[Event], buffer: &mut Vec<u8>) {
    write_varint(buffer, events.len() as u64);
    for event in events {
        encode::event(event, buffer);
    }
}

/// Seven bits a byte, low ones first, the high bit set on all but the last byte.
fn write_varint(buffer: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        buffer.push(value as u8 | 0x80);
        value >>= 7;
    }
    buffer.push(value as u8);
}

/// The inverse of [`write_varint`]: the value and what follows it. Only the shortest form is one.
pub(crate) fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            let shortest = index == 0 || byte != 0;
            return shortest.then_some((value, &bytes[index + 1..]));
        }
    }
    None
}

/// Walks the entries of a payload: the time of each and its content.
pub(crate) struct Entries<'a> {
    rest: &'a [u8],
    time: Timestamp,
}

impl<'a> Entries<'a> {
    pub fn new(payload: &'a [u8], time_base: Timestamp) -> Self {
        Self { rest: payload, time: time_base }
    }

    /// The next entry; none at the end or when the bytes are no entry.
    pub fn next_entry(&mut self) -> Option<(Timestamp, &'a [u8])> {
        let (len, rest) = self.rest.split_first_chunk::<4>()?;
        let (entry, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        let (delta, content) = read_varint(entry)?;
        self.time = Timestamp(self.time.0.checked_add(delta)?);
        self.rest = rest;
        Some((self.time, content))
    }

    /// Bytes behind the entries that were taken.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether every byte was an entry's.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_read_back_and_only_in_their_shortest_form() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            bytes.push(7);
            assert_eq!(read_varint(&bytes), Some((value, &[7][..])));
        }
        assert_eq!(read_varint(&[0x80, 0x00]), None, "padded zero");
        assert_eq!(read_varint(&[0xff; 10]), None, "beyond 64 bits");
        assert_eq!(read_varint(&[0x80]), None, "cut off");
    }
}
