//! Connections: accepting, limits, TLS, and the graceful end of them.
//!
//! A shutdown stops accepting, lets requests under way finish and sockets say goodbye, all within
//! `drain_timeout`, and then returns. What a client sees of a connection above the bound is a 503.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::Limits;
use crate::state::Shared;

/// What a connection above the bound is told, if it speaks plain HTTP.
const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 0\r\n\r\n";

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
    let server = Arc::new(Server {
        connection: connection_builder(limits),
        service: TowerToHyperService::new(router),
        acceptor,
        handshake_timeout: limits.head_timeout,
    });
    let permits = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match Arc::clone(&permits).try_acquire_owned() {
                    Ok(permit) => {
                        shared.metrics.connection_opened();
                        let task = Arc::clone(&server).connection(stream, graceful.watcher(), permit);
                        let shared = Arc::clone(&shared);
                        tokio::spawn(async move {
                            task.await;
                            shared.metrics.connection_closed();
                        });
                    }
                    Err(_) => {
                        shared.metrics.connection_refused();
                        server.turn_away(&stream);
                    }
                },
                Err(error) => pause_after(&error).await,
            },
        }
    }
    drop(listener);
    drain(&shared, graceful).await;
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
    service: TowerToHyperService<Router>,
    acceptor: Option<TlsAcceptor>,
    handshake_timeout: Duration,
}

impl Server {
    /// One connection from its handshake to its end.
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        watcher: Watcher,
        _permit: OwnedSemaphorePermit,
    ) {
        // An answer is one small write: waiting to fill a packet would only delay it.
        let _ = stream.set_nodelay(true);
        match &self.acceptor {
            None => self.requests(stream, watcher).await,
            Some(acceptor) => {
                let handshake =
                    tokio::time::timeout(self.handshake_timeout, acceptor.accept(stream));
                if let Ok(Ok(stream)) = handshake.await {
                    self.requests(stream, watcher).await;
                }
            }
        }
    }

    async fn requests<S>(&self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = self
            .connection
            .serve_connection_with_upgrades(TokioIo::new(stream), self.service.clone());
        // Ends with an error when a client breaks off or sends nonsense: its own affair.
        let _ = watcher.watch(connection.into_owned()).await;
    }

    fn turn_away(&self, stream: &TcpStream) {
        if self.acceptor.is_none() {
            let _ = stream.try_write(TOO_MANY_CONNECTIONS);
        }
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
