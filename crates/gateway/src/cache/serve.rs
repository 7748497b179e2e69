//! Kept answers over HTTP: what clients and caches between are told of them.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Kept, Life, Made};
use crate::error::{ApiError, GatewayCode};
use crate::limits::source;
use crate::state::Shared;

/// Keeps the answers of a route of the native API.
pub(crate) async fn keep(
    State((shared, life)): State<(Arc<Shared>, Life)>,
    request: Request,
    next: Next,
) -> Response {
    let uri = request.uri().clone();
    if names_min_seq(uri.query().unwrap_or_default()) {
        return next.run(request).await;
    }
    let question = uri.path_and_query().map_or(uri.path(), |all| all.as_str());
    let headers = request.headers().clone();
    let source = source(request.extensions());
    let make = async {
        shared.catch_up.settled().await;
        made(next.run(request).await).await
    };
    match shared.answers.get(question, life, source, make).await {
        Ok(kept) => {
            let content_type = [(header::CONTENT_TYPE, "application/json")];
            let response = (content_type, kept.made.body.clone()).into_response();
            dress(response, &kept, life, &headers, None)
        }
        Err(response) => response,
    }
}

/// A handler's answer, if it is one of success.
async fn made(response: Response) -> Result<Made, Response> {
    if response.status() != StatusCode::OK {
        return Err(response);
    }
    match to_bytes(response.into_body(), usize::MAX).await {
        Ok(body) => Ok(Made { body, clock: None }),
        Err(error) => Err(ApiError::with(GatewayCode::Internal, error.to_string()).into_response()),
    }
}

/// Tells how long an answer may be kept elsewhere, where that is seconds, and sends no more than that to who
/// has it already. `varies` names a header of requests that it depends on.
pub(crate) fn dress(
    response: Response,
    kept: &Kept,
    life: Life,
    asked: &HeaderMap,
    varies: Option<HeaderName>,
) -> Response {
    // Without a word, whatever is answered may not be kept.
    let Some(seconds) = life.max_age() else {
        return response;
    };
    let mut response =
        if knows(asked, &kept.tag) { StatusCode::NOT_MODIFIED.into_response() } else { response };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, kept.tag.clone());
    let control = HeaderValue::from_str(&format!("public, max-age={seconds}"));
    headers.insert(header::CACHE_CONTROL, control.expect("a number"));
    if let Some(name) = varies {
        headers.insert(header::VARY, name.into());
    }
    response
}

/// Whether a client has the answer of a tag.
fn knows(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let strong = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    let tag = strong(tag.as_bytes());
    let lines = asked.get_all(header::IF_NONE_MATCH).into_iter();
    let mut tags = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    tags.any(|known| known.trim_ascii() == b"*" || strong(known.trim_ascii()) == tag)
}

/// Whether a query says what its reader waits for, or may say so in an encoding.
fn names_min_seq(query: &str) -> bool {
    let mut names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    names.any(|name| name == "min_seq" || name.contains('%'))
}

impl Kept {
    /// The answer with the time of now, in its unit.
    pub(crate) fn body_at(&self, now: impl ToString) -> Bytes {
        let Some(clock) = &self.made.clock else {
            return self.made.body.clone();
        };
        let (before, after) = (&self.made.body[..clock.start], &self.made.body[clock.end..]);
        [before, now.to_string().as_bytes(), after].concat().into()
    }
}
