//! An exchange in a temporary directory: node, views, history and gateway, with an operator, the
//! market `BTC-USDT` and two funded traders.

use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use gateway::{DemoAccess, Gateway, GatewayConfig, RateLimits, add_operator, bootstrap_admin};
use node::{Exchange, Node, NodeConfig, NodeHooks};
use serde_json::{Value, json};
use store::{Store, StoreError};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle as Task;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use types::{AccountId, Bug, PartitionId, Topology};
use views::Views;

use crate::client::{Answer, Client};

/// Far above what anything takes; what does not come fails instead of lasting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `look` finds what it looks for, and gives it. What it saw instead is told in the end.
pub async fn eventually<T, E: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "{what}: {seen:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub struct World {
    pub router: Router,
    pub operator: Client,
    /// Another operator.
    pub colleague: Client,
    pub alice: Client,
    pub bob: Client,
    pub address: std::net::SocketAddr,
    pub shutdown: CancellationToken,
    pub exchange: Arc<dyn Exchange>,
    running: Option<Task<()>>,
    projecting: Arc<AtomicBool>,
    projector: Option<JoinHandle<()>>,
    _data: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(1, GatewayConfig::default()).await
    }

    pub async fn with(partitions: u16, config: GatewayConfig) -> Self {
        Self::with_bug(partitions, config, None).await
    }

    /// With a bug in the engine.
    pub async fn with_bug(partitions: u16, mut config: GatewayConfig, bug: Option<Bug>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut node = NodeConfig::new(data.path());
        node.topology = Topology::spread(partitions);
        // Small files: they are written whole first, which took most of a test's processor time.
        node.segment_size = 1 << 20;
        let hooks = NodeHooks { bug, ..NodeHooks::default() };
        let exchange: Arc<dyn Exchange> = Arc::new(Node::start(node, hooks).unwrap());
        let store = Arc::new(Store::open(data.path()).unwrap());
        let admin = bootstrap_admin(&store, exchange.now()).unwrap().unwrap();
        assert!(bootstrap_admin(&store, exchange.now()).unwrap().is_none());
        let colleague = add_operator(&store, "operator-2", exchange.now()).unwrap();
        // A test under limits names them.
        if config.rates == RateLimits::default() {
            config.rates = RateLimits::unlimited();
        }
        config.demo.get_or_insert(DemoAccess { account: AccountId(1) });
        let views = Arc::new(Views::new(partitions));
        let gateway =
            Gateway::build(config, Arc::clone(&exchange), views, Arc::clone(&store)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let router = gateway.router();
        let running = tokio::spawn(gateway.run(listener, shutdown.clone()));
        let projecting = Arc::new(AtomicBool::new(true));
        let (feeds, going) = (Arc::clone(&exchange), Arc::clone(&projecting));
        let projector = std::thread::spawn(move || project(&*feeds, &store, &going));
        let mut world = Self {
            router,
            operator: Client { key: admin.key_id, secret: admin.secret },
            colleague: Client { key: colleague.key_id, secret: colleague.secret },
            alice: Client::default(),
            bob: Client::default(),
            address,
            shutdown,
            exchange,
            running: Some(running),
            projecting,
            projector: Some(projector),
            _data: data,
        };
        world.furnish().await;
        world
    }

    async fn furnish(&mut self) {
        for (symbol, scale) in [("BTC", 8), ("USDT", 6)] {
            self.admin("POST", "/v1/admin/assets", json!({"symbol": symbol, "scale": scale}))
                .await
                .ok();
            // The next one's id follows from what the views have seen, whatever a test lets them wait.
            self.sees_asset(symbol).await;
        }
        let market = json!({
            "symbol": "BTC-USDT", "base": "BTC", "quote": "USDT", "tick": "0.01", "lot": "0.0001",
            "max_price": "10000000", "max_quantity": "10000",
        });
        self.admin("POST", "/v1/admin/markets", market).await.ok();
        self.alice = self.trader("alice", "BTC", "10").await;
        self.bob = self.trader("bob", "USDT", "1000000").await;
    }

    async fn sees_asset(&self, symbol: &str) {
        let is_there = |seen: &Value| {
            seen["assets"].as_array().unwrap().iter().any(|asset| asset["symbol"] == symbol)
        };
        self.reads(&Client::default(), "/v1/assets", is_there).await;
    }

    /// What is read at `path`, once it is so.
    pub async fn reads(&self, who: &Client, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        eventually(path, async || {
            let read = self.get(who, path).await;
            if read.status.is_success() && is_so(&read.json) { Ok(read.json) } else { Err(read) }
        })
        .await
    }

    /// The order once it has this status.
    pub async fn becomes(&self, who: &Client, id: impl Display, status: &str) -> Value {
        let path = format!("/v1/orders/BTC-USDT/{id}");
        self.reads(who, &path, |read| read["order"]["status"] == status).await["order"].take()
    }

    /// A new account with a key that may do everything but operate, and funds.
    pub async fn trader(&self, name: &str, asset: &str, amount: &str) -> Client {
        let created = self.admin("POST", "/v1/admin/accounts", json!({"name": name})).await.ok();
        let account = created["account"]["id"].as_u64().unwrap();
        // Whatever a test lets the answer wait for it.
        let path = format!("/v1/admin/accounts/{account}");
        self.reads(&self.operator, &path, |read| read["opened"] == true).await;
        let credit = json!({
            "account": account, "asset": asset, "amount": amount, "reference": format!("first-{name}"),
        });
        self.admin("POST", "/v1/admin/credits", credit).await.ok();
        let key = json!({"account": account, "permissions": ["read", "trade", "withdraw"]});
        let key = self.admin("POST", "/v1/admin/keys", key).await.ok();
        Client {
            key: key["key"]["key"].as_str().unwrap().to_owned(),
            secret: key["secret"].as_str().unwrap().to_owned(),
        }
    }

    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        self.operator.send(&self.router, method, path, &body.to_string()).await
    }

    pub async fn get(&self, who: &Client, path: &str) -> Answer {
        who.send(&self.router, "GET", path, "").await
    }

    /// What `/metrics` shows.
    pub async fn metrics(&self) -> String {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// What `/metrics` shows, once it has this line: what is counted follows answers and views.
    pub async fn counts(&self, line: &str) -> String {
        eventually(line, async || {
            let shown = self.metrics().await;
            if shown.lines().any(|is| is == line) { Ok(shown) } else { Err(shown) }
        })
        .await
    }

    pub async fn delete(&self, who: &Client, path: &str) -> Answer {
        who.send(&self.router, "DELETE", path, "").await
    }

    pub async fn post(&self, who: &Client, path: &str, body: Value) -> Answer {
        who.send(&self.router, "POST", path, &body.to_string()).await
    }

    pub async fn patch(&self, who: &Client, path: &str, body: Value) -> Answer {
        who.send(&self.router, "PATCH", path, &body.to_string()).await
    }

    /// A limit order.
    pub async fn limit(&self, who: &Client, side: &str, price: &str, quantity: &str) -> Answer {
        let order = json!({
            "market": "BTC-USDT", "side": side, "type": "limit", "price": price, "quantity": quantity,
        });
        self.post(who, "/v1/orders", order).await
    }

    /// `available` and `held` of an asset.
    pub async fn balance(&self, who: &Client, asset: &str) -> (String, String) {
        let balances = self.get(who, "/v1/balances").await.ok();
        let list = balances["balances"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let found = list.iter().find(|balance| balance["asset"] == asset);
        found.map_or(("0".into(), "0".into()), |b| (text(&b["available"]), text(&b["held"])))
    }

    /// Waits until the balance is this. With several partitions a fill reaches the ledger's partition a
    /// moment after the market's has answered.
    pub async fn settles(&self, who: &Client, asset: &str, available: &str, held: &str) {
        let expected = (available.to_owned(), held.to_owned());
        eventually(&format!("not {expected:?}"), async || {
            let balance = self.balance(who, asset).await;
            if balance == expected { Ok(()) } else { Err(balance) }
        })
        .await;
    }

    /// Waits for a fill in the history. One that another's command made is projected a moment after
    /// that command was answered.
    pub async fn first_fill(&self, who: &Client) -> Value {
        self.reads(who, "/v1/fills", |read| read["fills"].get(0).is_some()).await["fills"][0].take()
    }

    /// Shuts the gateway down and waits for its end.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        self.running.take().unwrap().await.unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.projecting.store(false, Ordering::Relaxed);
        let ended = self.projector.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the projector failed");
    }
}

fn project(exchange: &dyn Exchange, store: &Store, going: &AtomicBool) {
    let mut projector = store.projector();
    while going.load(Ordering::Relaxed) {
        for partition in (0..exchange.topology().partitions).map(PartitionId) {
            let cursor = projector.cursor(partition).unwrap();
            if let Some(batch) = exchange.feed(partition).read(cursor).unwrap() {
                match projector.apply(&[batch]) {
                    // Another partition, which comes later, tells of the listing: it is read again then.
                    Ok(_) | Err(StoreError::UnknownMarket(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
