//! What an account pays: its tier, the volume that leads to it, and its rates.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::RejectCode;

use super::watermarks;
use crate::error::ApiError;
use crate::http::extract::{Params, SignedRequest};
use crate::min_seq::{self, MinSeq};
use crate::state::Shared;
use crate::wire::error::ErrorBody;
use crate::wire::fees::AccountFeesAnswer;

/// Your fee tier, your volume of the last 30 days, and your rates in every market.
#[utoipa::path(
    get, path = "/v1/account/fees", tag = "Account", params(MinSeq),
    responses((status = 200, body = AccountFeesAnswer), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn get_account_fees(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<AccountFeesAnswer>, ApiError> {
    let id = request.reader()?;
    let asked = min_seq::marks(&shared, min_seq::home(&shared, id), params.min_seq.as_deref())?;
    let watermarks = watermarks(&shared, id, &asked).await?;
    let fees = shared.views.account_fees(id).ok_or(RejectCode::UnknownAccount)?;
    Ok(Json(AccountFeesAnswer::new(&shared, &fees, watermarks)))
}
