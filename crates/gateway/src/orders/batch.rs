//! Several orders or cancels of one message, each for itself: one that is refused leaves the others alone. They are
//! submitted in their order, and answered when the last of them is.

use std::sync::Arc;

use serde::Deserialize;
use types::{AccountId, Event, MarketId, OrderId, Request, Timestamp};
use views::MarketInfo;

use super::bounds::{Asked, with_bounds};
use super::{answer_cancel, answer_placement, unexpected};
use crate::error::{ApiError, GatewayCode};
use crate::market_data::market;
use crate::outcome::Outcome;
use crate::pending::MOST_TOGETHER;
use crate::state::{Shared, rejection};
use crate::wire::answer::{CancelledOrder, PlacedInBatch};
use crate::wire::request::{PlaceOrderBody, client_id};

/// Orders of one message.
pub(crate) const MOST_IN_BATCH: usize = 100;
const _: () = assert!(MOST_IN_BATCH <= MOST_TOGETHER);

/// One of several orders that are to be cancelled: by its id, or by the client's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelInBatch {
    #[serde(default)]
    market: Option<String>,
    #[serde(default)]
    order_id: Option<u64>,
    #[serde(default)]
    client_order_id: Option<String>,
}

/// Places orders for `account`, as [`super::place()`] each of them. What is an error already is one in the answer.
pub(crate) async fn place_all(
    shared: &Shared,
    account: AccountId,
    sent_at: Timestamp,
    window_end: Timestamp,
    bodies: Vec<Result<PlaceOrderBody, ApiError>>,
) -> Vec<Result<PlacedInBatch, ApiError>> {
    let prepare = |body: PlaceOrderBody| {
        let market = market(shared, &body.market)?;
        let (valid_until, asked) = (body.valid_until(sent_at, window_end), body.asked());
        let request = body.into_request(account, &market)?;
        Ok(((valid_until, request), (market, asked)))
    };
    let asked = ask_each(shared, bodies, prepare).await;
    let mut answers = Vec::with_capacity(asked.len());
    for order in asked {
        answers.push(match order {
            Ok((context, outcome)) => placed(shared, account, context, outcome).await,
            Err(error) => Err(error),
        });
    }
    answers
}

async fn placed(
    shared: &Shared,
    account: AccountId,
    (market, asked): (Arc<MarketInfo>, Asked),
    outcome: Outcome,
) -> Result<PlacedInBatch, ApiError> {
    if let Some(error) = rejection(&outcome.answer) {
        return Err(with_bounds(error, &market, asked));
    }
    if let Event::OrderPlaced { .. } = outcome.answer {
        let order = outcome.placed_order().ok_or_else(|| unexpected(&outcome))?;
        return Ok(PlacedInBatch::new(&market, &outcome, &order));
    }
    answer_placement(shared, account, &market, &outcome).await.map(PlacedInBatch::from)
}

/// Cancels orders of `account`, as [`super::cancel()`] or [`super::cancel_named`] each of them.
pub(crate) async fn cancel_each(
    shared: &Shared,
    account: AccountId,
    valid_until: Timestamp,
    bodies: Vec<Result<CancelInBatch, ApiError>>,
) -> Vec<Result<CancelledOrder, ApiError>> {
    let prepare = |body: CancelInBatch| {
        let known = |symbol: &str| market(shared, symbol).map(|market| market.def.id);
        let request = body.into_request(account, known)?;
        Ok(((valid_until, request), ()))
    };
    let asked = ask_each(shared, bodies, prepare).await;
    let answer = |cancel: Result<((), Outcome), ApiError>| {
        let ((), outcome) = cancel?;
        match rejection(&outcome.answer) {
            Some(error) => Err(error),
            None => answer_cancel(shared, &outcome),
        }
    };
    asked.into_iter().map(answer).collect()
}

impl CancelInBatch {
    /// The command of `account`; markets are `known` by their symbols.
    ///
    /// # Errors
    /// It names no order, or two ways.
    pub(crate) fn into_request(
        self,
        account: AccountId,
        known: impl FnOnce(&str) -> Result<MarketId, ApiError>,
    ) -> Result<Request, ApiError> {
        match self {
            Self { market: Some(symbol), order_id: Some(order), client_order_id: None } => {
                let market = known(&symbol)?;
                Ok(Request::CancelOrder { account, market, order: OrderId(order) })
            }
            Self { market: None, order_id: None, client_order_id: Some(id) } => {
                let client_order_id = client_id("client_order_id", Some(&id))?;
                Ok(Request::CancelByClientId { account, client_order_id })
            }
            _ => {
                let what = "a cancel has either market and order_id, or client_order_id";
                Err(ApiError::with(GatewayCode::InvalidField, what))
            }
        }
    }
}

/// Submits what can be prepared, and gives each outcome with its context, in the order of `bodies`.
async fn ask_each<B, C>(
    shared: &Shared,
    bodies: Vec<Result<B, ApiError>>,
    prepare: impl Fn(B) -> Result<((Timestamp, Request), C), ApiError>,
) -> Vec<Result<(C, Outcome), ApiError>> {
    let mut commands = Vec::with_capacity(bodies.len());
    let context = |body: Result<B, ApiError>| {
        let (command, context) = prepare(body?)?;
        commands.push(command);
        Ok(context)
    };
    let contexts: Vec<Result<C, ApiError>> = bodies.into_iter().map(context).collect();
    let mut outcomes = shared.ask_all(commands).await.into_iter();
    let outcome = |context: Result<C, ApiError>| {
        let context = context?;
        let outcome = outcomes.next().expect("one for each command")?;
        Ok((context, outcome))
    };
    contexts.into_iter().map(outcome).collect()
}
