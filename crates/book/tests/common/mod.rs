//! Shared by the tests: a market to trade in, small random numbers, and commands as tests write them.

pub mod desk;

use types::{
    AccountId, Admit, AmendOrder, Amount, AssetId, BoxedConditions, ClientOrderId, FeeRates,
    HoldId, MakerRate, MarketBounds, MarketDef, MarketId, OrderId, OrderSpec, PartitionId,
    PartsPerMillion, Price, Quantity, ReplyTo, Scaling, SelfTradePrevention, Side, TimeInForce,
};

/// A lot is 7 base atoms, a lot at one tick 3 quote atoms: no factor hides behind a one.
pub const SCALING: Scaling = Scaling { quote_atoms_per_tick_lot: 3, base_atoms_per_lot: 7 };

pub const BASE: AssetId = AssetId(1);
pub const QUOTE: AssetId = AssetId(2);
pub const VERSION: u32 = 4;

pub fn definition(max_price: u64, max_quantity: u64, bounds: MarketBounds) -> MarketDef {
    MarketDef {
        id: MarketId(9),
        symbol: "A1-A2".into(),
        base: BASE,
        quote: QUOTE,
        tick: "1".parse().unwrap(),
        lot: "1".parse().unwrap(),
        max_price: Price::new(max_price),
        max_quantity: Quantity::new(max_quantity),
        bounds,
        home: PartitionId(0),
        version: VERSION,
    }
}

pub fn limit(price: u64, quantity: u64, time_in_force: TimeInForce) -> OrderSpec {
    OrderSpec::Limit {
        price: Price::new(price),
        quantity: Quantity::new(quantity),
        time_in_force,
        post_only: false,
    }
}

/// What a ledger locks for an order: exactly the need of a limit order or a sale by quantity, the
/// quote of a buy by quote, else `free`.
pub fn budget(side: Side, spec: &OrderSpec, free: u128) -> Amount {
    match (side, *spec) {
        (Side::Buy, OrderSpec::Limit { price, quantity, .. }) => SCALING.notional(price, quantity),
        (Side::Buy, OrderSpec::MarketByQuote { quote, .. }) => quote,
        (
            Side::Sell,
            OrderSpec::Limit { quantity, .. } | OrderSpec::MarketByQuantity { quantity, .. },
        ) => SCALING.base(quantity),
        (Side::Buy, OrderSpec::MarketByQuantity { .. })
        | (Side::Sell, OrderSpec::MarketByQuote { .. }) => Amount::new(free),
    }
}

pub fn admit(account: u32, hold: u32, side: Side, spec: OrderSpec) -> Admit {
    Admit {
        reply: ReplyTo::new(1, u64::from(hold)),
        account: AccountId(account),
        self_trade_group: account,
        hold: HoldId(hold),
        budget: budget(side, &spec, 1 << 60),
        fees: FeeRates { maker: MakerRate(1_000), taker: PartsPerMillion(2_000) },
        market: MarketId(9),
        version: VERSION,
        client_order_id: ClientOrderId::NONE,
        side,
        spec,
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    }
}

pub fn amend(account: u32, hold: u32, order: u64, extra: u128) -> AmendOrder {
    AmendOrder {
        reply: ReplyTo::new(2, order),
        account: AccountId(account),
        hold: HoldId(hold),
        extra: Amount::new(extra),
        market: MarketId(9),
        version: VERSION,
        order: OrderId(order),
        price: None,
        quantity: None,
        keep_priority: false,
    }
}

/// Small, seeded, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn in_hundred(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}
