//! Tracing: where the time of single requests goes, for collectors of OpenTelemetry. Off unless a collector is named.
//!
//! A request is a span, and each of its commands has spans of its stages beneath it, made afterwards from the times
//! that are taken for `/metrics` anyway (`http::stages`). All have the partition and sequence of the entry
//! that answered, so that they join with the log: `outcry inspect` shows the same number. Commands over
//! a socket are traces of their own.
//!
//! The exporter is our own ([`export`]) because it is one JSON document over one HTTP request, while the crates of
//! OpenTelemetry bring protobuf, an HTTP client and a second set of span machinery, whose per-request cost would be
//! there as soon as it is on.
//!
//! *Invariants:* nothing waits for the collector; what it does not take is dropped and counted. When tracing is
//! off, a request pays the look at an absent option.

mod export;
mod parent;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, Uri};
use node::BatchTimes;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use types::{PartitionId, Seq};

use crate::breaker::Breaker;
use crate::http::metrics::header;
use parent::Parent;

pub(crate) use export::run;

/// Spans that wait for the exporter; further ones are dropped.
const WAITING: usize = 16_384;

/// Where spans are sent, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    collector: Uri,
    /// Of requests whose callers say nothing of tracing, one in so many is traced. At least 1.
    pub sample_every: u32,
}

impl Tracing {
    /// To the collector at this address, by OTLP over HTTP: `http://host:4318/v1/traces`.
    ///
    /// # Errors
    /// That it is no such address.
    pub fn new(collector: &str) -> Result<Self, &'static str> {
        let wrong = "no address of a collector, as http://127.0.0.1:4318/v1/traces is one";
        let collector: Uri = collector.parse().map_err(|_| wrong)?;
        if collector.scheme_str() != Some("http") || collector.host().is_none() {
            return Err(wrong);
        }
        Ok(Self { collector, sample_every: 1 })
    }
}

/// Makes spans.
pub(crate) struct Tracer {
    sample_every: u64,
    /// Requests that might have been traced.
    seen: AtomicU64,
    spans: mpsc::Sender<Span>,
    dropped: AtomicU64,
    exported: AtomicU64,
    collector: Uri,
    pub(crate) breaker: Breaker,
    waiting: Mutex<Option<mpsc::Receiver<Span>>>,
}

/// A piece of time.
#[derive(Clone, Debug)]
struct Span {
    trace: u128,
    id: u64,
    /// Zero if it has none.
    parent: u64,
    name: String,
    is_request: bool,
    begun: SystemTime,
    took: Duration,
    entry: Option<(PartitionId, Seq)>,
    status: Option<u16>,
}

/// A request that is traced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    trace: u128,
    /// The caller's span, or zero.
    parent: u64,
    /// The request's.
    id: u64,
    /// The entry that answered its last command.
    entry: Option<(PartitionId, Seq)>,
}

tokio::task_local! {
    /// That of the request that this task serves; nothing if it is not to be traced.
    static CURRENT: Cell<Option<Trace>>;
}

/// A command that was answered.
pub(crate) struct Command {
    pub(crate) submitted: Instant,
    pub(crate) batch: BatchTimes,
    pub(crate) woken: Instant,
    pub(crate) partition: PartitionId,
    pub(crate) seq: Seq,
}

impl Tracer {
    pub(crate) fn new(settings: &Tracing) -> Self {
        let (spans, waiting) = mpsc::channel(WAITING);
        Self {
            sample_every: settings.sample_every.max(1).into(),
            seen: AtomicU64::new(0),
            spans,
            dropped: AtomicU64::new(0),
            exported: AtomicU64::new(0),
            collector: settings.collector.clone(),
            breaker: Breaker::new("collector", 3, Duration::from_secs(5)),
            waiting: Mutex::new(Some(waiting)),
        }
    }

    /// The trace of a request with these headers, if it is traced: as its caller says, or by lot.
    pub(crate) fn begin(&self, headers: &HeaderMap) -> Option<Trace> {
        let (trace, parent) = match Parent::of(headers) {
            Some(Parent { is_sampled: false, .. }) => return None,
            Some(Parent { trace, span, .. }) => (trace, span),
            None => (self.drawn()?, 0),
        };
        Some(Trace { trace, parent, id: span_id(), entry: None })
    }

    /// A new trace, for one in so many.
    fn drawn(&self) -> Option<u128> {
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        number
            .is_multiple_of(self.sample_every)
            .then(|| u128::from(span_id()) << 64 | u128::from(span_id()))
    }

    /// Serves a request, traced or not; its span ends with the status that `status` reads off the answer.
    pub(crate) async fn trace<T>(
        &self,
        trace: Option<Trace>,
        (method, path): (&str, &str),
        request: impl Future<Output = T>,
        status: impl FnOnce(&T) -> u16,
    ) -> T {
        let begun = Instant::now();
        let served = async {
            let answer = request.await;
            (answer, CURRENT.with(Cell::get))
        };
        let (answer, traced) = CURRENT.scope(Cell::new(trace), served).await;
        let Some(Trace { trace, parent, id, entry }) = traced else { return answer };
        let ended = Instant::now();
        let name = format!("{method} {path}");
        let span = Span { entry, ..self.span(trace, parent, name, (begun, ended)) };
        self.send(Span { id, is_request: true, status: Some(status(&answer)), ..span });
        answer
    }

    /// A command of the request that this task serves was answered, or of a socket.
    pub(crate) fn answered(&self, command: &Command) {
        let Command { submitted, batch, woken, partition, seq } = *command;
        let entry = Some((partition, seq));
        let noted = CURRENT.try_with(|current| {
            let trace = current.get().map(|trace| Trace { entry, ..trace });
            current.set(trace);
            trace.map(|trace| (trace.trace, trace.id))
        });
        // Over a socket each command is a trace.
        let noted = noted.unwrap_or_else(|_| self.drawn().map(|trace| (trace, 0)));
        let Some((trace, parent)) = noted else { return };
        let taken = batch.begun.max(submitted);
        let whole = self.span(trace, parent, "command".to_owned(), (submitted, woken));
        let command = whole.id;
        self.send(Span { entry, ..whole });
        let stages = [
            ("queue", submitted, taken),
            ("match", taken, batch.applied),
            ("journal", batch.applied, batch.durable),
            ("reply", batch.durable, woken),
        ];
        for (name, from, to) in stages {
            self.send(Span { entry, ..self.span(trace, command, name.to_owned(), (from, to)) });
        }
    }

    fn span(&self, trace: u128, parent: u64, name: String, (from, to): (Instant, Instant)) -> Span {
        let begun = SystemTime::now() - from.elapsed();
        let took = to.saturating_duration_since(from);
        let (id, entry, status) = (span_id(), None, None);
        Span { trace, id, parent, name, is_request: false, begun, took, entry, status }
    }

    fn send(&self, span: Span) {
        if self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Appends the figures.
    pub(crate) fn render(&self, out: &mut String) {
        let name = "outcry_spans_total";
        header(out, name, "counter", "Spans of tracing, by what became of them.");
        for (result, count) in [("exported", &self.exported), ("dropped", &self.dropped)] {
            let _ =
                writeln!(out, "{name}{{result=\"{result}\"}} {}", count.load(Ordering::Relaxed));
        }
    }
}

impl Span {
    /// Nanoseconds since 1970 of its beginning and its end.
    fn times(&self) -> [u128; 2] {
        let begun = self.begun.duration_since(UNIX_EPOCH).unwrap_or_default();
        [begun.as_nanos(), (begun + self.took).as_nanos()]
    }
}

/// A number that no other has.
fn span_id() -> u64 {
    getrandom::u64().unwrap_or(1).max(1)
}
