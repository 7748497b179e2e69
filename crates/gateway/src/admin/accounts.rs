//! Accounts: naming, opening, freezing, fee tiers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use types::{AccountId, RejectCode, Request, Timestamp};
use utoipa::IntoParams;

use super::{done, operate};
use crate::account::{balances, watermarks};
use crate::error::{ApiError, ErrorCode};
use crate::history::blocking;
use crate::http::extract::{Params, Segments, SignedRequest, number};
use crate::market_data::page;
use crate::min_seq::{self, MinSeq};
use crate::state::Shared;
use crate::watermarks::Marks;
use crate::wire::answer::{AdminAccount, AdminAccounts, Balances, CreatedAccount, Done};
use crate::wire::error::ErrorBody;
use crate::wire::request::{CreateAccountBody, FreezeAccountBody, SetAccountFeeTierBody};

const LONGEST_NAME: usize = 200;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAccountsParams {
    /// The `next` of the page before this one.
    pub(crate) after: Option<u32>,
    /// 1 to 1000, 100 unless given.
    pub(crate) limit: Option<usize>,
}

/// Accounts with their names.
#[utoipa::path(
    get, path = "/v1/admin/accounts", tag = "Operators", params(ListAccountsParams),
    responses((status = 200, body = AdminAccounts), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_accounts(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<ListAccountsParams>,
    request: SignedRequest,
) -> Result<Json<AdminAccounts>, ApiError> {
    request.operator()?;
    let limit = page(params.limit, 100, 1_000)?;
    let after = AccountId(params.after.unwrap_or(0));
    let watermarks = watermarks(&shared, after, &Marks::new()).await?;
    let named = blocking(&shared, move |store| store.list_accounts(after, limit as u32)).await?;
    let seen = |named: &store::Account| AdminAccount::new(named, shared.views.account(named.id));
    Ok(Json(AdminAccounts {
        next: named.get(limit - 1).map(|last| last.id.to_string()),
        accounts: named.iter().map(seen).collect(),
        watermarks,
    }))
}

/// Name and open an account.
#[utoipa::path(
    post, path = "/v1/admin/accounts", tag = "Operators", request_body = CreateAccountBody,
    responses((status = 200, body = CreatedAccount), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn create_account(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<CreatedAccount>, ApiError> {
    request.operator()?;
    let body: CreateAccountBody = request.json()?;
    if !(1..=LONGEST_NAME).contains(&body.name.len()) {
        return Err(ApiError::invalid_field("name", "must have 1 to 200 bytes"));
    }
    let now = shared.exchange.now();
    let named = blocking(&shared, move |store| store.create_account(&body.name, now)).await?;
    let id = named.id;
    let opened = open(&shared, request.caller.valid_until, named, body.fee_tier).await;
    if let Err(ApiError { code: ErrorCode::Rejected(_), .. }) = &opened {
        // A failure is logged; the rejection is what the operator must know.
        let _ = blocking(&shared, move |store| store.forget_account(id)).await;
    }
    opened.map(Json)
}

/// Open an account that was named, but whose opening was interrupted.
#[utoipa::path(
    post, path = "/v1/admin/accounts/{id}/open", tag = "Operators", params(("id" = u32, Path)),
    responses((status = 200, body = CreatedAccount), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn open_account(
    State(shared): State<Arc<Shared>>,
    Segments(id): Segments<String>,
    request: SignedRequest,
) -> Result<Json<CreatedAccount>, ApiError> {
    request.operator()?;
    let named = named(&shared, &id).await?;
    open(&shared, request.caller.valid_until, named, 0).await.map(Json)
}

async fn open(
    shared: &Arc<Shared>,
    valid_until: Timestamp,
    named: store::Account,
    fee_tier: u8,
) -> Result<CreatedAccount, ApiError> {
    let command = Request::CreateAccount { account: named.id, fee_tier };
    let outcome = operate(shared, valid_until, command).await?;
    Ok(CreatedAccount {
        account: AdminAccount::new(&named, shared.views.account(named.id)),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    })
}

/// One account.
#[utoipa::path(
    get, path = "/v1/admin/accounts/{id}", tag = "Operators", params(("id" = u32, Path), MinSeq),
    responses((status = 200, body = AdminAccount), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn get_admin_account(
    State(shared): State<Arc<Shared>>,
    Segments(id): Segments<String>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<AdminAccount>, ApiError> {
    request.operator()?;
    let named = named(&shared, &id).await?;
    let home = min_seq::home(&shared, named.id);
    let asked = min_seq::marks(&shared, home, params.min_seq.as_deref())?;
    watermarks(&shared, named.id, &asked).await?;
    Ok(Json(AdminAccount::new(&named, shared.views.account(named.id))))
}

/// Balances of an account.
#[utoipa::path(
    get, path = "/v1/admin/accounts/{id}/balances", tag = "Operators",
    params(("id" = u32, Path), MinSeq),
    responses((status = 200, body = Balances), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_account_balances(
    State(shared): State<Arc<Shared>>,
    Segments(id): Segments<String>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<Balances>, ApiError> {
    request.operator()?;
    balances(&shared, AccountId(number("id", &id)?), &params).await.map(Json)
}

/// Freeze or unfreeze an account: frozen it may cancel, but not place or pay.
#[utoipa::path(
    put, path = "/v1/admin/accounts/{id}/frozen", tag = "Operators",
    params(("id" = u32, Path)), request_body = FreezeAccountBody,
    responses((status = 200, body = Done), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn freeze_account(
    State(shared): State<Arc<Shared>>,
    Segments(id): Segments<String>,
    request: SignedRequest,
) -> Result<Json<Done>, ApiError> {
    request.operator()?;
    let body: FreezeAccountBody = request.json()?;
    let command =
        Request::FreezeAccount { account: AccountId(number("id", &id)?), frozen: body.frozen };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    Ok(Json(done(&outcome)))
}

/// Put an account into a fee tier, for orders placed from now on.
#[utoipa::path(
    put, path = "/v1/admin/accounts/{id}/fee-tier", tag = "Operators",
    params(("id" = u32, Path)), request_body = SetAccountFeeTierBody,
    responses((status = 200, body = Done), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_account_fee_tier(
    State(shared): State<Arc<Shared>>,
    Segments(id): Segments<String>,
    request: SignedRequest,
) -> Result<Json<Done>, ApiError> {
    request.operator()?;
    let body: SetAccountFeeTierBody = request.json()?;
    let command = Request::SetAccountFeeTier {
        account: AccountId(number("id", &id)?),
        fee_tier: body.fee_tier,
    };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    Ok(Json(done(&outcome)))
}

async fn named(shared: &Shared, id: &str) -> Result<store::Account, ApiError> {
    let id = AccountId(number("id", id)?);
    let named = blocking(shared, move |store| store.account(id)).await?;
    named.ok_or_else(|| ApiError::from(RejectCode::UnknownAccount))
}
