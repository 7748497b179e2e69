//! A component that fails is quarantined: the rest goes on, and nothing is lost, doubled or decided twice.

mod lists;
mod markets;
mod rig;
mod slots;
mod unsound;
mod waiting;
