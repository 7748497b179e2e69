//! A request: `{"id":1,"method":"order.place","params":{...}}`, and the text that its signature covers.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::binance::error::Error;
use crate::binance::params::Params;

/// Longest text that a client may use as a request's id.
const MAX_ID_LEN: usize = 64;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    /// The client's name for it, echoed as it came.
    pub(super) id: Value,
    /// What is asked.
    pub(super) method: String,
    /// With what.
    pub(super) params: Params,
    /// What a signature covers: all parameters but itself by name, as they were written.
    pub(super) payload: Vec<u8>,
}

/// Reads a request.
///
/// # Errors
/// -1135 with the id, where that can be told.
pub(super) fn parse(text: &str) -> Result<Request, (Value, Error)> {
    let invalid = || Error::new(-1135, "Invalid JSON Request");
    let nameless = || (Value::Null, invalid());
    let fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(text).map_err(|_| nameless())?;
    let field = |name: &str| fields.get(name).map_or("null", |raw| raw.get());
    let id = match serde_json::from_str(field("id")) {
        Ok(Value::String(id)) if id.len() > MAX_ID_LEN => return Err(nameless()),
        // It could not be said again as it came.
        Ok(Value::Number(id)) if id.is_f64() => return Err(nameless()),
        Ok(id @ (Value::Null | Value::String(_) | Value::Number(_))) => id,
        _ => return Err(nameless()),
    };
    let read = || -> Option<(String, Vec<(String, String)>)> {
        let method = serde_json::from_str(field("method")).ok()?;
        let params: Option<BTreeMap<String, Box<RawValue>>> =
            serde_json::from_str(field("params")).ok()?;
        let mut pairs = Vec::new();
        for (name, raw) in params.unwrap_or_default() {
            pairs.extend(text_of(&raw)?.map(|text| (name, text)));
        }
        Some((method, pairs))
    };
    let Some((method, pairs)) = read() else {
        return Err((id, invalid()));
    };
    let signed = pairs.iter().filter(|(name, _)| name != "signature");
    let signed: Vec<String> = signed.map(|(name, text)| format!("{name}={text}")).collect();
    let payload = signed.join("&").into_bytes();
    Ok(Request { id, method, params: Params::of_pairs(pairs), payload })
}

/// A parameter as text: a number as it was written, so that a signature over it holds. None for null; nothing
/// if it cannot be read.
fn text_of(raw: &RawValue) -> Option<Option<String>> {
    let literal = raw.get();
    Some(match literal.as_bytes().first()? {
        b'n' => None,
        b'"' => Some(serde_json::from_str(literal).ok()?),
        b'[' | b'{' => {
            let value: Value = serde_json::from_str(literal).ok()?;
            Some(value.to_string())
        }
        _ => Some(literal.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_text_has_every_parameter_by_name_as_it_was_written() {
        let text = r#"{"id":"x","method":"order.place","params":{
            "symbol":"BTCUSDT","quantity":0.10,"signature":"s","price":"1.50","none":null,
            "flag":false,"symbols":["A", "B"],"name":"\u00e9"}}"#;
        let request = parse(text).unwrap();
        assert_eq!((request.id, request.method.as_str()), (Value::from("x"), "order.place"));
        let payload = String::from_utf8(request.payload).unwrap();
        let expected = "flag=false&name=\u{e9}&price=1.50&quantity=0.10&symbol=BTCUSDT\
            &symbols=[\"A\",\"B\"]";
        assert_eq!(payload, expected);
        assert_eq!(request.params.get("signature"), Some("s"));
        assert_eq!(request.params.get("none"), None);
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_id_where_it_has_one() {
        let refused = |text: &str| {
            let (id, error) = parse(text).unwrap_err();
            assert_eq!(error.code, -1135);
            id
        };
        let long = format!(r#"{{"id":"{}","method":"ping"}}"#, "x".repeat(65));
        let wide = r#"{"id":1180591620717411303424,"method":"ping"}"#;
        for text in ["{", "[]", "5", r#"{"id":[],"method":"ping"}"#, &long, wide] {
            assert_eq!(refused(text), Value::Null, "{text}");
        }
        assert_eq!(refused(r#"{"id":7,"params":{}}"#), Value::from(7));
        assert_eq!(refused(r#"{"id":7,"method":"ping","params":[1]}"#), Value::from(7));
        assert_eq!(parse(r#"{"method":"ping"}"#).unwrap().id, Value::Null);
    }
}
