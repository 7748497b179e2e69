//! The WebSocket API: requests, who may ask, sessions, and subscriptions to an account's events.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use gateway::{GatewayConfig, Limits, Profile, RateLimits};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::Client;
use crate::signing::registered;
use crate::socket::{Socket, refusal, with_signature};
use crate::trader::hmac_hex;
use crate::world::{World, eventually};

async fn code(socket: &mut Socket, who: &Client, method: &str, params: Value) -> (i64, i64) {
    let answer = socket.signed(who, method, params).await;
    assert!(answer.get("result").is_none(), "{answer}");
    (answer["status"].as_i64().unwrap(), answer["error"]["code"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_as_rest_answers_under_their_ids() {
    let world = World::new().await;
    world.dealt("50000").await;
    world.limit(&world.bob, "buy", "49000", "0.5").await.ok();
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    let time = socket.call_as(json!("a-uuid"), "v3/time", json!({})).await;
    assert!(time["result"]["serverTime"].as_u64().is_some(), "{time}");
    let limits = time["rateLimits"].as_array().unwrap();
    assert_eq!(
        (&limits[0]["rateLimitType"], &limits[0]["limit"]),
        (&json!("REQUEST_WEIGHT"), &json!(6_000))
    );
    let quiet = socket.call("ping", json!({ "returnRateLimits": false })).await;
    assert_eq!(quiet, json!({ "id": quiet["id"], "status": 200, "result": {} }));
    for (method, params, path) in [
        ("depth", json!({ "symbol": "BTCUSDT", "limit": 5 }), "depth?symbol=BTCUSDT&limit=5"),
        ("trades.recent", json!({ "symbol": "BTCUSDT" }), "trades?symbol=BTCUSDT"),
        ("trades.aggregate", json!({ "symbol": "BTCUSDT" }), "aggTrades?symbol=BTCUSDT"),
        ("ticker.price", json!({ "symbols": ["BTCUSDT"] }), "ticker/price?symbols=[%22BTCUSDT%22]"),
        ("ticker.book", json!({ "symbol": "BTCUSDT" }), "ticker/bookTicker?symbol=BTCUSDT"),
        ("avgPrice", json!({ "symbol": "BTCUSDT" }), "avgPrice?symbol=BTCUSDT"),
    ] {
        let answer = socket.call(method, params).await;
        assert_eq!(answer["result"], world.ask(&format!("/api/v3/{path}")).await.ok(), "{method}");
    }
    for (text, id, status, code) in [
        ("{", Value::Null, 400, -1135),
        (r#"{"id":"x","method":"order.dance"}"#, json!("x"), 400, -1020),
        (r#"{"id":5,"method":"depth","params":{}}"#, json!(5), 400, -1102),
        (r#"{"id":6,"method":"depth","params":{"symbol":"NOSUCH"}}"#, json!(6), 400, -1121),
        (r#"{"id":7,"method":"account.status","params":{}}"#, json!(7), 401, -2014),
    ] {
        socket.send(Message::text(text)).await;
        let answer = socket.answer(&id).await;
        assert_eq!((&answer["status"], &answer["error"]["code"]), (&json!(status), &json!(code)));
    }
    assert_eq!(refusal(Socket::try_open(world.address, "/ws-api/v2").await), 404);
    let mut silent = Socket::open(world.address, "/ws-api/v3?returnRateLimits=false").await;
    assert!(silent.call("ping", json!({})).await.get("rateLimits").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_placed_asked_about_and_cancelled_with_a_signature_each() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    // A number is signed as it is written.
    let order = json!({ "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": 0.25, "price": "60000", "newClientOrderId": "x-1", "returnRateLimits": true });
    let answer = socket.signed(&world.alice, "order.place", order.clone()).await;
    assert_eq!(answer["result"]["status"], "NEW", "{answer}");
    let kinds: Vec<_> =
        answer["rateLimits"].as_array().unwrap().iter().map(|row| &row["interval"]).collect();
    assert_eq!(kinds, [&json!("SECOND"), &json!("DAY"), &json!("MINUTE")]);
    let named = json!({ "symbol": "BTCUSDT", "origClientOrderId": "x-1" });
    let found = socket.ok(&world.alice, "order.status", named.clone()).await;
    assert_eq!(found["orderId"], answer["result"]["orderId"]);
    let open = socket.ok(&world.alice, "openOrders.status", json!({})).await;
    assert_eq!(open, json!([found]));
    assert_eq!(code(&mut socket, &world.alice, "order.place", order).await, (400, -2010));
    let cancelled = socket.ok(&world.alice, "order.cancel", named.clone()).await;
    assert_eq!(cancelled["status"], "CANCELED");
    assert_eq!(code(&mut socket, &world.alice, "order.cancel", named).await, (400, -2011));
    let account = socket.ok(&world.alice, "account.status", json!({})).await;
    assert_eq!(account["balances"][0]["locked"], "0.00000000");
    let forged = Client { secret: "wrong".to_owned(), ..world.alice.clone() };
    assert_eq!(code(&mut socket, &forged, "account.status", json!({})).await, (400, -1022));
    let late = json!({ "timestamp": 1_700_000_000_000_u64 });
    assert_eq!(code(&mut socket, &world.alice, "account.status", late).await, (400, -1021));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_may_be_used_again_even_while_they_are_under_way_and_each_request_is_answered() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    let id = json!("e2a85d9f-07a5-4f94-8d5f-789dc3deb097");
    let asks = [("time", "serverTime"), ("exchangeInfo", "symbols"), ("time", "serverTime")];
    for (method, _) in asks {
        let request = json!({ "id": id, "method": method });
        socket.send(Message::text(request.to_string())).await;
    }
    let mut answered = Vec::new();
    for _ in asks {
        let answer = socket.answer(&id).await;
        assert_eq!(answer["status"], 200, "{answer}");
        let told = ["serverTime", "symbols"].map(|name| answer["result"].get(name).is_some());
        answered.push(told);
    }
    answered.sort_unstable();
    assert_eq!(answered, [[true, false], [true, false], [true, true]]);
    assert_eq!(socket.call_as(id, "ping", json!({})).await["status"], 200, "and later");
    let long = json!({ "id": "x".repeat(37), "method": "ping" });
    socket.send(Message::text(long.to_string())).await;
    let refused = socket.answer(&Value::Null).await;
    let msg = "Invalid 'id' in JSON request; expected an integer, a string matching \
        '^[a-zA-Z0-9-_]{1,36}$', or null.";
    assert_eq!(
        (&refused["status"], &refused["error"]),
        (&json!(400), &json!({ "code": -1135, "msg": msg }))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_the_decimal_that_is_written_and_none_with_an_exponent() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    let sends = async |socket: &mut Socket, quantity: &str, price: &str| {
        // As text, since a client's own numbers are what it is about.
        let now = crate::client::now_millis();
        let key = &world.alice.key;
        let signed = format!(
            "apiKey={key}&price={price}&quantity={quantity}&side=SELL&symbol=BTCUSDT&timeInForce=GTC&\
             timestamp={now}&type=LIMIT"
        );
        let signature = hmac_hex(&world.alice.secret, &signed);
        let request = format!(
            r#"{{"id":1,"method":"order.place","params":{{"apiKey":"{key}","symbol":"BTCUSDT","side":"SELL",
            "type":"LIMIT","timeInForce":"GTC","timestamp":{now},"quantity":{quantity},"price":{price},
            "signature":"{signature}"}}}}"#
        );
        socket.send(Message::text(request)).await;
        socket.answer(&json!(1)).await
    };
    for (quantity, price) in
        [("1e-05", "60000"), ("0.1", "6e4"), ("1E-1", "60000"), ("0.1", "6e+4")]
    {
        let refused = sends(&mut socket, quantity, price).await;
        let error = &refused["error"];
        assert_eq!((&refused["status"], &error["code"]), (&json!(400), &json!(-1100)), "{refused}");
        let name = if price == "60000" { "quantity" } else { "price" };
        let msg = format!(
            "Illegal characters found in parameter '{name}'; legal range is \
             '^([0-9]{{1,20}})(\\.[0-9]{{1,20}})?$'."
        );
        assert_eq!(error["msg"], json!(msg));
    }
    // No float is between: both have more digits than one can tell apart.
    let placed = sends(&mut socket, "0.1000", "9007199.01").await;
    let result = &placed["result"];
    assert_eq!(
        (&result["origQty"], &result["price"]),
        (&json!("0.10000000"), &json!("9007199.01000000")),
        "{placed}"
    );
    let refused = sends(&mut socket, "0.1", "9007199.010000001").await;
    assert_eq!(refused["error"]["code"], -1111, "{refused}");
    let long = sends(&mut socket, "0.1", "9007199.01000000000000000001").await;
    assert_eq!(long["error"]["code"], -1111, "a float would have lost the last digit: {long}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_logged_on_need_not_sign_again() {
    let world = World::new().await;
    let signer = SigningKey::from_bytes(&[42; 32]);
    let key = registered(&world, &hex::encode(signer.verifying_key().to_bytes())).await;
    let sign = |text: &str| BASE64_STANDARD.encode(signer.sign(text.as_bytes()).to_bytes());
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    assert_eq!(socket.call("session.status", json!({})).await["result"]["apiKey"], Value::Null);
    let early = socket.call("userDataStream.subscribe", json!({})).await;
    assert_eq!((&early["status"], &early["error"]["code"]), (&json!(401), &json!(-1002)));
    // Of a shared secret there may be copies: it opens no session.
    assert_eq!(code(&mut socket, &world.bob, "session.logon", json!({})).await, (400, -4056));
    let logon = socket.call("session.logon", with_signature(&key, json!({}), sign)).await;
    assert_eq!(logon["result"]["apiKey"], json!(key), "{logon}");
    assert!(logon["result"]["authorizedSince"].is_u64());
    let now = crate::client::now_millis();
    let account = socket.call("account.status", json!({ "timestamp": now })).await;
    assert_eq!(account["result"]["uid"], 1, "{account}");
    let untimed = socket.call("account.status", json!({})).await;
    assert_eq!(untimed["error"]["code"], -1102);
    // Somebody else may still sign.
    let other = socket.ok(&world.bob, "account.status", json!({})).await;
    assert_eq!(other["uid"], 2);
    let begun = socket.call("userDataStream.subscribe", json!({})).await;
    assert_eq!(begun["result"], json!({ "subscriptionId": 0 }));
    let status = socket.call("session.status", json!({})).await;
    assert_eq!(status["result"]["userDataStream"], true);
    let out = socket.call("session.logout", json!({})).await;
    assert_eq!(out["result"]["apiKey"], Value::Null);
    let ended = socket.next().await.unwrap();
    assert_eq!(
        (&ended["subscriptionId"], &ended["event"]["e"]),
        (&json!(0), &json!("eventStreamTerminated"))
    );
    let unsigned = socket.call("account.status", json!({ "timestamp": now })).await;
    assert_eq!(unsigned["error"]["code"], -2014);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_key_was_revoked_is_told_so_until_somebody_logs_on_or_out() {
    let world = World::new().await;
    let signer = SigningKey::from_bytes(&[43; 32]);
    let key = registered(&world, &hex::encode(signer.verifying_key().to_bytes())).await;
    let sign = |text: &str| BASE64_STANDARD.encode(signer.sign(text.as_bytes()).to_bytes());
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    let logon = socket.call("session.logon", with_signature(&key, json!({}), sign)).await;
    assert_eq!(logon["status"], 200, "{logon}");
    world.delete(&world.operator, &format!("/v1/admin/keys/{key}")).await.ok();
    let status = |answer: &Value| (answer["status"].clone(), answer["error"]["code"].clone());
    let unsigned = || json!({ "timestamp": crate::client::now_millis() });
    // Both before the connection has looked at the revocation and after it.
    for round in 0..2 {
        for method in ["account.status", "openOrders.status", "userDataStream.subscribe"] {
            let answer = socket.call(method, unsigned()).await;
            assert_eq!(status(&answer), (json!(401), json!(-2015)), "{round}, {method}: {answer}");
        }
        let gone = async || {
            let told = socket.call("session.status", json!({})).await;
            if told["result"]["apiKey"].is_null() { Ok(()) } else { Err(told) }
        };
        eventually("the session is over", gone).await;
    }
    let other = socket.ok(&world.bob, "account.status", json!({})).await;
    assert_eq!(other["uid"], 2, "a request that is signed itself is none of the session's");
    socket.call("session.logout", json!({})).await;
    assert_eq!(
        status(&socket.call("account.status", unsigned()).await),
        (json!(401), json!(-2014))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_one_for_each_account_and_end_when_asked_or_with_their_key() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    let subscribe = "userDataStream.subscribe.signature";
    assert_eq!(socket.ok(&world.alice, subscribe, json!({})).await["subscriptionId"], 0);
    assert_eq!(socket.ok(&world.bob, subscribe, json!({})).await["subscriptionId"], 1);
    assert_eq!(code(&mut socket, &world.alice, subscribe, json!({})).await, (400, -2035));
    let listed = socket.call("session.subscriptions", json!({})).await;
    assert_eq!(listed["result"], json!([{ "subscriptionId": 0 }, { "subscriptionId": 1 }]));
    let unknown = socket.call("userDataStream.unsubscribe", json!({ "subscriptionId": 7 })).await;
    assert_eq!(unknown["error"]["code"], -2036);
    socket.call("userDataStream.unsubscribe", json!({ "subscriptionId": 0 })).await;
    let ended = socket.next().await.unwrap();
    assert_eq!(
        (&ended["subscriptionId"], &ended["event"]["e"]),
        (&json!(0), &json!("eventStreamTerminated"))
    );
    // The other account's goes on.
    world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
    world.limit(&world.bob, "buy", "40000", "0.1").await.ok();
    let told = socket.next().await.unwrap();
    assert_eq!(
        (&told["subscriptionId"], &told["event"]["p"]),
        (&json!(1), &json!("40000.00000000"))
    );
    world.delete(&world.operator, &format!("/v1/admin/keys/{}", world.bob.key)).await.ok();
    loop {
        let told = socket.next().await.unwrap();
        assert_eq!(told["subscriptionId"], 1);
        if told["event"]["e"] == "eventStreamTerminated" {
            break;
        }
    }
    assert_eq!(socket.ok(&world.alice, subscribe, json!({})).await["subscriptionId"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_stop_is_announced_and_requests_under_way_are_answered() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    socket.call("ping", json!({})).await;
    world.shutdown.cancel();
    assert_eq!(socket.next().await.unwrap()["event"]["e"], "serverShutdown");
    assert_eq!(socket.close_code().await, Some(1001));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_weigh_as_over_rest_from_one_account_of_the_address_up_to_a_ban() {
    let rates = RateLimits { dialect: Profile::Binance, ..RateLimits::unlimited() };
    let limits = Limits { socket_rate: 100_000, socket_burst: 100_000, ..Limits::default() };
    let world = World::with(1, GatewayConfig { rates, limits, ..GatewayConfig::default() }).await;
    let weight = |answer: &Value| answer["rateLimits"][0]["count"].as_u64().unwrap();
    // A new minute of the clock may begin between two requests: then it is all counted anew.
    let mut socket = loop {
        let mut first = Socket::open(world.address, "/ws-api/v3").await;
        let before = weight(&first.call("ping", json!({})).await);
        let mut second = Socket::open(world.address, "/ws-api/v3").await;
        // A connection weighs two, a ping one.
        if weight(&second.call("ping", json!({})).await) == before + 3 {
            break second;
        }
    };
    let heavy = json!({ "symbol": "BTCUSDT", "limit": 5_000 });
    let mut counts = Vec::new();
    let refused = loop {
        let answer = socket.call("depth", heavy.clone()).await;
        if answer["status"] == 429 {
            break answer;
        }
        counts.push(weight(&answer));
    };
    assert!(counts.windows(2).any(|pair| pair[1] == pair[0] + 250), "{counts:?}");
    assert_eq!(refused["error"]["code"], -1003);
    let data = &refused["error"]["data"];
    let (now, then) = (data["serverTime"].as_u64().unwrap(), data["retryAfter"].as_u64().unwrap());
    assert!((1..=60_000).contains(&(then - now)), "{refused}");
    assert!(weight(&refused) > 5_750, "{refused}");
    // Whatever it is, and even if it is nothing: who goes on is banned, on all ways.
    let banned = loop {
        socket.send(Message::text("{")).await;
        let malformed = socket.answer(&Value::Null).await;
        assert!([400, 429, 418].contains(&malformed["status"].as_i64().unwrap()), "{malformed}");
        let answer = socket.call("depth", heavy.clone()).await;
        if answer["status"] == 418 {
            break answer;
        }
    };
    assert!(banned["error"]["msg"].as_str().unwrap().contains("IP banned until"), "{banned}");
    let quiet = socket.call("ping", json!({ "returnRateLimits": false })).await;
    assert_eq!((&quiet["status"], quiet.get("rateLimits")), (&json!(418), None));
    for path in ["/ws-api/v3", "/ws/btcusdt@trade"] {
        assert_eq!(refusal(Socket::try_open(world.address, path).await), 418, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_orders_is_one_for_sockets_and_rest() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    let order = json!({ "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.25", "price": "60000" });
    let answer = socket.signed(&world.alice, "order.place", order).await;
    assert_eq!(answer["rateLimits"][1]["count"], 1, "{answer}");
    let form = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.25&price=60000";
    let placed = world.posted(&world.alice, "POST", "/api/v3/order", form).await;
    assert_eq!(placed.headers["x-mbx-order-count-1d"], "2");
    let told = socket.ok(&world.alice, "account.rateLimits.orders", json!({})).await;
    assert_eq!((&told[1]["interval"], &told[1]["count"]), (&json!("DAY"), &json!(2)));
    let rest = world.signed(&world.alice, "GET", "/api/v3/rateLimit/order", "").await.ok();
    assert_eq!(rest[1], told[1]);
    let other = socket.ok(&world.bob, "account.rateLimits.orders", json!({})).await;
    assert_eq!(other[1]["count"], 0);
}
