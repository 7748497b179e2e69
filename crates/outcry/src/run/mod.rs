//! `outcry run`: wires the parts of the exchange, serves until told to stop, and stops in order.

mod consumers;
mod first_key;
mod served;
mod settings;
mod signals;
mod views_file;

pub use first_key::was_shown;

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use gateway::{DemoAccess, Gateway, GatewayConfig};
use node::{DataDir, Exchange, Node, NodeError, NodeHooks};
use served::Served;
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use types::PartitionId;
use views::Views;
use views_file::ViewsFile;

use crate::cli::RunArgs;
use crate::config::Config;
use crate::demo::{self, Demo};
use crate::exit::{Failure, Status};
use crate::logging;

/// Runs the exchange until a signal.
pub fn run(args: &RunArgs) -> Result<Status, Failure> {
    let config = Config::from_args(args)?;
    logging::start(&config.log);
    logging::stop_on_panic();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Answers are woken by the partitions' threads, which puts them in the shared queue. Left to itself a
        // worker looks there once in up to 127 tasks, so that new requests keep overtaking answers.
        .global_queue_interval(2)
        .enable_all()
        .build()
        .map_err(Failure::of(Status::Io, "cannot start the runtime"))?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<Status, Failure> {
    let shutdown = CancellationToken::new();
    signals::listen(shutdown.clone())?;

    // 1. The address first: that it is taken should show before anything is changed.
    let listener = listen(config.listen.address).await?;
    let tls = config.tls_files().map(settings::tls).transpose()?;

    // 2. The exchange: logs are recovered, partitions run.
    let data = absolute(&config.data.dir)?;
    let doing = format!("cannot create {}", data.display());
    std::fs::create_dir_all(&data).map_err(Failure::of(Status::CannotCreate, &doing))?;
    warn_if_readable_by_others(&data);
    let node = start_node(&config, data.clone()).await?;
    announce(format_args!("outcry {}", env!("CARGO_PKG_VERSION")));
    announce(format_args!("data directory {}", data.display()));

    // 3. SQL, and the first operator's key.
    let store = Store::open(&data).map_err(Failure::of(Status::Io, "cannot open the store"))?;
    let store = Arc::new(store);
    first_key::show_if_needed(&data, &store, node.now())?;

    // 4. Consumers of events: the views catch up, the SQL history follows on its own thread.
    let views_file = views_file(&data)?;
    let views = consumers::views(&node, &data, &views_file)?;
    let consumers = consumers::start(&node, &data, (&views, views_file), &store)?;

    // 5. The demonstration, if this data directory was made for it: the mark is older than the exchange,
    // so that a start which was interrupted is finished here.
    let demo = match demo::is_marked(&data) {
        true => Some(found_demo(&node, &views, &store, &config).await?),
        false => None,
    };
    // Whoever is let in finds the markets.
    consumers::bring_up_to_date(&node, &data, &views)?;

    // 6. What the directory does not know of the log: it was lost, or is an old one. (The demonstration
    // names its accounts itself.)
    let warnings = gateway::mend_directory(&store, &views, node.now());
    for warning in warnings.map_err(Failure::of(Status::Io, "cannot read the directory"))? {
        tracing::warn!("{warning}");
    }

    // 7. The door.
    let gateway_config = GatewayConfig {
        limits: settings::limits(&config.gateway),
        rates: settings::rates(&config.limits),
        tls,
        demo: demo.as_ref().map(|demo| DemoAccess { account: demo.visitor }),
        tracing: settings::tracing(&config.tracing),
        metrics: Some(settings::metrics(Arc::downgrade(&node))),
        snapshot: Some(snapshot_hook(Arc::downgrade(&node))),
    };
    let exchange = Served::new(Arc::clone(&node), data, Arc::clone(&views));
    let exchange = Arc::new(exchange) as Arc<dyn Exchange>;
    let gateway = Gateway::build(gateway_config, exchange, views, store)
        .map_err(Failure::of(Status::Io, "cannot start the gateway"))?;
    let scheme = if config.tls_files().is_some() { "https" } else { "http" };
    let bound = listener.local_addr().map_err(Failure::of(Status::Io, "no local address"))?;
    announce(format_args!("listening on {scheme}://{bound}"));
    gateway.run(listener, shutdown).await;

    // 8. The end, from the outside to the inside.
    tracing::info!("stopping");
    let stopped = tokio::task::spawn_blocking(move || {
        drop(demo);
        consumers.finish(|| stop_node(node));
    });
    stopped.await.map_err(Failure::of(Status::Software, "stopping"))?;
    tracing::info!("stopped");
    Ok(Status::Ok)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => {
                ": another process listens there; stop it or choose another address"
            }
            ErrorKind::AddrNotAvailable => ": it is none of this machine's",
            _ => "",
        };
        Failure::new(
            Status::Unavailable,
            format_args!("cannot listen on {address}: {error}{advice}"),
        )
    })
}

async fn start_node(config: &Config, data: PathBuf) -> Result<Arc<Node>, Failure> {
    let node_config = settings::node(config, data)?;
    let is_demo = config.demo.enabled;
    let hooks = NodeHooks {
        progress: settings::replay_progress(),
        before_founding: Arc::new(move |data| if is_demo { demo::mark(data) } else { Ok(()) }),
        ..NodeHooks::default()
    };
    let started = tokio::task::spawn_blocking(move || Node::start(node_config, hooks)).await;
    let node = started.map_err(Failure::of(Status::Software, "recovery"))?.map_err(|error| {
        let status = match &error {
            NodeError::InUse { .. } => Status::CannotCreate,
            NodeError::TopologyChanged { .. } | NodeError::InvalidTopology => Status::Config,
            _ => Status::Io,
        };
        Failure::new(status, error)
    })?;
    for recovered in node.recovery() {
        tracing::info!(
            partition = recovered.partition.0,
            snapshot = recovered.snapshot_seq.0,
            replayed = recovered.replayed,
            last = recovered.last_seq.0,
            sealed = recovered.sealed,
            "recovered in {:?}",
            recovered.duration
        );
        for reason in &recovered.skipped_snapshots {
            tracing::warn!("snapshot skipped: {reason}");
        }
        if let Some(torn) = &recovered.torn {
            tracing::warn!("cut what was never acknowledged: {torn:?}");
        }
    }
    Ok(Arc::new(node))
}

/// The views' snapshot of the exchange that was founded here.
fn views_file(data: &std::path::Path) -> Result<ViewsFile, Failure> {
    let founding = DataDir::new(data).founding();
    let founding = founding.map_err(Failure::of(Status::Io, "data directory"))?;
    Ok(ViewsFile::new(data, founding.expect("the node has founded it").cluster))
}

async fn found_demo(
    node: &Arc<Node>,
    views: &Arc<Views>,
    store: &Arc<Store>,
    config: &Config,
) -> Result<Demo, Failure> {
    let exchange = Arc::clone(node) as Arc<dyn Exchange>;
    let (views, store, settings) = (Arc::clone(views), Arc::clone(store), config.demo.clone());
    let founding =
        tokio::task::spawn_blocking(move || Demo::start(exchange, views, &store, &settings));
    founding.await.map_err(Failure::of(Status::Software, "demo"))?
}

/// Makes a snapshot of every partition.
fn snapshot_hook(node: Weak<Node>) -> gateway::SnapshotHook {
    Arc::new(move || {
        let node = node.upgrade().ok_or("the exchange is stopping")?;
        let mut said = Vec::new();
        for partition in (0..node.topology().partitions).map(PartitionId) {
            let outcome = node.request_snapshot(partition).recv();
            let made = outcome.map_err(|_| "the exchange is stopping".to_owned())??;
            said.push(format!("partition {partition}: after entry {}", made.seq));
        }
        Ok(said.join("; "))
    })
}

/// Whoever still holds the node at this point would keep it from being sealed.
fn stop_node(mut node: Arc<Node>) {
    for _ in 0..1_000 {
        match Arc::try_unwrap(node) {
            Ok(node) => return node.stop(),
            Err(shared) => node = shared,
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    tracing::error!("the exchange is still in use; it ends as in a crash");
}

/// What this process creates is private; a directory that was there before may not be.
fn warn_if_readable_by_others(data: &std::path::Path) {
    let mode = std::fs::metadata(data).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        let data = data.display();
        tracing::warn!("{data} is open to other users of this machine: chmod -R go= {data}");
    }
}

fn absolute(path: &std::path::Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::of(Status::CannotCreate, "data directory"))
}

/// A line on stdout for whoever started this; nobody may be reading any more.
fn announce(line: std::fmt::Arguments<'_>) {
    let _ = print(line);
}

fn print(line: std::fmt::Arguments<'_>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush())
}
