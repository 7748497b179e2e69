//! JSON as clients see it, and its conversion from and to the vocabulary of the exchange.
//!
//! [`request`] turns texts into ticks, lots and atoms; [`answer`] turns them back. Prices, quantities
//! and amounts are decimal strings, ids are numbers, times are milliseconds since the Unix epoch.
//! Nothing else in the workspace knows these shapes.

pub(crate) mod answer;
pub(crate) mod error;
pub(crate) mod request;
pub(crate) mod word;

use serde::Deserialize;
use serde_json::error::Category;

use crate::error::{ApiError, GatewayCode};

/// Reads a body. Unknown fields are refused wherever the type says so.
///
/// # Errors
/// [`GatewayCode::InvalidJson`], [`GatewayCode::UnknownField`] or [`GatewayCode::InvalidField`].
pub(crate) fn read_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let code = match error.classify() {
            Category::Data if text.starts_with("unknown field") => GatewayCode::UnknownField,
            Category::Data => GatewayCode::InvalidField,
            Category::Syntax | Category::Eof | Category::Io => GatewayCode::InvalidJson,
        };
        ApiError::with(code, text)
    })
}
