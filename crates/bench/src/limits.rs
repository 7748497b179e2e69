//! What the machine can do at best: the limits beside which the layers are read.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;

use hdrhistogram::Histogram;

use crate::durable::Disk;
use crate::report::{Report, Unit, histogram, thread_time};

/// A cache line.
const LINE: usize = 64;
/// What is chased through, from the first cache to memory.
const SIZES: [(&str, usize); 4] =
    [("16kb", 16 << 10), ("512kb", 512 << 10), ("8mb", 8 << 20), ("256mb", 256 << 20)];
const STEPS: u32 = 4_000_000;
const SYSCALLS: u32 = 1_000_000;
const ROUND_TRIPS: usize = 20_000;
const SYNCS: u64 = 500;

/// All of them.
pub fn limits(report: &mut Report, folder: &Path) {
    for (name, bytes) in SIZES {
        let conditions =
            "one dependent load of another cache line, processor time, one random cycle";
        report.add(&format!("limit_load_{name}_ns"), chase(bytes), "ns", conditions);
    }
    report.add("limit_syscall_ns", syscall(), "ns", "getppid, processor time");
    let conditions = "64 bytes there and back between two threads over TCP at 127.0.0.1";
    report.add_latencies("limit_loopback", &loopback(), Unit::Micros, conditions);
    let conditions = "write and fdatasync of 4 KiB into a pre-written file, nothing else";
    report.add_latencies("limit_sync", &syncs(folder), Unit::Millis, conditions);
}

/// Nanoseconds of a load that waits for the one before.
fn chase(bytes: usize) -> f64 {
    let mut next: Vec<[u32; LINE / 4]> = vec![[0; LINE / 4]; bytes / LINE];
    // Sattolo's shuffle makes one cycle of all lines.
    let mut order: Vec<u32> = (0..next.len() as u32).collect();
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    for last in (1..order.len()).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        order.swap(last, random as usize % last);
    }
    for (at, to) in order.iter().enumerate() {
        next[at][0] = *to;
    }
    let mut at = 0;
    let mut walk = |steps: u32| {
        let started = thread_time();
        for _ in 0..steps {
            at = next[at as usize][0];
        }
        black_box(at);
        (thread_time() - started).as_nanos() as f64 / f64::from(steps)
    };
    walk(STEPS / 4);
    walk(STEPS)
}

fn syscall() -> f64 {
    let started = thread_time();
    for _ in 0..SYSCALLS {
        black_box(rustix::process::getppid());
    }
    (thread_time() - started).as_nanos() as f64 / f64::from(SYSCALLS)
}

fn loopback() -> Histogram<u64> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let echo = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.set_nodelay(true).expect("a TCP connection");
        let mut bytes = [0; 64];
        while stream.read_exact(&mut bytes).is_ok() {
            stream.write_all(&bytes).expect("an open connection");
        }
    });
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_nodelay(true).expect("a TCP connection");
    let (mut bytes, mut latencies) = ([1; 64], histogram());
    for _ in 0..ROUND_TRIPS {
        let began = Instant::now();
        stream.write_all(&bytes).expect("an open connection");
        stream.read_exact(&mut bytes).expect("an open connection");
        latencies.saturating_record(began.elapsed().as_nanos() as u64);
    }
    drop(stream);
    echo.join().expect("the echo ends with its connection");
    latencies
}

/// Of the disk that has `folder`.
pub fn syncs(folder: &Path) -> Histogram<u64> {
    let (disk, mut latencies) = (Disk::new(folder).expect("a writable folder"), histogram());
    for nth in 0..SYNCS {
        latencies.saturating_record(disk.sync(nth).expect("a disk").as_nanos() as u64);
    }
    latencies
}
