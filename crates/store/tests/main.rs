//! The tests of the store: what SQL answers.

mod by_id;
mod directory;
mod history;
mod treasury;

// The same traffic as of the views.
#[path = "../../views/tests/traffic/mod.rs"]
mod traffic;
