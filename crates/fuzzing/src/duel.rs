//! The product against the naive exchange, with commands and worlds that the fuzzer chooses.

use chance::Random;
use oracle::duel::Duel;
use oracle::generate::Generator;

/// Most commands of an input, the founding included.
const MOST: u32 = 600;
/// Everything is compared after so many.
const CHECK_EVERY: u32 = 100;

pub fn run(bytes: &[u8]) {
    let mut generator = Generator::from_random(Random::chosen(bytes));
    let mut duel = Duel::new(7, generator.partitions());
    for number in 1..=MOST {
        let step = generator.step(duel.naive());
        let done = duel.step(&step);
        let is_last = generator.is_used_up() || number == MOST;
        let done = match done {
            Ok(()) if is_last || number % CHECK_EVERY == 0 => duel.check_all(),
            other => other,
        };
        if let Err(difference) = done {
            let what = &difference.what;
            let (expected, found) = (&difference.expected, &difference.found);
            panic!("command {number}: {what}\n{step:?}\nrules: {expected}\nproduct: {found}");
        }
        if is_last {
            return;
        }
    }
}
