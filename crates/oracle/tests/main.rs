//! The tests of the oracle: one program, since each is built and linked by itself.

mod agreement;
mod campaign;
mod coverage;
