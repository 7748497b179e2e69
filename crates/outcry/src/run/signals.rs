//! SIGTERM and SIGINT: the first stops in order, a later one at once.

use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::{Failure, Status};

/// Signals this close together are one.
const SAME_SIGNAL: Duration = Duration::from_secs(1);

/// What a shell calls a process that was interrupted.
const FORCED: i32 = 130;

/// Cancels `shutdown` at the first signal, and ends the process at the second.
pub fn listen(shutdown: CancellationToken) -> Result<(), Failure> {
    let mut terminate = open(SignalKind::terminate())?;
    let mut interrupt = open(SignalKind::interrupt())?;
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        tracing::info!("told to stop; a second signal forces it");
        shutdown.cancel();
        // A shell or a supervisor may send the first one twice, to the process and to its group.
        let first = Instant::now();
        while first.elapsed() < SAME_SIGNAL {
            either(&mut terminate, &mut interrupt).await;
        }
        tracing::warn!("stopped by force");
        std::process::exit(FORCED);
    });
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn open(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(Failure::of(Status::Io, "cannot listen for signals"))
}
