//! The Binance dialect as its clients see it, through the real router with the real node behind it.

#[path = "../api/client.rs"]
#[expect(dead_code, reason = "shared with the tests of the native API")]
mod client;
mod general;
mod trader;
#[path = "../api/world.rs"]
#[expect(dead_code, reason = "shared with the tests of the native API")]
mod world;
