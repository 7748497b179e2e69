//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::{Profile, Span};
use clap::{Args, Parser, Subcommand, ValueEnum};
use types::{MarketId, OrderId, PartitionId, Seq};

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("OUTCRY_COMMIT"), ")");

const EXIT_STATUS: &str = "\
Exit status:
   0  all is well
   1  the answer is no: a replay differs, a data directory is not valid, there is no such order, a load
      run found something wrong
   2  the command line makes no sense
  65  a recorded session cannot be understood
  69  the address to listen on cannot be had: another process listens there
  70  a bug stopped the process
  73  the data directory cannot be created, or another process has it
  74  reading or writing failed
  78  the configuration is wrong";

/// A spot exchange in one binary.
#[derive(Debug, Parser)]
#[command(name = "outcry", version = VERSION, after_help = EXIT_STATUS, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the exchange.
    Run(RunArgs),
    /// Replay a recorded session through a fresh exchange and compare.
    Replay(ReplayArgs),
    /// Check a stopped or copied data directory: logs, snapshots, money, books, SQL.
    Verify(VerifyArgs),
    /// Print a log for people.
    Inspect(InspectArgs),
    /// Explain what became of something.
    #[command(subcommand)]
    Explain(ExplainCommand),
    /// Load an exchange with traders as they behave, and check all that it says.
    #[command(subcommand)]
    Load(load::LoadCommand),
    /// API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make a snapshot of a partition; a running exchange calls this for itself.
    #[command(hide = true)]
    Snapshot(SnapshotArgs),
}

/// `outcry run`
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Configuration file; see `outcry config default`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory [default: ./data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Certificate chain, PEM; needs --tls-key.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key, PEM; needs --tls-cert.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Limits of all paths [default: standard, and binance on the paths of the Binance dialect].
    #[arg(long, value_name = "PROFILE", value_enum)]
    pub limits: Option<Profile>,
    /// How long requests may wait for their turn before some are refused, as "20ms"; "0ms": none is.
    #[arg(long, value_name = "TIME")]
    pub shed_above: Option<Span>,
    /// Redis over which several gateways keep limits together; with a password, name it in the file instead.
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// Start an empty exchange: no demo assets, markets or participants.
    #[arg(long)]
    pub no_demo: bool,
}

/// `outcry replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Folder of the recorded session.
    pub dir: PathBuf,
    /// Keep the exchange's data here (a folder that does not exist yet) instead of in a temporary one.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// As fast as it goes, or in recorded time.
    #[arg(long, value_enum, default_value_t = Speed::Full)]
    pub speed: Speed,
    /// Print the verdict as JSON.
    #[arg(long)]
    pub json: bool,
    /// Start from the seed even where the opening auction was recorded.
    #[arg(long)]
    pub no_auction: bool,
}

/// How fast to replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Speed {
    /// As fast as it goes.
    Full,
    /// In recorded time.
    Recorded,
}

/// `outcry verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The data directory; no exchange may be running on it.
    pub data: PathBuf,
    /// Print the verdict as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `outcry inspect`
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The data directory.
    pub data: PathBuf,
    /// Whose log.
    #[arg(long, default_value_t = PartitionId(0))]
    pub partition: PartitionId,
    /// First entry.
    #[arg(long, default_value_t = Seq(1))]
    pub from: Seq,
    /// Last entry [default: the end].
    #[arg(long)]
    pub to: Option<Seq>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `outcry explain …`
#[derive(Debug, Subcommand)]
pub enum ExplainCommand {
    /// The life of one order: queue place, fills, why it ended.
    Order {
        /// Symbol or id of the market.
        market: String,
        /// The order.
        order: OrderId,
        /// The data directory.
        #[arg(long, value_name = "DIR", default_value = "./data")]
        data: PathBuf,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// `outcry keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Revoke the admin keys and print a new one. The exchange must not be running.
    ResetAdmin {
        /// The data directory.
        #[arg(long, value_name = "DIR", default_value = "./data")]
        data: PathBuf,
    },
    /// Print an admin key for an operator: a new one, or another key for one who is known. What needs
    /// two operators takes two of these names. The exchange must not be running.
    AddOperator {
        /// Who: 1 to 36 characters from '!' to '~', never given to another person.
        name: types::OperatorName,
        /// The data directory.
        #[arg(long, value_name = "DIR", default_value = "./data")]
        data: PathBuf,
    },
}

/// `outcry config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a file: every key, every value.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Print a file with all defaults and what they mean.
    Default {
        /// As a page of the documentation.
        #[arg(long, hide = true)]
        markdown: bool,
    },
}

/// `outcry snapshot`
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// The data directory.
    pub data: PathBuf,
    /// Which partition.
    #[arg(long, default_value_t = PartitionId(0))]
    pub partition: PartitionId,
    /// After which entry; it must be durable.
    #[arg(long)]
    pub until: Seq,
}

/// A market as named on the command line: by id, if it is a number.
pub fn market_id(text: &str) -> Option<MarketId> {
    text.parse().ok()
}
