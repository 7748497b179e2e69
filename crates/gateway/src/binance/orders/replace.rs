//! `POST order/cancelReplace`: one command that cancels and places.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use types::{Event, OrderId, PlaceOrder, RejectCode, ReplaceOrder, Request, RequestKind};
use views::MarketInfo;

use super::cancel::{after, cancel_name, cancel_named, open_order, remember_name};
use super::find::Named;
use super::place::{Detail, Placed, detail, refusal};
use super::read;
use super::show::OrderObject;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::ids;
use crate::orders::{cancelled_alone, was_cancelled};
use crate::outcome::Outcome;
use crate::state::rejection;
use crate::wire::request::OnFailure;

/// What became of one half.
enum Half {
    Success(Value),
    Failure(Error),
    NotAttempted,
}

impl Half {
    fn word(&self) -> &'static str {
        match self {
            Self::Success(_) => "SUCCESS",
            Self::Failure(_) => "FAILURE",
            Self::NotAttempted => "NOT_ATTEMPTED",
        }
    }

    fn response(&self) -> Value {
        match self {
            Self::Success(value) => value.clone(),
            Self::Failure(error) => json!({ "code": error.code, "msg": error.msg }),
            Self::NotAttempted => Value::Null,
        }
    }
}

/// `POST order/cancelReplace`.
pub(in crate::binance) async fn cancel_replace(call: Call) -> Result<Answer, Error> {
    const MODES: [(&str, OnFailure); 2] =
        [("STOP_ON_FAILURE", OnFailure::Stop), ("ALLOW_FAILURE", OnFailure::GoOn)];
    let account = call.account()?;
    let market = call.market()?;
    let mode = "cancelReplaceMode";
    call.params.required(mode)?;
    let on_failure = call.params.word(mode, &MODES, || Error::invalid_data(mode))?;
    let on_failure = on_failure.ok_or_else(|| Error::mandatory(mode))?;
    let cancels_anyway = cancels_anyway(&call)?;
    let named = Named::of(&call, "cancelOrderId", "cancelOrigClientOrderId")?;
    let name = cancel_name(&call, "cancelNewClientOrderId")?;
    let order = read::order(&call.params, &market, account)?;
    let detail = detail(&call.params, &order)?;
    let counted = call.shared.limiter.count_orders(account, 1).await.err();
    if let Some(too_many) = counted {
        return Err(match cancels_anyway {
            true => cancel_only(&call, &market, &named, name, on_failure, too_many).await?,
            false => too_many,
        });
    }
    call.caught_up().await?;
    let (cancel, place) = match open_order(&call, &named, account, &market) {
        Ok(open) => {
            let name = name.unwrap_or_else(|| ids::cancel_id(open.order));
            replace(&call, &market, order, open.order, name, on_failure, detail).await?
        }
        Err(error) if on_failure == OnFailure::Stop => (Half::Failure(error), Half::NotAttempted),
        Err(error) => (Half::Failure(error), place(&call, &market, order, detail).await?),
    };
    let counts = call.shared.limiter.orders_of(account);
    Ok(answer(&cancel, &place)?.with_orders(counts))
}

/// `orderRateLimitExceededMode`: whether the old order is cancelled although the new one is one too many.
fn cancels_anyway(call: &Call) -> Result<bool, Error> {
    let name = "orderRateLimitExceededMode";
    let words = [("DO_NOTHING", false), ("CANCEL_ONLY", true)];
    let found = call.params.word(name, &words, || Error::invalid_data(name))?;
    Ok(found.unwrap_or_default())
}

/// The cancel alone: the new order is one too many. Gives what is answered then, which is never a success.
async fn cancel_only(
    call: &Call,
    market: &MarketInfo,
    named: &Named<'_>,
    name: Option<String>,
    on_failure: OnFailure,
    too_many: Error,
) -> Result<Error, Error> {
    let account = call.caught_up().await?;
    let cancelled = match open_order(call, named, account, market) {
        Ok(open) => cancel_named(call, market, &open, name).await,
        Err(error) => Err(error),
    };
    let (status, retry_after) = (too_many.status, too_many.retry_after);
    let stops = on_failure == OnFailure::Stop;
    let (cancel, place) = match cancelled {
        Ok(ended) => (Half::Success(value(&ended)), Half::Failure(too_many)),
        Err(error) if stops => (Half::Failure(error), Half::NotAttempted),
        Err(error) => (Half::Failure(error), Half::Failure(too_many)),
    };
    let told = failure(&cancel, &place);
    Ok(if stops { Error { status, retry_after, ..told } } else { told })
}

/// Both halves by one command.
async fn replace(
    call: &Call,
    market: &std::sync::Arc<MarketInfo>,
    order: PlaceOrder,
    cancel: OrderId,
    name: String,
    on_failure: OnFailure,
    detail: Detail,
) -> Result<(Half, Half), Error> {
    let (account, spec) = (order.account, order.spec);
    let prevention = order.self_trade_prevention;
    let stop_on_failure = on_failure == OnFailure::Stop;
    let request = Request::ReplaceOrder(Box::new(ReplaceOrder { cancel, stop_on_failure, order }));
    remember_name(call, market, cancel, Some(&name));
    let outcome = call.shared.ask(call.valid_until(), request).await;
    if outcome.is_err() {
        call.shared.cancel_names.forget(market.def.id, cancel);
    }
    let outcome = outcome?;
    let refused = rejection(&outcome.answer);
    let is_cancelled = match &outcome.answer {
        Event::Repeated { .. } => false,
        Event::Rejected { .. } => cancelled_alone(cancel, on_failure, &outcome),
        _ => was_cancelled(&call.shared, account, market, cancel, on_failure, &outcome).await,
    };
    let cancelled = if is_cancelled {
        let ended = after(call, account, market, cancel).await?;
        let object = OrderObject::cancelled(market, &ended, name, outcome.time, call.unit);
        Half::Success(value(&object))
    } else {
        call.shared.cancel_names.forget(market.def.id, cancel);
        Half::Failure(why_not_cancelled(&outcome.answer))
    };
    let placed = match refused {
        _ if !is_cancelled && stop_on_failure => Half::NotAttempted,
        Some(error) => Half::Failure(refusal(&spec, error)),
        None => placed(call, market, &outcome, prevention, detail),
    };
    Ok((cancelled, placed))
}

/// Why the old order was left as it was. That there is none is said only where its market did not find it: what
/// is refused or repeated as a whole, and what a halt forbids, is so of either half, and the order goes on.
fn why_not_cancelled(answer: &Event) -> Error {
    match *answer {
        Event::Rejected { request: RequestKind::ReplaceOrder, code, .. }
        | Event::Rejected { code: code @ RejectCode::MarketHalted, .. } => code.into(),
        Event::Repeated { .. } => RejectCode::ClientIdReused.into(),
        _ => Error::unknown_order_sent(),
    }
}

/// The placement alone: there was nothing to cancel.
async fn place(
    call: &Call,
    market: &MarketInfo,
    order: PlaceOrder,
    detail: Detail,
) -> Result<Half, Error> {
    let (spec, prevention) = (order.spec, order.self_trade_prevention);
    let outcome = call.shared.ask(call.valid_until(), Request::PlaceOrder(order)).await?;
    Ok(match rejection(&outcome.answer) {
        Some(error) => Half::Failure(refusal(&spec, error)),
        None => placed(call, market, &outcome, prevention, detail),
    })
}

fn placed(
    call: &Call,
    market: &MarketInfo,
    outcome: &Outcome,
    prevention: types::SelfTradePrevention,
    detail: Detail,
) -> Half {
    match Placed::of(outcome, prevention) {
        Ok(placed) => {
            placed.note_fill(call);
            Half::Success(value(&placed.value(call, market, detail)))
        }
        Err(error) => Half::Failure(error),
    }
}

fn value(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("plain structs of texts and numbers")
}

fn answer(cancel: &Half, place: &Half) -> Result<Answer, Error> {
    match (cancel, place) {
        (Half::Success(_), Half::Success(_)) => Answer::of(&both(cancel, place)),
        _ => Err(failure(cancel, place)),
    }
}

/// What is answered when not both succeeded.
fn failure(cancel: &Half, place: &Half) -> Error {
    let partly = [cancel, place].iter().any(|half| matches!(half, Half::Success(_)));
    let error = if partly {
        let what = "Order cancel-replace partially failed.";
        Error::with_status(-2021, StatusCode::CONFLICT, what)
    } else {
        Error::new(-2022, "Order cancel-replace failed.")
    };
    Error { data: Some(Box::new(both(cancel, place))), ..error }
}

fn both(cancel: &Half, place: &Half) -> Value {
    json!({
        "cancelResult": cancel.word(),
        "newOrderResult": place.word(),
        "cancelResponse": cancel.response(),
        "newOrderResponse": place.response(),
    })
}
