//! What the simulator found about files, as small as it gets: the journal alone on a disk that loses
//! what was not synced.

use std::path::Path;
use std::sync::Arc;

use chance::Random;
use journal::{BatchBuilder, CommandLog, Dir, Identity, JournalError, Options};
use sim::clock::SimClock;
use sim::disk::SimDisk;
use types::{Command, PartitionId, Seq, Timestamp};

const IDENTITY: Identity = Identity { cluster: 1, partition: PartitionId(0) };

fn disk(seed: u64) -> SimDisk {
    SimDisk::new(Random::new(seed), SimClock::new(Timestamp(1)), Path::new("/data"))
}

fn open(disk: &SimDisk) -> Result<CommandLog, JournalError> {
    let dir = Dir::new(Arc::new(disk.clone()), "/data/commands");
    let options = Options { segment_size: 4096, ..Options::default() };
    CommandLog::open(dir, IDENTITY, options).map(|(log, _)| log)
}

/// Appends an entry and syncs it: it is acknowledged.
fn acknowledge(log: &mut CommandLog) -> Result<Seq, JournalError> {
    let mut batch = BatchBuilder::new();
    batch.push_command(Timestamp(1), &Command::NewTerm { term: log.last_seq().0 });
    let acked = log.last_seq();
    log.append(&mut batch, acked, 1)?;
    log.sync()?;
    Ok(log.last_seq())
}

#[test]
fn a_log_that_was_just_founded_survives_a_loss_of_power() {
    for seed in 0..20 {
        let disk = disk(seed);
        let last = acknowledge(&mut open(&disk).unwrap()).unwrap();
        disk.power_loss();
        assert_eq!(open(&disk).unwrap().last_seq(), last, "seed {seed}");
    }
}

/// A life that ends by `plan`, one that acknowledges a little, then a loss of power.
fn survives(seed: u64, plan: impl FnOnce(&SimDisk)) {
    let disk = disk(seed);
    let mut log = open(&disk).unwrap();
    plan(&disk);
    let mut last = Seq(0);
    while let Ok(acknowledged) = acknowledge(&mut log) {
        last = acknowledged;
    }
    drop(log);
    disk.revive();
    let mut log = open(&disk).unwrap();
    assert!(log.last_seq() >= last, "seed {seed}");
    let last = acknowledge(&mut log).unwrap();
    drop(log);
    disk.power_loss();
    assert_eq!(open(&disk).unwrap().last_seq(), last, "seed {seed}");
}

#[test]
fn what_is_acknowledged_after_a_failed_sync_and_a_new_start_survives_a_loss_of_power() {
    for seed in 0..100 {
        survives(seed, |disk| disk.plan(|plan| plan.fail_sync_in = Some(seed % 50)));
    }
}

#[test]
fn what_is_acknowledged_after_a_kill_at_any_operation_survives_a_loss_of_power() {
    for seed in 0..200 {
        survives(seed, |disk| disk.plan(|plan| plan.crash_in = Some(seed)));
    }
}
