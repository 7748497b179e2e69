//! The reading half of a connection: takes requests, keeps them within their limits, and lets several
//! be under way at the same time. Commands are submitted in the order in which they came.

use std::pin::Pin;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use websocket::{Incoming, SocketReader};

use super::close::End;
use super::connection::{Connection, read_error};
use super::outbox::Out;
use super::protocol::{self, BadRequest, Request};
use super::rate::TokenBucket;
use super::requests;
use crate::config::Limits;
use crate::error::{ApiError, GatewayCode};

/// Each gives the weight of its request back when it is answered.
type InFlight<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = usize> + Send + 'a>>>;

/// Takes requests until the connection ends.
pub async fn read_requests(reader: &mut SocketReader, connection: &Connection) -> End {
    let mut in_flight = InFlight::new();
    // By weight.
    let mut under_way = 0;
    let mut pace = Pace::new(&connection.shared.config.limits, Instant::now());
    let closing = connection.shared.closing.clone();
    loop {
        let most = connection.shared.config.limits.socket_pending;
        let has_room = connection.outbox.has_room();
        let may_read = has_room && under_way < most;
        tokio::select! {
            () = closing.cancelled() => break,
            Some(weight) = in_flight.next() => under_way -= weight,
            () = connection.outbox.room(), if !has_room => {}
            message = reader.next(), if may_read => {
                let Some(message) = message else { return End::Gone };
                match message {
                    Ok(message) => {
                        connection.pulse.heard();
                        match take(message, connection, &mut pace, &in_flight) {
                            Ok(weight) => under_way += weight,
                            Err(end) => return end,
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

/// One message of the client. Gives the weight of what is under way by it.
fn take<'a>(
    message: Incoming,
    connection: &'a Connection,
    pace: &mut Pace,
    in_flight: &InFlight<'a>,
) -> Result<usize, End> {
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
    let expected = || ApiError::with(GatewayCode::InvalidJson, "text messages are expected");
    let request = match text {
        Some(text) => protocol::parse(&text),
        None => Err(BadRequest { id: Value::Null, error: expected() }),
    };
    let weight = request.as_ref().map_or(1, Request::weight);
    if !pace.allows(weight)? {
        let id = request.map_or_else(|bad| bad.id, |request| request.id);
        refuse(connection, BadRequest { id, error: GatewayCode::RateLimited.into() });
        return Ok(0);
    }
    match request {
        Ok(request) => {
            if let Err(error) = connection.shared.shedding.admit(request.op.kind()) {
                let refusal = requests::error(&request.id, Some(request.op.name()), &error);
                connection.outbox.push(Out::Text(refusal));
                return Ok(0);
            }
            in_flight.push(Box::pin(async move {
                requests::perform(connection, request).await;
                weight
            }));
            Ok(weight)
        }
        Err(bad) => {
            refuse(connection, bad);
            Ok(0)
        }
    }
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

    /// Whether a request of so much weight may be taken.
    fn allows(&mut self, weight: usize) -> Result<bool, End> {
        let now = Instant::now();
        if self.messages.take(weight as u32, now) {
            Ok(true)
        } else if self.refusals.take(1, now) {
            Ok(false)
        } else {
            Err(End::Flood)
        }
    }

    /// Pings and pongs cost as much as requests.
    fn control(&mut self) -> Result<usize, End> {
        self.allows(1).map(|_| 0)
    }
}
