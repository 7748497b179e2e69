//! Balances.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::AccountId;

use super::watermarks;
use crate::error::ApiError;
use crate::http::extract::{Params, SignedRequest};
use crate::min_seq::{self, MinSeq};
use crate::state::Shared;
use crate::wire::answer::{Balance, Balances};
use crate::wire::error::ErrorBody;

/// Your balances: every asset that you ever had.
#[utoipa::path(
    get, path = "/v1/balances", tag = "Account", params(MinSeq),
    responses((status = 200, body = Balances), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_balances(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<Balances>, ApiError> {
    balances(&shared, request.reader()?, &params).await.map(Json)
}

/// Balances of an account.
pub(crate) async fn balances(
    shared: &Shared,
    account: AccountId,
    params: &MinSeq,
) -> Result<Balances, ApiError> {
    let home = min_seq::home(shared, account);
    let asked = min_seq::marks(shared, home, params.min_seq.as_deref())?;
    let watermarks = watermarks(shared, account, &asked).await?;
    let views = &shared.views;
    let balances = views.balances(account);
    let balance = |view: &views::BalanceView| Some(Balance::new(&*views.asset(view.asset)?, view));
    Ok(Balances { balances: balances.iter().filter_map(balance).collect(), watermarks })
}
