//! `outcry inspect`: prints a partition's log for people, entry by entry with its events.
//!
//! Events are derived by replay from the newest snapshot before the range, so they are shown also
//! where the event log does not keep them. Reads only, and may run beside the exchange.

use std::io::{self, Write};
use std::ops::ControlFlow;

use serde_json::{Value, json};
use types::Seq;

use crate::cli::InspectArgs;
use crate::exit::{Failure, Status};
use crate::record::{Names, Source, Visit, command_line, event_line, failure, open, rfc3339};

/// Prints the entries of the asked range.
///
/// # Errors
/// When there is no such partition or range, or the log is damaged.
pub fn run(args: &InspectArgs) -> Result<Status, Failure> {
    let from = args.from.max(Seq(1));
    let until = args.to.unwrap_or(Seq(u64::MAX));
    if until < from {
        let message = format!("--from {from} lies after --to {until}");
        return Err(Failure::new(Status::Usage, message));
    }
    let source = Source::new(&open(&args.data)?, args.partition)?;
    let mut state = source.state_up_to(Seq(from.0 - 1))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    let show = |visit: &Visit<'_>| {
        let seq = visit.entry.seq;
        if seq >= from && seq <= until {
            written = if args.json { write_json(&mut out, visit) } else { write(&mut out, visit) };
        }
        let is_done = seq >= until || written.is_err();
        if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let read = source.visit(&mut state, show);
    written.and_then(|()| out.flush()).or_else(ignore_closed_pipe)?;
    read.map_err(failure)?;
    if state.seq() < from {
        let message = format!("the log ends with entry {}", state.seq());
        return Err(Failure::new(Status::Differs, message));
    }
    Ok(Status::Ok)
}

/// The entry in a line, its events below it.
fn write(out: &mut impl Write, visit: &Visit<'_>) -> io::Result<()> {
    let names = Names(visit.state.definitions());
    let (seq, time) = (visit.entry.seq, rfc3339(visit.entry.time));
    let command = command_line(names, &visit.entry.command);
    writeln!(out, "{seq} {time} term {} {command}", visit.state.term())?;
    for event in visit.events {
        writeln!(out, "    {}", event_line(names, event))?;
    }
    Ok(())
}

/// The same as one JSON object.
fn write_json(out: &mut impl Write, visit: &Visit<'_>) -> io::Result<()> {
    let names = Names(visit.state.definitions());
    let events = visit.events.iter().map(|event| event_line(names, event).json());
    let object = json!({
        "partition": visit.state.id().0,
        "seq": visit.entry.seq.0,
        "time": rfc3339(visit.entry.time),
        "term": visit.state.term(),
        "command": command_line(names, &visit.entry.command).json(),
        "events": events.collect::<Vec<Value>>(),
    });
    writeln!(out, "{object}")
}

/// Whoever reads may have seen enough.
fn ignore_closed_pipe(error: io::Error) -> Result<(), Failure> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::new(Status::Io, format_args!("cannot print: {error}"))),
    }
}
