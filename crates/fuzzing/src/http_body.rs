//! Bodies of HTTP requests, of every kind: whatever they are, they are read or refused in words; what is
//! read goes through the log unchanged, and the engine answers it once.

use borsh::BorshDeserialize;
use gateway::ErrorCode;
use types::Request;

use crate::input::Input;
use crate::venues;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kind = input.byte() % gateway::fuzzing::BODIES;
    venues::with_market(|market| match gateway::fuzzing::body(kind, input.0, market) {
        Ok(Some(request)) => submit(&request),
        Ok(None) => {}
        Err(error) => {
            assert!(!error.message().is_empty());
            let is_internal =
                matches!(error.code, ErrorCode::Gateway(code) if code.status().is_server_error());
            assert!(!is_internal, "{error:?}");
        }
    });
}

/// Encodes the request, reads it back, and gives it to a small exchange.
pub fn submit(request: &Request) {
    let bytes = borsh::to_vec(request).expect("memory takes all");
    assert_eq!(Request::try_from_slice(&bytes).ok().as_ref(), Some(request));
    let mut venue = venues::founded();
    venue.submit(request.clone());
    venue.settle();
    venue.assert_quiet();
}
