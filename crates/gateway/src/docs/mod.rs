//! The API's description: an OpenAPI file made from the handlers, the list of error codes, and a page
//! that shows the former without a network.

mod error_codes;
mod openapi;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{Html, IntoResponse};

use crate::http::Routes;

pub use error_codes::error_codes_markdown;
pub use openapi::openapi_json;

const PAGE: &str = include_str!("page.html");
static OPENAPI: LazyLock<String> = LazyLock::new(openapi_json);

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.get("/docs", async || Html(PAGE)).get("/v1/openapi.json", async || {
        ([(header::CONTENT_TYPE, "application/json")], OPENAPI.as_str()).into_response()
    })
}
