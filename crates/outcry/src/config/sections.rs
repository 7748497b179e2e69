//! The sections of the configuration. Their comments are the reference: `outcry config default`
//! prints them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use super::section::section;
use super::values::{Bytes, Forwarded, LogFormat, Profile, Span};

section! {
    /// Where everything is kept.
    Data "data" {
        /// The data directory. One process at a time.
        dir: PathBuf = PathBuf::from("./data");
    }
}

section! {
    /// Where clients connect.
    Listen "listen" {
        /// Address and port of HTTP and WebSocket.
        address: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    }
}

section! {
    /// TLS. Both files or none; none is plain HTTP.
    Tls "tls" {
        /// Certificate chain, PEM.
        cert: Option<PathBuf> = None;
        /// Private key, PEM.
        key: Option<PathBuf> = None;
    }
}

section! {
    /// How the exchange is spread over threads. Fixed when the data directory is made.
    Partitions "partitions" {
        /// Number of partitions, a thread and a log each.
        count: u16 = 1, 1 => 256;
        /// The partitions that keep accounts. Empty: about two fifths of them.
        ledgers: Vec<u16> = Vec::new();
        /// The partitions that new markets are spread over. Empty: the others.
        markets: Vec<u16> = Vec::new();
        /// Account numbers are below this.
        max_accounts: u32 = 1 << 20, 1_024 => 1 << 26;
        /// Client ids that are remembered for an account, at most.
        max_client_ids_per_account: u32 = 1 << 16, 16 => 1 << 20;
    }
}

section! {
    /// The command log, which is the truth.
    Journal "journal" {
        /// Size of a segment file. It is allocated whole before it is used.
        segment_size: Bytes = Bytes::mib(64), Bytes::mib(1) => Bytes::mib(4096);
        /// Largest batch of commands that is made durable at once.
        batch_size: Bytes = Bytes::mib(1), Bytes(64 << 10) => Bytes::mib(1);
        /// Whether segments below the oldest kept snapshot are removed. Without them the log can
        /// neither be verified from its beginning nor explained.
        trim: bool = false;
    }
}

section! {
    /// The event log, which feeds streams, views and SQL. It is derived: it can be deleted.
    Events "events" {
        /// Whether events are kept on disk. Without them only the most recent ones can be read.
        enabled: bool = true;
        /// How long they are kept.
        retention_time: Span = Span::days(7), Span::secs(60) => Span::days(36_500);
        /// How much of them is kept, for each partition.
        retention_size: Bytes = Bytes::mib(4096), Bytes::mib(16) => Bytes::mib(1 << 24);
        /// Size of a segment file.
        segment_size: Bytes = Bytes::mib(64), Bytes::mib(1) => Bytes::mib(4096);
        /// How many recent events of each partition are kept in memory for readers.
        recent: u32 = 1 << 15, 1 << 10 => 1 << 22;
    }
}

section! {
    /// Commands that wait for a partition's thread.
    Queue "queue" {
        /// How many may wait; a further one is refused at once, retryably.
        capacity: u32 = 16_384, 64 => 1 << 20;
        /// How many slots of these only cancels may take.
        reserved_for_cancels: u32 = 2_048, 1 => 1 << 19;
    }
}

section! {
    /// Snapshots shorten a restart. They are made by a child process at low priority.
    Snapshots "snapshots" {
        /// Whether they are made while the exchange runs.
        enabled: bool = true;
        /// One is made whenever a partition has this many new entries.
        every: u64 = 1_000_000, 1 => 1_u64 << 40;
        /// How many are kept of each partition.
        keep: u32 = 3, 1 => 1_000;
    }
}

section! {
    /// Bounds of what clients may make the gateway hold or wait for.
    GatewayLimits "gateway" {
        /// Connections at the same time; more are turned away.
        connections: u32 = 10_000, 1 => 1_000_000;
        /// How many percent of the connections, and of the WebSocket connections, one address may hold open
        /// at a time (of IPv6, a network of 64 bits). Proxies of limits.trusted_proxies may hold all of them;
        /// the WebSocket connections of their clients are counted for each client.
        address_percent: u32 = 10, 1 => 100;
        /// Bytes of a request's body.
        body: Bytes = Bytes(64 << 10), Bytes(1 << 10) => Bytes::mib(16);
        /// Bytes of a request's head.
        head: Bytes = Bytes(16 << 10), Bytes(8 << 10) => Bytes::mib(1);
        /// Commands that may wait for their answer at the same time.
        pending: u32 = 65_536, 16 => 1 << 20;
        /// How long requests may wait for their turn before reads are refused, then orders; cancels never are.
        /// Zero: nothing is. docs/operations.md tells what it does.
        shed_above: Span = Span::ms(10), Span::secs(0) => Span::secs(10);
        /// How long a client may take to send a request's head: from its connecting on, and when idle.
        head_timeout: Span = Span::secs(30), Span::ms(100) => Span::secs(3_600);
        /// How long a client may take to send a request's body.
        body_timeout: Span = Span::secs(10), Span::ms(100) => Span::secs(3_600);
        /// How long the exchange may take to answer before the outcome is called unknown.
        answer_timeout: Span = Span::secs(10), Span::ms(10) => Span::secs(60);
        /// How long a read waits for the views to catch up with an answer.
        watermark_timeout: Span = Span::secs(2), Span::ms(1) => Span::secs(60);
        /// How long a gateway that was told to end says so at /readyz before it takes no more connections:
        /// as long as the load balancer needs to notice.
        leave_after: Span = Span::ms(0), Span::ms(0) => Span::secs(600);
        /// How long a shutdown waits for requests under way.
        drain_timeout: Span = Span::secs(10), Span::ms(10) => Span::secs(600);
        /// WebSocket connections at the same time.
        sockets: u32 = 5_000, 1 => 1_000_000;
        /// Bytes of a WebSocket message from a client.
        socket_message: Bytes = Bytes(64 << 10), Bytes(1 << 10) => Bytes::mib(1);
        /// Whether WebSocket messages are compressed (permessage-deflate) for clients that offer it, and may
        /// be by them.
        socket_compression: bool = true;
        /// Subscriptions of one WebSocket connection.
        socket_subscriptions: u32 = 256, 1 => 65_536;
        /// Orders of one WebSocket connection that may wait for their answer at the same time.
        socket_pending: u32 = 1_024, 1 => 65_536;
        /// Messages that a WebSocket connection may send in a second, in the long run; more are
        /// refused.
        socket_rate: u32 = 2_000, 1 => 1_000_000;
        /// Messages that it may send at once.
        socket_burst: u32 = 4_000, 1 => 1_000_000;
        /// Messages refused for being too fast after which it is cut. They are forgotten in a minute.
        socket_refusals: u32 = 1_000, 1 => 1_000_000;
        /// Messages that a WebSocket connection may lie behind before it is cut.
        socket_backlog: u32 = 4_096, 16 => 1 << 20;
        /// Bytes that a channel keeps of its messages, so that connections may lie behind.
        socket_backlog_bytes: Bytes = Bytes::mib(2), Bytes(64 << 10) => Bytes::mib(1024);
        /// A WebSocket client that is not heard of for so long is cut; it is pinged three times
        /// meanwhile.
        socket_silence: Span = Span::secs(60), Span::ms(300) => Span::secs(3_600);
        /// A client, of HTTP or WebSocket, that takes nothing off the wire for so long is cut.
        socket_stall: Span = Span::secs(30), Span::ms(100) => Span::secs(3_600);
        /// Messages that a connection to the streams of the Binance dialect may send in a second before
        /// it is cut.
        stream_rate: u32 = 5, 1 => 1_000_000;
        /// Streams of the Binance dialect that a connection may be subscribed to.
        stream_subscriptions: u32 = 1_024, 1 => 65_536;
        /// How long a connection of the Binance dialect lives.
        stream_life: Span = Span::days(1), Span::ms(100) => Span::days(30);
        /// Subscriptions that read from the event log what they missed, at the same time.
        replays: u32 = 16, 1 => 1_024;
        /// Entries of the log that one of these may look at.
        replay_entries: u64 = 2_000_000, 1 => 1_u64 << 40;
        /// Bytes of messages that one of these may give.
        replay_bytes: Bytes = Bytes::mib(4), Bytes(64 << 10) => Bytes::mib(1024);
    }
}

section! {
    /// How fast clients may ask; docs/limits.md. A profile is "standard" (the numbers below), "binance" (weights and
    /// order counts of the Binance dialect, and no limits of keys; native paths take it as "standard") or "unlimited".
    RateLimits "limits" {
        /// Of the native API.
        native: Profile = Profile::Standard;
        /// Of the Binance dialect.
        dialect: Profile = Profile::Binance;
        /// Requests of everybody together in a second.
        all_per_second: u32 = 100_000, 1 => 100_000_000;
        /// Requests of one address in a minute.
        address_per_minute: u32 = 1_000, 1 => 100_000_000;
        /// Signed requests of one key in a minute, by the fee tier of its account from 0 on. The last number
        /// holds for all higher tiers, and for keys of operators.
        key_per_minute: Vec<u32> = vec![600, 6_000];
        /// The same, of those that place or change orders.
        orders_per_minute: Vec<u32> = vec![300, 3_000];
        /// How many addresses, and how many keys, are remembered: about 600 bytes each, and twice that.
        remembered: u32 = 65_536, 1_024 => 1 << 24;
        /// Networks of proxies that are believed when they name the client's address, as "10.0.0.0/8".
        trusted_proxies: Vec<IpNet> = Vec::new();
        /// Where they name it: "x-forwarded-for" or "forwarded".
        forwarded_header: Forwarded = Forwarded::XForwardedFor;
        /// The Redis (7 or later) over which several gateways keep these limits together, as
        /// "redis://:password@10.0.0.5:6379/0". Not set: each gateway limits on its own.
        redis: Option<String> = None;
        /// How many gateways there are: while Redis does not answer, each has so much of the limits.
        gateways: u32 = 1, 1 => 1_000;
        /// How long a request waits for Redis.
        redis_timeout: Span = Span::ms(50), Span::ms(1) => Span::secs(5);
        /// What names of keys in Redis begin with. Gateways with the same one share.
        redis_prefix: String = "outcry".to_owned();
    }
}

section! {
    /// Assets, markets and simulated participants, so that something moves. Only a data directory
    /// that was made with them has them.
    Demo "demo" {
        /// Whether a new data directory gets them.
        enabled: bool = true;
        /// Seed of the participants' choices.
        seed: u64 = 1;
        /// Orders a second of all participants together.
        orders_per_second: u32 = 15, 1 => 1_000;
    }
}

section! {
    /// The process's own log, on stderr.
    Log "log" {
        /// What is logged: a level (error, warn, info, debug, trace), or a list as
        /// "info,node=debug".
        filter: String = "info".to_owned();
        /// "text" or "json".
        format: LogFormat = LogFormat::Text;
    }
}

section! {
    /// Spans of requests for a collector of OpenTelemetry; docs/operations.md.
    Tracing "tracing" {
        /// Where they are sent, by OTLP over HTTP in JSON, as "http://127.0.0.1:4318/v1/traces". Not set: tracing is off.
        endpoint: Option<String> = None;
        /// Of requests whose callers say nothing of tracing (by the header `traceparent`), one in so many is traced.
        sample_every: u32 = 1, 1 => 1_000_000_000;
    }
}
