//! The price of an auction, rule by rule, and what its trades settle.

use crate::common::desk::Desk;
use crate::common::{admit, limit};
use types::MarketState::{Auction, CancelOnly, Continuous, Halted};
use types::Side::{Buy, Sell};
use types::*;

/// An auction over these orders after a last trade at `last`: the announced price and lots.
fn auction(last: Option<u64>, bids: &[(u64, u64)], asks: &[(u64, u64)]) -> (u64, u64) {
    let mut desk = Desk::new();
    if let Some(last) = last {
        desk.rest(Sell, last, 1);
        desk.rest(Buy, last, 1);
    }
    desk.state(Auction);
    for &(price, quantity) in bids {
        desk.rest(Buy, price, quantity);
    }
    for &(price, quantity) in asks {
        desk.rest(Sell, price, quantity);
    }
    assert_eq!(desk.trades(), [], "an auction collects");
    desk.state(Continuous);
    let (price, lots) = desk.uncrossed().unwrap();
    assert!(desk.trades().iter().all(|trade| trade.0 == price));
    assert_eq!(desk.trades().iter().map(|trade| trade.1).sum::<u64>(), lots);
    assert!(!desk.market.book().is_crossed());
    (price, lots)
}

#[test]
fn the_price_with_the_most_volume_wins() {
    // 5 lots at 103, 15 at 102, 12 at 100.
    let bids = [(103, 5), (102, 10), (100, 20)];
    let asks = [(100, 12), (102, 4), (104, 50)];
    assert_eq!(auction(None, &bids, &asks), (102, 15));
}

#[test]
fn of_equal_volumes_the_smallest_surplus_wins() {
    // 10 lots trade at 100 (20 bid), at 101 (12 bid) and at 102 (10 bid).
    let bids = [(102, 10), (101, 2), (100, 8)];
    assert_eq!(auction(None, &bids, &[(100, 10)]), (102, 10));
    let asks = [(100, 10), (101, 2), (102, 8)];
    assert_eq!(auction(None, &[(102, 10)], &asks), (100, 10));
}

#[test]
fn if_the_surplus_is_on_the_buy_side_everywhere_the_highest_tied_price_wins() {
    assert_eq!(auction(Some(90), &[(105, 20)], &[(100, 10)]), (105, 10));
    assert_eq!(auction(None, &[(105, 20)], &[(100, 10)]), (105, 10));
}

#[test]
fn if_the_surplus_is_on_the_sell_side_everywhere_the_lowest_tied_price_wins() {
    assert_eq!(auction(Some(110), &[(105, 10)], &[(100, 20)]), (100, 10));
    assert_eq!(auction(None, &[(105, 10)], &[(100, 20)]), (100, 10));
}

#[test]
fn without_pressure_the_last_price_wins_or_the_nearest_tied_one() {
    let (bids, asks) = ([(106, 10)], [(100, 10)]);
    assert_eq!(auction(Some(103), &bids, &asks), (103, 10), "inside");
    assert_eq!(auction(Some(90), &bids, &asks), (100, 10), "below");
    assert_eq!(auction(Some(200), &bids, &asks), (106, 10), "above");
}

#[test]
fn without_pressure_and_without_a_last_price_the_middle_wins_rounded_down() {
    assert_eq!(auction(None, &[(105, 10)], &[(100, 10)]), (102, 10));
}

#[test]
fn pressure_on_both_sides_falls_through_to_the_last_price() {
    // At 101: 12 bid, 10 offered; at 103: 10 bid, 12 offered. Both trade 10 and leave 2.
    let bids = [(103, 10), (101, 2)];
    let asks = [(101, 10), (103, 2)];
    assert_eq!(auction(Some(102), &bids, &asks), (102, 10));
    assert_eq!(auction(Some(50), &bids, &asks), (101, 10));
}

#[test]
fn an_auction_in_which_nothing_crosses_says_so_with_zeros() {
    assert_eq!(auction(None, &[(99, 10)], &[(100, 10)]), (0, 0));
    assert_eq!(auction(None, &[], &[]), (0, 0));
}

#[test]
fn both_sides_pay_the_maker_rate_and_the_buyer_gets_his_improvement_back() {
    let mut desk = Desk::new();
    desk.state(Auction);
    desk.rest(Buy, 105, 1_000);
    desk.rest(Sell, 100, 500);
    desk.rest(Sell, 101, 500);
    desk.state(Continuous);
    assert_eq!(desk.uncrossed(), Some((103, 1_000)));
    let fills = desk.fills();
    // 500 lots at 103 ticks of 3 atoms; two ticks less than the limit. 0.1 % of 3,500 base atoms.
    assert_eq!(fills[0].debit, Amount::new(154_500));
    assert_eq!(fills[0].release, Amount::new(3_000));
    assert_eq!(fills[0].fee.total(), Amount::new(4), "3.5 is rounded up");
    assert_eq!(fills[1].fee.total(), Amount::new(155), "154.5 is rounded up");
    assert_eq!(fills[1].release, Amount::ZERO);
    let aggressors = desk.fx.events.iter().filter_map(|event| match event {
        Event::Trade(trade) => Some(trade.aggressor),
        _ => None,
    });
    assert_eq!(aggressors.collect::<Vec<_>>(), [None, None]);
    assert_eq!(desk.closed(), [(2, 0), (1, 0), (3, 0)]);
}

#[test]
fn a_crossed_book_stays_crossed_through_a_halt_and_uncrosses_when_trading_continues() {
    let mut desk = Desk::new();
    desk.state(Auction);
    desk.rest(Buy, 105, 10);
    desk.rest(Sell, 100, 4);
    for state in [CancelOnly, Halted] {
        desk.state(state);
        assert_eq!(desk.trades(), []);
        assert!(desk.market.book().is_crossed());
    }
    desk.state(Continuous);
    assert_eq!(desk.trades(), [(105, 4)]);
}

#[test]
fn an_uncrossing_beyond_the_work_of_an_entry_goes_on_at_its_price() {
    let mut desk = Desk::new();
    desk.state(Auction);
    for price in [100, 101, 102] {
        desk.rest(Sell, price, 10);
    }
    desk.rest(Buy, 102, 30);
    // The round itself is a step.
    desk.state_with(Continuous, 3);
    assert_eq!(desk.uncrossed(), Some((102, 30)));
    assert_eq!(desk.trades().len(), 2);
    assert!(desk.market.is_interrupted());
    assert!(matches!(desk.fx.messages.iter().last(), Some(Message::Resume { .. })));
    desk.resume(2);
    assert_eq!(desk.uncrossed(), None, "it was announced");
    assert_eq!(desk.trades(), [(102, 10)]);
    assert!(!desk.market.is_interrupted());
}

#[test]
fn what_self_trade_prevention_leaves_crossed_uncrosses_in_another_round() {
    let mut desk = Desk::new();
    desk.state(Auction);
    let mut own = admit(50, 50, Sell, limit(95, 10, TimeInForce::Gtc));
    desk.send(&own);
    desk.rest(Buy, 97, 5);
    own = admit(50, 51, Buy, limit(100, 10, TimeInForce::Gtc));
    own.self_trade_prevention = SelfTradePrevention::ExpireTaker;
    desk.send(&own);
    desk.state(Continuous);
    let announced = desk.fx.events.iter().filter_map(|event| match event {
        Event::AuctionUncrossed { price, quantity, .. } => Some((price.get(), quantity.get())),
        _ => None,
    });
    // The bid at 100 is the younger of its group and expires; what crosses then has its own price.
    assert_eq!(announced.collect::<Vec<_>>(), [(100, 10), (95, 5)]);
    assert_eq!(desk.trades(), [(95, 5)]);
    assert!(!desk.market.book().is_crossed());
}

#[test]
fn rounds_are_work_and_go_on_in_later_entries() {
    let mut desk = Desk::new();
    desk.state(Auction);
    desk.send(&admit(50, 50, Sell, limit(1, 1, TimeInForce::Gtc)));
    // Each bid is the younger of its group: it expires in a round of its own.
    for price in 1..=100 {
        let limit = limit(price, 1, TimeInForce::Gtc);
        let mut bid = admit(50, 50 + price as u32, Buy, limit);
        bid.self_trade_prevention = SelfTradePrevention::ExpireTaker;
        desk.send(&bid);
    }
    let rounds = |desk: &Desk| {
        let announced = |event: &&Event| matches!(event, Event::AuctionUncrossed { .. });
        desk.fx.events.iter().filter(announced).count()
    };
    // 101 crossed levels are 1 + 12 steps, the expiry is another.
    desk.state_with(Continuous, 14);
    assert_eq!(rounds(&desk), 1);
    let (mut entries, mut all) = (1, 1);
    while desk.market.is_interrupted() {
        assert!(matches!(desk.fx.messages.iter().last(), Some(Message::Resume { .. })));
        let bytes = borsh::to_vec(&desk.market).unwrap();
        desk.market = borsh::from_slice(&bytes).unwrap();
        desk.resume(14);
        assert!(rounds(&desk) <= 14 / 2, "a round is at least two steps");
        (entries, all) = (entries + 1, all + rounds(&desk));
    }
    assert_eq!(all, 100);
    assert!(entries > 40, "only {entries} entries");
    assert_eq!(desk.market.book().best(Buy), None);
    assert_eq!(desk.market.book().best(Sell), Some(Price::new(1)));
}
