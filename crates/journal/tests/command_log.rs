//! The command log in order: what is written is read back, across segments, lives and readers.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use crate::common::{
    self, IDENTITY, append, entry, options, read_all, records, segments, write_log,
};
use chance::Random;
use journal::{
    BatchBuilder, CommandLog, CommandReader, DiskHook, Identity, JournalError, Options,
    verify_commands,
};
use types::{PartitionId, Seq};

#[test]
fn whatever_is_appended_is_read_back_from_any_entry_on() {
    for seed in 1..=24 {
        let random = &mut Random::new(seed);
        let counts: Vec<_> = (0..random.between(1, 29)).map(|_| random.between(1, 39)).collect();
        let segment_size = random.between(1, 19_999);
        let dir = tempfile::tempdir().unwrap();
        let mut batch = BatchBuilder::new();
        for part in counts.chunks(random.between(1, 7) as usize) {
            let (mut log, _) =
                CommandLog::open(dir.path(), IDENTITY, options(segment_size)).unwrap();
            for &count in part {
                append(&mut log, &mut batch, count);
            }
            log.seal(1).unwrap();
        }
        let last: u64 = counts.iter().sum();
        let from = random.between(1, last);
        let expected: Vec<_> = (from..=last).map(entry).collect();
        assert_eq!(read_all(dir.path(), from).unwrap(), expected, "seed {seed}");
        let report = verify_commands(dir.path(), IDENTITY).unwrap();
        assert_eq!(report.last_seq, Seq(last), "seed {seed}");
        assert!(report.sealed && report.torn.is_none(), "seed {seed}: {report:?}");
    }
}

#[test]
fn a_reader_stops_at_its_bound_and_refuses_one_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 4096, &[7; 20], false);
    let read = |from, until| -> Result<Vec<_>, _> {
        CommandReader::open(dir.path(), IDENTITY, Seq(from), Some(Seq(until)))?.collect()
    };
    assert_eq!(read(3, 11).unwrap(), (3..=11).map(entry).collect::<Vec<_>>());
    assert_eq!(read(8, 8).unwrap(), vec![entry(8)]);
    assert!(matches!(read(8, 141), Err(JournalError::EndsEarly { last: Seq(140), .. })));
    assert_eq!(read_all(dir.path(), 141).unwrap(), vec![]);
    assert!(matches!(read_all(dir.path(), 143), Err(JournalError::EndsEarly { .. })));
}

/// For each entry: first entry of its segment, hash of its record. By the documented bytes alone.
fn holders(dir: &Path) -> Vec<(u64, [u8; 32])> {
    let mut holders = Vec::new();
    for file in segments(dir) {
        let bytes = fs::read(&file).unwrap();
        let first = file.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        for (at, _) in common::records(&bytes) {
            let count = u32::from_le_bytes(bytes[at + 20..at + 24].try_into().unwrap());
            let hash = bytes[at + 96..at + 128].try_into().unwrap();
            holders.extend((0..count).map(|_| (first, hash)));
        }
    }
    holders
}

#[test]
fn a_reader_knows_the_record_of_the_entry_before_also_across_seals_and_segments() {
    let dir = tempfile::tempdir().unwrap();
    // Each life ends with a seal; some of them end a segment, too.
    for life in 1..=60 {
        let (mut log, _) = CommandLog::open(dir.path(), IDENTITY, options(2048)).unwrap();
        append(&mut log, &mut BatchBuilder::new(), 1 + life % 4);
        log.seal(life).unwrap();
    }
    let holders = holders(dir.path());
    let last = holders.len() as u64;
    let mut heads = 0;
    for from in 1..=last + 1 {
        let mut reader = CommandReader::open(dir.path(), IDENTITY, Seq(from), None).unwrap();
        let before = (from > 1).then(|| holders[from as usize - 2]);
        assert_eq!(reader.hash_before(), before.map(|(_, hash)| hash), "before entry {from}");
        heads += u32::from(
            from <= last && before.is_some_and(|(first, _)| first < holders[from as usize - 1].0),
        );
        // To the end, over the last seal.
        while reader.next_batch(&mut Vec::new()).unwrap().is_some() {}
        assert_eq!(reader.hash_before(), holders.last().map(|&(_, hash)| hash));
        if from > 1 {
            let until = Some(Seq(from - 1));
            let mut bounded = CommandReader::open(dir.path(), IDENTITY, Seq(1), until).unwrap();
            while bounded.next_batch(&mut Vec::new()).unwrap().is_some() {}
            assert_eq!(bounded.hash_before(), before.map(|(_, hash)| hash), "up to {}", from - 1);
        }
    }
    assert!(heads > 5, "{heads} segments begin behind another");
    // What is not kept any more is not known.
    let oldest = CommandLog::remove_before(dir.path(), Seq(last / 2)).unwrap();
    let reader = CommandReader::open(dir.path(), IDENTITY, oldest, None).unwrap();
    assert_eq!(reader.hash_before(), None);
    let reader = CommandReader::open(dir.path(), IDENTITY, oldest.next(), None).unwrap();
    assert_eq!(reader.hash_before(), Some(holders[oldest.0 as usize - 1].1));
}

#[test]
fn a_reader_follows_a_log_that_is_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = CommandLog::open(dir.path(), IDENTITY, options(2048)).unwrap();
    let mut reader = CommandReader::open(dir.path(), IDENTITY, Seq(1), None).unwrap();
    let mut batch = BatchBuilder::new();
    for round in 0..50_u64 {
        append(&mut log, &mut batch, 3);
        let mut entries = Vec::new();
        while reader.next_batch(&mut entries).unwrap().is_some() {}
        let first = round * 3 + 1;
        assert_eq!(entries, (first..first + 3).map(entry).collect::<Vec<_>>());
    }
    assert!(segments(dir.path()).len() > 3);
}

#[test]
fn old_segments_are_removed_whole_and_the_rest_is_still_a_log() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 4096, &[10; 40], true);
    let before = segments(dir.path()).len();
    let oldest = CommandLog::remove_before(dir.path(), Seq(200)).unwrap();
    let (log, _) = CommandLog::open(dir.path(), IDENTITY, options(4096)).unwrap();
    assert!(segments(dir.path()).len() < before);
    assert!(oldest > Seq(1) && oldest <= Seq(200));
    assert_eq!(log.first_seq(), oldest);
    let first = oldest.0;
    assert_eq!(read_all(dir.path(), first).unwrap().len() as u64, 401 - first);
    assert!(matches!(
        read_all(dir.path(), 1),
        Err(JournalError::NotKept { oldest, .. }) if oldest.0 == first
    ));
    assert_eq!(verify_commands(dir.path(), IDENTITY).unwrap().first_seq.0, first);
}

#[test]
fn a_missing_middle_segment_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 2048, &[5; 40], true);
    fs::remove_file(&segments(dir.path())[2]).unwrap();
    for result in [
        CommandLog::open(dir.path(), IDENTITY, options(2048)).map(|_| ()),
        verify_commands(dir.path(), IDENTITY).map(|_| ()),
        read_all(dir.path(), 1).map(|_| ()),
    ] {
        assert!(matches!(result, Err(JournalError::MissingSegment { .. })), "{result:?}");
    }
}

#[test]
fn swapped_segments_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 2048, &[5; 40], true);
    let files = segments(dir.path());
    let (first, second) = (fs::read(&files[1]).unwrap(), fs::read(&files[2]).unwrap());
    fs::write(&files[1], second).unwrap();
    fs::write(&files[2], first).unwrap();
    let error = CommandLog::open(dir.path(), IDENTITY, options(2048)).unwrap_err();
    assert!(matches!(error, JournalError::WrongLog { .. }), "{error}");
}

#[test]
fn a_segment_of_an_equal_looking_other_history_is_refused() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_log(dir.path(), 2048, &[5; 40], true);
    {
        let (mut log, _) = CommandLog::open(other.path(), IDENTITY, options(2048)).unwrap();
        let mut batch = BatchBuilder::new();
        for _ in 0..40 {
            let first = log.last_seq().0 + 1;
            for seq in first..first + 5 {
                batch.push_command(common::time(seq), &common::command(seq));
            }
            log.append(&mut batch, Seq(first - 1), 2).unwrap();
        }
        log.seal(2).unwrap();
    }
    let (mine, foreign) = (segments(dir.path()), segments(other.path()));
    assert_eq!(mine[3].file_name(), foreign[3].file_name());
    fs::copy(&foreign[3], &mine[3]).unwrap();
    let error = verify_commands(dir.path(), IDENTITY).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    assert!(read_all(dir.path(), 1).is_err());
}

#[test]
fn a_log_of_another_cluster_or_partition_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 2048, &[5; 4], true);
    let other_cluster = Identity { cluster: 1, ..IDENTITY };
    let other_partition = Identity { partition: PartitionId(4), ..IDENTITY };
    for (identity, what) in
        [(other_cluster, "another cluster"), (other_partition, "another partition")]
    {
        let error = CommandLog::open(dir.path(), identity, options(2048)).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(error.to_string().contains("00000000000000000001.log"), "{error}");
    }
}

#[test]
fn names_that_only_look_like_segments_are_refused_and_others_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 2048, &[5; 4], true);
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let (_, report) = CommandLog::open(dir.path(), IDENTITY, options(2048)).unwrap();
    assert_eq!(report.ignored, ["notes.txt"]);
    fs::write(dir.path().join("1.log"), "").unwrap();
    let error = CommandLog::open(dir.path(), IDENTITY, options(2048)).unwrap_err();
    assert!(error.to_string().contains("1.log"), "{error}");
}

#[test]
fn a_batch_larger_than_a_segment_gets_a_segment_that_is_larger() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 256, &[100, 1, 1, 50], true);
    assert_eq!(read_all(dir.path(), 1).unwrap().len(), 152);
    assert_eq!(verify_commands(dir.path(), IDENTITY).unwrap().last_seq, Seq(152));
}

#[test]
fn entries_that_are_known_to_be_acknowledged_cannot_be_torn() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 4096, &[3, 4], false);
    let file = &segments(dir.path())[0];
    let whole = fs::read(file).unwrap();
    let mut bytes = whole.clone();
    let (offset, len) = common::records(&whole)[1];
    bytes[offset + len - 1] = 0;
    fs::write(file, &bytes).unwrap();
    let open = |acknowledged| {
        let options = Options { acknowledged: Seq(acknowledged), ..options(4096) };
        CommandLog::open(dir.path(), IDENTITY, options).map(|(_, report)| report)
    };
    let error = open(4).unwrap_err().to_string();
    assert!(error.contains(&format!("byte {offset}, entry 4")), "{error}");
    assert_eq!(fs::read(file).unwrap(), bytes, "nothing was changed");
    assert!(open(3).unwrap().torn.is_some());
}

#[test]
fn segments_are_written_in_advance_to_their_full_size() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = CommandLog::open(dir.path(), IDENTITY, options(10_000)).unwrap();
    assert_eq!(fs::metadata(&segments(dir.path())[0]).unwrap().len(), 10_000);
    drop(log);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("commands");
    fs::create_dir(&log).unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o500)).unwrap();
    let is_enforced = fs::write(log.join("probe"), "").is_err();
    if !is_enforced {
        eprintln!("SKIPPED: this user may write everywhere");
        return;
    }
    let error = CommandLog::open(&log, IDENTITY, options(2048)).unwrap_err();
    assert!(error.to_string().contains("commands"), "{error}");
    assert!(error.to_string().contains("Permission denied"), "{error}");
}

/// Fails all writes, or all syncs, once `armed`.
struct FailingDisk {
    armed: std::sync::atomic::AtomicBool,
    fails_writes: bool,
}

impl FailingDisk {
    fn answer(&self, is_write: bool) -> io::Result<()> {
        let armed = self.armed.load(std::sync::atomic::Ordering::SeqCst);
        if armed && is_write == self.fails_writes {
            return Err(io::Error::from_raw_os_error(28));
        }
        Ok(())
    }
}

impl DiskHook for FailingDisk {
    fn before_write(&self, _: &Path, _: u64, _: usize) -> io::Result<()> {
        self.answer(true)
    }

    fn before_sync(&self, _: &Path) -> io::Result<()> {
        self.answer(false)
    }
}

#[test]
fn after_a_failed_write_or_sync_the_log_takes_nothing_and_the_error_says_why() {
    for fails_writes in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(FailingDisk { armed: false.into(), fails_writes });
        let options =
            Options { segment_size: 4096, hook: Some(disk.clone()), ..Options::default() };
        let (mut log, _) = CommandLog::open(dir.path(), IDENTITY, options).unwrap();
        let mut batch = BatchBuilder::new();
        append(&mut log, &mut batch, 2);
        log.sync().unwrap();
        disk.armed.store(true, std::sync::atomic::Ordering::SeqCst);
        batch.push_command(common::time(3), &common::command(3));
        let result = log.append(&mut batch, Seq(2), 1).and_then(|()| log.sync());
        let error = result.unwrap_err().to_string();
        assert!(error.contains("No space left on device"), "{error}");
        assert!(error.contains("00000000000000000001.log"), "{error}");
        disk.armed.store(false, std::sync::atomic::Ordering::SeqCst);
        assert!(matches!(log.sync(), Err(JournalError::Poisoned { .. })));
        assert!(matches!(log.seal(1), Err(JournalError::Poisoned { .. })));
        let mut next = BatchBuilder::new();
        next.push_command(common::time(4), &common::command(4));
        assert!(matches!(log.append(&mut next, Seq(2), 1), Err(JournalError::Poisoned { .. })));
    }
}

#[test]
fn a_segment_that_was_begun_and_has_no_record_does_not_hide_the_seal_before_it() {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), 1024, &[2], true);
    let (mut log, _) = CommandLog::open(dir.path(), IDENTITY, options(1024)).unwrap();
    append(&mut log, &mut BatchBuilder::new(), 20);
    drop(log);
    // The name was durable, the record was not.
    let last = segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    assert_eq!(records(&bytes).len(), 1, "the new life begins a segment");
    bytes[128..].fill(0);
    fs::write(&last, bytes).unwrap();
    let verified = verify_commands(dir.path(), IDENTITY).unwrap();
    let (_, opened) = CommandLog::open(dir.path(), IDENTITY, options(1024)).unwrap();
    assert!(verified.sealed && opened.sealed);
    assert_eq!((opened.last_seq, opened.last_term), (verified.last_seq, verified.last_term));
}
