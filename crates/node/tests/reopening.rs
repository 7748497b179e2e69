//! Whether the last life ended in order is in the log: a market with the rule for it trades on after an orderly
//! end, and comes back through cancel-only and an auction after a crash.

use std::path::Path;

use crate::common::{Client, MARKET, config, kill, limit, rebuild, start, stop};
use types::{
    Event, MarketRules, MarketState, PartitionId, RejectCode, Reopening, Request, Seq, Side,
};

/// Seconds that no test lasts.
const LONG: u32 = 100_000;

fn demand_rule(client: &Client, cancel_only_seconds: u32, auction_seconds: u32) {
    let reopening = Some(Reopening { cancel_only_seconds, auction_seconds });
    let rules = Box::new(MarketRules { reopening, ..MarketRules::default() });
    client.demand(&Request::SetMarketRules { market: MARKET, rules });
}

fn state(data: &Path, partitions: u16) -> MarketState {
    rebuild(data, PartitionId(partitions - 1)).market(MARKET).unwrap().state()
}

#[test]
fn a_market_trades_on_after_an_orderly_end_and_comes_back_in_steps_after_a_crash() {
    for partitions in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let node = start(config(dir.path(), partitions));
        let client = Client::new(&node);
        client.found(2);
        demand_rule(&client, LONG, LONG);
        let placed = client.demand(&limit(1, Side::Buy, 100, 5));
        let Event::OrderPlaced { order, account, .. } = placed.events[0] else {
            panic!("{placed:?}");
        };
        stop(node, client);
        assert_eq!(state(dir.path(), partitions), MarketState::Continuous);
        // An orderly end is one, however often.
        for _ in 0..2 {
            let node = start(config(dir.path(), partitions));
            let client = Client::new(&node);
            stop(node, client);
        }
        assert_eq!(state(dir.path(), partitions), MarketState::Continuous);
        let node = start(config(dir.path(), partitions));
        let client = Client::new(&node);
        client.demand(&limit(1, Side::Buy, 99, 5));
        kill(node, client);

        let node = start(config(dir.path(), partitions));
        let client = Client::new(&node);
        let answer = client.ask(limit(2, Side::Sell, 100, 5));
        let refused =
            matches!(answer.events[0], Event::Rejected { code: RejectCode::MarketCancelOnly, .. });
        assert!(refused, "{answer:?}");
        client.demand(&Request::CancelOrder { account, market: MARKET, order });
        let state_is = MarketState::Continuous;
        client.demand(&Request::SetMarketState { market: MARKET, state: state_is });
        client.demand(&limit(2, Side::Sell, 100, 5));
        stop(node, client);
        assert_eq!(state(dir.path(), partitions), MarketState::Continuous);
    }
}

#[test]
fn the_way_back_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(config(dir.path(), 1));
    let client = Client::new(&node);
    client.found(2);
    demand_rule(&client, 1, 1);
    kill(node, client);
    let node = start(config(dir.path(), 1));
    let client = Client::new(&node);
    // Refused for being cancel-only, then for taking resting orders only; in the end it trades.
    let answer = client.demand(&Request::PlaceOrder(immediate()));
    assert!(matches!(answer.events[0], Event::OrderPlaced { .. }), "{answer:?}");
    stop(node, client);
    let ended = rebuild(dir.path(), PartitionId(0));
    assert_eq!(ended.market(MARKET).unwrap().state(), MarketState::Continuous);
    assert!(ended.seq() > Seq(0));
}

fn immediate() -> types::PlaceOrder {
    let Request::PlaceOrder(mut order) = limit(1, Side::Buy, 100, 1) else {
        unreachable!("a limit order");
    };
    if let types::OrderSpec::Limit { time_in_force, .. } = &mut order.spec {
        *time_in_force = types::TimeInForce::Ioc;
    }
    order
}
