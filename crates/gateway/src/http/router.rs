//! The table of contents of the API: each area adds its routes here.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, any, on};

use super::finish::finish;
use super::whole::to_its_end;
use crate::cache::{Life, keep};
use crate::error::{ApiError, GatewayCode};
use crate::limits::{Source, source, too_fast};
use crate::shedding::Kind;
use crate::state::Shared;
use crate::{account, admin, binance, demo, docs, health, market_data, orders, ws};

/// All routes of the gateway.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let routes = Routes::new(shared);
    let routes = market_data::routes(routes);
    let routes = orders::routes(routes);
    let routes = account::routes(routes);
    let routes = admin::routes(routes);
    let routes = demo::routes(routes);
    let routes = ws::routes(routes);
    let routes = binance::routes(routes);
    let routes = docs::routes(routes);
    let routes = health::routes(routes);
    routes.into_router()
}

/// What a connection that is turned away is told, whatever it asks: `why`. Metrics call it `name`.
pub(crate) fn refusals(shared: &Shared, name: &'static str, why: ApiError) -> Router {
    let measured = from_fn_with_state(shared.metrics.route("*", name), finish);
    let turn_away = async move |uri: Uri| {
        if binance::is_ours(uri.path()) { binance::turned_away(why) } else { why.into_response() }
    };
    Router::new().fallback(turn_away.layer(measured))
}

/// Routes under construction. Each one is named, timed and counted by [`finish`].
pub(crate) struct Routes {
    router: Router<Arc<Shared>>,
    shared: Arc<Shared>,
}

impl Routes {
    fn new(shared: Arc<Shared>) -> Self {
        Self { router: Router::new(), shared }
    }

    /// Adds a handler for `GET`.
    pub(crate) fn get<H: Handler<T, Arc<Shared>>, T: 'static>(
        self,
        path: &'static str,
        h: H,
    ) -> Self {
        self.add(Method::GET, path, h, true)
    }

    /// Adds a handler for `GET` of what is the same for everybody and is kept for a moment.
    pub(crate) fn get_kept<H: Handler<T, Arc<Shared>>, T: 'static>(
        self,
        path: &'static str,
        life: Life,
        h: H,
    ) -> Self {
        let kept = from_fn_with_state((Arc::clone(&self.shared), life), keep);
        self.add(Method::GET, path, h.layer(kept), true)
    }

    /// Adds a handler for `POST`.
    pub(crate) fn post<H: Handler<T, Arc<Shared>>, T: 'static>(
        self,
        path: &'static str,
        h: H,
    ) -> Self {
        self.add(Method::POST, path, h, true)
    }

    /// Adds a handler for `PUT`.
    pub(crate) fn put<H: Handler<T, Arc<Shared>>, T: 'static>(
        self,
        path: &'static str,
        h: H,
    ) -> Self {
        self.add(Method::PUT, path, h, true)
    }

    /// Adds a handler for `PATCH`.
    pub(crate) fn patch<H: Handler<T, Arc<Shared>>, T: 'static>(
        self,
        path: &'static str,
        h: H,
    ) -> Self {
        self.add(Method::PATCH, path, h, true)
    }

    /// Adds a handler for `DELETE`.
    pub(crate) fn delete<H: Handler<T, Arc<Shared>>, T: 'static>(
        self,
        path: &'static str,
        h: H,
    ) -> Self {
        self.add(Method::DELETE, path, h, true)
    }

    /// Adds a handler for `GET` of what the operator's machinery asks: it is under no limit.
    pub(crate) fn get_unlimited<H: Handler<T, Arc<Shared>>, T: 'static>(
        self,
        path: &'static str,
        h: H,
    ) -> Self {
        self.add(Method::GET, path, h, false)
    }

    fn add<H: Handler<T, Arc<Shared>>, T: 'static>(
        mut self,
        method: Method,
        path: &'static str,
        handler: H,
        is_limited: bool,
    ) -> Self {
        let (filter, name) = match method {
            Method::POST => (MethodFilter::POST, "POST"),
            Method::PUT => (MethodFilter::PUT, "PUT"),
            Method::PATCH => (MethodFilter::PATCH, "PATCH"),
            Method::DELETE => (MethodFilter::DELETE, "DELETE"),
            _ => (MethodFilter::GET, "GET"),
        };
        let metrics = self.shared.metrics.route(name, path);
        let measured = from_fn_with_state(metrics, finish);
        let is_command = method != Method::GET;
        let mut route = on(filter, handler);
        // What operators do has several steps; whatever else commands do is one entry of the log.
        if path.starts_with("/v1/admin/") && is_command {
            route = route.route_layer(from_fn(to_its_end));
        }
        if is_limited || is_command {
            let kind = if is_limited { Kind::of(&method, path) } else { Kind::Spared };
            let door = Door { shared: Arc::clone(&self.shared), kind, is_limited, is_command };
            route = route.route_layer(from_fn_with_state(door, pass));
        }
        let route = route.route_layer(measured);
        self.router = self.router.route(path, route);
        self
    }

    /// Adds a handler for a method of the Binance dialect, which has its own limits.
    pub(crate) fn route<H: Handler<T, Arc<Shared>>, T: 'static>(
        self,
        method: Method,
        path: &'static str,
        h: H,
    ) -> Self {
        self.add(method, path, h, false)
    }

    /// Adds a handler for everything beneath a path that has no route of its own.
    pub(crate) fn beneath<H: Handler<T, Arc<Shared>>, T: 'static>(
        mut self,
        root: &'static str,
        handler: H,
    ) -> Self {
        let metrics = self.shared.metrics.route("*", root);
        let measured = from_fn_with_state(metrics, finish);
        for path in [root.to_owned(), format!("{root}/{{*rest}}")] {
            let handler = handler.clone().layer(measured.clone());
            self.router = self.router.route(&path, any(handler));
        }
        self
    }

    fn into_router(self) -> Router {
        let metrics = self.shared.metrics.route("*", "unknown");
        let measured = from_fn_with_state(metrics, finish);
        self.router
            .fallback(unknown.layer(measured.clone()))
            .method_not_allowed_fallback(not_allowed.layer(measured))
            .with_state(self.shared)
    }
}

/// What a route has in front of its handler, beside its figures. One layer, since each costs a request several
/// allocations.
#[derive(Clone)]
struct Door {
    shared: Arc<Shared>,
    /// When it is refused under overload.
    kind: Kind,
    /// Whether the limits count that need no signature.
    is_limited: bool,
    /// Whether it may change something.
    is_command: bool,
}

/// Lets a request through, or says when to come again, at once while requests of its kind are refused. Who sent a
/// command reads what it did, from its answer on.
async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let Door { shared, kind, is_limited, is_command } = door;
    let source = source(request.extensions());
    if let Err(refusal) = shared.shedding.admit(kind) {
        return refusal.into_response();
    }
    if is_limited && let Some(refusal) = too_fast(&shared, source).await {
        return refusal.into_response();
    }
    let response = next.run(request).await;
    if is_command {
        shared.answers.note(source);
    }
    response
}

/// What no route has. Some clients double slashes or end paths with one.
async fn unknown(state: State<Arc<Shared>>, request: Request) -> Response {
    if binance::means(request.method(), request.uri().path()) {
        return binance::lenient(state, request).await;
    }
    refuse(&state, source(request.extensions()), GatewayCode::NotFound).await
}

/// A method that a path does not have.
async fn not_allowed(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let source = source(request.extensions());
    if binance::is_ours(request.uri().path()) {
        return binance::not_allowed(&shared, source).await;
    }
    refuse(&shared, source, GatewayCode::MethodNotAllowed).await
}

/// Limits count those, too, who ask for what there is not.
async fn refuse(shared: &Shared, source: Source, code: GatewayCode) -> Response {
    let error = too_fast(shared, source).await;
    error.unwrap_or_else(|| code.into()).into_response()
}
