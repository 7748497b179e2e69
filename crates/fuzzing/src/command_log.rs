//! Command logs, read and recovered: what reading, verifying and opening say belongs together, and a log
//! that is refused is not changed.

use borsh::BorshSerialize;
use journal::{
    BatchBuilder, CommandLog, CommandReader, JournalError, Options, RecoveryReport, verify_commands,
};
use types::{Command, Entry, PartitionId, Seq, Timestamp};

use crate::disk::Disk;
use crate::input::Input;
use crate::made_log::{MadeLog, make};
use crate::records::{IDENTITY, Kind};
use crate::venues;

pub fn run(bytes: &[u8]) {
    let busy = venues::busy();
    let log = &busy.logs[0];
    let content = |seq: u64| encode(&log[(seq % log.len() as u64) as usize].1);
    let made = make(&mut Input(bytes), Kind::Command, content);
    let disk = Disk::new();
    made.put(&disk);
    let before = disk.content();
    let verified = verify_commands(disk.dir(), IDENTITY);
    let read = read_all(&disk);
    assert_eq!(disk.content(), before, "reading changes nothing");
    check_read(&made, &verified, &read);
    match (CommandLog::open(disk.dir(), IDENTITY, options()), verified) {
        (Ok((log, report)), verified) => {
            if let Ok(verified) = verified {
                let facts =
                    |r: &RecoveryReport| (r.first_seq, r.last_seq, r.sealed, r.torn.clone());
                assert_eq!(facts(&report), facts(&verified));
            }
            go_on(log, &disk);
        }
        (Err(error), verified) => {
            assert!(verified.is_err(), "verified, but not opened: {error}");
            assert_eq!(disk.content(), before, "a log that is refused is not changed");
        }
    }
}

fn options() -> Options {
    Options { segment_size: 4096, ..Options::default() }
}

fn encode(command: &Command) -> Vec<u8> {
    let mut bytes = Vec::new();
    command.serialize(&mut bytes).expect("memory takes all");
    bytes
}

fn read_all(disk: &Disk) -> Result<Vec<Entry>, JournalError> {
    CommandReader::open(disk.dir(), IDENTITY, Seq(1), None)?.collect()
}

fn check_read(
    made: &MadeLog,
    verified: &Result<RecoveryReport, JournalError>,
    read: &Result<Vec<Entry>, JournalError>,
) {
    match (read, verified) {
        (Ok(entries), Ok(report)) => assert_eq!(entries.len() as u64, report.last_seq.0),
        (Ok(_), Err(error)) => panic!("read, but not verified: {error}"),
        (Err(error), Ok(_)) => {
            assert!(error.to_string().contains("no command that this binary knows"), "{error}");
        }
        (Err(_), Err(_)) => {}
    }
    if made.is_right {
        assert_eq!(read.as_ref().map_or(0, Vec::len), made.entries.len(), "{read:?}");
    }
    assert!(read.is_err() || !(made.is_whole && made.has_uncounted), "an entry is passed over");
    if made.is_whole {
        assert!(verified.is_ok(), "{verified:?}");
    }
    let (true, Ok(entries)) = (made.is_whole && made.is_known, read) else { return };
    for (entry, (time, content)) in entries.iter().zip(&made.entries) {
        assert_eq!(entry.time, Timestamp(*time));
        assert_eq!(encode(&entry.command), *content, "{entry:?} is written in two ways");
    }
}

/// Another entry and a seal: then it is whole.
fn go_on(mut log: CommandLog, disk: &Disk) {
    let last = log.last_seq();
    if last.0 > u64::MAX / 2 {
        // No log gets so far.
        return;
    }
    let mut batch = BatchBuilder::new();
    let command = Command::Acknowledge { by: PartitionId(1), through: 0 };
    batch.push_command(Timestamp(u64::MAX), &command);
    log.append(&mut batch, last, 9).expect("the disk is in order");
    log.seal(9).expect("the disk is in order");
    drop(log);
    let (log, report) = CommandLog::open(disk.dir(), IDENTITY, options()).expect("it was sealed");
    assert_eq!((log.last_seq(), report.last_seq), (last.next(), last.next()));
    assert!(report.sealed && report.torn.is_none(), "{report:?}");
}
