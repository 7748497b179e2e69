//! Market data from outside: what a message costs on the wire and in processor time, compressed and as it is.
//!
//! The real binary with its demonstration, whose traders make the messages. All readers of a run read one stream;
//! what the process takes without any reader is not counted.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::sleep;
use websocket::client::Client;

use super::founding::unbounded_exchange;
use crate::process::Process;
use crate::report::Report;

const READERS: usize = 500;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
/// The smallest window with which all messages are compressed; larger ones are sent the same bytes.
const OFFER: &str = "permessage-deflate; server_max_window_bits=12; client_max_window_bits";

const STREAMS: [(&str, &str); 5] = [
    ("trade", "btcusdt@trade"),
    ("depth", "btcusdt@depth@100ms"),
    ("depth20", "btcusdt@depth20@100ms"),
    ("kline", "btcusdt@kline_1s"),
    ("tickers", "!ticker@arr"),
];

/// What readers were sent.
#[derive(Default)]
struct Sent {
    messages: Cell<u64>,
    bytes: Cell<u64>,
}

/// Of one run.
struct Cost {
    messages: f64,
    bytes: f64,
    processor: Duration,
}

/// Every stream, without and with compression.
pub fn streams(report: &mut Report, folder: &Path) {
    let folder = super::made(folder, "streams");
    let server = Process::start(unbounded_exchange(&folder), &folder.join("server.log"));
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let run = |stream: &str, readers: usize, offer: Option<&'static str>| {
        LocalSet::new().block_on(&runtime, measure(&server, stream, readers, offer))
    };
    let idle = run("btcusdt@trade", 0, None).processor;
    for (name, stream) in STREAMS {
        for (kind, offer) in [("plain", None), ("deflated", Some(OFFER))] {
            let cost = run(stream, READERS, offer);
            let rate = cost.messages / MEASURED.as_secs_f64();
            let conditions = format!(
                "{stream}, {READERS} readers, {rate:.0} messages/s sent, demonstration, generator on the same machine"
            );
            let bytes = cost.bytes / cost.messages;
            report.add(&format!("stream_{name}_{kind}_bytes"), bytes, "bytes", &conditions);
            let micros = cost.processor.saturating_sub(idle).as_secs_f64() * 1e6 / cost.messages;
            report.add(&format!("stream_{name}_{kind}_cpu_us"), micros, "us", &conditions);
        }
    }
}

async fn measure(
    server: &Process,
    stream: &str,
    readers: usize,
    offer: Option<&'static str>,
) -> Cost {
    let sent = Rc::new(Sent::default());
    let tasks: Vec<_> = (0..readers)
        .map(|_| tokio::task::spawn_local(read(server.address, stream.into(), offer, sent.clone())))
        .collect();
    sleep(WARM_UP).await;
    let before = (sent.messages.get(), sent.bytes.get(), server.processor_time());
    sleep(MEASURED).await;
    let cost = Cost {
        messages: (sent.messages.get() - before.0) as f64,
        bytes: (sent.bytes.get() - before.1) as f64,
        processor: server.processor_time() - before.2,
    };
    for task in tasks {
        assert!(!task.is_finished(), "a reader was cut");
        task.abort();
    }
    cost
}

/// Reads for ever.
async fn read(address: SocketAddr, stream: String, offer: Option<&str>, sent: Rc<Sent>) {
    let connection = TcpStream::connect(address).await.expect("it listens");
    let path = format!("/ws/{stream}");
    let mut client = Client::open(connection, &path, offer).await.expect("a stream");
    assert_eq!(client.extensions.is_some(), offer.is_some());
    let mut known = 0;
    while client.next().await.expect("a connection").is_some() {
        sent.messages.update(|count| count + 1);
        sent.bytes.update(|bytes| bytes + client.received - known);
        known = client.received;
    }
}
