//! What operators' machinery asks: alive, ready, figures.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use types::PartitionId;

use crate::breaker::{self, Breaker, Standing};
use crate::http::Routes;
use crate::http::metrics::render_rates;
use crate::state::Shared;

/// How many entries the views may be behind and still count as caught up.
const READY_LAG: u64 = 10_000;

/// How many seconds the log's time may be ahead of the clock.
const READY_AHEAD: u64 = 5;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get_unlimited("/livez", livez)
        .get_unlimited("/readyz", readyz)
        .get_unlimited("/metrics", metrics)
}

/// The process answers.
async fn livez() -> &'static str {
    "ok\n"
}

/// Whether to send traffic here: every partition takes commands, the views follow the log, its time is not
/// ahead of the clock, and no shutdown has begun.
async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    if shared.leaving.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    }
    let ahead = shared.exchange.ahead_of_clock().as_secs();
    if ahead > READY_AHEAD {
        let why = format!("the log is {ahead} s ahead of the clock: signed requests are refused\n");
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    }
    for partition in (0..shared.exchange.topology().partitions).map(PartitionId) {
        let feed = shared.exchange.feed(partition);
        let lag = feed.head().0.saturating_sub(shared.views.applied(partition).0);
        if feed.is_closed() {
            let why = format!("partition {partition} has stopped: it takes no commands\n");
            return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
        }
        if lag > READY_LAG {
            let why = format!("partition {partition}: the views are {lag} entries behind\n");
            return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
        }
    }
    format!("ok\n{}", standing(&shared)).into_response()
}

/// What is left alone because it has failed: the gateway serves what it can without it.
pub(crate) fn standing(shared: &Shared) -> String {
    let not_closed = |breaker: &&Breaker| breaker.standing() != Standing::Closed;
    let line = |breaker: &Breaker| format!("{} is {}\n", breaker.name(), breaker.standing().word());
    shared.breakers().filter(not_closed).map(line).collect()
}

/// Figures in the Prometheus text format.
async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let mut text = String::with_capacity(8 << 10);
    shared.metrics.render(shared.pending(), shared.views.quarantined().len(), &mut text);
    shared.metrics.pairs.render(&shared.views, &mut text);
    render_rates(&shared.rates, &mut text);
    shared.shedding.render(&mut text);
    breaker::render(shared.breakers(), &mut text);
    if let Some(tracer) = &shared.tracer {
        tracer.render(&mut text);
    }
    if let Some(more) = &shared.config.metrics {
        more(&mut text);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
