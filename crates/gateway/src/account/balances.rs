//! Balances.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::AccountId;

use super::watermarks;
use crate::error::ApiError;
use crate::http::extract::SignedRequest;
use crate::state::Shared;
use crate::wire::answer::{Balance, Balances};
use crate::wire::error::ErrorBody;

/// Your balances: every asset that you ever had.
#[utoipa::path(
    get, path = "/v1/balances", tag = "Account",
    responses((status = 200, body = Balances), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_balances(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<Balances>, ApiError> {
    balances(&shared, request.reader()?).await.map(Json)
}

/// Balances of an account.
pub(crate) async fn balances(shared: &Shared, account: AccountId) -> Result<Balances, ApiError> {
    let watermarks = watermarks(shared, account).await?;
    let views = &shared.views;
    let balances = views.balances(account);
    let balance = |view: &views::BalanceView| Some(Balance::new(&*views.asset(view.asset)?, view));
    Ok(Balances { balances: balances.iter().filter_map(balance).collect(), watermarks })
}
