//! Who calls: the key, the request's time, and the signature over exactly the bytes that were received.
//!
//! The order of the checks is the dialect's: a client that is refused for one reason may rely on the ones
//! before it.

use std::sync::Arc;

use axum::http::StatusCode;
use types::Timestamp;

use super::error::Error;
use super::params::Params;
use crate::auth::{Authenticator, Caller, Key};

const MILLI: u64 = 1_000_000;
const DEFAULT_WINDOW: u64 = 5_000 * MILLI;
const LONGEST_WINDOW: u64 = 60_000 * MILLI;
/// How far a client's clock may be ahead.
const AHEAD: u64 = 1_000 * MILLI;

/// What a REST request's signature covers: the query, and behind it the body without a separator, both as
/// received but for the pair `signature=...`.
pub(crate) fn payload(query: &str, body: &[u8]) -> Vec<u8> {
    let mut payload = without_signature(query.as_bytes());
    payload.extend(without_signature(body));
    payload
}

fn without_signature(text: &[u8]) -> Vec<u8> {
    let pairs = text.split(|&byte| byte == b'&').filter(|pair| !pair.starts_with(b"signature="));
    pairs.collect::<Vec<_>>().join(&b'&')
}

/// The key of this name.
///
/// # Errors
/// -2014 if it is none by its form, -2015 if there is no such valid key.
pub(crate) fn key(auth: &Authenticator, name: Option<&str>) -> Result<Arc<Key>, Error> {
    let is_well_formed = |name: &&str| {
        // Keys of before the dialect were shorter.
        let (length, early) = (name.len(), name.starts_with('k') && name.len() == 17);
        (length == 64 || early) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let malformed =
        || Error::with_status(-2014, StatusCode::UNAUTHORIZED, "API-key format invalid.");
    let name = name.filter(is_well_formed).ok_or_else(malformed)?;
    auth.find(name).ok_or_else(Error::not_permitted)
}

/// Who signed `payload` by `key`, if the request's time is near `now`.
///
/// # Errors
/// -1102 without `timestamp` or `signature`, -1131, -1021, -1022.
pub(crate) fn signer(
    key: &Key,
    params: &Params,
    payload: &[u8],
    now: Timestamp,
) -> Result<Caller, Error> {
    params.required("timestamp")?;
    // A plus sign that was not encoded arrives as a space.
    let signature = params.required("signature")?.replace(' ', "+");
    let (signed_at, valid_until) = window(params, now)?;
    if !key.accepts(payload, &signature) {
        return Err(Error::new(-1022, "Signature for this request is not valid."));
    }
    Ok(key.caller(signed_at, valid_until))
}

/// The request's own time and the end of its window, which `now` must lie in.
///
/// # Errors
/// -1102, -1131 or -1021.
pub(crate) fn window(params: &Params, now: Timestamp) -> Result<(Timestamp, Timestamp), Error> {
    let signed_at = params.time("timestamp")?.ok_or_else(|| Error::mandatory("timestamp"))?;
    let window = match params.get("recvWindow") {
        None | Some("") => DEFAULT_WINDOW,
        Some(text) => read_window(text)?,
    };
    if window > LONGEST_WINDOW {
        return Err(Error::new(-1131, "recvWindow must be less than 60000."));
    }
    if signed_at.0 >= now.0.saturating_add(AHEAD) {
        let text = "Timestamp for this request was 1000ms ahead of the server's time.";
        return Err(Error::new(-1021, text));
    }
    let valid_until = signed_at.saturating_add_nanos(window);
    if now > valid_until {
        let text = "Timestamp for this request is outside of the recvWindow.";
        return Err(Error::new(-1021, text));
    }
    Ok((signed_at, valid_until))
}

/// Milliseconds with at most 3 decimals, in nanoseconds.
fn read_window(text: &str) -> Result<u64, Error> {
    let microsecond = types::Decimal::new(1, 3);
    let micros = microsecond.count_u64(text);
    let illegal = || Error::illegal_characters("recvWindow", r"^([0-9]{1,5})(\.[0-9]{1,3})?$");
    micros.map(|micros| micros.saturating_mul(1_000)).map_err(|_| illegal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_query_and_body_without_the_signature() {
        let text =
            |query: &str, body: &str| String::from_utf8(payload(query, body.as_bytes())).unwrap();
        assert_eq!(text("a=1&b=2&signature=x", ""), "a=1&b=2");
        assert_eq!(text("", "a=%20&signature=x&b=2"), "a=%20&b=2");
        assert_eq!(text("signature=x&a=1", "b=2"), "a=1b=2", "no separator between the two");
        assert_eq!(text("signature=x", ""), "");
        assert_eq!(text("xsignature=1", ""), "xsignature=1");
    }

    fn checked(query: &str, now_ms: u64) -> Result<(Timestamp, Timestamp), i32> {
        let params = Params::parse(query, b"").unwrap();
        window(&params, Timestamp(now_ms * MILLI)).map_err(|error| error.code)
    }

    #[test]
    fn a_request_is_taken_within_its_window_only() {
        let at = |ms: u64| Timestamp(ms * MILLI);
        assert_eq!(checked("timestamp=10000", 10_000), Ok((at(10_000), at(15_000))));
        assert!(checked("timestamp=10000", 15_000).is_ok());
        assert_eq!(checked("timestamp=10000", 15_001), Err(-1021));
        assert!(checked("timestamp=10999", 10_000).is_ok());
        assert_eq!(checked("timestamp=11000", 10_000), Err(-1021));
        assert_eq!(
            checked("timestamp=10000&recvWindow=60000", 70_000),
            Ok((at(10_000), at(70_000)))
        );
        assert_eq!(checked("timestamp=10000&recvWindow=60001", 10_000), Err(-1131));
        let micros = "timestamp=1700000000000000&recvWindow=1.5";
        assert!(checked(micros, 1_700_000_000_001).is_ok());
        assert_eq!(checked(micros, 1_700_000_000_002), Err(-1021));
        for (query, code) in
            [("", -1102), ("timestamp=x", -1100), ("timestamp=1&recvWindow=-5", -1100)]
        {
            assert_eq!(checked(query, 1), Err(code), "{query}");
        }
    }
}
