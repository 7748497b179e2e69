//! The tests of the views: one program, since each is built and linked by itself.

mod against_the_engine;
mod scenarios;
mod traffic;
mod watermarks;
