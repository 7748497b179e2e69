//! From parameters to an order in the units of its market. Legs of lists have the same parameters with a
//! word before them: `price` of the leg above is `abovePrice`.

use types::{
    ClientOrderId, Conditions, Decimal, DecimalError, MAX_TRAILING_BASIS_POINTS, OrderSpec,
    PlaceOrder, Price, Quantity, SelfTradePrevention, Side, TimeInForce, Trigger,
};
use views::MarketInfo;

use super::show::PREVENTION;
use crate::binance::error::Error;
use crate::binance::params::Params;

/// Type of an order, as it is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::binance) enum OrderType {
    Limit,
    LimitMaker,
    Market,
    StopLoss,
    StopLossLimit,
    TakeProfit,
    TakeProfitLimit,
}

/// Every type by its name.
pub(in crate::binance) const TYPES: [(&str, OrderType); 7] = [
    ("LIMIT", OrderType::Limit),
    ("LIMIT_MAKER", OrderType::LimitMaker),
    ("MARKET", OrderType::Market),
    ("STOP_LOSS", OrderType::StopLoss),
    ("STOP_LOSS_LIMIT", OrderType::StopLossLimit),
    ("TAKE_PROFIT", OrderType::TakeProfit),
    ("TAKE_PROFIT_LIMIT", OrderType::TakeProfitLimit),
];

impl OrderType {
    /// Whether it has a limit price.
    pub(in crate::binance) fn has_price(self) -> bool {
        !matches!(self, Self::Market | Self::StopLoss | Self::TakeProfit)
    }

    /// Whether it waits for a price.
    pub(in crate::binance) fn waits(self) -> bool {
        self.is_stop() || matches!(self, Self::TakeProfit | Self::TakeProfitLimit)
    }

    /// Whether it waits for a worse price.
    pub(in crate::binance) fn is_stop(self) -> bool {
        matches!(self, Self::StopLoss | Self::StopLossLimit)
    }
}

/// `BUY` or `SELL` of a parameter.
///
/// # Errors
/// -1102 or -1117.
pub(in crate::binance) fn side(params: &Params, name: &str) -> Result<Side, Error> {
    params.required(name)?;
    let words = [("BUY", Side::Buy), ("SELL", Side::Sell)];
    let found = params.word(name, &words, || Error::new(-1117, "Invalid side."))?;
    found.ok_or_else(|| Error::mandatory(name))
}

/// The type that a parameter names.
///
/// # Errors
/// -1102 or -1116.
pub(in crate::binance) fn order_type(params: &Params, name: &str) -> Result<OrderType, Error> {
    params.required(name)?;
    let found = params.word(name, &TYPES, || Error::new(-1116, "Invalid orderType."))?;
    found.ok_or_else(|| Error::mandatory(name))
}

/// The mode of `selfTradePreventionMode`; none unless given.
///
/// # Errors
/// -1130.
pub(in crate::binance) fn prevention(params: &Params) -> Result<SelfTradePrevention, Error> {
    let name = "selfTradePreventionMode";
    let found = params.word(name, &PREVENTION, || Error::invalid_data(name))?;
    Ok(found.unwrap_or_default())
}

/// An order by itself, or a leg of a list.
pub(in crate::binance) struct Leg<'a> {
    /// The request.
    pub(in crate::binance) params: &'a Params,
    /// What its parameters begin with; nothing for an order by itself.
    pub(in crate::binance) prefix: &'static str,
    /// The name of its quantity.
    pub(in crate::binance) quantity: &'static str,
    /// Where.
    pub(in crate::binance) market: &'a MarketInfo,
    /// Buy or sell.
    pub(in crate::binance) side: Side,
    /// What it is.
    pub(in crate::binance) order_type: OrderType,
}

/// What a leg's parameters say.
#[derive(Clone, Debug)]
pub(in crate::binance) struct ReadOrder {
    /// Its name, or none.
    pub(in crate::binance) client_order_id: ClientOrderId,
    /// Kind, price and quantity.
    pub(in crate::binance) spec: OrderSpec,
    /// What it waits for and shows.
    pub(in crate::binance) conditions: Conditions,
}

impl Leg<'_> {
    /// Reads it.
    ///
    /// # Errors
    /// -1102 for what is missing, -1106 for what does not belong to its type, -1100 and -1111 for what is
    /// no number, -1115, -1013 for what its market does not take, -2010.
    pub(in crate::binance) fn read(&self) -> Result<ReadOrder, Error> {
        self.refuse_pegs()?;
        self.check_strategy()?;
        let spec = match self.order_type {
            OrderType::Market => self.at_market()?,
            OrderType::StopLoss | OrderType::TakeProfit => {
                self.refuse(&["price", "timeInForce", "quoteOrderQty", "icebergQty"])?;
                let quantity = quantity_of(self.params, self.market, self.quantity)?;
                OrderSpec::MarketByQuantity { quantity, max_spend: None }
            }
            _ => self.with_price()?,
        };
        let conditions = Conditions {
            trigger: self.trigger()?,
            visible: self.visible(&spec)?,
            ..Conditions::NONE
        };
        Ok(ReadOrder { client_order_id: self.client_order_id()?, spec, conditions })
    }

    /// The name of one of its parameters.
    fn name(&self, plain: &str) -> String {
        if self.prefix.is_empty() {
            return plain.to_owned();
        }
        let (first, rest) = plain.split_at(1);
        format!("{}{}{rest}", self.prefix, first.to_ascii_uppercase())
    }

    fn has(&self, plain: &str) -> bool {
        self.params.has(&self.name(plain))
    }

    fn refuse(&self, plain: &[&str]) -> Result<(), Error> {
        match plain.iter().find(|name| self.has(name)) {
            Some(name) => Err(Error::not_required(&self.name(name))),
            None => Ok(()),
        }
    }

    fn refuse_pegs(&self) -> Result<(), Error> {
        let pegs = ["pegPriceType", "pegOffsetType", "pegOffsetValue"];
        if pegs.iter().any(|name| self.has(name)) {
            return Err(Error::new(-1013, "Pegged orders are not supported for this symbol."));
        }
        Ok(())
    }

    /// Checked, and then ignored: the engine keeps no names of strategies.
    fn check_strategy(&self) -> Result<(), Error> {
        const LEAST: u64 = 1_000_000;
        self.params.int::<u64>(&self.name("strategyId"))?;
        let kind = self.params.int::<u64>(&self.name("strategyType"))?;
        if kind.is_some_and(|kind| kind < LEAST) {
            return Err(Error::new(-1134, "strategyType was less than 1000000."));
        }
        Ok(())
    }

    fn at_market(&self) -> Result<OrderSpec, Error> {
        self.refuse(&["price", "timeInForce", "stopPrice", "trailingDelta", "icebergQty"])?;
        match (self.params.has(self.quantity), self.params.has("quoteOrderQty")) {
            (false, false) => Err(Error::one_of(self.quantity, "quoteOrderQty")),
            (true, true) => Err(Error::not_required("quoteOrderQty")),
            (true, false) => {
                let quantity = quantity_of(self.params, self.market, self.quantity)?;
                Ok(OrderSpec::MarketByQuantity { quantity, max_spend: None })
            }
            (false, true) => {
                let text = decimal(self.params, "quoteOrderQty")?;
                let atom = Decimal::atom(self.market.quote.scale);
                let quote = atom.count(text).map_err(|_| Error::too_precise("quoteOrderQty"))?;
                if quote == 0 {
                    return Err(Error::filter("LOT_SIZE"));
                }
                Ok(OrderSpec::MarketByQuote { quote: types::Amount::new(quote), max_spend: None })
            }
        }
    }

    fn with_price(&self) -> Result<OrderSpec, Error> {
        self.refuse(&["quoteOrderQty"])?;
        if !self.order_type.waits() {
            self.refuse(&["stopPrice", "trailingDelta"])?;
        }
        let post_only = self.order_type == OrderType::LimitMaker;
        let time_in_force = if post_only {
            self.refuse(&["timeInForce"])?;
            TimeInForce::Gtc
        } else {
            time_in_force(self.params, &self.name("timeInForce"))?
        };
        Ok(OrderSpec::Limit {
            quantity: quantity_of(self.params, self.market, self.quantity)?,
            price: self.price("price")?,
            time_in_force,
            post_only,
        })
    }

    fn price(&self, plain: &str) -> Result<Price, Error> {
        price_of(self.params, self.market, &self.name(plain))
    }

    fn trigger(&self) -> Result<Option<Trigger>, Error> {
        if !self.order_type.waits() {
            return Ok(None);
        }
        let (stop, delta) = ("stopPrice", "trailingDelta");
        let (has_stop, has_delta) = (self.has(stop), self.has(delta));
        if !has_stop && !has_delta {
            return Err(Error::one_of(&self.name(stop), &self.name(delta)));
        }
        if !has_delta {
            let to = self.price(stop)?;
            let rises = self.order_type.is_stop() == (self.side == Side::Buy);
            return Ok(Some(if rises { Trigger::Rises { to } } else { Trigger::Falls { to } }));
        }
        self.trail(has_stop.then(|| self.price(stop)).transpose()?).map(Some)
    }

    /// The engine's trailing orders begin to trail when the price has become better: with a price to begin
    /// at they take profit, without one they stop a loss. At the market a buyer's has no cost that could
    /// be held.
    fn trail(&self, activation: Option<Price>) -> Result<Trigger, Error> {
        let unsupported = |what: &str| {
            Err(Error::new(-1013, format!("{what} orders are not supported for this symbol.")))
        };
        if self.order_type.is_stop() && activation.is_some() {
            return unsupported("STOP_LOSS trailing with stopPrice");
        }
        if !self.order_type.is_stop() && activation.is_none() {
            return unsupported("TAKE_PROFIT trailing without stopPrice");
        }
        if !self.order_type.has_price() && self.side == Side::Buy {
            return unsupported("Trailing market buy");
        }
        let name = self.name("trailingDelta");
        let delta = self.params.int::<u64>(&name)?.ok_or_else(|| Error::mandatory(&name))?;
        match u16::try_from(delta) {
            Ok(basis_points) if (1..=MAX_TRAILING_BASIS_POINTS).contains(&basis_points) => {
                Ok(Trigger::Trails { basis_points, activation })
            }
            _ => Err(Error::filter("TRAILING_DELTA")),
        }
    }

    fn visible(&self, spec: &OrderSpec) -> Result<Option<Quantity>, Error> {
        let name = self.name("icebergQty");
        let Some(text) = self.params.decimal(&name)? else {
            return Ok(None);
        };
        let visible = Quantity::new(count(self.market.def.lot, text, "LOT_SIZE")?);
        if visible.is_zero() {
            return Ok(None);
        }
        if !spec.may_rest() {
            return Err(Error::not_required(&name));
        }
        if visible >= spec.quantity().unwrap_or_default() {
            return Err(Error::rejected("IcebergQty exceeds QTY."));
        }
        Ok(Some(visible))
    }

    fn client_order_id(&self) -> Result<ClientOrderId, Error> {
        let name = if self.prefix.is_empty() {
            "newClientOrderId".to_owned()
        } else {
            self.name("clientOrderId")
        };
        client_order_id(self.params, &name)
    }
}

/// The client's id that a parameter states, or none.
///
/// # Errors
/// -1100 or -1105.
pub(in crate::binance) fn client_order_id(
    params: &Params,
    name: &str,
) -> Result<ClientOrderId, Error> {
    let Some(text) = params.text(name)? else {
        return Ok(ClientOrderId::NONE);
    };
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let illegal = || Error::illegal_characters(name, "^[a-zA-Z0-9-_]{1,36}$");
    if !text.bytes().all(legal) {
        return Err(illegal());
    }
    text.parse().map_err(|_| illegal())
}

/// How long an order may live.
///
/// # Errors
/// -1102 or -1115.
pub(in crate::binance) fn time_in_force(params: &Params, name: &str) -> Result<TimeInForce, Error> {
    const WORDS: [(&str, TimeInForce); 3] =
        [("GTC", TimeInForce::Gtc), ("IOC", TimeInForce::Ioc), ("FOK", TimeInForce::Fok)];
    params.required(name)?;
    let found = params.word(name, &WORDS, || Error::new(-1115, "Invalid timeInForce."))?;
    found.ok_or_else(|| Error::mandatory(name))
}

/// A quantity above zero, in lots.
///
/// # Errors
/// -1102, -1100, -1111 or -1013.
pub(in crate::binance) fn quantity_of(
    params: &Params,
    market: &MarketInfo,
    name: &str,
) -> Result<Quantity, Error> {
    let lots = count(market.def.lot, decimal(params, name)?, "LOT_SIZE")?;
    if lots == 0 { Err(Error::filter("LOT_SIZE")) } else { Ok(Quantity::new(lots)) }
}

/// A price within the market's range, in ticks.
///
/// # Errors
/// -1102, -1100, -1111 or -1013.
pub(in crate::binance) fn price_of(
    params: &Params,
    market: &MarketInfo,
    name: &str,
) -> Result<Price, Error> {
    let text = decimal(params, name)?;
    let price = Price::new(count(market.def.tick, text, "PRICE_FILTER")?);
    if price.is_zero() || price > market.def.max_price {
        return Err(Error::filter("PRICE_FILTER"));
    }
    Ok(price)
}

fn decimal<'a>(params: &'a Params, name: &str) -> Result<&'a str, Error> {
    params.required(name)?;
    params.decimal(name)?.ok_or_else(|| Error::mandatory(name))
}

fn count(unit: Decimal, text: &str, filter: &str) -> Result<u64, Error> {
    unit.count_u64(text).map_err(|error| match error {
        DecimalError::NotAMultiple | DecimalError::TooLarge => Error::filter(filter),
        DecimalError::Malformed => Error::illegal_characters("number", r"^[0-9]+(\.[0-9]+)?$"),
    })
}

/// The rules of its market that an order can be held against before the engine does: what it names in its
/// refusal is the filter.
///
/// # Errors
/// -1013.
pub(in crate::binance) fn check_filters(
    market: &MarketInfo,
    spec: &OrderSpec,
) -> Result<(), Error> {
    let rules = &market.trading.rules;
    let (range, filter) = match spec {
        OrderSpec::Limit { .. } => (rules.limit_quantity, "LOT_SIZE"),
        _ => (rules.market_quantity, "MARKET_LOT_SIZE"),
    };
    if let Some(quantity) = spec.quantity() {
        if quantity > market.def.max_quantity {
            return Err(Error::filter("LOT_SIZE"));
        }
        if range.is_below(quantity) || range.is_above(quantity) {
            return Err(Error::filter(filter));
        }
    }
    let worth = match *spec {
        OrderSpec::Limit { price, quantity, .. } => market.scaling.notional(price, quantity),
        OrderSpec::MarketByQuote { quote, .. } => quote,
        OrderSpec::MarketByQuantity { .. } => return Ok(()),
    };
    if rules.notional.is_below(worth) || rules.notional.is_above(worth) {
        return Err(Error::filter("NOTIONAL"));
    }
    Ok(())
}

/// An order by itself.
///
/// # Errors
/// As [`Leg::read`].
pub(in crate::binance) fn order(
    params: &Params,
    market: &MarketInfo,
    account: types::AccountId,
) -> Result<PlaceOrder, Error> {
    let side = side(params, "side")?;
    let order_type = order_type(params, "type")?;
    let leg = Leg { params, prefix: "", quantity: "quantity", market, side, order_type };
    let read = leg.read()?;
    check_filters(market, &read.spec)?;
    Ok(PlaceOrder {
        account,
        market: market.def.id,
        version: market.def.version,
        client_order_id: read.client_order_id,
        side,
        spec: read.spec,
        conditions: read.conditions.into(),
        self_trade_prevention: prevention(params)?,
    })
}
