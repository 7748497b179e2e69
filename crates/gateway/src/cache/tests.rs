//! What is kept, and for whom; what never is.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use store::Permissions;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;
use types::{AccountId, MarketState, Side};
use views::Views;

use super::{Answers, Life, MOST_ANSWERS, MOST_BYTES, Made};
use crate::auth::issue_hmac;
use crate::http::router;
use crate::limits::{Origin, Source};
use crate::ws::tests::client::sign;
use crate::ws::tests::rig::{MARKET, P0, Rig};

/// Requests from an address.
struct Caller {
    router: Router,
    address: IpAddr,
}

struct Said {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Caller {
    fn new(rig: &Rig, last_byte: u8) -> Self {
        let router = router(Arc::clone(&rig.shared));
        Self { router, address: [192, 0, 2, last_byte].into() }
    }

    async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Said {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(Origin(self.address));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Said { status, headers, body: to_bytes(response.into_body(), usize::MAX).await.unwrap() }
    }

    async fn get(&self, uri: &str) -> Said {
        self.send("GET", uri, &[], "").await
    }

    /// A request of the native API.
    async fn signed(&self, key: &(String, String), method: &str, uri: &str, body: &str) -> Said {
        let time = now_millis().to_string();
        let signature = sign(&key.1, &format!("{time}\n5000\n{method}\n{uri}\n{body}"));
        let headers = [
            ("x-outcry-key", key.0.as_str()),
            ("x-outcry-timestamp", &time),
            ("x-outcry-signature", &signature),
        ];
        self.send(method, uri, &headers, body).await
    }

    /// A request of the dialect.
    async fn signed_query(&self, key: &(String, String), uri: &str) -> Said {
        let (path, query) = uri.split_once('?').unwrap();
        let query = format!("{query}&timestamp={}", now_millis());
        let signature = sign(&key.1, &query);
        let headers = [("x-mbx-apikey", key.0.as_str())];
        self.send("GET", &format!("{path}?{query}&signature={signature}"), &headers, "").await
    }
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.body);
        self.json()
    }

    fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }
}

fn now_millis() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

fn limit_order() -> String {
    let order = json!({
        "market": "BASE-QUOTE", "side": "buy", "type": "limit", "price": "1.0", "quantity": "1.0",
    });
    order.to_string()
}

#[tokio::test]
async fn who_sent_a_command_reads_what_it_did_and_others_what_is_kept() {
    let rig = Rig::start().await;
    let (reader, writer, key) = (Caller::new(&rig, 1), Caller::new(&rig, 2), rig.key(1));
    let kept = reader.get("/v1/markets").await.ok();
    let placed = writer.signed(&key, "POST", "/v1/orders", &limit_order()).await.ok();
    assert_eq!(reader.get("/v1/markets").await.ok(), kept);
    let fresh = writer.get("/v1/markets").await.ok();
    assert!(fresh["seq"].as_u64() >= placed["seq"].as_u64(), "{fresh} is before {placed}");
    assert_eq!(reader.get("/v1/markets").await.ok(), fresh, "the newer one is kept");
    rig.stop().await;
}

#[tokio::test]
async fn a_command_over_a_socket_counts_like_one_over_http() {
    let rig = Rig::start().await;
    let router = router(Arc::clone(&rig.shared));
    // Where sockets come from in this test.
    let writer = Caller { router, address: [127, 0, 0, 1].into() };
    let kept = writer.get("/v1/markets").await.ok();
    let mut socket = rig.logged_in(1).await;
    assert_eq!(writer.get("/v1/markets").await.ok(), kept);
    let order = serde_json::from_str(&limit_order()).unwrap();
    let placed = socket.ok("place_order", order).await;
    let fresh = writer.get("/v1/markets").await.ok();
    assert!(fresh["seq"].as_u64() >= placed["seq"].as_u64(), "{fresh} is before {placed}");
    rig.stop().await;
}

#[tokio::test]
async fn what_is_asked_over_http_and_over_a_socket_of_the_dialect_is_kept_once() {
    let rig = Rig::start().await;
    let tcp = TcpStream::connect(rig.address).await.unwrap();
    let url = format!("ws://{}/ws-api/v3", rig.address);
    let (mut socket, _) = tokio_tungstenite::client_async(url, tcp).await.unwrap();
    let params = json!({ "symbol": "BASEQUOTE", "showPermissionSets": true });
    let ask = json!({ "id": 1, "method": "exchangeInfo", "params": params });
    socket.send(Message::text(ask.to_string())).await.unwrap();
    let said = loop {
        let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
        if text.contains("\"id\":1") {
            break serde_json::from_str::<Value>(&text).unwrap();
        }
    };
    assert_eq!(rig.shared.answers.count(), 1, "{said}");
    let reader = Caller::new(&rig, 1);
    let path = "/api/v3/exchangeInfo?symbol=BASEQUOTE&showPermissionSets=true";
    let info = reader.get(path).await.ok();
    assert_eq!((&info["symbols"], rig.shared.answers.count()), (&said["result"]["symbols"], 1));
    reader.get("/api/v3/exchangeInfo?symbol=BASEQUOTE&showPermissionSets=false").await.ok();
    assert_eq!(rig.shared.answers.count(), 2, "another question");
    rig.stop().await;
}

#[tokio::test]
async fn what_no_answer_depends_on_makes_no_question_of_its_own() {
    let rig = Rig::start().await;
    let reader = Caller::new(&rig, 1);
    let kept = reader.get("/api/v3/depth?symbol=BASEQUOTE&limit=5").await.ok();
    for junk in ["&a=1", "&a=2", "&timestamp=7&signature=x", "&fromId=9", "&%61=1"] {
        let said = reader.get(&format!("/api/v3/depth?symbol=BASEQUOTE&limit=5{junk}")).await.ok();
        assert_eq!((said, rig.shared.answers.questions()), (kept.clone(), 1), "{junk}");
    }
    let deeper = "/api/v3/depth?symbol=BASEQUOTE&limit=10";
    reader.get(deeper).await.ok();
    assert_eq!(rig.shared.answers.questions(), 2, "what it does depend on is another question");
    // Neither does what is refused keep a place.
    for refused in ["/api/v3/depth?symbol=NOSUCH", "/v1/markets?a=1", "/v1/markets/NO-SUCH/depth"] {
        let status = reader.get(refused).await.status;
        assert!(status.is_client_error(), "{refused}: {status}");
        assert_eq!(rig.shared.answers.questions(), 2, "{refused}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn what_is_read_after_a_subscription_lacks_nothing_that_came_before_it() {
    let rig = Rig::start().await;
    let here = Caller { router: router(Arc::clone(&rig.shared)), address: [127, 0, 0, 1].into() };
    let there = Caller::new(&rig, 1);
    let kept = here.get("/v1/markets").await.ok();
    for path in ["/ws/basequote@depth", "/stream"] {
        rig.place(1, Side::Buy, 1, 1);
        rig.caught_up().await;
        let before = rig.shared.views.applied(P0).0;
        assert!(kept["seq"].as_u64() < Some(before));
        let tcp = TcpStream::connect(rig.address).await.unwrap();
        let url = format!("ws://{}{path}", rig.address);
        let (mut socket, _) = tokio_tungstenite::client_async(url, tcp).await.unwrap();
        let ask = json!({ "id": 1, "method": "SUBSCRIBE", "params": ["basequote@trade"] });
        socket.send(Message::text(ask.to_string())).await.unwrap();
        while !socket.next().await.unwrap().unwrap().into_text().unwrap().contains("\"id\":1") {}
        let fresh = here.get("/v1/markets").await.ok();
        assert!(fresh["seq"].as_u64() >= Some(before), "{fresh}");
    }
    let mut native = rig.connect().await;
    rig.place(1, Side::Buy, 1, 1);
    rig.caught_up().await;
    let before = rig.shared.views.applied(P0).0;
    native.subscribe(&["depth:BASE-QUOTE"]).await;
    assert!(here.get("/v1/markets").await.ok()["seq"].as_u64() >= Some(before));
    // Who subscribed to nothing is given what is kept.
    let newest = there.get("/v1/markets").await.ok();
    rig.place(1, Side::Buy, 1, 1);
    rig.caught_up().await;
    assert_eq!(there.get("/v1/markets").await.ok(), newest);
    rig.stop().await;
}

#[tokio::test]
async fn who_names_an_entry_is_given_nothing_older() {
    let rig = Rig::start().await;
    let reader = Caller::new(&rig, 1);
    let native = "/v1/markets/BASE-QUOTE/depth?limit=1";
    let dialect = "/api/v3/depth?symbol=BASEQUOTE&limit=5";
    let kept = reader.get("/v1/markets").await.ok();
    for price in 1..20 {
        for path in [native, dialect] {
            reader.get(path).await.ok();
        }
        let before = rig.shared.views.applied(P0).0;
        rig.place(1, Side::Buy, price, 1);
        let next = before + 1;
        let depth = reader.get(&format!("{native}&min_seq={next}")).await.ok();
        assert!(depth["seq"].as_u64() >= Some(next), "{depth}");
        let depth = reader.get(&format!("{dialect}&min_seq={next}")).await.ok();
        assert!(depth["lastUpdateId"].as_u64() >= Some(next), "{depth}");
    }
    assert_eq!(reader.get("/v1/markets").await.ok(), kept);
    assert_eq!(rig.shared.answers.count(), 3, "answers to who names an entry are not kept");
    let refused = reader.get(&format!("{dialect}&min_seq=7:1")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{:?}", refused.body);
    rig.stop().await;
}

#[tokio::test]
async fn a_change_of_definitions_is_told_at_once() {
    let rig = Rig::start().await;
    let reader = Caller::new(&rig, 1);
    let states = async || {
        let native = reader.get("/v1/markets").await.ok()["markets"][0]["state"].take();
        let dialect = reader.get("/api/v3/exchangeInfo").await.ok()["symbols"][0]["status"].take();
        [native, dialect]
    };
    assert_eq!(states().await, [json!("continuous"), json!("TRADING")]);
    rig.submit(types::Request::SetMarketState { market: MARKET, state: MarketState::Halted });
    rig.until(|rig| {
        let market = rig.shared.views.market_info(MARKET).unwrap();
        market.trading.state == MarketState::Halted
    })
    .await;
    assert_eq!(states().await, [json!("halted"), json!("HALT")]);
    rig.stop().await;
}

#[tokio::test]
async fn an_answer_that_the_client_has_is_not_sent_again() {
    let rig = Rig::start().await;
    let reader = Caller::new(&rig, 1);
    let tagged = [
        ("/v1/markets", "public, max-age=60"),
        ("/api/v3/exchangeInfo", "public, max-age=60"),
        ("/v1/tickers", "public, max-age=1"),
        ("/api/v3/ticker/price", "public, max-age=1"),
    ];
    for (path, control) in tagged {
        let first = reader.get(path).await;
        let tag = first.header("etag").unwrap();
        assert_eq!(first.header("cache-control"), Some(control), "{path}");
        for known in [tag, "*", &format!("\"other\", {tag}")] {
            let again = reader.send("GET", path, &[("if-none-match", known)], "").await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
            assert_eq!(
                (again.header("etag"), again.header("cache-control")),
                (Some(tag), Some(control))
            );
        }
        let other = reader.send("GET", path, &[("if-none-match", "W/\"other\"")], "").await;
        assert_eq!(other.status, StatusCode::OK, "{path}");
    }
    for path in ["/v1/markets/BASE-QUOTE/depth", "/api/v3/trades?symbol=BASEQUOTE"] {
        let depth = reader.get(path).await;
        assert_eq!((depth.header("etag"), depth.header("cache-control")), (None, Some("no-store")));
    }
    rig.stop().await;
}

#[tokio::test]
async fn what_is_kept_tells_the_time_of_now_in_the_unit_that_is_asked_for() {
    let rig = Rig::start().await;
    let reader = Caller::new(&rig, 1);
    let path = "/api/v3/exchangeInfo";
    let time = |said: &Said| said.json()["serverTime"].as_u64().unwrap();
    let first = reader.get(path).await;
    let micros = reader.send("GET", path, &[("x-mbx-time-unit", "MICROSECOND")], "").await;
    assert!(time(&micros) >= time(&first) * 1_000, "{} {}", time(&micros), time(&first));
    rig.until(|rig| rig.shared.exchange.now().as_millis() > time(&first)).await;
    let later = reader.get(path).await;
    assert!(time(&later) > time(&first));
    assert_eq!(later.header("etag"), first.header("etag"));
    let without = |said: &Said| {
        let mut info = said.json();
        info["serverTime"].take();
        info
    };
    assert_eq!(without(&later), without(&first));
    rig.stop().await;
}

/// Who may read a route, as this test knows it.
enum Who {
    /// Everybody, and answers are kept.
    Kept(Life),
    /// Everybody, and none is.
    Everybody,
    /// The caller.
    Own,
}

/// Every route of `GET`. A new one must be added here: is it the same for everybody?
fn who_reads(path: &str) -> Who {
    use Who::{Everybody, Kept, Own};
    match path {
        "/v1/assets"
        | "/v1/fee-tiers"
        | "/v1/markets"
        | "/v1/markets/{symbol}"
        | "/api/v1/markets"
        | "/api/v3/exchangeInfo"
        | "/api/v1/exchangeInfo" => Kept(Life::Definitions),
        "/v1/tickers"
        | "/v1/markets/{symbol}/ticker"
        | "/api/v1/ticker"
        | "/api/v3/ticker"
        | "/api/v3/ticker/24hr"
        | "/api/v1/ticker/24hr"
        | "/api/v3/ticker/price"
        | "/api/v1/ticker/price"
        | "/api/v3/ticker/tradingDay"
        | "/api/v3/avgPrice" => Kept(Life::Ticker),
        "/v1/markets/{symbol}/depth"
        | "/api/v3/depth"
        | "/api/v1/depth"
        | "/api/v3/ticker/bookTicker"
        | "/api/v1/ticker/bookTicker" => Kept(Life::Depth),
        "/v1/markets/{symbol}/trades"
        | "/api/v3/trades"
        | "/api/v1/trades"
        | "/api/v3/historicalTrades"
        | "/api/v1/historicalTrades"
        | "/api/v3/aggTrades"
        | "/api/v1/aggTrades" => Kept(Life::Trades),
        "/v1/time"
        | "/v1/markets/{symbol}/candles"
        | "/v1/demo/session"
        | "/v1/ws"
        | "/docs"
        | "/v1/openapi.json"
        | "/livez"
        | "/readyz"
        | "/metrics"
        | "/"
        | "/assets/style.css"
        | "/assets/icon.svg"
        | "/assets/app.js"
        | "/assets/book.js"
        | "/assets/chart.js"
        | "/assets/socket.js"
        | "/assets/trading.js"
        | "/api/v3/ping"
        | "/api/v1/ping"
        | "/api/v3/time"
        | "/api/v1/time"
        | "/fapi/v1/exchangeInfo"
        | "/dapi/v1/exchangeInfo"
        | "/eapi/v1/exchangeInfo"
        | "/api/v3/klines"
        | "/api/v1/klines"
        | "/api/v3/uiKlines"
        | "/sapi/v1/system/status" => Everybody,
        "/v1/orders"
        | "/v1/orders/{market}/{id}"
        | "/v1/orders/by-client-id/{client_order_id}"
        | "/v1/order-lists"
        | "/v1/fills"
        | "/v1/account"
        | "/v1/account/fees"
        | "/v1/balances"
        | "/v1/ledger"
        | "/v1/withdrawals"
        | "/v1/admin/accounts"
        | "/v1/admin/accounts/{id}"
        | "/v1/admin/accounts/{id}/balances"
        | "/v1/admin/treasury"
        | "/v1/admin/proposals"
        | "/v1/admin/keys"
        | "/v1/admin/quarantine"
        | "/api/v3/order"
        | "/api/v3/order/amendments"
        | "/api/v3/openOrders"
        | "/api/v3/allOrders"
        | "/api/v3/orderList"
        | "/api/v3/openOrderList"
        | "/api/v3/allOrderList"
        | "/api/v3/account"
        | "/api/v3/account/commission"
        | "/api/v3/myTrades"
        | "/api/v3/myFilters"
        | "/api/v3/rateLimit/order"
        | "/sapi/v1/capital/config/getall"
        | "/sapi/v1/margin/allPairs"
        | "/sapi/v1/margin/isolated/allPairs"
        | "/sapi/v1/margin/allAssets"
        | "/sapi/v1/spot/delist-schedule"
        | "/sapi/v1/asset/tradeFee"
        | "/sapi/v1/capital/deposit/hisrec"
        | "/sapi/v1/capital/withdraw/history" => Own,
        new => panic!("{new}: say here who may read it, and whether it is kept"),
    }
}

/// A key that may do everything.
fn powerful(rig: &Rig, account: u32) -> (String, String) {
    let issued = issue_hmac().unwrap();
    let permissions = Permissions { read: true, trade: true, withdraw: true, admin: true };
    rig.shared.auth.add_ephemeral(&issued, AccountId(account), permissions);
    (issued.key_id, issued.secret)
}

#[tokio::test]
async fn of_all_routes_those_are_kept_that_say_the_same_to_everybody() {
    let rig = Rig::start().await;
    let keys = [powerful(&rig, 1), powerful(&rig, 2)];
    let routes = rig.shared.metrics.routes();
    assert!(routes.len() > 100, "{routes:?}");
    // Each route from an address of its own: limits are not the subject.
    let router = router(Arc::clone(&rig.shared));
    for (number, (method, path)) in (0..).zip(routes) {
        let caller = Caller { router: router.clone(), address: [192, 0, 2, number].into() };
        let uri = ["{symbol}", "{market}"]
            .iter()
            .fold(path.to_owned(), |uri, name| uri.replace(name, "BASE-QUOTE"));
        let uri = uri.replace("{client_order_id}", "x").replace("{id}", "1");
        let is_dialect = ["/api/", "/sapi/", "/fapi/", "/dapi/", "/eapi/"]
            .iter()
            .any(|root| uri.starts_with(root) && uri != "/api/v1/markets");
        let uri = if is_dialect { format!("{uri}?symbol=BASEQUOTE&interval=1m") } else { uri };
        rig.shared.answers.forget_all();
        if method != "GET" {
            if method != "*" {
                let said = caller.send(method, &uri, &[], "").await;
                assert_eq!(said.header("cache-control"), Some("no-store"), "{method} {path}");
                assert_eq!(rig.shared.answers.count(), 0, "{method} {path}");
            }
            continue;
        }
        let said = caller.get(&uri).await;
        let (control, kept) = (said.header("cache-control").unwrap(), rig.shared.answers.count());
        match who_reads(path) {
            Who::Kept(life) => {
                assert_eq!((said.status, kept), (StatusCode::OK, 1), "{path}: {:?}", said.body);
                let expected = life.max_age().map(|age| format!("public, max-age={age}"));
                assert_eq!(control, expected.as_deref().unwrap_or("no-store"), "{path}");
            }
            Who::Everybody => {
                assert_eq!(kept, 0, "{path}");
                assert!(["no-store", "no-cache"].contains(&control), "{path}: {control}");
            }
            Who::Own => {
                assert!(said.status.is_client_error(), "{path} answers everybody: {}", said.status);
                for key in &keys {
                    let said = match is_dialect {
                        true => caller.signed_query(key, &uri).await,
                        false => caller.signed(key, "GET", &uri, "").await,
                    };
                    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                    assert!(!refused.contains(&said.status), "{path}: {:?}", said.body);
                    assert_eq!(said.header("cache-control"), Some("no-store"), "{path}");
                    assert_eq!(
                        (said.header("etag"), rig.shared.answers.count()),
                        (None, 0),
                        "{path}"
                    );
                }
            }
        }
    }
    rig.stop().await;
}

const HERE: Source = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

fn made(size: usize) -> Made {
    Made { body: vec![b'x'; size].into(), clock: None }
}

fn answers() -> Arc<Answers> {
    Arc::new(Answers::new(Arc::new(Views::new(1))))
}

#[tokio::test]
async fn one_answer_is_made_at_a_time_and_all_who_ask_are_given_it() {
    let (answers, count, gate) =
        (answers(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let ask = |number: usize| {
        let (answers, count, gate) = (Arc::clone(&answers), Arc::clone(&count), Arc::clone(&gate));
        tokio::spawn(async move {
            let make = async {
                count.fetch_add(1, Ordering::Relaxed);
                gate.notified().await;
                Ok::<_, ()>(made(number))
            };
            answers.get("q", Life::Definitions, HERE, make).await.unwrap().made.body.len()
        })
    };
    let asked: Vec<_> = (1..=8).map(ask).collect();
    // All of them run on this thread: each has come as far as it can.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
    gate.notify_waiters();
    for task in asked {
        assert_eq!(task.await.unwrap(), 1);
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_failed_or_was_given_up_is_made_again() {
    let answers = answers();
    let failed = answers.get("q", Life::Definitions, HERE, async { Err("no") }).await;
    assert_eq!(failed.err(), Some("no"));
    let never = answers.get("q", Life::Definitions, HERE, std::future::pending::<Result<_, ()>>());
    {
        let mut never = std::pin::pin!(never);
        let waker = std::task::Waker::noop();
        assert!(never.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    }
    let kept = answers.get("q", Life::Definitions, HERE, async { Ok::<_, ()>(made(3)) }).await;
    assert_eq!(kept.unwrap().made.body.len(), 3);
}

#[tokio::test]
async fn answers_and_their_bytes_are_bounded_and_new_ones_find_room() {
    for (size, number) in [(1, MOST_ANSWERS + 100), (1 << 20, (MOST_BYTES >> 20) + 10)] {
        let answers = answers();
        for number in 0..number {
            let question = format!("q{number}");
            let make = async { Ok::<_, ()>(made(size)) };
            answers.get(&question, Life::Definitions, HERE, make).await.unwrap();
            let never = async { Err("it is kept") };
            answers.get(&question, Life::Definitions, HERE, never).await.unwrap();
            let (count, bytes) = (answers.count(), answers.entries.read().bytes);
            assert!(count <= MOST_ANSWERS && bytes <= MOST_BYTES, "{count} of {bytes} bytes");
            assert_eq!(bytes, count * size);
        }
    }
    let make = async { Ok::<_, ()>(made(MOST_BYTES + 1)) };
    let answers = answers();
    let kept = answers.get("q", Life::Definitions, HERE, make).await.unwrap();
    assert_eq!((kept.made.body.len(), answers.count()), (MOST_BYTES + 1, 0));
}
