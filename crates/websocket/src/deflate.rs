//! Compressing a message, by itself.

use std::cell::RefCell;

use flate2::{Compress, Compression, FlushCompress};

use crate::inflate::TAIL;

/// How far back, as a power of two in bytes, compressed messages refer. Clients may ask for less than the 15
/// that the format allows; messages of market data get no shorter by more than 12.
pub(crate) const WINDOW_BITS: u8 = 12;

thread_local! {
    /// Costs more to make than to use.
    static STATE: RefCell<Compress> = RefCell::new(Compress::new_with_window_bits(
        Compression::new(LEVEL),
        false,
        WINDOW_BITS,
    ));
}

/// Of zlib's nine: beyond it messages get hardly shorter, and take much longer.
const LEVEL: u32 = 6;

/// The payload of a compressed message.
///
/// # Panics
/// Never: compression fails for wrong parameters only.
pub(crate) fn deflate(message: &[u8]) -> Vec<u8> {
    STATE.with_borrow_mut(|state| {
        state.reset();
        let mut out = Vec::with_capacity(message.len() / 2 + 64);
        loop {
            let rest = &message[state.total_in() as usize..];
            state
                .compress_vec(rest, &mut out, FlushCompress::Sync)
                .expect("nothing but parameters can be wrong");
            if out.len() < out.capacity() {
                break;
            }
            out.reserve(out.len());
        }
        out.truncate(out.len() - TAIL.len());
        debug_assert_eq!(state.total_in(), message.len() as u64);
        out
    })
}
