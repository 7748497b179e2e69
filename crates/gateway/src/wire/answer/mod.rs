//! From the vocabulary of the exchange to JSON.

mod account;
mod admin;
mod market;
mod order;
mod order_list;
mod terms;
mod treasury;

pub(crate) use account::*;
pub(crate) use admin::*;
pub(crate) use market::*;
pub(crate) use order::*;
pub(crate) use order_list::*;
pub(crate) use terms::*;
pub(crate) use treasury::*;

use serde::Serialize;
use types::{Amount, AssetDef, ClientOrderId, Decimal, OrderId, PartitionId, Seq, Timestamp};
use utoipa::ToSchema;

/// How far an answer has seen a partition: at least all entries up to `seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Watermark {
    /// The partition.
    pub(crate) partition: u16,
    /// Its last entry seen.
    pub(crate) seq: u64,
}

impl Watermark {
    pub(crate) fn new(partition: PartitionId, seq: Seq) -> Self {
        Self { partition: partition.0, seq: seq.0 }
    }
}

/// An amount as text.
pub(crate) fn amount(asset: &AssetDef, amount: Amount) -> String {
    Decimal::atom(asset.scale).format(amount.get())
}

/// Milliseconds.
pub(crate) fn millis(time: Timestamp) -> u64 {
    time.as_millis()
}

/// Ids of orders as numbers.
pub(crate) fn ids(orders: &[OrderId]) -> Vec<u64> {
    orders.iter().map(|order| order.0).collect()
}

/// A client's id as text, or none.
pub(crate) fn client_id(id: ClientOrderId) -> Option<String> {
    (!id.is_none()).then(|| id.to_string())
}
