//! Order entry over the socket.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use types::{AccountId, Amount, AssetId, OrderId, Request, Side, TreasuryReference};
use views::OrderStatus;

use super::rig::{MARKET, Rig};

fn order(side: &str, price: &str, id: &str) -> Value {
    json!({ "market": "BASE-QUOTE", "side": side, "type": "limit", "price": price,
        "quantity": "1.0", "client_order_id": id })
}

#[tokio::test]
async fn every_verb_is_answered_as_rest_answers_it() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let placed = client.ok("place_order", order("buy", "90.0", "a")).await;
    assert_eq!(placed["order"]["status"], "open", "{placed}");
    let repeated = client.ok("place_order", order("buy", "90.0", "a")).await;
    assert_eq!((&repeated["repeated"], &repeated["id"]), (&json!(true), &placed["id"]));
    let amend = json!({ "market": "BASE-QUOTE", "order_id": placed["id"], "quantity": "0.4" });
    let amended = client.ok("amend_order", amend).await;
    assert_eq!(amended["remaining_quantity"], "0.4", "{amended}");
    let more = json!({ "market": "BASE-QUOTE", "order_id": placed["id"], "quantity": "0.5",
        "keep_priority": true });
    assert_eq!(client.refusal("amend_order", more).await, "LosesPriority");
    let fields = json!({ "market": "BASE-QUOTE", "order_id": placed["id"] });
    assert_eq!(client.ok("cancel_order", fields.clone()).await["id"], placed["id"]);
    assert_eq!(client.refusal("cancel_order", fields).await, "UnknownOrder");
    client.ok("place_order", order("buy", "90.0", "b")).await;
    let named = json!({ "client_order_id": "b" });
    assert_eq!(client.ok("cancel_by_client_id", named).await["remaining_quantity"], "1.0");
    client.ok("place_order", order("buy", "90.0", "c")).await;
    client.ok("place_order", order("buy", "91.0", "d")).await;
    let all = client.ok("cancel_all", json!({ "market": "BASE-QUOTE" })).await;
    assert_eq!(all["count"], 2, "{all}");
    rig.stop().await;
}

#[tokio::test]
async fn many_requests_are_under_way_at_once_and_taken_in_order() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(client.ask("place_order", order("buy", "90.0", &format!("o{number}"))).await);
    }
    let mut orders = Vec::new();
    for id in &ids {
        let answer = client.answer(&json!(id)).await;
        assert_eq!(answer["op"], "place_order");
        orders.push(answer["result"]["id"].as_u64().unwrap_or_else(|| panic!("{answer}")));
    }
    assert!(orders.is_sorted(), "the market took them in another order: {orders:?}");
    assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), 300);
    rig.stop().await;
}

#[tokio::test]
async fn a_revoked_key_trades_no_more() {
    let rig = Rig::start().await;
    let mut client = rig.connect().await;
    let (key, secret) = rig.key(1);
    client.login(&key, &secret).await;
    client.ok("place_order", order("buy", "90.0", "a")).await;
    rig.shared.auth.forget(&key);
    assert_eq!(client.close_frame().await.0, 4001);
    let mut again = rig.connect().await;
    let login = json!({ "key": key, "timestamp": 1, "signature": "00" });
    assert_eq!(again.refusal("login", login).await, "UnknownKey");
    assert_eq!(again.refusal("place_order", order("buy", "90.0", "b")).await, "Unauthorized");
    rig.stop().await;
}

#[tokio::test]
async fn an_order_by_quote_that_one_entry_cannot_finish_is_not_answered_as_filled() {
    let rig = Rig::start().await;
    for (account, number) in [(5, 9), (6, 10)] {
        let account = AccountId(account);
        rig.submit(Request::CreateAccount { account, fee_tier: 0 });
        let reference = TreasuryReference { source: 1, number };
        let amount = Amount::new(1 << 60);
        rig.submit(Request::Credit {
            reference,
            operator: types::OperatorName::NONE,
            account,
            asset: AssetId(1),
            amount,
        });
    }
    // More than an entry's work; no account may have more than a thousand.
    for account in [1, 2, 3, 5, 6] {
        for _ in 0..1_000 {
            rig.place(account, Side::Sell, 1_000, 1);
        }
    }
    rig.caught_up().await;
    let mut client = rig.logged_in(4).await;
    let sweep = json!({
        "market": "BASE-QUOTE", "side": "buy", "type": "market", "quote_amount": "60000.00",
    });
    let placed = client.ok("place_order", sweep).await;
    let fills = placed["fills"].as_array().unwrap().len();
    assert!((1_000..5_000).contains(&fills), "{fills} in one entry");
    assert_eq!(placed["order"]["status"], "partially_filled");
    let order = OrderId(placed["id"].as_u64().unwrap());
    rig.until(|rig| {
        let known = rig.shared.views.order(AccountId(4), MARKET, order);
        known.is_some_and(|order| {
            order.status == OrderStatus::Cancelled && order.filled.get() == 5_000
        })
    })
    .await;
    rig.stop().await;
}
