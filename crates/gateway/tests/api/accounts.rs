//! Balances, transfers, withdrawals, the demo key.

use serde_json::json;

use crate::client::Client;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_moves_funds_once_however_often_it_is_sent() {
    let world = World::new().await;
    let to = world.get(&world.alice, "/v1/account").await.ok()["id"].clone();
    let transfer = json!({"to": to, "asset": "USDT", "amount": "25.5", "client_id": "gift"});
    let first = world.post(&world.bob, "/v1/transfers", transfer.clone()).await.ok();
    assert_eq!((&first["repeated"], &first["amount"]), (&json!(false), &json!("25.500000")));
    let second = world.post(&world.bob, "/v1/transfers", transfer).await.ok();
    assert_eq!(second["repeated"], true);
    assert_eq!(world.balance(&world.bob, "USDT").await.0, "999974.500000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_locks_funds_until_it_is_settled_or_given_up() {
    let world = World::new().await;
    let account = world.get(&world.bob, "/v1/account").await.ok()["id"].clone();
    for name in ["one", "two"] {
        let body = json!({"asset": "USDT", "amount": "1000", "client_id": name});
        world.post(&world.bob, "/v1/withdrawals", body).await.ok();
    }
    assert_eq!(
        world.balance(&world.bob, "USDT").await,
        ("998000.000000".into(), "2000.000000".into())
    );
    let pending = world.get(&world.bob, "/v1/withdrawals").await.ok();
    assert_eq!(pending["withdrawals"].as_array().unwrap().len(), 2);
    world.delete(&world.bob, "/v1/withdrawals/one").await.ok();
    let settle = json!({"account": account, "client_id": "two", "reference": "chain-tx-2"});
    let settled = world.admin("POST", "/v1/admin/withdrawals/settle", settle.clone()).await.ok();
    assert_eq!(settled["repeated"], false);
    assert_eq!(
        world.admin("POST", "/v1/admin/withdrawals/settle", settle).await.ok()["repeated"],
        true
    );
    assert_eq!(
        world.balance(&world.bob, "USDT").await,
        ("999000.000000".into(), "0.000000".into())
    );
    assert_eq!(world.delete(&world.bob, "/v1/withdrawals/two").await.code(), "UnknownPendingDebit");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_key_trades_but_moves_no_funds_away() {
    let world = World::new().await;
    let session = world.get(&Client::default(), "/v1/demo/session").await.ok();
    let demo = Client {
        key: session["key"].as_str().unwrap().to_owned(),
        secret: session["secret"].as_str().unwrap().to_owned(),
    };
    assert_eq!(session["account"], 1);
    world.limit(&demo, "sell", "60000", "1").await.ok();
    let transfer = json!({"to": 2, "asset": "BTC", "amount": "1", "client_id": "theft"});
    assert_eq!(world.post(&demo, "/v1/transfers", transfer).await.code(), "Forbidden");
    assert_eq!(world.get(&demo, "/v1/admin/keys").await.code(), "Forbidden");
}
