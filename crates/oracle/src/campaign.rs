//! Blocks of commands: each has its own seed and a new exchange, and is reproduced alone.

use std::fmt;

use chance::Random;

use crate::coverage::Coverage;
use crate::duel::{Difference, Duel};
use crate::generate::{Generator, Step};

/// Commands of a block.
pub const BLOCK: u64 = 10_000;

/// Everything is compared after so many commands.
const CHECK_EVERY: u64 = 1_000;

/// The two sides disagreed.
#[derive(Debug)]
pub struct Failure {
    /// The seed of the block.
    pub seed: u64,
    /// The command of the block, from 1.
    pub number: u64,
    /// What it was.
    pub step: Step,
    /// What they disagree about.
    pub difference: Difference,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, number, step, difference } = self;
        let Difference { what, expected, found } = difference;
        writeln!(f, "block {seed}, command {number} differs: {what}")?;
        writeln!(f, "command: {step:?}")?;
        writeln!(f, "the rules say: {expected}")?;
        writeln!(f, "the product says: {found}")?;
        write!(f, "{}", again(*seed, *number))
    }
}

impl std::error::Error for Failure {}

/// The line that reproduces a failure.
fn again(seed: u64, number: u64) -> String {
    format!("again: make oracle BLOCK={seed} COMMANDS={number}")
}

/// Says where a panic of either side happened.
struct Place {
    seed: u64,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, number } = *self;
            eprintln!("block {seed}, command {number} panics; {}", again(seed, number));
        }
    }
}

/// The seed of a campaign's block.
#[must_use]
pub fn block_seed(seed: u64, block: u64) -> u64 {
    // One step of the generator, so that campaigns with neighbouring seeds share no block.
    Random::new(seed ^ block.rotate_left(32)).number()
}

/// Runs up to `commands` of a block. What was seen.
///
/// # Errors
/// The first difference.
pub fn run_block(seed: u64, commands: u64) -> Result<Coverage, Box<Failure>> {
    let mut generator = Generator::new(seed);
    let mut duel = Duel::new(seed, generator.partitions());
    let mut place = Place { seed, number: 0 };
    for number in 1..=commands {
        place.number = number;
        let step = generator.step(duel.naive());
        let mut done = duel.step(&step);
        if done.is_ok() && (number % CHECK_EVERY == 0 || number == commands) {
            done = duel.check_all();
        }
        if let Err(difference) = done {
            return Err(Box::new(Failure { seed, number, step, difference }));
        }
    }
    Ok(duel.coverage)
}
