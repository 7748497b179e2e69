//! The door of the exchange: HTTP and WebSocket, authentication, limits, documentation.
//!
//! A request is parsed and authenticated here, its decimals become ticks, lots and atoms, and it
//! leaves as a command through [`node::Exchange`]; reads are answered from [`views`] and [`store`].
//! JSON is known in `wire` and nowhere below this crate.
//!
//! *Invariants:* nothing here holds state that matters: a gateway can be thrown away at any moment.
//! Nothing is acknowledged before the exchange has answered. A command without an answer in time is
//! reported as unknown, never as failed.
#![forbid(unsafe_code)]

mod account;
mod admin;
mod auth;
mod binance;
mod bootstrap;
mod breaker;
mod cache;
mod config;
mod demo;
mod docs;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod history;
mod http;
mod limits;
mod market_data;
mod min_seq;
mod orders;
mod outcome;
mod pending;
mod shedding;
mod spans;
mod state;
mod watermarks;
mod wire;
mod ws;

use std::sync::Arc;

use axum::Router;
use node::Exchange;
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use views::Views;

pub use binance::endpoints as binance_endpoints;
pub use bootstrap::{Credentials, add_operator, bootstrap_admin, mend_directory, reset_admin};
pub use config::{DemoAccess, GatewayConfig, Limits, MetricsSource, SnapshotHook};
pub use docs::{error_codes_markdown, openapi_json};
pub use error::{ApiError, ErrorCode, GatewayCode};
pub use limits::{ForwardedHeader, Profile, RateLimits, SharedLimits};
pub use spans::Tracing;

/// A gateway that is ready to serve.
pub struct Gateway {
    shared: Arc<state::Shared>,
    router: Router,
}

impl Gateway {
    /// Wires a gateway: opens its session with the exchange and loads the API keys.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn build(
        config: GatewayConfig,
        exchange: Arc<dyn Exchange>,
        views: Arc<Views>,
        store: Arc<Store>,
    ) -> Result<Self, store::StoreError> {
        let shared = state::Shared::new(config, exchange, views, store)?;
        let router = http::router(Arc::clone(&shared));
        Ok(Self { shared, router })
    }

    /// Serves connections of `listener` until `shutdown` is cancelled; then stops accepting, lets
    /// requests finish and sockets say goodbye, within the configured time, and returns.
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) {
        let fan_out = ws::start(&self.shared);
        let beats = tokio::spawn(binance::keep_time(Arc::clone(&self.shared)));
        let probe = tokio::spawn(shedding::probe(Arc::clone(&self.shared.shedding)));
        let outbox = tokio::spawn(admin::resolve_outbox(Arc::clone(&self.shared)));
        let served = CancellationToken::new();
        let tracer = self.shared.tracer.clone();
        let exporter = tracer.map(|tracer| tokio::spawn(spans::run(tracer, served.clone())));
        http::serve(self.shared, self.router, listener, shutdown).await;
        served.cancel();
        if let Some(exporter) = exporter {
            // It ends by itself, within the patience that it has with its collector.
            let _ = exporter.await;
        }
        outbox.abort();
        beats.abort();
        probe.abort();
        fan_out.stop().await;
    }

    /// The routes alone, to be called without a network.
    pub fn router(&self) -> Router {
        self.router.clone()
    }
}
