//! `outcry snapshot`: makes a snapshot out of the files alone. A running exchange calls it as a child
//! process of low priority; it takes no lock.

use node::take_snapshot;

use crate::cli::SnapshotArgs;
use crate::exit::{Failure, Status};

/// Makes the snapshot of one partition after the entry `until`.
pub fn run(args: &SnapshotArgs) -> Result<Status, Failure> {
    let made = take_snapshot(&args.data, args.partition, args.until)
        .map_err(Failure::of(Status::Io, "snapshot"))?;
    println!(
        "partition {}: entry {}, state {}",
        made.partition,
        made.seq,
        hex::encode(made.state_hash)
    );
    Ok(Status::Ok)
}
