//! Inflating what a client compressed, never beyond a limit.

use flate2::{Decompress, FlushDecompress, Status};

use crate::decoder::Violation;

/// What every compressed message ends with, and is not sent (RFC 7692, 7.2.1).
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The state of a message that is being inflated. It is made for each one: a client here never lets a message
/// refer to an earlier one (`client_no_context_takeover`), so that a connection at rest has none.
pub(crate) struct Inflate {
    state: Decompress,
    /// A block said that it is the last one.
    is_over: bool,
    /// Bytes that came behind it.
    behind: usize,
}

impl Inflate {
    pub(crate) fn new() -> Self {
        Self { state: Decompress::new(false), is_over: false, behind: 0 }
    }

    /// Inflates a part of a message to the end of `out`, which never has more than `limit` bytes.
    ///
    /// # Errors
    /// [`Violation::TooBig`], or [`Violation::Invalid`] for what is not compressed data.
    pub(crate) fn part(
        &mut self,
        mut part: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Violation> {
        while !self.is_over {
            grow(out, 1, limit);
            let before = (self.state.total_in(), self.state.total_out());
            let status = if out.len() < out.capacity() {
                self.state.decompress_vec(part, out, FlushDecompress::Sync)
            } else {
                // No more may come, but the state may have to go on to say so.
                self.state.decompress(part, &mut [0], FlushDecompress::Sync)
            };
            let status = status.map_err(|_| Violation::Invalid("no compressed data"))?;
            let taken = (self.state.total_in() - before.0) as usize;
            let given = (self.state.total_out() - before.1) as usize;
            part = &part[taken..];
            if self.state.total_out() > limit as u64 {
                return Err(Violation::TooBig);
            }
            self.is_over = status == Status::StreamEnd;
            // With room left and nothing to take, all that can be given was.
            let is_drained = part.is_empty() && out.len() < out.capacity();
            if is_drained || (taken, given) == (0, 0) {
                return Ok(());
            }
        }
        // Whoever ends with a last block adds one byte, with which the tail makes an empty block.
        self.behind += part.len();
        if self.behind > 1 || part.iter().any(|&byte| byte != 0) {
            return Err(Violation::Invalid("compressed data goes on behind its end"));
        }
        Ok(())
    }

    /// The message is over.
    ///
    /// # Errors
    /// As [`Self::part`].
    pub(crate) fn finish(mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), Violation> {
        if self.is_over {
            return Ok(());
        }
        self.part(&TAIL, out, limit)
    }
}

/// Makes room for `more` bytes where the limit allows, by doubling, but never for more than the limit.
pub(crate) fn grow(out: &mut Vec<u8>, more: usize, limit: usize) {
    let need = out.len().saturating_add(more);
    if need > out.capacity() && need <= limit {
        let capacity = need.max(out.capacity() * 2).max(64).min(limit);
        out.reserve_exact(capacity - out.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::deflate;

    fn inflated(parts: &[&[u8]], limit: usize) -> Result<Vec<u8>, Violation> {
        let (mut inflate, mut out) = (Inflate::new(), Vec::new());
        for part in parts {
            let result = inflate.part(part, &mut out, limit);
            assert!(out.capacity() <= limit, "{} bytes are held", out.capacity());
            result?;
        }
        let result = inflate.finish(&mut out, limit);
        assert!(out.capacity() <= limit, "{} bytes are held", out.capacity());
        result.map(|()| out)
    }

    #[test]
    fn a_message_is_inflated_wherever_it_is_cut() {
        let text: String = (0..500).map(|n| format!("level {} of {n};", n * n)).collect();
        let deflated = deflate(text.as_bytes());
        for limit in [text.len(), text.len() + 1, 1 << 20] {
            for cut in 0..deflated.len() {
                let (before, after) = deflated.split_at(cut);
                assert_eq!(inflated(&[before, after], limit).unwrap(), text.as_bytes());
            }
        }
        let limit = text.len() - 1;
        assert_eq!(inflated(&[&deflated], limit), Err(Violation::TooBig));
    }

    #[test]
    fn a_bomb_is_refused_at_its_limit() {
        let bomb = deflate(&vec![0; 64 << 20]);
        assert!(bomb.len() < 128 << 10);
        assert_eq!(inflated(&[&bomb], 16 << 10), Err(Violation::TooBig));
        let bytewise: Vec<&[u8]> = bomb.chunks(1).collect();
        assert_eq!(inflated(&bytewise, 16 << 10), Err(Violation::TooBig));
    }

    #[test]
    fn the_examples_of_the_standard_are_understood() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflated(&[&hello], 100).unwrap(), b"Hello");
        let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(inflated(&[&stored], 100).unwrap(), b"Hello");
        let last_block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        for cut in 0..=last_block.len() {
            let (before, after) = last_block.split_at(cut);
            assert_eq!(inflated(&[before, after], 100).unwrap(), b"Hello");
        }
        let two_blocks =
            [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflated(&[&two_blocks], 100).unwrap(), b"Hello");
        assert_eq!(inflated(&[&[0x00]], 100).unwrap(), b"");
        let behind = [&last_block[..], &[0]].concat();
        for nonsense in [&[0xff, 0xff, 0xff][..], b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00more", &behind]
        {
            let bytewise: Vec<&[u8]> = nonsense.chunks(1).collect();
            for parts in [&[nonsense][..], &bytewise] {
                assert!(matches!(inflated(parts, 100), Err(Violation::Invalid(_))), "{nonsense:?}");
            }
        }
    }
}
