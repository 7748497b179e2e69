//! The one shape of errors.

use serde::Serialize;
use utoipa::ToSchema;

/// Every answer that is not a success.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody<'a> {
    /// What went wrong.
    pub(crate) error: ErrorDetail<'a>,
}

/// What went wrong. The list of codes is in `docs/error-codes.md`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorDetail<'a> {
    /// Stable name.
    #[schema(example = "InsufficientBalance")]
    pub(crate) code: &'a str,
    /// Stable number.
    #[schema(example = 502)]
    pub(crate) number: u16,
    /// For people; may change.
    pub(crate) message: &'a str,
    /// Whether the same request may succeed later.
    pub(crate) retryable: bool,
    /// Names the request in the operator's log; also in the header `X-Request-Id`.
    pub(crate) request_id: &'a str,
}
