//! Trading sessions as text: how they are read, played and written down again.

mod commands;
mod failures;
mod floor;
mod said;
mod treasury;

pub use floor::Floor;
