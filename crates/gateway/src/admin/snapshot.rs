//! Asking the node for a snapshot.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::error::{ApiError, GatewayCode};
use crate::http::extract::SignedRequest;
use crate::state::Shared;
use crate::wire::answer::MadeSnapshot;
use crate::wire::error::ErrorBody;

/// Make a snapshot now; answers when it is made. The exchange goes on meanwhile.
#[utoipa::path(
    post, path = "/v1/admin/snapshot", tag = "Operators",
    responses((status = 200, body = MadeSnapshot), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn make_snapshot(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<MadeSnapshot>, ApiError> {
    request.operator()?;
    let make = shared.config.snapshot.clone().ok_or(GatewayCode::NotAvailable)?;
    let made = tokio::task::spawn_blocking(move || make()).await;
    let failed = |error: String| ApiError::with(GatewayCode::Internal, error);
    let summary = made.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
    Ok(Json(MadeSnapshot { summary }))
}
