//! The command: a folder for the exchange's data, the replay, the verdict.

use std::path::{Path, PathBuf};

use super::embedded::Embedded;
use super::{Plan, Verdict, replay};
use crate::cli::{ReplayArgs, Speed};
use crate::exit::{Failure, Status};

/// `outcry replay`
pub fn run(args: &ReplayArgs) -> Result<Status, Failure> {
    let plan = Plan { recorded_speed: args.speed == Speed::Recorded, auction: !args.no_auction };
    let verdict = match &args.data {
        Some(data) => replay_in(&make_folder(data.clone())?, args, &plan)?,
        None => {
            let temporary = Temporary(make_folder(temporary_path()?)?);
            replay_in(&temporary.0, args, &plan)?
        }
    };
    if args.json {
        let json = serde_json::to_string(&verdict).expect("a verdict is plain data");
        println!("{json}");
    } else {
        println!("{verdict}");
    }
    Ok(if verdict.exact { Status::Ok } else { Status::Differs })
}

fn replay_in(data: &Path, args: &ReplayArgs, plan: &Plan) -> Result<Verdict, Failure> {
    let mut exchange = Embedded::start(data)?;
    let verdict = replay(&args.dir, &mut exchange, plan);
    exchange.stop();
    verdict
}

/// Made anew: a replay starts from nothing.
fn make_folder(path: PathBuf) -> Result<PathBuf, Failure> {
    let doing = format!("cannot create {}", path.display());
    std::fs::create_dir(&path).map_err(Failure::of(Status::CannotCreate, &doing))?;
    Ok(path)
}

fn temporary_path() -> Result<PathBuf, Failure> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(Failure::of(Status::Io, "no randomness"))?;
    Ok(std::env::temp_dir().join(format!("outcry-replay-{}", hex::encode(random))))
}

/// A folder that goes when this goes.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{} stays: {error}", self.0.display());
        }
    }
}
