//! The workload: requests of many accounts in one market, seeded, the same bytes in every layer.
//!
//! About 45 % new limits near the touch, 45 % cancels of a random live order, 7 % marketable limits,
//! half of them immediate-or-cancel, and 3 % market orders; about a thousand orders are live on some
//! 650 prices, and the price walks slowly.

use types::{
    AccountId, Amount, AssetDef, AssetId, ClientOrderId, Decimal, MarketBounds, MarketDef,
    MarketId, OrderId, OrderSpec, PartitionId, PlaceOrder, Price, Quantity, Request,
    SelfTradePrevention, Side, TimeInForce, TreasuryReference,
};

/// The one market.
pub const MARKET: MarketId = MarketId(1);
const BASE: AssetId = AssetId(1);
const QUOTE: AssetId = AssetId(2);
const LIVE_ORDERS: usize = 1_000;
const HALF_WIDTH_TICKS: u64 = 325;

/// The source of requests.
pub struct Traders {
    random: u64,
    accounts: u32,
    client_ids: bool,
    live: Vec<(OrderId, AccountId)>,
    next_order: u64,
    sent: u64,
}

impl Traders {
    /// `client_ids`: whether each order names itself.
    pub fn new(seed: u64, accounts: u32, client_ids: bool) -> Self {
        Self { random: seed | 1, accounts, client_ids, live: Vec::new(), next_order: 1, sent: 0 }
    }

    /// The next request. Order ids are predicted: every order of this flow is accepted, as accounts
    /// are rich and no order is invalid.
    pub fn next_request(&mut self) -> Request {
        self.sent += 1;
        match self.below(100) {
            0..3 => self.place(Kind::Market),
            3..6 => self.place(Kind::Ioc),
            6..10 => self.place(Kind::Marketable),
            _ if self.live.len() > LIVE_ORDERS => self.cancel(),
            _ => self.place(Kind::Resting),
        }
    }

    fn cancel(&mut self) -> Request {
        let at = self.below(self.live.len() as u64) as usize;
        let (order, account) = self.live.swap_remove(at);
        Request::CancelOrder { account, market: MARKET, order }
    }

    fn place(&mut self, kind: Kind) -> Request {
        let account = AccountId(self.below(u64::from(self.accounts)) as u32 + 1);
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        let client_order_id = if self.client_ids {
            format!("c-{}", self.sent).parse().expect("a plain id")
        } else {
            ClientOrderId::NONE
        };
        let order = PlaceOrder {
            account,
            market: MARKET,
            version: 1,
            client_order_id,
            side,
            spec: self.spec(kind, side),
            self_trade_prevention: SelfTradePrevention::None,
        };
        if matches!(kind, Kind::Resting | Kind::Marketable) {
            self.live.push((OrderId(self.next_order), account));
        }
        self.next_order += 1;
        Request::PlaceOrder(order)
    }

    fn spec(&mut self, kind: Kind, side: Side) -> OrderSpec {
        let middle = 1_000_000 + self.sent / 20_000;
        let away = match kind {
            Kind::Resting => 1 + self.below(HALF_WIDTH_TICKS),
            Kind::Marketable | Kind::Ioc | Kind::Market => 5,
        };
        let below_middle = (side == Side::Buy) == matches!(kind, Kind::Resting);
        let price = if below_middle { middle - away } else { middle + away };
        let quantity = Quantity::new(1 + self.below(20));
        let time_in_force = match kind {
            Kind::Ioc => TimeInForce::Ioc,
            Kind::Resting | Kind::Marketable | Kind::Market => TimeInForce::Gtc,
        };
        match kind {
            // Market orders against an empty side would be rejected and take no id; a limit far
            // through the book always is accepted.
            Kind::Market => OrderSpec::Limit {
                price: if side == Side::Buy { Price::new(2_000_000) } else { Price::new(1) },
                quantity,
                time_in_force: TimeInForce::Ioc,
                post_only: false,
            },
            Kind::Resting | Kind::Marketable | Kind::Ioc => OrderSpec::Limit {
                price: Price::new(price),
                quantity,
                time_in_force,
                post_only: false,
            },
        }
    }

    /// Below `end`, by xorshift.
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Resting,
    Marketable,
    Ioc,
    Market,
}

/// The requests that found the exchange: assets, the market, rich accounts.
pub fn founding(accounts: u32) -> Vec<Request> {
    let asset = |id, symbol: &str| AssetDef { id, symbol: symbol.into(), scale: 8 };
    let mut requests = vec![
        Request::DefineAsset(asset(BASE, "BTC")),
        Request::DefineAsset(asset(QUOTE, "USDT")),
        Request::ListMarket(market()),
    ];
    let mut number = 0;
    for account in (1..=accounts).map(AccountId) {
        requests.push(Request::CreateAccount { account, fee_tier: 0 });
        for asset in [BASE, QUOTE] {
            number += 1;
            let reference = TreasuryReference { source: 1, number };
            let amount = Amount::new(1 << 70);
            requests.push(Request::Credit { reference, account, asset, amount });
        }
    }
    requests
}

/// BTC-USDT with a tick of 0.01 and a lot of 0.00001.
pub fn market() -> MarketDef {
    MarketDef {
        id: MARKET,
        symbol: "BTC-USDT".into(),
        base: BASE,
        quote: QUOTE,
        tick: Decimal::new(1, 2),
        lot: Decimal::new(1, 5),
        max_price: Price::new(1_000_000_000),
        max_quantity: Quantity::new(1_000_000_000),
        bounds: MarketBounds { max_orders_per_account: 1_000_000, ..MarketBounds::default() },
        home: PartitionId(0),
        version: 1,
    }
}
