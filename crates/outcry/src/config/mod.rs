//! The configuration: a TOML file and the command line, validated once.
//!
//! An unknown key, a wrong type, a value outside its bounds and a contradiction between keys are all
//! refused, with the line. Everything after this module can trust what it gets.

mod reference;
mod section;
mod sections;
mod values;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use types::{PartitionId, Topology};

pub use reference::{check, print_default};
pub use sections::{Demo, GatewayLimits, Log, RateLimits, Tracing};
pub use values::{Forwarded, LogFormat, Profile, Span};

use section::OutOfBounds;
use sections::{Data, Events, Journal, Listen, Partitions, Queue, Snapshots, Tls};

use crate::cli::RunArgs;
use crate::exit::{Failure, Status};

macro_rules! config {
    ($($field:ident: $section:ident,)*) => {
        /// All settings, as they are in the file.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Config {
            $(pub $field: $section,)*
        }

        impl Config {
            fn check_bounds(&self) -> Result<(), OutOfBounds> {
                $(self.$field.check_bounds()?;)*
                Ok(())
            }
        }

        fn section_docs() -> Vec<section::SectionDoc> {
            vec![$($section::reference(),)*]
        }
    };
}

config! {
    data: Data,
    listen: Listen,
    tls: Tls,
    partitions: Partitions,
    journal: Journal,
    events: Events,
    queue: Queue,
    snapshots: Snapshots,
    gateway: GatewayLimits,
    limits: RateLimits,
    demo: Demo,
    log: Log,
    tracing: Tracing,
}

/// Why a configuration is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, or `command line`.
    pub source: String,
    /// The line, if it is one of a file.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.source, self.what),
            None => write!(f, "{}: {}", self.source, self.what),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Status::Config, error)
    }
}

impl Config {
    /// What `outcry run` was told: the file if there is one, and the command line over it.
    pub fn from_args(args: &RunArgs) -> Result<Self, ConfigError> {
        let mut config = match &args.config {
            Some(file) => Self::read(file)?,
            None => Self::default(),
        };
        config.override_by(args);
        let checked = config.check_tls().and_then(|()| config.check_redis());
        checked.map_err(|(_, what)| ConfigError {
            source: "command line".to_owned(),
            line: None,
            what,
        })?;
        Ok(config)
    }

    /// Reads and validates a file.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
            source: file.display().to_string(),
            line: None,
            what: error.to_string(),
        })?;
        Self::parse(&text, &file.display().to_string())
    }

    /// Validates `text`, which came from `source`.
    pub fn parse(text: &str, source: &str) -> Result<Self, ConfigError> {
        let refuse = |line, what| ConfigError { source: source.to_owned(), line, what };
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_at(text, span.start));
            refuse(line, error.message().to_owned())
        })?;
        config.check_bounds().map_err(|error| {
            let OutOfBounds { section, key, what } = error;
            refuse(line_of(text, section, key), format!("{section}.{key}: {what}"))
        })?;
        config
            .check_together()
            .map_err(|((section, key), what)| refuse(line_of(text, section, key), what))?;
        Ok(config)
    }

    /// Which partition hosts what, in a data directory that is made now.
    pub fn topology(&self) -> Topology {
        let Partitions { count, ledgers, markets, max_accounts, max_client_ids_per_account } =
            &self.partitions;
        let ids = |numbers: &[u16]| numbers.iter().copied().map(PartitionId).collect::<Vec<_>>();
        let mut topology = Topology::spread(*count);
        if !ledgers.is_empty() {
            topology.ledgers = ids(ledgers);
        }
        if !markets.is_empty() {
            topology.markets = ids(markets);
        }
        topology.max_accounts = *max_accounts;
        topology.max_client_ids_per_account = *max_client_ids_per_account;
        topology
    }

    /// Certificate and key, if TLS is on.
    pub fn tls_files(&self) -> Option<(&PathBuf, &PathBuf)> {
        self.tls.cert.as_ref().zip(self.tls.key.as_ref())
    }

    fn override_by(&mut self, args: &RunArgs) {
        if let Some(dir) = &args.data {
            self.data.dir.clone_from(dir);
        }
        if let Some(address) = args.listen {
            self.listen.address = address;
        }
        if args.tls_cert.is_some() {
            self.tls.cert.clone_from(&args.tls_cert);
        }
        if args.tls_key.is_some() {
            self.tls.key.clone_from(&args.tls_key);
        }
        if let Some(profile) = args.limits {
            (self.limits.native, self.limits.dialect) = (profile, profile);
        }
        if let Some(time) = args.shed_above {
            self.gateway.shed_above = time;
        }
        if args.redis.is_some() {
            self.limits.redis.clone_from(&args.redis);
        }
        if args.no_demo {
            self.demo.enabled = false;
        }
    }

    /// What no single key can be blamed for; names the key whose line is shown.
    fn check_together(&self) -> Result<(), (Key, String)> {
        self.check_tls()?;
        self.check_redis()?;
        if let Some(Err(what)) = self.tracing.endpoint.as_deref().map(gateway::Tracing::new) {
            return Err((("tracing", "endpoint"), format!("tracing.endpoint: {what}")));
        }
        if !self.topology().is_valid() {
            let what = format!("partitions are numbered from 0 to {}", self.partitions.count - 1);
            return Err((("partitions", "count"), what));
        }
        if self.queue.reserved_for_cancels >= self.queue.capacity {
            let what = "queue.reserved_for_cancels must leave room for other commands".to_owned();
            return Err((("queue", "reserved_for_cancels"), what));
        }
        for (key, numbers) in [
            ("key_per_minute", &self.limits.key_per_minute),
            ("orders_per_minute", &self.limits.orders_per_minute),
        ] {
            if numbers.is_empty() || numbers.contains(&0) {
                return Err((("limits", key), format!("limits.{key} needs numbers above zero")));
            }
        }
        if let Err(error) = self.log.filter.parse::<tracing_subscriber::filter::Targets>() {
            return Err((("log", "filter"), format!("log.filter: {error}")));
        }
        Ok(())
    }

    fn check_redis(&self) -> Result<(), (Key, String)> {
        let Some(address) = &self.limits.redis else { return Ok(()) };
        let checked = gateway::SharedLimits::new(address, self.limits.gateways);
        checked.map(|_| ()).map_err(|what| (("limits", "redis"), format!("limits.redis: {what}")))
    }

    fn check_tls(&self) -> Result<(), (Key, String)> {
        let what = match (&self.tls.cert, &self.tls.key) {
            (Some(_), None) => (("tls", "cert"), "a certificate needs its key"),
            (None, Some(_)) => (("tls", "key"), "a key needs its certificate"),
            _ => return Ok(()),
        };
        Err((what.0, what.1.to_owned()))
    }
}

/// A section and one of its keys.
type Key = (&'static str, &'static str);

/// The line, from 1, of a byte of `text`.
fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// The line of a key, if the file has it.
fn line_of(text: &str, section: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let DeValue::Table(table) = document.get_ref().get(section)?.get_ref() else {
        return None;
    };
    let (name, _) = table.get_key_value(key)?;
    Some(line_at(text, name.span().start))
}

#[cfg(test)]
mod tests {
    use super::reference::{default_file, markdown};
    use super::*;

    fn refused(text: &str) -> String {
        Config::parse(text, "f.toml").unwrap_err().to_string()
    }

    #[test]
    fn the_default_file_means_the_defaults() {
        let parsed = Config::parse(&default_file(), "default").unwrap();
        assert_eq!(parsed, Config::default());
        assert_eq!(Config::parse("", "empty").unwrap(), Config::default());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let said = refused("[data]\ndir = \"d\"\n\n[queue]\ncapacty = 5\n");
        assert!(said.starts_with("f.toml, line 5: unknown field `capacty`"), "{said}");
        let said = refused("\n[quue]\n");
        assert!(said.starts_with("f.toml, line 2: unknown field `quue`"), "{said}");
    }

    #[test]
    fn a_value_outside_its_bounds_is_refused_with_its_line() {
        let said = refused("[journal]\nsegment_size = \"1KiB\"\n");
        assert_eq!(said, "f.toml, line 2: journal.segment_size: 1KiB is not from 1MiB to 4GiB");
        let said = refused("[gateway]\nsockets = 5\nsocket_rate = 0\n");
        assert_eq!(said, "f.toml, line 3: gateway.socket_rate: 0 is not from 1 to 1000000");
        let said = refused("[gateway]\nreplay_bytes = \"1B\"\n");
        assert!(said.starts_with("f.toml, line 2: gateway.replay_bytes: 1B is not"), "{said}");
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_its_line() {
        let said = refused("[gateway]\nbody = 5\n");
        assert!(said.starts_with("f.toml, line 2: "), "{said}");
        let said = refused("[gateway]\nbody = \"5 apples\"\n");
        assert!(said.starts_with("f.toml, line 2: \"5 apples\" is no size"), "{said}");
    }

    #[test]
    fn profiles_and_proxies_of_limits_are_read() {
        let text =
            "[limits]\nnative = \"unlimited\"\ntrusted_proxies = [\"10.0.0.0/8\", \"fd00::/8\"]\n";
        let config = Config::parse(text, "f.toml").unwrap();
        assert_eq!(config.limits.native, Profile::Unlimited);
        assert_eq!(config.limits.dialect, Profile::Binance);
        assert_eq!(config.limits.trusted_proxies.len(), 2);
        assert!(
            refused("[limits]\nnative = \"none\"").starts_with("f.toml, line 2: unknown variant")
        );
        let said = refused("[limits]\ntrusted_proxies = [\"10.0.0.0/33\"]");
        assert!(said.starts_with("f.toml, line 2: "), "{said}");
    }

    #[test]
    fn keys_that_contradict_each_other_are_refused() {
        assert!(refused("[tls]\ncert = \"c\"").contains("line 2: a certificate needs its key"));
        assert!(refused("[partitions]\ncount = 2\nledgers = [2]").contains("line 2: partitions"));
        let said = refused("[limits]\nredis = \"http://:secret@host\"");
        assert!(said.starts_with("f.toml, line 2: limits.redis: no address of Redis"), "{said}");
        assert!(!said.contains("secret"), "{said}");
        let said = refused("[tracing]\nendpoint = \"localhost:4318\"");
        assert!(said.starts_with("f.toml, line 2: tracing.endpoint: no address"), "{said}");
        assert!(refused("[limits]\nkey_per_minute = []").contains("line 2: limits.key_per_minute"));
        assert!(refused("[queue]\nreserved_for_cancels = 16384").contains("line 2: queue"));
    }

    #[test]
    fn the_command_line_goes_over_the_defaults() {
        let args = RunArgs {
            data: Some("elsewhere".into()),
            listen: Some("127.0.0.1:0".parse().unwrap()),
            no_demo: true,
            limits: Some(Profile::Unlimited),
            ..RunArgs::default()
        };
        let config = Config::from_args(&args).unwrap();
        assert_eq!(config.limits.dialect, Profile::Unlimited);
        assert_eq!(config.data.dir, Path::new("elsewhere"));
        assert_eq!(config.listen.address.port(), 0);
        assert!(!config.demo.enabled);
        let redis = Some("redis://localhost".to_owned());
        let args = RunArgs { redis: redis.clone(), ..RunArgs::default() };
        assert_eq!(Config::from_args(&args).unwrap().limits.redis, redis);
        let args = RunArgs { redis: Some("localhost".to_owned()), ..RunArgs::default() };
        assert!(Config::from_args(&args).is_err());
        let args = RunArgs { tls_cert: Some("c".into()), ..RunArgs::default() };
        assert!(Config::from_args(&args).is_err());
    }

    #[test]
    fn partitions_are_spread_as_told() {
        let config =
            Config::parse("[partitions]\ncount = 3\nledgers = [0]\nmarkets = [1, 2]\n", "f.toml");
        let topology = config.unwrap().topology();
        assert_eq!(topology.ledgers, [PartitionId(0)]);
        assert_eq!(topology.markets, [PartitionId(1), PartitionId(2)]);
        assert_eq!(Config::default().topology(), Topology::single());
    }

    #[test]
    fn the_committed_reference_is_the_generated_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == markdown(),
            "docs/configuration.md is not what `outcry config default --markdown` prints"
        );
    }
}
