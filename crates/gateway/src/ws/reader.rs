//! The reading half of a connection: takes requests, keeps them within their limits, and lets several
//! be under way at the same time. Commands are submitted in the order in which they came.

use std::pin::Pin;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use websocket::{Incoming, SocketReader};

use super::close::End;
use super::connection::{Connection, read_error};
use super::outbox::Out;
use super::protocol::{self, BadRequest};
use super::rate::TokenBucket;
use super::requests;
use crate::config::Limits;
use crate::error::{ApiError, GatewayCode};

type InFlight<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>;

/// Takes requests until the connection ends.
pub async fn read_requests(reader: &mut SocketReader, connection: &Connection) -> End {
    let mut in_flight = InFlight::new();
    let mut pace = Pace::new(&connection.shared.config.limits, Instant::now());
    let closing = connection.shared.closing.clone();
    loop {
        let most = connection.shared.config.limits.socket_pending;
        let has_room = connection.outbox.has_room();
        let may_read = has_room && in_flight.len() < most;
        tokio::select! {
            () = closing.cancelled() => break,
            Some(()) = in_flight.next() => {}
            () = connection.outbox.room(), if !has_room => {}
            message = reader.next(), if may_read => {
                let Some(message) = message else { return End::Gone };
                match message {
                    Ok(message) => {
                        connection.pulse.heard();
                        if let Err(end) = take(message, connection, &mut pace, &in_flight) {
                            return end;
                        }
                    }
                    Err(error) => {
                        let limit = connection.shared.config.limits.socket_message;
                        return read_error(error, limit);
                    }
                }
            }
        }
    }
    finish(connection, in_flight).await
}

/// The last words: no request is taken any more, those under way are answered.
async fn finish(connection: &Connection, mut in_flight: InFlight<'_>) -> End {
    connection.outbox.push(Out::Text(requests::shutdown_notice()));
    while in_flight.next().await.is_some() {}
    connection.outbox.push(Out::Finish);
    // The writer ends the connection when all is sent.
    std::future::pending().await
}

/// One message of the client.
fn take<'a>(
    message: Incoming,
    connection: &'a Connection,
    pace: &mut Pace,
    in_flight: &InFlight<'a>,
) -> Result<(), End> {
    let text = match message {
        Incoming::Text(text) => Some(text),
        Incoming::Binary(_) => None,
        Incoming::Ping(content) => {
            connection.outbox.push(Out::Pong(content));
            return pace.control();
        }
        Incoming::Pong(_) => return pace.control(),
        Incoming::Close(frame) => return Err(End::Closed(frame.map(|frame| frame.code))),
    };
    if !pace.allows()? {
        let id = text.and_then(|text| protocol::parse(&text).ok()).map(|request| request.id);
        let error = GatewayCode::RateLimited.into();
        refuse(connection, BadRequest { id: id.unwrap_or_default(), error });
        return Ok(());
    }
    let Some(text) = text else {
        let error = ApiError::with(GatewayCode::InvalidJson, "text messages are expected");
        refuse(connection, BadRequest { id: Default::default(), error });
        return Ok(());
    };
    match protocol::parse(&text) {
        Ok(request) => in_flight.push(Box::pin(requests::perform(connection, request))),
        Err(bad) => refuse(connection, bad),
    }
    Ok(())
}

fn refuse(connection: &Connection, bad: BadRequest) {
    connection.outbox.push(Out::Text(requests::error(&bad.id, None, &bad.error)));
}

/// How fast the client may go on, and when it has been told too often.
struct Pace {
    messages: TokenBucket,
    refusals: TokenBucket,
}

impl Pace {
    fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            messages: TokenBucket::new(limits.socket_rate.into(), limits.socket_burst, now),
            refusals: TokenBucket::new(
                f64::from(limits.socket_refusals) / 60.0,
                limits.socket_refusals,
                now,
            ),
        }
    }

    /// Whether a request may be taken.
    fn allows(&mut self) -> Result<bool, End> {
        let now = Instant::now();
        if self.messages.take(now) {
            Ok(true)
        } else if self.refusals.take(now) {
            Ok(false)
        } else {
            Err(End::Flood)
        }
    }

    /// Pings and pongs cost as much as requests.
    fn control(&mut self) -> Result<(), End> {
        self.allows().map(|_| ())
    }
}
