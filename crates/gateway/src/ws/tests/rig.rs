//! A running exchange of one market and some funded accounts, behind a gateway on a free port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::{EventLogConfig, Exchange, Node, NodeConfig, NodeHooks};
use store::{Permissions, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, ClientOrderId, MarketBounds, MarketDef,
    MarketId, OrderSpec, PartitionId, PlaceOrder, Price, Quantity, ReplyTo, Request,
    SelfTradePrevention, Side, TimeInForce, Timestamp, Topology, TreasuryReference,
};
use views::Views;

use super::client::Client;
use crate::auth::issue_hmac;
use crate::config::{GatewayConfig, Limits};
use crate::limits::RateLimits;
use crate::state::Shared;
use crate::{Gateway, ws};

/// The market of all tests: prices in whole quote, quantities in whole base.
pub const MARKET: MarketId = MarketId(1);
pub const P0: PartitionId = PartitionId(0);

/// Far above what anything takes; what does not come fails instead of lasting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Rig {
    pub node: Arc<Node>,
    pub shared: Arc<Shared>,
    pub address: SocketAddr,
    pub shutdown: CancellationToken,
    server: JoinHandle<()>,
    data: TempDir,
}

/// How a rig differs from the default.
pub struct Options {
    pub limits: Limits,
    pub topology: Topology,
    /// Recent events in memory; with a number, there is no event log on disk.
    pub recent_events: Option<usize>,
    pub tracing: Option<crate::Tracing>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            topology: Topology::single(),
            recent_events: None,
            tracing: None,
        }
    }
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = NodeConfig::new(data.path().join("node"));
        config.segment_size = 1 << 20;
        config.topology = options.topology.clone();
        let on_disk = EventLogConfig { segment_size: 4 << 20, ..EventLogConfig::default() };
        config.event_log = options.recent_events.is_none().then_some(on_disk);
        config.recent_events = options.recent_events.unwrap_or(config.recent_events);
        let node = Arc::new(Node::start(config, NodeHooks::default()).unwrap());
        let store = Arc::new(Store::open(data.path()).unwrap());
        let views = Arc::new(Views::new(options.topology.partitions));
        let config = GatewayConfig {
            limits: options.limits,
            rates: RateLimits::unlimited(),
            tracing: options.tracing,
            ..GatewayConfig::default()
        };
        let exchange = Arc::clone(&node) as Arc<dyn Exchange>;
        let gateway = Gateway::build(config, exchange, views, store).unwrap();
        let shared = Arc::clone(&gateway.shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(gateway.run(listener, shutdown.clone()));
        let rig = Self { node, shared, address, shutdown, server, data };
        rig.found().await;
        rig
    }

    /// Where its files are.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Definitions, and accounts 1 to 4 with plenty of both assets.
    async fn found(&self) {
        for (id, symbol) in [(1, "BASE"), (2, "QUOTE")] {
            let asset = AssetDef { id: AssetId(id), symbol: symbol.into(), scale: 2 };
            self.submit(Request::DefineAsset(asset));
        }
        self.submit(Request::ListMarket(Box::new(MarketDef {
            id: MARKET,
            symbol: "BASE-QUOTE".into(),
            base: AssetId(1),
            quote: AssetId(2),
            tick: "0.1".parse().unwrap(),
            lot: "0.1".parse().unwrap(),
            max_price: Price::new(1_000_000),
            max_quantity: Quantity::new(1_000_000),
            bounds: MarketBounds::default(),
            home: self.node.topology().markets[0],
            version: 1,
        })));
        let mut number = 0;
        for account in (1..=4).map(AccountId) {
            self.submit(Request::CreateAccount { account, fee_tier: 0 });
            for asset in [AssetId(1), AssetId(2)] {
                number += 1;
                let reference = TreasuryReference { source: 1, number };
                let amount = Amount::new(1 << 60);
                self.submit(Request::Credit {
                    reference,
                    operator: types::OperatorName::NONE,
                    account,
                    asset,
                    amount,
                });
            }
        }
        self.until(|rig| {
            rig.shared.views.market_info(MARKET).is_some()
                && (1..=4).all(|a| rig.shared.views.balances(AccountId(a)).len() == 2)
        })
        .await;
    }

    /// Submits without waiting for the answer, again while the queue is full.
    pub fn submit(&self, request: Request) {
        while self.node.submit(ReplyTo::NOBODY, Timestamp(u64::MAX), request.clone()).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A limit order, good till cancelled.
    pub fn place(&self, account: u32, side: Side, price: u64, quantity: u64) {
        let spec = OrderSpec::Limit {
            price: Price::new(price),
            quantity: Quantity::new(quantity),
            time_in_force: TimeInForce::Gtc,
            post_only: false,
        };
        self.submit(Request::PlaceOrder(PlaceOrder {
            account: AccountId(account),
            market: MARKET,
            version: 1,
            client_order_id: ClientOrderId::NONE,
            side,
            spec,
            conditions: BoxedConditions::NONE,
            self_trade_prevention: SelfTradePrevention::None,
        }));
    }

    /// `count` trades of one lot at `price`, between accounts 1 and 2.
    pub fn trade(&self, price: u64, count: u64) {
        for _ in 0..count {
            self.place(1, Side::Sell, price, 1);
            self.place(2, Side::Buy, price, 1);
        }
    }

    /// Waits until the views have all that the node has told so far.
    pub async fn caught_up(&self) {
        // What is submitted now is answered after all that was submitted before.
        let before = self.shared.views.accounts().len() as u32;
        self.submit(Request::CreateAccount { account: AccountId(1_000 + before), fee_tier: 0 });
        let feed = self.node.feed(P0);
        self.until(|rig| {
            let views = &rig.shared.views;
            views.accounts().len() as u32 > before && views.applied(P0) == feed.head()
        })
        .await;
    }

    pub async fn until(&self, reached: impl Fn(&Self) -> bool) {
        self.eventually(async |rig| reached(rig).then_some(())).await;
    }

    /// Waits until `look` finds what it looks for, and gives it.
    pub async fn eventually<T>(&self, look: impl AsyncFn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self).await {
                return found;
            }
            assert!(Instant::now() < deadline, "what was waited for did not come");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// A key of an account that may read and trade.
    pub fn key(&self, account: u32) -> (String, String) {
        let issued = issue_hmac().unwrap();
        let permissions = Permissions { read: true, trade: true, withdraw: false, admin: false };
        self.shared.auth.add_ephemeral(&issued, AccountId(account), permissions);
        (issued.key_id, issued.secret)
    }

    pub async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// A connection that is logged in.
    pub async fn logged_in(&self, account: u32) -> Client {
        let mut client = self.connect().await;
        let (key, secret) = self.key(account);
        client.login(&key, &secret).await;
        client
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        self.server.await.unwrap();
    }
}

/// A reproducible sequence; the seed is printed.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| getrandom::u64().unwrap() | 1);
        println!("SEED={seed}");
        Self(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// Only that the module tree above is used as documented.
const _: fn(&Shared) -> Arc<ws::FanOut> = ws::start;
