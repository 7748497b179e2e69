//! API keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::{Credential, NewKey, Permissions, StoreError};
use types::{AccountId, RejectCode, Timestamp};
use utoipa::IntoParams;

use crate::auth::{IssuedKey, issue_hmac, parse_public_key};
use crate::error::{ApiError, GatewayCode};
use crate::history::blocking;
use crate::http::extract::{Params, Segments, SignedRequest};
use crate::state::Shared;
use crate::wire::answer::{CreatedKey, Key, Keys, RevokedKey};
use crate::wire::error::ErrorBody;
use crate::wire::request::CreateKeyBody;

/// Whose keys.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListKeysParams {
    /// Of one account, or all.
    pub(crate) account: Option<u32>,
}

/// API keys, revoked ones too.
#[utoipa::path(
    get, path = "/v1/admin/keys", tag = "Operators", params(ListKeysParams),
    responses((status = 200, body = Keys), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_keys(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<ListKeysParams>,
    request: SignedRequest,
) -> Result<Json<Keys>, ApiError> {
    request.operator()?;
    let account = params.account.map(AccountId);
    let keys = blocking(&shared, move |store| store.list_keys(account)).await?;
    Ok(Json(Keys { keys: keys.iter().map(Key::new).collect() }))
}

/// Make an API key for HMAC-SHA256, whose secret is shown this once, or register a public key.
#[utoipa::path(
    post, path = "/v1/admin/keys", tag = "Operators", request_body = CreateKeyBody,
    responses((status = 200, body = CreatedKey), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn create_key(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<CreatedKey>, ApiError> {
    let operator = request.operator()?;
    let body: CreateKeyBody = request.json()?;
    let issued = issue_hmac()?;
    let mut new = new_key(&body, &issued, shared.exchange.now())?;
    // Whoever makes an admin key makes another of their own: never a second pair of eyes.
    new.operator = new.permissions.admin.then(|| operator.to_string());
    let shows_secret = body.public_key.is_none();
    let stored = Arc::clone(&shared);
    let created = blocking(&shared, move |store| {
        let created = match store.create_key(&new) {
            Err(StoreError::UnknownAccount(_)) => return Ok(None),
            created => created?,
        };
        stored.auth.load_key(store, &created.key_id)?;
        Ok(Some(created))
    });
    let created = created.await?.ok_or(RejectCode::UnknownAccount)?;
    Ok(Json(CreatedKey { key: Key::new(&created), secret: shows_secret.then_some(issued.secret) }))
}

/// Revoke an API key: from the answer on no request with it is taken, and sockets that are logged in
/// with it are closed. One that is revoked already is answered alike.
#[utoipa::path(
    delete, path = "/v1/admin/keys/{key}", tag = "Operators", params(("key" = String, Path)),
    responses((status = 200, body = RevokedKey), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn revoke_key(
    State(shared): State<Arc<Shared>>,
    Segments(key): Segments<String>,
    request: SignedRequest,
) -> Result<Json<RevokedKey>, ApiError> {
    request.operator()?;
    let now = shared.exchange.now();
    let name = key.clone();
    let is_known =
        blocking(&shared, move |store| Ok(store.revoke_key(&name, now)? || store.has_key(&name)?));
    if !is_known.await? {
        return Err(GatewayCode::KeyNotFound.into());
    }
    shared.auth.forget(&key);
    Ok(Json(RevokedKey { key }))
}

fn new_key(body: &CreateKeyBody, issued: &IssuedKey, now: Timestamp) -> Result<NewKey, ApiError> {
    let permissions = body.permissions();
    if permissions == Permissions::default() {
        return Err(ApiError::invalid_field("permissions", "a key needs at least one"));
    }
    if body.account.is_none() && (permissions.trade || permissions.withdraw) {
        return Err(ApiError::invalid_field("account", "a key that trades or withdraws needs one"));
    }
    let account = body.account.map(AccountId);
    let mut new = issued.to_store(account, permissions, &body.label, now);
    if let Some(text) = &body.public_key {
        let why = "neither an Ed25519 public key nor an RSA one of 2048 to 4096 bits";
        let public =
            parse_public_key(text).ok_or_else(|| ApiError::invalid_field("public_key", why))?;
        new.last4 = last4(&public);
        new.credential = public;
    }
    Ok(new)
}

/// The end of a public key, in hexadecimal; of an RSA key that of its modulus, since exponents are alike.
fn last4(credential: &Credential) -> String {
    match credential {
        Credential::Hmac(_) => String::new(),
        Credential::Ed25519(public) => hex::encode(&public[30..]),
        // Behind the modulus come tag, length and the three bytes of the usual exponent.
        Credential::Rsa(public) => hex::encode(&public[public.len() - 7..public.len() - 5]),
    }
}
