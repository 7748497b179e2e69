//! Close frames: codes and reasons.

use crate::frame::CONTROL;

/// The protocol was violated.
pub(crate) const PROTOCOL: u16 = 1002;
/// A text was no text, or what was compressed cannot be inflated.
pub(crate) const INVALID: u16 = 1007;
/// A message was above the limit.
pub(crate) const TOO_BIG: u16 = 1009;

/// Why an end of a connection closes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// The code; RFC 6455 has a registry of them.
    pub code: u16,
    /// In words, of at most 123 bytes; a longer one is cut when it is sent.
    pub reason: String,
}

/// Whether a client may send this code.
fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

impl CloseFrame {
    /// Reads what a client sent; nothing if it gave no reason at all.
    ///
    /// # Errors
    /// The code to answer with, and why.
    pub(crate) fn read(payload: &[u8]) -> Result<Option<Self>, (u16, &'static str)> {
        let (&code, reason) = match payload.split_first_chunk() {
            Some(split) => split,
            None if payload.is_empty() => return Ok(None),
            None => return Err((PROTOCOL, "a close code has two bytes")),
        };
        let code = u16::from_be_bytes(code);
        if !is_sendable(code) {
            return Err((PROTOCOL, "no such close code"));
        }
        match std::str::from_utf8(reason) {
            Ok(reason) => Ok(Some(Self { code, reason: reason.to_owned() })),
            Err(_) => Err((INVALID, "the reason is not UTF-8")),
        }
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        let most = CONTROL - size_of::<u16>();
        let reason = &self.reason[..self.reason.floor_char_boundary(most)];
        [&self.code.to_be_bytes(), reason.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = CloseFrame { code: 1000, reason: format!("x{}", "é".repeat(100)) };
        let payload = frame.payload();
        assert_eq!(payload.len(), 2 + 1 + 122);
        let read = CloseFrame::read(&payload).unwrap().unwrap();
        assert_eq!((read.code, read.reason), (1000, format!("x{}", "é".repeat(61))));
    }
}
