//! What a client of the streams asks: `{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}`, and how it
//! is answered.

use serde::Serialize;
use serde_json::{Map, Value};
use websocket::Text;

use crate::ws::message::to_text;

/// Longest text that a client may use as a request's id.
const MAX_ID_LEN: usize = 36;
/// Longest name that is remembered; no stream has one as long.
const MAX_NAME_LEN: usize = 128;

/// A request.
#[derive(Debug, PartialEq)]
pub(super) enum Control {
    /// Begin to receive these streams.
    Subscribe(Vec<String>),
    /// Receive them no more.
    Unsubscribe(Vec<String>),
    /// Which are subscribed?
    List,
    /// Names around the messages, or none.
    SetCombined(bool),
    /// Are there names?
    GetCombined,
}

/// Why a request is none.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    code: u8,
    msg: String,
}

impl Refusal {
    /// The property is unknown.
    fn unknown_property() -> Self {
        Self { code: 0, msg: "Unknown property".to_owned() }
    }

    /// The request is not as it should be.
    pub(super) fn invalid(what: impl std::fmt::Display) -> Self {
        Self { code: 2, msg: format!("Invalid request: {what}") }
    }
}

#[derive(Serialize)]
struct Answer<'a, T> {
    result: T,
    id: &'a Value,
}

#[derive(Serialize)]
struct Failure<'a> {
    error: &'a Refusal,
    id: &'a Value,
}

/// The answer to a request.
pub(super) fn answer(id: &Value, result: impl Serialize) -> Text {
    to_text(&Answer { result, id })
}

/// The answer to what is no request.
pub(super) fn failure(id: &Value, error: &Refusal) -> Text {
    to_text(&Failure { error, id })
}

/// Reads a request, and its id, which is echoed as it came.
pub(super) fn parse(text: &str) -> (Value, Result<Control, Refusal>) {
    let mut fields: Map<String, Value> = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return (Value::Null, Err(Refusal::invalid("an object is expected"))),
        Err(error) => {
            return (Value::Null, Err(Refusal { code: 3, msg: format!("Invalid JSON: {error}") }));
        }
    };
    let id = match fields.remove("id").unwrap_or_default() {
        Value::String(id) if id.len() > MAX_ID_LEN => None,
        Value::Number(id) if !(id.is_i64() || id.is_u64()) => None,
        id @ (Value::Null | Value::String(_) | Value::Number(_)) => Some(id),
        _ => None,
    };
    match id {
        Some(id) => (id, control(&mut fields)),
        None => {
            let what = "request ID must be an unsigned integer, a string of at most 36, or null";
            (Value::Null, Err(Refusal::invalid(what)))
        }
    }
}

fn control(fields: &mut Map<String, Value>) -> Result<Control, Refusal> {
    let params = fields.remove("params").unwrap_or_default();
    match fields.remove("method") {
        None => Err(Refusal::invalid("missing field `method`")),
        Some(Value::String(method)) => match method.as_str() {
            "SUBSCRIBE" => Ok(Control::Subscribe(names(params)?)),
            "UNSUBSCRIBE" => Ok(Control::Unsubscribe(names(params)?)),
            "LIST_SUBSCRIPTIONS" => Ok(Control::List),
            "SET_PROPERTY" => match property(params, 2)? {
                Some(Value::Bool(combined)) => Ok(Control::SetCombined(combined)),
                _ => {
                    let msg = "Invalid value type: expected Boolean".to_owned();
                    Err(Refusal { code: 1, msg })
                }
            },
            "GET_PROPERTY" => property(params, 1).map(|_| Control::GetCombined),
            other => Err(Refusal::invalid(format_args!(
                "unknown variant `{other:.40}`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, \
                 `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
            ))),
        },
        Some(_) => Err(Refusal::invalid("method must be a string")),
    }
}

/// Names of streams, as many as there are.
fn names(params: Value) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::invalid("params must be an array of stream names");
    let Value::Array(params) = params else {
        return Err(wrong());
    };
    let name = |param| match param {
        Value::String(name) if name.len() <= MAX_NAME_LEN => Ok(name),
        _ => Err(wrong()),
    };
    params.into_iter().map(name).collect()
}

/// The value behind the name of the one property that there is.
fn property(params: Value, most: usize) -> Result<Option<Value>, Refusal> {
    let mut params = match params {
        Value::Array(params) if params.len() > most => {
            return Err(Refusal::invalid("too many parameters"));
        }
        Value::Array(params) => params.into_iter(),
        _ => Vec::new().into_iter(),
    };
    match params.next() {
        Some(Value::String(name)) if name == "combined" => Ok(params.next()),
        Some(Value::String(_)) => Err(Refusal::unknown_property()),
        _ => Err(Refusal::invalid("property name must be a string")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_with_ids_of_every_type() {
        let text = r#"{"method":"SUBSCRIBE","params":["a@trade","x"],"id":"u-1"}"#;
        let subscribe = Control::Subscribe(vec!["a@trade".into(), "x".into()]);
        assert_eq!(parse(text), (Value::from("u-1"), Ok(subscribe)));
        for id in [r#"7"#, "-7", "null", "18446744073709551615"] {
            let text = format!(r#"{{"method":"LIST_SUBSCRIPTIONS","id":{id}}}"#);
            let (echo, control) = parse(&text);
            assert_eq!((echo.to_string().as_str(), control), (id, Ok(Control::List)));
        }
        let set = r#"{"id":1,"method":"SET_PROPERTY","params":["combined",true]}"#;
        assert_eq!(parse(set).1, Ok(Control::SetCombined(true)));
        let get = r#"{"id":1,"method":"GET_PROPERTY","params":["combined"]}"#;
        assert_eq!(parse(get).1, Ok(Control::GetCombined));
    }

    #[test]
    fn what_is_no_request_is_refused_with_a_code() {
        for (text, code) in [
            ("{", 3),
            ("[]", 2),
            (r#"{"id":1}"#, 2),
            (r#"{"id":1.5,"method":"LIST_SUBSCRIPTIONS"}"#, 2),
            (r#"{"id":{},"method":"LIST_SUBSCRIPTIONS"}"#, 2),
            (r#"{"id":"1234567890123456789012345678901234567","method":"LIST_SUBSCRIPTIONS"}"#, 2),
            (r#"{"id":1,"method":"DANCE"}"#, 2),
            (r#"{"id":1,"method":5}"#, 2),
            (r#"{"id":1,"method":"SUBSCRIBE"}"#, 2),
            (r#"{"id":1,"method":"SUBSCRIBE","params":[1]}"#, 2),
            (r#"{"id":1,"method":"SET_PROPERTY","params":["combined","yes"]}"#, 1),
            (r#"{"id":1,"method":"SET_PROPERTY","params":["combined",true,1]}"#, 2),
            (r#"{"id":1,"method":"SET_PROPERTY","params":["colour",true]}"#, 0),
            (r#"{"id":1,"method":"GET_PROPERTY","params":[1]}"#, 2),
        ] {
            assert_eq!(parse(text).1.unwrap_err().code, code, "{text}");
        }
    }
}
