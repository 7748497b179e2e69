//! A campaign: many seeds, resumable, with counts per kind of fault at the end.
#![forbid(unsafe_code)]
fn main() {
    let seed: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1);
    let n: u64 = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(1);
    let t = std::time::Instant::now();
    let mut c = sim::faults::Counts::default();
    for s in seed..seed + n {
        match sim::run(s) {
            Ok(o) => { c.merge(&o.counts); if n < 5 { println!("{s}: {} requests {} crashes {} entries", o.requests, o.crashes, o.entries) } }
            Err(e) => println!("{s}: {e}"),
        }
    }
    println!("{c}{:?}", t.elapsed());
}
