//! SIGTERM and SIGINT: the first stops in order, the second at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::{Failure, Status};

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
        either(&mut terminate, &mut interrupt).await;
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
