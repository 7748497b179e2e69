//! What a client says: `{"id":1,"op":"subscribe","channels":["depth:BTC-USDT"]}`, and the frame of
//! what it is answered: `{"id":1,"op":"subscribe","status":200,"result":{...}}`, or `"error"`
//! instead of `"result"`.
//!
//! The order verbs take the fields of their REST bodies and are answered with the same bodies. Lists of orders are
//! cut into texts here and read one by one later: what is wrong with one of them does not concern the others.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use types::{PartitionId, Seq};

use crate::error::{ApiError, GatewayCode};
use crate::limits::Class;
use crate::orders::MOST_IN_BATCH;
use crate::shedding::Kind;
use crate::wire::read_fields;

/// Longest text that a client may use as a request's id.
const MAX_ID_LEN: usize = 64;

/// A request of a client.
#[derive(Debug)]
pub struct Request {
    /// The client's name for it, echoed: a string or a whole number.
    pub id: Value,
    /// What is asked.
    pub op: Op,
}

impl Request {
    /// As how many requests it counts where they are limited.
    #[must_use]
    pub fn weight(&self) -> usize {
        match &self.op {
            Op::Batch(_, orders) => orders.len(),
            _ => 1,
        }
    }
}

/// What a client can ask.
#[derive(Debug)]
pub enum Op {
    /// Begin to receive channels.
    Subscribe(Subscribe),
    /// Stop receiving channels.
    Unsubscribe(Unsubscribe),
    /// Which channels are subscribed?
    List,
    /// Is anybody there?
    Ping,
    /// Prove who is calling.
    Login(Login),
    /// An order verb with the fields of its body.
    Order(OrderOp, Map<String, Value>),
    /// A verb for several orders, 1 to [`MOST_IN_BATCH`], each as a text.
    Batch(BatchOp, Vec<Box<RawValue>>),
}

/// The verbs for several orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchOp {
    /// New orders.
    Place,
    /// Cancels, by order id or by the client's.
    Cancel,
}

/// The order verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderOp {
    /// A new order.
    Place,
    /// Another price or quantity.
    Amend,
    /// Cancel by order id.
    Cancel,
    /// Cancel by the client's id.
    CancelByClientId,
    /// Cancel all of a market.
    CancelAll,
    /// Cancel one and place another.
    Replace,
    /// The dead man's switch.
    SetCountdown,
    /// Orders that depend on each other.
    PlaceList,
    /// Cancel a list.
    CancelList,
}

/// Fields of `subscribe`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// Names of channels.
    pub channels: Vec<String>,
    /// What the client has already, of all these channels.
    #[serde(default)]
    resume_from: Option<Value>,
}

/// Fields of `unsubscribe`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsubscribe {
    /// Names of channels.
    pub channels: Vec<String>,
}

/// Fields of `login`: the signature of `GET /v1/ws` with an empty body, as REST defines it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The key's public name.
    pub key: String,
    /// Milliseconds since the Unix epoch, a number or a text.
    pub timestamp: Number,
    /// Milliseconds that the login request is valid for.
    #[serde(default)]
    pub window: Option<Number>,
    /// In hexadecimal, or base64 for Ed25519.
    pub signature: String,
}

/// A number, or its text: what is signed is the text.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// `1700000000000`
    Number(u64),
    /// `"1700000000000"`
    Text(String),
}

impl Number {
    /// As it is signed.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// What a client has of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResumeFrom {
    /// Everything up to this entry, of the market's partition.
    Seq(Seq),
    /// Everything up to these entries, by partition.
    Partitions(BTreeMap<PartitionId, Seq>),
}

impl ResumeFrom {
    /// What the client has of a partition, if it said so.
    #[must_use]
    pub fn of(&self, partition: PartitionId) -> Option<Seq> {
        match self {
            Self::Seq(seq) => Some(*seq),
            Self::Partitions(map) => map.get(&partition).copied(),
        }
    }
}

impl Subscribe {
    /// What the client has, if it said so.
    ///
    /// # Errors
    /// `resume_from` is neither a number nor an object of numbers by partition.
    pub fn resume_from(&self) -> Result<Option<ResumeFrom>, ApiError> {
        let wrong = || {
            ApiError::invalid_field(
                "resume_from",
                "a seq, or for private channels an object of seqs by partition, is expected",
            )
        };
        match &self.resume_from {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(partition, seq)| {
                    let partition = partition.parse().map_err(|_| wrong())?;
                    Ok((PartitionId(partition), Seq(seq.as_u64().ok_or_else(wrong)?)))
                })
                .collect::<Result<_, _>>()
                .map(|map| Some(ResumeFrom::Partitions(map))),
            Some(value) => {
                let seq = value.as_u64().ok_or_else(wrong)?;
                Ok(Some(ResumeFrom::Seq(Seq(seq))))
            }
        }
    }
}

impl Op {
    /// Its name on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Subscribe(_) => "subscribe",
            Self::Unsubscribe(_) => "unsubscribe",
            Self::List => "list",
            Self::Ping => "ping",
            Self::Login(_) => "login",
            Self::Order(op, _) => op.name(),
            Self::Batch(op, _) => op.name(),
        }
    }

    /// As far as admission goes. Whoever has a socket need not read over HTTP: subscriptions are spared.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Order(op, _) if op.class() == Class::Orders => Kind::Order,
            Self::Batch(BatchOp::Place, _) => Kind::Order,
            Self::Order(..)
            | Self::Batch(BatchOp::Cancel, _)
            | Self::Subscribe(_)
            | Self::Unsubscribe(_)
            | Self::List
            | Self::Ping
            | Self::Login(_) => Kind::Spared,
        }
    }
}

impl BatchOp {
    const ALL: [Self; 2] = [Self::Place, Self::Cancel];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Place => "place_orders",
            Self::Cancel => "cancel_orders",
        }
    }
}

impl OrderOp {
    /// As limits go.
    pub(crate) fn class(self) -> Class {
        match self {
            Self::Place | Self::Amend | Self::Replace | Self::PlaceList => Class::Orders,
            Self::Cancel
            | Self::CancelByClientId
            | Self::CancelAll
            | Self::CancelList
            | Self::SetCountdown => Class::Other,
        }
    }

    const ALL: [Self; 9] = [
        Self::Place,
        Self::Amend,
        Self::Cancel,
        Self::CancelByClientId,
        Self::CancelAll,
        Self::Replace,
        Self::SetCountdown,
        Self::PlaceList,
        Self::CancelList,
    ];

    /// Its name on the wire: that of the command.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Place => "place_order",
            Self::Amend => "amend_order",
            Self::Cancel => "cancel_order",
            Self::CancelByClientId => "cancel_by_client_id",
            Self::CancelAll => "cancel_all",
            Self::Replace => "replace_order",
            Self::SetCountdown => "set_countdown",
            Self::PlaceList => "place_order_list",
            Self::CancelList => "cancel_order_list",
        }
    }
}

/// A message that is no request, with the id that it carried, if it carried one.
#[derive(Debug)]
pub struct BadRequest {
    /// The id, or null.
    pub id: Value,
    /// What is wrong.
    pub error: ApiError,
}

/// An object, as far as it is looked at before the operation is known.
struct Message {
    /// The field `orders`, if it is a list.
    orders: Option<Vec<Box<RawValue>>>,
    /// All others.
    fields: Map<String, Value>,
}

/// The field that is not read at once.
const ORDERS: &str = "orders";

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Message;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message, A::Error> {
                let mut message = Message { orders: None, fields: Map::new() };
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    if name == ORDERS {
                        message.orders = Some(map.next_value()?);
                    } else {
                        message.fields.insert(name.into_owned(), map.next_value()?);
                    }
                }
                Ok(message)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl Message {
    fn read(text: &str) -> serde_json::Result<Self> {
        match serde_json::from_str(text) {
            // Perhaps only `orders` is no list, which is said once the operation is known.
            Err(_) => serde_json::from_str(text).map(|fields| Self { orders: None, fields }),
            read => read,
        }
    }
}

/// Reads a request.
///
/// # Errors
/// What is wrong with it, with its id where that can be told.
pub fn parse(text: &str) -> Result<Request, BadRequest> {
    let nameless = |error| BadRequest { id: Value::Null, error };
    let mut message = Message::read(text).map_err(|error| {
        let what = format!("a JSON object is expected: {error}");
        nameless(ApiError::with(GatewayCode::InvalidJson, what))
    })?;
    let id = match message.fields.remove("id") {
        Some(Value::String(id)) if id.len() <= MAX_ID_LEN => Value::String(id),
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Value::Number(id),
        _ => {
            let what = format!("a whole number or a text of up to {MAX_ID_LEN} bytes is expected");
            return Err(nameless(ApiError::invalid_field("id", what)));
        }
    };
    match parse_op(message) {
        Ok(op) => Ok(Request { id, op }),
        Err(error) => Err(BadRequest { id, error }),
    }
}

fn parse_op(message: Message) -> Result<Op, ApiError> {
    let Message { orders, mut fields } = message;
    let Some(Value::String(name)) = fields.remove("op") else {
        return Err(ApiError::invalid_field("op", "the name of an operation is expected"));
    };
    if let Some(op) = BatchOp::ALL.into_iter().find(|op| op.name() == name) {
        let orders = orders.filter(|orders| (1..=MOST_IN_BATCH).contains(&orders.len()));
        let orders = orders.ok_or_else(|| {
            let what = format_args!("a list of 1 to {MOST_IN_BATCH} orders is expected");
            ApiError::invalid_field(ORDERS, what)
        })?;
        return read_fields::<NoFields>(fields).map(|_| Op::Batch(op, orders));
    }
    if orders.is_some() {
        // No other operation has the field: whoever reads the fields says so.
        fields.insert(ORDERS.to_owned(), Value::Array(Vec::new()));
    }
    if let Some(op) = OrderOp::ALL.into_iter().find(|op| op.name() == name) {
        return Ok(Op::Order(op, fields));
    }
    match name.as_str() {
        "subscribe" => Ok(Op::Subscribe(read_fields(fields)?)),
        "unsubscribe" => Ok(Op::Unsubscribe(read_fields(fields)?)),
        "login" => Ok(Op::Login(read_fields(fields)?)),
        "list" => read_fields::<NoFields>(fields).map(|_| Op::List),
        "ping" => read_fields::<NoFields>(fields).map(|_| Op::Ping),
        _ => Err(ApiError::invalid_field("op", "there is no such operation")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> (Value, &'static str) {
        let bad = parse(text).expect_err(text);
        (bad.id, bad.error.code.name())
    }

    #[test]
    fn requests_are_read() {
        let text = r#"{"id":"a","op":"subscribe","channels":["depth:A"],"resume_from":{"1":7}}"#;
        let request = parse(text).unwrap();
        assert_eq!(request.id, Value::from("a"));
        let Op::Subscribe(subscribe) = request.op else { panic!("not a subscribe") };
        assert_eq!(subscribe.channels, ["depth:A"]);
        let expected = ResumeFrom::Partitions([(PartitionId(1), Seq(7))].into());
        assert_eq!(subscribe.resume_from().unwrap(), Some(expected));
        let placed = parse(r#"{"id":2,"op":"place_order","side":"buy"}"#).unwrap();
        let Op::Order(OrderOp::Place, fields) = placed.op else { panic!("not an order") };
        assert_eq!(fields.len(), 1);
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_id_where_it_has_one() {
        assert_eq!(refusal("{"), (Value::Null, "InvalidJson"));
        assert_eq!(refusal("[1]"), (Value::Null, "InvalidJson"));
        assert_eq!(refusal(r#"{"op":"ping"}"#), (Value::Null, "InvalidField"));
        assert_eq!(refusal(r#"{"id":1.5,"op":"ping"}"#), (Value::Null, "InvalidField"));
        assert_eq!(refusal(r#"{"id":1}"#), (Value::from(1), "InvalidField"));
        assert_eq!(refusal(r#"{"id":1,"op":"dance"}"#), (Value::from(1), "InvalidField"));
        assert_eq!(refusal(r#"{"id":1,"op":"ping","x":1}"#), (Value::from(1), "UnknownField"));
        assert_eq!(refusal(r#"{"id":1,"op":"subscribe"}"#), (Value::from(1), "InvalidField"));
        let deep = format!(r#"{{"id":1,"op":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert_eq!(refusal(&deep), (Value::Null, "InvalidJson"));
    }

    #[test]
    fn a_list_of_orders_is_cut_into_texts_that_need_not_make_sense() {
        let request = parse(r#"{"orders":[{"a":1}, 5,"x"],"id":1,"op":"cancel_orders"}"#).unwrap();
        assert_eq!(request.weight(), 3);
        let Op::Batch(BatchOp::Cancel, orders) = request.op else { panic!("not a batch") };
        let texts: Vec<&str> = orders.iter().map(|order| order.get()).collect();
        assert_eq!(texts, [r#"{"a":1}"#, "5", r#""x""#]);
    }

    #[test]
    fn a_batch_has_one_to_a_hundred_orders_and_nothing_else() {
        let batch = |field: &str| refusal(&format!(r#"{{"id":1,"op":"place_orders"{field}}}"#)).1;
        let many = |count| format!(r#","orders":[{}]"#, vec!["{}"; count].join(","));
        assert_eq!(batch(&many(MOST_IN_BATCH + 1)), "InvalidField");
        for field in ["", r#","orders":[]"#, r#","orders":{}"#, r#","orders":"x""#] {
            assert_eq!(batch(field), "InvalidField", "{field}");
        }
        assert_eq!(batch(r#","orders":[{}],"market":"A""#), "UnknownField");
        assert_eq!(batch(r#","orders":[{]"#), "InvalidJson");
        assert_eq!(
            refusal(r#"{"id":1,"op":"ping","orders":[]}"#),
            (Value::from(1), "UnknownField")
        );
    }

    #[test]
    fn a_resume_point_that_is_no_number_is_refused() {
        for value in ["-1", "\"7\"", "{\"x\":1}", "{\"0\":\"1\"}", "1.5", "true", "[1]"] {
            let text =
                format!(r#"{{"id":1,"op":"subscribe","channels":[],"resume_from":{value}}}"#);
            let Op::Subscribe(subscribe) = parse(&text).unwrap().op else { panic!() };
            assert!(subscribe.resume_from().is_err(), "{value}");
        }
    }
}
