//! From an HTTP request to a call and back: parameters, weight, key and signature, headers.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use types::Timestamp;

use super::endpoint::{Answer, Call, Endpoint, Security};
use super::error::Error;
use super::limits::Source;
use super::params::Params;
use super::render::{TIME_UNIT, TimeUnit};
use super::signed;
use super::table::ENDPOINTS;
use crate::cache::{Life, dress};
use crate::error::ApiError;
use crate::http::Routes;
use crate::http::extract::read_body;
use crate::limits::{Charge, source};
use crate::state::Shared;

const USED_WEIGHT: HeaderName = HeaderName::from_static("x-mbx-used-weight");
const USED_WEIGHT_1M: HeaderName = HeaderName::from_static("x-mbx-used-weight-1m");
const SAPI_WEIGHT_1M: HeaderName = HeaderName::from_static("x-sapi-used-ip-weight-1m");
const ORDERS_10S: HeaderName = HeaderName::from_static("x-mbx-order-count-10s");
const ORDERS_1D: HeaderName = HeaderName::from_static("x-mbx-order-count-1d");

/// Where the dialect answers: what is not in the table is unknown there.
const ROOTS: [&str; 5] = ["/api", "/sapi", "/fapi", "/dapi", "/eapi"];

/// Adds the endpoints, and what is said of other paths beside them.
pub(crate) fn routes(mut routes: Routes) -> Routes {
    for endpoint in ENDPOINTS {
        for path in [Some(endpoint.path), endpoint.alias].into_iter().flatten() {
            let handler = move |State(shared): State<Arc<Shared>>, request: Request| {
                serve(shared, endpoint, request)
            };
            routes = routes.route(endpoint.method.clone(), path, handler);
        }
    }
    for root in ROOTS {
        routes = routes.beneath(root, lenient);
    }
    routes
}

/// What is at a path that is no route's by its letters: with doubled or trailing slashes one of ours may
/// still be meant.
pub(crate) async fn lenient(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match meant(request.method(), request.uri().path()) {
        Some(endpoint) => serve(shared, endpoint, request).await,
        None => {
            let source = source(request.extensions());
            nothing_there(&shared, source, Error::unknown_path()).await
        }
    }
}

/// Whether a path is the dialect's.
pub(crate) fn is_ours(path: &str) -> bool {
    let first = path.split('/').find(|part| !part.is_empty());
    ROOTS.iter().any(|root| first == root.strip_prefix('/'))
}

/// A method that a path does not have.
pub(crate) async fn not_allowed(shared: &Shared, source: Source) -> Response {
    let error = Error { status: StatusCode::METHOD_NOT_ALLOWED, ..Error::unknown_path() };
    nothing_there(shared, source, error).await
}

/// Where there is nothing, asking weighs as little as anything.
async fn nothing_there(shared: &Shared, source: Source, error: Error) -> Response {
    let charged = shared.limiter.charge(source, 1).await;
    let mut response = refused(&charged.err().unwrap_or(error));
    state_weight(shared, source, response.headers_mut());
    response
}

/// The endpoint that a path means, whatever slashes it has.
pub(crate) fn meant(method: &Method, path: &str) -> Option<&'static Endpoint> {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let path = parts.fold(String::new(), |path, part| path + "/" + part);
    let is_meant = |line: &&Endpoint| {
        line.method == method && (line.path == path || line.alias == Some(path.as_str()))
    };
    ENDPOINTS.iter().find(is_meant)
}

/// One request, from its bytes to its answer. Who asks too much is told so before the body is read.
async fn serve(shared: Arc<Shared>, endpoint: &'static Endpoint, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let source = source(&parts.extensions);
    if let Err(refusal) = endpoint.admit(&shared) {
        let mut response = refused(&refusal);
        state_weight(&shared, source, response.headers_mut());
        return response;
    }
    let has_body = !body.is_end_stream();
    let least = least_weight(endpoint, &parts, has_body);
    let (outcome, is_read) = match shared.limiter.charge(source, least).await {
        Ok(charge) => charged(&shared, endpoint, &parts, body, (source, least, charge)).await,
        Err(refusal) => (Err(refusal), !has_body),
    };
    let mut response = outcome.unwrap_or_else(|error| refused(&error));
    state_weight(&shared, source, response.headers_mut());
    if !is_read && parts.version <= Version::HTTP_11 {
        // The rest of the body is still on its way.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What a request weighs whatever its body says: parameters in a body may make what changes something heavier, and what
/// is read heavier or lighter.
fn least_weight(endpoint: &Endpoint, parts: &Parts, has_body: bool) -> u32 {
    if has_body && endpoint.method == Method::GET {
        return 1;
    }
    let query = Params::parse(parts.uri.query().unwrap_or_default(), b"");
    query.as_ref().map_or(1, endpoint.weight)
}

/// A request that was charged the least that it can weigh: its answer, and whether its body was read to the end.
async fn charged(
    shared: &Arc<Shared>,
    endpoint: &'static Endpoint,
    parts: &Parts,
    body: Body,
    (source, least, mut charge): (Source, u32, Charge),
) -> (Result<Response, Error>, bool) {
    let now = shared.exchange.now();
    let body = match read_body(body, shared).await {
        Ok(body) => body,
        Err(error) => return (Err(error.into()), false),
    };
    let answering = async {
        let params = Params::parse(parts.uri.query().unwrap_or_default(), &body)?;
        let weight = (endpoint.weight)(&params);
        if weight != least {
            // Charged as a whole, so that it is refused as a whole.
            shared.limiter.give_back(source, charge);
            charge = shared.limiter.charge(source, weight).await?;
        }
        match endpoint.life_of(&params) {
            Some(life) => kept(shared, (endpoint, life), parts, params, (source, now)).await,
            None => answer(shared, endpoint, parts, params, &body, now).await.map(answered),
        }
    };
    let outcome = answering.await;
    if outcome.is_ok() && endpoint.is_free {
        shared.limiter.give_back(source, charge);
    }
    (outcome, true)
}

/// The answer that everybody is given now.
async fn kept(
    shared: &Arc<Shared>,
    (endpoint, life): (&Endpoint, Life),
    parts: &Parts,
    params: Params,
    (source, now): (Source, Timestamp),
) -> Result<Response, Error> {
    let unit = TimeUnit::of(&parts.headers)?;
    let call = Call { shared: Arc::clone(shared), params, caller: None, unit, now };
    let kept = endpoint.kept_answer(call, life, source).await?;
    let response = json(kept.body_at(unit.show(now).0));
    Ok(dress(response, &kept, life, &parts.headers, Some(TIME_UNIT)))
}

/// Lets the caller in and runs the handler.
async fn answer(
    shared: &Arc<Shared>,
    endpoint: &Endpoint,
    parts: &Parts,
    params: Params,
    body: &[u8],
    now: Timestamp,
) -> Result<Answer, Error> {
    let unit = TimeUnit::of(&parts.headers)?;
    let caller = match endpoint.security {
        Security::Public => None,
        Security::KeyOnly => {
            let key = signed::key(&shared.auth, key_name(&parts.headers))?;
            Some(key.caller(now, now))
        }
        Security::Read | Security::Trade => {
            let key = signed::key(&shared.auth, key_name(&parts.headers))?;
            let payload = signed::payload(parts.uri.query().unwrap_or_default(), body);
            Some(signed::signer(&key, &params, &payload, now)?)
        }
    };
    let call = Call { shared: Arc::clone(shared), params, caller, unit, now };
    endpoint.answer(call).await
}

fn key_name(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-mbx-apikey")?.to_str().ok()
}

fn answered(answer: Answer) -> Response {
    let mut response = json(answer.json);
    if let Some(count) = answer.orders {
        let headers = response.headers_mut();
        headers.insert(ORDERS_10S, count.ten_seconds.into());
        headers.insert(ORDERS_1D, count.day.into());
    }
    response
}

/// The refusal of a request of the dialect that is not even looked at.
pub(crate) fn turned_away(why: ApiError) -> Response {
    refused(&why.into())
}

pub(super) fn refused(error: &Error) -> Response {
    if error.status.is_server_error() {
        tracing::debug!(code = error.code, msg = &*error.msg, "a request of the dialect failed");
    }
    let body = serde_json::to_vec(&error.body()).expect("plain structs of texts and numbers");
    let mut response = json(body);
    *response.status_mut() = error.status;
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn json(body: impl Into<Body>) -> Response {
    let content_type = HeaderValue::from_static("application/json;charset=UTF-8");
    let mut response = body.into().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn state_weight(shared: &Shared, source: Source, headers: &mut HeaderMap) {
    let used = HeaderValue::from(shared.limiter.used(source));
    for name in [USED_WEIGHT, USED_WEIGHT_1M, SAPI_WEIGHT_1M] {
        headers.insert(name, used.clone());
    }
}
