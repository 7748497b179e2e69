//! The short way of a plain order against the way through all rules.

use types::{
    AccountId, AssetId, BoxedConditions, ClientOrderId, Conditions, Decimal, FeeRates, HoldId,
    MarketBounds, MarketDef, MarketId, PartitionId, Scaling, SelfTradePrevention,
};

use super::*;

const SCALING: Scaling = Scaling { quote_atoms_per_tick_lot: 3, base_atoms_per_lot: 7 };

fn market() -> Market {
    let def = MarketDef {
        bounds: MarketBounds { max_orders: 200, max_levels: 30, ..MarketBounds::default() },
        max_price: Price::new(30),
        max_quantity: Quantity::new(9),
        id: MarketId(1),
        symbol: "BTC-EUR".into(),
        base: AssetId(1),
        quote: AssetId(2),
        tick: Decimal { units: 1, scale: 2 },
        lot: Decimal { units: 1, scale: 4 },
        home: PartitionId(0),
        version: 1,
    };
    Market::new(def, SCALING)
}

fn admit(random: &mut impl FnMut(u64) -> u64) -> Admit {
    let (side, from) = if random(2) == 0 { (Side::Buy, 0) } else { (Side::Sell, 11) };
    let (price, quantity) = (Price::new(from + random(21)), Quantity::new(random(11)));
    let time_in_force = match random(8) {
        0 => TimeInForce::Ioc,
        1 => TimeInForce::Fok,
        _ => TimeInForce::Gtc,
    };
    let visible = (random(6) == 0).then_some(Quantity::new(2));
    Admit {
        reply: ReplyTo::new(1, random(100)),
        account: AccountId(random(2) as u32),
        self_trade_group: random(5) as u32,
        hold: HoldId(random(100) as u32),
        budget: match side {
            Side::Buy => SCALING.notional(price, quantity),
            Side::Sell => SCALING.base(quantity),
        },
        fees: FeeRates::default(),
        market: MarketId(1),
        version: u32::from(random(20) != 0),
        client_order_id: ClientOrderId::NONE,
        side,
        spec: OrderSpec::Limit { price, quantity, time_in_force, post_only: random(4) == 0 },
        conditions: BoxedConditions::from(Conditions { visible, ..Conditions::NONE }),
        self_trade_prevention: SelfTradePrevention::None,
    }
}

#[test]
fn the_short_way_does_what_the_rules_say() {
    let mut state = 0x9E37_79B9_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let (mut short, mut long) = (market(), market());
    let (mut by_short, mut by_long) = (Effects::default(), Effects::default());
    let mut plain = 0;
    for step in 0..20_000 {
        if step % 500 == 0 {
            let states = [MarketState::Auction, MarketState::CancelOnly, MarketState::Continuous];
            let state = states[random(3) as usize];
            for (market, fx) in [(&mut short, &mut by_short), (&mut long, &mut by_long)] {
                market.set_state(ReplyTo::NOBODY, state, &mut Work { remaining: 4_096 }, fx);
            }
        }
        let admit = admit(&mut random);
        plain += u32::from(short.rests_plainly(&admit).is_some());
        short.admit(&admit, &mut Work { remaining: 4_096 }, &mut by_short);
        long.admit_by_rules(&admit, &mut Work { remaining: 4_096 }, &mut by_long);
        let order = OrderId(short.next_order.0.saturating_sub(random(300)));
        let account = AccountId(random(2) as u32);
        for (market, fx) in [(&mut short, &mut by_short), (&mut long, &mut by_long)] {
            market.cancel(ReplyTo::NOBODY, account, order, CancelCause::Client, fx);
        }
        assert_eq!(by_short.events, by_long.events, "step {step}");
        assert_eq!(by_short.messages, by_long.messages, "step {step}");
        by_short = Effects::default();
        by_long = Effects::default();
    }
    assert!(plain > 500, "{plain} of 20,000 took the short way");
}
