//! The conditions of an order as columns of its row, and back. They never change while it lives,
//! but for the units that they count in.

use rusqlite::Row;
use types::{Conditions, Price, Quantity, Timestamp, Trigger};

use crate::error::{Result, StoreError};
use crate::history_rows::maybe_whole;
use crate::store::{sql_chosen_time, sql_integer};

/// Values of the columns, as SQL has them.
pub(crate) struct ConditionColumns {
    pub(crate) trigger: Option<&'static str>,
    pub(crate) stop_price: Option<i64>,
    pub(crate) trailing_basis_points: Option<u16>,
    pub(crate) activation_price: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) visible_quantity: Option<i64>,
    pub(crate) minimum_quantity: Option<i64>,
    pub(crate) slide: bool,
}

impl ConditionColumns {
    pub(crate) fn of(conditions: &Conditions) -> Result<Self> {
        let (trigger, stop, trailing_basis_points, activation) = match conditions.trigger {
            None => (None, None, None, None),
            Some(Trigger::Rises { to }) => (Some("rises"), Some(to), None, None),
            Some(Trigger::Falls { to }) => (Some("falls"), Some(to), None, None),
            Some(Trigger::Trails { basis_points, activation }) => {
                (Some("trails"), None, Some(basis_points), activation)
            }
        };
        let ticks = |price: Option<Price>| {
            price.map(|price| sql_integer(price.get(), "a price")).transpose()
        };
        let lots = |quantity: Option<Quantity>| {
            quantity.map(|quantity| sql_integer(quantity.get(), "a quantity")).transpose()
        };
        Ok(Self {
            trigger,
            stop_price: ticks(stop)?,
            trailing_basis_points,
            activation_price: ticks(activation)?,
            expires_at: conditions.expires_at.map(sql_chosen_time),
            visible_quantity: lots(conditions.visible)?,
            minimum_quantity: lots(conditions.minimum)?,
            slide: conditions.slide,
        })
    }
}

/// The conditions that a row states.
pub(crate) fn conditions(row: &Row<'_>) -> Result<Conditions> {
    Ok(Conditions {
        trigger: trigger(row)?,
        expires_at: maybe_whole(row, "expires_at")?.map(Timestamp),
        visible: maybe_whole(row, "visible_quantity")?.map(Quantity::new),
        minimum: maybe_whole(row, "minimum_quantity")?.map(Quantity::new),
        slide: row.get("slide")?,
    })
}

fn trigger(row: &Row<'_>) -> Result<Option<Trigger>> {
    let Some(word) = row.get::<_, Option<String>>("trigger")? else {
        return Ok(None);
    };
    let price = |name| Ok::<_, StoreError>(maybe_whole(row, name)?.map(Price::new));
    let stop = || price("stop_price")?.ok_or_else(|| StoreError::Corrupt("no stop_price".into()));
    Ok(Some(match word.as_str() {
        "rises" => Trigger::Rises { to: stop()? },
        "falls" => Trigger::Falls { to: stop()? },
        "trails" => Trigger::Trails {
            basis_points: row.get("trailing_basis_points")?,
            activation: price("activation_price")?,
        },
        _ => return Err(StoreError::Corrupt(format!("trigger {word}"))),
    }))
}
