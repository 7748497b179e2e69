//! The projector: rows of the SQL history that are written in a second.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use store::Store;
use types::{Command, EventBatch, PartitionId};
use workload::{OurEngine, Requests, command, founding_commands, workload};

use crate::report::{Report, thread_time};

const COMMANDS: usize = 400_000;
const ACCOUNTS: u32 = 1_000;
/// Entries of a transaction, as in the product when it is behind.
const ENTRIES: usize = 4_096;

/// Projects the events of a session into an empty history on the disk of the project.
pub fn projector(report: &mut Report, folder: &Path) {
    let batches = batches();
    let data = folder.join("projector");
    std::fs::create_dir_all(&data).expect("a writable folder");
    let store = Store::open(&data).expect("a fresh history");
    let mut projector = store.projector();
    let (started, thread_before, mut rows) = (Instant::now(), thread_time(), 0);
    for batch in &batches {
        rows += projector.apply(std::slice::from_ref(batch)).expect("a history").rows;
    }
    let (wall, thread) = (started.elapsed().as_secs_f64(), thread_time() - thread_before);
    let conditions = format!(
        "wall time, SQLite, {COMMANDS} commands of the flow steady, {ENTRIES} entries in a transaction"
    );
    report.add("projector_sqlite_rows_per_s", rows as f64 / wall, "rows/s", &conditions);
    let nanos = thread.as_nanos() as f64 / rows as f64;
    report.add(
        "projector_row_ns",
        nanos,
        "ns",
        "processor time of the projector's thread for each row",
    );
    let each = rows as f64 / COMMANDS as f64;
    report.add("projector_rows_per_command", each, "rows", "inserted or updated");
}

/// What the exchange tells about its founding and a session.
fn batches() -> Vec<Arc<EventBatch>> {
    let session = workload("steady").session(1, COMMANDS);
    let mut requests = Requests::new(ACCOUNTS, false);
    let operations = session.before.iter().chain(&session.timed);
    let mut commands = founding_commands(ACCOUNTS);
    commands.extend(operations.map(|operation| command(requests.of(operation))));
    let (mut engine, mut events) = (OurEngine::default(), Vec::new());
    let batch = |commands: &[Command]| {
        let mut batch = EventBatch::new(PartitionId(0));
        for command in commands {
            engine.apply(command, &mut events);
            batch.push(engine.partition.seq(), engine.time, &mut events);
        }
        Arc::new(batch)
    };
    commands.chunks(ENTRIES).map(batch).collect()
}
