//! The client's own name for an order, and the idempotency key of its placement.

use std::io;

use borsh::{BorshDeserialize, BorshSerialize};

/// Longest client order id, in characters.
const MAX_LEN: usize = 36;

/// Up to 36 characters of printable ASCII (`!` to `~`), packed 7 bits each into 32 bytes, so that it
/// is copied, compared and hashed as four words. The empty id means "none given".
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientOrderId([u64; 4]);

/// Why a text is no client order id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidClientOrderId;

impl std::fmt::Display for InvalidClientOrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a client order id has 1 to {MAX_LEN} characters from '!' to '~'")
    }
}

impl std::error::Error for InvalidClientOrderId {}

impl ClientOrderId {
    /// No client order id was given.
    pub const NONE: Self = Self([0; 4]);

    /// Whether no id was given.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The same, word by word, for events that are written in their place: a copy of the whole goes there by way of
    /// the stack.
    #[must_use]
    #[inline]
    pub fn by_word(&self) -> Self {
        let [a, b, c, d] = self.0;
        Self([a, b, c, d])
    }

    /// The four words, for hashing.
    #[must_use]
    pub fn words(&self) -> [u64; 4] {
        self.0
    }

    fn pack(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_LEN {
            return None;
        }
        let mut words = [0; 4];
        for (position, &byte) in text.iter().enumerate() {
            if !byte.is_ascii_graphic() {
                return None;
            }
            // Nine characters of seven bits fill 63 bits of a word.
            words[position / 9] |= u64::from(byte) << (position % 9 * 7);
        }
        Some(Self(words))
    }

    fn unpack(&self) -> ([u8; MAX_LEN], usize) {
        let mut text = [0; MAX_LEN];
        for (position, byte) in text.iter_mut().enumerate() {
            *byte = (self.0[position / 9] >> (position % 9 * 7)) as u8 & 0x7f;
            if *byte == 0 {
                return (text, position);
            }
        }
        (text, MAX_LEN)
    }
}

impl std::str::FromStr for ClientOrderId {
    type Err = InvalidClientOrderId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::pack(text.as_bytes()).filter(|id| !id.is_none()).ok_or(InvalidClientOrderId)
    }
}

impl std::fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (text, len) = self.unpack();
        f.write_str(std::str::from_utf8(&text[..len]).expect("packed from ASCII"))
    }
}

impl std::fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Written as a length byte and the characters.
impl BorshSerialize for ClientOrderId {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        if self.is_none() {
            return writer.write_all(&[0]);
        }
        let (text, len) = self.unpack();
        writer.write_all(&[len as u8])?;
        writer.write_all(&text[..len])
    }
}

impl BorshDeserialize for ClientOrderId {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let len = usize::from(u8::deserialize_reader(reader)?);
        let mut text = [0; MAX_LEN];
        let text = text.get_mut(..len).ok_or(io::ErrorKind::InvalidData)?;
        reader.read_exact(text)?;
        Self::pack(text).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_packing_and_bytes() {
        for text in ["a", "x-R4BD3S82.abc:/_-", "012345678901234567890123456789012345"] {
            let id: ClientOrderId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            let bytes = borsh::to_vec(&id).unwrap();
            assert_eq!(bytes.len(), text.len() + 1);
            assert_eq!(borsh::from_slice::<ClientOrderId>(&bytes).unwrap(), id);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "with space", "ümlaut", "0123456789012345678901234567890123456", "a\0b"] {
            assert_eq!(text.parse::<ClientOrderId>(), Err(InvalidClientOrderId), "{text:?}");
        }
        assert!(borsh::from_slice::<ClientOrderId>(&[37; 64]).is_err());
        assert!(borsh::from_slice::<ClientOrderId>(&[1, 0]).is_err());
    }
}
