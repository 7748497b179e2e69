//! A connection to the WebSocket API: takes requests, of which several may be under way at the same time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use types::Timestamp;
use websocket::SocketReader;

use super::super::link::{Heard, Link};
use super::super::payload::{EventStreamTerminated, ServerShutdown};
use super::session::Session;
use super::{answer, call, request};
use crate::binance::error::Error;
use crate::binance::limits::Source;
use crate::binance::render::TimeUnit;
use crate::state::Shared;
use crate::ws::close::End;
use crate::ws::connection::say_goodbye;
use crate::ws::outbox::Out;
use crate::ws::rate::TokenBucket;
use crate::ws::writer::write_messages;

/// What a connection costs.
pub(in crate::binance::ws) const WEIGHT: u32 = 2;

/// What a client asks for when it connects.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::binance::ws) struct Wish {
    /// Of times.
    pub(in crate::binance::ws) unit: TimeUnit,
    /// Whether answers tell the limits.
    pub(in crate::binance::ws) limits: bool,
}

pub(super) struct Connection {
    pub(super) link: Link,
    pub(super) session: Session,
    /// Who is charged for what is asked.
    pub(super) source: Source,
    pub(super) since: Timestamp,
    /// Whether answers tell the limits unless a request says otherwise.
    pub(super) tells_limits: bool,
}

type InFlight<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>;

/// Serves a connection to its end.
pub(in crate::binance::ws) async fn serve(
    socket: websocket::Connection,
    shared: Arc<Shared>,
    wish: Wish,
    source: Source,
) {
    let since = shared.exchange.now();
    let link = Link::new(shared, wish.unit, false);
    let session = Session::default();
    let connection = Connection { link, session, source, since, tells_limits: wish.limits };
    let shared = &connection.link.shared;
    let (metrics, stall) = (&shared.metrics, shared.config.limits.socket_stall);
    metrics.sockets.fetch_add(1, Ordering::Relaxed);
    let (mut reader, mut writer) = socket;
    let outbox = &connection.link.outbox;
    let (announce, look) = (|| connection.announce_end(), || connection.end_revoked());
    let end = tokio::select! {
        end = write_messages(&mut writer, outbox, stall, &metrics.socket_messages) => end,
        end = read(&mut reader, &connection) => end,
        end = connection.link.watch(announce, look) => end,
    };
    say_goodbye((reader, writer), &end, metrics).await;
    metrics.sockets.fetch_sub(1, Ordering::Relaxed);
}

/// Takes requests until the connection ends.
async fn read(reader: &mut SocketReader, connection: &Connection) -> End {
    let link = &connection.link;
    let limits = &link.shared.config.limits;
    let mut in_flight = InFlight::new();
    let mut pace = TokenBucket::new(limits.socket_rate.into(), limits.socket_burst, Instant::now());
    let closing = link.shared.closing.clone();
    loop {
        let has_room = link.outbox.has_room();
        let may_read = has_room && in_flight.len() < limits.socket_pending;
        tokio::select! {
            () = closing.cancelled() => break,
            Some(()) = in_flight.next() => {}
            () = link.outbox.room(), if !has_room => {}
            message = reader.next(), if may_read => {
                let message = match link.heard(message, &mut pace) {
                    Ok(message) => message,
                    Err(end) => return end,
                };
                match message {
                    Some(Heard::Text(text)) => connection.take(&text, &in_flight),
                    Some(Heard::Binary) => connection.take("", &in_flight),
                    None => {}
                }
            }
        }
    }
    connection.announce_end();
    while in_flight.next().await.is_some() {}
    link.outbox.push(Out::Finish);
    // The writer ends the connection when all is sent.
    std::future::pending().await
}

impl Connection {
    fn take<'a>(&'a self, text: &str, in_flight: &InFlight<'a>) {
        match request::parse(text) {
            Ok(request) => in_flight.push(Box::pin(call::perform(self, request))),
            Err((id, error)) => in_flight.push(Box::pin(self.refuse(id, error))),
        }
    }

    /// What is no request is charged as well.
    async fn refuse(&self, id: Value, error: Error) {
        let limiter = &self.link.shared.limiter;
        let charged = limiter.charge(self.source, call::WEIGHT_OF_NOTHING).await;
        let error = call::with_retry(self, charged.err().unwrap_or(error));
        let weight = limiter.used(self.source);
        let used = self.tells_limits.then_some(answer::Used { weight, orders: None });
        self.link.outbox.push(Out::Text(answer::failure(&id, &error, used)));
    }

    /// These are over: the client is told, behind what it was told of them.
    pub(super) fn terminate(&self, subscriptions: Vec<u32>) {
        for id in subscriptions {
            let event = EventStreamTerminated::new(self.link.time());
            let answer = answer::event_of(id, &event);
            self.link.outbox.push(Out::Unsubscribed { names: vec![id.to_string()], answer });
        }
    }

    fn end_revoked(&self) {
        self.terminate(self.session.end_revoked(&self.link.shared.auth));
    }

    fn announce_end(&self) {
        let notice = ServerShutdown::new(self.link.time());
        self.link.outbox.push(Out::Text(answer::event(&notice)));
    }
}
