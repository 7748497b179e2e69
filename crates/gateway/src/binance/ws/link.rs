//! What every connection of the dialect has: an outbox, a pulse, and an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;
use types::Timestamp;
use websocket::{Incoming, ReadError};

use super::place::{Place, Reader};
use crate::binance::render::{Time, TimeUnit};
use crate::state::Shared;
use crate::ws::close::End;
use crate::ws::connection::{Pulse, read_error};
use crate::ws::outbox::{Out, Outbox};
use crate::ws::rate::TokenBucket;

/// Bytes of a client's message: names of as many streams as it may have.
pub(super) const MESSAGE: usize = 64 << 10;
/// How long before its end by age a connection is told, and the most that this is of its life.
const NOTICE: Duration = Duration::from_secs(600);
const NOTICE_SHARE: u32 = 10;

/// A message that is not about the connection itself.
pub(super) enum Heard {
    Text(String),
    /// What nobody here understands.
    Binary,
}

/// The server's end of a connection.
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    pub(super) outbox: Outbox<Place>,
    pub(super) pulse: Pulse,
    pub(super) reader: Reader,
}

impl Link {
    /// Of a client that wants times in this unit and, or not, the names of streams around their messages.
    pub(super) fn new(shared: Arc<Shared>, unit: TimeUnit, combined: bool) -> Self {
        let outbox = Outbox::new(shared.config.limits.socket_pending);
        let bell = Arc::clone(&outbox.bell);
        let reader = Reader { unit, is_combined: Arc::new(AtomicBool::new(combined)), bell };
        Self { shared, outbox, pulse: Pulse::new(), reader }
    }

    /// Asks from time to time whether the client is there, and ends what has become too old. Each time, and
    /// when a key is revoked, `look` is called; `announce` when the end is near.
    pub(super) async fn watch(&self, announce: impl Fn(), look: impl Fn()) -> End {
        let limits = &self.shared.config.limits;
        let life = limits.stream_life;
        let notice = NOTICE.min(life / NOTICE_SHARE);
        let aged = async {
            sleep(life.saturating_sub(notice)).await;
            announce();
            sleep(notice).await;
            self.outbox.push(Out::Finish);
            // The writer ends the connection when all is sent.
            std::future::pending::<()>().await;
        };
        let mut aged = std::pin::pin!(aged);
        let mut ticks = Pulse::ticks(limits.socket_silence);
        let mut revocations = self.shared.auth.revocations();
        loop {
            // Looked at after the subscription: a revocation is either seen here or told of there.
            look();
            tokio::select! {
                () = &mut aged => {}
                Ok(()) = revocations.changed() => {}
                _ = ticks.tick() => {
                    if self.pulse.silence() > limits.socket_silence {
                        return End::Silent;
                    }
                    self.outbox.push(Out::Ping);
                }
            }
        }
    }

    /// A message off the wire, or why there are no more; nothing for what is answered here.
    pub(super) fn heard(
        &self,
        message: Option<Result<Incoming, ReadError>>,
        pace: &mut TokenBucket,
    ) -> Result<Option<Heard>, End> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(read_error(error, MESSAGE)),
            None => return Err(End::Gone),
        };
        self.pulse.heard();
        if !pace.take(1, Instant::now()) {
            return Err(End::Flood);
        }
        match message {
            Incoming::Text(text) => Ok(Some(Heard::Text(text))),
            Incoming::Binary(_) => Ok(Some(Heard::Binary)),
            Incoming::Ping(content) => {
                self.outbox.push(Out::Pong(content));
                Ok(None)
            }
            Incoming::Pong(_) => Ok(None),
            Incoming::Close(frame) => Err(End::Closed(frame.map(|frame| frame.code))),
        }
    }

    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        self.shared.exchange.now()
    }

    /// Now, as the client wants it.
    pub(super) fn time(&self) -> Time {
        self.reader.unit.show(self.now())
    }

    /// Whether names of streams are around their messages.
    pub(super) fn is_combined(&self) -> bool {
        self.reader.is_combined.load(Ordering::Relaxed)
    }
}
