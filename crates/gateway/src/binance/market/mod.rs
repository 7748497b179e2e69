//! What everybody may read.

mod depth;
mod exchange_info;
mod filters;
mod general;
mod interval;
mod klines;
mod select;
mod tickers;
mod trades;

pub(super) use depth::*;
pub(super) use exchange_info::*;
pub(super) use filters::*;
pub(super) use general::*;
pub(super) use interval::{Interval, date, read_zone};
pub(super) use klines::*;
pub(super) use tickers::*;
pub(super) use trades::*;
