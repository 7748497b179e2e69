//! Several orders or cancels in one message.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rig::{Options, Rig};

fn order(side: &str, price: &str, id: &str) -> Value {
    json!({ "market": "BASE-QUOTE", "side": side, "type": "limit", "price": price,
        "quantity": "1.0", "client_order_id": id })
}

fn orders(orders: impl IntoIterator<Item = Value>) -> Value {
    json!({ "orders": orders.into_iter().collect::<Vec<_>>() })
}

#[tokio::test]
async fn a_hundred_orders_of_a_message_enter_in_their_order_and_are_answered_in_one() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let all = (0..100).map(|number| order("buy", "90.0", &format!("o{number}")));
    let answer = client.ok("place_orders", orders(all)).await;
    let answers = answer["orders"].as_array().unwrap();
    assert_eq!(answers.len(), 100);
    for (number, answer) in answers.iter().enumerate() {
        let result = &answer["result"];
        assert_eq!((&answer["status"], &result["status"]), (&json!(200), &json!("open")));
        assert_eq!(result["client_order_id"], format!("o{number}"));
        assert_eq!(
            (&result["filled_quantity"], &result["remaining_quantity"]),
            (&json!("0.0"), &json!("1.0"))
        );
        assert_eq!((&result["repeated"], &result["fills"]), (&json!(false), &json!([])));
    }
    let ids: Vec<u64> =
        answers.iter().map(|answer| answer["result"]["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted(), "the market took them in another order: {ids:?}");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 100);

    let cancel = |id: &u64| json!({ "market": "BASE-QUOTE", "order_id": id });
    let answer = client.ok("cancel_orders", orders(ids.iter().map(cancel))).await;
    for (id, answer) in ids.iter().zip(answer["orders"].as_array().unwrap()) {
        assert_eq!((&answer["status"], &answer["result"]["id"]), (&json!(200), &json!(id)));
        assert_eq!(answer["result"]["remaining_quantity"], "1.0");
    }
    rig.stop().await;
}

#[tokio::test]
async fn an_order_that_is_refused_leaves_the_others_of_its_message_alone() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let other_market = json!({ "market": "NO-SUCH", "side": "buy", "type": "limit", "price": "1", "quantity": "1" });
    let mut stray = order("buy", "90.0", "stray");
    stray["leverage"] = json!(5);
    let answer = client
        .ok(
            "place_orders",
            orders([
                order("sell", "100.0", "a"),
                order("buy", "0.05", "off the tick"),
                order("buy", "100.0", "b"),
                other_market,
                stray,
                json!(7),
                order("buy", "900000000000.0", "c"),
                order("buy", "90.0", "b"),
            ]),
        )
        .await;
    let answers = answer["orders"].as_array().unwrap();
    let outcome = |answer: &Value| match answer["status"].as_u64() {
        Some(200) => answer["result"]["status"].as_str().unwrap().to_owned(),
        _ => answer["error"]["code"].as_str().unwrap().to_owned(),
    };
    let outcomes: Vec<String> = answers.iter().map(outcome).collect();
    assert_eq!(
        outcomes,
        [
            "open",
            "InvalidField",
            "filled",
            "UnknownMarket",
            "UnknownField",
            "InvalidJson",
            "InvalidPrice",
            "ClientIdReused"
        ],
        "{answer:#}"
    );
    assert_eq!(answers[1]["status"], 400);
    assert_eq!(answers[2]["result"]["fills"][0]["price"], "100.0");
    rig.stop().await;
}

#[tokio::test]
async fn a_message_that_is_sent_again_places_nothing_twice() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let both = || orders([order("buy", "90.0", "a"), order("buy", "91.0", "b")]);
    let first = client.ok("place_orders", both()).await;
    let again = client.ok("place_orders", both()).await;
    for number in 0..2 {
        let (first, again) =
            (&first["orders"][number]["result"], &again["orders"][number]["result"]);
        assert_eq!((&again["repeated"], &again["id"]), (&json!(true), &first["id"]));
        assert_eq!(
            (&again["status"], &again["remaining_quantity"]),
            (&json!("open"), &json!("1.0"))
        );
    }
    rig.stop().await;
}

#[tokio::test]
async fn cancels_of_a_message_name_orders_by_either_id() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let placed = client
        .ok("place_orders", orders([order("buy", "90.0", "a"), order("buy", "91.0", "b")]))
        .await;
    let id = &placed["orders"][0]["result"]["id"];
    let cancels = orders([
        json!({ "market": "BASE-QUOTE", "order_id": id }),
        json!({ "client_order_id": "b" }),
        json!({ "market": "BASE-QUOTE", "order_id": id }),
        json!({ "market": "BASE-QUOTE", "order_id": id, "client_order_id": "a" }),
        json!({ "order_id": id }),
        json!({}),
    ]);
    let answer = client.ok("cancel_orders", cancels).await;
    let statuses: Vec<u64> = answer["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 200, 404, 400, 400, 400], "{answer:#}");
    assert_eq!(answer["orders"][0]["result"]["id"], *id);
    rig.stop().await;
}

#[tokio::test]
async fn a_batch_needs_a_login_and_counts_as_many_messages_as_it_has_orders() {
    let mut options = Options::default();
    options.limits.socket_burst = 10;
    options.limits.socket_rate = 1;
    let rig = Rig::with(options).await;
    let mut stranger = rig.connect().await;
    assert_eq!(
        stranger.refusal("place_orders", orders([order("buy", "90.0", "a")])).await,
        "Unauthorized"
    );
    let mut client = rig.connect().await;
    let many =
        |count: u32| orders((0..count).map(|n| order("buy", "90.0", &format!("{count}-{n}"))));
    assert_eq!(client.refusal("place_orders", many(11)).await, "RateLimited");
    // Logged in after the refusal, since asking the time counts too.
    let (key, secret) = rig.key(1);
    client.login(&key, &secret).await;
    assert_eq!(client.ok("place_orders", many(7)).await["orders"].as_array().unwrap().len(), 7);
    assert_eq!(client.refusal("place_orders", many(7)).await, "RateLimited");
    rig.stop().await;
}

#[tokio::test]
async fn orders_of_messages_that_wait_for_answers_are_bounded_by_their_number() {
    let mut options = Options::default();
    options.limits.socket_pending = 150;
    let rig = Rig::with(options).await;
    let mut client = rig.logged_in(1).await;
    let mut ids = Vec::new();
    for message in 0..8 {
        let all = (0..100).map(|number| order("buy", "90.0", &format!("{message}-{number}")));
        ids.push(client.ask("place_orders", orders(all)).await);
    }
    for id in ids {
        let answer = client.answer(&json!(id)).await;
        let answers = answer["result"]["orders"].as_array().unwrap_or_else(|| panic!("{answer}"));
        assert!(answers.iter().all(|answer| answer["status"] == 200), "{answer}");
    }
    rig.stop().await;
}
