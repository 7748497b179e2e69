//! Limits over a real socket, behind a proxy that is trusted.

use std::time::Duration;

use gateway::{GatewayConfig, Limits, Profile, RateLimits};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, now_millis};
use crate::world::World;

/// Few requests, so that a test is short; `127.0.0.1` is a proxy.
fn few() -> RateLimits {
    RateLimits {
        // The world is furnished by an operator, over no connection.
        address_per_minute: 30,
        key_per_minute: vec![8, 60],
        orders_per_minute: vec![3, 30],
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..RateLimits::default()
    }
}

async fn world(rates: RateLimits) -> World {
    World::with(1, GatewayConfig { rates, ..GatewayConfig::default() }).await
}

struct Said {
    status: u16,
    head: String,
    json: Value,
}

impl Said {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// One request, said to be of `client`.
async fn ask(
    world: &World,
    client: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Said {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 6.6.6.6, {client}\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head[9..12].parse().unwrap();
    Said { status, head: head.to_owned(), json: serde_json::from_str(body).unwrap_or(Value::Null) }
}

async fn get(world: &World, client: &str, path: &str) -> Said {
    ask(world, client, "GET", path, "", "").await
}

/// What is answered, up to the end of the connection, to a request whose body is announced and never sent.
async fn announce(world: &World, client: &str, line: &str) -> String {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\ncontent-length: 10\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    let told = tokio::time::timeout(Duration::from_secs(60), stream.read_to_string(&mut text));
    told.await.expect("it is not told, or its connection stays").unwrap();
    text
}

async fn signed(world: &World, who: &Client, method: &str, path: &str, body: &str) -> Said {
    let request = who.signed(now_millis(), None, method, path, body);
    let headers = request.headers().iter();
    let headers: String =
        headers.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect();
    // Another address each time: this is about keys.
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let client = std::net::Ipv4Addr::from(0x0B00_0000 + next).to_string();
    ask(world, &client, method, path, &headers, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_asks_too_much_is_told_when_to_come_again_and_others_are_served() {
    let world = world(few()).await;
    for _ in 0..30 {
        assert_eq!(get(&world, "1.1.1.1", "/v1/time").await.status, 200);
    }
    for path in ["/v1/time", "/v1/markets", "/nowhere", "/v1/ws", "/v1/balances"] {
        let said = get(&world, "1.1.1.1", path).await;
        assert_eq!(
            (said.status, &said.json["error"]["code"]),
            (429, &"RateLimited".into()),
            "{path}"
        );
        assert_eq!(said.json["error"]["retryable"], true);
        let seconds: u64 = said.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=61).contains(&seconds), "{seconds}");
    }
    assert_eq!(get(&world, "1.1.1.2", "/v1/time").await.status, 200);
    for path in ["/livez", "/metrics"] {
        assert_eq!(get(&world, "1.1.1.1", path).await.status, 200, "{path} is the operator's");
    }
    let metrics = world.metrics().await;
    assert!(metrics.contains("outcry_rate_limited_total{level=\"address\"} 5\n"), "{metrics}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_place_fewer_orders_than_it_may_ask_and_a_wrong_signature_costs_it_nothing() {
    let world = world(few()).await;
    let order = json!({
        "market": "BTC-USDT", "side": "sell", "type": "limit", "price": "60000", "quantity": "0.01",
    });
    let order = order.to_string();
    let thief = Client { key: world.alice.key.clone(), secret: "guess".to_owned() };
    for _ in 0..20 {
        assert_eq!(signed(&world, &thief, "GET", "/v1/balances", "").await.status, 401);
    }
    for _ in 0..3 {
        assert_eq!(signed(&world, &world.alice, "POST", "/v1/orders", &order).await.status, 200);
    }
    let said = signed(&world, &world.alice, "POST", "/v1/orders", &order).await;
    assert_eq!(said.status, 429);
    assert!(said.json["error"]["message"].as_str().unwrap().contains("3 orders a minute"));
    let all = "/v1/orders?market=BTC-USDT";
    assert_eq!(signed(&world, &world.alice, "DELETE", all, "").await.status, 200, "cancels pass");
    for _ in 0..4 {
        assert_eq!(signed(&world, &world.alice, "GET", "/v1/balances", "").await.status, 200);
    }
    let said = signed(&world, &world.alice, "GET", "/v1/balances", "").await;
    assert!(said.json["error"]["message"].as_str().unwrap().contains("8 requests a minute"));
    assert_eq!(signed(&world, &world.bob, "GET", "/v1/balances", "").await.status, 200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialect_weighs_refuses_and_bans_by_its_own_numbers() {
    // A wait for a body would last longer than any test may.
    let limits = Limits { body_timeout: Duration::from_secs(3_600), ..Limits::default() };
    let config = GatewayConfig { limits, rates: few(), ..GatewayConfig::default() };
    let world = World::with(1, config).await;
    let heavy = "/api/v3/depth?symbol=BTCUSDT&limit=5000";
    let mut used = 0;
    // A new minute of the clock may begin between two requests: then it is all counted anew.
    while used < 6_000 {
        let said = get(&world, "1.1.1.1", heavy).await;
        assert_eq!(said.status, 200, "{}", said.json);
        used = said.header("x-mbx-used-weight-1m").unwrap().parse().unwrap();
        assert_eq!(said.header("x-mbx-used-weight"), Some(&*used.to_string()));
    }
    let mut said = get(&world, "1.1.1.1", heavy).await;
    assert!(matches!(said.status, 200 | 429), "{}", said.head);
    let mut refused = 0;
    for _ in 0..1_000 {
        match said.status {
            429 => {
                refused += 1;
                assert_eq!(said.json["code"], -1003);
                let seconds: u64 = said.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=60).contains(&seconds), "{seconds}");
            }
            418 => break,
            status => assert_eq!(status, 200),
        }
        said = get(&world, "1.1.1.1", heavy).await;
    }
    assert_eq!((said.status, &said.json["code"]), (418, &(-1003).into()));
    assert!(said.json["msg"].as_str().unwrap().contains("IP banned until"), "{}", said.json);
    assert!(refused >= 100, "{refused}");
    let seconds: u64 = said.header("retry-after").unwrap().parse().unwrap();
    assert!((60..=120).contains(&seconds), "{seconds}");
    assert_eq!(get(&world, "1.1.1.1", "/api/v3/ping").await.status, 418);
    assert_eq!(get(&world, "1.1.1.2", "/api/v3/ping").await.status, 200);
    for line in ["POST /api/v3/order", "DELETE /api/v3/order", "GET /api/v3/depth", "PUT /api/v3/x"]
    {
        let told = announce(&world, "1.1.1.1", line).await;
        assert!(told.starts_with("HTTP/1.1 418"), "{line}: {told}");
        assert!(told.contains(r#""code":-1003"#), "{line}: {told}");
    }
    assert_eq!(get(&world, "1.1.1.1", "/v1/time").await.status, 200, "the native API counts apart");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialect_can_be_put_under_the_standard_profile() {
    let world = world(RateLimits { dialect: Profile::Standard, ..few() }).await;
    for _ in 0..30 {
        assert_eq!(get(&world, "1.1.1.1", "/api/v3/exchangeInfo").await.status, 200);
    }
    let said = get(&world, "1.1.1.1", "/api/v3/ping").await;
    assert_eq!((said.status, &said.json["code"]), (429, &(-1003).into()));
    assert!(said.header("retry-after").is_some() && said.header("x-mbx-used-weight-1m").is_some());
    world.stop().await;
}
