//! A message of a native stream, as far as readers look into it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Who was cut comes back after so long.
pub(super) const REOPEN_AFTER: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
pub(super) struct Message<'a> {
    /// None of answers to a subscription.
    #[serde(borrow)]
    pub(super) channel: Option<&'a str>,
    #[serde(rename = "type", borrow)]
    kind: Option<&'a str>,
    /// Of answers only.
    pub(super) status: Option<u16>,
    pub(super) first_seq: Option<u64>,
    #[serde(default)]
    pub(super) seq: u64,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub(super) time: u64,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    pub(super) fn is_snapshot(&self) -> bool {
        self.kind == Some("snapshot")
    }

    /// Its data as this type.
    pub(super) fn data<T: Deserialize<'a>>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.data.map_or("null", RawValue::get))
    }
}
