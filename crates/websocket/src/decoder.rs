//! From bytes to messages: what a client sends, piece by piece as it arrives.
//!
//! Nothing is kept of a message but what is to be given of it: parts are unmasked, inflated and checked when
//! they come, so that a violation is told before the frame is whole that has it.

use bytes::{Buf, BytesMut};

use crate::close::{CloseFrame, INVALID, PROTOCOL, TOO_BIG};
use crate::frame::{Head, Opcode, unmask};
use crate::inflate::{Inflate, grow};

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole text.
    Text(String),
    /// A whole message of bytes.
    Binary(Vec<u8>),
    /// To be answered by a pong with the same bytes.
    Ping(Vec<u8>),
    /// An answer to a ping, or none's.
    Pong(Vec<u8>),
    /// The client leaves, or answers a close. Nothing comes after it.
    Close(Option<CloseFrame>),
}

/// What a client did that it may not do: the connection has to end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Of the rules about frames.
    #[error("{0}")]
    Protocol(&'static str),
    /// A text that is none, or what was to be inflated cannot be.
    #[error("{0}")]
    Invalid(&'static str),
    /// A message is above the limit.
    #[error("the message is too big")]
    TooBig,
}

impl Violation {
    /// The code to close with.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::Protocol(_) => PROTOCOL,
            Self::Invalid(_) => INVALID,
            Self::TooBig => TOO_BIG,
        }
    }
}

/// Reads a client's frames.
pub struct Decoder {
    /// Bytes of a message.
    limit: usize,
    /// Whether messages may be compressed.
    inflates: bool,
    frame: Option<Frame>,
    message: Option<Message>,
    is_closed: bool,
}

/// A frame whose head has come.
struct Frame {
    head: Head,
    /// Bytes of its payload that have come.
    come: u64,
}

/// A message of which a part has come.
struct Message {
    is_text: bool,
    inflate: Option<Inflate>,
    content: Vec<u8>,
    /// Bytes of `content` that are known to be UTF-8.
    checked: usize,
    /// Bytes that came for it.
    come: u64,
}

impl Decoder {
    /// For messages of up to `limit` bytes, which may be compressed if that was agreed.
    #[must_use]
    pub fn new(limit: usize, inflates: bool) -> Self {
        Self { limit, inflates, frame: None, message: None, is_closed: false }
    }

    /// Takes bytes, and gives the next message if there is one. Those that are left belong to the next call; if
    /// there is none, all were taken but for less than a head or a control frame.
    ///
    /// # Errors
    /// What the client may not do. There is no going on after it.
    pub fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Incoming>, Violation> {
        while !self.is_closed {
            let Some(Frame { head, come }) = &mut self.frame else {
                let Some((head, size)) = Head::read(bytes).map_err(Violation::Protocol)? else {
                    return Ok(None);
                };
                bytes.advance(size);
                self.begin(head)?;
                self.frame = Some(Frame { head, come: 0 });
                continue;
            };
            let head = *head;
            let missing = head.length - *come;
            let size = usize::try_from(missing).map_or(bytes.len(), |size| size.min(bytes.len()));
            if missing > 0 && (size == 0 || head.opcode.is_control() && (size as u64) < missing) {
                return Ok(None);
            }
            let part = &mut bytes[..size];
            unmask(part, head.mask, *come);
            *come += size as u64;
            let is_whole = *come == head.length;
            let given = if head.opcode.is_control() {
                Some(control(head.opcode, part)?)
            } else {
                self.append(size, bytes)?;
                (is_whole && head.is_last).then(|| self.finish()).transpose()?
            };
            bytes.advance(size);
            if is_whole {
                self.frame = None;
            }
            if given.is_some() {
                self.is_closed = matches!(given, Some(Incoming::Close(_)));
                return Ok(given);
            }
        }
        // Whatever comes after the end is nothing.
        bytes.clear();
        Ok(None)
    }

    /// Whether a frame may come now.
    fn begin(&mut self, head: Head) -> Result<(), Violation> {
        let begins = matches!(head.opcode, Opcode::Text | Opcode::Binary);
        if head.is_compressed && !(self.inflates && begins) {
            return Err(Violation::Protocol("a reserved bit is set"));
        }
        match (&self.message, head.opcode) {
            (_, Opcode::Close | Opcode::Ping | Opcode::Pong) => return Ok(()),
            (None, Opcode::Continuation) => {
                return Err(Violation::Protocol("a continuation of nothing"));
            }
            (Some(_), Opcode::Text | Opcode::Binary) => {
                return Err(Violation::Protocol("a message begins within another"));
            }
            (None, Opcode::Text | Opcode::Binary) | (Some(_), Opcode::Continuation) => {}
        }
        let message = self.message.get_or_insert_with(|| Message {
            is_text: head.opcode == Opcode::Text,
            inflate: head.is_compressed.then(Inflate::new),
            content: Vec::new(),
            checked: 0,
            come: 0,
        });
        // What is compressed may be a little longer than what it stands for.
        let most = self.limit + if message.inflate.is_some() { self.limit / 8 + 64 } else { 0 };
        if message.come.saturating_add(head.length) > most as u64 {
            return Err(Violation::TooBig);
        }
        Ok(())
    }

    /// Takes the first `size` bytes into the message.
    fn append(&mut self, size: usize, bytes: &BytesMut) -> Result<(), Violation> {
        let (part, limit) = (&bytes[..size], self.limit);
        let message = self.message.as_mut().expect("begun with its first frame");
        message.come += size as u64;
        match &mut message.inflate {
            Some(inflate) => inflate.part(part, &mut message.content, limit)?,
            None => {
                grow(&mut message.content, size, limit);
                message.content.extend_from_slice(part);
            }
        }
        message.check()
    }

    /// The message whose last frame has come.
    fn finish(&mut self) -> Result<Incoming, Violation> {
        let mut message = self.message.take().expect("begun with its first frame");
        if let Some(inflate) = message.inflate.take() {
            inflate.finish(&mut message.content, self.limit)?;
            message.check()?;
        }
        if !message.is_text {
            return Ok(Incoming::Binary(message.content));
        }
        String::from_utf8(message.content).map(Incoming::Text).map_err(|_| NO_TEXT)
    }
}

const NO_TEXT: Violation = Violation::Invalid("the text is not UTF-8");

impl Message {
    /// Whether what has come so far can become a text.
    fn check(&mut self) -> Result<(), Violation> {
        if !self.is_text {
            return Ok(());
        }
        match std::str::from_utf8(&self.content[self.checked..]) {
            Ok(_) => self.checked = self.content.len(),
            // The last character may still become whole.
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(NO_TEXT),
        }
        Ok(())
    }
}

fn control(opcode: Opcode, payload: &[u8]) -> Result<Incoming, Violation> {
    Ok(match opcode {
        Opcode::Ping => Incoming::Ping(payload.to_vec()),
        Opcode::Pong => Incoming::Pong(payload.to_vec()),
        _ => Incoming::Close(CloseFrame::read(payload).map_err(|(code, why)| match code {
            INVALID => Violation::Invalid(why),
            _ => Violation::Protocol(why),
        })?),
    })
}
