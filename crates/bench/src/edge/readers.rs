//! Readers of market data: a process of this program with thousands of connections to one stream, from an address of
//! its own. It checks that each connection is told every trade, in order and once, and says when the last one was.
//!
//! On its standard output it says `ready` when all are subscribed, and then `TRADE NANOSECONDS` when all have been told a
//! trade, in the clock that processes share.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use rustix::time::{ClockId, clock_gettime};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::LocalSet;
use websocket::client::{Client, first, frame};

/// How this program is started as readers: whose address, their own address, and how many, follow.
pub const READ_TRADES: &str = "--read-trades";

const SUBSCRIBE: &str = r#"{"id":1,"op":"subscribe","channels":["trades:BTC-USDT"]}"#;
/// Connections that are made at the same time.
const CONNECTING: usize = 64;
const BUFFER: usize = 64 << 10;

/// Nanoseconds of the clock that all processes of the machine share.
pub fn shared_clock() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Reads until it is killed.
///
/// # Panics
/// When a connection is cut, or is told a trade that does not follow the one before.
pub fn read_trades(address: &str, from: &str, readers: &str) {
    let server: SocketAddr = address.parse().expect("an address");
    let from: IpAddr = from.parse().expect("an address without a port");
    let readers: usize = readers.parse().expect("a number");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let told = Rc::new(Told {
            readers,
            trades: RefCell::default(),
            buffer: RefCell::new(vec![0; BUFFER]),
        });
        let (connecting, ready) =
            (Arc::new(Semaphore::new(CONNECTING)), Rc::new(Barrier::new(readers + 1)));
        let tasks: Vec<_> = (0..readers)
            .map(|_| {
                let (told, connecting, ready) = (told.clone(), connecting.clone(), ready.clone());
                tokio::task::spawn_local(async move {
                    let turn = connecting.acquire().await.expect("never closed");
                    let mut reader = Reader::open(server, from).await.expect("a subscription");
                    drop(turn);
                    ready.wait().await;
                    reader.read(&told).await.expect("a connection that lasts");
                })
            })
            .collect();
        ready.wait().await;
        say("ready");
        for task in tasks {
            task.await.expect("a reader that is told all trades in order");
        }
    });
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    // The parent has ended if nobody listens.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// What the connections of this process have been told.
struct Told {
    readers: usize,
    /// From the oldest that not all have been told: how many have.
    trades: RefCell<Trades>,
    /// Where whoever reads now reads into.
    buffer: RefCell<Vec<u8>>,
}

#[derive(Default)]
struct Trades {
    /// The number of the first in `counts`, less one.
    complete: u64,
    counts: VecDeque<usize>,
}

impl Told {
    /// One more connection was told this trade.
    fn count(&self, trade: u64) {
        let mut trades = self.trades.borrow_mut();
        let at = (trade - trades.complete - 1) as usize;
        if trades.counts.len() <= at {
            trades.counts.resize(at + 1, 0);
        }
        trades.counts[at] += 1;
        // Connections are told in order, so the oldest is complete first.
        while trades.counts.front() == Some(&self.readers) {
            trades.counts.pop_front();
            trades.complete += 1;
            say(&format!("{} {}", trades.complete, shared_clock()));
        }
    }
}

/// One connection.
struct Reader {
    stream: TcpStream,
    /// The begin of a frame whose end has not come.
    rest: Vec<u8>,
    last_trade: u64,
}

impl Reader {
    /// Connects and subscribes; the market has no trade yet.
    async fn open(server: SocketAddr, from: IpAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        let stream = socket.connect(server).await?;
        let mut client = Client::open(stream, "/v1/ws", None).await?;
        client.send_text(SUBSCRIBE).await?;
        // The answer, and the snapshot.
        for _ in 0..2 {
            let frame = client.next().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let text = frame.text();
            assert!(text.contains(r#""status":200"#) || text.contains("snapshot"), "{text}");
        }
        let (stream, rest) = client.into_parts();
        Ok(Self { stream, rest: rest.to_vec(), last_trade: 0 })
    }

    async fn read(&mut self, told: &Told) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            let mut buffer = told.buffer.borrow_mut();
            let kept = self.rest.len();
            buffer[..kept].copy_from_slice(&self.rest);
            let count = match self.stream.try_read(&mut buffer[kept..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            let mut bytes = &buffer[..kept + count];
            while let Some((first, payload, next)) = next_frame(bytes) {
                self.take(first, payload, told)?;
                bytes = next;
            }
            self.rest.clear();
            self.rest.extend_from_slice(bytes);
        }
    }

    fn take(&mut self, first_byte: u8, payload: &[u8], told: &Told) -> io::Result<()> {
        match first_byte {
            first::TEXT => {
                for trade in trades(payload) {
                    assert_eq!(trade, self.last_trade + 1, "a trade is missing or comes twice");
                    self.last_trade = trade;
                    told.count(trade);
                }
                Ok(())
            }
            // A pong has the opcode after that of a ping. The buffer of a connection that sends nothing else has room.
            first::PING => self.stream.try_write(&frame(first::PING + 1, payload)).map(|_| ()),
            _ => Err(io::Error::other(String::from_utf8_lossy(payload).into_owned())),
        }
    }
}

/// Its first byte, its payload, and what comes after; none if it is not whole.
fn next_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, length) = match *bytes.get(1)? {
        126 => (4, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?).into()),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        short => (2, usize::from(short)),
    };
    let payload = bytes.get(head..head + length)?;
    Some((bytes[0], payload, &bytes[head + length..]))
}

/// The numbers of the trades that a message tells.
fn trades(message: &[u8]) -> impl Iterator<Item = u64> {
    const ID: &[u8] = br#""trade","id":"#;
    let mut rest = message;
    std::iter::from_fn(move || {
        let at = rest.windows(ID.len()).position(|window| window == ID)?;
        rest = &rest[at + ID.len()..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    })
}
