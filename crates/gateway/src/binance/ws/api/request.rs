//! A request: `{"id":1,"method":"order.place","params":{...}}`, and the text that its signature covers.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::binance::error::Error;
use crate::binance::params::Params;

/// Longest text that a client may use as a request's id.
const MAX_ID_LEN: usize = 36;

/// What is said of what is no id: the dialect's words.
const NO_ID: &str = "Invalid 'id' in JSON request; expected an integer, a string matching \
    '^[a-zA-Z0-9-_]{1,36}$', or null.";

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
/// -1135, or -1101 if an object in it has a name twice; with the id, where that can be told.
pub(super) fn parse(text: &str) -> Result<Request, (Value, Error)> {
    let invalid = |what: &'static str| Error::new(-1135, what);
    let fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(text).map_err(|_| (Value::Null, invalid("Invalid JSON Request")))?;
    let doubled: Doubled =
        serde_json::from_str(text).map_err(|_| (Value::Null, invalid("Invalid JSON Request")))?;
    let field = |name: &str| fields.get(name).map_or("null", |raw| raw.get());
    let id = serde_json::from_str(field("id")).ok().filter(is_id);
    let id = id.ok_or_else(|| (Value::Null, invalid(NO_ID)))?;
    if let Doubled(Some(name)) = doubled {
        let why = format!("Duplicate values for parameter '{name}' detected.");
        return Err((id, Error::new(-1101, why)));
    }
    let Ok(method) = serde_json::from_str(field("method")) else {
        return Err((id, invalid("Invalid 'method' in JSON request; expected a string.")));
    };
    let Some(pairs) = pairs(field("params")) else {
        return Err((id, invalid("Invalid 'params' in JSON request; expected an object.")));
    };
    let signed = pairs.iter().filter(|(name, _)| name != "signature");
    let signed: Vec<String> = signed.map(|(name, text)| format!("{name}={text}")).collect();
    let payload = signed.join("&").into_bytes();
    Ok(Request { id, method, params: Params::of_pairs(pairs), payload })
}

/// The first name that an object, at whatever depth, has twice: maps would keep the last silently.
struct Doubled(Option<String>);

impl<'de> Deserialize<'de> for Doubled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Doubled;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Doubled, A::Error> {
        let (mut names, mut found) = (HashSet::new(), None);
        while let Some((name, Doubled(within))) = map.next_entry::<String, Doubled>()? {
            found = found.or(within);
            if names.contains(&name) {
                found = found.or(Some(name));
            } else {
                names.insert(name);
            }
        }
        Ok(Doubled(found))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Doubled, A::Error> {
        let mut found = None;
        while let Some(Doubled(within)) = list.next_element()? {
            found = found.or(within);
        }
        Ok(Doubled(found))
    }

    fn visit_unit<E>(self) -> Result<Doubled, E> {
        Ok(Doubled(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Doubled, E> {
        Ok(Doubled(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Doubled, E> {
        Ok(Doubled(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Doubled, E> {
        Ok(Doubled(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Doubled, E> {
        Ok(Doubled(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Doubled, E> {
        Ok(Doubled(None))
    }
}

/// Whether an id can be echoed as it came, and the dialect takes it.
fn is_id(id: &Value) -> bool {
    let is_in_text = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match id {
        Value::Null => true,
        Value::String(id) => (1..=MAX_ID_LEN).contains(&id.len()) && id.bytes().all(is_in_text),
        Value::Number(id) => id.is_i64() || id.is_u64(),
        _ => false,
    }
}

/// The parameters in the order of their names, as texts.
fn pairs(params: &str) -> Option<Vec<(String, String)>> {
    let params: Option<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(params).ok()?;
    let mut pairs = Vec::new();
    for (name, raw) in params.unwrap_or_default() {
        pairs.extend(text_of(&raw)?.map(|text| (name, text)));
    }
    Some(pairs)
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
            (id, error.msg)
        };
        for text in ["{", "[]", "5"] {
            assert_eq!(refused(text), (Value::Null, "Invalid JSON Request".into()), "{text}");
        }
        let (method, params) = (r#"{"id":7,"params":{}}"#, r#"{"id":7,"method":"a","params":[1]}"#);
        for (text, what) in [(method, "Invalid 'method'"), (params, "Invalid 'params'")] {
            let (id, msg) = refused(text);
            assert!(id == 7 && msg.starts_with(what), "{id}: {msg}");
        }
    }

    #[test]
    fn a_name_twice_in_one_object_is_refused_at_whatever_depth() {
        for (text, name) in [
            (r#"{"id":7,"method":"a","method":"b"}"#, "method"),
            (r#"{"id":7,"method":"a","params":{"price":"1","price":"2"}}"#, "price"),
            (r#"{"id":7,"method":"a","params":{"p":"1","\u0070":2}}"#, "p"),
            (r#"{"id":7,"method":"a","params":{"list":[{"x":{"y":null,"y":[]}}]}}"#, "y"),
            (r#"{"id":7,"method":"a","params":{},"params":{}}"#, "params"),
        ] {
            let (id, error) = parse(text).unwrap_err();
            let why = format!("Duplicate values for parameter '{name}' detected.");
            assert_eq!((id, error.code, &*error.msg), (7.into(), -1101, &*why), "{text}");
        }
        let apart = r#"{"id":7,"method":"a","params":{"id":1.5e3,"a":{"x":true},"b":{"x":-1}}}"#;
        assert!(parse(apart).is_ok(), "the same name in two objects");
    }

    #[test]
    fn ids_are_whole_numbers_texts_of_up_to_36_characters_or_null_and_echoed_as_they_came() {
        let ask = |id: &str| parse(&format!(r#"{{"id":{id},"method":"ping"}}"#));
        let uuid = r#""e2a85d9f-07a5-4f94-8d5f-789dc3deb097""#;
        for id in ["7", "-7", "18446744073709551615", "null", uuid, r#""a_B-9""#] {
            assert_eq!(ask(id).unwrap().id.to_string(), id);
        }
        assert_eq!(parse(r#"{"method":"ping"}"#).unwrap().id, Value::Null);
        let long = format!("\"{}\"", "x".repeat(37));
        let wide = "1180591620717411303424";
        for id in [&long, wide, "1.5", "[]", "true", "\"\"", "\"a b\"", "\"\u{e9}\""] {
            let (echo, error) = ask(id).unwrap_err();
            assert_eq!((echo, error.code, &*error.msg), (Value::Null, -1135, NO_ID), "{id}");
        }
    }
}
