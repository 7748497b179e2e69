//! A connection to the streams: what its client asks.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::Value;
use types::Seq;
use websocket::SocketReader;

use super::control::{self, Control, Refusal};
use super::link::{Heard, Link};
use super::payload::{EventStreamTerminated, ServerShutdown, slot};
use super::place::{self, Frame, Place};
use crate::binance::render::TimeUnit;
use crate::limits::Source;
use crate::state::Shared;
use crate::ws::close::End;
use crate::ws::connection::say_goodbye;
use crate::ws::outbox::Out;
use crate::ws::rate::TokenBucket;
use crate::ws::ring::Conflation;
use crate::ws::writer::write_messages;

/// Names that a connection may remember of streams that there are not: clients have some, and have them listed,
/// but nobody needs many.
pub(super) const MOST_UNKNOWN: usize = 64;

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
    link: Link,
    source: Source,
    /// The streams that are subscribed.
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    all: Vec<String>,
    /// Those of accounts among them.
    listen_keys: Vec<String>,
    /// Those among them that there are not.
    unknown: HashSet<String>,
}

/// How many of these names are no stream's.
pub(super) fn count_unknown(shared: &Shared, names: &[String]) -> usize {
    let now = shared.exchange.now();
    let key = |name: &str| shared.listen_keys.find(name, now);
    let is_unknown = |name: &&String| !place::is_stream(shared, name) && key(name).is_none();
    names.iter().filter(is_unknown).count()
}

/// Serves a connection to its end.
pub(super) async fn serve(
    socket: websocket::Connection,
    shared: Arc<Shared>,
    wish: Wish,
    source: Source,
) {
    let link = Link::new(shared, wish.unit, wish.combined);
    let connection = Connection { link, source, names: Mutex::default() };
    let shared = &connection.link.shared;
    let (metrics, stall) = (&shared.metrics, shared.config.limits.socket_stall);
    metrics.sockets.fetch_add(1, Ordering::Relaxed);
    let (mut reader, mut writer) = socket;
    let outbox = &connection.link.outbox;
    let (announce, look) = (|| connection.announce_end(), || connection.end_listen_keys());
    let end = tokio::select! {
        end = write_messages(&mut writer, outbox, stall, &metrics.socket_messages) => end,
        end = read(&mut reader, &connection, wish.names) => end,
        end = connection.link.watch(announce, look) => end,
    };
    say_goodbye((reader, writer), &end, metrics).await;
    metrics.sockets.fetch_sub(1, Ordering::Relaxed);
}

/// Takes requests until the connection ends.
async fn read(reader: &mut SocketReader, connection: &Connection, names: Vec<String>) -> End {
    let link = &connection.link;
    let rate = link.shared.config.limits.stream_rate;
    let mut pace = TokenBucket::new(rate.into(), rate, Instant::now());
    let subscriptions = connection.subscribe(names).await;
    let (texts, permits) = (Vec::new(), Vec::new());
    link.outbox.push(Out::Subscribed { texts, subscriptions, permits });
    let closing = link.shared.closing.clone();
    loop {
        let has_room = link.outbox.has_room();
        tokio::select! {
            () = closing.cancelled() => break,
            () = link.outbox.room(), if !has_room => {}
            message = reader.next(), if has_room => {
                let message = match link.heard(message, &mut pace) {
                    Ok(message) => message,
                    Err(end) => return end,
                };
                match message {
                    Some(Heard::Text(text)) => link.outbox.push(connection.perform(&text).await),
                    Some(Heard::Binary) => {
                        let refusal = Refusal::invalid("text is expected");
                        let text = control::failure(&Value::Null, &refusal);
                        link.outbox.push(Out::Text(text));
                    }
                    None => {}
                }
            }
        }
    }
    connection.announce_end();
    link.outbox.push(Out::Finish);
    // The writer ends the connection when all is sent.
    std::future::pending().await
}

impl Connection {
    /// Does what is asked.
    async fn perform(&self, text: &str) -> Out<Place> {
        let (id, control) = control::parse(text);
        let is_combined = &self.link.reader.is_combined;
        let text = match control {
            Err(refusal) => control::failure(&id, &refusal),
            Ok(Control::Subscribe(names)) => {
                let new = self.new_names(names);
                if let Err(refusal) = self.check_room(&new) {
                    return Out::Text(control::failure(&id, &refusal));
                }
                let subscriptions = self.subscribe(new).await;
                let (texts, permits) = (vec![control::answer(&id, ())], Vec::new());
                return Out::Subscribed { texts, subscriptions, permits };
            }
            Ok(Control::Unsubscribe(names)) => {
                let names = self.forget(names);
                return Out::Unsubscribed { names, answer: control::answer(&id, ()) };
            }
            Ok(Control::List) => control::answer(&id, &self.names.lock().all),
            Ok(Control::SetCombined(combined)) => {
                is_combined.store(combined, Ordering::Relaxed);
                control::answer(&id, ())
            }
            Ok(Control::GetCombined) => control::answer(&id, self.link.is_combined()),
        };
        Out::Text(text)
    }

    /// Those that are not subscribed yet, each once.
    fn new_names(&self, mut names: Vec<String>) -> Vec<String> {
        let mut seen: HashSet<String> = self.names.lock().all.iter().cloned().collect();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// Whether there is room for so many more.
    fn check_room(&self, new: &[String]) -> Result<(), Refusal> {
        let (shared, names) = (&self.link.shared, self.names.lock());
        let most = shared.config.limits.stream_subscriptions;
        if names.all.len() + new.len() > most {
            let what = format_args!("a connection has at most {most} streams");
            return Err(Refusal::invalid(what));
        }
        if names.unknown.len() + count_unknown(shared, new) > MOST_UNKNOWN {
            let what = format_args!("a connection names at most {MOST_UNKNOWN} unknown streams");
            return Err(Refusal::invalid(what));
        }
        Ok(())
    }

    /// Subscribes to streams, of which none is yet.
    async fn subscribe(&self, names: Vec<String>) -> Vec<Place> {
        let (shared, reader) = (&self.link.shared, &self.link.reader);
        let mut places = Vec::new();
        for name in names {
            match shared.listen_keys.find(&name, self.link.now()) {
                Some(key) => {
                    shared.catch_up.settled().await;
                    let frame = Frame::ListenKey;
                    places.extend(place::of_account(shared, key.account, &name, frame, reader));
                    self.names.lock().listen_keys.push(name.clone());
                }
                None if place::is_stream(shared, &name) => {
                    places.extend(place::of_stream(shared, &name, reader));
                }
                None => _ = self.names.lock().unknown.insert(name.clone()),
            }
            self.names.lock().all.push(name);
        }
        shared.answers.note(self.source);
        places
    }

    /// Gives those that were subscribed.
    fn forget(&self, gone: Vec<String>) -> Vec<String> {
        let mut gone: HashSet<String> = gone.into_iter().collect();
        let mut names = self.names.lock();
        names.listen_keys.retain(|name| !gone.contains(name));
        names.unknown.retain(|name| !gone.contains(name));
        names.all.extract_if(.., |name| gone.remove(name)).collect()
    }

    /// Ends the streams of listen keys that have ended, or whose API key was revoked.
    fn end_listen_keys(&self) {
        let (shared, now) = (&self.link.shared, self.link.now());
        let lives = |name: &String| {
            let key = shared.listen_keys.find(name, now);
            key.is_some_and(|key| shared.auth.is_valid(&key.api_key))
        };
        let mut ended = self.names.lock().listen_keys.clone();
        ended.retain(|name| !lives(name));
        for name in self.forget(ended) {
            let event = EventStreamTerminated::new(self.link.time());
            let slot = slot(&name, Seq(0), &event, Conflation::Never);
            let answer = slot.form(self.link.is_combined()).clone();
            self.link.outbox.push(Out::Unsubscribed { names: vec![name], answer });
        }
    }

    fn announce_end(&self) {
        let notice = ServerShutdown::new(self.link.time());
        let slot = slot("serverShutdown", Seq(0), &notice, Conflation::Never);
        self.link.outbox.push(Out::Text(slot.form(self.link.is_combined()).clone()));
    }
}
