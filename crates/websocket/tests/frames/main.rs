//! Single frames, right and wrong, over a real connection: what the Autobahn test suite asks in its sections 1
//! to 7, 9, 10, 12 and 13 (`make autobahn` runs that itself).

mod compression;
mod framing;
mod handshake;
#[path = "../../examples/echo/serve.rs"]
mod serve;
mod talk;
