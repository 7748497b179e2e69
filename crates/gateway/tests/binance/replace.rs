//! Replacing and amending orders.

use axum::http::StatusCode;
use gateway::{GatewayConfig, Profile, RateLimits};
use serde_json::json;

use crate::world::World;

const LIMIT: &str = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1";

async fn replaced(world: &World, form: &str) -> crate::trader::Said {
    let form = format!("symbol=BTCUSDT&{form}");
    world.posted(&world.alice, "POST", "/api/v3/order/cancelReplace", &form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_halves_of_a_replacement_are_told() {
    let world = World::new().await;
    let placed = world.order(&world.alice, &format!("{LIMIT}&price=60000")).await.ok();
    let old = &placed["orderId"];
    let form = format!("{LIMIT}&price=61000&cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId={old}");
    let both = replaced(&world, &form).await.ok();
    assert_eq!(
        (&both["cancelResult"], &both["newOrderResult"]),
        (&json!("SUCCESS"), &json!("SUCCESS"))
    );
    assert_eq!(
        (&both["cancelResponse"]["orderId"], &both["cancelResponse"]["status"]),
        (old, &json!("CANCELED"))
    );
    assert_eq!(both["newOrderResponse"]["price"], "61000.00000000");

    // The old one is gone: nothing is placed, or the new one all the same.
    let stopped = replaced(&world, &form).await;
    assert_eq!(stopped.error(), (400, -2022, "Order cancel-replace failed."));
    let data = &stopped.json["data"];
    assert_eq!(
        (&data["cancelResult"], &data["newOrderResult"]),
        (&json!("FAILURE"), &json!("NOT_ATTEMPTED"))
    );
    assert_eq!(
        (&data["cancelResponse"]["code"], &data["newOrderResponse"]),
        (&json!(-2011), &json!(null))
    );
    let partly = replaced(&world, &form.replace("STOP_ON_FAILURE", "ALLOW_FAILURE")).await;
    assert_eq!((partly.status.as_u16(), partly.code()), (409, -2021));
    let data = &partly.json["data"];
    assert_eq!(
        (&data["cancelResult"], &data["newOrderResult"]),
        (&json!("FAILURE"), &json!("SUCCESS"))
    );

    // The cancel works and the placement does not.
    let new = data["newOrderResponse"]["orderId"].clone();
    let poor = format!(
        "side=SELL&type=LIMIT&timeInForce=GTC&quantity=100&price=1&cancelOrderId={new}&cancelReplaceMode=STOP_ON_FAILURE"
    );
    let partly = replaced(&world, &poor).await;
    assert_eq!((partly.status.as_u16(), partly.code()), (409, -2021));
    let data = &partly.json["data"];
    assert_eq!(
        (&data["cancelResult"], &data["newOrderResult"]),
        (&json!("SUCCESS"), &json!("FAILURE"))
    );
    assert_eq!(data["newOrderResponse"]["code"], -2010);
    let both = replaced(&world, &poor.replace("STOP_ON_FAILURE", "ALLOW_FAILURE")).await;
    assert_eq!((both.status.as_u16(), both.code()), (400, -2022));
}

/// Places orders until one is too many.
async fn use_up_the_count(world: &World) {
    let poor = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=100&price=60000";
    while world.order(&world.alice, poor).await.status != StatusCode::TOO_MANY_REQUESTS {}
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_new_order_is_one_too_many_the_old_one_is_cancelled_if_that_is_asked_for() {
    let rates = RateLimits { dialect: Profile::Binance, ..RateLimits::unlimited() };
    let world = World::with(1, GatewayConfig { rates, ..GatewayConfig::default() }).await;
    // Windows are of the clock: one may end between two requests, and then it is tried again.
    for attempt in 0..20 {
        let name = format!("old-{attempt}");
        let form = format!("{LIMIT}&price=60000&newClientOrderId={name}");
        if world.order(&world.alice, &form).await.status != StatusCode::OK {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            continue;
        }
        use_up_the_count(&world).await;
        let form = format!(
            "{LIMIT}&price=61000&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId={name}"
        );
        let nothing = replaced(&world, &form).await;
        let only =
            replaced(&world, &format!("{form}&orderRateLimitExceededMode=CANCEL_ONLY")).await;
        let again =
            replaced(&world, &format!("{form}&orderRateLimitExceededMode=CANCEL_ONLY")).await;
        let all = [&nothing, &only, &again];
        if all.iter().any(|said| said.status != StatusCode::TOO_MANY_REQUESTS) {
            continue;
        }
        assert_eq!(all.map(|said| said.code()), [-1015, -2021, -2022]);
        assert!(only.headers.contains_key("retry-after"));
        let data = &only.json["data"];
        assert_eq!(
            (&data["cancelResponse"]["origClientOrderId"], &data["newOrderResult"]),
            (&json!(name), &json!("FAILURE"))
        );
        assert_eq!(data["newOrderResponse"]["code"], -1015);
        let data = &again.json["data"];
        assert_eq!(
            (&data["cancelResponse"]["code"], &data["newOrderResult"]),
            (&json!(-2011), &json!("NOT_ATTEMPTED"))
        );
        let query = format!("/api/v3/order?symbol=BTCUSDT&origClientOrderId={name}");
        assert_eq!(world.asked(&world.alice, &query).await["status"], "CANCELED");
        return;
    }
    panic!("the clock was always faster");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_goes_on_is_not_said_to_be_cancelled_or_unknown() {
    let world = World::new().await;
    let kept = format!("{LIMIT}&price=60000&newClientOrderId=kept");
    world.order(&world.alice, &kept).await.ok();
    let replace = async |new: &str, mode: &str| {
        let how = format!("cancelReplaceMode={mode}&cancelOrigClientOrderId=kept");
        let said = replaced(&world, &format!("{new}&{how}")).await;
        let open = world.asked(&world.alice, "/api/v3/openOrders").await;
        assert_eq!(open[0]["clientOrderId"], "kept");
        assert_eq!(said.error(), (400, -2022, "Order cancel-replace failed."));
        let data = &said.json["data"];
        assert_eq!(data["cancelResult"], "FAILURE");
        let placed = (data["newOrderResult"].clone(), data["newOrderResponse"]["code"].clone());
        (data["cancelResponse"]["code"].clone(), placed)
    };
    let not_attempted = (json!("NOT_ATTEMPTED"), json!(null));
    let failed = |code: i32| (json!("FAILURE"), json!(code));
    // The name was used before: for the very same order, and for another one.
    for new in [kept.clone(), kept.replace("60000", "61000")] {
        let stopped = replace(&new, "STOP_ON_FAILURE").await;
        assert_eq!(stopped, (json!(-2010), not_attempted.clone()), "{new}");
        let both = replace(&new, "ALLOW_FAILURE").await;
        assert_eq!(both, (json!(-2010), failed(-2010)), "{new}");
    }
    // The market is halted: as a cancel alone is told.
    let state = "/v1/admin/markets/BTC-USDT/state";
    world.admin("PUT", state, json!({"state": "halted"})).await.ok();
    let alone = "symbol=BTCUSDT&origClientOrderId=kept";
    let alone = world.signed(&world.alice, "DELETE", "/api/v3/order", alone).await;
    assert_eq!(alone.error(), (400, -1013, "Market is closed."));
    let new = format!("{LIMIT}&price=61000");
    let stopped = replace(&new, "STOP_ON_FAILURE").await;
    assert_eq!(stopped, (json!(-1013), not_attempted));
    let both = replace(&new, "ALLOW_FAILURE").await;
    assert_eq!(both, (json!(-1013), failed(-1013)));
    let all = world.signed(&world.alice, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await;
    assert_eq!(all.error(), (400, -1013, "Market is closed."));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_looked_at_before_the_cancel() {
    let world = World::new().await;
    let form = format!("{LIMIT}&price=60000&newClientOrderId=stays");
    world.order(&world.alice, &form).await.ok();
    let wrong = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.00001&price=1&\
                 cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=stays";
    let refused = replaced(&world, wrong).await;
    assert_eq!(refused.error(), (400, -1013, "Filter failure: LOT_SIZE"));
    for (form, code) in [
        (format!("{LIMIT}&price=1&cancelOrderId=1"), -1102),
        (format!("{LIMIT}&price=1&cancelReplaceMode=MAYBE&cancelOrderId=1"), -1130),
        (format!("{LIMIT}&price=1&cancelReplaceMode=STOP_ON_FAILURE"), -1102),
    ] {
        assert_eq!(replaced(&world, &form).await.code(), code, "{form}");
    }
    let open = world.asked(&world.alice, "/api/v3/openOrders").await;
    assert_eq!(open[0]["clientOrderId"], "stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_takes_quantity_and_keeps_id_and_place() {
    let world = World::new().await;
    let placed = world.order(&world.alice, &format!("{LIMIT}&price=60000")).await.ok();
    let id = &placed["orderId"];
    let amend = async |more: &str| {
        let query = format!("symbol=BTCUSDT&orderId={id}&{more}");
        world.signed(&world.alice, "PUT", "/api/v3/order/amend/keepPriority", &query).await
    };
    let amended = amend("newQty=0.6").await.ok();
    let order = &amended["amendedOrder"];
    assert_eq!((&order["orderId"], &order["qty"]), (id, &json!("0.60000000")));
    assert_eq!(
        (&order["status"], &order["cumulativeQuoteQty"]),
        (&json!("NEW"), &json!("0.00000000"))
    );
    let more = amend("newQty=0.7").await;
    assert_eq!(more.error(), (400, -2038, "Order amend (quantity increase) is not supported."));
    let same = amend("newQty=0.6").await;
    assert_eq!(same.error().2, "The requested action would change no state; rejecting.");
    assert_eq!(amend("").await.code(), -1102);
    let list = world
        .asked(&world.alice, &format!("/api/v3/order/amendments?symbol=BTCUSDT&orderId={id}"))
        .await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(
        (&list[0]["origQty"], &list[0]["newQty"]),
        (&json!("1.00000000"), &json!("0.60000000"))
    );
    assert_eq!(list[0]["executionId"], amended["executionId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_amendments_at_once_none_enlarges_the_order() {
    let world = World::new().await;
    let path = "/api/v3/order/amend/keepPriority";
    for _ in 0..20 {
        let placed = world.order(&world.alice, &format!("{LIMIT}&price=60000")).await.ok();
        let id = &placed["orderId"];
        let amend = async |quantity| {
            let query = format!("symbol=BTCUSDT&orderId={id}&newQty={quantity}");
            world.signed(&world.alice, "PUT", path, &query).await
        };
        let (small, large) = tokio::join!(amend("0.4"), amend("0.8"));
        for refused in [&small, &large].into_iter().filter(|said| said.status != StatusCode::OK) {
            assert_eq!(refused.code(), -2038);
        }
        let query = format!("/api/v3/order?symbol=BTCUSDT&orderId={id}");
        let order = world.asked(&world.alice, &query).await;
        assert_eq!(order["status"], "NEW");
        let expected = if small.status == StatusCode::OK { "0.40000000" } else { "0.80000000" };
        assert_eq!(order["origQty"], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amended_order_is_found_by_its_new_name_and_by_the_one_that_it_keeps() {
    let world = World::new().await;
    let form = format!("{LIMIT}&price=60000&newClientOrderId=first");
    let placed = world.order(&world.alice, &form).await.ok();
    let query = "symbol=BTCUSDT&origClientOrderId=first&newQty=0.5&newClientOrderId=second";
    let path = "/api/v3/order/amend/keepPriority";
    let amended = world.signed(&world.alice, "PUT", path, query).await.ok();
    assert_eq!(amended["amendedOrder"]["clientOrderId"], "first");
    let found = async |who, query: String| {
        world.signed(who, "GET", "/api/v3/order", &format!("symbol=BTCUSDT&{query}")).await
    };
    let id = &placed["orderId"];
    for query in ["origClientOrderId=first", "origClientOrderId=second"] {
        let by_name = found(&world.alice, query.to_owned()).await.ok();
        let by_both = found(&world.alice, format!("orderId={id}&{query}")).await.ok();
        assert_eq!((&by_name["orderId"], &by_both["clientOrderId"]), (id, &json!("first")));
    }
    let other = found(&world.alice, format!("orderId={id}&origClientOrderId=third")).await;
    assert_eq!(other.code(), -2039);
    assert_eq!(found(&world.bob, "origClientOrderId=second".to_owned()).await.code(), -2013);
    let again = "symbol=BTCUSDT&origClientOrderId=second&newQty=0.25&newClientOrderId=third";
    let amended = world.signed(&world.alice, "PUT", path, again).await.ok();
    assert_eq!(amended["amendedOrder"]["qty"], "0.25000000");
    let cancel = "symbol=BTCUSDT&origClientOrderId=third";
    let cancelled = world.signed(&world.alice, "DELETE", "/api/v3/order", cancel).await.ok();
    assert_eq!((&cancelled["orderId"], &cancelled["status"]), (id, &json!("CANCELED")));
}
