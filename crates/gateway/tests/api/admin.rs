//! What operators do.

use serde_json::json;
use types::{AccountId, ReplyTo, Request, Timestamp};

use crate::client::{Answer, Client};
use crate::world::{World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_is_made_once_under_its_reference() {
    let world = World::new().await;
    let credit = |amount: &str| json!({"account": 1, "asset": "USDT", "amount": amount, "reference": "bank-7"});
    let first = world.admin("POST", "/v1/admin/credits", credit("10")).await.ok();
    let again = world.admin("POST", "/v1/admin/credits", credit("10")).await.ok();
    assert_eq!((&first["repeated"], &again["repeated"]), (&json!(false), &json!(true)));
    assert_eq!(first["number"], again["number"]);
    let other = world.admin("POST", "/v1/admin/credits", credit("11")).await;
    assert_eq!(other.code(), "ReferenceConflict");
    assert_eq!(world.balance(&world.alice, "USDT").await.0, "10.000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_that_is_not_covered_is_rejected_for_good_and_blocks_nothing() {
    let world = World::new().await;
    let debit = |amount: &str, reference: &str| json!({"account": 1, "asset": "BTC", "amount": amount, "reference": reference});
    for _ in 0..2 {
        let refused = world.admin("POST", "/v1/admin/debits", debit("11", "too-much")).await;
        assert_eq!(refused.code(), "InsufficientBalance");
    }
    world.admin("POST", "/v1/admin/debits", debit("4", "fine")).await.ok();
    assert_eq!(world.balance(&world.alice, "BTC").await.0, "6.00000000");
    let body = json!({"account": 99, "asset": "BTC", "amount": "1", "reference": "nobody"});
    assert_eq!(world.admin("POST", "/v1/admin/credits", body).await.code(), "UnknownAccount");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_is_halted_and_goes_on() {
    let world = World::new().await;
    let path = "/v1/admin/markets/BTC-USDT/state";
    world.admin("PUT", path, json!({"state": "halted"})).await.ok();
    let market = world.get(&Client::default(), "/v1/markets/BTC-USDT").await.ok();
    assert_eq!(market["state"], "halted");
    assert_eq!(world.limit(&world.alice, "sell", "1", "1").await.code(), "MarketHalted");
    assert_eq!(world.admin("PUT", path, json!({"state": "halted"})).await.code(), "WrongState");
    world.admin("PUT", path, json!({"state": "auction"})).await.ok();
    world.limit(&world.alice, "sell", "50000", "1").await.ok();
    world.limit(&world.bob, "buy", "50000", "1").await.ok();
    world.admin("PUT", path, json!({"state": "continuous"})).await.ok();
    let fill = world.first_fill(&world.bob).await;
    assert_eq!(fill["liquidity"], "auction");
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_of_a_tier_are_taken_from_what_is_received() {
    let world = World::new().await;
    let rates = json!({"maker_ppm": 1000, "taker_ppm": 2000});
    world.admin("PUT", "/v1/admin/fee-tiers/3", rates).await.ok();
    world.admin("PUT", "/v1/admin/accounts/2/fee-tier", json!({"fee_tier": 3})).await.ok();
    world.limit(&world.alice, "sell", "50000", "1").await.ok();
    let bought = world.limit(&world.bob, "buy", "50000", "1").await.ok();
    assert_eq!(
        (&bought["order"]["fee"], &bought["order"]["fee_asset"]),
        (&json!("0.00200000"), &json!("BTC"))
    );
    assert_eq!(world.balance(&world.bob, "BTC").await.0, "0.99800000");
    let tiers = world.get(&Client::default(), "/v1/fee-tiers").await.ok();
    assert_eq!(tiers["fee_tiers"], json!([{"tier": 3, "maker_ppm": 1000, "taker_ppm": 2000}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_may_cancel_but_not_place() {
    let world = World::new().await;
    let placed = world.limit(&world.alice, "sell", "60000", "1").await.ok();
    world.admin("PUT", "/v1/admin/accounts/1/frozen", json!({"frozen": true})).await.ok();
    assert_eq!(world.limit(&world.alice, "sell", "60000", "1").await.code(), "AccountFrozen");
    world.delete(&world.alice, &format!("/v1/orders/BTC-USDT/{}", placed["id"])).await.ok();
    let account = world.get(&world.operator, "/v1/admin/accounts/1").await.ok();
    assert_eq!((&account["frozen"], &account["name"]), (&json!(true), &json!("alice")));
    world.admin("PUT", "/v1/admin/accounts/1/frozen", json!({"frozen": false})).await.ok();
    world.limit(&world.alice, "sell", "60000", "1").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_opened_is_not_in_the_directory() {
    let world = World::new().await;
    let names = async || {
        let list = world.get(&world.operator, "/v1/admin/accounts").await.ok();
        let accounts = list["accounts"].as_array().unwrap();
        accounts.iter().map(|account| account["name"].as_str().unwrap().to_owned()).collect()
    };
    let before: Vec<String> = names().await;
    let body = json!({"name": "carol", "fee_tier": 9});
    let refused = world.admin("POST", "/v1/admin/accounts", body).await;
    assert_eq!(refused.code(), "UnknownFeeTier");
    assert_eq!(names().await, before);
    // Opened by somebody who does not use this directory, under the next number.
    let account = AccountId(before.len() as u32 + 2);
    let opened = Request::CreateAccount { account, fee_tier: 0 };
    world.exchange.submit(ReplyTo::NOBODY, Timestamp(u64::MAX), opened).unwrap();
    let taken = world.admin("POST", "/v1/admin/accounts", json!({"name": "carol"})).await;
    assert_eq!((taken.code(), taken.status.as_u16()), ("AccountExists", 409));
    assert_eq!(names().await, before);
    let created = world.admin("POST", "/v1/admin/accounts", json!({"name": "carol"})).await.ok();
    assert_eq!(created["account"]["opened"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_cannot_work_are_refused() {
    let world = World::new().await;
    let asset = json!({"symbol": "BTC", "scale": 8});
    assert_eq!(world.admin("POST", "/v1/admin/assets", asset).await.code(), "AlreadyDefined");
    let market = json!({
        "symbol": "X-Y", "base": "BTC", "quote": "USDT", "tick": "0.00001", "lot": "0.0001",
        "max_price": "1", "max_quantity": "1",
    });
    let said = |answer: Answer| answer.json["error"]["message"].as_str().unwrap().to_owned();
    let answer = world.admin("POST", "/v1/admin/markets", market.clone()).await;
    assert_eq!(answer.code(), "InvalidDefinition");
    assert!(said(answer).starts_with("tick, lot: a lot must be a whole number of"));
    for (field, value, start) in [
        ("symbol", json!("x-y"), "symbol: must be"),
        ("base", json!("USDT"), "quote: must be another"),
        ("max_quantity", json!("0"), "max_price, max_quantity: must be"),
        (
            "max_waiting",
            json!(0),
            "max_orders, max_levels, max_orders_per_account, max_waiting: must",
        ),
    ] {
        let mut wrong = market.clone();
        wrong["tick"] = json!("0.01");
        wrong[field] = value;
        let answer = world.admin("POST", "/v1/admin/markets", wrong).await;
        assert_eq!(answer.code(), "InvalidDefinition", "{field}");
        assert!(said(answer).starts_with(start), "{field}");
    }
    let asset = json!({"symbol": "eth", "scale": 8});
    assert!(said(world.admin("POST", "/v1/admin/assets", asset).await).starts_with("symbol: "));
    let asset = json!({"symbol": "ETH", "scale": 19});
    assert!(said(world.admin("POST", "/v1/admin/assets", asset).await).starts_with("scale: "));
    let rates = json!({"maker_ppm": 1_000_001, "taker_ppm": 0});
    assert!(
        said(world.admin("PUT", "/v1/admin/fee-tiers/3", rates).await).starts_with("maker_ppm")
    );
    assert_eq!(world.admin("POST", "/v1/admin/snapshot", json!({})).await.code(), "NotAvailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_revoked_whole_though_its_operator_breaks_off() {
    let world = World::new().await;
    for _ in 0..20 {
        let body = json!({"account": 1, "permissions": ["read"]});
        let made = world.admin("POST", "/v1/admin/keys", body).await.ok();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let client = Client { key: text(&made["key"]["key"]), secret: text(&made["secret"]) };
        let path = format!("/v1/admin/keys/{}", client.key);
        {
            // Asked once whether it is done, which it is not: it has begun. Then the caller is gone.
            let mut revoking = std::pin::pin!(world.delete(&world.operator, &path));
            let waker = std::task::Waker::noop();
            let begun = revoking.as_mut().poll(&mut std::task::Context::from_waker(waker));
            assert!(begun.is_pending(), "it was done before anybody could break off");
        }
        eventually("a revoked key goes on working", async || {
            let answer = world.get(&client, "/v1/balances").await;
            if answer.status == 401 { Ok(()) } else { Err(answer) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_has_failed_nothing_is_quarantined_or_released() {
    let world = World::new().await;
    let listed = world.get(&world.operator, "/v1/admin/quarantine").await.ok();
    assert_eq!(listed, json!({"components": []}));
    let release = async |component: &str| {
        let path = format!("/v1/admin/quarantine/{component}");
        world.operator.send(&world.router, "DELETE", &path, "").await
    };
    for component in ["market-1", "market-77", "ledger-3", "treasury"] {
        assert_eq!(release(component).await.code(), "NotQuarantined", "{component}");
    }
    assert_eq!(release("market-01").await.code(), "InvalidField");
}
