//! Moving funds to another account of the exchange.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::Event;

use crate::error::ApiError;
use crate::http::extract::SignedRequest;
use crate::orders::unexpected;
use crate::state::Shared;
use crate::wire::answer::{Moved, amount, millis};
use crate::wire::error::ErrorBody;
use crate::wire::request::TransferBody;

/// Transfer funds to another account. A retry with the same `client_id` never pays twice.
#[utoipa::path(
    post, path = "/v1/transfers", tag = "Account", request_body = TransferBody,
    responses((status = 200, body = Moved), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn transfer(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<Moved>, ApiError> {
    let from = request.payer()?;
    let body: TransferBody = request.json()?;
    let asset = super::asset(&shared, &body.asset)?;
    super::known(&shared, body.to)?;
    let (command, value) = body.into_request(from, &asset)?;
    let outcome = shared.submit(request.caller.valid_until, command).await?;
    let repeated = match outcome.answer {
        Event::TransferredOut { .. } => false,
        Event::Repeated { outcome: Ok(_), .. } => true,
        _ => return Err(unexpected(&outcome)),
    };
    Ok(Json(Moved {
        asset: asset.symbol.clone(),
        amount: amount(&asset, value),
        repeated,
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}
