//! Order lists.

use serde_json::{Value, json};

use crate::client::Client;
use crate::trader::Said;
use crate::world::{World, eventually};

async fn posted(world: &World, who: &Client, kind: &str, form: &str) -> Said {
    let form = format!("symbol=BTCUSDT&{form}");
    world.posted(who, "POST", &format!("/api/v3/orderList/{kind}"), &form).await
}

const OCO: &str = "side=SELL&quantity=0.5&aboveType=LIMIT_MAKER&abovePrice=60000&\
    belowType=STOP_LOSS_LIMIT&belowStopPrice=40000&belowPrice=39900&belowTimeInForce=GTC";

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_placed_asked_about_and_cancelled_as_one() {
    let world = World::new().await;
    world.dealt("50000").await;
    let said = posted(&world, &world.alice, "oco", &format!("{OCO}&listClientOrderId=both")).await;
    // Both count. What was dealt before counts no more, once it is known to be filled.
    assert!(said.headers["x-mbx-order-count-1d"].parse::<u32>().unwrap() >= 2);
    let placed = said.ok();
    assert_eq!(
        (&placed["contingencyType"], &placed["listStatusType"]),
        (&json!("OCO"), &json!("EXEC_STARTED"))
    );
    assert_eq!(
        (&placed["listOrderStatus"], &placed["listClientOrderId"]),
        (&json!("EXECUTING"), &json!("both"))
    );
    let types: Vec<_> =
        placed["orderReports"].as_array().unwrap().iter().map(|order| &order["type"]).collect();
    assert_eq!(types, [&json!("LIMIT_MAKER"), &json!("STOP_LOSS_LIMIT")]);
    let account = world.asked(&world.alice, "/api/v3/account").await;
    assert_eq!(account["balances"][0]["locked"], "0.50000000", "the pair is held for once");
    let open = world.asked(&world.alice, "/api/v3/openOrderList").await;
    assert_eq!(open[0]["orders"], placed["orders"]);
    let id = placed["orderListId"].as_u64().unwrap();
    let by_id = world.asked(&world.alice, &format!("/api/v3/orderList?orderListId={id}")).await;
    let by_name = world.asked(&world.alice, "/api/v3/orderList?origClientOrderId=both").await;
    assert_eq!((&by_id, &by_id["orders"]), (&by_name, &placed["orders"]));

    let query = format!("symbol=BTCUSDT&orderListId={id}");
    let cancelled = world.signed(&world.alice, "DELETE", "/api/v3/orderList", &query).await.ok();
    assert_eq!(
        (&cancelled["listStatusType"], &cancelled["listOrderStatus"]),
        (&json!("ALL_DONE"), &json!("ALL_DONE"))
    );
    for report in cancelled["orderReports"].as_array().unwrap() {
        assert_eq!(report["status"], "CANCELED");
    }
    // Whoever asks later hears the same of both.
    let all = world.asked(&world.alice, "/api/v3/allOrders?symbol=BTCUSDT").await;
    for order in placed["orders"].as_array().unwrap() {
        let id = &order["orderId"];
        let path = format!("/api/v3/order?symbol=BTCUSDT&orderId={id}");
        let one = world.asked(&world.alice, &path).await;
        let listed = all.as_array().unwrap().iter().find(|order| order["orderId"] == *id);
        for order in [&one, listed.expect("all orders are listed")] {
            assert_eq!((&order["status"], order.get("expiryReason")), (&json!("CANCELED"), None));
        }
    }
    // Also if a page has one of them alone.
    let last = &placed["orders"][1]["orderId"];
    for page in
        [format!("orderId={last}"), format!("limit=1&orderId={}", last.as_u64().unwrap() - 1)]
    {
        let path = format!("/api/v3/allOrders?symbol=BTCUSDT&{page}");
        let page = world.asked(&world.alice, &path).await;
        assert_eq!((page.as_array().unwrap().len(), &page[0]["status"]), (1, &json!("CANCELED")));
    }
    let again = world.signed(&world.alice, "DELETE", "/api/v3/orderList", &query).await;
    assert_eq!(again.code(), -2011);
    let all = world.asked(&world.alice, "/api/v3/allOrderList").await;
    assert_eq!(
        (&all[0]["orderListId"], &all[0]["listOrderStatus"]),
        (&json!(id), &json!("ALL_DONE"))
    );
    let none = world.signed(&world.alice, "GET", "/api/v3/orderList", "orderListId=99").await;
    assert_eq!(none.code(), -2018);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trade_of_one_ends_the_other() {
    let world = World::new().await;
    world.dealt("50000").await;
    let placed = posted(&world, &world.alice, "oco", OCO).await.ok();
    let form = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=60000";
    assert_eq!(world.order(&world.bob, form).await.ok()["status"], "FILLED");
    let order = async |at: usize| {
        let id = &placed["orders"][at]["orderId"];
        world.asked(&world.alice, &format!("/api/v3/order?symbol=BTCUSDT&orderId={id}")).await
    };
    let stop = eventually("the stop is open", async || {
        let stop = order(1).await;
        if stop["status"] == "NEW" { Err(stop) } else { Ok(stop) }
    })
    .await;
    assert_eq!(
        (&stop["status"], &stop["expiryReason"]),
        (&json!("EXPIRED"), &json!("OCO_TRIGGER"))
    );
    assert_eq!(order(0).await["status"], "PARTIALLY_FILLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_lets_others_follow() {
    let world = World::new().await;
    world.dealt("50000").await;
    let working = "workingType=LIMIT&workingSide=BUY&workingPrice=49000&workingQuantity=0.1&workingTimeInForce=GTC";
    let pending = "pendingSide=SELL&pendingQuantity=0.05";
    let form =
        format!("{working}&{pending}&pendingType=LIMIT&pendingPrice=55000&pendingTimeInForce=GTC");
    let oto = posted(&world, &world.bob, "oto", &form).await.ok();
    assert_eq!(oto["contingencyType"], "OTO");
    let reports = oto["orderReports"].as_array().unwrap();
    assert_eq!(
        (&reports[0]["status"], &reports[1]["status"]),
        (&json!("NEW"), &json!("PENDING_NEW"))
    );
    let form = format!(
        "{working}&{pending}&pendingAboveType=LIMIT_MAKER&pendingAbovePrice=60000&\
         pendingBelowType=STOP_LOSS&pendingBelowStopPrice=40000"
    );
    let otoco = posted(&world, &world.bob, "otoco", &form).await.ok();
    assert_eq!(otoco["orders"].as_array().unwrap().len(), 3);
    let sale = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.2&price=49000";
    world.order(&world.alice, sale).await.ok();
    eventually("they do not follow", async || {
        let open = world.asked(&world.bob, "/api/v3/openOrders").await;
        let orders = open.as_array().unwrap().iter();
        let mut types: Vec<_> = orders.map(|order| order["type"].as_str().unwrap()).collect();
        types.sort_unstable();
        if types == ["LIMIT", "LIMIT_MAKER", "STOP_LOSS"] { Ok(()) } else { Err(open) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_and_types_that_make_no_list_are_refused() {
    let world = World::new().await;
    world.dealt("50000").await;
    let wrong = OCO.replace("belowStopPrice=40000", "belowStopPrice=50001");
    let refused = posted(&world, &world.alice, "oco", &wrong).await;
    let text = "The relationship of the prices for the orders is not correct.";
    assert_eq!(refused.error(), (400, -2010, text));
    let wrong = OCO.replace(
        "aboveType=LIMIT_MAKER&abovePrice=60000",
        "aboveType=STOP_LOSS&aboveStopPrice=60000",
    );
    assert_eq!(posted(&world, &world.alice, "oco", &wrong).await.code(), -1158);
    let missing = OCO.replace("&abovePrice=60000", "");
    let refused = posted(&world, &world.alice, "oco", &missing).await;
    assert!(refused.error().2.contains("abovePrice"), "{refused:?}");
    let old = "symbol=BTCUSDT&side=SELL&quantity=0.5&price=60000&stopPrice=40000&stopLimitPrice=39900&stopLimitTimeInForce=GTC";
    let placed = world.posted(&world.alice, "POST", "/api/v3/order/oco", old).await.ok();
    assert_eq!(placed["contingencyType"], "OCO");
    let all =
        world.signed(&world.alice, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    let lists: Vec<&Value> = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found.get("orderReports").is_some())
        .collect();
    assert_eq!(lists.len(), 1, "{all}");
}
