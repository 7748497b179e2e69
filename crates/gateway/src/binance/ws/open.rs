//! What a socket's path asks for: `/ws`, `/ws/<a>/<b>`, `/stream?streams=<a>/<b>`, `/ws-api/v3`.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use websocket::Upgrade;

use super::link::MESSAGE;
use super::{api, connection};
use crate::binance::error::Error;
use crate::binance::params::{Params, decode};
use crate::binance::render::TimeUnit;
use crate::binance::serve::refused;
use crate::http::Routes;
use crate::state::Shared;
use crate::ws;

/// Where sockets are.
const ROOTS: [&str; 3] = ["ws", "stream", "ws-api"];

/// What a client asks for when it connects.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Streams(connection::Wish),
    Api(api::Wish),
}

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.beneath("/ws", open).beneath("/stream", open).beneath("/ws-api", open)
}

/// Whether a path leads to a socket, whatever slashes it has.
pub(crate) fn means(path: &str) -> bool {
    segments(path).next().is_some_and(|first| ROOTS.contains(&first))
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Opens a socket.
pub(crate) async fn open(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let client = ws::Client::of(&mut parts.extensions);
    let source = client.source;
    let most = shared.config.limits.stream_subscriptions;
    let wish = wish(parts.uri.path(), parts.uri.query().unwrap_or_default(), most);
    let weight = if matches!(wish, Ok(Wish::Api(_))) { api::WEIGHT } else { 0 };
    if let Err(refusal) = shared.limiter.connect(source, weight).await {
        return refused(&refusal);
    }
    let wish = match wish.and_then(|wish| with_known(&shared, wish)) {
        Ok(wish) => wish,
        Err(error) => return refused(&error),
    };
    let upgrade = match Upgrade::read(&mut parts) {
        Ok(upgrade) => upgrade,
        Err(why) => return ws::say_version(why, refused(&Error::new(-1000, why.to_string()))),
    };
    let gateway = Arc::clone(&shared);
    let response = match wish {
        Wish::Streams(wish) => {
            let serve = move |socket| connection::serve(socket, gateway, wish, source);
            ws::admit(&shared, upgrade, (MESSAGE, client), serve)
        }
        Wish::Api(wish) => {
            let serve = move |socket| api::serve(socket, gateway, wish, source);
            ws::admit(&shared, upgrade, (MESSAGE, client), serve)
        }
    };
    response.unwrap_or_else(|error| refused(&error.into()))
}

/// What is wished, if it names no more unknown streams than a connection may.
///
/// # Errors
/// -1130.
fn with_known(shared: &Shared, wish: Wish) -> Result<Wish, Error> {
    if let Wish::Streams(wish) = &wish
        && connection::count_unknown(shared, &wish.names) > connection::MOST_UNKNOWN
    {
        return Err(Error::invalid_data("streams"));
    }
    Ok(wish)
}

/// What a path and a query ask for.
///
/// # Errors
/// -1020 for another path, -1100, -1101, -1194, or -1130 for more than `most` streams.
fn wish(path: &str, query: &str, most: usize) -> Result<Wish, Error> {
    let params = Params::parse(query, b"")?;
    let unit = match params.get("timeUnit") {
        Some(name) => TimeUnit::from_name(name)?,
        None => TimeUnit::default(),
    };
    let mut path = segments(path);
    let root = path.next();
    if root == Some("ws-api") {
        if path.ne(["v3"]) {
            return Err(Error::unknown_path());
        }
        let limits = params.bool("returnRateLimits")?.unwrap_or(true);
        return Ok(Wish::Api(api::Wish { unit, limits }));
    }
    let combined = root == Some("stream");
    let mut names = Vec::new();
    for segment in path {
        names.push(decode(segment.as_bytes())?);
    }
    if combined {
        let streams = params.get("streams").unwrap_or_default();
        names.extend(segments(streams).map(str::to_owned));
    }
    let mut seen = HashSet::new();
    // No name has a space: it was a plus sign that was not encoded.
    let names = names.into_iter().map(|name| name.replace(' ', "+"));
    let names: Vec<String> = names.filter(|name| seen.insert(name.clone())).collect();
    if names.len() > most {
        return Err(Error::invalid_data("streams"));
    }
    Ok(Wish::Streams(connection::Wish { names, combined, unit }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, query: &str) -> (Vec<String>, bool, TimeUnit) {
        let Ok(Wish::Streams(wish)) = wish(path, query, 10) else { panic!("streams: {path}") };
        (wish.names, wish.combined, wish.unit)
    }

    fn names(path: &str, query: &str) -> (Vec<String>, bool) {
        let (names, combined, _) = read(path, query);
        (names, combined)
    }

    #[test]
    fn paths_name_streams_raw_and_combined() {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(names("/ws", ""), (list(&[]), false));
        assert_eq!(names("//ws/0/", ""), (list(&["0"]), false));
        assert_eq!(names("/ws/a@trade/b%40depth", ""), (list(&["a@trade", "b@depth"]), false));
        assert_eq!(names("/stream", ""), (list(&[]), true));
        let both = list(&["a@trade", "a@kline_1d@+08:00"]);
        assert_eq!(names("/stream", "streams=a@trade/a@kline_1d@%2B08:00"), (both, true));
        let plain = list(&["a@kline_1d@+08:00"]);
        assert_eq!(names("/stream", "streams=a@kline_1d@+08:00/"), (plain, true));
        assert_eq!(read("/ws", "timeUnit=microsecond").2, TimeUnit::Micro);
        assert_eq!(wish("/ws", "timeUnit=hour", 1).unwrap_err().code, -1194);
        assert_eq!(wish("/ws/a/b", "", 1).unwrap_err().code, -1130);
        assert!(means("//ws/x") && means("/stream/") && !means("/wss") && !means("/"));
    }

    #[test]
    fn the_api_has_one_path() {
        let unit = TimeUnit::Micro;
        let asked = wish("/ws-api/v3/", "returnRateLimits=false&timeUnit=MICROSECOND", 1).unwrap();
        assert_eq!(asked, Wish::Api(api::Wish { unit, limits: false }));
        for path in ["/ws-api", "/ws-api/v2", "/ws-api/v3/x"] {
            assert_eq!(wish(path, "", 1).unwrap_err().code, -1020, "{path}");
        }
    }
}
