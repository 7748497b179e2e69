//! JSON as clients see it, and its conversion from and to the vocabulary of the exchange.
//!
//! [`request`] turns texts into ticks, lots and atoms; [`answer`] turns them back. Prices, quantities
//! and amounts are decimal strings, ids are numbers, times are milliseconds since the Unix epoch.
//! Nothing else in the workspace knows these shapes.

pub(crate) mod answer;
pub(crate) mod error;
pub(crate) mod fees;
pub(crate) mod request;
pub(crate) mod rules;
pub(crate) mod word;

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::error::{ApiError, GatewayCode};

/// Reads a body, which is an object. Unknown fields are refused wherever the type says so.
///
/// # Errors
/// [`GatewayCode::InvalidJson`], [`GatewayCode::UnknownField`] or [`GatewayCode::InvalidField`].
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // Serde would read a struct from a list as well.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let failure = match serde_json::from_slice(body) {
        Ok(value) if is_object => return Ok(value),
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            Category::Data => "a JSON object is expected".to_owned(),
            Category::Syntax | Category::Eof | Category::Io => {
                format!("a JSON object is expected: {error}")
            }
        };
        ApiError::with(GatewayCode::InvalidJson, what)
    })?;
    match read_fields::<T>(fields) {
        Err(error) => Err(error),
        // Only a field that is there twice is lost on the way to a map.
        Ok(_) => Err(ApiError::with(GatewayCode::InvalidField, failure)),
    }
}

/// Reads the fields of an object.
///
/// # Errors
/// [`GatewayCode::UnknownField`] or [`GatewayCode::InvalidField`], with the field's name.
pub(crate) fn read_fields<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, ApiError> {
    let object = Value::Object(fields);
    T::deserialize(&object).map_err(|error| {
        let text = error.to_string();
        if text.starts_with("unknown field") {
            return ApiError::with(GatewayCode::UnknownField, text);
        }
        match object.as_object().and_then(|fields| culprit::<T>(fields, &text)) {
            Some(name) => ApiError::invalid_field(name, plain(&text)),
            None => ApiError::with(GatewayCode::InvalidField, plain(&text)),
        }
    })
}

/// The field that a complaint is about: alone it gives the same one. None if one is missing, which the
/// complaint names.
fn culprit<'a, T: DeserializeOwned>(fields: &'a Map<String, Value>, text: &str) -> Option<&'a str> {
    let complains = |(name, value): &(&String, &Value)| {
        let alone = Value::Object(Map::from_iter([((*name).clone(), (*value).clone())]));
        T::deserialize(&alone).is_err_and(|error| error.to_string() == text)
    };
    if text.starts_with("missing field") {
        return None;
    }
    fields.iter().find(complains).map(|(name, _)| name.as_str())
}

/// A complaint in the words of JSON: names of this code's types say nothing to a client.
fn plain(text: &str) -> String {
    if text.contains("untagged enum") {
        return "not a value that it can have".to_owned();
    }
    let Some((found, expected)) = text.split_once(", expected ") else {
        return text.to_owned();
    };
    let expected = match expected {
        "a string" | "string or map" => "a text",
        "a sequence" => "a list",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number in range",
        other if other.starts_with("struct ") => "an object",
        other if other.starts_with("enum ") => "a text",
        other => other,
    };
    format!("{found}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::request::{CreateKeyBody, ListMarketBody, PlaceOrderBody};

    fn said<T: DeserializeOwned>(body: &str) -> String {
        match read_json::<T>(body.as_bytes()) {
            Ok(_) => panic!("{body} is taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_no_object_is_called_that_and_nothing_else() {
        let orders = r#"["BTC-USDT","buy","limit","1","1",null,null,null,false,null,null,null]"#;
        for body in ["[]", "null", "5", "\"x\"", " [1]", orders] {
            let expected = "InvalidJson: a JSON object is expected";
            assert_eq!(said::<PlaceOrderBody>(body), expected, "{body}");
        }
        for body in ["", "{", "{\"a\":1,}", "{} {}", "\u{feff}{}"] {
            let said = said::<PlaceOrderBody>(body);
            assert!(said.starts_with("InvalidJson: a JSON object is expected: "), "{said}");
        }
    }

    #[test]
    fn a_wrong_field_is_named_in_words_of_json() {
        let order = |field: &str| {
            said::<PlaceOrderBody>(&format!(r#"{{"market":"M",{field},"type":"limit"}}"#))
        };
        let sided = |field: &str| order(&format!(r#""side":"buy",{field}"#));
        for (said, expected) in [
            (order(r#""side":"long""#), "side: unknown variant `long`, expected `buy` or `sell`"),
            (order(r#""side":5"#), "side: invalid type: integer `5`, expected a text"),
            (order(r#""side":null"#), "side: invalid type: null, expected a text"),
            (sided(r#""price":5"#), "price: invalid type: integer `5`, expected a text"),
            (sided(r#""price":["5"]"#), "price: invalid type: sequence, expected a text"),
            (
                sided(r#""post_only":"no""#),
                "post_only: invalid type: string \"no\", expected a boolean",
            ),
            (
                sided(r#""valid_for_ms":-1"#),
                "valid_for_ms: invalid value: integer `-1`, expected a whole number in range",
            ),
            (order(r#""price":"1""#), "missing field `side`"),
        ] {
            assert_eq!(said, format!("InvalidField: {expected}"));
        }
        let twice = sided(r#""price":"1","price":"2""#);
        assert!(twice.starts_with("InvalidField: duplicate field `price`"), "{twice}");
        let unknown = sided(r#""leverage":5"#);
        assert!(unknown.starts_with("UnknownField: unknown field `leverage`"), "{unknown}");
        let said = [
            said::<CreateKeyBody>(r#"{"permissions":"read"}"#),
            said::<CreateKeyBody>(r#"{"permissions":["fly"]}"#),
            said::<ListMarketBody>(r#"{"symbol":{}}"#),
        ];
        assert_eq!(
            said[0],
            "InvalidField: permissions: invalid type: string \"read\", expected a list"
        );
        assert!(
            said[1].starts_with("InvalidField: permissions: unknown variant `fly`"),
            "{}",
            said[1]
        );
        assert_eq!(said[2], "InvalidField: symbol: invalid type: map, expected a text");
    }
}
