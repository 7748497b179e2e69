//! One connection: its two halves, its pulse, and its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval_at, timeout};
use websocket::{ReadError, Violation};

use super::channel_name::ChannelName;
use super::close::End;
use super::outbox::{Out, Outbox};
use super::reader::read_requests;
use super::session::Session;
use super::subscription::Subscription;
use super::writer::write_messages;
use crate::http::metrics::Metrics;
use crate::limits::Source;
use crate::state::Shared;

/// Pings that a client may leave unanswered.
const PINGS: u32 = 3;
/// How long a goodbye may take to send.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the client has to answer it.
const LINGER: Duration = Duration::from_millis(250);

/// What the halves of a connection share.
pub struct Connection {
    /// The gateway's.
    pub shared: Arc<Shared>,
    /// Where the client is.
    pub(crate) source: Source,
    /// From the reader to the writer.
    pub outbox: Outbox<Subscription>,
    /// Who is logged in.
    pub session: Session,
    /// Subscribed channels; false while a subscription is being made.
    pub channels: Mutex<HashMap<ChannelName, bool>>,
    /// When the client was heard last.
    pub pulse: Pulse,
}

/// When the client of a connection was heard last.
pub struct Pulse {
    began: Instant,
    /// In milliseconds since `began`.
    heard: AtomicU64,
}

impl Pulse {
    /// Of a client that was heard just now.
    #[must_use]
    pub fn new() -> Self {
        Self { began: Instant::now(), heard: AtomicU64::new(0) }
    }

    /// The client is alive.
    pub fn heard(&self) {
        self.heard.store(self.began.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// For how long nothing was heard.
    #[must_use]
    pub fn silence(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(heard)
    }

    /// Ticks as often as a client is pinged that may be silent for so long.
    #[must_use]
    pub fn ticks(silence: Duration) -> Interval {
        let mut ticks = interval_at((Instant::now() + silence / PINGS).into(), silence / PINGS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }
}

/// What a failed read means, where messages have at most `limit` bytes.
#[must_use]
pub fn read_error(error: ReadError, limit: usize) -> End {
    match error {
        ReadError::Violation(Violation::TooBig) => End::TooBig { limit },
        ReadError::Violation(violation) => End::Violation(violation),
        ReadError::Io(_) => End::Gone,
    }
}

impl Connection {
    fn new(shared: Arc<Shared>, source: Source) -> Self {
        Self {
            source,
            outbox: Outbox::new(shared.config.limits.socket_pending),
            shared,
            session: Session::default(),
            channels: Mutex::default(),
            pulse: Pulse::new(),
        }
    }

    /// Asks from time to time whether the client is there; ends at once when its key is revoked.
    async fn watch_pulse(&self) -> End {
        let silence = self.shared.config.limits.socket_silence;
        let mut ticks = Pulse::ticks(silence);
        let mut revocations = self.shared.auth.revocations();
        loop {
            // Looked at after the subscription: a revocation is either seen here or told of there.
            if self.session.is_revoked(&self.shared) {
                return End::Revoked;
            }
            tokio::select! {
                Ok(()) = revocations.changed() => {}
                _ = ticks.tick() => {
                    if self.pulse.silence() > silence {
                        return End::Silent;
                    }
                    self.outbox.push(Out::Ping);
                }
            }
        }
    }
}

/// Serves a connection to its end.
pub async fn serve(socket: websocket::Connection, shared: Arc<Shared>, source: Source) {
    let connection = Connection::new(shared, source);
    let (metrics, stall) =
        (&connection.shared.metrics, connection.shared.config.limits.socket_stall);
    metrics.sockets.fetch_add(1, Ordering::Relaxed);
    let (mut reader, mut writer) = socket;
    let end = tokio::select! {
        end = write_messages(&mut writer, &connection.outbox, stall, &metrics.socket_messages) => end,
        end = read_requests(&mut reader, &connection) => end,
        end = connection.watch_pulse() => end,
    };
    say_goodbye((reader, writer), &end, metrics).await;
    metrics.sockets.fetch_sub(1, Ordering::Relaxed);
}

/// Sends the close frame, if the client listens. What it sends meanwhile is thrown away until it
/// answers: a socket that is closed with unread bytes would take the frame back.
pub async fn say_goodbye(
    (mut reader, mut writer): websocket::Connection,
    end: &End,
    metrics: &Metrics,
) {
    if matches!(end, End::SlowReader { .. } | End::Behind { .. }) {
        metrics.sockets_cut.fetch_add(1, Ordering::Relaxed);
    }
    tracing::debug!(?end, "a socket ends");
    let Some(frame) = end.frame() else {
        return;
    };
    let goodbye = timeout(FAREWELL, writer.close(Some(&frame))).await;
    if matches!(goodbye, Ok(Ok(()))) {
        let left = async {
            // Nothing is heard of one that has closed already, or is not understood any more.
            while let Some(Ok(_)) = reader.next().await {}
            let _ = writer.shutdown().await;
            reader.drain().await;
        };
        let _ = timeout(LINGER, left).await;
    }
}
