//! A bad binary: failures anywhere, messages at any time.

use chance::Random;
use types::{
    AccountId, Amount, Bug, ClientOrderId, Done, Event, Message, OrderId, PartitionId, Price,
    Quantity, Request, Side,
};

use crate::exchange::{BASE, Exchange, FIRST_MARKET, QUOTE, limit};
use crate::quarantine::rig::{EACH, SECOND_MARKET, check, codes, place, place_in};

/// Fails here and there in markets and slots, before and after what a step changes.
fn unsound() -> Bug {
    Bug::new(|done| {
        let fails = match done {
            Done::Emits(Event::Trade(trade)) => trade.trade.0 % 23 == 5,
            Done::Emits(Event::OrderCancelled { order, .. }) => order.0 % 19 == 7,
            Done::Sends(Message::Admit(admit)) => admit.budget.get() % 97 == 11,
            Done::Handled(Message::Filled { fill, .. }) => fill.credit.get() % 31 == 3,
            Done::Handled(Message::Closed { order, .. }) => order.0 % 17 == 4,
            _ => false,
        };
        assert!(!fails, "unsound");
    })
}

fn random_request(random: &mut Random) -> Request {
    let account = random.below(9) as u32 + 1;
    let side = random.pick(&[Side::Buy, Side::Sell]);
    let market = random.pick(&[FIRST_MARKET, SECOND_MARKET]);
    let order = OrderId(random.below(80));
    let price = 95 + random.below(10);
    let quantity = 1 + random.below(40);
    match random.below(20) {
        0..=11 => place_in(market, account, side, price, quantity),
        12..=13 => Request::CancelOrder { account: AccountId(account), market, order },
        14..=15 => Request::AmendOrder {
            account: AccountId(account),
            market,
            version: 1,
            order,
            price: Some(Price::new(price)),
            quantity: Some(Quantity::new(quantity)),
            keep_priority: false,
        },
        16 => Request::CancelAll { account: AccountId(account), market },
        17..=18 => Request::Transfer {
            from: AccountId(account),
            to: AccountId(random.below(9) as u32 + 1),
            asset: random.pick(&[BASE, QUOTE]),
            amount: Amount::new(u128::from(quantity)),
            client_id: ClientOrderId::NONE,
        },
        _ => {
            let order = limit(account, side, price, quantity);
            Request::ReplaceOrder(Box::new(types::ReplaceOrder {
                cancel: OrderId(random.below(80)),
                stop_on_failure: random.below(2) == 0,
                order,
            }))
        }
    }
}

#[test]
fn whatever_fails_and_whenever_messages_come_money_is_conserved_and_all_goes_on_after_the_release()
{
    for seed in 0..6 {
        for partitions in [1, 2, 5] {
            println!("seed {seed}, {partitions} partitions");
            let mut random = Random::new(seed * 7 + u64::from(partitions));
            let mut exchange = Exchange::funded(partitions, 2, 9, EACH);
            exchange.set_fees(1_000, 2_500);
            exchange.run_with(Some(unsound()));
            let mut failures = 0;
            for _ in 0..400 {
                exchange.submit(random_request(&mut random));
                let ids = u64::from(partitions);
                let (from, to) = (random.below(ids) as u16, random.below(ids) as u16);
                exchange.carry(PartitionId(from), PartitionId(to), random.below(9) as usize);
                exchange.acknowledge(PartitionId(from), PartitionId(to));
                exchange.assert_sound();
                let quarantined = exchange.quarantined();
                failures = failures.max(quarantined.len());
                if let Some(&component) = quarantined.first()
                    && random.below(8) == 0
                {
                    exchange.submit(Request::ReleaseQuarantine { component });
                }
            }
            exchange.settle(&mut Vec::new());
            check(&exchange);
            assert!(failures > 1, "it was a bad binary");
            exchange.run_with(None);
            while let Some(&component) = exchange.quarantined().first() {
                exchange.release(component);
                check(&exchange);
            }
            let events = exchange.submit_quietly(place(1, Side::Buy, 200, 1));
            assert_eq!(codes(&events), []);
            assert_eq!(exchange.assert_sound().parked, 0);
        }
    }
}
