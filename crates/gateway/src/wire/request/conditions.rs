//! What makes an order more than a plain one: from its fields to [`Conditions`].
//!
//! A field that does not go with the others is refused here by its name, before the exchange would
//! refuse the combination as a whole.

use types::{
    Conditions, MAX_TRAILING_BASIS_POINTS, OrderSpec, Price, Quantity, RejectCode, Timestamp,
    Trigger,
};
use views::MarketInfo;

use super::orders::PlaceOrderBody;
use super::{from_millis, price, quantity};
use crate::error::ApiError;
use crate::wire::word::{OrderType, Side, TimeInForce, TriggerType};

impl PlaceOrderBody {
    /// The conditions of this order, whose price and quantities are `spec`.
    pub(super) fn conditions(
        &self,
        market: &MarketInfo,
        spec: &OrderSpec,
    ) -> Result<Conditions, ApiError> {
        let trigger = self.trigger(market)?;
        let conditions = Conditions {
            trigger,
            expires_at: self.date()?,
            visible: self.visible(market, spec)?,
            minimum: self.minimum(market, spec)?,
            slide: self.slide,
        };
        if self.slide && !self.post_only {
            return Err(stray("slide", "only with post_only"));
        }
        self.check_max_spend(trigger, spec)?;
        Ok(conditions)
    }

    fn trigger(&self, market: &MarketInfo) -> Result<Option<Trigger>, ApiError> {
        let kind = self.order_type.trigger();
        let trails = kind == Some(TriggerType::TrailingStop);
        if !trails {
            let only = "only for trailing_stop and trailing_stop_limit";
            refuse_stray("trailing_basis_points", self.trailing_basis_points.is_some(), only)?;
            refuse_stray("activation_price", self.activation_price.is_some(), only)?;
        }
        if kind.is_none() || trails {
            let only = "only for stop_loss, take_profit and their limit orders";
            refuse_stray("stop_price", self.stop_price.is_some(), only)?;
        }
        let Some(kind) = kind else {
            return Ok(None);
        };
        if trails {
            return self.trail(market).map(Some);
        }
        let text = self.stop_price.as_deref();
        let text = text.ok_or_else(|| missing("stop_price", self.order_type))?;
        let to = trigger_price(market, "stop_price", text)?;
        let rises = kind.rises(self.side);
        Ok(Some(if rises { Trigger::Rises { to } } else { Trigger::Falls { to } }))
    }

    fn trail(&self, market: &MarketInfo) -> Result<Trigger, ApiError> {
        let basis_points = self.trailing_basis_points;
        let basis_points =
            basis_points.ok_or_else(|| missing("trailing_basis_points", self.order_type))?;
        if !(1..=MAX_TRAILING_BASIS_POINTS).contains(&basis_points) {
            let range =
                format!("trailing_basis_points: must be from 1 to {MAX_TRAILING_BASIS_POINTS}");
            return Err(ApiError::from(RejectCode::InvalidTrigger).detail(range));
        }
        let activation = self.activation_price.as_deref();
        let activation = activation.map(|text| trigger_price(market, "activation_price", text));
        Ok(Trigger::Trails { basis_points, activation: activation.transpose()? })
    }

    /// The date, which goes with `gtd` or with a trigger.
    fn date(&self) -> Result<Option<Timestamp>, ApiError> {
        let may_have_date = match self.time_in_force {
            Some(TimeInForce::Gtd) => true,
            Some(TimeInForce::Gtc) => false,
            None | Some(TimeInForce::Ioc | TimeInForce::Fok) => self.order_type.trigger().is_some(),
        };
        match (self.expires_at, self.time_in_force) {
            (None, Some(TimeInForce::Gtd)) => {
                Err(ApiError::invalid_field("expires_at", "time_in_force gtd needs it"))
            }
            (None, _) => Ok(None),
            (Some(_), _) if !may_have_date => {
                Err(stray("expires_at", "only with time_in_force gtd, or with a trigger"))
            }
            (Some(millis), _) => from_millis("expires_at", millis).map(Some),
        }
    }

    fn visible(&self, market: &MarketInfo, spec: &OrderSpec) -> Result<Option<Quantity>, ApiError> {
        let Some(text) = &self.visible_quantity else {
            return Ok(None);
        };
        let rests = self.order_type.is_limit() && self.rests();
        refuse_stray("visible_quantity", !rests, "only for limit orders that are gtc or gtd")?;
        let visible = quantity(market, "visible_quantity", text)?;
        if visible.is_zero() || visible >= spec.quantity().unwrap_or_default() {
            let range = "visible_quantity: must be above zero and below quantity";
            return Err(ApiError::from(RejectCode::InvalidVisibleQuantity).detail(range));
        }
        Ok(Some(visible))
    }

    fn minimum(&self, market: &MarketInfo, spec: &OrderSpec) -> Result<Option<Quantity>, ApiError> {
        let Some(text) = &self.minimum_quantity else {
            return Ok(None);
        };
        let is_fok = self.time_in_force == Some(TimeInForce::Fok);
        let may_ask = self.order_type.is_limit() && !is_fok && !self.post_only;
        let only = "only for limit orders that are neither fok nor post_only";
        refuse_stray("minimum_quantity", !may_ask, only)?;
        let minimum = quantity(market, "minimum_quantity", text)?;
        if minimum.is_zero() || minimum > spec.quantity().unwrap_or_default() {
            let range = "minimum_quantity: must be above zero and at most quantity";
            return Err(ApiError::from(RejectCode::InvalidQuantity).detail(range));
        }
        Ok(Some(minimum))
    }

    /// Where the trigger does not tell what a waiting order may cost, its client must.
    fn check_max_spend(&self, trigger: Option<Trigger>, spec: &OrderSpec) -> Result<(), ApiError> {
        let buys = self.side == Side::Buy;
        let trails = matches!(trigger, Some(Trigger::Trails { .. }));
        let is_needed = match spec {
            OrderSpec::Limit { .. } => false,
            OrderSpec::MarketByQuantity { .. } => trails && buys,
            OrderSpec::MarketByQuote { .. } => trigger.is_some() && !buys,
        };
        if is_needed && self.max_spend.is_none() {
            let why = "an order that waits needs it here, since its cost is not known";
            return Err(ApiError::invalid_field("max_spend", why));
        }
        Ok(())
    }

    /// Whether what does not match stays in the book.
    fn rests(&self) -> bool {
        matches!(self.time_in_force, None | Some(TimeInForce::Gtc | TimeInForce::Gtd))
    }
}

/// A price that a trade may reach.
fn trigger_price(market: &MarketInfo, name: &str, text: &str) -> Result<Price, ApiError> {
    let found = price(market, name, text)?;
    let (tick, most) = (market.def.tick, market.def.max_price);
    if found.is_zero() || found > most {
        let most = tick.format(most.get().into());
        let range = format!("{name}: must be from {tick} to {most}");
        return Err(ApiError::from(RejectCode::InvalidTrigger).detail(range));
    }
    Ok(found)
}

fn missing(name: &str, order_type: OrderType) -> ApiError {
    ApiError::invalid_field(name, format_args!("a {} order needs it", order_type.word()))
}

/// A field that does not go with the others.
pub(super) fn stray(name: &str, only: &str) -> ApiError {
    ApiError::from(RejectCode::InvalidCombination).detail(format!("{name}: {only}"))
}

pub(super) fn refuse_stray(name: &str, is_stray: bool, only: &str) -> Result<(), ApiError> {
    if is_stray { Err(stray(name, only)) } else { Ok(()) }
}
