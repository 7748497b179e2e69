//! What is asked in a life: everything that a client and an operator can, near the market's price.

use types::{
    AccountId, Amount, ClientOrderId, Conditions, Decimal, Distance, FeeRates, Interruption,
    ListLeg, MakerRate, MarketRules, MarketState, OrderId, OrderSpec, PartsPerMillion, PlaceOrder,
    PlaceOrderList, Price, PriceBand, Quantity, Redefinition, Reopening, ReplaceOrder, Request,
    Side, TimeInForce, Trigger,
};

use super::{ACCOUNTS, Life, SECOND};
use crate::exchange::{BASE, FIRST_MARKET, PREVENTIONS, QUOTE};

/// Ticks and lots that a market goes through.
const UNITS: [(u64, u64); 6] = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 3), (3, 4)];

impl Life {
    fn version(&self) -> u32 {
        let t = &self.exchange.partitions[usize::from(self.exchange.topology.treasury.0)];
        t.definitions().market(FIRST_MARKET).unwrap().def.version
    }

    pub(super) fn market(&self) -> &engine::Market {
        let home = self.exchange.partitions[0].market_home(FIRST_MARKET).unwrap();
        self.exchange.partitions[usize::from(home.0)].market(FIRST_MARKET).unwrap()
    }

    fn last(&self) -> u64 {
        self.market().last_price().map_or(100, Price::get)
    }

    fn spec(&mut self, quantity: u64, price: u64, side: Side) -> OrderSpec {
        let quantity = Quantity::new(quantity);
        match self.random.below(12) {
            0 => OrderSpec::MarketByQuantity {
                quantity,
                max_spend: (side == Side::Buy && self.random.below(2) == 0)
                    .then(|| Amount::new(u128::from(quantity.get() * (price + 20) * 12))),
            },
            1 => OrderSpec::MarketByQuote {
                quote: Amount::new(u128::from(quantity.get() * price)),
                max_spend: (side == Side::Sell && self.random.below(2) == 0)
                    .then(|| Amount::new(u128::from(quantity.get()) * 5)),
            },
            n => OrderSpec::Limit {
                price: Price::new(price),
                quantity,
                time_in_force: match n {
                    2 => TimeInForce::Ioc,
                    3 => TimeInForce::Fok,
                    _ => TimeInForce::Gtc,
                },
                post_only: n == 4,
            },
        }
    }

    fn conditions(&mut self, spec: &OrderSpec, last: u64) -> Conditions {
        let mut c = Conditions::NONE;
        let gtc = matches!(spec, OrderSpec::Limit { time_in_force: TimeInForce::Gtc, .. });
        let post = matches!(spec, OrderSpec::Limit { post_only: true, .. });
        let quantity = spec.quantity().map_or(1, Quantity::get);
        if post {
            c.slide = self.random.below(2) == 0;
        } else if self.random.below(4) == 0 {
            c.trigger = Some(self.trigger(last));
        }
        if gtc && quantity > 1 && self.random.below(5) == 0 {
            c.visible = Some(Quantity::new(1 + self.random.below(quantity - 1)));
        }
        if gtc && !post && self.random.below(9) == 0 {
            c.minimum = Some(Quantity::new(1 + self.random.below(quantity)));
        }
        if (gtc || c.trigger.is_some()) && self.random.below(6) == 0 {
            c.expires_at =
                Some(self.exchange.now.saturating_add_nanos(1 + self.random.below(8 * SECOND)));
        }
        c
    }

    fn trigger(&mut self, last: u64) -> Trigger {
        match self.random.below(4) {
            0 => Trigger::Rises { to: Price::new(last + 1 + self.random.below(6)) },
            1 => Trigger::Falls {
                to: Price::new(last.saturating_sub(1 + self.random.below(6)).max(1)),
            },
            _ => Trigger::Trails {
                basis_points: 1 + self.random.below(900) as u16,
                activation: (self.random.below(2) == 0)
                    .then(|| Price::new((last + self.random.below(8)).saturating_sub(4).max(1))),
            },
        }
    }

    fn id(&mut self) -> ClientOrderId {
        match self.random.below(3) {
            0 => format!("c{}", self.random.below(60)).parse().unwrap(),
            _ => ClientOrderId::NONE,
        }
    }

    fn price(&mut self) -> u64 {
        let last = self.last();
        last.saturating_sub(6).max(1) + self.random.below(13)
    }

    fn quantity(&mut self) -> u64 {
        if self.random.below(3) == 0 { 12 } else { 1 + self.random.below(24) }
    }

    fn account(&mut self) -> AccountId {
        AccountId(1 + self.random.below(ACCOUNTS) as u32)
    }

    fn order(&mut self) -> PlaceOrder {
        let side = self.random.pick(&[Side::Buy, Side::Sell]);
        let (price, quantity, last) = (self.price(), self.quantity(), self.last());
        let spec = self.spec(quantity, price, side);
        let conditions = self.conditions(&spec, last);
        PlaceOrder {
            account: self.account(),
            market: FIRST_MARKET,
            version: self.version(),
            client_order_id: self.id(),
            side,
            spec,
            conditions: conditions.into(),
            self_trade_prevention: self.random.pick(&PREVENTIONS),
        }
    }

    fn leg(&mut self, side: Side, quantity: u64, trigger: Option<Trigger>, limit: bool) -> ListLeg {
        let price = self.price();
        let spec = if limit || self.random.below(2) == 0 {
            OrderSpec::Limit {
                price: Price::new(price),
                quantity: Quantity::new(quantity),
                time_in_force: TimeInForce::Gtc,
                post_only: false,
            }
        } else {
            OrderSpec::MarketByQuantity {
                quantity: Quantity::new(quantity),
                max_spend: (side == Side::Buy)
                    .then(|| Amount::new(u128::from(quantity * (price + 20) * 12))),
            }
        };
        let mut conditions = Conditions { trigger, ..Conditions::NONE };
        if self.random.below(5) == 0 && matches!(spec, OrderSpec::Limit { .. }) && quantity > 1 {
            conditions.visible = Some(Quantity::new(1 + self.random.below(quantity - 1)));
        }
        if self.random.below(6) == 0 {
            conditions.expires_at =
                Some(self.exchange.now.saturating_add_nanos(1 + self.random.below(8 * SECOND)));
        }
        if trigger.is_none() && !matches!(spec, OrderSpec::Limit { .. }) {
            conditions.expires_at = None;
        }
        ListLeg { client_order_id: self.id(), side, spec, conditions }
    }

    fn pair(&mut self) -> Vec<ListLeg> {
        let side = self.random.pick(&[Side::Buy, Side::Sell]);
        let (quantity, last) = (self.quantity(), self.last());
        let above = last + 1 + self.random.below(6);
        let below = last.saturating_sub(1 + self.random.below(6)).max(1);
        let (rises, falls) =
            (Trigger::Rises { to: Price::new(above) }, Trigger::Falls { to: Price::new(below) });
        let (profit, mut protect) =
            if side == Side::Sell { (rises, falls) } else { (falls, rises) };
        if self.random.below(4) == 0 {
            protect = Trigger::Trails {
                basis_points: 100 + self.random.below(500) as u16,
                activation: None,
            };
        }
        let first = if self.random.below(3) == 0 {
            self.leg(side, quantity, Some(profit), false)
        } else {
            let mut leg = self.leg(side, quantity, None, true);
            if let OrderSpec::Limit { price, .. } = &mut leg.spec {
                *price = Price::new(if side == Side::Sell { above } else { below });
            }
            leg
        };
        vec![first, self.leg(side, quantity, Some(protect), false)]
    }

    fn list(&mut self) -> PlaceOrderList {
        let (legs, pending) = match self.random.below(3) {
            0 => (self.pair(), vec![]),
            n => {
                let side = self.random.pick(&[Side::Buy, Side::Sell]);
                let quantity = self.quantity();
                let mut working = self.leg(side, quantity, None, true);
                if self.random.below(6) == 0
                    && let OrderSpec::Limit { time_in_force, .. } = &mut working.spec
                {
                    *time_in_force = TimeInForce::Ioc;
                    working.conditions = Conditions::NONE;
                }
                let pending = if n == 1 {
                    let last = self.last();
                    let trigger = (self.random.below(2) == 0).then(|| self.trigger(last));
                    let side = self.random.pick(&[Side::Buy, Side::Sell]);
                    let quantity = self.quantity();
                    vec![self.leg(side, quantity, trigger, false)]
                } else {
                    self.pair()
                };
                (vec![working], pending)
            }
        };
        PlaceOrderList {
            account: self.account(),
            market: FIRST_MARKET,
            version: self.version(),
            client_order_id: self.id(),
            self_trade_prevention: self.random.pick(&PREVENTIONS),
            legs,
            pending,
        }
    }

    fn open_id(&mut self) -> (AccountId, OrderId) {
        let mut ids: Vec<(AccountId, OrderId)> = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            ids.extend(self.market().book().orders(side).map(|o| (o.account, o.id)));
        }
        ids.extend(self.market().waiting().map(|o| (o.admit.account, o.id)));
        if ids.is_empty() || self.random.below(12) == 0 {
            let id = OrderId(self.random.below(300));
            return (self.account(), id);
        }
        self.random.pick(&ids)
    }

    pub(super) fn request(&mut self) -> Request {
        let market = FIRST_MARKET;
        match self.random.below(60) {
            0..24 => Request::PlaceOrder(self.order()),
            24..34 => Request::PlaceOrderList(Box::new(self.list())),
            34..37 => {
                let (account, order) = self.open_id();
                Request::CancelOrder { account, market, order }
            }
            37 => {
                let lists: Vec<_> = self.market().lists().map(|(id, l)| (l.account, id)).collect();
                let (account, list) = if lists.is_empty() {
                    (AccountId(1), OrderId(1))
                } else {
                    self.random.pick(&lists)
                };
                Request::CancelOrderList { account, market, list }
            }
            38 => Request::CancelAll { account: self.account(), market },
            39 => Request::CancelByClientId {
                account: self.account(),
                client_order_id: format!("c{}", self.random.below(60)).parse().unwrap(),
            },
            40..46 => {
                let (account, order) = self.open_id();
                Request::AmendOrder {
                    account,
                    market,
                    version: self.version(),
                    order,
                    price: (self.random.below(3) > 0).then(|| Price::new(self.price())),
                    quantity: (self.random.below(3) > 0).then(|| Quantity::new(self.quantity())),
                    keep_priority: self.random.below(4) == 0,
                }
            }
            46..48 => {
                let (account, cancel) = self.open_id();
                let order = PlaceOrder { account, ..self.order() };
                let stop_on_failure = self.random.below(2) == 0;
                Request::ReplaceOrder(Box::new(ReplaceOrder { cancel, stop_on_failure, order }))
            }
            48 => Request::SetCountdown {
                account: self.account(),
                market,
                after_ms: self.random.below(5_000) as u32,
            },
            49..52 => Request::SetMarketState {
                market,
                state: self.random.pick(&[
                    MarketState::Continuous,
                    MarketState::Continuous,
                    MarketState::Continuous,
                    MarketState::Auction,
                    MarketState::Halted,
                    MarketState::CancelOnly,
                ]),
            },
            52 => Request::PlanMarketState {
                market,
                at: self.exchange.now.saturating_add_nanos(1 + self.random.below(6 * SECOND)),
                state: Some(self.random.pick(&[MarketState::Continuous, MarketState::Auction])),
            },
            53..55 => {
                let (tick, lot) = self.random.pick(&UNITS);
                let at = self.exchange.now.saturating_add_nanos(1 + self.random.below(3 * SECOND));
                let redefinition = Redefinition {
                    tick: Decimal::new(tick, 0),
                    lot: Decimal::new(lot, 0),
                    max_price: Price::new(100_000),
                    max_quantity: Quantity::new(100_000),
                    bounds: None,
                };
                Request::PlanRedefinition { market, at, redefinition: Some(Box::new(redefinition)) }
            }
            55 => Request::Transfer {
                from: self.account(),
                to: self.account(),
                asset: self.random.pick(&[BASE, QUOTE]),
                amount: Amount::new(u128::from(self.random.below(50))),
                client_id: ClientOrderId::NONE,
            },
            56 => {
                let mut rules = MarketRules::default();
                if self.random.below(2) == 0 {
                    rules.interruption = Some(Interruption {
                        distance: Distance {
                            below: PartsPerMillion(40_000),
                            above: PartsPerMillion(40_000),
                        },
                        auction_seconds: 1,
                    });
                }
                if self.random.below(2) == 0 {
                    rules.reopening =
                        Some(Reopening { cancel_only_seconds: 1, auction_seconds: 1 });
                }
                if self.random.below(2) == 0 {
                    rules.max_order_age_seconds = Some(4);
                }
                if self.random.below(3) == 0 {
                    let d =
                        Distance { below: PartsPerMillion(40_000), above: PartsPerMillion(40_000) };
                    rules.price_band = Some(PriceBand { window_minutes: 1, buy: d, sell: d });
                }
                Request::SetMarketRules { market, rules: Box::new(rules) }
            }
            57 => Request::SetFeeTier {
                tier: 0,
                rates: FeeRates {
                    maker: MakerRate(self.random.below(400_000) as i32 - 200_000),
                    taker: PartsPerMillion(self.random.below(300_000) as u32),
                },
            },
            58 => Request::SetAccountFeeTier { account: self.account(), fee_tier: None },
            _ => Request::FreezeAccount {
                account: self.account(),
                frozen: self.random.below(3) == 0,
            },
        }
    }
}
