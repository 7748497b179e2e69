//! What a caller may read of its account.

mod commission;
mod my_filters;
mod my_trades;
mod overview;
mod sapi;
mod user_stream;

pub(super) use commission::*;
pub(super) use my_filters::*;
pub(super) use my_trades::*;
pub(super) use overview::*;
pub(super) use sapi::*;
pub(crate) use user_stream::ListenKeys;
pub(super) use user_stream::{begin_stream, end_stream, prolong_stream};
