//! What agents want, as requests of the engine.

use types::{
    AccountId, BoxedConditions, MarketId, OrderId, OrderSpec, PlaceOrder, Price, Quantity,
    ReplaceOrder, Request, SelfTradePrevention, TimeInForce,
};

use crate::request::{Job, Order, Want};

const MARKET: MarketId = MarketId(1);

/// The account of a user: they were made in this order.
pub(super) fn account(user: usize) -> AccountId {
    AccountId(user as u32 + 1)
}

/// The user of an account.
pub(super) fn user(account: AccountId) -> usize {
    account.0 as usize - 1
}

/// None of a read.
pub(super) fn request(job: &Job) -> Option<Request> {
    let account = account(job.user);
    Some(match &job.want {
        Want::Place(order) => Request::PlaceOrder(place(account, order)),
        Want::Replace { cancel, order } => Request::ReplaceOrder(Box::new(ReplaceOrder {
            cancel: OrderId(*cancel),
            stop_on_failure: true,
            order: place(account, order),
        })),
        Want::Cancel { order } => {
            Request::CancelOrder { account, market: MARKET, order: OrderId(*order) }
        }
        Want::Read(_) => return None,
    })
}

fn place(account: AccountId, order: &Order) -> PlaceOrder {
    // An order made to be refused has no quantity: half a tick cannot be said here.
    let quantity = Quantity::new(if order.probe { 0 } else { order.lots });
    let spec = match order.ticks {
        None => OrderSpec::MarketByQuantity { quantity, max_spend: None },
        Some(ticks) => OrderSpec::Limit {
            price: Price::new(ticks),
            quantity,
            time_in_force: if order.immediate { TimeInForce::Ioc } else { TimeInForce::Gtc },
            post_only: order.post_only,
        },
    };
    PlaceOrder {
        account,
        market: MARKET,
        version: 1,
        client_order_id: order.client_order_id.parse().expect("names of a run are short"),
        side: order.side,
        spec,
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    }
}
