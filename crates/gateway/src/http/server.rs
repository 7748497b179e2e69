//! Connections: accepting, limits, TLS, and the graceful end of them.
//!
//! A shutdown is told at `/readyz` first, for `leave_after`; then it stops accepting, lets requests under way
//! finish and sockets say goodbye, all within `drain_timeout`, and then returns. A connection above its address's
//! share of the bound is answered with one 429. For one above the bound another one that has no request under
//! way is cut ([`super::idle`]); if there is none, it is answered with one 503. Both over TLS too, and closed;
//! there is a bound for these as well, beyond which they are closed unanswered.
//!
//! *Invariants:* no address can take all connections that there are, and all together cannot without requests
//! under way.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::unconstrained;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::idle::{Guest, Idle};
use super::patience::{Listening, Unstalled};
use crate::config::Limits;
use crate::error::GatewayCode;
use crate::limits::{Held, Level, Place, Rates, network};
use crate::state::Shared;

/// Connections above the bound that are told so at the same time.
const REFUSALS: usize = 1_024;
/// How long such a connection may take to ask and to be told.
const REFUSAL: Duration = Duration::from_secs(2);

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then drains.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    router: Router,
    listener: TcpListener,
    shutdown: CancellationToken,
) {
    let acceptor = shared.config.tls.clone().map(TlsAcceptor::from);
    let limits = &shared.config.limits;
    let held = Held::new(limits.connections, limits.address_percent, Level::HeldConnections);
    let server = Arc::new(Server {
        connection: connection_builder(limits),
        router,
        full: super::refusals(&shared, "refused", GatewayCode::TooManyConnections.into()),
        holds_too_many: super::refusals(&shared, "refused_address", held.refusal().into()),
        acceptor,
        head_timeout: limits.head_timeout,
        stall: limits.socket_stall,
        rates: Arc::clone(&shared.rates),
    });
    let permits = Arc::new(Semaphore::new(limits.connections));
    let places = Places { permits, held, idle: Arc::default() };
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let graceful = GracefulShutdown::new();
    let mut left = pin!(leave(&shared, &shutdown));
    loop {
        tokio::select! {
            () = &mut left => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => match places.room(&shared, from.ip()) {
                    Ok(room) => {
                        shared.metrics.connection_opened();
                        let task = Arc::clone(&server).connection((stream, from), graceful.watcher(), room);
                        let shared = Arc::clone(&shared);
                        tokio::spawn(async move {
                            task.await;
                            shared.metrics.connection_closed();
                        });
                    }
                    Err(lack) => {
                        shared.metrics.connection_refused();
                        if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                            tokio::spawn(Arc::clone(&server).refuse((stream, from), lack, permit));
                        }
                    }
                },
                Err(error) => pause_after(&error).await,
            },
        }
    }
    drop(listener);
    drain(&shared, graceful).await;
}

/// What connections take up.
struct Places {
    permits: Arc<Semaphore>,
    held: Arc<Held>,
    idle: Arc<Idle>,
}

/// What a connection takes up until it ends.
struct Room {
    /// Ends before the rest, so that nobody waits for the place of one that is not there any more.
    guest: Guest,
    /// One of its address, unless a trusted proxy has it.
    _of_address: Option<Place>,
    /// One of all.
    _of_all: OwnedSemaphorePermit,
}

/// Why there is no room for a connection.
#[derive(Clone, Copy)]
enum Lack {
    /// All are taken.
    Full,
    /// Its address holds as many as it may.
    HoldsTooMany,
}

impl Places {
    /// Room for a connection from `peer`: at once, or as soon as the one that gives way to it has ended.
    fn room(
        &self,
        shared: &Shared,
        peer: IpAddr,
    ) -> Result<impl Future<Output = Room> + Send + use<>, Lack> {
        let rates = &shared.rates;
        let holder = rates.holder(peer);
        let of_address = holder.map(|address| rates.noted(self.held.take(address))).transpose();
        let of_address = of_address.map_err(|_| Lack::HoldsTooMany)?;
        let address = network(peer);
        // In the queue before anybody ends: what is given back is for who has waited for longest. The budget of
        // the accepting task says nothing of what is free.
        let mut turn = Box::pin(unconstrained(Arc::clone(&self.permits).acquire_owned()));
        let free = turn.as_mut().now_or_never();
        if free.is_none() {
            if !self.idle.evict(address) {
                return Err(Lack::Full);
            }
            shared.metrics.connection_evicted();
        }
        let idle = Arc::clone(&self.idle);
        Ok(async move {
            let permit = match free {
                Some(permit) => permit,
                None => turn.await,
            };
            let of_all = permit.expect("it is never closed");
            Room { guest: idle.enter(address), _of_address: of_address, _of_all: of_all }
        })
    }
}

/// Until no more connections are to be taken: whoever sends them has had time to notice.
async fn leave(shared: &Shared, shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    shared.leaving.store(true, Ordering::Relaxed);
    tokio::time::sleep(shared.config.limits.leave_after).await;
}

/// Waits for requests and sockets, but not for ever.
async fn drain(shared: &Shared, graceful: GracefulShutdown) {
    shared.closing.cancel();
    shared.sockets.close();
    let all = async {
        tokio::join!(graceful.shutdown(), shared.sockets.wait());
    };
    if tokio::time::timeout(shared.config.limits.drain_timeout, all).await.is_err() {
        tracing::warn!("shutdown: some connections did not end in time and are cut");
    }
}

/// An error of one connection concerns nobody; a lack of descriptors needs a pause.
async fn pause_after(error: &io::Error) {
    if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        return;
    }
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

struct Server {
    connection: auto::Builder<TokioExecutor>,
    router: Router,
    /// Answers every request that there is no room.
    full: Router,
    /// That the address holds too many.
    holds_too_many: Router,
    acceptor: Option<TlsAcceptor>,
    /// From the accept to the first request, the handshake of TLS included.
    head_timeout: Duration,
    /// How long a client may take nothing of what it is sent.
    stall: Duration,
    rates: Arc<Rates>,
}

impl Server {
    /// One connection from its handshake to its end.
    async fn connection(
        self: Arc<Self>,
        stream: (TcpStream, SocketAddr),
        watcher: Watcher,
        room: impl Future<Output = Room>,
    ) {
        let Room { guest, .. } = &room.await;
        let served = self.serve(stream, Some((watcher, guest)), &self.router);
        tokio::select! {
            () = served => {}
            () = guest.evicted() => {}
        }
    }

    /// One connection that is told why there is no room for it.
    async fn refuse(
        self: Arc<Self>,
        stream: (TcpStream, SocketAddr),
        lack: Lack,
        _permit: OwnedSemaphorePermit,
    ) {
        let answers = match lack {
            Lack::Full => &self.full,
            Lack::HoldsTooMany => &self.holds_too_many,
        };
        let told = self.serve(stream, None, answers);
        let _ = tokio::time::timeout(REFUSAL, told).await;
    }

    async fn serve(
        &self,
        (stream, from): (TcpStream, SocketAddr),
        stays: Option<(Watcher, &Guest)>,
        router: &Router,
    ) {
        let deadline = Instant::now() + self.head_timeout;
        let (watcher, requests) = stays.map(|(watcher, guest)| (watcher, guest.requests())).unzip();
        let routers = (router.clone(), self.full.clone());
        let service = Listening::new(routers, from.ip(), Arc::clone(&self.rates), requests);
        // An answer is one small write: waiting to fill a packet would only delay it.
        let _ = stream.set_nodelay(true);
        let silence = service.silence(deadline);
        let stream = Unstalled::new(stream, self.stall);
        let all = async {
            match &self.acceptor {
                None => self.requests(stream, watcher, service).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        self.requests(stream, watcher, service).await;
                    }
                }
            }
        };
        tokio::select! {
            () = all => {}
            () = silence => {}
        }
    }

    async fn requests<S>(&self, stream: S, watcher: Option<Watcher>, service: Listening)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = self
            .connection
            .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        // Ends with an error when a client breaks off or sends nonsense: its own affair.
        let _ = match watcher {
            Some(watcher) => watcher.watch(connection).await,
            None => connection.await,
        };
    }
}

fn connection_builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        // Below 8 KiB hyper refuses the value.
        .max_buf_size(limits.head.max(8 << 10));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .max_header_list_size(limits.head as u32)
        .keep_alive_interval(limits.head_timeout)
        .enable_connect_protocol();
    builder
}
