//! Keys, times and signatures: what is taken, and in which order refusals come.

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;

use crate::client::{Client, now_millis};
use crate::trader::{hmac_hex, send};
use crate::world::World;

/// The vector of the dialect's own documentation.
#[test]
fn the_signature_of_the_documented_example_is_ours() {
    let secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    let query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    let expected = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";
    assert_eq!(hmac_hex(secret, query), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_signs_for_both_apis_whether_in_query_or_body() {
    let world = World::new().await;
    assert_eq!((world.alice.key.len(), world.alice.secret.len()), (64, 64));
    world.get(&world.alice, "/v1/balances").await.ok();
    let account = world.signed(&world.alice, "GET", "/api/v3/account", "").await.ok();
    assert_eq!(
        account["balances"][0],
        json!({"asset": "BTC", "free": "10.00000000", "locked": "0.00000000"})
    );
    let form = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=60000";
    world.posted(&world.alice, "POST", "/api/v3/order", form).await.ok();
    world.signed(&world.alice, "POST", "/api/v3/order", form).await.ok();
    // In both: the query wins, and the payload has no separator between the two.
    let query = format!("symbol=BTCUSDT&price=61000&timestamp={}", now_millis());
    let body = "symbol=NOSUCH&price=1&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1";
    let signature = hmac_hex(&world.alice.secret, &format!("{query}{body}")).to_uppercase();
    let request = Request::post(format!("/api/v3/order?signature={signature}&{query}"))
        .header("x-mbx-apikey", &world.alice.key)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    let placed = send(&world.router, request).await.ok();
    assert_eq!(
        (&placed["symbol"], &placed["price"]),
        (&json!("BTCUSDT"), &json!("61000.00000000"))
    );
    // A cancel may have a body.
    let form = format!("symbol=BTCUSDT&orderId={}", placed["orderId"]);
    let cancelled = world.posted(&world.alice, "DELETE", "/api/v3/order", &form).await.ok();
    assert_eq!(cancelled["status"], "CANCELED");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_demonstrations_visitors_works_here_too() {
    let world = World::new().await;
    let session = world.get(&Client::default(), "/v1/demo/session").await.ok();
    let text = |name: &str| session[name].as_str().unwrap().to_owned();
    let visitor = Client { key: text("key"), secret: text("secret") };
    let account = world.signed(&visitor, "GET", "/api/v3/account", "").await.ok();
    assert_eq!(account["uid"], session["account"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_come_in_their_order() {
    let world = World::new().await;
    let ask = async |key: Option<&str>, query: &str| {
        let mut request = Request::get(format!("/api/v3/account?{query}"));
        if let Some(key) = key {
            request = request.header("X-MBX-APIKEY", key);
        }
        let said = send(&world.router, request.body(Body::empty()).unwrap()).await;
        let (status, code, msg) = said.error();
        (status, code, msg.to_owned())
    };
    let (key, stranger) = (world.alice.key.as_str(), "x".repeat(64));
    let now = now_millis();
    let format = (401, -2014, "API-key format invalid.".to_owned());
    assert_eq!(ask(None, "").await, format);
    assert_eq!(ask(Some("short"), "").await, format);
    let unknown = (401, -2015, "Invalid API-key, IP, or permissions for action.".to_owned());
    assert_eq!(ask(Some(&stranger), "").await, unknown);
    let missing = |name: &str| {
        let text =
            format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
        (400, -1102, text)
    };
    assert_eq!(ask(Some(key), "signature=00").await, missing("timestamp"));
    assert_eq!(ask(Some(key), &format!("timestamp={now}")).await, missing("signature"));
    let window = ask(Some(key), &format!("timestamp={now}&recvWindow=60001&signature=00")).await;
    assert_eq!(window, (400, -1131, "recvWindow must be less than 60000.".to_owned()));
    let old = ask(Some(key), &format!("timestamp={}&signature=00", now - 6_000)).await;
    let text = "Timestamp for this request is outside of the recvWindow.";
    assert_eq!(old, (400, -1021, text.to_owned()));
    let ahead = ask(Some(key), &format!("timestamp={}&signature=00", now + 60_000)).await;
    let text = "Timestamp for this request was 1000ms ahead of the server's time.";
    assert_eq!(ahead, (400, -1021, text.to_owned()));
    let wrong = ask(Some(key), &format!("timestamp={now}&signature=00")).await;
    assert_eq!(wrong, (400, -1022, "Signature for this request is not valid.".to_owned()));
    let operator = world.signed(&world.operator, "GET", "/api/v3/account", "").await;
    assert_eq!(operator.code(), -2015, "an operator's key belongs to no account");
    // A key on a public call is not looked at.
    let request = Request::get("/api/v3/ping").header("X-MBX-APIKEY", "nonsense");
    send(&world.router, request.body(Body::empty()).unwrap()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signature_covers_the_bytes_as_they_were_sent() {
    let world = World::new().await;
    let symbols = "symbols=%5B%22BTCUSDT%22%5D";
    let sent = format!("{symbols}&timestamp={}", now_millis());
    let decoded = sent.replace("%5B", "[").replace("%5D", "]").replace("%22", "\"");
    for (payload, code) in [(&sent, None), (&decoded, Some(-1022))] {
        let signature = hmac_hex(&world.alice.secret, payload);
        let request = Request::get(format!("/api/v3/account?{sent}&signature={signature}"))
            .header("x-mbx-apikey", &world.alice.key)
            .body(Body::empty())
            .unwrap();
        let said = send(&world.router, request).await;
        match code {
            None => drop(said.ok()),
            Some(code) => assert_eq!(said.code(), code),
        }
    }
    let micros = format!("timestamp={}000&recvWindow=4999.5", now_millis());
    let signature = hmac_hex(&world.alice.secret, &micros);
    let request = Request::get(format!("/api/v3/account?{micros}&signature={signature}"))
        .header("x-mbx-apikey", &world.alice.key)
        .body(Body::empty())
        .unwrap();
    send(&world.router, request).await.ok();
}

/// A key of an account by its public key.
pub async fn registered(world: &World, public_key: &str) -> String {
    let body = json!({"account": 1, "permissions": ["read", "trade"], "public_key": public_key});
    let created = world.admin("POST", "/v1/admin/keys", body).await.ok();
    created["key"]["key"].as_str().unwrap().to_owned()
}

async fn asks(world: &World, key: &str, query: &str, signature: &str) -> crate::trader::Said {
    let signature: String = signature
        .bytes()
        .map(|byte| match byte {
            b'+' => "%2B".to_owned(),
            b'/' => "%2F".to_owned(),
            b'=' => "%3D".to_owned(),
            other => char::from(other).to_string(),
        })
        .collect();
    let request = Request::get(format!("/api/v3/account?{query}&signature={signature}"));
    let request = request.header("x-mbx-apikey", key).body(Body::empty()).unwrap();
    send(&world.router, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ed25519_key_signs_in_base64() {
    let world = World::new().await;
    let signer = SigningKey::from_bytes(&[42; 32]);
    let key = registered(&world, &hex::encode(signer.verifying_key().to_bytes())).await;
    let query = format!("timestamp={}", now_millis());
    let signature = BASE64_STANDARD.encode(signer.sign(query.as_bytes()).to_bytes());
    asks(&world, &key, &query, &signature).await.ok();
    let wrong = BASE64_STANDARD.encode(signer.sign(b"timestamp=1").to_bytes());
    assert_eq!(asks(&world, &key, &query, &wrong).await.code(), -1022);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rsa_key_is_registered_by_its_pem() {
    let world = World::new().await;
    let key = registered(&world, include_str!("rsa.pem")).await;
    let query = format!("timestamp={}", now_millis());
    let forged = BASE64_STANDARD.encode([7; 256]);
    assert_eq!(asks(&world, &key, &query, &forged).await.code(), -1022);
    let listed = world.get(&world.operator, "/v1/admin/keys").await.ok();
    let found =
        listed["keys"].as_array().unwrap().iter().find(|known| known["key"] == key.as_str());
    assert_eq!(found.unwrap()["kind"], "rsa");
    let body = json!({"account": 1, "permissions": ["read"], "public_key": "-----BEGIN PUBLIC KEY-----\nAAAA"});
    assert_eq!(world.admin("POST", "/v1/admin/keys", body).await.code(), "InvalidField");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_only_read_does_not_trade() {
    let world = World::new().await;
    let body = json!({"account": 1, "permissions": ["read"]});
    let key = world.admin("POST", "/v1/admin/keys", body).await.ok();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let looker = Client { key: text(&key["key"]["key"]), secret: text(&key["secret"]) };
    world.signed(&looker, "GET", "/api/v3/openOrders", "").await.ok();
    let form = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=1";
    let refused = world.signed(&looker, "POST", "/api/v3/order", form).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (401, -2015));
}
