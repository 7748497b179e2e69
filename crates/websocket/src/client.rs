//! A client that sends and sees single frames, also those that nobody may send: for tests and measurements.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::deflate::deflate;
use crate::inflate::Inflate;

/// The first byte of a frame: whole messages, their first, middle and last parts, and control frames.
pub mod first {
    /// A whole text.
    pub const TEXT: u8 = 0x81;
    /// A whole message of bytes.
    pub const BINARY: u8 = 0x82;
    /// The begin of a text.
    pub const TEXT_BEGIN: u8 = 0x01;
    /// What goes on with a message, and is not its end.
    pub const MIDDLE: u8 = 0x00;
    /// The end of a message.
    pub const END: u8 = 0x80;
    /// A close.
    pub const CLOSE: u8 = 0x88;
    /// A ping.
    pub const PING: u8 = 0x89;
    /// A pong.
    pub const PONG: u8 = 0x8a;
    /// Of a compressed message; added to its first frame.
    pub const COMPRESSED: u8 = 0x40;
}

/// No real client may choose its mask so; a test may.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A connection.
pub struct Client {
    stream: TcpStream,
    buffer: BytesMut,
    /// What the server answered to the offer of extensions.
    pub extensions: Option<String>,
    /// Bytes of frames that came.
    pub received: u64,
}

/// A frame from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its first byte.
    pub first: u8,
    /// As it came.
    pub payload: Bytes,
}

impl Frame {
    /// The message, inflated if it is compressed.
    ///
    /// # Panics
    /// If it is no whole text.
    #[must_use]
    pub fn text(&self) -> String {
        assert_eq!(self.first & !first::COMPRESSED, first::TEXT, "{self:?}");
        let mut text = Vec::new();
        if self.is_compressed() {
            let mut inflate = Inflate::new();
            inflate.part(&self.payload, &mut text, usize::MAX).expect("compressed data");
            inflate.finish(&mut text, usize::MAX).expect("compressed data");
        } else {
            text.extend_from_slice(&self.payload);
        }
        String::from_utf8(text).expect("a text")
    }

    /// Whether it is of a compressed message.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.first & first::COMPRESSED != 0
    }

    /// The code of a close; none if it is none, or has none.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk().filter(|_| self.first == first::CLOSE)?;
        Some(u16::from_be_bytes(*code))
    }
}

impl Client {
    /// Connects, with this offer of extensions.
    ///
    /// # Errors
    /// When the server does not take it, with what it says.
    pub async fn open(mut stream: TcpStream, path: &str, offer: Option<&str>) -> io::Result<Self> {
        let offer = offer.map(|offer| format!("Sec-WebSocket-Extensions: {offer}\r\n"));
        let ask = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{}\r\n",
            offer.unwrap_or_default()
        );
        stream.write_all(ask.as_bytes()).await?;
        let (mut buffer, end) = (BytesMut::new(), b"\r\n\r\n");
        let size = loop {
            if let Some(at) = buffer.windows(end.len()).position(|window| window == end) {
                break at + end.len();
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head = buffer.split_to(size);
        let head = String::from_utf8_lossy(&head);
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(io::Error::other(head.into_owned()));
        }
        let extensions = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-extensions").then(|| value.trim().to_owned())
        });
        Ok(Self { stream, buffer, extensions, received: 0 })
    }

    /// The connection, and what of the next frames has been read already.
    #[must_use]
    pub fn into_parts(self) -> (TcpStream, BytesMut) {
        (self.stream, self.buffer)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Sends a text, compressed if that was agreed.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send_text(&mut self, text: &str) -> io::Result<()> {
        let frame = match self.extensions {
            Some(_) => frame(first::TEXT | first::COMPRESSED, &deflated(text.as_bytes())),
            None => frame(first::TEXT, text.as_bytes()),
        };
        self.send(&frame).await
    }

    /// The next frame; none at the end of the connection. May be dropped while it waits.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some((head, length)) = size(&self.buffer)
                && self.buffer.len() - head >= length
            {
                let first = self.buffer[0];
                self.buffer.advance(head);
                self.received += (head + length) as u64;
                return Ok(Some(Frame { first, payload: self.buffer.split_to(length).freeze() }));
            }
            self.buffer.reserve(4 << 10);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Bytes of a frame's head and of its payload.
fn size(bytes: &[u8]) -> Option<(usize, usize)> {
    Some(match *bytes.get(1)? {
        126 => (4, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?).into()),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        short => (2, short.into()),
    })
}

/// A frame as a client sends it.
#[must_use]
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// The payload of a compressed message.
#[must_use]
pub fn deflated(message: &[u8]) -> Vec<u8> {
    deflate(message)
}
