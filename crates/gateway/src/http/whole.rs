//! Requests that must not be left half way by a client that breaks off.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, GatewayCode};

/// Handles the request on a task of its own, which goes on when the connection, and with it this
/// future, is gone: of several steps, in the directory, in memory and in the log, none is left out.
pub(crate) async fn to_its_end(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => ApiError::with(GatewayCode::Internal, error.to_string()).into_response(),
    }
}
