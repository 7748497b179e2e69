//! Which order is meant: by its id, or by the client's.
//!
//! Open and lately ended orders are in the views, older ones in the history.

use store::OrderRow;
use types::{AccountId, CancelCause, ClientOrderId, OrderId, Quantity};
use views::{EndCause, MarketInfo, OrderStatus, OrderView};

use crate::binance::endpoint::Call;
use crate::binance::error::Error;
use crate::binance::ids;
use crate::error::{ApiError, GatewayCode};
use crate::history;

/// How an order is named.
pub(in crate::binance) struct Named<'a> {
    id: Option<OrderId>,
    client_id: Option<&'a str>,
}

impl<'a> Named<'a> {
    /// By two parameters, of which one must be there.
    ///
    /// # Errors
    /// -1102, -1100 or -1105.
    pub(in crate::binance) fn of(call: &'a Call, id: &str, client_id: &str) -> Result<Self, Error> {
        let named =
            Self { id: call.params.id(id)?.map(OrderId), client_id: call.params.text(client_id)? };
        if named.id.is_none() && named.client_id.is_none() {
            return Err(Error::one_of(id, client_id));
        }
        Ok(named)
    }

    /// Whether an order has the name, if one was given besides the id.
    fn check_name(&self, call: &Call, order: &OrderView) -> Result<(), Error> {
        let (Some(_), Some(given)) = (self.id, self.client_id) else {
            return Ok(());
        };
        let is_first = ids::client_order_id(order.client_order_id, order.order) == given;
        let amended = || call.shared.amended_names.of(order.account, order.market, given);
        if is_first || amended() == Some(order.order) {
            return Ok(());
        }
        Err(Error::new(-2039, "The order does not match the given client order id."))
    }

    /// The order in the views, which have caught up with the account.
    ///
    /// # Errors
    /// -2039 if id and name are of different orders.
    pub(in crate::binance) fn in_views(
        &self,
        call: &Call,
        account: AccountId,
        market: &MarketInfo,
    ) -> Result<Option<OrderView>, Error> {
        let (views, here) = (&call.shared.views, market.def.id);
        let found = match (self.id, self.client_id) {
            (Some(id), _) => views.order(account, here, id),
            (None, Some(name)) => {
                let named = name.parse().ok();
                let named =
                    named.and_then(|id: ClientOrderId| views.order_by_client_id(account, &id));
                let unnamed = || {
                    let order = views.order(account, here, ids::unnamed_order(name)?);
                    order.filter(|order| order.client_order_id.is_none())
                };
                let amended = || {
                    let order = call.shared.amended_names.of(account, here, name)?;
                    views.order(account, here, order)
                };
                named.filter(|order| order.market == here).or_else(unnamed).or_else(amended)
            }
            (None, None) => None,
        };
        if let Some(order) = &found {
            self.check_name(call, order)?;
        }
        Ok(found)
    }

    /// The order, also one that ended long ago.
    ///
    /// # Errors
    /// -2013, -2039, or when the history cannot be read.
    pub(in crate::binance) async fn anywhere(
        &self,
        call: &Call,
        account: AccountId,
        market: &MarketInfo,
    ) -> Result<OrderView, Error> {
        if let Some(order) = self.in_views(call, account, market)? {
            return Ok(order);
        }
        let here = market.def.id;
        let amended = || call.shared.amended_names.of(account, here, self.client_id?);
        let id = self.id.or_else(|| ids::unnamed_order(self.client_id?)).or_else(amended);
        let row = match (id, self.client_id) {
            (Some(id), _) => {
                history::read(&call.shared, move |store| store.order(here, id)).await?
            }
            (None, Some(name)) => {
                let name = name.to_owned();
                let read = history::read(&call.shared, move |store| {
                    store.order_by_client_id_in(account, here, &name)
                });
                read.await?
            }
            (None, None) => None,
        };
        let row = row.filter(|row| row.account == account).ok_or_else(Error::no_such_order)?;
        let order = view(&row)?;
        self.check_name(call, &order)?;
        Ok(order)
    }
}

/// A row of the history as the views would have it.
///
/// # Errors
/// When the history has words that are none: a bug.
pub(in crate::binance) fn view(row: &OrderRow) -> Result<OrderView, ApiError> {
    let client_order_id = row.client_order_id.as_deref().map(str::parse).transpose();
    let status = STATUSES.iter().find(|status| status.word() == row.status);
    let quantity = row.quantity.unwrap_or_default();
    Ok(OrderView {
        market: row.market,
        order: row.order,
        account: row.account,
        client_order_id: client_order_id.map_err(|_| unknown(row))?.unwrap_or_default(),
        side: row.side,
        spec: history::spec_of(row)?,
        conditions: row.conditions,
        remaining: quantity.checked_sub(row.filled).unwrap_or(Quantity::ZERO),
        filled: row.filled,
        quote_filled: row.quote_filled,
        fee: row.fee,
        status: *status.ok_or_else(|| unknown(row))?,
        cause: row.cause.as_deref().and_then(cause),
        rested: false,
        replaces: row.replaces,
        list: row.list,
        placed_at: row.placed_at,
        placed_seq: row.placed_seq,
        updated_at: row.updated_at,
        updated_seq: row.updated_seq,
    })
}

const STATUSES: [OrderStatus; 5] = [
    OrderStatus::Waiting,
    OrderStatus::Open,
    OrderStatus::PartiallyFilled,
    OrderStatus::Filled,
    OrderStatus::Cancelled,
];

/// By its word. Which order replaced another is not told here.
fn cause(word: &str) -> Option<EndCause> {
    const CAUSES: [CancelCause; 12] = [
        CancelCause::Client,
        CancelCause::CancelAll,
        CancelCause::ImmediateOrCancel,
        CancelCause::MarketRemainder,
        CancelCause::SelfTrade,
        CancelCause::BookFull,
        CancelCause::Expired,
        CancelCause::NotFillable,
        CancelCause::Interruption,
        CancelCause::OrderList,
        CancelCause::Redefined,
        CancelCause::Delisted,
    ];
    let replaced = EndCause::Replaced(OrderId(0));
    let causes = CAUSES.into_iter().map(EndCause::Cancelled).chain([replaced]);
    causes.into_iter().find(|cause| cause.word() == word)
}

fn unknown(row: &OrderRow) -> ApiError {
    let what = format!("the history has a word for order {} that is none", row.order);
    ApiError::with(GatewayCode::Internal, what)
}
