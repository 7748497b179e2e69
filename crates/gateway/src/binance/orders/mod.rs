//! Orders: placing, testing, asking, cancelling, replacing, amending, and lists of them.

mod amend;
mod cancel;
mod find;
mod lists;
mod place;
mod place_list;
mod query;
mod read;
mod replace;
mod show;
mod whole_list;

pub(super) use amend::*;
pub(super) use cancel::*;
pub(super) use lists::*;
pub(super) use place::*;
pub(super) use place_list::*;
pub(super) use query::*;
pub(super) use replace::*;
pub(super) use show::*;
