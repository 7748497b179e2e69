//! The simulator: the product's own sequencing, journal and engine over a simulated disk, clock and
//! network, with several partitions. One seed is one run, always the same.
//!
//! A run puts an exchange under load while machines lose power, syncs fail, messages are lost and
//! clocks jump, and holds it against the invariants of ARCHITECTURE.md after each step and at each
//! restart. It has no code of its own for anything that the product does.
#![forbid(unsafe_code)]

pub mod clock;
pub mod disk;
mod experiments;
pub mod faults;
mod flaw;
pub mod network;
pub mod observer;
pub mod rare;
mod run;
pub mod venue;
mod ward;
pub mod workload;

pub use run::{Outcome, run};
