//! `outcry verify`: is a stopped or copied data directory sound?
//!
//! 1. The command log of each partition: every record, its hash and its link to the one before.
//! 2. Replay: state and events at each snapshot, and from each snapshot to the same end.
//! 3. The event log: equal to the events that the replay gives, as far as it is kept.
//! 4. Over all partitions: value is conserved, holds and orders agree one by one, no book is crossed.
//! 5. The SQL history: its ledger entries sum to what the events up to its cursor say, and every row is
//!    what a projection of these events gives.
//!
//! Logs and snapshots are read only; the history is opened as the exchange opens it, so that SQLite
//! may fold its write-ahead log into the file. The projection is made in the system's temporary
//! folder. Memory is bounded by the state, not by the log.

mod event_log;
mod history;
mod partition;
mod postings;
mod report;
mod rows;

use std::fs::File;
use std::io;

use engine::{Partition, audit};
use node::DataDir;
use rustix::fs::{FlockOperation, flock};
use types::PartitionId;

use crate::cli::VerifyArgs;
use crate::exit::{Failure, Status};
use crate::record::{Source, open, refusal};
use history::History;
use postings::Postings;
use report::Report;
use rows::Rows;

/// Runs every check and prints how each ended; `Differs` when the directory is damaged.
///
/// # Errors
/// When another process has the directory, or it holds no exchange.
pub fn run(args: &VerifyArgs) -> Result<Status, Failure> {
    let data = open(&args.data)?;
    let _lock = lock(&data)?;
    let mut report = Report::new(args.json);
    let founded = data.founding().map_err(refusal)?.and_then(|founding| founding.partitions);
    let ids = partitions(&data, founded, &mut report)?;
    let history = History::open(data.path());
    let mut postings = Postings::new(history.cursors(&ids));
    let mut rows = Rows::new(history.cursors(&ids));
    let mut partitions = Vec::new();
    for &id in &ids {
        if !data.commands(id).is_dir() {
            let text = format!("{} is missing", data.commands(id).display());
            report.add(Some(id), "command log", Err(text));
            continue;
        }
        let source = Source::new(&data, id)?;
        let (postings, rows) = (&mut postings, &mut rows);
        let state = partition::check(&source, founded.is_some(), postings, rows, &mut report);
        partitions.extend(state);
    }
    check_all(&ids, &partitions, &postings, &mut report);
    let ends = partitions.iter().map(|partition| (partition.id(), partition.seq()));
    history.check(&ids, &ends.collect(), &postings, rows, &mut report);
    report.finish();
    Ok(if report.is_sound() { Status::Ok } else { Status::Differs })
}

/// The partitions that the exchange has, or those that are here if it was not founded to the end.
/// Directories of others are reported.
fn partitions(
    data: &DataDir,
    founded: Option<u16>,
    report: &mut Report,
) -> Result<Vec<PartitionId>, Failure> {
    let present = data.partitions().map_err(refusal)?;
    let Some(count) = founded else { return Ok(present) };
    for id in present.into_iter().filter(|id| id.0 >= count) {
        let text = format!("p{id} is here, the exchange has {count} partitions");
        report.add(None, "partitions", Err(text));
    }
    Ok((0..count).map(PartitionId).collect())
}

/// Keeps an exchange from starting meanwhile. A copy may have no such file, and needs none.
fn lock(data: &DataDir) -> Result<Option<File>, Failure> {
    let path = data.path().join("LOCK");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("cannot open {}: {error}", path.display());
            return Err(Failure::new(Status::Io, message));
        }
    };
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let pid = std::fs::read_to_string(&path).unwrap_or_default();
        let (data, pid) = (data.path().display(), pid.trim());
        let message = format!("{data} is in use by process {pid}: stop it, or verify a copy");
        return Err(Failure::new(Status::CannotCreate, message));
    }
    Ok(Some(file))
}

/// What can be said only of all partitions together.
fn check_all(
    ids: &[PartitionId],
    partitions: &[Partition],
    postings: &Postings,
    report: &mut Report,
) {
    const AUDIT: &str = "money and books";
    const BALANCES: &str = "events against balances";
    let topology = partitions.first().and_then(Partition::topology);
    let expected = topology.map_or(ids.len(), |topology| usize::from(topology.partitions));
    if ids.len() != expected {
        let text = format!("{} partitions are here, the exchange has {expected}", ids.len());
        report.add(None, "partitions", Err(text));
    }
    if partitions.len() != expected {
        report.skip(None, AUDIT, "not every partition could be replayed");
        return;
    }
    let states: Vec<&Partition> = partitions.iter().collect();
    let audit = audit(&states);
    let assets = states[0].definitions().assets().count();
    let orders = audit.open_orders;
    report.add(None, AUDIT, match audit.violations.as_slice() {
        [] if audit.quiet => Ok(format!(
            "{assets} assets conserved, {orders} open orders with exactly their holds, no book crossed"
        )),
        [] => Ok(format!(
            "{assets} assets conserved, no book crossed; messages are under way, so that holds \
             were not compared with orders one by one"
        )),
        violations => Err(violations.join("; ")),
    });
    if !postings.is_complete() {
        report.skip(None, BALANCES, "the first entries of a log are not kept any more");
    } else if audit.quiet {
        report.add(None, BALANCES, postings.compare_with(&states));
    } else {
        report.skip(None, BALANCES, "messages are under way");
    }
}
