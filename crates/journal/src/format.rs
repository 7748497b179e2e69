//! The bytes of segment and record headers. Everything is little-endian; spare bytes are zero and
//! checked; both headers carry a checksum of their own, so that a length can be trusted before the
//! rest is read.

use types::{PartitionId, Seq, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

/// Version of segments, records and snapshots that this binary writes and reads. Another one is refused
/// by name. 1: before there was a release. 2: orders have conditions.
/// 3: conditions take a byte where there are none; order lists, fee schedules, guards, quarantine.
/// 4: an amendment may ask to keep the order's place.
pub const FORMAT_VERSION: u16 = 4;

/// Whose log: part of every header, so that a file in the wrong place is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Drawn once when an exchange is founded.
    pub cluster: u64,
    /// The partition.
    pub partition: PartitionId,
}

/// Which of the two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Command = 1,
    Event = 2,
}

/// 32 bytes of BLAKE3.
pub(crate) type Hash = [u8; 32];

/// Records begin at multiples of this.
pub(crate) const ALIGN: usize = 64;
/// Disks write sectors of this size or a multiple of it, each wholly or not at all.
pub(crate) const SECTOR: u64 = 512;
/// Ends every record. No byte of it is zero, and none becomes zero by one flipped bit.
pub(crate) const TRAILER: [u8; 8] = *b"\xa5EndRec\x5a";

const SEGMENT_MAGIC: [u8; 8] = *b"OUTCRYSG";
const RECORD_MAGIC: [u8; 4] = *b"OCRB";
const FLAG_SEAL: u8 = 1;

/// Byte offsets in a segment header.
mod segment_at {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 8;
    pub const KIND: usize = 10;
    pub const SPARE_1: usize = 11;
    pub const PARTITION: usize = 12;
    pub const SPARE_2: usize = 14;
    pub const CLUSTER: usize = 16;
    pub const FIRST_SEQ: usize = 24;
    pub const PREV_HASH: usize = 32;
    pub const PREV_FIRST_SEQ: usize = 64;
    pub const SPARE_3: usize = 72;
    pub const CHECK: usize = 120;
    pub const END: usize = 128;
    const _: () = assert!(VERSION - MAGIC == 8 && KIND - VERSION == 2 && SPARE_1 - KIND == 1);
    const _: () = assert!(PARTITION - SPARE_1 == 1 && SPARE_2 - PARTITION == 2);
    const _: () = assert!(CLUSTER - SPARE_2 == 2 && FIRST_SEQ - CLUSTER == 8);
    const _: () = assert!(PREV_HASH - FIRST_SEQ == 8 && PREV_FIRST_SEQ - PREV_HASH == 32);
    const _: () = assert!(SPARE_3 - PREV_FIRST_SEQ == 8 && END - CHECK == 8);
}

/// Byte offsets in a record header.
mod record_at {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 4;
    pub const KIND: usize = 6;
    pub const FLAGS: usize = 7;
    pub const CLUSTER: usize = 8;
    pub const PARTITION: usize = 16;
    pub const SPARE: usize = 18;
    pub const COUNT: usize = 20;
    pub const FIRST_SEQ: usize = 24;
    pub const TERM: usize = 32;
    pub const TIME_BASE: usize = 40;
    pub const ACKED_SEQ: usize = 48;
    pub const PAYLOAD_LEN: usize = 56;
    pub const CHECK: usize = 60;
    pub const PREV_HASH: usize = 64;
    pub const HASH: usize = 96;
    pub const END: usize = 128;
    const _: () = assert!(VERSION - MAGIC == 4 && KIND - VERSION == 2 && FLAGS - KIND == 1);
    const _: () = assert!(CLUSTER - FLAGS == 1 && PARTITION - CLUSTER == 8);
    const _: () = assert!(SPARE - PARTITION == 2 && COUNT - SPARE == 2 && FIRST_SEQ - COUNT == 4);
    const _: () = assert!(TERM - FIRST_SEQ == 8 && TIME_BASE - TERM == 8);
    const _: () = assert!(ACKED_SEQ - TIME_BASE == 8 && PAYLOAD_LEN - ACKED_SEQ == 8);
    const _: () = assert!(CHECK - PAYLOAD_LEN == 4 && PREV_HASH - CHECK == 4);
    const _: () = assert!(HASH - PREV_HASH == 32 && END - HASH == 32);
}

pub(crate) const SEGMENT_HEADER: usize = segment_at::END;
pub(crate) const RECORD_HEADER: usize = record_at::END;
const _: () = assert!(SEGMENT_HEADER.is_multiple_of(ALIGN) && RECORD_HEADER.is_multiple_of(ALIGN));

/// Why header bytes are not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Not what was written.
    Bytes(&'static str),
    /// Whole, but of another format version.
    Version(u16),
    /// Whole, but of another log.
    Identity(&'static str),
}

/// The head of a segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub kind: Kind,
    pub identity: Identity,
    /// The first entry that the segment may hold.
    pub first_seq: Seq,
    /// Hash of the record before, zeros at the beginning of a log.
    pub prev_hash: Hash,
    /// `first_seq` of the segment before, or zero.
    pub prev_first_seq: Seq,
}

impl SegmentHeader {
    pub fn encode(&self) -> [u8; SEGMENT_HEADER] {
        use segment_at as at;
        let mut bytes = [0; SEGMENT_HEADER];
        put(&mut bytes, at::MAGIC, SEGMENT_MAGIC);
        put(&mut bytes, at::VERSION, FORMAT_VERSION.to_le_bytes());
        put(&mut bytes, at::KIND, [self.kind as u8]);
        put(&mut bytes, at::PARTITION, self.identity.partition.0.to_le_bytes());
        put(&mut bytes, at::CLUSTER, self.identity.cluster.to_le_bytes());
        put(&mut bytes, at::FIRST_SEQ, self.first_seq.0.to_le_bytes());
        put(&mut bytes, at::PREV_HASH, self.prev_hash);
        put(&mut bytes, at::PREV_FIRST_SEQ, self.prev_first_seq.0.to_le_bytes());
        let check = xxh3_64(&bytes[..at::CHECK]);
        put(&mut bytes, at::CHECK, check.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8], kind: Kind, identity: Identity) -> Result<Self, Malformed> {
        use segment_at as at;
        let Some(bytes) = bytes.first_chunk::<SEGMENT_HEADER>() else {
            return Err(Malformed::Bytes("the segment header is cut off"));
        };
        if get::<8>(bytes, at::MAGIC) != SEGMENT_MAGIC {
            return Err(Malformed::Bytes("no segment header"));
        }
        if xxh3_64(&bytes[..at::CHECK]).to_le_bytes() != get::<8>(bytes, at::CHECK) {
            return Err(Malformed::Bytes("the segment header fails its checksum"));
        }
        let version = u16::from_le_bytes(get(bytes, at::VERSION));
        if version != FORMAT_VERSION {
            return Err(Malformed::Version(version));
        }
        let spare = [at::SPARE_1..at::PARTITION, at::SPARE_2..at::CLUSTER, at::SPARE_3..at::CHECK];
        if spare.into_iter().any(|range| !is_zero(&bytes[range])) {
            return Err(Malformed::Bytes("spare bytes of the segment header are not zero"));
        }
        check_identity(
            (bytes[at::KIND], kind),
            u64::from_le_bytes(get(bytes, at::CLUSTER)),
            u16::from_le_bytes(get(bytes, at::PARTITION)),
            identity,
        )?;
        Ok(Self {
            kind,
            identity,
            first_seq: Seq(u64::from_le_bytes(get(bytes, at::FIRST_SEQ))),
            prev_hash: get(bytes, at::PREV_HASH),
            prev_first_seq: Seq(u64::from_le_bytes(get(bytes, at::PREV_FIRST_SEQ))),
        })
    }
}

/// The head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub kind: Kind,
    /// Ends a life of the log in order: no entries, everything before is acknowledged.
    pub seal: bool,
    pub identity: Identity,
    /// Number of entries.
    pub count: u32,
    /// The first entry; with no entries, the one that comes next.
    pub first_seq: Seq,
    pub term: u64,
    /// Time of the first entry.
    pub time_base: Timestamp,
    /// Highest entry that was acknowledged when this was written.
    pub acked_seq: Seq,
    pub payload_len: u32,
    pub prev_hash: Hash,
    /// Over the header, with this field and the check zero, and the payload.
    pub hash: Hash,
}

impl RecordHeader {
    /// The header with hash and check still zero: what the hash covers.
    pub fn encode_unhashed(&self) -> [u8; RECORD_HEADER] {
        use record_at as at;
        let mut bytes = [0; RECORD_HEADER];
        put(&mut bytes, at::MAGIC, RECORD_MAGIC);
        put(&mut bytes, at::VERSION, FORMAT_VERSION.to_le_bytes());
        put(&mut bytes, at::KIND, [self.kind as u8]);
        put(&mut bytes, at::FLAGS, [if self.seal { FLAG_SEAL } else { 0 }]);
        put(&mut bytes, at::CLUSTER, self.identity.cluster.to_le_bytes());
        put(&mut bytes, at::PARTITION, self.identity.partition.0.to_le_bytes());
        put(&mut bytes, at::COUNT, self.count.to_le_bytes());
        put(&mut bytes, at::FIRST_SEQ, self.first_seq.0.to_le_bytes());
        put(&mut bytes, at::TERM, self.term.to_le_bytes());
        put(&mut bytes, at::TIME_BASE, self.time_base.0.to_le_bytes());
        put(&mut bytes, at::ACKED_SEQ, self.acked_seq.0.to_le_bytes());
        put(&mut bytes, at::PAYLOAD_LEN, self.payload_len.to_le_bytes());
        put(&mut bytes, at::PREV_HASH, self.prev_hash);
        bytes
    }

    /// Fills hash and check into bytes of [`Self::encode_unhashed`].
    pub fn finish(bytes: &mut [u8], hash: &Hash) {
        use record_at as at;
        bytes[at::HASH..at::END].copy_from_slice(hash);
        let check = record_check(bytes);
        bytes[at::CHECK..at::PREV_HASH].copy_from_slice(&check);
    }

    pub fn decode(bytes: &[u8], kind: Kind, identity: Identity) -> Result<Self, Malformed> {
        use record_at as at;
        let Some(bytes) = bytes.first_chunk::<RECORD_HEADER>() else {
            return Err(Malformed::Bytes("the record header is cut off"));
        };
        if get::<4>(bytes, at::MAGIC) != RECORD_MAGIC {
            return Err(Malformed::Bytes("no record header"));
        }
        if record_check(bytes) != get::<4>(bytes, at::CHECK) {
            return Err(Malformed::Bytes("the record header fails its checksum"));
        }
        let version = u16::from_le_bytes(get(bytes, at::VERSION));
        if version != FORMAT_VERSION {
            return Err(Malformed::Version(version));
        }
        if !is_zero(&bytes[at::SPARE..at::COUNT]) || bytes[at::FLAGS] & !FLAG_SEAL != 0 {
            return Err(Malformed::Bytes("spare bytes of the record header are not zero"));
        }
        check_identity(
            (bytes[at::KIND], kind),
            u64::from_le_bytes(get(bytes, at::CLUSTER)),
            u16::from_le_bytes(get(bytes, at::PARTITION)),
            identity,
        )?;
        Ok(Self {
            kind,
            seal: bytes[at::FLAGS] & FLAG_SEAL != 0,
            identity,
            count: u32::from_le_bytes(get(bytes, at::COUNT)),
            first_seq: Seq(u64::from_le_bytes(get(bytes, at::FIRST_SEQ))),
            term: u64::from_le_bytes(get(bytes, at::TERM)),
            time_base: Timestamp(u64::from_le_bytes(get(bytes, at::TIME_BASE))),
            acked_seq: Seq(u64::from_le_bytes(get(bytes, at::ACKED_SEQ))),
            payload_len: u32::from_le_bytes(get(bytes, at::PAYLOAD_LEN)),
            prev_hash: get(bytes, at::PREV_HASH),
            hash: get(bytes, at::HASH),
        })
    }

    /// Bytes of the whole record: header, payload, padding, trailer.
    pub fn record_len(&self) -> u64 {
        record_len(self.payload_len as usize) as u64
    }

    /// The last entry of the log once this record stands in it.
    pub fn last_seq(&self) -> Seq {
        Seq(self.first_seq.0 + u64::from(self.count) - 1)
    }

    /// The hash that belongs to this header and `payload`.
    pub fn computed_hash(&self, payload: &[u8]) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.encode_unhashed());
        hasher.update(payload);
        *hasher.finalize().as_bytes()
    }
}

/// Bytes of a record with a payload of `payload_len` bytes.
pub(crate) const fn record_len(payload_len: usize) -> usize {
    (RECORD_HEADER + payload_len + TRAILER.len()).next_multiple_of(ALIGN)
}

/// Whether all bytes are zero.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_le_bytes(*word) == 0) && rest.iter().all(|&byte| byte == 0)
}

/// Over the whole header but the check itself.
fn record_check(bytes: &[u8]) -> [u8; 4] {
    use record_at as at;
    let mut covered = [0; RECORD_HEADER - 4];
    covered[..at::CHECK].copy_from_slice(&bytes[..at::CHECK]);
    covered[at::CHECK..].copy_from_slice(&bytes[at::PREV_HASH..at::END]);
    (xxh3_64(&covered) as u32).to_le_bytes()
}

fn check_identity(
    (found_kind, kind): (u8, Kind),
    cluster: u64,
    partition: u16,
    identity: Identity,
) -> Result<(), Malformed> {
    if cluster != identity.cluster {
        return Err(Malformed::Identity("it is of another cluster"));
    }
    if partition != identity.partition.0 {
        return Err(Malformed::Identity("it is of another partition"));
    }
    if found_kind != kind as u8 {
        return Err(Malformed::Identity("it is of the other kind of log"));
    }
    Ok(())
}

fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

fn get<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    *bytes[at..].first_chunk().expect("within the header")
}
