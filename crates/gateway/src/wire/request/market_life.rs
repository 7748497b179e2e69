//! Planned changes of a market's units, and its end.

use serde::Deserialize;
use types::{MarketBounds, Price, Quantity, Redefinition};
use utoipa::ToSchema;

use super::admin::{count, unit};
use crate::error::ApiError;

/// A change of tick and lot at a time to come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanRedefinitionBody {
    /// When, in milliseconds since the Unix epoch: one plan for each time.
    pub(crate) at: u64,
    /// The new units; null takes the plan back.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub(crate) redefinition: Option<NewUnits>,
}

/// New units of a market and what they bound.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUnits {
    /// The step of prices, in quote for a whole unit of base.
    #[schema(example = "0.05")]
    pub(crate) tick: String,
    /// The step of quantities, in base.
    #[schema(example = "0.001")]
    pub(crate) lot: String,
    /// Largest price of an order; open orders above it are cancelled.
    #[schema(example = "1000000.00")]
    pub(crate) max_price: String,
    /// Largest quantity of an order; open orders above it are cancelled.
    #[schema(example = "1000")]
    pub(crate) max_quantity: String,
    /// New bounds of the book; as they are unless given.
    #[serde(default)]
    pub(crate) bounds: Option<NewBounds>,
}

/// New bounds of a book, all of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBounds {
    /// Orders at most.
    pub(crate) max_orders: u32,
    /// Price levels at most.
    pub(crate) max_levels: u32,
    /// Open orders of one account at most.
    pub(crate) max_orders_per_account: u32,
    /// Orders that wait for a trigger at most.
    pub(crate) max_waiting: u32,
}

/// The end of a market at a time to come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanDelistingBody {
    /// When, in milliseconds since the Unix epoch; another time replaces it, null takes the plan back.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub(crate) at: Option<u64>,
}

impl NewUnits {
    /// The change. The exchange checks what its numbers imply.
    ///
    /// # Errors
    /// A field that is no decimal, or no whole number of the new units.
    pub(crate) fn read(&self) -> Result<Redefinition, ApiError> {
        let (tick, lot) = (unit("tick", &self.tick)?, unit("lot", &self.lot)?);
        Ok(Redefinition {
            tick,
            lot,
            max_price: Price::new(count("max_price", tick, &self.max_price)?),
            max_quantity: Quantity::new(count("max_quantity", lot, &self.max_quantity)?),
            bounds: self.bounds.as_ref().map(|bounds| MarketBounds {
                max_orders: bounds.max_orders,
                max_levels: bounds.max_levels,
                max_orders_per_account: bounds.max_orders_per_account,
                max_waiting: bounds.max_waiting,
            }),
        })
    }
}
