//! Signatures: what is refused, and why.

use axum::body::Body;
use axum::http::Request;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;

use crate::client::{Client, call, now_millis};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn only_a_fresh_and_fitting_signature_is_taken() {
    let world = World::new().await;
    let now = now_millis();
    let path = "/v1/balances";
    let unsigned = Client::default().send(&world.router, "GET", path, "").await;
    assert_eq!((unsigned.code(), unsigned.status.as_u16()), ("Unauthorized", 401));
    let stranger = Client { key: "k00".into(), secret: "x".into() };
    assert_eq!(world.get(&stranger, path).await.code(), "UnknownKey");
    let forger = Client { secret: "guess".into(), ..world.alice.clone() };
    assert_eq!(world.get(&forger, path).await.code(), "BadSignature");

    let mut elsewhere = world.alice.signed(now, None, "GET", path, "");
    *elsewhere.uri_mut() = "/v1/account".parse().unwrap();
    assert_eq!(call(&world.router, elsewhere).await.code(), "BadSignature");
    let mut changed = world.alice.signed(now, None, "POST", "/v1/orders", "{}");
    *changed.body_mut() = Body::from("{ }");
    assert_eq!(call(&world.router, changed).await.code(), "BadSignature");

    for (timestamp, window) in
        [(now - 6_000, None), (now + 30_000, None), (now - 1_500, Some(1_000))]
    {
        let stale = world.alice.signed(timestamp, window, "GET", path, "");
        assert_eq!(call(&world.router, stale).await.code(), "TimestampOutsideWindow");
    }
    let patient = world.alice.signed(now - 20_000, Some(60_000), "GET", path, "");
    call(&world.router, patient).await.ok();
    let greedy = world.alice.signed(now, Some(60_001), "GET", path, "");
    assert_eq!(call(&world.router, greedy).await.code(), "Unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ed25519_key_signs_as_well() {
    let world = World::new().await;
    let signer = SigningKey::from_bytes(&[42; 32]);
    let public = hex::encode(signer.verifying_key().to_bytes());
    let body = json!({"account": 1, "permissions": ["read"], "public_key": public, "label": "bot"});
    let created = world.admin("POST", "/v1/admin/keys", body).await.ok();
    assert_eq!((&created["secret"], &created["key"]["kind"]), (&json!(null), &json!("ed25519")));
    let key = created["key"]["key"].as_str().unwrap();
    let timestamp = now_millis();
    let signature = signer.sign(format!("{timestamp}\n5000\nGET\n/v1/account\n").as_bytes());
    let request = |signature: String| {
        Request::get("/v1/account")
            .header("x-outcry-key", key)
            .header("x-outcry-timestamp", timestamp)
            .header("x-outcry-signature", signature)
            .body(Body::empty())
            .unwrap()
    };
    let account = call(&world.router, request(hex::encode(signature.to_bytes()))).await.ok();
    assert_eq!((&account["id"], &account["permissions"]), (&json!(1), &json!(["read"])));
    let wrong = call(&world.router, request(hex::encode([0; 64]))).await;
    assert_eq!(wrong.code(), "BadSignature");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_from_the_answer_on() {
    let world = World::new().await;
    world.get(&world.alice, "/v1/balances").await.ok();
    let path = format!("/v1/admin/keys/{}", world.alice.key);
    world.delete(&world.operator, &path).await.ok();
    assert_eq!(world.get(&world.alice, "/v1/balances").await.code(), "UnknownKey");
    // A retry of the operator's is answered alike.
    assert_eq!(world.delete(&world.operator, &path).await.ok()["key"], world.alice.key);
    let unknown = world.delete(&world.operator, "/v1/admin/keys/k00").await;
    assert_eq!((unknown.code(), unknown.status.as_u16()), ("KeyNotFound", 404));
    assert_eq!(world.delete(&world.bob, &path).await.code(), "Forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_no_more_than_it_may() {
    let world = World::new().await;
    let body = json!({"account": 1, "permissions": ["read"]});
    let key = world.admin("POST", "/v1/admin/keys", body).await.ok();
    let looker = Client {
        key: key["key"]["key"].as_str().unwrap().to_owned(),
        secret: key["secret"].as_str().unwrap().to_owned(),
    };
    let none =
        world.admin("POST", "/v1/admin/keys", json!({"account": 1, "permissions": []})).await;
    assert_eq!((none.code(), none.status.as_u16()), ("InvalidField", 400));
    world.get(&looker, "/v1/balances").await.ok();
    assert_eq!(world.limit(&looker, "sell", "60000", "1").await.code(), "Forbidden");
    assert_eq!(world.get(&world.alice, "/v1/admin/accounts").await.code(), "Forbidden");
    assert_eq!(world.get(&world.operator, "/v1/balances").await.code(), "Forbidden");
}
