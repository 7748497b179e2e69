//! Streams of commands over one to three partitions: requests of every kind, altered ones and any that
//! decode; messages late, again and too early; time that jumps; partitions restored from snapshots. The
//! invariants hold after each step.

use borsh::BorshDeserialize;
use chance::Random;
use sim::venue::Venue;
use types::{PartitionId, Request, Timestamp};

use crate::input::Input;
use crate::venues;

/// Most steps of an input.
const MOST: u32 = 400;
/// Bytes that any request is read from.
const ANY_REQUEST: u64 = 48;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let partitions = 1 + u16::from(input.byte() % 3);
    let mut venue = Venue::new(partitions, Random::chosen(input.0));
    for _ in 0..MOST {
        if venue.random().is_used_up() {
            break;
        }
        step(&mut venue);
        venue.assert_sound();
    }
    venue.settle();
    venue.assert_quiet();
    venue.assert_replays();
    assert_eq!(venues::views(&venue).contradictions(), 0, "the views find contradictions");
}

fn step(venue: &mut Venue) {
    match venue.random().below(256) {
        0..150 => {
            let request = venue.draw();
            venue.submit(request);
        }
        150..190 => {
            let request = venue.draw();
            if let Some(request) = altered(venue, &request) {
                venue.submit(request);
            }
        }
        190..200 => {
            let bytes: Vec<u8> =
                (0..ANY_REQUEST).map(|_| venue.random().below(256) as u8).collect();
            if let Ok(request) = Request::deserialize(&mut &bytes[..]) {
                venue.submit(request);
            }
        }
        200..205 => {
            let (request, to) = (venue.draw(), partition(venue));
            let valid_until = Timestamp(venue.now.0 + venue.random().below(2_000));
            venue.submit_to(to, request, valid_until);
        }
        205..225 => pass_time(venue),
        225..235 => {
            let (from, to, most) = (partition(venue), partition(venue), venue.random().below(4));
            venue.carry(from, to, most as usize);
        }
        235..240 => {
            let (from, to) = (partition(venue), partition(venue));
            let received = venue.partitions[usize::from(to.0)].received_from(from);
            let after = (received + venue.random().below(5)).saturating_sub(2);
            venue.carry_after(from, to, after, 3);
        }
        240..248 => {
            let (from, to) = (partition(venue), partition(venue));
            venue.acknowledge(from, to);
        }
        248 => {
            let in_order = venue.random().one_in(2);
            venue.restart(in_order);
        }
        _ => {
            let id = partition(venue);
            venue.restore(id);
        }
    }
    if !venue.random().one_in(4) {
        venue.settle();
    }
}

fn partition(venue: &mut Venue) -> PartitionId {
    let count = u64::from(venue.topology.partitions);
    PartitionId(venue.random().below(count) as u16)
}

/// The request with other bytes in one to three places, if that is one.
fn altered(venue: &mut Venue, request: &Request) -> Option<Request> {
    let mut bytes = borsh::to_vec(request).expect("memory takes all");
    let random = venue.random();
    for _ in 0..random.between(1, 3) {
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] = random.below(256) as u8;
    }
    Request::try_from_slice(&bytes).ok()
}

fn pass_time(venue: &mut Venue) {
    const UNITS: [u64; 7] =
        [1_000, 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000, 0];
    let unit = venue.random().pick(&UNITS);
    let nanos = match unit {
        0 => {
            let due = venue.partitions.iter().filter_map(|p| p.next_deadline()).min();
            let due = due.map_or(1, |at| at.0.saturating_sub(venue.now.0));
            // An entry takes time as well: some come just before, some just after.
            due.saturating_sub(venue.random().below(3_000)).min(UNITS[5])
        }
        unit => unit * venue.random().between(1, 40),
    };
    venue.wait(nanos);
}
