//! The live page at `/`: a few small files, embedded, without a build step and without anything from
//! elsewhere. A strict content security policy makes sure that it stays so.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;

use crate::http::Routes;

/// WebSockets are named since not every browser counts them to `'self'`.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/", async || file(HTML, include_str!("../../assets/index.html")))
        .get("/assets/style.css", async || file(CSS, include_str!("../../assets/style.css")))
        .get("/assets/icon.svg", async || file(SVG, include_str!("../../assets/icon.svg")))
        .get("/assets/app.js", async || file(SCRIPT, include_str!("../../assets/app.js")))
        .get("/assets/book.js", async || file(SCRIPT, include_str!("../../assets/book.js")))
        .get("/assets/chart.js", async || file(SCRIPT, include_str!("../../assets/chart.js")))
        .get("/assets/socket.js", async || file(SCRIPT, include_str!("../../assets/socket.js")))
        .get("/assets/trading.js", async || file(SCRIPT, include_str!("../../assets/trading.js")))
}

fn file(kind: &'static str, content: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // The files are small and change with the binary.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, content)
}
