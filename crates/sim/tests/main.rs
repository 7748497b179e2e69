//! Tests with the whole simulator: one program, since each is built and linked by itself.

mod campaign;
mod power;
