//! A message of the server: encoded once, compressed once, sent to many.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use bytestring::ByteString;

use crate::deflate::deflate;

/// A text that is to be sent, shared by all who are sent it. Cloning it is cheap, and clones share what was
/// compressed: that is done when the first of them is sent to somebody who wants it so.
#[derive(Clone)]
pub struct Text(Arc<Shared>);

struct Shared {
    plain: ByteString,
    /// None if it would not be shorter.
    deflated: OnceLock<Option<Bytes>>,
}

impl Text {
    /// A part of it as a text of its own, which has the same bytes but is compressed by itself.
    ///
    /// # Panics
    /// If the range is out of bounds or cuts a character.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let plain = &self.0.plain;
        plain.slice_ref(&plain[range]).into()
    }

    /// The bytes as they are sent to who takes no compressed ones.
    pub(crate) fn plain(&self) -> &Bytes {
        self.0.plain.as_bytes()
    }

    /// The payload of a compressed message, if that is shorter; counts in `runs` if it was not known yet.
    pub(crate) fn deflated(&self, runs: &AtomicU64) -> Option<&Bytes> {
        let make = || {
            runs.fetch_add(1, Ordering::Relaxed);
            let deflated = deflate(self.0.plain.as_bytes());
            (deflated.len() < self.0.plain.len()).then(|| Bytes::from(deflated))
        };
        self.0.deflated.get_or_init(make).as_ref()
    }
}

impl From<ByteString> for Text {
    fn from(plain: ByteString) -> Self {
        Self(Arc::new(Shared { plain, deflated: OnceLock::new() }))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        ByteString::from(text).into()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        ByteString::from(text).into()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.plain
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_compressed_once_and_what_gets_no_shorter_stays_as_it_is() {
        let runs = AtomicU64::new(0);
        let text = Text::from("again and again and again and again".repeat(3));
        let clone = text.clone();
        let deflated = text.deflated(&runs).unwrap().clone();
        assert_eq!(clone.deflated(&runs).unwrap().as_ptr(), deflated.as_ptr());
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        assert!(deflated.len() < text.len());
        assert_eq!(Text::from("x").deflated(&runs), None);
    }

    #[test]
    fn a_part_shares_the_bytes() {
        let text = Text::from("a long one with a part".to_owned());
        let part = text.slice(2..6);
        assert_eq!(&*part, "long");
        assert_eq!(part.as_ptr(), text[2..].as_ptr());
    }
}
