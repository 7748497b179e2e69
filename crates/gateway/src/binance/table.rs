//! Every endpoint, once: path, security, weight, handler. `docs/compatibility.md` is checked against it.

use axum::http::Method;

use super::endpoint::{Endpoint, Security};
use super::market;

/// The handler as the table holds it.
macro_rules! run {
    ($handler:path) => {
        |call| Box::pin($handler(call))
    };
}

macro_rules! endpoint {
    ($method:ident $path:literal, $security:ident, $weight:expr, $handler:path) => {
        Endpoint::new(Method::$method, $path, Security::$security, $weight, run!($handler))
    };
}

/// The table.
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    endpoint!(GET "/api/v3/ping", Public, |_| 1, market::ping).also("/api/v1/ping"),
    endpoint!(GET "/api/v3/time", Public, |_| 1, market::time).also("/api/v1/time"),
    endpoint!(GET "/api/v3/exchangeInfo", Public, |_| 20, market::exchange_info)
        .also("/api/v1/exchangeInfo"),
    endpoint!(GET "/fapi/v1/exchangeInfo", Public, |_| 1, market::no_futures),
    endpoint!(GET "/dapi/v1/exchangeInfo", Public, |_| 1, market::no_futures),
    endpoint!(GET "/eapi/v1/exchangeInfo", Public, |_| 1, market::no_options),
    endpoint!(GET "/api/v3/depth", Public, market::depth_weight, market::depth)
        .also("/api/v1/depth"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_and_method_stands_twice() {
        let mut names: Vec<_> = ENDPOINTS
            .iter()
            .flat_map(|line| {
                let paths = [Some(line.path), line.alias];
                paths.into_iter().flatten().map(|path| (line.method.as_str(), path))
            })
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
