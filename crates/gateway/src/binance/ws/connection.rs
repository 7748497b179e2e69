//! A connection to the streams: what its client asks, its pulse, and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use serde_json::Value;
use tokio::time::sleep;
use types::Seq;

use super::control::{self, Control, Refusal};
use super::payload::{ServerShutdown, slot};
use super::place::{self, Place, Reader};
use crate::binance::render::TimeUnit;
use crate::state::Shared;
use crate::ws::close::End;
use crate::ws::connection::{Pulse, read_error, say_goodbye};
use crate::ws::outbox::{Out, Outbox};
use crate::ws::rate::TokenBucket;
use crate::ws::ring::Conflation;
use crate::ws::writer::write_messages;

/// Bytes of a client's message: names of as many streams as it may have.
pub(super) const MESSAGE: usize = 64 << 10;
/// How long before its end by age a connection is told, and the most that this is of its life.
const NOTICE: Duration = Duration::from_secs(600);
const NOTICE_SHARE: u32 = 10;

/// What a client asks for when it connects.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The streams that the path names.
    pub(super) names: Vec<String>,
    /// Whether their names are around the messages.
    pub(super) combined: bool,
    /// Of times.
    pub(super) unit: TimeUnit,
}

struct Connection {
    shared: Arc<Shared>,
    outbox: Outbox<Place>,
    pulse: Pulse,
    reader: Reader,
}

/// Serves a connection to its end.
pub(super) async fn serve(socket: WebSocket, shared: Arc<Shared>, wish: Wish) {
    let outbox = Outbox::new(shared.config.limits.socket_pending);
    let reader = Reader {
        unit: wish.unit,
        is_combined: Arc::new(AtomicBool::new(wish.combined)),
        bell: Arc::clone(&outbox.bell),
    };
    let connection = Connection { shared, outbox, pulse: Pulse::new(), reader };
    let (metrics, stall) =
        (&connection.shared.metrics, connection.shared.config.limits.socket_stall);
    metrics.sockets.fetch_add(1, Ordering::Relaxed);
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        end = write_messages(&mut sink, &connection.outbox, stall, &metrics.socket_messages) => end,
        end = read(&mut stream, &connection, wish.names) => end,
        end = connection.watch() => end,
    };
    say_goodbye(sink, stream, &end, metrics).await;
    metrics.sockets.fetch_sub(1, Ordering::Relaxed);
}

impl Connection {
    /// Asks from time to time whether the client is there, and ends what has become too old.
    async fn watch(&self) -> End {
        let limits = &self.shared.config.limits;
        let life = limits.stream_life;
        let notice = NOTICE.min(life / NOTICE_SHARE);
        let mut ticks = Pulse::ticks(limits.socket_silence);
        let aged = async {
            sleep(life.saturating_sub(notice)).await;
            self.announce_end();
            sleep(notice).await;
            self.outbox.push(Out::Finish);
        };
        let mut aged = std::pin::pin!(aged);
        let mut is_old = false;
        loop {
            tokio::select! {
                () = &mut aged, if !is_old => is_old = true,
                _ = ticks.tick() => {
                    if self.pulse.silence() > limits.socket_silence {
                        return End::Silent;
                    }
                    self.outbox.push(Out::Ping);
                }
            }
        }
    }

    fn announce_end(&self) {
        let time = self.reader.unit.show(self.shared.exchange.now());
        let notice = slot("serverShutdown", Seq(0), &ServerShutdown::new(time), Conflation::Never);
        let is_combined = self.reader.is_combined.load(Ordering::Relaxed);
        self.outbox.push(Out::Text(notice.form(is_combined).clone()));
    }
}

/// Takes requests until the connection ends.
async fn read(
    stream: &mut SplitStream<WebSocket>,
    connection: &Connection,
    mut names: Vec<String>,
) -> End {
    let limits = &connection.shared.config.limits;
    let rate = limits.stream_rate;
    let mut pace = TokenBucket::new(rate.into(), rate, Instant::now());
    let subscriptions = connection.places(&names);
    connection.outbox.push(Out::Subscribed {
        texts: Vec::new(),
        subscriptions,
        permits: Vec::new(),
    });
    let closing = connection.shared.closing.clone();
    loop {
        let has_room = connection.outbox.has_room();
        tokio::select! {
            () = closing.cancelled() => break,
            () = connection.outbox.room(), if !has_room => {}
            message = stream.next(), if has_room => {
                let message = match message {
                    Some(Ok(message)) => message,
                    Some(Err(error)) => return read_error(&error, MESSAGE),
                    None => return End::Gone,
                };
                connection.pulse.heard();
                if !pace.take(Instant::now()) {
                    return End::Flood;
                }
                match message {
                    Message::Text(text) => {
                        let out = perform(connection, &mut names, &text);
                        connection.outbox.push(out);
                    }
                    Message::Binary(_) => {
                        let refusal = Refusal::invalid("text is expected");
                        let text = control::failure(&Value::Null, &refusal);
                        connection.outbox.push(Out::Text(text));
                    }
                    Message::Ping(_) | Message::Pong(_) => {}
                    Message::Close(_) => return End::Gone,
                }
            }
        }
    }
    connection.announce_end();
    connection.outbox.push(Out::Finish);
    // The writer ends the connection when all is sent.
    std::future::pending().await
}

impl Connection {
    fn places(&self, names: &[String]) -> Vec<Place> {
        let places = |name: &String| place::places(&self.shared, name, &self.reader);
        names.iter().flat_map(places).collect()
    }
}

/// Does what is asked; `names` are the streams that are subscribed.
fn perform(connection: &Connection, names: &mut Vec<String>, text: &str) -> Out<Place> {
    let (id, control) = control::parse(text);
    let is_combined = &connection.reader.is_combined;
    let text = match control {
        Err(refusal) => control::failure(&id, &refusal),
        Ok(Control::Subscribe(mut new)) => {
            let mut seen = std::collections::HashSet::new();
            new.retain(|name| !names.contains(name) && seen.insert(name.clone()));
            let most = connection.shared.config.limits.stream_subscriptions;
            if names.len() + new.len() > most {
                let what = format_args!("a connection has at most {most} streams");
                return Out::Text(control::failure(&id, &Refusal::invalid(what)));
            }
            let subscriptions = connection.places(&new);
            names.extend(new);
            let texts = vec![control::answer(&id, ())];
            return Out::Subscribed { texts, subscriptions, permits: Vec::new() };
        }
        Ok(Control::Unsubscribe(gone)) => {
            names.retain(|name| !gone.contains(name));
            return Out::Unsubscribed { names: gone, answer: control::answer(&id, ()) };
        }
        Ok(Control::List) => control::answer(&id, &*names),
        Ok(Control::SetCombined(combined)) => {
            is_combined.store(combined, Ordering::Relaxed);
            control::answer(&id, ())
        }
        Ok(Control::GetCombined) => control::answer(&id, is_combined.load(Ordering::Relaxed)),
    };
    Out::Text(text)
}
