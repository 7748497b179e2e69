//! Figures of the gateway: what `/metrics` shows. Each route holds its own counters, so that counting
//! a request costs a few atomic additions and no lookup.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use parking_lot::Mutex;
use websocket::Traffic;

use super::pair_metrics::PairMetrics;
use super::stages::StageMetrics;
use crate::breaker::Standing;
use crate::limits::{Rates, Together};
use crate::spans::Tracer;

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    2_500_000, 10_000_000,
];

/// All figures.
#[derive(Default)]
pub(crate) struct Metrics {
    routes: Mutex<Vec<Arc<RouteMetrics>>>,
    /// By trading pair.
    pub(crate) pairs: Arc<PairMetrics>,
    connections: AtomicI64,
    connections_refused: AtomicU64,
    connections_evicted: AtomicU64,
    /// From submitting a command to its answer.
    pub(crate) answers: Histogram,
    /// Where that time goes.
    pub(crate) stages: Arc<StageMetrics>,
    /// Makes spans, if tracing is on.
    tracer: Option<Arc<Tracer>>,
    /// Commands whose outcome the gateway could not tell.
    pub(crate) outcomes_unknown: AtomicU64,
    /// WebSocket connections now.
    pub(crate) sockets: AtomicI64,
    /// WebSocket messages sent.
    pub(crate) socket_messages: AtomicU64,
    /// What they cost on the wire.
    pub(crate) socket_traffic: Arc<Traffic>,
    /// WebSocket connections that were cut because they read too slowly.
    pub(crate) sockets_cut: AtomicU64,
}

/// Figures of one route and method.
pub(crate) struct RouteMetrics {
    method: &'static str,
    path: &'static str,
    /// By hundreds: 1xx to 5xx.
    statuses: [AtomicU64; 5],
    latency: Histogram,
    /// Of all routes.
    pub(super) stages: Arc<StageMetrics>,
    tracer: Option<Arc<Tracer>>,
}

/// Counts of durations.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

impl Metrics {
    pub(crate) fn new(tracer: Option<Arc<Tracer>>) -> Self {
        Self { tracer, ..Self::default() }
    }

    pub(crate) fn route(&self, method: &'static str, path: &'static str) -> Arc<RouteMetrics> {
        let route = Arc::new(RouteMetrics {
            method,
            path,
            statuses: Default::default(),
            latency: Histogram::default(),
            stages: Arc::clone(&self.stages),
            tracer: self.tracer.clone(),
        });
        self.routes.lock().push(Arc::clone(&route));
        route
    }

    /// Method and path of every route.
    #[cfg(test)]
    pub(crate) fn routes(&self) -> Vec<(&'static str, &'static str)> {
        self.routes.lock().iter().map(|route| (route.method, route.path)).collect()
    }

    pub(crate) fn connection_opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connection_closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connection_evicted(&self) {
        self.connections_evicted.fetch_add(1, Ordering::Relaxed);
    }

    /// Appends everything in the Prometheus text format; `pending` is the number of commands waiting,
    /// `quarantined` that of components that have failed.
    pub(crate) fn render(&self, pending: usize, quarantined: usize, out: &mut String) {
        let routes = self.routes.lock().clone();
        header(out, "outcry_http_requests_total", "counter", "Requests answered.");
        for route in &routes {
            route.render_statuses(out);
        }
        header(out, "outcry_http_request_seconds", "histogram", "Time to answer a request.");
        for route in routes.iter().filter(|route| route.latency.count() > 0) {
            let labels = format!("method=\"{}\",route=\"{}\"", route.method, route.path);
            route.latency.render("outcry_http_request_seconds", &labels, out);
        }
        header(
            out,
            "outcry_command_answer_seconds",
            "histogram",
            "From submitting a command to its durable answer.",
        );
        self.answers.render("outcry_command_answer_seconds", "", out);
        self.stages.render(out);
        let gauges = [
            (
                "outcry_http_connections",
                self.connections.load(Ordering::Relaxed),
                "Connections now.",
            ),
            ("outcry_commands_pending", pending as i64, "Commands that wait for their answer."),
            (
                "outcry_quarantined_components",
                quarantined as i64,
                "Markets, account slots and treasuries that have failed and wait for an operator.",
            ),
            ("outcry_sockets", self.sockets.load(Ordering::Relaxed), "WebSocket connections now."),
        ];
        for (name, value, help) in gauges {
            header(out, name, "gauge", help);
            let _ = writeln!(out, "{name} {value}");
        }
        let (name, sockets) = ("exchange_ws_connections_active", &self.sockets);
        header(out, name, "gauge", "WebSocket connections now, by the server that has them.");
        let _ = writeln!(out, "{name}{{server=\"gateway\"}} {}", sockets.load(Ordering::Relaxed));
        let counters = [
            (
                "outcry_http_connections_refused_total",
                &self.connections_refused,
                "Connections above the bound.",
            ),
            (
                "outcry_http_connections_evicted_total",
                &self.connections_evicted,
                "Connections without a request under way, cut for others when all places were taken.",
            ),
            (
                "outcry_outcomes_unknown_total",
                &self.outcomes_unknown,
                "Commands whose answer did not come in time.",
            ),
            ("outcry_socket_messages_total", &self.socket_messages, "WebSocket messages sent."),
            (
                "outcry_socket_bytes_total",
                &self.socket_traffic.bytes,
                "Bytes of WebSocket frames sent.",
            ),
            (
                "outcry_socket_compressions_total",
                &self.socket_traffic.compressions,
                "WebSocket messages that were compressed, each once for all who are sent it.",
            ),
            (
                "outcry_sockets_cut_total",
                &self.sockets_cut,
                "WebSocket connections cut for reading too slowly.",
            ),
        ];
        for (name, value, help) in counters {
            header(out, name, "counter", help);
            let _ = writeln!(out, "{name} {}", value.load(Ordering::Relaxed));
        }
    }
}

/// What limits refused, by level, and how much they remember.
pub(crate) fn render_rates(rates: &Rates, out: &mut String) {
    let name = "outcry_rate_limited_total";
    header(out, name, "counter", "Requests refused for coming too fast, by the limit.");
    for (level, count) in rates.refused() {
        let _ = writeln!(out, "{name}{{level=\"{level}\"}} {count}");
    }
    let (name, (addresses, keys)) = ("outcry_rate_limits_remembered", rates.remembered());
    header(out, name, "gauge", "Addresses and keys that limits remember.");
    let _ = writeln!(out, "{name}{{of=\"addresses\"}} {addresses}\n{name}{{of=\"keys\"}} {keys}");
    if let Some(together) = rates.together() {
        render_together(together, out);
    }
}

/// How limits that several gateways share are kept.
fn render_together(together: &Together, out: &mut String) {
    let name = "outcry_rate_limits_shared";
    header(
        out,
        name,
        "gauge",
        "1: limits are kept with other gateways; 0: within a share of them.",
    );
    let is_shared = together.breaker().standing() == Standing::Closed;
    let _ = writeln!(out, "{name} {}", u8::from(is_shared));
    let name = "outcry_rate_limits_asked_total";
    header(out, name, "counter", "Questions of limits to Redis, by whether it answered in time.");
    let (answered, failed) = together.asked();
    let _ = writeln!(out, "{name}{{result=\"answered\"}} {answered}");
    let _ = writeln!(out, "{name}{{result=\"failed\"}} {failed}");
}

impl RouteMetrics {
    /// Serves a request of this route, as a span if it is to be traced.
    pub(super) async fn traced(&self, request: Request, next: Next) -> Response {
        let Some(tracer) = &self.tracer else { return next.run(request).await };
        let trace = tracer.begin(request.headers());
        let name = (self.method, self.path);
        let status = |response: &Response| response.status().as_u16();
        tracer.trace(trace, name, next.run(request), status).await
    }

    pub(crate) fn answered(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.statuses[class].fetch_add(1, Ordering::Relaxed);
        self.latency.observe(took);
    }

    fn render_statuses(&self, out: &mut String) {
        for (class, count) in self.statuses.iter().enumerate() {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                let _ = writeln!(
                    out,
                    "outcry_http_requests_total{{method=\"{}\",route=\"{}\",status=\"{}xx\"}} {count}",
                    self.method,
                    self.path,
                    class + 1
                );
            }
        }
    }
}

impl Histogram {
    pub(crate) fn observe(&self, took: Duration) {
        let micros = took.as_micros() as u64;
        let bucket = BUCKETS.partition_point(|&bound| bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn render(&self, name: &str, labels: &str, out: &mut String) {
        let comma = if labels.is_empty() { "" } else { "," };
        let braces = |labels: &str| match labels {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        let mut below = 0;
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS.iter().map(Some).chain([None])) {
            below += bucket.load(Ordering::Relaxed);
            let bound = bound.map_or("+Inf".into(), |&micros| (micros as f64 / 1e6).to_string());
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}");
        }
        let seconds = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "{name}_sum{} {seconds}", braces(labels));
        let _ = writeln!(out, "{name}_count{} {below}", braces(labels));
    }
}

pub(crate) fn header(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_in_the_text_format_with_cumulative_buckets() {
        let metrics = Metrics::default();
        let route = metrics.route("GET", "/v1/time");
        route.answered(200, Duration::from_micros(90));
        route.answered(404, Duration::from_millis(3));
        let mut text = String::new();
        metrics.render(7, 2, &mut text);
        for line in [
            r#"outcry_http_requests_total{method="GET",route="/v1/time",status="2xx"} 1"#,
            r#"outcry_http_request_seconds_bucket{method="GET",route="/v1/time",le="0.0001"} 1"#,
            r#"outcry_http_request_seconds_bucket{method="GET",route="/v1/time",le="+Inf"} 2"#,
            r#"outcry_http_request_seconds_count{method="GET",route="/v1/time"} 2"#,
            "outcry_commands_pending 7",
            "outcry_quarantined_components 2",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\nnot in\n{text}");
        }
    }
}
