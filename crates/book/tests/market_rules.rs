//! The operator's rules, plans and interruptions by example.

use crate::common::desk::Desk;
use crate::common::{amend, limit};
use types::Side::{Buy, Sell};
use types::*;

const GTC: TimeInForce = TimeInForce::Gtc;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;

fn desk(rules: MarketRules) -> Desk {
    let mut desk = Desk::new();
    desk.market.set_rules(rules);
    desk
}

fn trade_at(desk: &mut Desk, price: u64, lots: u64) {
    desk.rest(Sell, price, lots);
    desk.rest(Buy, price, lots);
    assert_eq!(desk.trades(), [(price, lots)]);
}

fn range<T>(least: T, most: T) -> Range<T> {
    Range { least: Some(least), most: Some(most) }
}

fn distance(below: u32, above: u32) -> Distance {
    Distance { below: PartsPerMillion(below), above: PartsPerMillion(above) }
}

fn market(lots: u64) -> OrderSpec {
    OrderSpec::MarketByQuantity { quantity: Quantity::new(lots), max_spend: None }
}

fn interruption() -> MarketRules {
    let distance = distance(100_000, 100_000);
    let interruption = Some(Interruption { distance, auction_seconds: 30 });
    MarketRules { interruption, ..MarketRules::default() }
}

#[test]
fn quantities_are_bounded_apart_for_limit_and_market_orders() {
    let rules = MarketRules {
        limit_quantity: range(Quantity::new(2), Quantity::new(10)),
        market_quantity: range(Quantity::new(3), Quantity::new(5)),
        ..MarketRules::default()
    };
    let mut desk = desk(rules);
    let (below, above) = (RejectCode::QuantityBelowMinimum, RejectCode::QuantityAboveMaximum);
    for (spec, code) in [
        (limit(100, 1, GTC), Some(below)),
        (limit(100, 11, GTC), Some(above)),
        (limit(100, 10, GTC), None),
        (market(2), Some(below)),
        (market(6), Some(above)),
    ] {
        desk.place(Sell, spec);
        assert_eq!(desk.rejection(), code, "{spec:?}");
    }
    let more = AmendOrder { quantity: Some(Quantity::new(11)), ..amend(3, 3, 1, 7) };
    desk.amend(&more);
    assert_eq!(desk.rejection(), Some(above));
}

#[test]
fn the_worth_of_an_order_is_bounded_by_its_limit_or_the_last_price() {
    let notional = range(Amount::new(3 * 1_000), Amount::new(3 * 5_000));
    let mut desk = desk(MarketRules { notional, ..MarketRules::default() });
    let (below, above) = (RejectCode::NotionalBelowMinimum, RejectCode::NotionalAboveMaximum);
    desk.place(Sell, limit(100, 9, GTC));
    assert_eq!(desk.rejection(), Some(below));
    desk.place(Sell, limit(100, 51, GTC));
    assert_eq!(desk.rejection(), Some(above));
    trade_at(&mut desk, 100, 10);
    desk.rest(Buy, 50, 100);
    desk.place(Sell, market(9));
    assert_eq!(desk.rejection(), Some(below));
    let quote = |quote| OrderSpec::MarketByQuote { quote: Amount::new(quote), max_spend: None };
    desk.place(Buy, quote(3 * 5_001));
    assert_eq!(desk.rejection(), Some(above));
}

#[test]
fn a_limit_price_keeps_near_the_average_of_the_last_minutes() {
    let band = PriceBand {
        window_minutes: 2,
        buy: distance(500_000, 100_000),
        sell: distance(100_000, 500_000),
    };
    let mut desk = desk(MarketRules { price_band: Some(band), ..MarketRules::default() });
    desk.place(Buy, limit(1, 1, GTC));
    assert_eq!(desk.rejection(), None, "there is nothing to be near to");
    desk.market.set_time(Timestamp(MINUTE));
    trade_at(&mut desk, 100, 3);
    desk.market.set_time(Timestamp(2 * MINUTE));
    trade_at(&mut desk, 104, 1);
    // (300 + 104) / 4 = 101: buyers from 50.5 to 111.1, sellers from 90.9 to 151.5.
    let out = Some(RejectCode::PriceOutOfBand);
    for (side, price, code) in [
        (Buy, 50, out),
        (Buy, 51, None),
        (Buy, 112, out),
        (Sell, 90, out),
        (Sell, 152, out),
        (Sell, 151, None),
    ] {
        desk.rest(side, price, 1);
        assert_eq!(desk.rejection(), code, "{side:?} {price}");
    }
    // Only the trade at 104 is left: buyers up to 114.
    desk.market.set_time(Timestamp(3 * MINUTE));
    desk.rest(Buy, 114, 1);
    assert_eq!(desk.rejection(), None);
    // None is left: the last price, which is the same, counts.
    desk.market.set_time(Timestamp(9 * MINUTE));
    desk.rest(Buy, 115, 1);
    assert_eq!(desk.rejection(), out);
}

#[test]
fn the_parts_of_an_iceberg_are_bounded() {
    let mut desk = desk(MarketRules { max_iceberg_parts: Some(3), ..MarketRules::default() });
    let visible = |lots| Conditions { visible: Some(Quantity::new(lots)), ..Conditions::NONE };
    desk.place_with(Sell, limit(100, 10, GTC), visible(3));
    assert_eq!(desk.rejection(), Some(RejectCode::TooManyIcebergParts));
    desk.place_with(Sell, limit(100, 10, GTC), visible(4));
    assert_eq!(desk.rejection(), None);
}

#[test]
fn orders_without_a_date_get_the_largest_age() {
    let mut desk = desk(MarketRules { max_order_age_seconds: Some(60), ..MarketRules::default() });
    desk.market.set_time(Timestamp(5 * SECOND));
    desk.rest(Buy, 100, 1);
    assert_eq!(desk.market.next_deadline(), Some(Timestamp(65 * SECOND)));
    desk.place_with(
        Buy,
        limit(100, 1, GTC),
        Conditions { expires_at: Some(Timestamp(7 * SECOND)), ..Conditions::NONE },
    );
    desk.timers(8 * SECOND);
    assert_eq!(desk.closed(), [(2, 300)]);
    desk.timers(65 * SECOND);
    assert_eq!(desk.closed(), [(1, 300)]);
}

#[test]
fn states_change_as_planned_and_a_plan_can_be_taken_back() {
    let mut desk = Desk::new();
    desk.rest(Buy, 100, 1);
    let reply = ReplyTo::new(1, 9);
    for (at, state) in [
        (10, Some(MarketState::Auction)),
        (20, Some(MarketState::Halted)),
        (30, Some(MarketState::Continuous)),
        (20, None),
    ] {
        desk.fx = Effects::default();
        desk.market.plan_state(reply, Timestamp(at), state, &mut desk.fx);
        assert!(matches!(desk.fx.events[..], [Event::MarketStatePlanned { .. }]));
    }
    desk.fx = Effects::default();
    desk.market.plan_state(reply, Timestamp(20), None, &mut desk.fx);
    assert_eq!(desk.rejection(), Some(RejectCode::PlanRefused));
    desk.timers(10);
    assert_eq!(desk.market.state(), MarketState::Auction);
    desk.rest(Sell, 90, 1);
    desk.reload();
    desk.timers(29);
    assert_eq!(desk.market.state(), MarketState::Auction);
    desk.timers(31);
    assert_eq!((desk.market.state(), desk.trades()), (MarketState::Continuous, vec![(95, 1)]));
    desk.fx = Effects::default();
    desk.market.plan_state(reply, Timestamp(31), Some(MarketState::Closed), &mut desk.fx);
    assert_eq!(desk.rejection(), Some(RejectCode::PlanRefused), "it has come already");
}

#[test]
fn a_trade_too_far_from_the_last_price_gives_way_to_an_auction_that_ends_by_itself() {
    let mut desk = desk(interruption());
    desk.market.set_time(Timestamp(SECOND));
    trade_at(&mut desk, 100, 1);
    desk.rest(Sell, 110, 1);
    desk.rest(Sell, 111, 5);
    desk.rest(Buy, 120, 3);
    // 110 is a tenth above 100; 111 is more.
    assert_eq!(desk.trades(), [(110, 1)]);
    assert_eq!(desk.market.state(), MarketState::Auction);
    assert_eq!(desk.market.reopens_at(), Some(Timestamp(31 * SECOND)));
    let told = desk.fx.events.iter().any(|event| {
        matches!(event, Event::TradingInterrupted { last, would_trade, .. }
            if (last.get(), would_trade.get()) == (100, 111))
    });
    assert!(told, "{:?}", desk.fx.events);
    desk.reload();
    desk.rest(Sell, 115, 9);
    desk.timers(31 * SECOND);
    assert_eq!(desk.market.state(), MarketState::Continuous);
    assert_eq!(desk.trades(), [(111, 2)]);
    assert_eq!(desk.market.reopens_at(), None);
}

#[test]
fn a_market_order_that_would_trade_too_far_is_cancelled_and_a_fill_or_kill_refused() {
    let mut desk = desk(interruption());
    trade_at(&mut desk, 100, 1);
    desk.rest(Buy, 95, 1);
    desk.rest(Buy, 80, 9);
    desk.place(Sell, limit(80, 2, TimeInForce::Fok));
    assert_eq!(desk.rejection(), Some(RejectCode::NotFillable));
    desk.place(Sell, market(4));
    assert_eq!(desk.trades(), [(95, 1)]);
    let cancelled = desk.fx.events.iter().any(|event| {
        matches!(event, Event::OrderCancelled { cause: CancelCause::Interruption, .. })
    });
    assert!(cancelled && desk.market.state() == MarketState::Auction);
}

#[test]
fn an_operator_who_changes_the_state_ends_the_interruption() {
    let mut desk = desk(interruption());
    trade_at(&mut desk, 100, 1);
    desk.rest(Buy, 80, 9);
    desk.place(Sell, market(4));
    desk.state(MarketState::Halted);
    desk.timers(1_000 * SECOND);
    assert_eq!(desk.market.state(), MarketState::Halted);
}

#[test]
fn orders_fired_before_an_interruption_enter_when_trading_goes_on() {
    let mut desk = desk(interruption());
    trade_at(&mut desk, 100, 1);
    desk.rest(Buy, 95, 1);
    desk.rest(Buy, 70, 50);
    let falls = |to| {
        let trigger = Some(Trigger::Falls { to: Price::new(to) });
        Conditions { trigger, ..Conditions::NONE }
    };
    desk.place_with(Sell, market(1), falls(95));
    desk.place_with(Sell, limit(70, 2, GTC), falls(95));
    desk.rest(Sell, 95, 1);
    // The first one would trade at 70, which is too far from 95: the second one waits with it.
    assert_eq!(desk.market.state(), MarketState::Auction);
    assert_eq!(desk.market.fired().count(), 1);
    desk.reload();
    desk.state(MarketState::Continuous);
    assert_eq!(desk.market.fired().count(), 0);
    assert_eq!(desk.market.state(), MarketState::Auction, "and is too far away as well");
}

#[test]
fn an_order_that_fired_before_an_interruption_can_be_cancelled_and_expires() {
    let mut desk = desk(interruption());
    trade_at(&mut desk, 100, 1);
    desk.rest(Buy, 95, 1);
    desk.rest(Buy, 70, 50);
    let trigger = Some(Trigger::Falls { to: Price::new(95) });
    let falls = Conditions { trigger, ..Conditions::NONE };
    desk.place_with(Sell, market(1), falls);
    desk.place_with(Sell, limit(70, 2, GTC), falls);
    let expires_at = Some(Timestamp(5 * SECOND));
    desk.place_with(Sell, limit(70, 3, GTC), Conditions { expires_at, ..falls });
    desk.rest(Sell, 95, 1);
    assert_eq!(desk.market.fired().count(), 2);
    desk.cancel(6, 6);
    assert_eq!(desk.closed(), [(6, 14)]);
    desk.reload();
    desk.timers(5 * SECOND);
    assert_eq!(desk.closed(), [(7, 21)]);
    assert_eq!(desk.market.fired().count(), 0);
    desk.timers(31 * SECOND);
    assert_eq!(desk.market.state(), MarketState::Continuous);
}
