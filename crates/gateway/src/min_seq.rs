//! What a reader asks to have been seen before it is answered: `min_seq`.
//!
//! This only reads the parameter; waiting for the views is [`crate::watermarks`]', waiting for the
//! history is [`crate::history`]'s.

use serde::Deserialize;
use types::{AccountId, PartitionId, Seq};
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::http::extract::number;
use crate::state::Shared;
use crate::watermarks::Marks;

/// Reads that can wait.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MinSeq {
    /// Answer only when this entry is seen: `seq`, or `partition:seq` pairs joined by commas.
    pub(crate) min_seq: Option<String>,
}

/// The entries that `min_seq` names. A number without a partition means `own`.
///
/// # Errors
/// [`crate::GatewayCode::InvalidField`] if something is no number, or a partition is not one of the
/// exchange: nobody would ever see its entries.
pub(crate) fn marks(
    shared: &Shared,
    own: PartitionId,
    min_seq: Option<&str>,
) -> Result<Marks, ApiError> {
    let partitions = shared.exchange.topology().partitions;
    let mark = |text: &str| {
        let (partition, seq) = match text.split_once(':') {
            Some((partition, seq)) => (PartitionId(number("min_seq", partition)?), seq),
            None => (own, text),
        };
        if partition.0 >= partitions {
            let why =
                format_args!("there is no partition {partition}, they end at {}", partitions - 1);
            return Err(ApiError::invalid_field("min_seq", why));
        }
        Ok((partition, Seq(number("min_seq", seq)?)))
    };
    min_seq.into_iter().flat_map(|marks| marks.split(',')).map(mark).collect()
}

/// The partition that keeps an account: that of a bare number in reads of the account.
pub(crate) fn home(shared: &Shared, account: AccountId) -> PartitionId {
    shared.exchange.topology().home_of_slot(account.slot())
}
