//! The paths. What comes before an operation, such as making its request, is not in [`measured`].

use journal::BatchBuilder;
use types::{Command, Event, Timestamp};
use workload::{Operation, OurBook, OurEngine, Requests, Session, command, workload};

/// Operations that are counted.
pub const COUNTED: usize = 50_000;
/// Operations before that, until tables and buffers have their size.
const WARM_UP: usize = 20_000;

const ACCOUNTS: u32 = 1_000;
/// Entries that share a record of the event log when the exchange is busy.
const ENTRIES_OF_A_BATCH: usize = 256;

/// What each path is called.
pub const NAMES: [&str; 3] = ["book", "engine", "event_encoding"];

/// The function that callgrind counts in.
#[inline(never)]
fn measured(work: impl FnOnce()) {
    work();
}

/// Plays the path of this name.
pub fn play(name: &str) -> Result<(), String> {
    let session = workload("steady").session(1, WARM_UP + COUNTED);
    match name {
        "book" => book(&session),
        "engine" => engine(&session),
        "event_encoding" => event_encoding(&session),
        _ => return Err(format!("no path {name:?}; there are {}", NAMES.join(", "))),
    }
    Ok(())
}

/// One market with its rules, all events and messages out, its fills read.
fn book(session: &Session) {
    let (mut book, mut number, mut lots) = (OurBook::default(), 0, 0);
    let (warm_up, counted) = session.timed.split_at(WARM_UP);
    let mut run = |operations: &[Operation]| {
        for operation in operations {
            number += u64::from(operation.is_order());
            book.apply(number, operation, &mut |fill| lots += fill.lots);
        }
    };
    run(&session.before);
    run(warm_up);
    measured(|| run(counted));
    assert!(lots > 0, "something traded");
}

/// Ledger, book and events in one partition.
fn engine(session: &Session) {
    let (mut engine, commands) = warmed_up(session);
    let mut events = Vec::new();
    measured(|| {
        for command in &commands {
            events.clear();
            engine.apply(command, &mut events);
        }
    });
    assert!(!events.is_empty(), "every command has an event");
}

/// The events of entries, as records of the event log.
fn event_encoding(session: &Session) {
    let (mut engine, commands) = warmed_up(session);
    let entries: Vec<(Timestamp, Vec<Event>)> = commands
        .iter()
        .map(|command| {
            let mut events = Vec::new();
            engine.apply(command, &mut events);
            (engine.time, events)
        })
        .collect();
    let mut batch = BatchBuilder::new();
    measured(|| {
        for entries in entries.chunks(ENTRIES_OF_A_BATCH) {
            batch.clear();
            for (time, events) in entries {
                batch.push_events(*time, events);
            }
        }
    });
    assert!(!batch.is_empty(), "something was encoded");
}

/// Plays what is not counted; gives the commands that are.
fn warmed_up(session: &Session) -> (OurEngine, Vec<Command>) {
    let mut engine = OurEngine::founded(ACCOUNTS);
    let mut requests = Requests::new(ACCOUNTS, false);
    let (warm_up, counted) = session.timed.split_at(WARM_UP);
    let mut events = Vec::new();
    for operation in session.before.iter().chain(warm_up) {
        events.clear();
        engine.apply(&command(requests.of(operation)), &mut events);
        let refused = events.iter().any(|event| matches!(event, Event::Rejected { .. }));
        assert!(!refused, "{operation:?}: {events:?}");
    }
    let commands = counted.iter().map(|operation| command(requests.of(operation))).collect();
    (engine, commands)
}
