//! The command line of `outcry load`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::LoadError;
use crate::client::Key;
use crate::methods::{Bounds, Method, Trace, check_positive};
use crate::run::{Settings, Target};
use crate::watch::Watched;

/// Traders as they behave, against an exchange over HTTP and WebSocket.
#[derive(Debug, Subcommand)]
pub enum LoadCommand {
    /// The usual load.
    Baseline {
        /// What all methods share.
        #[command(flatten)]
        common: Common,
        /// How long.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// Doubles the load until something breaks, and names where and how.
    Ramp {
        /// What all methods share.
        #[command(flatten)]
        common: Common,
        /// How long each step takes.
        #[arg(long, default_value_t = 10)]
        step_seconds: u64,
        /// Steps at most.
        #[arg(long, default_value_t = 12)]
        steps: u32,
        /// Broken is what has a longer p99 of orders.
        #[arg(long, default_value_t = 250.0)]
        p99_ms: f64,
        /// Broken is what turns away or fails a larger share of requests, in percent.
        #[arg(long, default_value_t = 1.0)]
        errors: f64,
    },
    /// So many times the usual load at once, then how long it takes until latency is back.
    Spike {
        /// What all methods share.
        #[command(flatten)]
        common: Common,
        /// Times the usual load.
        #[arg(long, default_value_t = 10.0)]
        factor: f64,
        /// Seconds before.
        #[arg(long, default_value_t = 15)]
        calm: u64,
        /// Seconds of the spike.
        #[arg(long, default_value_t = 10)]
        spike: u64,
        /// Seconds after.
        #[arg(long, default_value_t = 30)]
        after: u64,
    },
    /// More than the usual load for hours: what grows in memory, descriptors, disk.
    Soak {
        /// What all methods share.
        #[command(flatten)]
        common: Common,
        /// Times the usual load.
        #[arg(long, default_value_t = 2.0)]
        factor: f64,
        /// How long.
        #[arg(long, default_value_t = 1.0)]
        hours: f64,
    },
    /// The course of a recorded load: a CSV file, plain or `.zst`, whose second column counts the requests of a step of time.
    Replay {
        /// What all methods share.
        #[command(flatten)]
        common: Common,
        /// The file.
        file: PathBuf,
        /// The first row, from 0 on.
        #[arg(long, default_value_t = 0)]
        from: usize,
        /// How many rows.
        #[arg(long, default_value_t = 120)]
        rows: usize,
        /// Seconds that a row takes here.
        #[arg(long, default_value_t = 1.0)]
        row_seconds: f64,
    },
    /// Two runs beside each other.
    Compare {
        /// The report (JSON) of one run.
        a: PathBuf,
        /// Of the other.
        b: PathBuf,
        /// HTML file to write.
        #[arg(long, value_name = "FILE", default_value = "load-compare.html")]
        out: PathBuf,
    },
    /// Makes one report of those of the parts of a run.
    Merge {
        /// The reports (JSON) of the parts.
        #[arg(required = true)]
        parts: Vec<PathBuf>,
        /// Report to write, without the ending of its name.
        #[arg(long, value_name = "FILE", default_value = "load-merged")]
        out: PathBuf,
    },
}

/// What all methods share.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// A running exchange, http://ADDRESS:PORT; its operator's key is read from OUTCRY_ADMIN_KEY and OUTCRY_ADMIN_SECRET.
    /// Without it, an exchange of its own is started on a temporary directory.
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Process of the target, if it runs on this machine: its memory and descriptors are watched.
    #[arg(long, requires = "target")]
    pub pid: Option<u32>,
    /// Load an engine with its journal in this process, without gateway, sockets and reads.
    #[arg(long, conflicts_with_all = ["target", "limits", "market", "readers"])]
    pub in_process: bool,
    /// Profile of limits of an exchange of its own: standard, binance or unlimited.
    #[arg(long, default_value = "unlimited", conflicts_with = "target")]
    pub limits: String,
    /// Market; listed if it is not there.
    #[arg(long, default_value = "BTC-USDT")]
    pub market: String,
    /// Accounts that trade: 5 % makers, 80 % retail, 15 % bots.
    #[arg(long, default_value_t = 100)]
    pub users: usize,
    /// Times what users usually do.
    #[arg(long, default_value_t = 1.0)]
    pub rate: f64,
    /// Of all decisions and of when they are due.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Sockets that read market data [default: one for ten users].
    #[arg(long)]
    pub readers: Option<usize>,
    /// Which part of a run that several processes share against one target, as 1/3.
    #[arg(long, value_name = "N/M", requires = "target")]
    pub part: Option<String>,
    /// Report to write, without the ending of its name [default: load-METHOD].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show nothing but the summary.
    #[arg(long)]
    pub quiet: bool,
}

impl Common {
    pub(crate) fn settings(&self) -> Result<Settings, LoadError> {
        check_positive("--users", self.users as f64)?;
        check_positive("--rate", self.rate)?;
        let secret = |name: &str| {
            std::env::var(name)
                .map_err(|_| LoadError::Usage(format!("--target needs {name} in the environment")))
        };
        let target = match &self.target {
            Some(url) => {
                let key = Key::new(&secret("OUTCRY_ADMIN_KEY")?, &secret("OUTCRY_ADMIN_SECRET")?);
                Target::Running(url.clone(), key)
            }
            None if self.in_process => Target::Engine,
            None => Target::Process,
        };
        Ok(Settings {
            target,
            watched: Watched { pid: self.pid, data: None },
            limits: self.limits.clone(),
            market: self.market.clone(),
            users: self.users,
            rate: self.rate,
            seed: self.seed,
            part: self.part.as_deref().map_or(Ok((1, 1)), part)?,
            readers: self.readers.unwrap_or(self.users.div_ceil(10)),
            is_quiet: self.quiet,
        })
    }
}

impl LoadCommand {
    /// The method and what all methods share; none of a command that makes no run.
    pub(crate) fn method(&self) -> Result<Option<(&Common, Method)>, LoadError> {
        Ok(Some(match self {
            Self::Baseline { common, seconds } => (common, Method::Baseline { seconds: *seconds }),
            Self::Ramp { common, step_seconds, steps, p99_ms, errors } => {
                let bounds = Bounds { p99_ms: *p99_ms, errors: errors / 100.0 };
                (common, Method::Ramp { step_seconds: *step_seconds, bounds, steps: *steps })
            }
            Self::Spike { common, factor, calm, spike, after } => {
                check_positive("--factor", *factor)?;
                let (factor, calm, spike, after) = (*factor, *calm, *spike, *after);
                (common, Method::Spike { factor, calm, spike, after })
            }
            Self::Soak { common, factor, hours } => {
                check_positive("--factor", *factor)?;
                check_positive("--hours", *hours)?;
                let seconds = (hours * 3_600.0).ceil() as u64;
                (common, Method::Soak { factor: *factor, seconds })
            }
            Self::Replay { common, file, from, rows, row_seconds } => {
                check_positive("--row-seconds", *row_seconds)?;
                let row = Duration::from_secs_f64(*row_seconds);
                let trace = Trace::read(file, *from, *rows, row)?;
                (common, Method::Replay { file: file.clone(), trace })
            }
            Self::Compare { .. } | Self::Merge { .. } => return Ok(None),
        }))
    }

    /// The name by which a report is called unless told.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Baseline { .. } => "baseline",
            Self::Ramp { .. } => "ramp",
            Self::Spike { .. } => "spike",
            Self::Soak { .. } => "soak",
            Self::Replay { .. } => "replay",
            Self::Compare { .. } => "compare",
            Self::Merge { .. } => "merge",
        }
    }
}

/// `1/3`: the first of three.
fn part(text: &str) -> Result<(usize, usize), LoadError> {
    let numbers = text.split_once('/').and_then(|(part, parts)| {
        Some((part.parse::<usize>().ok()?, parts.parse::<usize>().ok()?))
    });
    match numbers {
        Some((part, parts)) if (1..=parts).contains(&part) => Ok((part, parts)),
        _ => Err(LoadError::Usage(format!("--part {text}: not N/M with N from 1 to M"))),
    }
}
