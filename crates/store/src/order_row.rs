//! An order while events change it, between the row that it was and the row that it becomes.

use rusqlite::{Row, Statement, params};
use types::{
    AccountId, Amount, CancelCause, ClientOrderId, Conditions, Conversion, MarketId, OrderId,
    OrderSpec, Price, Quantity, Seq, Side, TimeInForce, Timestamp,
};

use crate::condition_columns::ConditionColumns;
use crate::error::Result;
use crate::history_rows::{OrderRow, order_row};
use crate::store::sql_integer;

pub(crate) const SELECT: &str = "SELECT * FROM orders WHERE market = ?1 AND order_id = ?2";

pub(crate) const INSERT: &str = "INSERT INTO orders (market, order_id, account, client_order_id, \
    side, kind, time_in_force, post_only, price, quantity, quote_quantity, filled, quote_filled, \
    fee, status, cause, replaces, placed_seq, placed_at, updated_seq, updated_at, trigger, \
    stop_price, trailing_basis_points, activation_price, expires_at, visible_quantity, \
    minimum_quantity, slide, list_id) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
    ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)";

pub(crate) const UPDATE: &str = "UPDATE orders SET quantity = ?2, filled = ?3, quote_filled = ?4, \
    fee = ?5, status = ?6, cause = ?7, updated_seq = ?8, updated_at = ?9 WHERE id = ?1";

/// The ids of a market's open orders.
pub(crate) const SELECT_OPEN: &str = "SELECT order_id FROM orders WHERE market = ?1 \
    AND status IN ('waiting', 'open', 'partially_filled')";

/// What [`UPDATE`] leaves as it was placed, for it only changes with the units that it counts in.
pub(crate) const UPDATE_UNITS: &str = "UPDATE orders SET price = ?2, stop_price = ?3, \
    activation_price = ?4, visible_quantity = ?5, minimum_quantity = ?6 WHERE id = ?1";

/// When an order changed.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) seq: Seq,
    pub(crate) time: Timestamp,
}

/// What an order is from the start.
pub(crate) struct Placement {
    pub(crate) market: MarketId,
    pub(crate) order: OrderId,
    pub(crate) account: AccountId,
    pub(crate) client_order_id: ClientOrderId,
    pub(crate) side: Side,
    pub(crate) spec: OrderSpec,
    pub(crate) conditions: Conditions,
    pub(crate) list: Option<OrderId>,
}

/// An order under change.
pub(crate) struct Order {
    row: OrderRow,
    is_new: bool,
    is_dirty: bool,
    is_converted: bool,
}

impl Order {
    pub(crate) fn placed(at: Moment, placement: &Placement) -> Self {
        let id = placement.client_order_id;
        let (kind, price, quantity, quote_quantity) = match placement.spec {
            OrderSpec::Limit { price, quantity, .. } => {
                ("limit", Some(price), Some(quantity), None)
            }
            OrderSpec::MarketByQuantity { quantity, .. } => ("market", None, Some(quantity), None),
            OrderSpec::MarketByQuote { quote, .. } => ("market_by_quote", None, None, Some(quote)),
        };
        let (time_in_force, post_only) = match placement.spec {
            OrderSpec::Limit { time_in_force, post_only, .. } => {
                (Some(time_in_force_word(time_in_force)), post_only)
            }
            OrderSpec::MarketByQuantity { .. } | OrderSpec::MarketByQuote { .. } => (None, false),
        };
        let waits = placement.conditions.trigger.is_some();
        let row = OrderRow {
            id: 0,
            market: placement.market,
            order: placement.order,
            account: placement.account,
            client_order_id: (!id.is_none()).then(|| id.to_string()),
            side: placement.side,
            kind: kind.to_owned(),
            time_in_force: time_in_force.map(str::to_owned),
            post_only,
            price,
            quantity,
            quote_quantity,
            conditions: placement.conditions,
            list: placement.list,
            filled: Quantity::ZERO,
            quote_filled: Amount::ZERO,
            fee: Amount::ZERO,
            status: if waits { "waiting" } else { "open" }.to_owned(),
            cause: None,
            replaces: None,
            placed_seq: at.seq,
            placed_at: at.time,
            updated_seq: at.seq,
            updated_at: at.time,
        };
        Self::new(row)
    }

    fn new(row: OrderRow) -> Self {
        Self { row, is_new: true, is_dirty: true, is_converted: false }
    }

    pub(crate) fn loaded(row: &Row<'_>) -> Result<Self> {
        let (is_new, is_dirty, is_converted) = (false, false, false);
        Ok(Self { row: order_row(row)?, is_new, is_dirty, is_converted })
    }

    pub(crate) fn key(&self) -> (MarketId, OrderId) {
        (self.row.market, self.row.order)
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.row.status.as_str(), "waiting" | "open" | "partially_filled")
    }

    /// Counts in other units from now on. What the market itself does not need any more of an order (its
    /// minimum, say) may be rounded down.
    pub(crate) fn convert(&mut self, conversion: &Conversion) {
        let row = &mut self.row;
        row.price = row.price.map(|price| conversion.price_down(price));
        row.quantity = row.quantity.map(|quantity| conversion.quantity_down(quantity));
        row.filled = conversion.quantity_down(row.filled);
        row.conditions = conversion.conditions_down(row.conditions);
        (self.is_dirty, self.is_converted) = (true, true);
    }

    /// How many lots it is for in all, what was filled included; zero by quote.
    pub(crate) fn total(&self) -> Quantity {
        self.row.quantity.unwrap_or_default()
    }

    pub(crate) fn is_by_quote(&self) -> bool {
        self.row.quote_quantity.is_some()
    }

    /// Its trigger has fired.
    pub(crate) fn trigger(&mut self, at: Moment) {
        self.turn(at, "open", None);
    }

    /// It has entered the book with this much.
    pub(crate) fn rest(&mut self, at: Moment, remaining: Quantity) {
        self.set_left(remaining);
        self.touch(at);
    }

    pub(crate) fn fill(
        &mut self,
        at: Moment,
        quantity: Quantity,
        quote: Amount,
        fee: Amount,
        remaining: Quantity,
    ) {
        // Only a market order can sum up to more than 63 bits of lots; the count stops there, as that
        // of the views does.
        let filled = self.row.filled.get().saturating_add(quantity.get());
        self.row.filled = Quantity::new(filled.min(i64::MAX as u64));
        self.row.quote_filled += quote;
        self.row.fee += fee;
        self.set_left(remaining);
        let filled = remaining.is_zero() && !self.is_by_quote();
        self.turn(at, if filled { "filled" } else { "partially_filled" }, None);
    }

    /// The entry in which an order by quote traded is over: unless it was cancelled, it spent what it
    /// could.
    pub(crate) fn end_spent(&mut self, at: Moment) {
        if self.row.status == "partially_filled" {
            self.turn(at, "filled", None);
        }
    }

    pub(crate) fn cancel(&mut self, at: Moment, remaining: Quantity, cause: CancelCause) {
        self.set_left(remaining);
        self.turn(at, "cancelled", Some(cause_word(cause)));
    }

    pub(crate) fn reduce(&mut self, at: Moment, remaining: Quantity) {
        self.set_left(remaining);
        self.touch(at);
    }

    /// Lets the quantity say what is left beside what is filled: prevention of a self-trade takes from
    /// an order that comes without an event of its own.
    fn set_left(&mut self, remaining: Quantity) {
        if let Some(quantity) = &mut self.row.quantity {
            *quantity = self.row.filled.checked_add(remaining).unwrap_or(Quantity::MAX);
        }
    }

    /// Ends this one and begins the order that replaces it.
    pub(crate) fn replace(
        &mut self,
        at: Moment,
        order: OrderId,
        price: Price,
        quantity: Quantity,
    ) -> Self {
        self.turn(at, "cancelled", Some("replaced"));
        let row = OrderRow {
            id: 0,
            order,
            price: Some(price),
            quantity: Some(quantity),
            filled: Quantity::ZERO,
            quote_filled: Amount::ZERO,
            fee: Amount::ZERO,
            status: "open".to_owned(),
            cause: None,
            replaces: Some(self.row.order),
            placed_seq: at.seq,
            placed_at: at.time,
            ..self.row.clone()
        };
        Self::new(row)
    }

    fn turn(&mut self, at: Moment, status: &str, cause: Option<&str>) {
        status.clone_into(&mut self.row.status);
        self.row.cause = cause.map(str::to_owned);
        self.touch(at);
    }

    fn touch(&mut self, at: Moment) {
        (self.row.updated_seq, self.row.updated_at) = (at.seq, at.time);
        self.is_dirty = true;
    }

    /// Writes what changed; tells the number of rows, 0 or 1. Then it is what its row is.
    pub(crate) fn write(
        &mut self,
        insert: &mut Statement<'_>,
        update: &mut Statement<'_>,
    ) -> Result<u64> {
        if !std::mem::take(&mut self.is_dirty) {
            return Ok(0);
        }
        let row = &self.row;
        let quantity = row.quantity.map(|q| sql_integer(q.get(), "a quantity")).transpose()?;
        let filled = sql_integer(row.filled.get(), "a quantity")?;
        let quote_filled = row.quote_filled.to_string();
        let fee = row.fee.to_string();
        let updated_seq = sql_integer(row.updated_seq.0, "a seq")?;
        let updated_at = sql_integer(row.updated_at.0, "a time")?;
        if !self.is_new {
            let id = sql_integer(row.id, "a row id")?;
            update.execute(params![
                id,
                quantity,
                filled,
                quote_filled,
                fee,
                row.status,
                row.cause,
                updated_seq,
                updated_at,
            ])?;
            return Ok(1);
        }
        let conditions = ConditionColumns::of(&row.conditions)?;
        let id = insert.insert(params![
            row.market.0,
            sql_integer(row.order.0, "an order id")?,
            row.account.0,
            row.client_order_id,
            side_word(row.side),
            row.kind,
            row.time_in_force,
            row.post_only,
            row.price.map(|price| sql_integer(price.get(), "a price")).transpose()?,
            quantity,
            row.quote_quantity.map(|quote| quote.to_string()),
            filled,
            quote_filled,
            fee,
            row.status,
            row.cause,
            row.replaces.map(|old| sql_integer(old.0, "an order id")).transpose()?,
            sql_integer(row.placed_seq.0, "a seq")?,
            sql_integer(row.placed_at.0, "a time")?,
            updated_seq,
            updated_at,
            conditions.trigger,
            conditions.stop_price,
            conditions.trailing_basis_points,
            conditions.activation_price,
            conditions.expires_at,
            conditions.visible_quantity,
            conditions.minimum_quantity,
            conditions.slide,
            row.list.map(|list| sql_integer(list.0, "an order id")).transpose()?,
        ])?;
        self.row.id = id as u64;
        self.is_new = false;
        Ok(1)
    }
}

impl Order {
    /// Writes what a change of units changed of a row that was there before. To be called before [`Self::write`].
    pub(crate) fn write_units(&mut self, update: &mut Statement<'_>) -> Result<()> {
        let is_converted = std::mem::take(&mut self.is_converted);
        if !is_converted || self.is_new {
            return Ok(());
        }
        let row = &self.row;
        let conditions = ConditionColumns::of(&row.conditions)?;
        update.execute(params![
            sql_integer(row.id, "a row id")?,
            row.price.map(|price| sql_integer(price.get(), "a price")).transpose()?,
            conditions.stop_price,
            conditions.activation_price,
            conditions.visible_quantity,
            conditions.minimum_quantity,
        ])?;
        Ok(())
    }
}

pub(crate) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

fn time_in_force_word(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Gtc => "gtc",
        TimeInForce::Ioc => "ioc",
        TimeInForce::Fok => "fok",
    }
}

fn cause_word(cause: CancelCause) -> &'static str {
    match cause {
        CancelCause::Client => "client",
        CancelCause::CancelAll => "cancel_all",
        CancelCause::ImmediateOrCancel => "immediate_or_cancel",
        CancelCause::MarketRemainder => "market_remainder",
        CancelCause::SelfTrade => "self_trade",
        CancelCause::BookFull => "book_full",
        CancelCause::Expired => "expired",
        CancelCause::NotFillable => "not_fillable",
        CancelCause::Interruption => "interruption",
        CancelCause::OrderList => "order_list",
        CancelCause::Redefined => "redefined",
        CancelCause::Delisted => "delisted",
    }
}
