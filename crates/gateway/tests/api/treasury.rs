//! Ceilings, policies and proposals: what one operator alone may not do, over the API.

use gateway::GatewayConfig;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::World;

const EVIDENCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

async fn attest(world: &World, ceiling: &str) -> Answer {
    let body = json!({"ceiling": ceiling, "evidence": EVIDENCE});
    world.admin("PUT", "/v1/admin/treasury/USDT/reserves", body).await
}

async fn credit(world: &World, amount: &str, reference: &str) -> Answer {
    let body = json!({"account": 1, "asset": "USDT", "amount": amount, "reference": reference});
    world.admin("POST", "/v1/admin/credits", body).await
}

async fn decide(world: &World, who: &Client, proposal: u64, verb: &str) -> Answer {
    world.post(who, &format!("/v1/admin/proposals/{proposal}/{verb}"), json!({})).await
}

async fn proposals(world: &World) -> Value {
    world.get(&world.operator, "/v1/admin/proposals").await.ok()["proposals"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_above_the_ceiling_takes_two_operators() {
    for partitions in [1, 3] {
        let world = World::with(partitions, GatewayConfig::default()).await;
        // Bob has a million.
        let done = attest(&world, "1000100").await.ok();
        assert_eq!((&done["status"], &done["proposal"]), (&json!("done"), &json!(null)));
        let first = credit(&world, "100", "a").await.ok();
        assert_eq!(first["status"], "done");
        let waits = credit(&world, "0.5", "b").await.ok();
        assert_eq!(
            (&waits["status"], &waits["proposal"]),
            (&json!("awaiting_approval"), &json!(1))
        );
        let again = credit(&world, "0.5", "b").await.ok();
        assert_eq!((&again["proposal"], &again["repeated"]), (&json!(1), &json!(true)));
        world.settles(&world.alice, "USDT", "100.000000", "0.000000").await;

        let open = proposals(&world).await;
        assert_eq!(open.as_array().unwrap().len(), 1);
        let shown = &open[0];
        assert_eq!((&shown["act"], &shown["amount"]), (&json!("credit"), &json!("0.500000")));
        assert_eq!(shown["concerns"], json!(["ceiling"]));
        assert_eq!((&shown["proposed_by"], &shown["account"]), (&json!("operator-1"), &json!(1)));
        assert_eq!(shown["desk_reference"], "b");

        let same = decide(&world, &world.operator, 1, "approve").await;
        assert_eq!((same.code(), same.status.as_u16()), ("SameOperator", 403));
        let approved = decide(&world, &world.colleague, 1, "approve").await.ok();
        assert_eq!(approved["status"], "approved");
        world.settles(&world.alice, "USDT", "100.500000", "0.000000").await;
        assert_eq!(credit(&world, "0.5", "b").await.ok()["status"], "done");
        assert_eq!(proposals(&world).await, json!([]));
        assert_eq!(decide(&world, &world.colleague, 1, "approve").await.code(), "UnknownProposal");

        let state = world.get(&world.operator, "/v1/admin/treasury").await.ok();
        let usdt = state["assets"].as_array().unwrap().iter().find(|a| a["asset"] == "USDT");
        let usdt = usdt.unwrap();
        assert_eq!(usdt["supply"], "1000100.500000");
        assert_eq!(usdt["reserves"]["ceiling"], "1000100.000000");
        assert_eq!(
            (&usdt["reserves"]["evidence"], &usdt["reserves"]["operator"]),
            (&json!(EVIDENCE), &json!("operator-1"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_of_the_same_operator_is_no_second_operator() {
    let world = World::new().await;
    attest(&world, "1000000").await.ok();
    credit(&world, "1", "a").await.ok();
    let body = json!({"permissions": ["admin"], "label": "stolen"});
    let made = world.admin("POST", "/v1/admin/keys", body).await.ok();
    assert_eq!(made["key"]["operator"], "operator-1");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let second = Client { key: text(&made["key"]["key"]), secret: text(&made["secret"]) };
    assert_eq!(decide(&world, &second, 1, "approve").await.code(), "SameOperator");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_transfer_says_so_and_blocks_nothing() {
    let world = World::new().await;
    let policy = json!({"large_credit": "10", "manual_needs_approval": false});
    world.admin("PUT", "/v1/admin/treasury/USDT/policy", policy).await.ok();
    assert_eq!(credit(&world, "11", "a").await.ok()["status"], "awaiting_approval");
    assert_eq!(credit(&world, "10", "b").await.ok()["status"], "done");
    let rejected = decide(&world, &world.colleague, 1, "reject").await.ok();
    assert_eq!(rejected["status"], "rejected");
    for _ in 0..2 {
        assert_eq!(credit(&world, "11", "a").await.code(), "NotApproved");
    }
    assert_eq!(world.balance(&world.alice, "USDT").await.0, "10.000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_adjustment_at_the_desk_waits_where_the_policy_says_so() {
    let world = World::new().await;
    let policy = json!({"manual_needs_approval": true});
    world.admin("PUT", "/v1/admin/treasury/BTC/policy", policy).await.ok();
    let debit = |amount: &str, reference: &str| json!({"account": 1, "asset": "BTC", "amount": amount, "reference": reference});
    for (amount, reference) in [("4", "fine"), ("11", "too-much")] {
        let waits = world.admin("POST", "/v1/admin/debits", debit(amount, reference)).await.ok();
        assert_eq!(waits["status"], "awaiting_approval");
    }
    decide(&world, &world.colleague, 1, "approve").await.ok();
    assert_eq!(world.balance(&world.alice, "BTC").await.0, "6.00000000");
    let refused = decide(&world, &world.colleague, 2, "approve").await;
    assert_eq!(refused.code(), "InsufficientBalance");
    let again = world.admin("POST", "/v1/admin/debits", debit("11", "too-much")).await;
    assert_eq!(again.code(), "InsufficientBalance");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_operator_tightens_and_two_loosen() {
    let world = World::new().await;
    attest(&world, "2000000").await.ok();
    assert_eq!(attest(&world, "1500000").await.ok()["status"], "done");
    assert_eq!(attest(&world, "1500001").await.ok()["proposal"], 1);
    let source = world.admin("PUT", "/v1/admin/sources/1", json!({"kind": "machine"})).await.ok();
    assert_eq!(source["proposal"], 2);
    let open = proposals(&world).await;
    assert_eq!(
        (&open[0]["amount"], &open[0]["concerns"]),
        (&json!("1500001.000000"), &json!(["loosening"]))
    );
    assert_eq!(open[1]["source"], json!({"source": 1, "kind": "machine"}));
    decide(&world, &world.operator, 2, "reject").await.ok();
    decide(&world, &world.colleague, 1, "approve").await.ok();
    let state = world.get(&world.operator, "/v1/admin/treasury").await.ok();
    let usdt = state["assets"].as_array().unwrap().iter().find(|a| a["asset"] == "USDT");
    assert_eq!(usdt.unwrap()["reserves"]["ceiling"], "1500001.000000");
    assert_eq!(state["sources"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_is_for_operators_and_tells_which_field_is_wrong() {
    let world = World::new().await;
    for path in ["/v1/admin/treasury", "/v1/admin/proposals"] {
        assert_eq!(world.get(&world.alice, path).await.code(), "Forbidden");
    }
    assert_eq!(decide(&world, &world.alice, 1, "approve").await.code(), "Forbidden");
    assert_eq!(decide(&world, &world.alice, 1, "reject").await.code(), "Forbidden");
    let path = "/v1/admin/treasury/USDT/reserves";
    let short = json!({"ceiling": "1", "evidence": "00"});
    let answer = world.admin("PUT", path, short).await;
    assert_eq!(answer.code(), "InvalidField");
    let message = answer.json["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("evidence:"), "{message}");
    let policy = json!({"expiry_hours": 721});
    let answer = world.admin("PUT", "/v1/admin/treasury/USDT/policy", policy).await;
    assert_eq!(answer.code(), "InvalidField");
    let body = json!({"ceiling": "1", "evidence": EVIDENCE});
    let unknown = world.admin("PUT", "/v1/admin/treasury/NONE/reserves", body).await;
    assert_eq!(unknown.code(), "UnknownAsset");
}
