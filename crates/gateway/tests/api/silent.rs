//! An exchange that does not answer, or has no room.

use std::sync::Arc;
use std::time::Duration;

use gateway::{DemoAccess, Gateway, GatewayConfig, Limits};
use node::{EventFeed, Exchange, FeedError, ReplySink};
use serde_json::json;
use store::Store;
use types::{
    AccountId, AssetDef, AssetId, Event, EventBatch, MarketBounds, MarketDef, MarketId,
    PartitionId, Price, Quantity, RejectCode, ReplyTo, Request, Seq, Timestamp, Topology,
};
use views::Views;

use crate::client::{Answer, Client, now_millis};

/// Takes everything and answers nothing, or refuses everything.
struct Silent {
    topology: Topology,
    refuse: Option<RejectCode>,
}

struct NoEvents;

impl Exchange for Silent {
    fn submit(&self, _: ReplyTo, _: Timestamp, _: Request) -> Result<(), RejectCode> {
        self.refuse.map_or(Ok(()), Err)
    }
    fn open_session(&self, _: Arc<dyn ReplySink>) -> u64 {
        1
    }
    fn close_session(&self, _: u64) {}
    fn topology(&self) -> &Topology {
        &self.topology
    }
    fn feed(&self, _: PartitionId) -> Arc<dyn EventFeed> {
        Arc::new(NoEvents)
    }
    fn now(&self) -> Timestamp {
        Timestamp(now_millis() * 1_000_000)
    }
}

impl EventFeed for NoEvents {
    fn read(&self, _: Seq) -> Result<Option<Arc<EventBatch>>, FeedError> {
        Ok(None)
    }
    fn head(&self) -> Seq {
        Seq(0)
    }
    fn oldest(&self) -> Seq {
        Seq(1)
    }
    fn wait(&self, _: Seq, _: Duration) -> bool {
        false
    }
    fn is_closed(&self) -> bool {
        false
    }
}

/// Sends a request to a gateway whose exchange behaves so, with one market known to the views.
async fn ask(
    refuse: Option<RejectCode>,
    limits: Limits,
    method: &str,
    path: &str,
    body: &str,
) -> Answer {
    let data = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(data.path()).unwrap());
    let views = Arc::new(Views::new(1));
    views.on_batch(&definitions()).unwrap();
    let exchange = Arc::new(Silent { topology: Topology::single(), refuse });
    let config = GatewayConfig {
        limits,
        demo: Some(DemoAccess { account: AccountId(1) }),
        ..GatewayConfig::default()
    };
    let router = Gateway::build(config, exchange, views, store).unwrap().router();
    let session = Client::default().send(&router, "GET", "/v1/demo/session", "").await.ok();
    let demo = Client {
        key: session["key"].as_str().unwrap().to_owned(),
        secret: session["secret"].as_str().unwrap().to_owned(),
    };
    demo.send(&router, method, path, body).await
}

fn definitions() -> EventBatch {
    let asset = |id: u32, symbol: &str| Event::AssetDefined {
        reply: ReplyTo::NOBODY,
        asset: AssetDef { id: AssetId(id), symbol: symbol.into(), scale: 8 },
    };
    let market = Event::MarketListed {
        reply: ReplyTo::NOBODY,
        market: MarketDef {
            id: MarketId(1),
            symbol: "A-B".into(),
            base: AssetId(1),
            quote: AssetId(2),
            tick: "0.01".parse().unwrap(),
            lot: "0.01".parse().unwrap(),
            max_price: Price::new(1_000_000),
            max_quantity: Quantity::new(1_000_000),
            bounds: MarketBounds::default(),
            home: PartitionId(0),
            version: 1,
        },
    };
    let mut batch = EventBatch::new(PartitionId(0));
    batch.push(Seq(1), Timestamp(1), &mut vec![asset(1, "A"), asset(2, "B"), market]);
    batch
}

fn order() -> String {
    json!({"market": "A-B", "side": "buy", "type": "limit", "price": "1", "quantity": "1"})
        .to_string()
}

#[tokio::test]
async fn a_command_without_an_answer_is_called_unknown_never_failed() {
    let limits = Limits { answer_timeout: Duration::from_millis(20), ..Limits::default() };
    let answer = ask(None, limits, "POST", "/v1/orders", &order()).await;
    assert_eq!((answer.code(), answer.status.as_u16()), ("OutcomeUnknown", 504));
    let message = answer.json["error"]["message"].as_str().unwrap();
    assert!(message.contains("client order id"), "{message}");
}

#[tokio::test]
async fn a_full_exchange_asks_to_come_again() {
    let refuse = Some(RejectCode::Overloaded);
    let answer = ask(refuse, Limits::default(), "POST", "/v1/orders", &order()).await;
    assert_eq!((answer.code(), answer.status.as_u16()), ("Overloaded", 503));
    assert_eq!(answer.retry_after.as_deref(), Some("1"));
    assert_eq!(answer.json["error"]["retryable"], true);
}

#[tokio::test]
async fn what_nobody_knows_is_not_found() {
    let answer = ask(None, Limits::default(), "GET", "/v1/orders/A-B/7", "").await;
    assert_eq!((answer.code(), answer.status.as_u16()), ("UnknownOrder", 404));
}
