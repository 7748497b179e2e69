//! One shape for every error: `{"error":{"code","number","message","retryable","request_id"}}`.
//!
//! Codes below 1000 are the engine's ([`RejectCode`]); the gateway's own ([`GatewayCode`]) start
//! there. An error is a value until the outermost layer writes its body (see `http::finish`), since
//! only that layer knows the request id.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use types::RejectCode;

macro_rules! gateway_codes {
    ($($name:ident = $number:literal, $status:ident, retryable: $retryable:literal, $text:literal;)*) => {
        /// Why the gateway refused a request or cannot tell its outcome.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum GatewayCode {
            $(#[doc = $text] $name,)*
        }

        impl GatewayCode {
            /// Every code, by rising number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable number, from 1000.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// One sentence for people.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// Whether the same request may succeed later without a change of its own.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)* }
            }
        }
    };
}

gateway_codes! {
    Unauthorized = 1000, UNAUTHORIZED, retryable: false, "The request needs a signature: a header is missing or not well formed.";
    UnknownKey = 1001, UNAUTHORIZED, retryable: false, "There is no such API key, or it was revoked.";
    BadSignature = 1002, UNAUTHORIZED, retryable: false, "The signature does not fit the request.";
    TimestampOutsideWindow = 1003, UNAUTHORIZED, retryable: true, "The request's timestamp is too far from the server's time.";
    Forbidden = 1004, FORBIDDEN, retryable: false, "The API key does not have the permission.";
    KeyNotFound = 1005, NOT_FOUND, retryable: false, "There is no such API key.";
    NotFound = 1010, NOT_FOUND, retryable: false, "There is nothing at this path.";
    MethodNotAllowed = 1011, METHOD_NOT_ALLOWED, retryable: false, "The path does not answer this method.";
    NotAvailable = 1013, NOT_FOUND, retryable: false, "This exchange is not configured for it.";
    BodyTooLarge = 1020, PAYLOAD_TOO_LARGE, retryable: false, "The body is larger than the limit.";
    BodyIncomplete = 1021, REQUEST_TIMEOUT, retryable: true, "The body did not arrive whole in time.";
    InvalidJson = 1022, BAD_REQUEST, retryable: false, "The body is not a well-formed JSON object.";
    UnknownField = 1023, BAD_REQUEST, retryable: false, "The request has a field that is not known here.";
    InvalidField = 1024, BAD_REQUEST, retryable: false, "A field is missing or has a value that it cannot have.";
    RateLimited = 1030, TOO_MANY_REQUESTS, retryable: true, "Too many requests.";
    TooManyPending = 1031, SERVICE_UNAVAILABLE, retryable: true, "The gateway has as many unanswered commands as it may; nothing was done.";
    TooManyConnections = 1032, SERVICE_UNAVAILABLE, retryable: true, "The gateway has as many connections as it may.";
    AddressHoldsTooMany = 1033, TOO_MANY_REQUESTS, retryable: true, "The client's address holds as many connections open as it may.";
    OutcomeUnknown = 1040, GATEWAY_TIMEOUT, retryable: false, "The exchange did not answer in time. The command may or may not take effect: ask by client order id or reference, or repeat it with the same one.";
    NotCaughtUp = 1041, SERVICE_UNAVAILABLE, retryable: true, "The data has not reached the entry asked for yet.";
    ShuttingDown = 1042, SERVICE_UNAVAILABLE, retryable: true, "The gateway is shutting down; nothing was done.";
    StoreUnavailable = 1043, SERVICE_UNAVAILABLE, retryable: true, "The database did not answer.";
    ReferenceConflict = 1050, CONFLICT, retryable: false, "This reference was used for something else.";
    OutboxBehindLog = 1051, CONFLICT, retryable: false, "The log has external transfers that directory.sqlite does not know: restore it from its backup.";
    Internal = 1099, INTERNAL_SERVER_ERROR, retryable: false, "The gateway failed; the operator's log knows more under the request id.";
}

/// A code of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The engine rejected the command.
    Rejected(RejectCode),
    /// The gateway refused the request.
    Gateway(GatewayCode),
}

impl ErrorCode {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected(code) => code.name(),
            Self::Gateway(code) => code.name(),
        }
    }

    /// The stable number.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Rejected(code) => code.number(),
            Self::Gateway(code) => code.number(),
        }
    }

    /// One sentence for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Rejected(code) => code.text(),
            Self::Gateway(code) => code.text(),
        }
    }

    /// Whether the same request may succeed later without a change of its own. What does not exist is
    /// not remembered under a client id, and yet nobody should wait for it to come.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        use RejectCode as R;
        match self {
            Self::Rejected(
                R::UnknownAccount | R::UnknownMarket | R::UnknownOrder | R::UnknownAsset,
            ) => false,
            Self::Rejected(code) => code.is_retryable(),
            Self::Gateway(code) => code.is_retryable(),
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Rejected(code) => status_of_reject(code),
            Self::Gateway(code) => code.status(),
        }
    }
}

/// A reject code's HTTP status: malformed requests are 400, what clashes with the state of things
/// 409, what does not exist 404, what the rules refuse 422, and load 503.
#[must_use]
pub const fn status_of_reject(code: RejectCode) -> StatusCode {
    use RejectCode as R;
    match code {
        R::Malformed
        | R::InvalidPrice
        | R::InvalidQuantity
        | R::InvalidCombination
        | R::InvalidTrigger
        | R::InvalidExpiry
        | R::InvalidVisibleQuantity
        | R::InvalidAmount
        | R::InvalidDefinition
        | R::SameAccount => StatusCode::BAD_REQUEST,
        R::UnknownAccount
        | R::UnknownMarket
        | R::UnknownOrder
        | R::UnknownAsset
        | R::UnknownFeeTier
        | R::UnknownPendingDebit
        | R::UnknownProposal => StatusCode::NOT_FOUND,
        R::AccountFrozen | R::OperatorRequired | R::SameOperator => StatusCode::FORBIDDEN,
        R::Expired
        | R::AmendmentInFlight
        | R::ClientIdInFlight
        | R::ClientIdReused
        | R::AccountExists
        | R::StaleDefinition
        | R::ReferenceUsed
        | R::ReferenceGap
        | R::AlreadyDefined
        | R::WrongState
        | R::NotQuarantined
        | R::PlanRefused
        | R::NotApproved
        | R::ApprovalExpired => StatusCode::CONFLICT,
        R::TooManyClientIds | R::TooManyOpenOrders | R::TooManyProposals => {
            StatusCode::TOO_MANY_REQUESTS
        }
        R::Overloaded | R::WrongPartition | R::ComponentQuarantined => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        R::TooManyAccounts
        | R::MarketHalted
        | R::MarketCancelOnly
        | R::MarketClosed
        | R::NotDuringAuction
        | R::NoReferencePrice
        | R::TooManyWaitingOrders
        | R::MarketDelisted
        | R::BookFull
        | R::TooManyLevels
        | R::WouldMatch
        | R::WouldTrigger
        | R::MinimumNotMet
        | R::NotAmendable
        | R::NotFillable
        | R::NoLiquidity
        | R::NothingToAmend
        | R::LosesPriority
        | R::QuantityBelowFilled
        | R::QuantityBelowMinimum
        | R::QuantityAboveMaximum
        | R::NotionalBelowMinimum
        | R::NotionalAboveMaximum
        | R::PriceOutOfBand
        | R::TooManyIcebergParts
        | R::PositionLimit
        | R::InsufficientBalance
        | R::SupplyExceeded
        | R::CeilingExceeded => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// A refused or failed request.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {}", code.name(), self.message())]
pub struct ApiError {
    /// Why.
    pub code: ErrorCode,
    /// What in particular, instead of the code's own sentence.
    pub detail: Option<Cow<'static, str>>,
    /// After how many seconds it may be worth another try, where the code says that it may be at all.
    pub retry_after: u64,
}

impl ApiError {
    /// An error with a sentence of its own.
    pub fn with(code: GatewayCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..code.into() }
    }

    /// A field has a value that it cannot have.
    #[must_use]
    pub fn invalid_field(name: &str, why: impl std::fmt::Display) -> Self {
        Self::with(GatewayCode::InvalidField, format!("{name}: {why}"))
    }

    /// The same code with a sentence of its own.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, worth another try after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = seconds;
        self
    }

    /// The text for people.
    #[must_use]
    pub fn message(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.code.text())
    }
}

impl From<GatewayCode> for ApiError {
    fn from(code: GatewayCode) -> Self {
        Self { code: ErrorCode::Gateway(code), detail: None, retry_after: 1 }
    }
}

impl From<RejectCode> for ApiError {
    fn from(code: RejectCode) -> Self {
        Self { code: ErrorCode::Rejected(code), detail: None, retry_after: 1 }
    }
}

/// A bare status that carries the error: the outermost layer writes the body.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateway_numbers_rise_and_lie_above_the_engines() {
        let numbers: Vec<u16> = GatewayCode::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        let engines = RejectCode::ALL.iter().map(|code| code.number()).max();
        assert!(numbers[0] >= 1000 && engines < Some(1000));
    }

    #[test]
    fn what_does_not_exist_is_nothing_to_wait_for() {
        for &code in RejectCode::ALL {
            let is_unknown = status_of_reject(code) == StatusCode::NOT_FOUND;
            assert!(!(is_unknown && ErrorCode::Rejected(code).is_retryable()), "{code}");
        }
    }

    #[test]
    fn no_error_has_a_status_of_success() {
        for &code in RejectCode::ALL {
            assert!(status_of_reject(code).as_u16() >= 400, "{code}");
        }
    }
}
