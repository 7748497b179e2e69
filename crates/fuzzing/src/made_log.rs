//! A log as the input says: segments of records in a chain, most of it right.

use crate::disk::Disk;
use crate::input::Input;
use crate::records::{Kind, Record, entry, record, segment};

/// Time of the first entry.
const BEGIN: u64 = 1_700_000_000_000_000_000;

/// What of a record's making is wrong.
mod flaw {
    pub const NEW_SEGMENT: u8 = 1;
    pub const SEAL: u8 = 2;
    pub const FIELD: u8 = 4;
    pub const EDITED: u8 = 8;
    pub const ANY_PAYLOAD: u8 = 16;
    pub const UNCOUNTED: u8 = 32;
}

/// The log, and what is known of it.
pub struct MadeLog {
    files: Vec<(u64, Vec<u8>)>,
    /// The entries with their times.
    pub entries: Vec<(u64, Vec<u8>)>,
    /// The number of the last one.
    pub last_seq: u64,
    /// Nothing is wrong with it.
    pub is_right: bool,
    /// Checksums and chain are right, whatever the entries are.
    pub is_whole: bool,
    /// `entries` has all that is in it.
    pub is_known: bool,
    /// A record has an entry more than it says.
    pub has_uncounted: bool,
}

/// Makes a log of `kind`; `content` has that of each entry.
pub fn make(input: &mut Input, kind: Kind, content: impl Fn(u64) -> Vec<u8>) -> MadeLog {
    let mut made = MadeLog {
        files: Vec::new(),
        entries: Vec::new(),
        last_seq: 0,
        is_right: true,
        is_whole: true,
        is_known: true,
        has_uncounted: false,
    };
    let mut head = Record { first_seq: 1, time_base: BEGIN, term: 1, ..Record::default() };
    made.files.push((1, segment(kind, 1, head.prev_hash, 0)));
    for _ in 0..input.byte() % 8 {
        made.add(input, kind, &mut head, &content);
    }
    made.last_seq = head.first_seq.saturating_sub(1);
    made.damage(input);
    made
}

impl MadeLog {
    /// Puts it on the disk.
    pub fn put(&self, disk: &Disk) {
        for (first_seq, bytes) in &self.files {
            disk.put(&format!("{first_seq:020}.log"), bytes);
        }
    }

    fn add(
        &mut self,
        input: &mut Input,
        kind: Kind,
        head: &mut Record,
        content: &impl Fn(u64) -> Vec<u8>,
    ) {
        let flaws = input.byte();
        let last = self.files.last().expect("one from the start").0;
        if flaws & flaw::NEW_SEGMENT != 0 && head.first_seq > last {
            self.files.push((head.first_seq, segment(kind, head.first_seq, head.prev_hash, last)));
        }
        let mut this = *head;
        let mut payload = Vec::new();
        if flaws & flaw::SEAL != 0 {
            (this.flags, this.time_base, this.acked_seq) = (1, 0, head.first_seq.saturating_sub(1));
        } else {
            this.count = u32::from(1 + input.byte() % 4);
            payload = self.payload(input, flaws, &mut this, content);
        }
        if flaws & flaw::FIELD != 0 {
            self.is_right = false;
            self.is_whole = false;
            set_field(input, &mut this);
        }
        let (bytes, hash) = record(kind, &this, &payload);
        self.files.last_mut().expect("one from the start").1.extend_from_slice(&bytes);
        head.first_seq = this.first_seq.saturating_add(this.count.into());
        (head.prev_hash, head.acked_seq) = (hash, head.first_seq.saturating_sub(1));
    }

    fn payload(
        &mut self,
        input: &mut Input,
        flaws: u8,
        this: &mut Record,
        content: &impl Fn(u64) -> Vec<u8>,
    ) -> Vec<u8> {
        if flaws & flaw::ANY_PAYLOAD != 0 {
            self.is_right = false;
            self.is_known = false;
            let len = usize::from(input.byte());
            return input.bytes(len).to_vec();
        }
        let mut time = self.entries.last().map_or(this.time_base, |(time, _)| *time);
        let mut payload = Vec::new();
        for index in 0..u64::from(this.count) {
            let delta = u64::from(input.short());
            time = time.saturating_add(delta);
            if index == 0 {
                this.time_base = time;
            }
            let mut content = content(this.first_seq.saturating_add(index));
            if flaws & flaw::EDITED != 0 {
                self.is_right = false;
                input.edit(&mut content, 2);
            }
            payload.extend_from_slice(&entry(if index == 0 { 0 } else { delta }, &content));
            self.entries.push((time, content));
        }
        if flaws & flaw::UNCOUNTED != 0 {
            self.is_right = false;
            self.has_uncounted = true;
            payload.extend_from_slice(&entry(0, &content(this.first_seq)));
        }
        payload
    }

    /// Changes bytes without making checksums anew, cuts the end off, or takes sectors away.
    fn damage(&mut self, input: &mut Input) {
        let kind = input.byte();
        let (_, last) = self.files.last_mut().expect("one from the start");
        let was = last.clone();
        match kind {
            0..160 => {}
            160..200 => input.edit(last, usize::from(kind - 159)),
            200..220 => last.truncate(last.len() - usize::from(input.short()) % last.len()),
            220..240 => {
                let sector = usize::from(input.byte()) * 512 % last.len() / 512 * 512;
                let end = (sector + 512).min(last.len());
                last[sector.max(128).min(end)..end].fill(0);
            }
            _ => last.extend_from_slice(input.bytes(200)),
        }
        if *last != was {
            self.is_right = false;
            self.is_whole = false;
        }
    }
}

fn set_field(input: &mut Input, record: &mut Record) {
    let which = input.byte();
    let value = if which < 128 { u64::from(input.byte()) } else { input.long() };
    match which % 8 {
        0 => record.flags = value as u8,
        1 => record.count = value as u32,
        2 => record.first_seq = value,
        3 => record.term = value,
        4 => record.time_base = value,
        5 => record.acked_seq = value,
        _ => record.prev_hash[0] ^= value as u8,
    }
}
