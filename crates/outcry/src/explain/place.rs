//! Where a resting order stands.

use engine::Partition;
use types::{MarketDef, OrderId, Side};

use crate::record::Names;

/// Where `order` stands in the book of `market` now, in a sentence; nothing if it does not rest.
pub fn place(state: &Partition, market: &MarketDef, order: OrderId) -> Option<String> {
    let names = Names(state.definitions());
    let book = state.market(market.id)?.book();
    let resting = book.order(order)?;
    let (mut same, mut better) = ((0_u64, 0_u128), (0_u64, 0_u128));
    for ahead in book.orders(resting.side).take_while(|other| other.id != order) {
        let sum = if ahead.price == resting.price { &mut same } else { &mut better };
        sum.0 += 1;
        // What an iceberg hides has no place at its own price yet.
        let is_same = ahead.price == resting.price;
        let counts = if is_same { ahead.shown() } else { ahead.remaining };
        sum.1 += u128::from(counts.get());
    }
    let ahead = |(orders, lots): (u64, u128)| match orders {
        0 => "nothing".to_owned(),
        1 => format!("1 order with {}", names.quantities(market.id, lots)),
        _ => format!("{orders} orders with {}", names.quantities(market.id, lots)),
    };
    let best = |side| match book.best(side) {
        Some(price) => names.price(market.id, price),
        None => "none".to_owned(),
    };
    let listed = state.definitions().market(market.id)?;
    let (held, asset) = (
        resting.need(&listed.scaling),
        match resting.side {
            Side::Buy => market.quote,
            Side::Sell => market.base,
        },
    );
    let shown = match resting.hidden.is_zero() {
        true => String::new(),
        false => {
            format!(" (showing {})", names.quantity(market.id, resting.shown()))
        }
    };
    Some(format!(
        "{}{shown} at {}; ahead of it: {} at its price, {} at better ones; best bid {}, best ask {}; \
         {} {} held",
        names.quantity(market.id, resting.remaining),
        names.price(market.id, resting.price),
        ahead(same),
        ahead(better),
        best(Side::Buy),
        best(Side::Sell),
        names.amount(asset, held),
        names.asset(asset),
    ))
}
