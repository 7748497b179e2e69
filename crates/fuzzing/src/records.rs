//! Segments and records by `docs/journal-format.md` alone, with right checksums around any content.

use journal::{FORMAT_VERSION, Identity};
use types::PartitionId;
use xxhash_rust::xxh3::xxh3_64;

/// Whose logs these are.
pub const IDENTITY: Identity =
    Identity { cluster: 0x0123_4567_89ab_cdef, partition: PartitionId(3) };

const SEGMENT_HEADER: usize = 128;
const RECORD_HEADER: usize = 128;
const TRAILER: [u8; 8] = [0xa5, 0x45, 0x6e, 0x64, 0x52, 0x65, 0x63, 0x5a];

/// Which log, as the headers say it.
#[derive(Clone, Copy)]
pub enum Kind {
    Command = 1,
    Event = 2,
}

/// What a record says of itself.
#[derive(Clone, Copy, Default)]
pub struct Record {
    pub flags: u8,
    pub count: u32,
    pub first_seq: u64,
    pub term: u64,
    pub time_base: u64,
    pub acked_seq: u64,
    pub prev_hash: [u8; 32],
}

/// The head of a segment.
pub fn segment(kind: Kind, first_seq: u64, prev_hash: [u8; 32], prev_first_seq: u64) -> Vec<u8> {
    let mut bytes = vec![0; SEGMENT_HEADER];
    put(&mut bytes, 0, b"OUTCRYSG");
    put(&mut bytes, 8, &FORMAT_VERSION.to_le_bytes());
    bytes[10] = kind as u8;
    put(&mut bytes, 12, &IDENTITY.partition.0.to_le_bytes());
    put(&mut bytes, 16, &IDENTITY.cluster.to_le_bytes());
    put(&mut bytes, 24, &first_seq.to_le_bytes());
    put(&mut bytes, 32, &prev_hash);
    put(&mut bytes, 64, &prev_first_seq.to_le_bytes());
    let check = xxh3_64(&bytes[..120]);
    put(&mut bytes, 120, &check.to_le_bytes());
    bytes
}

/// A record around `payload`, and its hash.
pub fn record(kind: Kind, record: &Record, payload: &[u8]) -> (Vec<u8>, [u8; 32]) {
    let len = (RECORD_HEADER + payload.len() + TRAILER.len()).next_multiple_of(64);
    let mut bytes = vec![0; len];
    put(&mut bytes, 0, b"OCRB");
    put(&mut bytes, 4, &FORMAT_VERSION.to_le_bytes());
    bytes[6] = kind as u8;
    bytes[7] = record.flags;
    put(&mut bytes, 8, &IDENTITY.cluster.to_le_bytes());
    put(&mut bytes, 16, &IDENTITY.partition.0.to_le_bytes());
    put(&mut bytes, 20, &record.count.to_le_bytes());
    put(&mut bytes, 24, &record.first_seq.to_le_bytes());
    put(&mut bytes, 32, &record.term.to_le_bytes());
    put(&mut bytes, 40, &record.time_base.to_le_bytes());
    put(&mut bytes, 48, &record.acked_seq.to_le_bytes());
    put(&mut bytes, 56, &(payload.len() as u32).to_le_bytes());
    put(&mut bytes, 64, &record.prev_hash);
    put(&mut bytes, RECORD_HEADER, payload);
    let hash = *blake3::hash(&bytes[..RECORD_HEADER + payload.len()]).as_bytes();
    put(&mut bytes, 96, &hash);
    let covered = [&bytes[..60], &bytes[64..128]].concat();
    put(&mut bytes, 60, &(xxh3_64(&covered) as u32).to_le_bytes());
    put(&mut bytes, len - TRAILER.len(), &TRAILER);
    (bytes, hash)
}

/// An entry of a payload.
pub fn entry(delta: u64, content: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    varint(&mut rest, delta);
    rest.extend_from_slice(content);
    [&(rest.len() as u32).to_le_bytes()[..], &rest].concat()
}

/// Seven bits a byte, low ones first.
pub fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}
