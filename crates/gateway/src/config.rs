//! What a gateway can be told. Every bound that protects it has a value here.

use std::sync::Arc;
use std::time::Duration;

use types::AccountId;

use crate::limits::RateLimits;
use crate::spans::Tracing;

/// Appends figures in the Prometheus text format: how the node's counters reach `/metrics`.
pub type MetricsSource = Arc<dyn Fn(&mut String) + Send + Sync>;

/// Makes a snapshot of the running exchange: blocks until it is done, gives one line about it.
pub type SnapshotHook = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// Settings of a gateway. The default is plain HTTP with default limits and nothing optional.
#[derive(Clone, Default)]
pub struct GatewayConfig {
    /// Bounds and timeouts.
    pub limits: Limits,
    /// How fast clients may ask.
    pub rates: RateLimits,
    /// TLS with this certificate and key, or plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Lets browsers trade on a demonstration exchange without a key of their own.
    pub demo: Option<DemoAccess>,
    /// Further figures for `/metrics`.
    pub metrics: Option<MetricsSource>,
    /// Where spans of requests are sent, if anywhere.
    pub tracing: Option<Tracing>,
    /// What `POST /v1/admin/snapshot` does.
    pub snapshot: Option<SnapshotHook>,
}

/// The account that browsers of a demonstration exchange share.
#[derive(Clone, Debug)]
pub struct DemoAccess {
    /// Its number.
    pub account: AccountId,
}

/// Bounds of what clients may make the gateway hold or wait for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at the same time; more are turned away.
    pub connections: usize,
    /// How many percent of the connections, and of the WebSocket connections, one address may hold open at
    /// a time; from 1. Trusted proxies are not held to it, but the WebSocket connections of each of their
    /// clients are.
    pub address_percent: u32,
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of a request's head.
    pub head: usize,
    /// Commands that may wait for their answer at the same time.
    pub pending: usize,
    /// How long requests may wait for their turn before reads are refused, then orders. Zero, the
    /// default here, refuses none.
    pub shed_above: Duration,
    /// How long a client may take to send a request's head: from the accept to the end of the first one,
    /// and on an idle connection to the end of the next.
    pub head_timeout: Duration,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// How long the exchange may take to answer before the outcome is called unknown.
    pub answer_timeout: Duration,
    /// How long a read waits for the views to catch up.
    pub watermark_timeout: Duration,
    /// How long a gateway that was told to end says so at `/readyz` before it takes no more connections.
    pub leave_after: Duration,
    /// How long a shutdown waits for requests under way.
    pub drain_timeout: Duration,
    /// WebSocket connections at the same time.
    pub sockets: usize,
    /// Bytes of a WebSocket message from a client.
    pub socket_message: usize,
    /// Whether WebSocket messages are compressed for clients that offer it, and may be by them.
    pub socket_compression: bool,
    /// Subscriptions of one WebSocket connection.
    pub socket_subscriptions: usize,
    /// Orders of one WebSocket connection that may wait for their answer at the same time.
    pub socket_pending: usize,
    /// Messages that a WebSocket connection may send in a second, in the long run; more are refused.
    pub socket_rate: u32,
    /// Messages that it may send at once.
    pub socket_burst: u32,
    /// Messages refused for being too fast after which it is cut. They are forgotten in a minute.
    pub socket_refusals: u32,
    /// Messages that a WebSocket connection may lie behind before it is cut.
    pub socket_backlog: usize,
    /// Bytes that a channel keeps of its messages, so that connections may lie behind. What is compressed of
    /// them, which is always less, comes on top.
    pub socket_backlog_bytes: usize,
    /// A WebSocket client that is not heard of for so long is cut; it is pinged three times meanwhile.
    pub socket_silence: Duration,
    /// A client, of HTTP too, that takes nothing of what it is sent off the wire for so long is cut.
    pub socket_stall: Duration,
    /// Messages that a connection to the streams of the Binance dialect may send in a second before it is
    /// cut.
    pub stream_rate: u32,
    /// Streams of the Binance dialect that a connection may be subscribed to.
    pub stream_subscriptions: usize,
    /// How long a connection of the Binance dialect lives.
    pub stream_life: Duration,
    /// Subscriptions that read from the event log what they missed, at the same time.
    pub replays: usize,
    /// Entries of the log that one of these may look at.
    pub replay_entries: u64,
    /// Bytes of messages that one of these may give.
    pub replay_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            address_percent: 10,
            body: 64 << 10,
            head: 16 << 10,
            pending: 65_536,
            shed_above: Duration::ZERO,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(10),
            watermark_timeout: Duration::from_secs(2),
            leave_after: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
            sockets: 5_000,
            socket_message: 64 << 10,
            socket_compression: true,
            socket_subscriptions: 256,
            socket_pending: 1_024,
            socket_rate: 2_000,
            socket_burst: 4_000,
            socket_refusals: 1_000,
            socket_backlog: 4_096,
            socket_backlog_bytes: 2 << 20,
            socket_silence: Duration::from_secs(60),
            socket_stall: Duration::from_secs(30),
            stream_rate: 5,
            stream_subscriptions: 1_024,
            stream_life: Duration::from_secs(24 * 3_600),
            replays: 16,
            replay_entries: 2_000_000,
            replay_bytes: 4 << 20,
        }
    }
}
