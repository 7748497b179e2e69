//! What a request does: by the handler that REST has for it, or to the session of its connection.

use std::sync::Arc;

use axum::http::Method;
use serde::Serialize;
use serde_json::json;

use super::super::place::{self, Frame, Place};
use super::answer::{self, SessionState, SubscriptionId, Used};
use super::connection::Connection;
use super::methods::{Meant, OfSession, find};
use super::request::Request;
use crate::auth::Caller;
use crate::binance::endpoint::{Answer, Call, Endpoint, Security};
use crate::binance::error::Error;
use crate::binance::limits::OrderCount;
use crate::binance::signed;
use crate::ws::outbox::Out;
use types::Timestamp;

/// What a request about the session costs.
const WEIGHT: u32 = 2;
/// What a message costs that is no request.
pub(super) const WEIGHT_OF_NOTHING: u32 = 1;

/// What was done.
#[derive(Default)]
struct Done {
    json: Vec<u8>,
    orders: Option<OrderCount>,
    /// Subscriptions that begin behind the answer.
    begun: Vec<Place>,
    /// Subscriptions that have ended.
    ended: Vec<u32>,
}

impl Done {
    fn of(value: &impl Serialize) -> Self {
        let json = serde_json::to_vec(value).expect("plain structs of texts and numbers");
        Self { json, ..Self::default() }
    }
}

/// Does what is asked and answers, exactly once.
pub(super) async fn perform(connection: &Connection, request: Request) {
    let (link, now) = (&connection.link, connection.link.now());
    let (limiter, source) = (&link.shared.limiter, connection.source);
    let id = request.id.clone();
    let tells = request.params.bool("returnRateLimits").ok().flatten();
    let tells = tells.unwrap_or(connection.tells_limits);
    let meant = find(&request.method);
    if let Some(Meant::Endpoint(endpoint)) = &meant
        && let Err(refusal) = endpoint.admit(&link.shared)
    {
        let refusal = with_retry(connection, refusal);
        link.outbox.push(Out::Text(answer::failure(&id, &refusal, None)));
        return;
    }
    let (weight, is_free) = match &meant {
        Some(Meant::Endpoint(endpoint)) => ((endpoint.weight)(&request.params), endpoint.is_free),
        Some(Meant::OfSession(_)) => (WEIGHT, false),
        None => (WEIGHT_OF_NOTHING, false),
    };
    let charged = limiter.charge(source, weight).await;
    let done = match (&charged, meant) {
        (Err(refusal), _) => Err(refusal.clone()),
        (Ok(_), Some(meant)) => done(connection, meant, request, now).await,
        (Ok(_), None) => Err(Error::new(-1020, "This operation is not supported.")),
    };
    if let Ok(charge) = charged
        && done.is_ok()
        && is_free
    {
        limiter.give_back(source, charge);
    }
    let orders = done.as_ref().map_or(None, |done| done.orders);
    let used = tells.then(|| Used { weight: limiter.used(source), orders });
    match done {
        Ok(done) => {
            let text = answer::success(&id, &done.json, used);
            let (texts, permits) = (vec![text], Vec::new());
            link.outbox.push(Out::Subscribed { texts, subscriptions: done.begun, permits });
            connection.terminate(done.ended);
        }
        Err(error) => {
            let error = with_retry(connection, error);
            link.outbox.push(Out::Text(answer::failure(&id, &error, used)));
        }
    }
}

/// On a socket the time from which a client may go on stands in the error.
pub(super) fn with_retry(connection: &Connection, mut error: Error) -> Error {
    if let Some(seconds) = error.retry_after
        && error.data.is_none()
    {
        let unit = connection.link.reader.unit;
        let now = connection.link.now();
        let then = now.saturating_add_nanos(seconds.saturating_mul(1_000_000_000));
        let data = json!({ "serverTime": unit.show(now), "retryAfter": unit.show(then) });
        error.data = Some(Box::new(data));
    }
    error
}

async fn done(
    connection: &Connection,
    meant: Meant,
    request: Request,
    now: Timestamp,
) -> Result<Done, Error> {
    match meant {
        Meant::Endpoint(endpoint) => {
            let Answer { json, orders, .. } =
                endpoint_call(connection, endpoint, request, now).await?;
            Ok(Done { json, orders, ..Done::default() })
        }
        Meant::OfSession(OfSession::Logon) => log_on(connection, &request, now),
        Meant::OfSession(OfSession::Status) => Ok(state(connection)),
        Meant::OfSession(OfSession::Logout) => {
            let ended = connection.session.log_out();
            Ok(Done { ended, ..state(connection) })
        }
        Meant::OfSession(OfSession::Subscriptions) => {
            let list = connection.session.subscriptions();
            let list = list.into_iter().map(|subscription_id| SubscriptionId { subscription_id });
            Ok(Done::of(&list.collect::<Vec<_>>()))
        }
        Meant::OfSession(OfSession::Subscribe) => {
            let key = connection.session.key(&connection.link.shared.auth)?;
            let caller = key.ok_or_else(not_logged_on)?.caller(now, now);
            subscribe(connection, &caller, true).await
        }
        Meant::OfSession(OfSession::SubscribeSigned) => {
            let caller = signer(connection, &request, now)?;
            subscribe(connection, &caller, false).await
        }
        Meant::OfSession(OfSession::Unsubscribe) => {
            let ended = connection.session.unsubscribe(request.params.int("subscriptionId")?)?;
            Ok(Done { ended, ..Done::of(&json!({})) })
        }
    }
}

fn not_logged_on() -> Error {
    let text = "You are not authorized to execute this request.";
    Error::with_status(-1002, axum::http::StatusCode::UNAUTHORIZED, text)
}

/// The handler of REST, for a caller that is known as it is there.
async fn endpoint_call(
    connection: &Connection,
    endpoint: &Endpoint,
    request: Request,
    now: Timestamp,
) -> Result<Answer, Error> {
    let shared = &connection.link.shared;
    let caller = match endpoint.security {
        Security::Public => None,
        Security::KeyOnly => Some(key_holder(connection, &request, now)?),
        Security::Read | Security::Trade => Some(caller(connection, &request, now)?),
    };
    let (params, unit) = (request.params, connection.link.reader.unit);
    let life = endpoint.life_of(&params);
    let call = Call { shared: Arc::clone(shared), params, caller, unit, now };
    if let Some(life) = life {
        let kept = endpoint.kept_answer(call, life, connection.source).await?;
        let json = kept.body_at(unit.show(now).0).into();
        return Ok(Answer { json, clock: None, orders: None });
    }
    let answer = endpoint.answer(call).await;
    if endpoint.method != Method::GET {
        shared.answers.note(connection.source);
    }
    answer
}

/// Who signed, or who is logged on.
fn caller(connection: &Connection, request: &Request, now: Timestamp) -> Result<Caller, Error> {
    if request.params.has("apiKey") || request.params.has("signature") {
        return signer(connection, request, now);
    }
    match connection.session.key(&connection.link.shared.auth)? {
        Some(key) => {
            let (signed_at, valid_until) = signed::window(&request.params, now)?;
            Ok(key.caller(signed_at, valid_until))
        }
        None => signer(connection, request, now),
    }
}

fn signer(connection: &Connection, request: &Request, now: Timestamp) -> Result<Caller, Error> {
    let key = signed::key(&connection.link.shared.auth, request.params.get("apiKey"))?;
    signed::signer(&key, &request.params, &request.payload, now)
}

/// Whose key is named, or who is logged on.
fn key_holder(connection: &Connection, request: &Request, now: Timestamp) -> Result<Caller, Error> {
    let auth = &connection.link.shared.auth;
    let name = request.params.get("apiKey").filter(|name| !name.is_empty());
    let of_session = if name.is_none() { connection.session.key(auth)? } else { None };
    let key = match of_session {
        Some(key) => key,
        None => signed::key(auth, name)?,
    };
    Ok(key.caller(now, now))
}

/// Only keys whose secret is not shared may log on.
fn log_on(connection: &Connection, request: &Request, now: Timestamp) -> Result<Done, Error> {
    let key = signed::key(&connection.link.shared.auth, request.params.get("apiKey"))?;
    let caller = signed::signer(&key, &request.params, &request.payload, now)?;
    if !key.is_ed25519() {
        return Err(Error::new(-4056, "Only Ed25519 API keys can log on to a session."));
    }
    if !Security::Read.admits(Some(&caller)) {
        return Err(Error::not_permitted());
    }
    connection.session.log_on(caller.key, now);
    Ok(state(connection))
}

fn state(connection: &Connection) -> Done {
    let (session, link) = (&connection.session, &connection.link);
    let (logon, unit) = (session.logon(), link.reader.unit);
    Done::of(&SessionState {
        api_key: logon.as_ref().map(|logon| &*logon.api_key),
        authorized_since: logon.as_ref().map(|logon| unit.show(logon.since)),
        connected_since: unit.show(connection.since),
        return_rate_limits: connection.tells_limits,
        server_time: link.time(),
        user_data_stream: session.hears(),
    })
}

async fn subscribe(
    connection: &Connection,
    caller: &Caller,
    of_logon: bool,
) -> Result<Done, Error> {
    if !Security::Read.admits(Some(caller)) {
        return Err(Error::not_permitted());
    }
    let account = caller.account.ok_or_else(Error::not_permitted)?;
    let (shared, reader) = (&connection.link.shared, &connection.link.reader);
    connection.link.shared.catch_up.settled().await;
    let id = connection.session.subscribe(account, Arc::clone(&caller.key), of_logon)?;
    let frame = Frame::Subscription(id);
    let begun = place::of_account(shared, account, &id.to_string(), frame, reader);
    Ok(Done { begun, ..Done::of(&SubscriptionId { subscription_id: id }) })
}
