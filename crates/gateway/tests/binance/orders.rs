//! Orders: their types, answers, filters and errors.

use serde_json::{Value, json};

use crate::client::Client;
use crate::trader::Said;
use crate::world::World;

impl World {
    /// An order of BTCUSDT, posted as a form.
    pub async fn order(&self, who: &Client, form: &str) -> Said {
        self.posted(who, "POST", "/api/v3/order", &format!("symbol=BTCUSDT&{form}")).await
    }

    /// A signed question.
    pub async fn asked(&self, who: &Client, path: &str) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        self.signed(who, "GET", path, query).await.ok()
    }

    /// A trade of 0.1 at a price, if the book has nothing better.
    pub async fn dealt(&self, price: &str) {
        let form = format!("type=LIMIT&timeInForce=GTC&quantity=0.1&price={price}");
        self.order(&self.alice, &format!("side=SELL&{form}")).await.ok();
        let bought = self.order(&self.bob, &format!("side=BUY&{form}")).await.ok();
        assert_eq!(bought["status"], "FILLED", "{bought}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_order_is_answered_in_full_and_found_again() {
    let world = World::new().await;
    let form = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=60000&newClientOrderId=x-1";
    let said = world.order(&world.alice, form).await;
    assert_eq!(said.headers["x-mbx-order-count-10s"], "1");
    assert_eq!(said.headers["x-mbx-order-count-1d"], "1");
    let placed = said.ok();
    let id = placed["orderId"].as_u64().unwrap();
    let time = placed["transactTime"].as_u64().unwrap();
    assert_eq!(
        placed,
        json!({
            "symbol": "BTCUSDT", "orderId": id, "orderListId": -1, "clientOrderId": "x-1",
            "transactTime": time, "price": "60000.00000000", "origQty": "1.00000000",
            "executedQty": "0.00000000", "origQuoteOrderQty": "0.00000000",
            "cummulativeQuoteQty": "0.00000000", "status": "NEW", "timeInForce": "GTC",
            "type": "LIMIT", "side": "SELL", "workingTime": time, "fills": [],
            "selfTradePreventionMode": "NONE",
        })
    );
    let form = "side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.4&price=60100";
    let bought = world.order(&world.bob, form).await.ok();
    assert_eq!((&bought["status"], &bought["type"]), (&json!("FILLED"), &json!("LIMIT")));
    assert_eq!(bought["cummulativeQuoteQty"], "24000.00000000");
    let fill = &bought["fills"][0];
    assert_eq!((&fill["price"], &fill["qty"]), (&json!("60000.00000000"), &json!("0.40000000")));
    assert_eq!((&fill["commissionAsset"], &fill["tradeId"]), (&json!("BTC"), &json!(1)));
    let own = bought["clientOrderId"].as_str().unwrap();
    assert_eq!(own.len(), 22, "an id is made when none is given");

    let by_id =
        world.asked(&world.alice, &format!("/api/v3/order?symbol=BTCUSDT&orderId={id}")).await;
    let by_name = "/api/v3/order?symbol=BTCUSDT&origClientOrderId=x-1";
    assert_eq!(world.asked(&world.alice, by_name).await, by_id);
    assert_eq!(
        (&by_id["status"], &by_id["executedQty"]),
        (&json!("PARTIALLY_FILLED"), &json!("0.40000000"))
    );
    assert_eq!((&by_id["time"], &by_id["isWorking"]), (&json!(time), &json!(true)));
    assert_eq!(
        (&by_id["stopPrice"], &by_id["icebergQty"]),
        (&json!("0.00000000"), &json!("0.00000000"))
    );
    let made = format!("/api/v3/order?symbol=BTCUSDT&origClientOrderId={own}");
    assert_eq!(world.asked(&world.bob, &made).await["orderId"], bought["orderId"]);
    let open = world.asked(&world.alice, "/api/v3/openOrders?symbol=BTCUSDT").await;
    assert_eq!(open, json!([by_id]));
    let wrong = format!("symbol=BTCUSDT&orderId={id}&origClientOrderId=x-2");
    let refused = world.signed(&world.alice, "GET", "/api/v3/order", &wrong).await;
    assert_eq!(refused.code(), -2039);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_as_long_as_asked_for() {
    let world = World::new().await;
    let limit = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=60000";
    let ack = world.order(&world.alice, &format!("{limit}&newOrderRespType=ACK")).await.ok();
    assert_eq!(ack.as_object().unwrap().len(), 5);
    let result = world.order(&world.alice, &format!("{limit}&newOrderRespType=RESULT")).await.ok();
    assert!(result.get("fills").is_none() && result["status"] == "NEW");
    let maker =
        world.order(&world.alice, "side=SELL&type=LIMIT_MAKER&quantity=1&price=60000").await.ok();
    assert_eq!(maker.as_object().unwrap().len(), 5, "a maker's answer is short unless asked for");
    let refused = world.order(&world.alice, &format!("{limit}&newOrderRespType=LONG")).await;
    assert_eq!(refused.code(), -1130);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_at_the_market_take_the_book_and_expire_with_what_is_left() {
    let world = World::new().await;
    world
        .order(&world.alice, "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=50000")
        .await
        .ok();
    let by_quote = world.order(&world.bob, "side=BUY&type=MARKET&quoteOrderQty=10000.5").await.ok();
    assert_eq!(
        (&by_quote["status"], &by_quote["executedQty"]),
        (&json!("FILLED"), &json!("0.20000000"))
    );
    assert_eq!(by_quote["origQty"], by_quote["executedQty"]);
    assert_eq!(by_quote["origQuoteOrderQty"], "10000.50000000");
    assert_eq!((&by_quote["price"], &by_quote["type"]), (&json!("0.00000000"), &json!("MARKET")));
    let rest = world.order(&world.bob, "side=BUY&type=MARKET&quantity=2").await.ok();
    assert_eq!((&rest["status"], &rest["executedQty"]), (&json!("EXPIRED"), &json!("0.80000000")));
    assert_eq!(rest["expiryReason"], "INSUFFICIENT_LIQUIDITY");
    let empty = world.order(&world.bob, "side=BUY&type=MARKET&quantity=2").await;
    assert_eq!(empty.code(), -2010, "{:?}", empty.json);
    let ioc = world.order(&world.bob, "side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=50000");
    let ioc = ioc.await.ok();
    assert_eq!(
        (&ioc["status"], &ioc["expiryReason"]),
        (&json!("EXPIRED"), &json!("UNFILLED_IOC_QUANTITY_EXPIRED"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_refuses_has_the_words_that_clients_compare() {
    let world = World::new().await;
    world
        .order(&world.alice, "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=50000")
        .await
        .ok();
    let maker = "side=BUY&type=LIMIT_MAKER&quantity=1&price=50000";
    let refused = world.order(&world.bob, maker).await;
    assert_eq!(refused.error(), (400, -2010, "Order would immediately match and take."));
    let poor = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=100&price=50000";
    let refused = world.order(&world.alice, poor).await;
    let text = "Account has insufficient balance for requested action.";
    assert_eq!(refused.error(), (400, -2010, text));
    let named =
        "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=50000&newClientOrderId=twice";
    world.order(&world.alice, named).await.ok();
    let again = world.order(&world.alice, named).await;
    assert_eq!(again.error(), (400, -2010, "Duplicate order sent."));
    world.dealt("50000").await;
    let stop = "side=SELL&type=STOP_LOSS&quantity=0.1&stopPrice=50001";
    let refused = world.order(&world.alice, stop).await;
    assert_eq!(refused.error(), (400, -2010, "Stop price would trigger immediately."));
    let query = "symbol=BTCUSDT&orderId=999";
    let refused = world.signed(&world.alice, "DELETE", "/api/v3/order", query).await;
    assert_eq!(refused.error(), (400, -2011, "Unknown order sent."));
    let refused = world.signed(&world.alice, "GET", "/api/v3/order", query).await;
    assert_eq!(refused.error(), (400, -2013, "Order does not exist."));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_missing_stray_or_malformed_are_named() {
    let world = World::new().await;
    let limit = "type=LIMIT&side=BUY&timeInForce=GTC";
    for (form, code, text) in [
        ("type=LIMIT&side=BUY&quantity=1&price=1", -1102, "timeInForce"),
        ("type=LIMIT&side=BUY&timeInForce=GTC&price=1", -1102, "quantity"),
        ("type=LIMIT&side=BUY&timeInForce=GTC&quantity=1", -1102, "price"),
        ("type=LIMIT&timeInForce=GTC&quantity=1&price=1", -1102, "side"),
        ("side=BUY&quantity=1", -1102, "type"),
        (
            "type=MARKET&side=BUY&quantity=1&newClientOrderId=outcry0000000000000007",
            -1100,
            "newClientOrderId",
        ),
        ("type=MARKET&side=BUY", -1102, "quoteOrderQty"),
        ("type=STOP_LOSS&side=BUY&quantity=1", -1102, "stopPrice"),
        ("type=MARKET&side=BUY&quantity=1&price=1", -1106, "price"),
        ("type=MARKET&side=BUY&quantity=1&timeInForce=GTC", -1106, "timeInForce"),
        ("type=MARKET&side=BUY&quantity=1&quoteOrderQty=1", -1106, "quoteOrderQty"),
        ("type=LIMIT_MAKER&side=BUY&quantity=1&price=1&timeInForce=GTC", -1106, "timeInForce"),
        ("type=LIMIT&side=BUY&timeInForce=GTC&quantity=1&price=1&stopPrice=1", -1106, "stopPrice"),
        (
            "type=LIMIT&side=BUY&timeInForce=IOC&quantity=1&price=1&icebergQty=0.5",
            -1106,
            "icebergQty",
        ),
        ("type=LIMIT&side=LONG&timeInForce=GTC&quantity=1&price=1", -1117, "side"),
        ("type=PEG&side=BUY", -1116, "orderType"),
        ("type=LIMIT&side=BUY&timeInForce=GTD&quantity=1&price=1", -1115, "timeInForce"),
        ("type=MARKET&side=BUY&quantity=1e-05", -1100, "quantity"),
        ("type=MARKET&side=BUY&quantity=-1", -1100, "quantity"),
        ("type=MARKET&side=BUY&quantity=0.123456789", -1111, "quantity"),
        ("type=MARKET&side=BUY&quantity=0", -1013, "LOT_SIZE"),
        ("type=MARKET&side=BUY&quantity=0.00001", -1013, "LOT_SIZE"),
        ("type=LIMIT&side=BUY&timeInForce=GTC&quantity=10001&price=1", -1013, "LOT_SIZE"),
        ("type=LIMIT&side=BUY&timeInForce=GTC&quantity=1&price=0.001", -1013, "PRICE_FILTER"),
        ("type=LIMIT&side=BUY&timeInForce=GTC&quantity=1&price=10000000.01", -1013, "PRICE_FILTER"),
        (
            "type=LIMIT&side=BUY&timeInForce=GTC&quantity=1&price=1&icebergQty=1",
            -2010,
            "IcebergQty exceeds QTY.",
        ),
        (
            "type=LIMIT&side=BUY&timeInForce=GTC&quantity=1&price=1&newClientOrderId=a.b",
            -1100,
            "newClientOrderId",
        ),
        (
            "type=LIMIT&side=BUY&timeInForce=GTC&quantity=1&price=1&strategyType=5",
            -1134,
            "strategyType",
        ),
        (
            "type=LIMIT&side=BUY&timeInForce=GTC&quantity=1&price=1&selfTradePreventionMode=TRANSFER",
            -1130,
            "selfTradePreventionMode",
        ),
        (
            "type=LIMIT&side=BUY&timeInForce=GTC&quantity=1&price=1&pegPriceType=MARKET_PEG",
            -1013,
            "Pegged",
        ),
        (
            "type=STOP_LOSS_LIMIT&side=SELL&timeInForce=GTC&quantity=1&price=1&trailingDelta=6000",
            -1013,
            "TRAILING_DELTA",
        ),
    ] {
        let refused = world.order(&world.bob, form).await;
        let (status, found, msg) = refused.error();
        assert_eq!((status, found), (400, code), "{form}: {msg}");
        assert!(msg.contains(text), "{form}: {msg}");
    }
    // What nobody knows is ignored.
    world.order(&world.bob, &format!("{limit}&quantity=1&price=1&unheard=of")).await.ok();
    let refused = world.posted(&world.bob, "POST", "/api/v3/order", "side=BUY").await;
    assert_eq!(refused.code(), -1102);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_type_waits_for_its_side_and_is_found_under_its_name() {
    let world = World::new().await;
    world.dealt("50000").await;
    for (who, form) in [
        (&world.alice, "side=SELL&type=STOP_LOSS&stopPrice=49000"),
        (
            &world.alice,
            "side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&price=48000&stopPrice=49000",
        ),
        (&world.alice, "side=SELL&type=TAKE_PROFIT&stopPrice=51000"),
        (
            &world.alice,
            "side=SELL&type=TAKE_PROFIT_LIMIT&timeInForce=GTC&price=52000&stopPrice=51000",
        ),
        (&world.bob, "side=BUY&type=STOP_LOSS&stopPrice=51000"),
        (&world.bob, "side=BUY&type=TAKE_PROFIT_LIMIT&timeInForce=IOC&price=49000&stopPrice=49000"),
        (&world.alice, "side=SELL&type=STOP_LOSS&trailingDelta=100"),
        (
            &world.alice,
            "side=SELL&type=TAKE_PROFIT_LIMIT&timeInForce=GTC&price=49000&trailingDelta=100&stopPrice=51000",
        ),
    ] {
        let placed =
            world.order(who, &format!("{form}&quantity=0.1&newOrderRespType=RESULT")).await.ok();
        let expected = form.split("type=").nth(1).unwrap().split('&').next().unwrap();
        assert_eq!(
            (&placed["type"], &placed["status"]),
            (&json!(expected), &json!("NEW")),
            "{form}"
        );
        assert_eq!(placed["workingTime"], -1);
        let path = format!("/api/v3/order?symbol=BTCUSDT&orderId={}", placed["orderId"]);
        let found = world.asked(who, &path).await;
        assert_eq!((&found["type"], &found["isWorking"]), (&json!(expected), &json!(false)));
        let stop = form.split("stopPrice=").nth(1).map_or("0".to_owned(), |text| text.to_owned());
        assert_eq!(found["stopPrice"], format!("{stop}.00000000"));
        let trails = form.contains("trailingDelta");
        assert_eq!(found.get("trailingDelta").is_some_and(|delta| delta == 100), trails);
        // One that ends waiting has never worked.
        let id = format!("symbol=BTCUSDT&orderId={}", placed["orderId"]);
        world.signed(who, "DELETE", "/api/v3/order", &id).await.ok();
        let ended = world.asked(who, &path).await;
        assert_eq!((&ended["status"], &ended["isWorking"]), (&json!("CANCELED"), &json!(false)));
        assert_eq!(ended["workingTime"], -1);
    }
    let sale = "side=SELL&type=STOP_LOSS&stopPrice=49000&trailingDelta=100&quantity=0.1";
    assert_eq!(world.order(&world.alice, sale).await.code(), -1013);
    let ack =
        world.order(&world.alice, "side=SELL&type=STOP_LOSS&stopPrice=49000&quantity=0.1").await;
    assert_eq!(ack.ok().as_object().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_has_fired_works_and_has_worked_when_it_ends() {
    let world = World::new().await;
    world.dealt("50000").await;
    let form = "side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&price=52000&stopPrice=49000";
    let placed = world.order(&world.alice, &format!("{form}&quantity=0.1")).await.ok();
    let id = format!("symbol=BTCUSDT&orderId={}", placed["orderId"]);
    let path = format!("/api/v3/order?{id}");
    assert_eq!(world.asked(&world.alice, &path).await["isWorking"], false);
    world.dealt("49000").await;
    let fired = world.asked(&world.alice, &path).await;
    assert_eq!((&fired["status"], &fired["isWorking"]), (&json!("NEW"), &json!(true)));
    let since = fired["workingTime"].as_i64().unwrap();
    assert!(since >= fired["time"].as_i64().unwrap(), "{fired}");
    world.signed(&world.alice, "DELETE", "/api/v3/order", &id).await.ok();
    let ended = world.asked(&world.alice, &path).await;
    assert_eq!((&ended["status"], &ended["isWorking"]), (&json!("CANCELED"), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_iceberg_shows_a_part() {
    let world = World::new().await;
    let form = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=60000&icebergQty=0.25";
    let placed = world.order(&world.alice, form).await.ok();
    assert_eq!(placed["icebergQty"], "0.25000000");
    let path = format!("/api/v3/order?symbol=BTCUSDT&orderId={}", placed["orderId"]);
    assert_eq!(world.asked(&world.alice, &path).await["icebergQty"], "0.25000000");
    let book = world.ask("/api/v3/depth?symbol=BTCUSDT").await.ok();
    assert_eq!(book["asks"], json!([["60000.00000000", "0.25000000"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn trading_with_oneself_is_prevented_as_asked() {
    let world = World::new().await;
    let limit = "type=LIMIT&timeInForce=GTC&price=50000";
    let resting = world.order(&world.alice, &format!("side=SELL&quantity=1&{limit}")).await.ok();
    world.order(&world.bob, &format!("side=SELL&quantity=1&{limit}")).await.code();
    // Alice has no USDT to buy with: give her some by a sale.
    world.order(&world.bob, &format!("side=BUY&quantity=0.5&{limit}")).await.ok();
    let own = format!("side=BUY&quantity=0.1&{limit}&selfTradePreventionMode=EXPIRE_MAKER");
    let bought = world.order(&world.alice, &own).await.ok();
    assert_eq!(
        (&bought["status"], &bought["selfTradePreventionMode"]),
        (&json!("NEW"), &json!("EXPIRE_MAKER"))
    );
    let path = format!("/api/v3/order?symbol=BTCUSDT&orderId={}", resting["orderId"]);
    let prevented = world.asked(&world.alice, &path).await;
    assert_eq!(
        (&prevented["status"], &prevented["executedQty"]),
        (&json!("EXPIRED_IN_MATCH"), &json!("0.50000000"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_name_the_order_and_themselves() {
    let world = World::new().await;
    let form = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=60000&newClientOrderId=mine";
    let placed = world.order(&world.alice, form).await.ok();
    let query = "symbol=BTCUSDT&origClientOrderId=mine&newClientOrderId=gone";
    let restricted = format!("{query}&cancelRestrictions=ONLY_PARTIALLY_FILLED");
    let refused = world.signed(&world.alice, "DELETE", "/api/v3/order", &restricted).await;
    let text = "Order was not canceled due to cancel restrictions.";
    assert_eq!(refused.error(), (400, -2011, text));
    let cancelled = world.signed(&world.alice, "DELETE", "/api/v3/order", query).await.ok();
    assert_eq!(
        (&cancelled["origClientOrderId"], &cancelled["clientOrderId"]),
        (&json!("mine"), &json!("gone"))
    );
    assert_eq!(
        (&cancelled["orderId"], &cancelled["status"]),
        (&placed["orderId"], &json!("CANCELED"))
    );
    let again = world.signed(&world.alice, "DELETE", "/api/v3/order", query).await;
    assert_eq!(again.code(), -2011);
    let found =
        world.asked(&world.alice, "/api/v3/order?symbol=BTCUSDT&origClientOrderId=mine").await;
    assert_eq!(found["clientOrderId"], "mine", "a cancel does not rename the order");
    let refused = world.signed(&world.alice, "DELETE", "/api/v3/order", "symbol=BTCUSDT").await;
    assert_eq!(refused.code(), -1102);

    for price in ["60000", "61000"] {
        let form = format!("side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price={price}");
        world.order(&world.alice, &form).await.ok();
    }
    let all =
        world.signed(&world.alice, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    let statuses: Vec<_> = all.as_array().unwrap().iter().map(|order| &order["status"]).collect();
    assert_eq!(statuses, [&json!("CANCELED"), &json!("CANCELED")]);
    let none = world.signed(&world.alice, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await;
    assert_eq!(none.error(), (400, -2011, "Unknown order sent."));
    assert_eq!(world.asked(&world.alice, "/api/v3/openOrders").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_orders_are_listed_from_an_id_or_a_time_or_the_newest() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for price in 1..=5 {
        let form = format!("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price={price}");
        ids.push(world.order(&world.bob, &form).await.ok()["orderId"].clone());
    }
    world.signed(&world.bob, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    let found = async |query: &str| {
        let path = format!("/api/v3/allOrders?symbol=BTCUSDT{query}");
        let orders = world.asked(&world.bob, &path).await;
        let ids = orders.as_array().unwrap().iter().map(|order| order["orderId"].clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found("").await, ids);
    assert_eq!(found("&limit=2").await, ids[3..]);
    assert_eq!(found(&format!("&orderId={}&limit=2", ids[1])).await, ids[1..3]);
    assert_eq!(found("&startTime=1000&limit=2").await, ids[..2]);
    assert_eq!(found("&endTime=1000").await, Vec::<Value>::new());
    let long = "symbol=BTCUSDT&startTime=1000&endTime=90000000";
    let refused = world.signed(&world.bob, "GET", "/api/v3/allOrders", long).await;
    assert_eq!(refused.error(), (400, -1127, "More than 24 hours between startTime and endTime."));
    let refused = world.signed(&world.bob, "GET", "/api/v3/allOrders", "").await;
    assert_eq!(refused.code(), -1102);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_order_is_checked_and_not_placed() {
    let world = World::new().await;
    let form = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=60000";
    let test = world.posted(&world.alice, "POST", "/api/v3/order/test", form).await.ok();
    assert_eq!(test, json!({}));
    let rates = format!("{form}&computeCommissionRates=true");
    let rates = world.posted(&world.alice, "POST", "/api/v3/order/test", &rates).await.ok();
    assert_eq!(rates["standardCommissionForOrder"]["maker"], "0.00000000");
    let wrong = form.replace("quantity=1", "quantity=0.00001");
    let refused = world.posted(&world.alice, "POST", "/api/v3/order/test", &wrong).await;
    assert_eq!(refused.error(), (400, -1013, "Filter failure: LOT_SIZE"));
    assert_eq!(world.asked(&world.alice, "/api/v3/openOrders").await, json!([]));
}
