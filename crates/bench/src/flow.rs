//! The workload: orders of many accounts in one market, seeded, of the same mix in every layer.
//!
//! About 45 % new limits near the touch, 45 % cancels of a random order, 7 % marketable limits, half
//! of them immediate-or-cancel, and 3 % limits far through the book, which act as market orders. In
//! the steady shape about a thousand orders are live on some 650 prices; the price walks slowly.

use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, ClientOrderId, Decimal, MarketBounds,
    MarketDef, MarketId, OrderId, OrderSpec, PartitionId, PlaceOrder, Price, Quantity, Request,
    SelfTradePrevention, Side, TimeInForce, TreasuryReference,
};

/// The one market.
pub const MARKET: MarketId = MarketId(1);
const BASE: AssetId = AssetId(1);
const QUOTE: AssetId = AssetId(2);

/// Where orders lie in a flow.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Orders that are kept open.
    pub live_orders: usize,
    /// Half the width of the range of prices that orders are placed in.
    pub half_width: u64,
    /// How many of a hundred cancels hit one of the last thousand orders; the others hit any.
    pub recent_percent: u64,
}

/// The flow of every layer but the deep book.
pub const STEADY: Shape = Shape { live_orders: 1_000, half_width: 325, recent_percent: 0 };

/// The price that orders begin around.
pub const MIDDLE: u64 = 1_000_000;

/// What a trader does next.
pub enum Step {
    /// Cancels one of its orders.
    Cancel,
    /// Places a limit order.
    Place(Limit),
}

/// A limit order, in ticks and lots.
pub struct Limit {
    /// Buy or sell.
    pub side: Side,
    /// In ticks.
    pub price: u64,
    /// In lots.
    pub quantity: u64,
    /// Whether what does not match at once rests.
    pub rests: bool,
}

/// Random steps in fixed shares.
pub struct Mix {
    random: u64,
    half_width: u64,
}

impl Mix {
    /// Orders rest at most `half_width` ticks from the middle.
    pub fn new(seed: u64, half_width: u64) -> Self {
        Self { random: seed | 1, half_width }
    }

    /// The next step around the price `middle`.
    pub fn next_step(&mut self, has_enough: bool, middle: u64) -> Step {
        match self.below(100) {
            // Market orders against an empty side would be rejected and take no id; a limit far
            // through the book is always accepted.
            0..3 => Step::Place(self.limit(middle, -(MIDDLE as i64 / 2), false)),
            3..6 => Step::Place(self.limit(middle, -5, false)),
            6..10 => Step::Place(self.limit(middle, -5, true)),
            _ if has_enough => Step::Cancel,
            _ => {
                let away = 1 + self.below(self.half_width);
                Step::Place(self.limit(middle, away as i64, true))
            }
        }
    }

    /// `away`: ticks from the middle, on the order's own side of it if positive.
    fn limit(&mut self, middle: u64, away: i64, rests: bool) -> Limit {
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        let up = if side == Side::Buy { -away } else { away };
        let price = middle.checked_add_signed(up).expect("prices are far above zero");
        Limit { side, price, quantity: 1 + self.below(20), rests }
    }

    /// Below `end`, by xorshift.
    pub fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end
    }
}

/// The source of requests.
pub struct Traders {
    mix: Mix,
    shape: Shape,
    accounts: u32,
    client_ids: bool,
    live: Vec<(OrderId, AccountId)>,
    next_order: u64,
    sent: u64,
}

impl Traders {
    /// `client_ids`: whether each order names itself.
    pub fn new(seed: u64, shape: Shape, accounts: u32, client_ids: bool) -> Self {
        let mix = Mix::new(seed, shape.half_width);
        Self { mix, shape, accounts, client_ids, live: Vec::new(), next_order: 1, sent: 0 }
    }

    /// Whether as many orders are open as are to be.
    pub fn has_enough(&self) -> bool {
        self.live.len() > self.shape.live_orders
    }

    /// The next request. Order ids are predicted: every order of this flow is accepted, as accounts
    /// are rich and no order is invalid. What has been filled is not known here: some cancels come
    /// too late, as they do in life.
    pub fn next_request(&mut self) -> Request {
        self.sent += 1;
        match self.mix.next_step(self.has_enough(), MIDDLE + self.sent / 20_000) {
            Step::Cancel => self.cancel(),
            Step::Place(limit) => self.place(&limit),
        }
    }

    fn cancel(&mut self) -> Request {
        let count = self.live.len() as u64;
        let is_recent = self.mix.below(100) < self.shape.recent_percent;
        let among = if is_recent { count.min(1_000) } else { count };
        // The last ones are about the most recent, though a removal moves one of them.
        let at = count - 1 - self.mix.below(among);
        let (order, account) = self.live.swap_remove(at as usize);
        Request::CancelOrder { account, market: MARKET, order }
    }

    fn place(&mut self, limit: &Limit) -> Request {
        let account = AccountId(self.mix.below(u64::from(self.accounts)) as u32 + 1);
        let client_order_id = if self.client_ids {
            format!("c-{}", self.sent).parse().expect("a plain id")
        } else {
            ClientOrderId::NONE
        };
        if limit.rests {
            self.live.push((OrderId(self.next_order), account));
        }
        self.next_order += 1;
        Request::PlaceOrder(PlaceOrder {
            account,
            market: MARKET,
            version: 1,
            client_order_id,
            side: limit.side,
            spec: OrderSpec::Limit {
                price: Price::new(limit.price),
                quantity: Quantity::new(limit.quantity),
                time_in_force: if limit.rests { TimeInForce::Gtc } else { TimeInForce::Ioc },
                post_only: false,
            },
            conditions: BoxedConditions::NONE,
            self_trade_prevention: SelfTradePrevention::None,
        })
    }
}

/// The requests that found the exchange: assets, the market, rich accounts.
pub fn founding(accounts: u32) -> Vec<Request> {
    let asset = |id, symbol: &str| AssetDef { id, symbol: symbol.into(), scale: 8 };
    let mut requests = vec![
        Request::DefineAsset(asset(BASE, "BTC")),
        Request::DefineAsset(asset(QUOTE, "USDT")),
        Request::ListMarket(Box::new(market())),
    ];
    let mut number = 0;
    for account in (1..=accounts).map(AccountId) {
        requests.push(Request::CreateAccount { account, fee_tier: 0 });
        for asset in [BASE, QUOTE] {
            number += 1;
            let reference = TreasuryReference { source: 1, number };
            let amount = Amount::new(1 << 70);
            requests.push(Request::Credit {
                reference,
                operator: types::OperatorName::NONE,
                account,
                asset,
                amount,
            });
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
