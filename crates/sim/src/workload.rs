//! What clients and operators ask in a run: every kind of request, small numbers so that orders meet.

use std::collections::VecDeque;

use chance::Random;
use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, ClientOrderId, Conditions, Event,
    FeeRates, Interruption, MakerRate, MarketBounds, MarketDef, MarketId, MarketRules, MarketState,
    OrderId, OrderSpec, PartitionId, PartsPerMillion, PlaceOrder, Price, Quantity, ReplaceOrder,
    Request, SelfTradePrevention, Side, TimeInForce, Timestamp, TradeId, TreasuryReference,
    Trigger,
};

pub(crate) const BASE: AssetId = AssetId(1);
pub(crate) const QUOTE: AssetId = AssetId(2);
pub(crate) const MARKETS: u32 = 2;
pub(crate) const ACCOUNTS: u32 = 9;
/// Orders whose ids are remembered, to be cancelled and amended.
const REMEMBERED: usize = 64;
const SECOND: u64 = 1_000_000_000;

/// A source of requests.
#[derive(Debug)]
pub struct Workload {
    random: Random,
    orders: Vec<(AccountId, MarketId, OrderId)>,
    client_ids: Vec<(AccountId, ClientOrderId)>,
    debits: Vec<(AccountId, ClientOrderId)>,
    next_client_id: u64,
    next_reference: u64,
    /// By market, what is known of it.
    markets: [Seen; MARKETS as usize],
    /// The last lists and proposals that events told of.
    lists: VecDeque<(AccountId, MarketId, OrderId)>,
    proposals: VecDeque<u64>,
}

/// What events said of a market.
#[derive(Clone, Copy, Debug)]
struct Seen {
    version: u32,
    last_order: OrderId,
    last_trade: TradeId,
}

impl Workload {
    /// Draws from `random`.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            random,
            orders: Vec::new(),
            client_ids: Vec::new(),
            debits: Vec::new(),
            next_client_id: 1,
            next_reference: 1,
            markets: [Seen { version: 1, last_order: OrderId(0), last_trade: TradeId(0) };
                MARKETS as usize],
            lists: VecDeque::new(),
            proposals: VecDeque::new(),
        }
    }

    /// Its source of chance, for whoever decides between its requests.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// What an exchange begins with, in this order: assets, markets, accounts with funds.
    pub fn founding(&mut self) -> Vec<Request> {
        let asset = |id, symbol: &str| AssetDef { id, symbol: symbol.into(), scale: 8 };
        let mut requests = vec![
            Request::DefineAsset(asset(BASE, "BTC")),
            Request::DefineAsset(asset(QUOTE, "USDT")),
            Request::SetFeeTier { tier: 1, rates: rates(1_000, 2_000) },
        ];
        requests
            .extend((1..=MARKETS).map(|id| Request::ListMarket(Box::new(market(MarketId(id))))));
        for account in (1..=ACCOUNTS).map(AccountId) {
            let fee_tier = (account.0 % 2) as u8;
            requests.push(Request::CreateAccount { account, fee_tier });
            for asset in [BASE, QUOTE] {
                requests.push(self.credit(account, asset, 1 << 50));
            }
        }
        requests
    }

    /// What comes at `now`.
    pub fn next(&mut self, now: Timestamp) -> Request {
        match self.random.below(100) {
            0..62 => Request::PlaceOrder(self.order(now)),
            62..72 => self.cancel(),
            72..78 => self.amend(),
            78..81 => self.replace(now),
            81..86 => self.transfer(),
            86..89 => self.debit(),
            89..95 => self.treasury(),
            95..97 => self.countdown(),
            _ => self.operate(now),
        }
    }

    /// Learns what events tell of, to speak of it later.
    pub fn learn(&mut self, event: &Event) {
        match event {
            &Event::OrderPlaced { market, order, account, .. } => {
                remember(&mut self.random, &mut self.orders, (account, market, order));
                self.see(market).last_order = order;
            }
            &Event::OrderReplaced { market, order, .. } => self.see(market).last_order = order,
            Event::Trade(trade) => self.see(trade.market).last_trade = trade.trade,
            Event::MarketRedefined { market, .. } => self.see(market.id).version = market.version,
            Event::OrderListPlaced(list) => {
                remember_last(&mut self.lists, (list.account, list.market, list.list));
            }
            Event::ProposalMade { proposal, .. } => {
                remember_last(&mut self.proposals, proposal.number);
            }
            _ => {}
        }
    }

    fn see(&mut self, market: MarketId) -> &mut Seen {
        &mut self.markets[market.0 as usize - 1]
    }

    fn seen(&self, market: MarketId) -> &Seen {
        &self.markets[market.0 as usize - 1]
    }

    /// The version of a market's definition, as far as it was told.
    pub(crate) fn version(&self, market: MarketId) -> u32 {
        self.seen(market).version
    }

    /// The highest order id of a market that was told.
    pub fn last_order(&self, market: MarketId) -> OrderId {
        self.seen(market).last_order
    }

    /// The highest trade id of a market that was told.
    pub fn last_trade(&self, market: MarketId) -> TradeId {
        self.seen(market).last_trade
    }

    /// A client id that will be used `later`.
    pub fn client_id_to_come(&self, later: u64) -> ClientOrderId {
        client_id(self.next_client_id + later)
    }

    /// A reference that will be used: the next one, or so many `later`.
    pub fn reference_to_come(&self, later: u64) -> TreasuryReference {
        TreasuryReference { source: 1, number: self.next_reference + later }
    }

    /// A list that was placed, if there is one.
    pub fn known_list(&mut self) -> Option<(AccountId, MarketId, OrderId)> {
        let lists = self.lists.make_contiguous();
        (!lists.is_empty()).then(|| self.random.pick(lists))
    }

    /// A proposal that was made, if there is one.
    pub fn known_proposal(&mut self) -> Option<u64> {
        let proposals = self.proposals.make_contiguous();
        (!proposals.is_empty()).then(|| self.random.pick(proposals))
    }

    fn account(&mut self) -> AccountId {
        // One of them does not exist.
        AccountId(1 + self.random.below(u64::from(ACCOUNTS) + 1) as u32)
    }

    fn market(&mut self) -> MarketId {
        MarketId(1 + self.random.below(u64::from(MARKETS)) as u32)
    }

    fn client_id(&mut self) -> ClientOrderId {
        self.next_client_id += 1;
        client_id(self.next_client_id)
    }

    fn price(&mut self) -> Price {
        Price::new(self.random.between(9_990, 10_010))
    }

    fn quantity(&mut self) -> Quantity {
        Quantity::new(self.random.between(1, 20))
    }

    fn order(&mut self, now: Timestamp) -> PlaceOrder {
        let account = self.account();
        let client_order_id = match self.random.below(4) {
            0 => ClientOrderId::NONE,
            // Said twice: the outcome must be told again.
            1 if !self.client_ids.is_empty() => {
                let (account, id) = self.random.pick(&self.client_ids);
                return PlaceOrder { client_order_id: id, ..self.plain(account) };
            }
            _ => self.client_id(),
        };
        remember(&mut self.random, &mut self.client_ids, (account, client_order_id));
        let mut order = PlaceOrder { client_order_id, ..self.plain(account) };
        match self.random.below(10) {
            0 => {
                let max_spend = self.random.one_in(2).then(|| Amount::new(1 << 40));
                let quantity = self.quantity();
                order.spec = OrderSpec::MarketByQuantity { quantity, max_spend };
            }
            1 => {
                let quote = Amount::new(u128::from(self.random.between(1, 1 << 30)));
                order.spec = OrderSpec::MarketByQuote { quote, max_spend: None };
            }
            2..5 => order.conditions = self.conditions(now).into(),
            _ => {}
        }
        order
    }

    fn plain(&mut self, account: AccountId) -> PlaceOrder {
        let time_in_force = match self.random.below(8) {
            0 => TimeInForce::Ioc,
            1 => TimeInForce::Fok,
            _ => TimeInForce::Gtc,
        };
        let post_only = time_in_force == TimeInForce::Gtc && self.random.one_in(8);
        let (price, quantity) = (self.price(), self.quantity());
        let market = self.market();
        PlaceOrder {
            account,
            market,
            version: self.version(market),
            client_order_id: ClientOrderId::NONE,
            side: if self.random.one_in(2) { Side::Buy } else { Side::Sell },
            spec: OrderSpec::Limit { price, quantity, time_in_force, post_only },
            conditions: BoxedConditions::NONE,
            self_trade_prevention: self.random.pick(&[
                SelfTradePrevention::None,
                SelfTradePrevention::ExpireTaker,
                SelfTradePrevention::ExpireMaker,
                SelfTradePrevention::ExpireBoth,
                SelfTradePrevention::Decrement,
            ]),
        }
    }

    fn conditions(&mut self, now: Timestamp) -> Conditions {
        let mut conditions = Conditions::NONE;
        let expires = Timestamp(now.0 + self.random.between(1, 20 * SECOND / 1_000));
        match self.random.below(5) {
            0 => conditions.expires_at = Some(expires),
            1 => conditions.visible = Some(Quantity::new(self.random.between(1, 4))),
            2 => conditions.minimum = Some(Quantity::new(self.random.between(1, 4))),
            3 => conditions.slide = true,
            _ => {
                conditions.trigger = Some(match self.random.below(3) {
                    0 => Trigger::Rises { to: self.price() },
                    1 => Trigger::Falls { to: self.price() },
                    _ => Trigger::Trails { basis_points: 5, activation: None },
                });
                conditions.expires_at = self.random.one_in(3).then_some(expires);
            }
        }
        conditions
    }

    fn known_order(&mut self) -> (AccountId, MarketId, OrderId) {
        if self.orders.is_empty() || self.random.one_in(20) {
            return (self.account(), self.market(), OrderId(self.random.below(50)));
        }
        self.random.pick(&self.orders)
    }

    fn cancel(&mut self) -> Request {
        let (account, market, order) = self.known_order();
        match self.random.below(10) {
            0 => Request::CancelAll { account, market },
            1..4 if !self.client_ids.is_empty() => {
                let (account, client_order_id) = self.random.pick(&self.client_ids);
                Request::CancelByClientId { account, client_order_id }
            }
            _ => Request::CancelOrder { account, market, order },
        }
    }

    fn amend(&mut self) -> Request {
        let (account, market, order) = self.known_order();
        let price = self.random.one_in(2).then(|| self.price());
        let quantity = self.random.one_in(2).then(|| self.quantity());
        let version = self.version(market);
        let keep_priority = self.random.one_in(4);
        Request::AmendOrder { account, market, version, order, price, quantity, keep_priority }
    }

    fn replace(&mut self, now: Timestamp) -> Request {
        let (account, market, cancel) = self.known_order();
        let version = self.version(market);
        let order = PlaceOrder { account, market, version, ..self.order(now) };
        let stop_on_failure = self.random.one_in(2);
        Request::ReplaceOrder(Box::new(ReplaceOrder { cancel, stop_on_failure, order }))
    }

    fn transfer(&mut self) -> Request {
        let (from, to) = (self.account(), self.account());
        let asset = self.random.pick(&[BASE, QUOTE]);
        let amount = Amount::new(u128::from(self.random.between(1, 1 << 40)));
        Request::Transfer { from, to, asset, amount, client_id: self.client_id() }
    }

    fn debit(&mut self) -> Request {
        if self.debits.is_empty() || self.random.one_in(2) {
            let (account, client_id) = (self.account(), self.client_id());
            remember(&mut self.random, &mut self.debits, (account, client_id));
            let amount = Amount::new(u128::from(self.random.between(1, 1 << 30)));
            return Request::ReserveDebit { account, asset: QUOTE, amount, client_id };
        }
        let (account, client_id) = self.random.pick(&self.debits);
        Request::ReleaseDebit { account, client_id }
    }

    /// The caller sees to it that a source's numbers come one after the other.
    fn treasury(&mut self) -> Request {
        let account = self.account();
        match self.random.below(3) {
            0 => self.credit(account, QUOTE, 1 << 30),
            1 => Request::Debit {
                reference: self.reference(),
                operator: types::OperatorName::NONE,
                account,
                asset: BASE,
                amount: Amount::new(1 << 20),
            },
            _ => {
                let known = self.debits.first().copied();
                let (account, client_id) = known.unwrap_or((account, ClientOrderId::NONE));
                Request::SettleDebit { reference: self.reference(), account, client_id }
            }
        }
    }

    fn credit(&mut self, account: AccountId, asset: AssetId, amount: u128) -> Request {
        let reference = self.reference();
        Request::Credit {
            reference,
            operator: types::OperatorName::NONE,
            account,
            asset,
            amount: Amount::new(amount),
        }
    }

    fn reference(&mut self) -> TreasuryReference {
        let number = self.next_reference;
        self.next_reference += 1;
        TreasuryReference { source: 1, number }
    }

    fn countdown(&mut self) -> Request {
        let after_ms = self.random.between(0, 30) as u32;
        Request::SetCountdown { account: self.account(), market: self.market(), after_ms }
    }

    fn operate(&mut self, now: Timestamp) -> Request {
        let (account, market) = (self.account(), self.market());
        // Trading goes on most of the time.
        let state = self.random.pick(&[
            MarketState::Continuous,
            MarketState::Continuous,
            MarketState::Continuous,
            MarketState::Continuous,
            MarketState::Auction,
            MarketState::PreOpen,
            MarketState::CancelOnly,
        ]);
        match self.random.below(8) {
            0..3 => Request::SetMarketState { market, state },
            3 => {
                let at = Timestamp(now.0 + self.random.between(1, SECOND / 20));
                Request::PlanMarketState { market, at, state: Some(MarketState::Continuous) }
            }
            4 => Request::SetMarketRules { market, rules: Box::new(self.rules()) },
            5 => Request::FreezeAccount { account, frozen: self.random.one_in(4) },
            6 => {
                let fee_tier = Some(self.random.below(2) as u8);
                Request::SetAccountFeeTier { account, fee_tier }
            }
            _ => Request::SetFeeTier { tier: 1, rates: rates(self.random.below(1_000), 2_000) },
        }
    }

    fn rules(&mut self) -> MarketRules {
        let distance = types::Distance { below: ppm(800), above: ppm(800) };
        MarketRules {
            interruption: self
                .random
                .one_in(2)
                .then_some(Interruption { distance, auction_seconds: 1 }),
            max_order_age_seconds: self.random.one_in(2).then_some(2),
            max_open_orders: self.random.one_in(4).then_some(20),
            ..MarketRules::default()
        }
    }
}

fn remember<T>(random: &mut Random, items: &mut Vec<T>, item: T) {
    if items.len() < REMEMBERED {
        items.push(item);
    } else {
        items[random.below(REMEMBERED as u64) as usize] = item;
    }
}

fn remember_last<T>(items: &mut VecDeque<T>, item: T) {
    items.push_back(item);
    if items.len() > REMEMBERED {
        items.pop_front();
    }
}

fn client_id(number: u64) -> ClientOrderId {
    format!("c{number}").parse().expect("short and printable")
}

fn ppm(parts: u64) -> PartsPerMillion {
    PartsPerMillion(parts as u32)
}

pub(crate) fn rates(maker: u64, taker: u64) -> FeeRates {
    FeeRates { maker: MakerRate(maker as i32), taker: ppm(taker) }
}

fn market(id: MarketId) -> MarketDef {
    MarketDef {
        id,
        symbol: format!("BTC-USDT{}", id.0),
        base: BASE,
        quote: QUOTE,
        tick: "0.01".parse().expect("a decimal"),
        lot: "0.0001".parse().expect("a decimal"),
        max_price: Price::new(100_000_000),
        max_quantity: Quantity::new(1_000_000_000),
        bounds: MarketBounds::default(),
        home: PartitionId(0),
        version: 1,
    }
}
