//! One keep-alive connection of HTTP/1.1 with one request under way, whoever signs it.
//!
//! Only what answers of the exchange need: they tell their length. Anything else is an error of the connection.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Key;
use super::key::WINDOW_MS;

/// No answer of the exchange is longer.
const MAX_ANSWER: usize = 64 << 20;

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer<'a> {
    /// The status.
    pub(crate) status: u16,
    head: &'a str,
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(4_096) })
    }

    /// Asks, signed if there is a key; `extra` are whole header lines.
    pub(crate) async fn call(
        &mut self,
        key: Option<&Key>,
        method: &str,
        path: &str,
        body: &str,
        extra: &str,
    ) -> io::Result<Answer<'_>> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: exchange\r\n{extra}");
        if let Some(key) = key {
            let (timestamp, signature) = key.sign(method, path, body);
            let id = &key.id;
            request += &format!(
                "x-outcry-key: {id}\r\nx-outcry-timestamp: {timestamp}\r\n\
                 x-outcry-receive-window: {WINDOW_MS}\r\nx-outcry-signature: {signature}\r\n"
            );
        }
        if !body.is_empty() {
            request += "content-type: application/json\r\n";
        }
        request += &format!("content-length: {}\r\n\r\n{body}", body.len());
        self.stream.write_all(request.as_bytes()).await?;
        self.read_answer().await
    }

    async fn read_answer(&mut self) -> io::Result<Answer<'_>> {
        self.received.clear();
        let (mut head_end, mut whole) = (0, usize::MAX);
        while self.received.len() < whole {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if head_end == 0
                && let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n")
            {
                head_end = end + 4;
                whole = head_end + content_length(&self.received[..head_end])?;
            }
        }
        if self.received.len() > whole {
            return Err(invalid("more than one answer"));
        }
        let (head, body) = self.received.split_at(head_end);
        let head = std::str::from_utf8(head).map_err(|_| invalid("a head that is no text"))?;
        let status = head.get(9..12).and_then(|text| text.parse().ok());
        let status = status.ok_or_else(|| invalid("no status"))?;
        Ok(Answer { status, head, body })
    }
}

fn content_length(head: &[u8]) -> io::Result<usize> {
    let head = std::str::from_utf8(head).map_err(|_| invalid("a head that is no text"))?;
    match header(head, "content-length").map(str::parse) {
        Some(Ok(length)) if length <= MAX_ANSWER => Ok(length),
        _ => Err(invalid("an answer that does not tell its length")),
    }
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then(|| value.trim())
    })
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
