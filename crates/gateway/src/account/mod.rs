//! What a caller may read and do with its own account, besides orders.

mod balances;
mod fees;
mod ledger;
mod transfers;
mod withdrawals;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AccountId, PartitionId, RejectCode};

use crate::error::ApiError;
use crate::http::Routes;
use crate::http::extract::{Params, SignedRequest};
use crate::min_seq::{self, MinSeq};
use crate::state::Shared;
use crate::watermarks::Marks;
use crate::wire::answer::{Account, Watermark, millis};
use crate::wire::error::ErrorBody;
use crate::wire::word::Permission;

pub(crate) use balances::*;
pub(crate) use fees::*;
pub(crate) use ledger::*;
pub(crate) use transfers::*;
pub(crate) use withdrawals::*;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/v1/account", get_account)
        .get("/v1/account/fees", get_account_fees)
        .get("/v1/balances", list_balances)
        .get("/v1/ledger", list_ledger_entries)
        .post("/v1/transfers", transfer)
        .get("/v1/withdrawals", list_withdrawals)
        .post("/v1/withdrawals", reserve_debit)
        .delete("/v1/withdrawals/{client_id}", release_debit)
}

/// Waits until the views show what `account` wrote, and what its reader asked to see; gives how far
/// they are in every partition.
pub(crate) async fn watermarks(
    shared: &Shared,
    account: AccountId,
    asked: &Marks,
) -> Result<Vec<Watermark>, ApiError> {
    shared.catch_up.own_writes(account).await?;
    shared.catch_up.reach_all(asked).await?;
    let partitions = (0..shared.exchange.topology().partitions).map(PartitionId);
    Ok(partitions
        .map(|partition| Watermark::new(partition, shared.views.applied(partition)))
        .collect())
}

/// Your account and what this API key may do.
#[utoipa::path(
    get, path = "/v1/account", tag = "Account", params(MinSeq),
    responses((status = 200, body = Account), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn get_account(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<Account>, ApiError> {
    let id = request.reader()?;
    let asked = min_seq::marks(&shared, min_seq::home(&shared, id), params.min_seq.as_deref())?;
    let watermarks = watermarks(&shared, id, &asked).await?;
    let view = shared.views.account(id).ok_or(RejectCode::UnknownAccount)?;
    Ok(Json(Account {
        id: id.0,
        fee_tier: view.fee_tier,
        frozen: view.frozen,
        created_at: millis(view.created_at),
        permissions: Permission::list(request.caller.permissions),
        watermarks,
    }))
}

/// Funds for an account that does not exist would end in suspense: a slip is told instead.
pub(crate) fn known(shared: &Shared, account: u32) -> Result<AccountId, ApiError> {
    let account = AccountId(account);
    match shared.views.account(account) {
        Some(_) => Ok(account),
        None => Err(types::RejectCode::UnknownAccount.into()),
    }
}
