//! What every answer has in common: a request id, its place in the metrics, and for an error the body.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;

use super::metrics::RouteMetrics;
use super::stages;
use crate::error::{ApiError, ErrorCode, GatewayCode};
use crate::wire::error::{ErrorBody, ErrorDetail};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request, times it, counts it, and writes the body if it failed.
pub(crate) async fn finish(
    State(route): State<Arc<RouteMetrics>>,
    request: Request,
    next: Next,
) -> Response {
    let id = next_request_id();
    let begin = Instant::now();
    let closes = closes_by_header(request.version());
    let asks_timing = request.headers().contains_key(stages::ASKS);
    let (mut response, stages) = stages::noting(route.traced(request, next)).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        write_error(&mut response, &error, &id);
        if closes && ends_connection(&error) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
    // What does not say that it may be kept may be somebody's own.
    let control = response.headers_mut().entry(header::CACHE_CONTROL);
    control.or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let took = begin.elapsed();
    if let Some(stages) = stages {
        let gateway = stages.rest_of(took);
        route.stages.served(gateway);
        if asks_timing && let Some(told) = stages.server_timing(gateway) {
            response.headers_mut().insert(stages::TELLS, told);
        }
    }
    route.answered(response.status().as_u16(), took);
    response
}

/// HTTP/2 has another way to end a connection.
fn closes_by_header(version: Version) -> bool {
    version <= Version::HTTP_11
}

/// Whether nothing more is read from the connection: a body that is not wanted is still on its way,
/// or there is no room for the connection.
fn ends_connection(error: &ApiError) -> bool {
    use GatewayCode::{AddressHoldsTooMany, BodyIncomplete, BodyTooLarge, TooManyConnections};
    matches!(
        error.code,
        ErrorCode::Gateway(
            BodyTooLarge | BodyIncomplete | TooManyConnections | AddressHoldsTooMany
        )
    )
}

fn write_error(response: &mut Response, error: &ApiError, request_id: &str) {
    let is_internal = error.code == ErrorCode::Gateway(GatewayCode::Internal);
    if is_internal {
        tracing::error!(request_id, error = error.message(), "a request failed");
    }
    let body = ErrorBody {
        error: ErrorDetail {
            code: error.code.name(),
            number: error.code.number(),
            // What failed inside concerns the operator, and the log has it.
            message: if is_internal { error.code.text() } else { error.message() },
            retryable: error.code.is_retryable(),
            request_id,
        },
    };
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if matches!(response.status().as_u16(), 429 | 503) {
        response.headers_mut().insert(header::RETRY_AFTER, error.retry_after.into());
    }
    *response.body_mut() = Body::from(to_json(&body));
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain structs of texts and numbers always serialize")
}

/// A prefix of this process and a rising number: unique enough to find a line in a log.
fn next_request_id() -> String {
    static PREFIX: OnceLock<u32> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let prefix = PREFIX.get_or_init(|| getrandom::u32().unwrap_or_default());
    format!("{prefix:08x}-{:x}", NEXT.fetch_add(1, Ordering::Relaxed))
}
