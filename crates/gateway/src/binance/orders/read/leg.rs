//! An order by itself or a leg of a list. Legs have the same parameters as orders, with a word before them:
//! `price` of the leg above is `abovePrice`.

use types::{
    Amount, ClientOrderId, Conditions, Decimal, MAX_TRAILING_BASIS_POINTS, OrderSpec, Price,
    Quantity, Side, TimeInForce, Trigger,
};
use views::MarketInfo;

use super::amounts::{count, decimal, price_of, quantity_of};
use super::words::{OrderType, client_order_id, time_in_force};
use crate::binance::error::Error;
use crate::binance::params::Params;

/// An order by itself, or a leg of a list.
pub(in crate::binance::orders) struct Leg<'a> {
    /// The request.
    pub(in crate::binance::orders) params: &'a Params,
    /// What its parameters begin with; nothing for an order by itself.
    pub(in crate::binance::orders) prefix: &'static str,
    /// The name of its quantity.
    pub(in crate::binance::orders) quantity: &'static str,
    /// Where.
    pub(in crate::binance::orders) market: &'a MarketInfo,
    /// Buy or sell.
    pub(in crate::binance::orders) side: Side,
    /// What it is.
    pub(in crate::binance::orders) order_type: OrderType,
}

/// What a leg's parameters say.
#[derive(Clone, Debug)]
pub(in crate::binance::orders) struct ReadOrder {
    /// Its name, or none.
    pub(in crate::binance::orders) client_order_id: ClientOrderId,
    /// Kind, price and quantity.
    pub(in crate::binance::orders) spec: OrderSpec,
    /// What it waits for and shows.
    pub(in crate::binance::orders) conditions: Conditions,
}

impl Leg<'_> {
    /// Reads it.
    ///
    /// # Errors
    /// -1102 for what is missing, -1106 for what does not belong to its type, -1100 and -1111 for what is
    /// no number, -1115, -1013 for what its market does not take, -2010.
    pub(in crate::binance::orders) fn read(&self) -> Result<ReadOrder, Error> {
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
                Ok(OrderSpec::MarketByQuote { quote: Amount::new(quote), max_spend: None })
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
