//! Operations as requests of accounts, and the exchange that takes them.

use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, ClientOrderId, Decimal, MarketBounds,
    MarketDef, MarketId, OperatorName, OrderId, OrderSpec, PartitionId, PlaceOrder, Price,
    Quantity, Request, SelfTradePrevention, TimeInForce, TreasuryReference,
};

use crate::flow::{Operation, Side};

const MARKET: MarketId = MarketId(1);
const BASE: AssetId = AssetId(1);
const QUOTE: AssetId = AssetId(2);

/// Makes requests of operations, as they come. Orders belong to accounts at random, so that hardly any meets one of
/// its own; the exchange numbers them as the operations do, since it accepts them all.
#[derive(Clone)]
pub struct Requests {
    accounts: u32,
    client_ids: bool,
    orders: u64,
}

impl Requests {
    /// Of accounts from 1 to `accounts`; `client_ids`: whether each order names itself.
    #[must_use]
    pub fn new(accounts: u32, client_ids: bool) -> Self {
        Self { accounts, client_ids, orders: 0 }
    }

    /// The next one.
    pub fn of(&mut self, operation: &Operation) -> Request {
        let (side, spec) = match *operation {
            Operation::Cancel { order } => {
                let (account, order) = (self.owner_of(order), OrderId(order));
                return Request::CancelOrder { account, market: MARKET, order };
            }
            Operation::Limit { side, price, lots, rests } => (side, limit(price, lots, rests)),
            Operation::Market { side, lots } => (side, market(lots)),
        };
        self.orders += 1;
        Request::PlaceOrder(PlaceOrder {
            account: self.owner_of(self.orders),
            market: MARKET,
            version: 1,
            client_order_id: self.client_order_id(),
            side: side.into(),
            spec,
            conditions: BoxedConditions::NONE,
            self_trade_prevention: SelfTradePrevention::None,
        })
    }

    fn owner_of(&self, order: u64) -> AccountId {
        // The upper half of a product with the golden ratio: evenly spread, and without state.
        let spread = order.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        AccountId(((spread * u64::from(self.accounts)) >> 32) as u32 + 1)
    }

    fn client_order_id(&self) -> ClientOrderId {
        if self.client_ids {
            format!("c-{}", self.orders).parse().expect("a plain id")
        } else {
            ClientOrderId::NONE
        }
    }
}

pub(crate) fn limit(price: u64, lots: u64, rests: bool) -> OrderSpec {
    OrderSpec::Limit {
        price: Price::new(price),
        quantity: Quantity::new(lots),
        time_in_force: if rests { TimeInForce::Gtc } else { TimeInForce::Ioc },
        post_only: false,
    }
}

pub(crate) fn market(lots: u64) -> OrderSpec {
    OrderSpec::MarketByQuantity { quantity: Quantity::new(lots), max_spend: None }
}

impl From<Side> for types::Side {
    fn from(side: Side) -> Self {
        match side {
            Side::Buy => Self::Buy,
            Side::Sell => Self::Sell,
        }
    }
}

/// The requests that found the exchange: assets, the market, rich accounts.
#[must_use]
pub fn founding(accounts: u32) -> Vec<Request> {
    let asset = |id, symbol: &str| AssetDef { id, symbol: symbol.into(), scale: 8 };
    let mut requests = vec![
        Request::DefineAsset(asset(BASE, "BTC")),
        Request::DefineAsset(asset(QUOTE, "USDT")),
        Request::ListMarket(Box::new(definition())),
    ];
    let mut number = 0;
    for account in (1..=accounts).map(AccountId) {
        requests.push(Request::CreateAccount { account, fee_tier: 0 });
        for asset in [BASE, QUOTE] {
            number += 1;
            let reference = TreasuryReference { source: 1, number };
            let (operator, amount) = (OperatorName::NONE, Amount::new(1 << 70));
            requests.push(Request::Credit { reference, operator, account, asset, amount });
        }
    }
    requests
}

/// BTC-USDT with a tick of 0.01 and a lot of 0.00001.
#[must_use]
pub fn definition() -> MarketDef {
    MarketDef {
        id: MARKET,
        symbol: "BTC-USDT".into(),
        base: BASE,
        quote: QUOTE,
        tick: Decimal::new(1, 2),
        lot: Decimal::new(1, 5),
        max_price: Price::new(1_000_000_000),
        max_quantity: Quantity::new(1 << 40),
        bounds: MarketBounds {
            max_orders: 10_000_000,
            max_orders_per_account: 10_000_000,
            ..MarketBounds::default()
        },
        home: PartitionId(0),
        version: 1,
    }
}
