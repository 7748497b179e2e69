//! What everybody may read.

mod depth;
mod exchange_info;
mod filters;
mod general;
mod select;

pub(super) use depth::*;
pub(super) use exchange_info::*;
pub(super) use general::*;
