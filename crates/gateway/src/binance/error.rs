//! Errors as `{"code", "msg"}`, and what the engine's and the gateway's own become.
//!
//! Clients compare some of these texts literally: they are those of the dialect, to the letter.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use types::RejectCode as R;

use crate::error::{ApiError, ErrorCode, GatewayCode as G};

/// A refused request.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    /// The dialect's number, below zero.
    pub(crate) code: i32,
    /// For people, and for clients that compare it.
    pub(crate) msg: Cow<'static, str>,
    /// The HTTP status; the `status` of an answer on a socket.
    pub(crate) status: StatusCode,
    /// What more there is to say, as JSON.
    pub(crate) data: Option<Box<Value>>,
    /// In so many seconds the client may try again.
    pub(crate) retry_after: Option<u64>,
}

/// As JSON has it.
#[derive(Serialize)]
pub(crate) struct ErrorBody<'a> {
    code: i32,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl Error {
    /// An error with status 400.
    pub(crate) fn new(code: i32, msg: impl Into<Cow<'static, str>>) -> Self {
        Self::with_status(code, StatusCode::BAD_REQUEST, msg)
    }

    pub(crate) fn with_status(
        code: i32,
        status: StatusCode,
        msg: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, msg: msg.into(), status, data: None, retry_after: None }
    }

    /// The error as its JSON object.
    pub(crate) fn body(&self) -> ErrorBody<'_> {
        ErrorBody { code: self.code, msg: &self.msg, data: self.data.as_deref() }
    }

    /// -1100.
    pub(crate) fn illegal_characters(name: &str, range: &str) -> Self {
        Self::new(
            -1100,
            format!("Illegal characters found in parameter '{name}'; legal range is '{range}'."),
        )
    }

    /// -1102.
    pub(crate) fn mandatory(name: &str) -> Self {
        Self::new(
            -1102,
            format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
        )
    }

    /// -1102, where one of two is needed.
    pub(crate) fn one_of(one: &str, other: &str) -> Self {
        Self::new(
            -1102,
            format!("Param '{one}' or '{other}' must be sent, but both were empty/null!"),
        )
    }

    /// -1106.
    pub(crate) fn not_required(name: &str) -> Self {
        Self::new(-1106, format!("Parameter '{name}' sent when not required."))
    }

    /// -1111.
    pub(crate) fn too_precise(name: &str) -> Self {
        Self::new(-1111, format!("Parameter '{name}' has too much precision."))
    }

    /// -1121.
    pub(crate) fn invalid_symbol() -> Self {
        Self::new(-1121, "Invalid symbol.")
    }

    /// -1128.
    pub(crate) fn invalid_combination() -> Self {
        Self::new(-1128, "Combination of optional parameters invalid.")
    }

    /// -1130.
    pub(crate) fn invalid_data(name: &str) -> Self {
        Self::new(-1130, format!("Data sent for parameter '{name}' is not valid."))
    }

    /// -1013: the order breaks a rule of its market.
    pub(crate) fn filter(name: &str) -> Self {
        Self::new(-1013, format!("Filter failure: {name}"))
    }

    /// -2010: the engine refuses the order.
    pub(crate) fn rejected(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-2010, why)
    }

    /// -2011: there is nothing to cancel.
    pub(crate) fn unknown_order_sent() -> Self {
        Self::new(-2011, "Unknown order sent.")
    }

    /// -2013: there is nothing to tell about.
    pub(crate) fn no_such_order() -> Self {
        Self::new(-2013, "Order does not exist.")
    }

    /// -2018: there is no such list.
    pub(crate) fn no_such_list() -> Self {
        Self::new(-2018, "Order list does not exist.")
    }

    /// -2015: the key is unknown, or may not do this.
    pub(crate) fn not_permitted() -> Self {
        let text = "Invalid API-key, IP, or permissions for action.";
        Self::with_status(-2015, StatusCode::UNAUTHORIZED, text)
    }

    /// -1020 with 404: nothing is here.
    pub(crate) fn unknown_path() -> Self {
        Self::with_status(-1020, StatusCode::NOT_FOUND, "This operation is not supported.")
    }
}

/// What a failed command or read is called here. A handler that knows more than the code says its own.
impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        match error.code {
            ErrorCode::Rejected(code) => of_reject(code),
            ErrorCode::Gateway(code) => of_gateway(code),
        }
    }
}

impl From<R> for Error {
    fn from(code: R) -> Self {
        of_reject(code)
    }
}

/// `match` without a default: a new reject code needs an answer here.
fn of_reject(code: R) -> Error {
    match code {
        R::Expired => Error::new(-1021, "Timestamp for this request is outside of the recvWindow."),
        R::Overloaded | R::WrongPartition | R::ComponentQuarantined => unavailable(-1008),
        R::UnknownMarket => Error::invalid_symbol(),
        R::UnknownAccount => Error::not_permitted(),
        R::AccountFrozen => Error::rejected("This action is disabled on this account."),
        R::UnknownOrder => Error::unknown_order_sent(),
        R::ClientIdInFlight | R::ClientIdReused => Error::rejected("Duplicate order sent."),
        R::InsufficientBalance => {
            Error::rejected("Account has insufficient balance for requested action.")
        }
        R::WouldMatch => Error::rejected("Order would immediately match and take."),
        R::WouldTrigger => Error::rejected("Stop price would trigger immediately."),
        R::InvalidVisibleQuantity => Error::rejected("IcebergQty exceeds QTY."),
        R::NoLiquidity => {
            Error::rejected("Order book liquidity is less than LOT_SIZE filter minimum quantity.")
        }
        R::MarketHalted
        | R::MarketCancelOnly
        | R::MarketClosed
        | R::MarketDelisted
        | R::NotDuringAuction => Error::new(-1013, "Market is closed."),
        R::InvalidPrice => Error::filter("PRICE_FILTER"),
        R::InvalidQuantity | R::QuantityBelowMinimum | R::QuantityAboveMaximum => {
            Error::filter("LOT_SIZE")
        }
        R::NotionalBelowMinimum | R::NotionalAboveMaximum => Error::filter("NOTIONAL"),
        R::PriceOutOfBand => Error::filter("PERCENT_PRICE_BY_SIDE"),
        R::TooManyIcebergParts => Error::filter("ICEBERG_PARTS"),
        R::TooManyOpenOrders => Error::filter("MAX_NUM_ORDERS"),
        R::TooManyWaitingOrders => Error::filter("MAX_NUM_ALGO_ORDERS"),
        R::PositionLimit => Error::filter("MAX_POSITION"),
        R::InvalidTrigger => Error::filter("PRICE_FILTER"),
        R::UnknownAsset | R::InvalidAmount => Error::invalid_data("asset"),
        R::InvalidCombination => Error::invalid_combination(),
        R::NothingToAmend => {
            Error::new(-2038, "The requested action would change no state; rejecting.")
        }
        R::LosesPriority => Error::new(-2038, "Order amend (quantity increase) is not supported."),
        R::QuantityBelowFilled | R::NotAmendable | R::AmendmentInFlight => {
            Error::new(-2038, format!("Order amend rejected: {}", code.text()))
        }
        R::StaleDefinition
        | R::TooManyClientIds
        | R::NoReferencePrice
        | R::BookFull
        | R::TooManyLevels
        | R::NotFillable
        | R::MinimumNotMet
        | R::InvalidExpiry => Error::rejected(code.text()),
        R::Malformed
        | R::AccountExists
        | R::TooManyAccounts
        | R::UnknownPendingDebit
        | R::SameAccount
        | R::ReferenceUsed
        | R::ReferenceGap
        | R::SupplyExceeded
        | R::AlreadyDefined
        | R::InvalidDefinition
        | R::WrongState
        | R::UnknownFeeTier
        | R::PlanRefused
        | R::NotQuarantined
        | R::OperatorRequired
        | R::UnknownProposal
        | R::SameOperator
        | R::CeilingExceeded
        | R::TooManyProposals
        | R::NotApproved
        | R::ApprovalExpired => Error::new(-1000, code.text()),
    }
}

fn of_gateway(code: G) -> Error {
    match code {
        G::Unauthorized | G::UnknownKey | G::Forbidden | G::KeyNotFound => Error::not_permitted(),
        G::BadSignature => Error::new(-1022, "Signature for this request is not valid."),
        G::TimestampOutsideWindow => of_reject(R::Expired),
        G::NotFound | G::MethodNotAllowed | G::NotAvailable => Error::unknown_path(),
        G::BodyTooLarge => Error::with_status(-1130, StatusCode::PAYLOAD_TOO_LARGE, code.text()),
        G::BodyIncomplete => Error::with_status(-1000, StatusCode::REQUEST_TIMEOUT, code.text()),
        G::InvalidJson | G::UnknownField | G::InvalidField => Error::new(-1100, code.text()),
        G::RateLimited => {
            Error::with_status(-1003, StatusCode::TOO_MANY_REQUESTS, "Too many requests.")
        }
        G::AddressHoldsTooMany => {
            let error = Error::with_status(-1003, StatusCode::TOO_MANY_REQUESTS, code.text());
            Error { retry_after: Some(1), ..error }
        }
        G::NotCaughtUp => Error { msg: code.text().into(), ..unavailable(-1001) },
        G::TooManyPending | G::TooManyConnections | G::ShuttingDown | G::StoreUnavailable => {
            unavailable(-1001)
        }
        G::OutcomeUnknown => Error::with_status(
            -1007,
            StatusCode::GATEWAY_TIMEOUT,
            "Timeout waiting for response from backend server. Send status unknown; execution status \
             unknown.",
        ),
        G::ReferenceConflict | G::OutboxBehindLog => Error::new(-1000, code.text()),
        G::Internal => Error::with_status(
            -1000,
            StatusCode::INTERNAL_SERVER_ERROR,
            "An unknown error occurred while processing the request.",
        ),
    }
}

/// Nothing was done; the same request may succeed in a moment.
fn unavailable(code: i32) -> Error {
    let msg = if code == -1008 {
        "Server is currently overloaded with other requests. Please try again in a few minutes."
    } else {
        "Internal error; unable to process your request. Please try again."
    };
    let error = Error::with_status(code, StatusCode::SERVICE_UNAVAILABLE, msg);
    Error { retry_after: Some(1), ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_ours_is_an_error_of_theirs() {
        for &code in R::ALL {
            let error = of_reject(code);
            assert!(error.code <= -1000 && error.status.as_u16() >= 400, "{code}");
        }
        for &code in G::ALL {
            let error = of_gateway(code);
            assert!(error.code <= -1000 && error.status.as_u16() >= 400, "{}", code.name());
        }
    }

    #[test]
    fn texts_that_clients_compare_are_theirs_to_the_letter() {
        for (error, code, msg) in [
            (
                R::InsufficientBalance.into(),
                -2010,
                "Account has insufficient balance for requested action.",
            ),
            (R::WouldMatch.into(), -2010, "Order would immediately match and take."),
            (R::ClientIdReused.into(), -2010, "Duplicate order sent."),
            (R::UnknownOrder.into(), -2011, "Unknown order sent."),
            (Error::no_such_order(), -2013, "Order does not exist."),
            (R::PriceOutOfBand.into(), -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ] {
            assert_eq!((error.code, &*error.msg), (code, msg));
        }
    }
}
