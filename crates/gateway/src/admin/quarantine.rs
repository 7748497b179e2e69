//! Components that have failed: what they said, and how they go on. docs/quarantine.md is the runbook.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{Component, Event, Request};

use super::{operate, seen};
use crate::error::{ApiError, GatewayCode};
use crate::http::extract::{Params, Segments, SignedRequest};
use crate::min_seq::MinSeq;
use crate::orders::unexpected;
use crate::state::Shared;
use crate::wire::answer::{QuarantinedComponent, QuarantinedComponents, ReleasedQuarantine};
use crate::wire::error::ErrorBody;

/// The components that have failed and take no step until they are released.
#[utoipa::path(
    get, path = "/v1/admin/quarantine", tag = "Operators", params(MinSeq),
    responses((status = 200, body = QuarantinedComponents), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_quarantined(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<QuarantinedComponents>, ApiError> {
    request.operator()?;
    seen(&shared, &params).await?;
    let components = shared.views.quarantined().iter().map(QuarantinedComponent::new).collect();
    Ok(Json(QuarantinedComponents { components }))
}

/// Let a component go on. What waited for it is handled first; if it fails again, it is quarantined again.
#[utoipa::path(
    delete, path = "/v1/admin/quarantine/{component}", tag = "Operators",
    params(("component" = String, Path, example = "market-1")),
    responses((status = 200, body = ReleasedQuarantine), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn release_quarantine(
    State(shared): State<Arc<Shared>>,
    Segments(component): Segments<String>,
    request: SignedRequest,
) -> Result<Json<ReleasedQuarantine>, ApiError> {
    request.operator()?;
    let component: Component = component.parse().map_err(|what: types::NoComponent| {
        ApiError::with(GatewayCode::InvalidField, format!("component: {what}"))
    })?;
    let command = Request::ReleaseQuarantine { component };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    let Event::QuarantineReleased { component, parked, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(Json(ReleasedQuarantine {
        component: component.to_string(),
        parked,
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}
