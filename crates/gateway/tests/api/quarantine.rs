//! Operators' transfers while a component that they need is quarantined.

use std::time::Duration;

use gateway::{GatewayConfig, Limits};
use serde_json::{Value, json};
use types::{AccountId, Bug, Done, Event};

use crate::client::Answer;
use crate::world::{World, eventually};

const EVIDENCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The treasury fails when reserves are attested, a slot when its account 1 is frozen.
fn bug() -> Bug {
    Bug::new(|done| match done {
        Done::Emits(Event::ReservesAttested { .. }) => panic!("no attestation"),
        Done::Emits(Event::AccountFrozen { account: AccountId(1), .. }) => panic!("no frost"),
        _ => {}
    })
}

async fn transfer(world: &World, kind: &str, account: u32, reference: &str) -> Answer {
    let body = json!({"account": account, "asset": "BTC", "amount": "1", "reference": reference});
    world.admin("POST", &format!("/v1/admin/{kind}"), body).await
}

/// The names of quarantined components, once there are as many.
async fn quarantined(world: &World, count: usize) -> Vec<String> {
    eventually("not as many are quarantined", async || {
        let list = world.get(&world.operator, "/v1/admin/quarantine").await.ok();
        let list = list["components"].as_array().unwrap();
        let name = |one: &Value| one["component"].as_str().unwrap().to_owned();
        let names: Vec<String> = list.iter().map(name).collect();
        if names.len() == count { Ok(names) } else { Err(names) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_wait_for_a_quarantined_treasury_and_keep_their_numbers() {
    for partitions in [1, 3] {
        let config = GatewayConfig::default();
        let world = World::with_bug(partitions, config, Some(bug())).await;
        let body = json!({"ceiling": "1000", "evidence": EVIDENCE});
        let failed = world.admin("PUT", "/v1/admin/treasury/BTC/reserves", body).await;
        assert_eq!((failed.code(), failed.status.as_u16()), ("ComponentQuarantined", 503));
        assert_eq!(quarantined(&world, 1).await, ["treasury"]);
        for (kind, reference) in [("credits", "a"), ("credits", "a"), ("debits", "b")] {
            let waits = transfer(&world, kind, 1, reference).await;
            assert_eq!(waits.code(), "OutcomeUnknown", "{}", waits.json);
        }
        world.delete(&world.operator, "/v1/admin/quarantine/treasury").await.ok();
        assert_eq!(transfer(&world, "debits", 1, "c").await.ok()["status"], "done");
        for (kind, reference) in [("credits", "a"), ("debits", "b")] {
            assert_eq!(transfer(&world, kind, 1, reference).await.ok()["status"], "done");
        }
        world.settles(&world.alice, "BTC", "9.00000000", "0.00000000").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_of_a_quarantined_slot_is_refused_and_holds_nothing_up() {
    for partitions in [1, 3] {
        let config = GatewayConfig::default();
        let world = World::with_bug(partitions, config, Some(bug())).await;
        let path = "/v1/admin/accounts/1/frozen";
        world.admin("PUT", path, json!({"frozen": true})).await;
        assert_eq!(quarantined(&world, 1).await, ["ledger-1"]);
        let mut refused = transfer(&world, "debits", 1, "a").await;
        // With several partitions the treasury may not have heard why yet.
        for _ in 0..6_000 {
            if refused.code() != "OutcomeUnknown" {
                break;
            }
            refused = transfer(&world, "debits", 1, "a").await;
        }
        assert_eq!(refused.code(), "ComponentQuarantined", "{}", refused.json);
        assert_eq!(transfer(&world, "credits", 2, "b").await.ok()["status"], "done");
        world.delete(&world.operator, "/v1/admin/quarantine/ledger-1").await.ok();
        let refused = transfer(&world, "debits", 1, "a").await;
        assert_eq!(refused.code(), "ComponentQuarantined", "{}", refused.json);
        assert_eq!(transfer(&world, "debits", 1, "c").await.ok()["status"], "done");
    }
}

/// The slot refuses what the treasury has let through; a treasury that refuses has let nothing through.
#[tokio::test(flavor = "multi_thread")]
async fn an_approved_debit_that_a_quarantined_slot_refuses_is_told_so_and_an_unapproved_one_waits()
{
    for partitions in [1, 3] {
        let config = GatewayConfig::default();
        let world = World::with_bug(partitions, config, Some(bug())).await;
        let policy = json!({"manual_needs_approval": true});
        world.admin("PUT", "/v1/admin/treasury/BTC/policy", policy).await.ok();
        let [first, second] = ["a", "b"].map(|reference| transfer(&world, "debits", 1, reference));
        let (first, second) = (first.await.ok(), second.await.ok());
        assert_eq!((&first["proposal"], &second["proposal"]), (&json!(1), &json!(2)));
        let approve = async |proposal: u64| {
            let path = format!("/v1/admin/proposals/{proposal}/approve");
            world.post(&world.colleague, &path, json!({})).await
        };
        world.admin("PUT", "/v1/admin/accounts/1/frozen", json!({"frozen": true})).await;
        assert_eq!(quarantined(&world, 1).await, ["ledger-1"]);
        assert_eq!(approve(1).await.code(), "ComponentQuarantined");
        assert_eq!(transfer(&world, "debits", 1, "a").await.code(), "ComponentQuarantined");
        world.delete(&world.operator, "/v1/admin/quarantine/ledger-1").await.ok();
        assert_eq!(transfer(&world, "debits", 1, "a").await.code(), "ComponentQuarantined");

        let body = json!({"ceiling": "1000", "evidence": EVIDENCE});
        world.admin("PUT", "/v1/admin/treasury/BTC/reserves", body).await;
        assert_eq!(quarantined(&world, 1).await, ["treasury"]);
        assert_eq!(approve(2).await.code(), "ComponentQuarantined");
        world.delete(&world.operator, "/v1/admin/quarantine/treasury").await.ok();
        let waits = transfer(&world, "debits", 1, "b").await.ok();
        assert_eq!(waits["status"], "awaiting_approval");
        assert_eq!(approve(2).await.ok()["status"], "approved");
        world.settles(&world.alice, "BTC", "9.00000000", "0.00000000").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_in_a_quarantined_slot_holds_the_desk_up_until_the_release() {
    let limits = Limits { answer_timeout: Duration::from_secs(3), ..Limits::default() };
    let config = GatewayConfig { limits, ..GatewayConfig::default() };
    let world = World::with_bug(1, config, Some(bug())).await;
    let asked = json!({"asset": "BTC", "amount": "1", "client_id": "w"});
    world.post(&world.alice, "/v1/withdrawals", asked).await.ok();
    world.admin("PUT", "/v1/admin/accounts/1/frozen", json!({"frozen": true})).await;
    assert_eq!(quarantined(&world, 1).await, ["ledger-1"]);
    let settlement = json!({"account": 1, "client_id": "w", "reference": "s"});
    let settle = || world.admin("POST", "/v1/admin/withdrawals/settle", settlement.clone());
    assert_eq!(settle().await.code(), "OutcomeUnknown");
    assert_eq!(transfer(&world, "credits", 2, "a").await.code(), "OutcomeUnknown");
    world.delete(&world.operator, "/v1/admin/quarantine/ledger-1").await.ok();
    // What was parked is handled in the entries that follow.
    let mut credited = transfer(&world, "credits", 2, "a").await;
    for _ in 0..6_000 {
        if credited.status.is_success() {
            break;
        }
        credited = transfer(&world, "credits", 2, "a").await;
    }
    assert_eq!(credited.ok()["status"], "done");
    assert_eq!(settle().await.ok()["status"], "done");
    world.settles(&world.alice, "BTC", "9.00000000", "0.00000000").await;
}
