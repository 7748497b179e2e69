//! What accounts are told where they and their markets live in several partitions: each partition tells its part,
//! in order; together it is the whole.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use gateway::GatewayConfig;
use serde_json::{Value, json};

use crate::client::Client;
use crate::socket::Socket;
use crate::trader::send;
use crate::world::{World, eventually};

/// Accounts in two partitions, markets in three others.
const PARTITIONS: u16 = 5;
const MARKETS: [(&str, &str, &str); 3] =
    [("BTCUSDT", "BTC", "USDT"), ("ETHUSDT", "ETH", "USDT"), ("ETHBTC", "ETH", "BTC")];

/// Three markets, and accounts that own of everything.
async fn spread() -> World {
    let world = World::with(PARTITIONS, GatewayConfig::default()).await;
    world.admin("POST", "/v1/admin/assets", json!({"symbol": "ETH", "scale": 8})).await.ok();
    let nobody = Client::default();
    let has = |read: &Value| read["assets"].as_array().unwrap().len() == 3;
    world.reads(&nobody, "/v1/assets", has).await;
    for (_, base, quote) in &MARKETS[1..] {
        let market = json!({
            "symbol": format!("{base}-{quote}"), "base": base, "quote": quote, "tick": "0.01",
            "lot": "0.0001", "max_price": "100000", "max_quantity": "10000",
        });
        world.admin("POST", "/v1/admin/markets", market).await.ok();
    }
    let has = |read: &Value| read["markets"].as_array().unwrap().len() == MARKETS.len();
    world.reads(&nobody, "/v1/markets", has).await;
    for account in [1, 2] {
        for asset in ["BTC", "ETH", "USDT"] {
            let credit = json!({ "account": account, "asset": asset, "amount": "1000",
                "reference": format!("{asset}-{account}") });
            world.admin("POST", "/v1/admin/credits", credit).await.ok();
        }
    }
    world
}

/// Asserts that the accounts have their ledgers in two partitions.
fn assert_apart(world: &World) {
    let topology = world.exchange.topology();
    let home = |account: u32| topology.home_of_slot(types::AccountId(account).slot());
    assert_ne!(home(1), home(2));
    assert_eq!(topology.markets.len(), MARKETS.len());
}

async fn hears(socket: &mut Socket, who: &Client, subscription: u64) {
    let begun = socket.ok(who, "userDataStream.subscribe.signature", json!({})).await;
    assert_eq!(begun, json!({ "subscriptionId": subscription }));
}

/// In each market the first sells 1, the second buys 0.4 of it, and the first takes back the rest.
async fn trade_everywhere(world: &World) {
    for (symbol, ..) in MARKETS {
        let form = format!("symbol={symbol}&type=LIMIT&timeInForce=GTC&price=10");
        let order = async |who, more| {
            world.posted(who, "POST", "/api/v3/order", &format!("{form}&{more}")).await.ok()
        };
        let sold = order(&world.alice, "side=SELL&quantity=1").await;
        let bought = order(&world.bob, "side=BUY&quantity=0.4").await;
        assert_eq!(bought["status"], "FILLED", "{bought}");
        let rest = format!("symbol={symbol}&orderId={}", sold["orderId"]);
        world.signed(&world.alice, "DELETE", "/api/v3/order", &rest).await.ok();
    }
}

/// Events of one account, as they come.
#[derive(Default)]
struct Heard {
    /// By market.
    reports: BTreeMap<String, Vec<Value>>,
    /// The last that was told of each asset.
    balances: BTreeMap<String, Value>,
    others: Vec<Value>,
}

impl Heard {
    fn note(&mut self, event: Value) {
        match event["e"].as_str().unwrap() {
            "executionReport" => {
                self.reports.entry(text(&event, "s")).or_default().push(event);
            }
            "outboundAccountPosition" => {
                for balance in event["B"].as_array().unwrap() {
                    self.balances.insert(text(balance, "a"), balance.clone());
                }
            }
            _ => self.others.push(event),
        }
    }

    /// Whether every market has told so many reports, and the last balances are these.
    fn is_whole(&self, reports: usize, balances: &BTreeMap<String, Value>) -> bool {
        MARKETS
            .iter()
            .all(|(symbol, ..)| self.reports.get(*symbol).is_some_and(|told| told.len() >= reports))
            && self.balances.iter().all(|(asset, told)| balances.get(asset) == Some(told))
    }

    /// What each market told of an order, step by step.
    fn assert_steps(&self, steps: &[[&str; 2]], filled: &str) {
        for (symbol, told) in &self.reports {
            let seen: Vec<[String; 2]> =
                told.iter().map(|report| ["x", "X"].map(|name| text(report, name))).collect();
            assert_eq!(seen, steps, "{symbol}");
            assert!(told.is_sorted_by(|one, next| one["I"].as_u64() < next["I"].as_u64()));
            assert_eq!(told.last().unwrap()["z"], filled);
        }
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

/// An account's balances as REST tells them, in the names of the events, once the ledger knows of every trade.
async fn settled(world: &World, who: &Client) -> BTreeMap<String, Value> {
    eventually("balances that nothing locks", async || {
        let account = world.asked(who, "/api/v3/account").await;
        let balances = account["balances"].as_array().unwrap();
        if balances.iter().any(|balance| balance["locked"] != "0.00000000") {
            return Err(account);
        }
        let named = |balance: &Value| {
            let event =
                json!({ "a": balance["asset"], "f": balance["free"], "l": balance["locked"] });
            (text(balance, "asset"), event)
        };
        Ok(balances.iter().map(named).collect())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_hears_of_accounts_and_markets_in_every_partition() {
    let world = spread().await;
    assert_apart(&world);
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    hears(&mut socket, &world.alice, 0).await;
    hears(&mut socket, &world.bob, 1).await;
    trade_everywhere(&world).await;
    let mut heard = [Heard::default(), Heard::default()];
    let whole = async |heard: &mut [Heard; 2], socket: &mut Socket| {
        let balances = [settled(&world, &world.alice).await, settled(&world, &world.bob).await];
        while !(heard[0].is_whole(3, &balances[0]) && heard[1].is_whole(2, &balances[1])) {
            let mut message = socket.next().await.unwrap();
            let subscription = message["subscriptionId"].as_u64().unwrap() as usize;
            heard[subscription].note(message["event"].take());
        }
    };
    whole(&mut heard, &mut socket).await;
    let [alice, bob] = &heard;
    alice.assert_steps(
        &[["NEW", "NEW"], ["TRADE", "PARTIALLY_FILLED"], ["CANCELED", "CANCELED"]],
        "0.40000000",
    );
    bob.assert_steps(&[["NEW", "NEW"], ["TRADE", "FILLED"]], "0.40000000");
    for (symbol, ..) in MARKETS {
        let fill = |who: &Heard| who.reports[symbol][1].clone();
        let (sold, bought) = (fill(alice), fill(bob));
        for name in ["t", "L", "l", "T"] {
            assert_eq!(sold[name], bought[name], "{symbol} {name}");
        }
        assert_eq!((&sold["m"], &bought["m"]), (&json!(true), &json!(false)));
    }
    assert!(alice.others.is_empty() && bob.others.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listen_key_hears_what_a_subscription_hears() {
    let world = spread().await;
    let request = Request::post("/api/v3/userDataStream").header("x-mbx-apikey", &world.alice.key);
    let key = send(&world.router, request.body(Body::empty()).unwrap()).await.ok();
    let key = text(&key, "listenKey");
    let mut raw = Socket::open(world.address, &format!("/ws/{key}")).await;
    raw.call("LIST_SUBSCRIPTIONS", Value::Null).await;
    let mut wrapped = Socket::open(world.address, "/ws-api/v3").await;
    hears(&mut wrapped, &world.alice, 0).await;
    trade_everywhere(&world).await;
    let balances = settled(&world, &world.alice).await;
    let (mut by_key, mut by_name) = (Heard::default(), Heard::default());
    while !by_key.is_whole(3, &balances) {
        by_key.note(raw.next().await.unwrap());
    }
    while !by_name.is_whole(3, &balances) {
        by_name.note(wrapped.next().await.unwrap()["event"].take());
    }
    assert_eq!(by_key.reports, by_name.reports);
    assert_eq!(by_key.balances, by_name.balances);
}

#[tokio::test(flavor = "multi_thread")]
async fn value_and_lists_are_told_once_whatever_the_partitions() {
    let world = spread().await;
    // A stop needs a last price, and what came before is not to be heard.
    trade_everywhere(&world).await;
    for who in [&world.alice, &world.bob] {
        settled(&world, who).await;
    }
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    hears(&mut socket, &world.alice, 0).await;
    hears(&mut socket, &world.bob, 1).await;
    let pay = async |account: u32, amount: &str| {
        let credit = json!({ "account": account, "asset": "ETH", "amount": amount,
            "reference": format!("{account}-{amount}") });
        world.admin("POST", "/v1/admin/credits", credit).await.ok();
    };
    for account in [1, 2] {
        pay(account, "5").await;
    }
    let pair = json!({ "symbol": "ETHBTC", "side": "SELL", "quantity": "0.5",
        "aboveType": "LIMIT_MAKER", "abovePrice": "20", "belowType": "STOP_LOSS_LIMIT",
        "belowStopPrice": "5", "belowPrice": "4", "belowTimeInForce": "GTC",
        "listClientOrderId": "both" });
    let placed = socket.ok(&world.alice, "orderList.place.oco", pair).await;
    let cancel = json!({ "symbol": "ETHBTC", "listClientOrderId": "both" });
    socket.ok(&world.alice, "orderList.cancel", cancel).await;
    // What follows all this is told after it.
    for account in [1, 2] {
        pay(account, "7").await;
    }
    let mut heard = [Heard::default(), Heard::default()];
    let amounts = |who: &Heard| -> Vec<String> {
        let value = who.others.iter().filter(|event| event["e"] == "balanceUpdate");
        value.map(|event| text(event, "d")).collect()
    };
    let lists = |who: &Heard| -> Vec<Value> {
        who.others.iter().filter(|event| event["e"] == "listStatus").cloned().collect()
    };
    while !(heard.iter().all(|who| amounts(who).len() >= 2) && lists(&heard[0]).len() >= 2) {
        let mut message = socket.next().await.unwrap();
        let subscription = message["subscriptionId"].as_u64().unwrap() as usize;
        heard[subscription].note(message["event"].take());
    }
    for who in &heard {
        assert_eq!(amounts(who), ["5.00000000", "7.00000000"]);
    }
    let told = lists(&heard[0]);
    let states: Vec<&Value> = told.iter().map(|status| &status["l"]).collect();
    assert_eq!(states, ["EXEC_STARTED", "ALL_DONE"]);
    assert!(told.iter().all(|status| status["g"] == placed["orderListId"]));
    assert!(lists(&heard[1]).is_empty());
}
