//! Sends spans to a collector: OTLP over HTTP, in JSON.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::Uri;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Span, Tracer};

/// Spans that are sent at once.
const MOST: usize = 512;
/// Between two sendings, so that spans gather.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of its answer that are looked at: the status is in the first line.
const ANSWER: u64 = 64 << 10;

/// Sends spans until `closing`, then what is left.
pub(crate) async fn run(tracer: Arc<Tracer>, closing: CancellationToken) {
    let Some(mut spans) = tracer.waiting.lock().take() else { return };
    let mut batch = Vec::with_capacity(MOST);
    while !closing.is_cancelled() {
        tokio::select! {
            () = closing.cancelled() => {}
            _ = spans.recv_many(&mut batch, MOST) => {
                tokio::select! {
                    () = closing.cancelled() => {}
                    () = sleep(PAUSE) => {}
                }
                send(&tracer, &mut batch, &mut spans).await;
            }
        }
    }
    send(&tracer, &mut batch, &mut spans).await;
}

/// Sends a batch and all that waits.
async fn send(tracer: &Tracer, batch: &mut Vec<Span>, spans: &mut Receiver<Span>) {
    loop {
        while batch.len() < MOST
            && let Ok(span) = spans.try_recv()
        {
            batch.push(span);
        }
        if batch.is_empty() {
            return;
        }
        let count = batch.len() as u64;
        let is_sent = post(tracer, batch).await;
        let counter = if is_sent { &tracer.exported } else { &tracer.dropped };
        counter.fetch_add(count, Ordering::Relaxed);
        batch.clear();
    }
}

async fn post(tracer: &Tracer, batch: &[Span]) -> bool {
    let Ok(leave) = tracer.breaker.leave() else { return false };
    let body = document(batch).to_string();
    let why = match timeout(PATIENCE, request(&tracer.collector, &body)).await {
        Ok(Ok(200..=299)) => {
            leave.succeeded();
            return true;
        }
        Ok(Ok(status)) => format!("status {status}"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {PATIENCE:?}"),
    };
    leave.failed(why);
    false
}

/// One request on a connection of its own; gives the status of the answer.
async fn request(collector: &Uri, body: &str) -> io::Result<u16> {
    let (host, port) = (collector.host().unwrap_or_default(), collector.port_u16().unwrap_or(80));
    let path = collector.path_and_query().map_or("/", |path| path.as_str());
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut stream = TcpStream::connect((bare, port)).await?;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER).read_to_end(&mut answer).await?;
    let status = answer.get(9..12).and_then(|digits| str::from_utf8(digits).ok());
    let status = status.filter(|_| answer.starts_with(b"HTTP/1."));
    status.and_then(|digits| digits.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Spans as an `ExportTraceServiceRequest`.
fn document(batch: &[Span]) -> Value {
    let service = json!({ "key": "service.name", "value": { "stringValue": "outcry" } });
    json!({ "resourceSpans": [{
        "resource": { "attributes": [service] },
        "scopeSpans": [{
            "scope": { "name": "outcry.gateway", "version": env!("CARGO_PKG_VERSION") },
            "spans": batch.iter().map(span).collect::<Vec<_>>(),
        }],
    }]})
}

fn span(span: &Span) -> Value {
    const INTERNAL: u8 = 1;
    const SERVER: u8 = 2;
    const ERROR: u8 = 2;
    let number =
        |key: &str, value: u64| json!({ "key": key, "value": { "intValue": value.to_string() } });
    let entry = span.entry.map(|(partition, seq)| {
        [number("outcry.partition", partition.0.into()), number("outcry.seq", seq.0)]
    });
    let status = span.status.map(|status| number("http.response.status_code", status.into()));
    let attributes: Vec<_> = entry.into_iter().flatten().chain(status).collect();
    let [begun, ended] = span.times();
    let mut value = json!({
        "traceId": format!("{:032x}", span.trace),
        "spanId": format!("{:016x}", span.id),
        "name": span.name,
        "kind": if span.is_request { SERVER } else { INTERNAL },
        "startTimeUnixNano": begun.to_string(),
        "endTimeUnixNano": ended.to_string(),
        "attributes": attributes,
        "status": {},
    });
    if span.parent != 0 {
        value["parentSpanId"] = format!("{:016x}", span.parent).into();
    }
    if span.status.is_some_and(|status| status >= 500) {
        value["status"] = json!({ "code": ERROR });
    }
    value
}
