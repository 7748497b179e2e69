//! What a crash or a failing disk can leave, and what opening makes of it. Images are judged through
//! `CommandLog::open` itself, on a copy.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{self, IDENTITY, Random, entry, options, records, segments, write_log};
use journal::{CommandLog, CommandReader, JournalError, RecoveryReport, verify_commands};
use types::Seq;

const SEGMENT: u64 = 32 << 10;

/// A log whose last segment is broken in many ways, one after the other.
struct Image {
    _dir: tempfile::TempDir,
    path: PathBuf,
    /// The last segment, whole.
    whole: Vec<u8>,
    file: PathBuf,
    /// Offset, length and last entry of each record of the last segment.
    records: Vec<(usize, usize, u64)>,
    /// Last entry before the last segment.
    before: u64,
    size: u64,
}

impl Image {
    fn new(segment_size: u64, counts: &[u64], seal: bool) -> Self {
        let dir = common::memory_dir();
        let path = dir.path().to_path_buf();
        write_log(&path, segment_size, counts, seal);
        let file = segments(&path).pop().unwrap();
        let whole = fs::read(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let before = name.parse::<u64>().unwrap() - 1;
        let mut last = before;
        let records = records(&whole).into_iter().map(|(offset, len)| {
            let count = u32::from_le_bytes(whole[offset + 20..offset + 24].try_into().unwrap());
            last += u64::from(count);
            (offset, len, last)
        });
        let records: Vec<_> = records.collect();
        Self { _dir: dir, path, file, records, before, whole, size: segment_size }
    }

    /// Opens the log with these bytes as its last segment.
    fn open(&self, bytes: &[u8]) -> Result<RecoveryReport, JournalError> {
        fs::write(&self.file, bytes).unwrap();
        CommandLog::open(&self.path, IDENTITY, options(self.size)).map(|(_, report)| report)
    }

    /// The log opens, ends with entry `last`, holds all up to it, and goes on after it.
    fn assert_recovers(&self, bytes: &[u8], last: u64, what: &str) {
        let report = self.open(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(report.last_seq, Seq(last), "{what}");
        let again = verify_commands_tail(&self.path, self.before + 1);
        assert_eq!(again, last, "{what}: read back");
    }

    /// The log refuses to open, names the place, and its bytes are as they were.
    fn assert_refuses(&self, bytes: &[u8], what: &str) {
        match self.open(bytes) {
            Err(JournalError::Damaged { .. } | JournalError::WrongLog { .. }) => {}
            Err(JournalError::UnknownVersion { .. }) => {}
            other => panic!("{what}: {other:?}"),
        }
        assert!(fs::read(&self.file).unwrap() == bytes, "{what}: bytes were changed");
    }
}

/// The last entry that a reader from `from` on finds; each must be the one that was written.
fn verify_commands_tail(path: &Path, from: u64) -> u64 {
    let mut last = from - 1;
    for read in CommandReader::open(path, IDENTITY, Seq(from), None).unwrap() {
        let read = read.unwrap();
        last += 1;
        assert_eq!(read, entry(last));
    }
    last
}

fn many_records(seed: u64) -> Vec<u64> {
    println!("seed {seed}");
    let mut random = Random(seed);
    (0..2000).map(|_| 1 + random.below(5)).collect()
}

#[test]
fn every_truncation_recovers_what_is_whole() {
    let image = Image::new(SEGMENT, &many_records(11), false);
    let last_five = image.records[image.records.len() - 5].0;
    let end = image.records.last().map(|&(offset, len, _)| offset + len).unwrap();
    let stride = (128..last_five).step_by(211);
    for cut in stride.chain(last_five..=end) {
        let last = whole_before(&image, cut);
        // A crash leaves zeros, a copy that broke off leaves a shorter file.
        image.assert_recovers(&image.whole[..cut], last, &format!("file of {cut} bytes"));
        let mut zeroed = image.whole.clone();
        zeroed[cut..].fill(0);
        let report =
            image.open(&zeroed).unwrap_or_else(|error| panic!("zeros from {cut}: {error}"));
        assert_eq!(report.last_seq, Seq(last), "zeros from {cut}");
        let is_boundary =
            image.records.iter().any(|&(offset, len, _)| cut == offset || cut == offset + len);
        assert_eq!(report.torn.is_none(), is_boundary, "zeros from {cut}");
    }
}

fn whole_before(image: &Image, cut: usize) -> u64 {
    let whole = image.records.iter().rev().find(|(offset, len, _)| offset + len <= cut);
    whole.map_or(image.before, |&(_, _, last)| last)
}

#[test]
fn every_set_of_missing_sectors_of_the_last_record_is_torn() {
    // From one sector to ten.
    for count in [1, 5, 14, 22, 38, 52] {
        let image = Image::new(SEGMENT, &[3, 4, 5, count], false);
        let &(offset, len, _) = image.records.last().unwrap();
        let pieces = sector_pieces(offset, len);
        assert!(pieces.len() <= 11, "{} sectors", pieces.len());
        for missing in 1..1_u32 << pieces.len() {
            let mut torn = image.whole.clone();
            for (index, piece) in pieces.iter().enumerate() {
                if missing >> index & 1 == 1 {
                    torn[piece.clone()].fill(0);
                }
            }
            let is_nothing_left = missing + 1 == 1 << pieces.len();
            let report = image.open(&torn).unwrap_or_else(|error| panic!("{missing:b}: {error}"));
            assert_eq!(report.last_seq, Seq(12), "{missing:b}");
            assert_eq!(report.torn.is_none(), is_nothing_left, "{missing:b}");
            if let Some(tail) = report.torn {
                assert_eq!((tail.offset, tail.seq), (offset as u64, Seq(13)));
            }
        }
        assert_eq!(verify_commands_tail(&image.path, 1), 12);
    }
}

#[test]
fn missing_sectors_of_an_acknowledged_record_are_damage() {
    let image = Image::new(SEGMENT, &[3, 4, 20, 1], false);
    let (offset, len, _) = image.records[2];
    let pieces = sector_pieces(offset, len);
    for missing in 1..1_u32 << pieces.len() {
        let mut broken = image.whole.clone();
        for (index, piece) in pieces.iter().enumerate() {
            if missing >> index & 1 == 1 {
                broken[piece.clone()].fill(0);
            }
        }
        image.assert_refuses(&broken, &format!("sectors {missing:b} of an acknowledged record"));
    }
}

#[test]
fn a_sealed_log_has_no_torn_last_record() {
    let image = Image::new(SEGMENT, &[3, 4, 20], true);
    let (offset, len, _) = image.records[2];
    for piece in sector_pieces(offset, len) {
        let mut broken = image.whole.clone();
        broken[piece].fill(0);
        image.assert_refuses(&broken, "a sector of the last record before the seal");
    }
    let mut broken = image.whole.clone();
    broken[offset..offset + len].fill(0);
    image.assert_refuses(&broken, "the whole record before the seal");
}

#[test]
fn unsynced_records_after_a_torn_one_go_with_it() {
    let dir = common::memory_dir();
    {
        let (mut log, _) = CommandLog::open(dir.path(), IDENTITY, options(SEGMENT)).unwrap();
        let mut batch = journal::BatchBuilder::new();
        for seq in 1..=3 {
            batch.push_command(common::time(seq), &common::command(seq));
            // Nothing after entry 1 was ever acknowledged.
            log.append(&mut batch, Seq(seq.min(2) - 1), 1).unwrap();
        }
    }
    let file = segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let (offset, len) = records(&bytes)[1];
    bytes[offset..offset + len].fill(0);
    fs::write(&file, bytes).unwrap();
    let (_, report) = CommandLog::open(dir.path(), IDENTITY, options(SEGMENT)).unwrap();
    assert_eq!(report.last_seq, Seq(1));
    let torn = report.torn.unwrap();
    assert_eq!((torn.offset, torn.seq), (offset as u64, Seq(2)));
    let (_, report) = CommandLog::open(dir.path(), IDENTITY, options(SEGMENT)).unwrap();
    assert_eq!((report.last_seq, report.torn), (Seq(1), None), "it was cut");
}

/// Flips every bit of every segment, one at a time.
fn assert_every_flip_is_detected(seal: bool) {
    let dir = common::memory_dir();
    write_log(dir.path(), 1024, &[1, 2, 1, 3, 1], seal);
    let files = segments(dir.path());
    assert!(files.len() > 1);
    for file in &files {
        let whole = fs::read(file).unwrap();
        let end = records(&whole).last().map_or(128, |&(offset, len)| offset + len);
        let is_last = file == files.last().unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(file, &flipped).unwrap();
            let result = verify_commands(dir.path(), IDENTITY);
            if is_last && bit / 8 >= end {
                // After the end nothing was ever acknowledged: it is reported and cut.
                assert!(result.unwrap().torn.is_some(), "bit {bit} of {file:?}");
            } else {
                assert!(result.is_err(), "bit {bit} of {file:?}: {result:?}");
            }
        }
        fs::write(file, &whole).unwrap();
    }
    assert!(verify_commands(dir.path(), IDENTITY).is_ok());
}

#[test]
fn every_flipped_bit_of_a_sealed_log_is_detected() {
    assert_every_flip_is_detected(true);
}

#[test]
fn every_flipped_bit_of_an_unsealed_log_is_detected() {
    assert_every_flip_is_detected(false);
}

#[test]
fn damage_names_file_offset_and_entry() {
    let image = Image::new(SEGMENT, &[3, 4, 5], true);
    let (offset, _, _) = image.records[1];
    let mut broken = image.whole.clone();
    broken[offset + 200] ^= 4;
    let message = image.open(&broken).unwrap_err().to_string();
    assert!(message.contains("00000000000000000001.log"), "{message}");
    assert!(message.contains(&format!("byte {offset}, entry 4")), "{message}");
}

#[test]
fn damage_in_an_earlier_segment_is_found_by_whoever_reads_it() {
    let dir = common::memory_dir();
    write_log(dir.path(), 2048, &[5; 40], false);
    let file = &segments(dir.path())[1];
    let whole = fs::read(file).unwrap();
    // Zeros are no excuse where a later segment exists.
    for range in [300..301, 128..192, whole.len() - 1..whole.len()] {
        let mut broken = whole.clone();
        broken[range.clone()].iter_mut().for_each(|byte| *byte = !*byte & 0x55);
        fs::write(file, &broken).unwrap();
        assert!(verify_commands(dir.path(), IDENTITY).is_err(), "{range:?}");
        assert!(common::read_all(dir.path(), 1).is_err(), "{range:?}");
    }
    let (offset, len) = *records(&whole).last().unwrap();
    let mut cut = whole.clone();
    cut[offset..offset + len].fill(0);
    fs::write(file, &cut).unwrap();
    assert!(verify_commands(dir.path(), IDENTITY).is_err(), "the last record of a middle segment");
}

/// The parts of the record in each sector of 512 bytes.
fn sector_pieces(offset: usize, len: usize) -> Vec<std::ops::Range<usize>> {
    let mut pieces = Vec::new();
    let mut at = offset;
    while at < offset + len {
        let next = ((at / 512 + 1) * 512).min(offset + len);
        pieces.push(at..next);
        at = next;
    }
    pieces
}
