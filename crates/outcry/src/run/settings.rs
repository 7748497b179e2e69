//! From the configuration to what each part of the exchange is told.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use gateway::{ForwardedHeader, Limits, MetricsSource, Profile, RateLimits, SharedLimits, Tracing};
use indicatif::ProgressBar;
use node::{EventLogConfig, Exchange, Node, NodeConfig, PartitionStats, Progress};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::consumers;
use crate::config::{self, Config, Forwarded, GatewayLimits};
use crate::exit::{Failure, Status};
use crate::progress;

/// How the node runs.
pub fn node(config: &Config, data: PathBuf) -> Result<NodeConfig, Failure> {
    let Config { journal, events, queue, snapshots, .. } = config;
    let event_log = EventLogConfig {
        segment_size: events.segment_size.0,
        max_bytes: Some(events.retention_size.0),
        max_age: Some(events.retention_time.0.as_nanos() as u64),
    };
    let binary = std::env::current_exe().map_err(Failure::of(Status::Io, "own path"))?;
    let words = ["snapshot", "{data}", "--partition", "{partition}", "--until", "{until}"];
    let command = std::iter::once(binary.into_os_string()).chain(words.map(Into::into));
    Ok(NodeConfig {
        topology: config.topology(),
        queue_capacity: queue.capacity as usize,
        queue_reserved: queue.reserved_for_cancels as usize,
        max_batch_bytes: journal.batch_size.0 as usize,
        segment_size: journal.segment_size.0,
        trim_commands: journal.trim,
        consumers: consumers::NAMES.map(str::to_owned).to_vec(),
        event_log: events.enabled.then_some(event_log),
        recent_events: events.recent as usize,
        snapshot_every: snapshots.enabled.then_some(snapshots.every),
        keep_snapshots: snapshots.keep as usize,
        snapshot_command: Some(command.collect()),
        ..NodeConfig::new(data)
    })
}

/// The gateway's bounds.
pub fn limits(told: &GatewayLimits) -> Limits {
    Limits {
        connections: told.connections as usize,
        address_percent: told.address_percent,
        body: told.body.0 as usize,
        head: told.head.0 as usize,
        pending: told.pending as usize,
        shed_above: told.shed_above.0,
        head_timeout: told.head_timeout.0,
        body_timeout: told.body_timeout.0,
        answer_timeout: told.answer_timeout.0,
        watermark_timeout: told.watermark_timeout.0,
        leave_after: told.leave_after.0,
        drain_timeout: told.drain_timeout.0,
        sockets: told.sockets as usize,
        socket_message: told.socket_message.0 as usize,
        socket_compression: told.socket_compression,
        socket_subscriptions: told.socket_subscriptions as usize,
        socket_pending: told.socket_pending as usize,
        socket_rate: told.socket_rate,
        socket_burst: told.socket_burst,
        socket_refusals: told.socket_refusals,
        socket_backlog: told.socket_backlog as usize,
        socket_backlog_bytes: told.socket_backlog_bytes.0 as usize,
        socket_silence: told.socket_silence.0,
        socket_stall: told.socket_stall.0,
        stream_rate: told.stream_rate,
        stream_subscriptions: told.stream_subscriptions as usize,
        stream_life: told.stream_life.0,
        replays: told.replays as usize,
        replay_entries: told.replay_entries,
        replay_bytes: told.replay_bytes.0 as usize,
    }
}

/// The gateway's limits.
pub fn rates(told: &config::RateLimits) -> RateLimits {
    RateLimits {
        native: profile(told.native),
        dialect: profile(told.dialect),
        all_per_second: told.all_per_second,
        address_per_minute: told.address_per_minute,
        key_per_minute: told.key_per_minute.clone(),
        orders_per_minute: told.orders_per_minute.clone(),
        remembered: told.remembered as usize,
        trusted_proxies: told.trusted_proxies.clone(),
        forwarded_header: match told.forwarded_header {
            Forwarded::XForwardedFor => ForwardedHeader::XForwardedFor,
            Forwarded::Forwarded => ForwardedHeader::Forwarded,
        },
        shared: told.redis.as_ref().map(|address| shared(told, address)),
    }
}

fn shared(told: &config::RateLimits, address: &str) -> SharedLimits {
    let shared = SharedLimits::new(address, told.gateways);
    let mut shared = shared.expect("looked at with the configuration");
    shared.timeout = told.redis_timeout.0;
    shared.prefix.clone_from(&told.redis_prefix);
    shared
}

fn profile(told: config::Profile) -> Profile {
    match told {
        config::Profile::Standard => Profile::Standard,
        config::Profile::Binance => Profile::Binance,
        config::Profile::Unlimited => Profile::Unlimited,
    }
}

/// Where spans are sent, if anywhere.
pub fn tracing(told: &config::Tracing) -> Option<Tracing> {
    let endpoint = told.endpoint.as_deref()?;
    let mut tracing = Tracing::new(endpoint).expect("looked at with the configuration");
    tracing.sample_every = told.sample_every;
    Some(tracing)
}

/// Certificate chain and key, read once.
pub fn tls((cert, key): (&PathBuf, &PathBuf)) -> Result<Arc<ServerConfig>, Failure> {
    let wrong = |path: &PathBuf, error: &dyn std::fmt::Display| {
        Failure::new(Status::Config, format_args!("{}: {error}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(cert, &error))?;
    if chain.is_empty() {
        return Err(wrong(cert, &"there is no certificate in it (PEM is expected)"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        pem::Error::NoItemsFound => wrong(key, &"there is no private key in it (PEM is expected)"),
        error => wrong(key, &error),
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(cert, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| {
            wrong(cert, &format_args!("does not go with the key {}: {error}", key.display()))
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// One bar over all partitions.
pub fn replay_progress() -> Progress {
    let bar: Mutex<Option<ProgressBar>> = Mutex::new(None);
    Arc::new(move |_, done, all| {
        let mut bar = bar.lock();
        let bar = bar.get_or_insert_with(|| progress::bar("replaying the log", all));
        bar.set_position(done);
        if done >= all {
            bar.finish_and_clear();
        }
    })
}

/// The node's counters for `/metrics`, in the Prometheus text format.
pub fn metrics(node: Weak<Node>) -> MetricsSource {
    type Figure = (&'static str, &'static str, &'static str, fn(&PartitionStats) -> f64);
    const FIGURES: [Figure; 8] = [
        ("outcry_log_entries_total", "counter", "Entries made durable.", |s| s.entries as f64),
        ("outcry_log_batches_total", "counter", "Batches, a sync each.", |s| s.batches as f64),
        ("outcry_refused_total", "counter", "Requests refused for lack of room.", |s| {
            s.refused as f64
        }),
        ("outcry_log_seq", "gauge", "The last durable entry.", |s| s.last_seq.0 as f64),
        ("outcry_queue_length", "gauge", "Requests that wait.", |s| s.queue_len as f64),
        ("outcry_outbox_length", "gauge", "Messages not acknowledged.", |s| s.outbox_len as f64),
        ("outcry_sync_p50_seconds", "gauge", "Median of a durable write.", |s| {
            s.sync_p50 as f64 / 1e9
        }),
        ("outcry_sync_p99_seconds", "gauge", "99 % of durable writes.", |s| {
            s.sync_p99 as f64 / 1e9
        }),
    ];
    Arc::new(move |text| {
        let Some(node) = node.upgrade() else { return };
        let (name, ahead) = ("outcry_log_ahead_of_clock_seconds", node.ahead_of_clock());
        let _ = writeln!(text, "# HELP {name} By how much the log's time is ahead of the clock.");
        let _ = writeln!(text, "# TYPE {name} gauge\n{name} {}", ahead.as_secs_f64());
        let stats = node.stats();
        for (name, kind, help, value) in FIGURES {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for partition in &stats.partitions {
                let id = partition.partition;
                let _ = writeln!(text, "{name}{{partition=\"{id}\"}} {}", value(partition));
            }
        }
    })
}
