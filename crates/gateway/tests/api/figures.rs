//! Views and history tell the same of the same events.

use std::sync::Arc;

use store::Store;
use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, ClientOrderId, Event, EventBatch, Fee,
    MarketBounds, MarketDef, MarketId, OrderId, OrderSpec, PartitionId, Price, Quantity, ReplyTo,
    Seq, Side, TimeInForce, Timestamp, Topology, Trade, TradeId, TradeSide,
};
use views::Views;

const MARKET: MarketId = MarketId(1);
const LOTS: Quantity = Quantity::new(i64::MAX as u64);

fn placed(order: u64, account: u32, side: Side, spec: OrderSpec) -> Event {
    Event::OrderPlaced {
        reply: ReplyTo::NOBODY,
        market: MARKET,
        order: OrderId(order),
        account: AccountId(account),
        client_order_id: ClientOrderId::NONE,
        side,
        spec,
        conditions: BoxedConditions::NONE,
    }
}

/// Order 9 of account 2 buys all lots of a maker of account 1.
fn trade(id: u64, maker: u64) -> Event {
    let side = |account, order| TradeSide {
        account: AccountId(account),
        order: OrderId(order),
        remaining: Quantity::ZERO,
        fee: Fee::NONE,
    };
    Event::Trade(Trade {
        market: MARKET,
        trade: TradeId(id),
        price: Price::new(1),
        quantity: LOTS,
        base_amount: Amount::new(LOTS.get().into()),
        quote_amount: Amount::new(LOTS.get().into()),
        aggressor: Some(Side::Buy),
        buyer: side(2, 9),
        seller: side(1, maker),
    })
}

#[test]
fn a_sweep_of_more_lots_than_an_integer_holds_has_the_same_figures_everywhere() {
    let asset = |id: u32, symbol: &str| Event::AssetDefined {
        reply: ReplyTo::NOBODY,
        asset: AssetDef { id: AssetId(id), symbol: symbol.into(), scale: 18 },
    };
    let market = MarketDef {
        id: MARKET,
        symbol: "A-B".into(),
        base: AssetId(1),
        quote: AssetId(2),
        tick: "1".parse().unwrap(),
        lot: "0.000000000000000001".parse().unwrap(),
        max_price: Price::new(10),
        max_quantity: LOTS,
        bounds: MarketBounds::default(),
        home: Topology::single().markets[0],
        version: 1,
    };
    let mut events =
        vec![asset(1, "A"), asset(2, "B"), Event::MarketListed { reply: ReplyTo::NOBODY, market }];
    for maker in [1, 2, 3] {
        let spec = OrderSpec::Limit {
            price: Price::new(1),
            quantity: LOTS,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
        };
        events.push(placed(maker, 1, Side::Sell, spec));
    }
    let spec = OrderSpec::MarketByQuote { quote: Amount::new(u128::MAX), max_spend: None };
    events.push(placed(9, 2, Side::Buy, spec));
    events.extend([1, 2, 3].map(|maker| trade(maker, maker)));
    let mut batch = EventBatch::new(PartitionId(0));
    batch.push(Seq(1), Timestamp(1), &mut events);

    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let views = Views::new(1);
    views.on_batch(&batch).unwrap();
    store.projector().apply(&[Arc::new(batch)]).unwrap();
    let seen = views.order(AccountId(2), MARKET, OrderId(9)).unwrap();
    let kept = store.order(MARKET, OrderId(9)).unwrap().unwrap();
    assert_eq!((seen.filled, kept.filled), (views::MOST_FILLED, views::MOST_FILLED));
    let all = Amount::new(3 * u128::from(LOTS.get()));
    assert_eq!((seen.quote_filled, kept.quote_filled), (all, all));
}
