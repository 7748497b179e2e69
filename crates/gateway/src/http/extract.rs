//! What handlers take from a request, with this crate's errors instead of the framework's.

use std::str::FromStr;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use types::{AccountId, OperatorName};

use crate::auth::{Caller, Signed};
use crate::error::{ApiError, GatewayCode};
use crate::limits::Class;
use crate::state::Shared;
use crate::wire::read_json;

/// A request whose signature was verified.
pub(crate) struct SignedRequest {
    /// Who signed it.
    pub(crate) caller: Caller,
    body: Bytes,
}

impl SignedRequest {
    /// The body as JSON; unknown fields are refused.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        read_json(&self.body)
    }

    /// The account of a key that may trade.
    pub(crate) fn trader(&self) -> Result<AccountId, ApiError> {
        self.account_with(self.caller.permissions.trade, "trade")
    }

    /// The account of a key that may move funds.
    pub(crate) fn payer(&self) -> Result<AccountId, ApiError> {
        self.account_with(self.caller.permissions.withdraw, "withdraw")
    }

    /// The account of a key that may read.
    pub(crate) fn reader(&self) -> Result<AccountId, ApiError> {
        self.account_with(self.caller.permissions.read, "read")
    }

    /// The operator whose key it is.
    pub(crate) fn operator(&self) -> Result<OperatorName, ApiError> {
        if self.caller.permissions.admin { Ok(self.caller.operator) } else { Err(lacks("admin")) }
    }

    fn account_with(
        &self,
        permitted: bool,
        permission: &'static str,
    ) -> Result<AccountId, ApiError> {
        if !permitted {
            return Err(lacks(permission));
        }
        self.caller.account.ok_or_else(|| {
            ApiError::with(GatewayCode::Forbidden, "this API key belongs to no account")
        })
    }
}

fn lacks(permission: &'static str) -> ApiError {
    ApiError::with(
        GatewayCode::Forbidden,
        format!("this API key lacks the permission \"{permission}\""),
    )
}

impl FromRequest<Arc<Shared>> for SignedRequest {
    type Rejection = ApiError;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let path_and_query = parts.uri.path_and_query().map_or("/", |text| text.as_str());
        let unread = Signed {
            key: required(&parts.headers, "x-outcry-key")?,
            timestamp: required(&parts.headers, "x-outcry-timestamp")?,
            window: optional(&parts.headers, "x-outcry-receive-window")?,
            signature: required(&parts.headers, "x-outcry-signature")?,
            method: parts.method.as_str(),
            path_and_query,
            body: &[],
        };
        let body = read_body(body, shared).await?;
        let signed = Signed { body: &body, ..unread };
        let caller = shared.auth.verify(&signed, shared.exchange.now())?;
        let class = Class::of(&parts.method, parts.uri.path());
        shared.charge(&caller.key, caller.account, class).await?;
        Ok(Self { caller, body })
    }
}

/// The whole body, if it is small enough and comes in time. One that announces its length is not read
/// if that is too large.
pub(crate) async fn read_body(body: Body, shared: &Shared) -> Result<Bytes, ApiError> {
    let limits = &shared.config.limits;
    if body.size_hint().lower() > limits.body as u64 {
        return Err(GatewayCode::BodyTooLarge.into());
    }
    let read = axum::body::to_bytes(body, limits.body);
    match tokio::time::timeout(limits.body_timeout, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(body_error(&error)),
        Err(_) => Err(GatewayCode::BodyIncomplete.into()),
    }
}

fn body_error(error: &axum::Error) -> ApiError {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.to_string() == "length limit exceeded" {
            return GatewayCode::BodyTooLarge.into();
        }
        source = cause.source();
    }
    GatewayCode::BodyIncomplete.into()
}

fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, ApiError> {
    optional(headers, name)?.ok_or_else(|| {
        ApiError::with(GatewayCode::Unauthorized, format!("the header {name} is missing"))
    })
}

fn optional<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let text = |value: &'a axum::http::HeaderValue| {
        value.to_str().map_err(|_| {
            ApiError::with(
                GatewayCode::Unauthorized,
                format!("the header {name} is not plain text"),
            )
        })
    };
    headers.get(name).map(text).transpose()
}

/// Query parameters; unknown ones are refused.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Shared>> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Shared>) -> Result<Self, ApiError> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(
            |rejection| {
                let text = rejection.body_text();
                let code = if text.contains("unknown field") {
                    GatewayCode::UnknownField
                } else {
                    GatewayCode::InvalidField
                };
                ApiError::with(code, text)
            },
        )
    }
}

/// Path parameters as they are written; handlers parse them with [`number`] or look them up.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Shared>> for Segments<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, ApiError> {
        let Path(segments) =
            Path::<T>::from_request_parts(parts, shared).await.map_err(|rejection| {
                ApiError::with(GatewayCode::InvalidField, rejection.body_text())
            })?;
        Ok(Self(segments))
    }
}

/// An id or number out of a text.
pub(crate) fn number<T: FromStr>(name: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::invalid_field(name, "not a whole number in range"))
}
