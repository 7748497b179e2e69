//! The operator's rules of a market (11), and volatility interruptions (7.4).

use types::{
    AccountId, AssetId, CancelCause, Distance, Event, MarketState, OrderSpec, PlaceOrder, Price,
    Range, RejectCode, ReplyTo, Side, TimeInForce, Trigger,
};

use super::market::{Market, Step};
use super::order::Order;
use super::{Exchange, Place};

const MILLION: u128 = 1_000_000;
const MINUTE: u64 = 60_000_000_000;

impl Exchange {
    /// Rules about all that an account has and wants (11.5, 11.6), with the definition's own bound, for an
    /// order or a pair (12.5).
    pub(super) fn check_account_rules(
        &self,
        market: &Market,
        orders: &[PlaceOrder],
    ) -> Result<(), RejectCode> {
        let first = &orders[0];
        let rules = &market.rules;
        let own = || market.open().filter(|open| open.account == first.account.0);
        let most = rules.max_open_orders.unwrap_or(u32::MAX);
        // A filled order that others wait for counts until they come (12.8).
        let filled = market.filled_lists.iter().filter(|list| list.account == first.account.0);
        let coming = || self.coming_orders(first.account, market.def.id);
        let open = own().count() + filled.count() + coming().flatten().count();
        if open + orders.len() > most.min(market.def.bounds.max_orders_per_account) as usize {
            return Err(RejectCode::TooManyOpenOrders);
        }
        let coming_to_wait = coming().flatten().filter(|leg| leg.conditions.trigger.is_some());
        let waiting = own().filter(|open| open.conditions.trigger.is_some()).count();
        let waiting = waiting + coming_to_wait.count();
        let to_wait = orders.iter().filter(|order| order.conditions.trigger.is_some()).count();
        if to_wait > 0
            && rules.max_waiting_orders.is_some_and(|most| waiting + to_wait > most as usize)
        {
            return Err(RejectCode::TooManyWaitingOrders);
        }
        if first.side == Side::Buy {
            let this = first.spec.quantity().map_or(0, |lots| lots.get());
            self.check_position(market, first.account, this)?;
        }
        Ok(())
    }

    /// Whether an account may want so many lots more (11.6).
    pub(super) fn check_position(
        &self,
        market: &Market,
        account: AccountId,
        more: u64,
    ) -> Result<(), RejectCode> {
        let Some(most) = market.rules.max_position else { return Ok(()) };
        let own = market.open().filter(|open| open.account == account.0);
        let wanted = own.filter(|open| open.side == Side::Buy);
        let wanted: u128 = wanted.map(|open| u128::from(market.lots_to_buy(open))).sum();
        let coming = self.coming_orders(account, market.def.id);
        let coming = coming.filter(|legs| legs[0].side == Side::Buy);
        let limits = |leg: &PlaceOrder| matches!(leg.spec, OrderSpec::Limit { .. });
        let coming = coming.filter(|legs| legs.iter().any(limits));
        let coming = coming.filter_map(|legs| legs[0].spec.quantity());
        let wanted = wanted + coming.map(|lots| u128::from(lots.get())).sum::<u128>();
        let has = self.has(account.0, market.def.base);
        if has + (wanted + u128::from(more)) * market.base_unit > most.get() {
            return Err(RejectCode::PositionLimit);
        }
        Ok(())
    }

    fn has(&self, account: u32, asset: AssetId) -> u128 {
        let places = [Place::Available(account), Place::Held(account)];
        places.into_iter().map(|place| self.funds.of(place, asset).cast_unsigned()).sum()
    }
}

impl Market {
    /// Lots, worth and parts of an order, an amended one with its new total (11.1, 11.2, 11.4).
    pub fn check_rules(&self, order: &Order) -> Result<(), RejectCode> {
        let total = order.remaining + order.filled;
        let lots = match order.spec {
            OrderSpec::Limit { .. } => Some(self.rules.limit_quantity),
            OrderSpec::MarketByQuantity { .. } => Some(self.rules.market_quantity),
            OrderSpec::MarketByQuote { .. } => None,
        };
        if let Some(range) = lots {
            let range = Range {
                least: range.least.map(|lots| u128::from(lots.get())),
                most: range.most.map(|lots| u128::from(lots.get())),
            };
            let codes = [RejectCode::QuantityBelowMinimum, RejectCode::QuantityAboveMaximum];
            check_range(range, total.into(), codes)?;
        }
        let worth = match (order.spec, order.conditions.trigger) {
            (OrderSpec::Limit { .. }, _) => Some(self.notional(order.price, total)),
            (OrderSpec::MarketByQuote { .. }, _) => Some(order.quote_left),
            (_, Some(Trigger::Rises { to } | Trigger::Falls { to })) => {
                Some(self.notional(to.get(), total))
            }
            (_, _) => self.last_price.map(|last| self.notional(last, total)),
        };
        if let Some(worth) = worth {
            let Range { least, most } = self.rules.notional;
            let range = Range { least: least.map(|a| a.get()), most: most.map(|a| a.get()) };
            let codes = [RejectCode::NotionalBelowMinimum, RejectCode::NotionalAboveMaximum];
            check_range(range, worth, codes)?;
        }
        match (order.conditions.visible, self.rules.max_iceberg_parts) {
            (Some(visible), Some(most)) if total.div_ceil(visible.get()) > most.into() => {
                Err(RejectCode::TooManyIcebergParts)
            }
            _ => Ok(()),
        }
    }

    /// Whether a limit price is in its band (11.3).
    pub fn check_band(&self, order: &Order) -> Result<(), RejectCode> {
        let Some(band) = self.rules.price_band.filter(|_| order.is_limit()) else { return Ok(()) };
        let now = self.now.0 / MINUTE;
        let window = u64::from(band.window_minutes);
        let recent = || self.minutes.iter().filter(|trade| trade.0 + window > now);
        let lots: u128 = recent().map(|trade| u128::from(trade.2)).sum();
        let worth: u128 = recent().map(|trade| u128::from(trade.1) * u128::from(trade.2)).sum();
        let average = worth.checked_div(lots).or(self.last_price.map(u128::from));
        let distance = match order.side {
            Side::Buy => band.buy,
            Side::Sell => band.sell,
        };
        match average {
            Some(average) if !is_near(distance, average, order.price) => {
                Err(RejectCode::PriceOutOfBand)
            }
            _ => Ok(()),
        }
    }

    /// Keeps a trade for the band, if there is one.
    pub fn note_minute(&mut self, price: u64, lots: u64) {
        if let Some(band) = self.rules.price_band {
            let minute = self.now.0 / MINUTE;
            self.minutes.push((minute, price, lots));
            self.minutes.retain(|trade| trade.0 + u64::from(band.window_minutes) > minute);
        }
    }

    /// Without a band nothing is kept.
    pub fn forget_minutes(&mut self) {
        if self.rules.price_band.is_none() {
            self.minutes.clear();
        }
    }

    /// An order that may stay gets a date (11.8).
    pub fn age(&self, order: &mut Order) {
        let stays =
            order.conditions.trigger.is_some() || order.time_in_force() == Some(TimeInForce::Gtc);
        if let Some(seconds) = self.rules.max_order_age_seconds
            && stays
            && order.conditions.expires_at.is_none()
        {
            order.conditions.expires_at = Some(self.in_seconds(seconds));
        }
    }

    /// Whether a trade at `price` is too far from the last price before its order came (11.7).
    pub fn would_interrupt(&self, reference: Option<u64>, price: u64) -> bool {
        match (self.rules.interruption, reference) {
            (Some(rule), Some(last)) => !is_near(rule.distance, last.into(), price),
            _ => false,
        }
    }

    /// An auction comes instead of a trade; what is left of the order takes part in it or ends (7.4).
    pub fn interrupt(&mut self, order: Order, last: Option<u64>, price: u64) {
        let seconds = self.rules.interruption.expect("it interrupts").auction_seconds;
        let until = self.in_seconds(seconds);
        self.way = Some(Step { at: until, auction_seconds: None });
        self.events.push(Event::TradingInterrupted {
            market: self.def.id,
            last: Price::new(last.expect("it interrupts")),
            would_trade: Price::new(price),
            until,
        });
        self.change_state(ReplyTo::NOBODY, MarketState::Auction);
        if order.time_in_force() != Some(TimeInForce::Gtc) {
            self.cancelled(&order, ReplyTo::NOBODY, CancelCause::Interruption);
        } else if self.room(&order).is_ok() {
            self.rest(order);
        } else {
            self.cancelled(&order, ReplyTo::NOBODY, CancelCause::BookFull);
        }
    }
}

fn check_range(range: Range<u128>, value: u128, codes: [RejectCode; 2]) -> Result<(), RejectCode> {
    if range.least.is_some_and(|least| value < least) {
        return Err(codes[0]);
    }
    if range.most.is_some_and(|most| value > most) { Err(codes[1]) } else { Ok(()) }
}

fn is_near(distance: Distance, from: u128, price: u64) -> bool {
    let price = u128::from(price) * MILLION;
    let below = u128::from(distance.below.0);
    price + from * below >= from * MILLION
        && price <= from * (MILLION + u128::from(distance.above.0))
}
