//! The head of a frame: what it is, how long it is, and the mask of what a client sends.

use bytes::BufMut;

/// Longest payload of a control frame.
pub(crate) const CONTROL: usize = 125;
/// Longest head of a frame that a server sends.
pub(crate) const LONGEST_HEAD: usize = 10;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
/// Lengths that stand for two and eight further bytes.
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    /// Whether such a frame may stand between those of a message.
    pub(crate) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The head of a frame from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Whether it is the last of its message.
    pub(crate) is_last: bool,
    /// The first reserved bit: of a message that is compressed.
    pub(crate) is_compressed: bool,
    pub(crate) opcode: Opcode,
    pub(crate) mask: [u8; 4],
    /// Bytes of payload.
    pub(crate) length: u64,
}

impl Head {
    /// Reads a head, and how many bytes it has. Nothing while there are too few.
    ///
    /// # Errors
    /// What no client may send, in words.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, &'static str> {
        let &[first, second, ref rest @ ..] = bytes else {
            return Ok(None);
        };
        let opcode = Opcode::from_bits(first & OPCODE).ok_or("unknown opcode")?;
        if first & RSV2_AND_3 != 0 {
            return Err("reserved bits are set");
        }
        if second & MASKED == 0 {
            return Err("frames of clients are masked");
        }
        let is_last = first & FIN != 0;
        let short = second & LENGTH;
        if opcode.is_control() && (!is_last || usize::from(short) > CONTROL) {
            return Err("control frames are short and whole");
        }
        let (length, rest) = match short {
            LENGTH_16 => match rest.split_first_chunk() {
                Some((bytes, rest)) => (u16::from_be_bytes(*bytes).into(), rest),
                None => return Ok(None),
            },
            LENGTH_64 => match rest.split_first_chunk() {
                Some((bytes, rest)) => (u64::from_be_bytes(*bytes), rest),
                None => return Ok(None),
            },
            short => (short.into(), rest),
        };
        let Some((&mask, rest)) = rest.split_first_chunk() else {
            return Ok(None);
        };
        let head = Self { is_last, is_compressed: first & RSV1 != 0, opcode, mask, length };
        Ok(Some((head, bytes.len() - rest.len())))
    }
}

/// Takes the mask off a part of a payload that begins `offset` bytes into it; both ways are the same.
pub(crate) fn unmask(part: &mut [u8], mask: [u8; 4], offset: u64) {
    let mut mask = mask;
    mask.rotate_left((offset % 4) as usize);
    let mut words = part.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, key) in word.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// Writes the head of a whole message or control frame of the server.
pub(crate) fn write_head(out: &mut impl BufMut, opcode: Opcode, compressed: bool, length: usize) {
    let rsv1 = if compressed { RSV1 } else { 0 };
    out.put_u8(FIN | rsv1 | opcode.bits());
    if length < LENGTH_16.into() {
        out.put_u8(length as u8);
    } else if let Ok(length) = u16::try_from(length) {
        out.put_u8(LENGTH_16);
        out.put_u16(length);
    } else {
        out.put_u8(LENGTH_64);
        out.put_u64(length as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_all_of_it_is_there() {
        for (length, extended) in [(5_u64, 0), (126, 2), (65_535, 2), (65_536, 8), (1 << 40, 8)] {
            let mut bytes = Vec::new();
            write_head(&mut bytes, Opcode::Text, true, length as usize);
            bytes[1] |= MASKED;
            bytes.extend([1, 2, 3, 4]);
            assert_eq!(bytes.len(), 2 + extended + 4);
            for cut in 0..bytes.len() {
                assert_eq!(Head::read(&bytes[..cut]), Ok(None), "{length}, {cut}");
            }
            bytes.push(9);
            let (head, size) = Head::read(&bytes).unwrap().unwrap();
            assert_eq!((head.length, size, head.mask), (length, bytes.len() - 1, [1, 2, 3, 4]));
            assert!(head.is_last && head.is_compressed && head.opcode == Opcode::Text);
        }
    }

    #[test]
    fn a_mask_goes_on_where_the_part_before_ended() {
        let plain: Vec<u8> = (0..100).collect();
        let mask = [7, 77, 177, 255];
        let mut whole = plain.clone();
        unmask(&mut whole, mask, 0);
        for cut in 0..plain.len() {
            let (mut before, mut after) = (plain[..cut].to_vec(), plain[cut..].to_vec());
            unmask(&mut before, mask, 0);
            unmask(&mut after, mask, cut as u64);
            assert_eq!([before, after].concat(), whole);
        }
    }
}
