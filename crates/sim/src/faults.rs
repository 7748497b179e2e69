//! What can go wrong, and what else must be met under faults, by name; and how often it was.

use std::fmt;

use types::{Event, MarketState};

macro_rules! faults {
    ($($name:ident = $text:literal,)*) => {
        /// A kind of fault, or a rare turn of the exchange's life. A campaign in which one of them never
        /// happened has shown less than it says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each says its name in words")]
        pub enum Fault { $($name,)* }

        impl Fault {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// In words.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

faults! {
    PowerLoss = "power loss",
    ProcessKilled = "process killed",
    CrashInRecovery = "crash during recovery",
    CrashInWrite = "crash in the middle of a write",
    CrashInSync = "crash in the middle of a sync",
    TornWrite = "sectors lost in a crash",
    NamesLost = "names lost in a crash",
    FailedSync = "failed sync",
    FailedWrite = "failed write",
    SlowSync = "slow sync",
    DiskFull = "disk full",
    BitFlip = "bit flip in the command log",
    Misdirected = "misdirected write in the command log",
    EventBitFlip = "bit flip in the event log",
    SnapshotBitFlip = "bit flip in a snapshot",
    MessageDropped = "message dropped",
    MessageDuplicated = "message duplicated",
    MessageDelayed = "message delayed",
    MessageReordered = "message overtaken",
    ClockForward = "clock jumped forward",
    ClockBackward = "clock jumped backward",
    ClockStalled = "clock stood still",
    Overload = "request refused by a full queue",
    StalledPartition = "partition stalled",
    SlowConsumer = "consumer read from disk",
    SlowPublisher = "events written late",
    SnapshotTaken = "snapshot taken",
    RestartFromLog = "restart from the log alone",
    RestartFromSnapshot = "restart from a snapshot",
    RestartFromEverySnapshot = "restarts from every snapshot there was",
    MarketFailed = "market failed and was quarantined",
    SlotFailed = "slot of accounts failed and was quarantined",
    TreasuryFailed = "treasury failed and was quarantined",
    TradeBesideQuarantine = "trade beside a quarantine",
    RestartInQuarantine = "restart with a component in quarantine",
    FailedAgain = "released too early, failed again",
    ReleasedWithParked = "released with messages that waited",
    ReleasedMended = "released under a mended binary",
    OrderlyRestart = "orderly end, start of another binary",
    ListPlaced = "order list placed",
    UnitsChanged = "tick and lot changed",
    MarketDelisted = "market delisted",
    MarketReopening = "market reopened in steps",
    ApprovalNeeded = "treasury asked for a second operator",
}

impl Fault {
    /// What an event tells of by itself.
    #[must_use]
    pub fn told_by(event: &Event) -> Option<Self> {
        Some(match event {
            Event::OrderListPlaced(_) => Self::ListPlaced,
            Event::MarketRedefined { .. } => Self::UnitsChanged,
            Event::MarketStateChanged { state: MarketState::Delisted, .. } => Self::MarketDelisted,
            Event::MarketReopening { .. } => Self::MarketReopening,
            Event::ProposalMade { .. } => Self::ApprovalNeeded,
            _ => return None,
        })
    }
}

/// How often each kind happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; Fault::ALL.len()])
    }
}

impl Counts {
    /// Once more.
    pub fn add(&mut self, fault: Fault) {
        self.add_many(fault, 1);
    }

    /// So many times more.
    pub fn add_many(&mut self, fault: Fault, times: u64) {
        self.0[fault as usize] += times;
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// Adds another's counts to these.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    /// The kinds that never happened.
    #[must_use]
    pub fn missing(&self) -> Vec<Fault> {
        Fault::ALL.iter().copied().filter(|&fault| self.of(fault) == 0).collect()
    }

    /// As one line of numbers, for a file of progress.
    #[must_use]
    pub fn to_line(&self) -> String {
        self.0.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
    }

    /// What [`Counts::to_line`] wrote, unless it was of other kinds.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        let counts: Vec<u64> = line.split(' ').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        (counts.len() == Fault::ALL.len()).then_some(Self(counts))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &fault in Fault::ALL {
            writeln!(f, "{:>12}  {}", self.of(fault), fault.name())?;
        }
        Ok(())
    }
}
