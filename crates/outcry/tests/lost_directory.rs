//! A data directory whose `directory.sqlite` is gone: told of, mended, and nothing fails for it.

use std::path::Path;

use crate::support::{Key, Server};
use serde_json::json;

fn lose_directory(data: &Path) {
    for file in ["directory.sqlite", "directory.sqlite-wal", "directory.sqlite-shm"] {
        let _ = std::fs::remove_file(data.join(file));
    }
    assert!(!data.join("directory.sqlite").exists());
}

#[test]
fn accounts_keep_their_funds_and_operators_are_told_what_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, None, &["--no-demo"]).unwrap();
    let admin = server.admin.clone().expect("shown at the first start");
    let mut http = server.http();
    http.ok(&admin, "POST", "/v1/admin/assets", Some(json!({"symbol": "USDT", "scale": 6})));
    http.ok(&admin, "POST", "/v1/admin/accounts", Some(json!({"name": "alice"})));
    let credit = Some(json!({"account": 1, "asset": "USDT", "amount": "5", "reference": "bank-1"}));
    http.ok(&admin, "POST", "/v1/admin/credits", credit.clone());
    server.stop();
    lose_directory(&data);

    let server = Server::start(&data, None, &["--no-demo"]).unwrap();
    server.says(&["directory.sqlite is lost or older than the log: 1 of 1 accounts"]);
    server.says(&["the log has external transfer 1, directory.sqlite only 0"]);
    let admin = server.admin.clone().expect("a new one, since there is none");
    let mut http = server.http();
    let alice = http.ok(&admin, "GET", "/v1/admin/accounts/1", None);
    assert_eq!(alice["name"], "account 1 (name lost)");
    let key = Some(json!({"account": 1, "permissions": ["read"]}));
    let key = http.ok(&admin, "POST", "/v1/admin/keys", key);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let key = Key { id: text(&key["key"]["key"]), secret: text(&key["secret"]) };
    let balances = http.ok(&key, "GET", "/v1/balances", None);
    assert_eq!(balances["balances"][0]["available"], "5.000000");
    http.ok(&admin, "PUT", "/v1/admin/accounts/1/frozen", Some(json!({"frozen": true})));
    // The retry of a reference that is not known any more must not pay twice.
    let (status, refused) = http.send(Some(&admin), "POST", "/v1/admin/credits", credit).unwrap();
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("OutboxBehindLog")));
    let bob = http.ok(&admin, "POST", "/v1/admin/accounts", Some(json!({"name": "bob"})));
    assert_eq!((&bob["account"]["id"], &bob["account"]["opened"]), (&json!(2), &json!(true)));
    server.stop();

    let server = Server::start(&data, None, &["--no-demo"]).unwrap();
    assert!(server.admin.is_none());
    server.says(&["the log has external transfer 1"]);
    assert!(!server.output().contains("older than the log: "), "the accounts are known now");
    server.stop();
}

#[test]
fn a_demonstration_finds_its_accounts_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Server::start(&data, None, &[]).unwrap().stop();
    lose_directory(&data);
    let server = Server::start(&data, None, &[]).unwrap();
    let mut http = server.http();
    let (_, demo) = http.send(None, "GET", "/v1/demo/session", None).unwrap();
    assert_eq!(demo["account"], 1);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let key = Key { id: text(&demo["key"]), secret: text(&demo["secret"]) };
    let order = json!({
        "market": "BTC-USDT", "side": "buy", "type": "limit", "price": "1", "quantity": "1",
    });
    http.ok(&key, "POST", "/v1/orders", Some(order));
    server.stop();
}
