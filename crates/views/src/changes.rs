//! What a batch of events changed: the food of the WebSocket fan-out.
//!
//! Public data is conflated: of each touched level, ticker and candle the state after the batch.
//! Trades and everything of an account are complete and in the order of the log.

use types::{
    AccountId, Amount, AssetDef, AssetId, Event, FeeRates, MarketDef, MarketId, PartitionId, Price,
    Quantity, Seq, Side, Timestamp, TradeId,
};

use crate::{Candle, DepthLevel, FillView, Interval, OrderView, Ticker, ViewError};

/// What one batch changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Whose log.
    pub partition: PartitionId,
    /// The last entry before those that were applied.
    pub after: Seq,
    /// The last entry applied; equal to `after` if the batch was known already.
    pub through: Seq,
    /// The newest log time, as [`crate::Views::log_time`] after the batch.
    pub time: Timestamp,
    /// New or changed definitions, in order.
    pub definitions: Vec<DefinitionChange>,
    /// Markets, each once, in the order in which they were first touched.
    pub markets: Vec<MarketChanges>,
    /// Accounts, each once, in the order in which they were first touched; of those that nobody follows only fills
    /// and their orders ([`crate::Views::on_batch_for`]).
    pub accounts: Vec<AccountChanges>,
    /// Events that contradicted the view: bugs. The view went on with the next event.
    pub contradictions: Vec<ViewError>,
}

/// A change of what everybody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefinitionChange {
    /// A new asset.
    Asset(AssetDef),
    /// A new market.
    Market(MarketDef),
    /// A fee tier's rates.
    FeeTier {
        /// The tier.
        tier: u8,
        /// Its rates.
        rates: FeeRates,
    },
}

/// What a batch changed in a market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketChanges {
    /// Which.
    pub market: MarketId,
    /// `seq` of the market's depth before this batch: a client whose book stands at another has missed
    /// something.
    pub previous_depth_seq: Seq,
    /// `seq` of the market's depth now; equal to the previous one if the book did not change.
    pub depth_seq: Seq,
    /// Each touched price once, with what rests there now. Bids best first, then asks best first.
    pub levels: Vec<LevelChange>,
    /// Checksum of the depth now (see [`crate::DepthSnapshot`]); meaningful when `levels` is not empty.
    pub checksum: u32,
    /// Every trade.
    pub trades: Vec<TradeView>,
    /// The ticker now, if a trade or the best bid or ask changed it.
    pub ticker: Option<Ticker>,
    /// Candles that a trade changed or closed, oldest first within each interval.
    pub candles: Vec<CandleChange>,
    /// Each new state, plan, interruption, reopening, uncrossing and change of units.
    pub phases: Vec<PhaseChange>,
    /// Its units have changed within the batch: levels and candles do not follow what was told before, and
    /// must be told anew.
    pub redefined: bool,
}

/// What happened to the trading of a market as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseChange {
    /// The entry.
    pub seq: Seq,
    /// When.
    pub time: Timestamp,
    /// The event: a new state, a plan, an interruption or an uncrossing.
    pub event: Event,
}

/// What rests at a price now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// Bids or asks.
    pub side: Side,
    /// The level; quantity zero: it is gone.
    pub level: DepthLevel,
}

/// A candle that a trade changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleChange {
    /// Its length.
    pub interval: Interval,
    /// Its state now.
    pub candle: Candle,
    /// Whether a later candle has begun, so that it will not change any more.
    pub closed: bool,
}

/// A trade as everybody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct TradeView {
    /// Rising within the market.
    pub trade: TradeId,
    /// At which price.
    pub price: Price,
    /// Lots.
    pub quantity: Quantity,
    /// Quote atoms.
    pub quote_amount: Amount,
    /// The taker's side, or none in an auction.
    pub aggressor: Option<Side>,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub seq: Seq,
    /// What one taker traded at one price without another trade in between is one aggregate: they are
    /// numbered from 1 within the market. Of an auction each trade is one.
    pub aggregate: u64,
}

/// What a batch changed of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChanges {
    /// Whose.
    pub account: AccountId,
    /// In the order of the log.
    pub updates: Vec<AccountUpdate>,
}

/// One change of an account, named by (partition, seq, index).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountUpdate {
    /// The entry.
    pub seq: Seq,
    /// The event's index within the entry.
    pub index: u32,
    /// When.
    pub time: Timestamp,
    /// What.
    pub change: AccountChange,
}

/// What changed of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// An order, after the change.
    Order(OrderView),
    /// A fill; the order after it is the next update.
    Fill(FillView),
    /// A balance, after the change.
    Balance(BalanceView),
    /// The account as such: opened, frozen, fee tier.
    Account(AccountView),
}

/// A balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceView {
    /// Of what.
    pub asset: AssetId,
    /// Free to use.
    pub available: Amount,
    /// Locked for open orders and pending debits.
    pub held: Amount,
}

/// An account as such.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize,
)]
pub struct AccountView {
    /// When it was opened.
    pub created_at: Timestamp,
    /// Whether it is frozen.
    pub frozen: bool,
    /// Its fee tier: that of its last order, or as an operator has set it since.
    pub fee_tier: u8,
    /// Whether an operator has pinned it there.
    pub is_pinned: bool,
}
