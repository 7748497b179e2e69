//! The vocabulary of the exchange: ids, money, definitions of assets and markets, commands,
//! messages between components, events and reject codes.
//!
//! Everything here is plain data with exact integer arithmetic. There is no I/O, clock, randomness,
//! float or hash order in this crate, and none in the crates that build the engine on it.
#![forbid(unsafe_code)]

#[cfg(feature = "fault-injection")]
mod bug;
mod client_order_id;
mod command;
mod component;
mod conditions;
mod decider;
mod decimal;
mod definition;
mod effects;
mod event;
mod event_batch;
mod fees;
mod ids;
mod message;
pub mod money;
mod order;
mod order_list;
mod redefinition;
mod reject;
mod rules;
mod topology;
mod trade;
mod treasury;

#[cfg(feature = "fault-injection")]
pub use bug::{Bug, Done};
pub use client_order_id::{ClientOrderId, InvalidClientOrderId};
pub use command::{
    Command, Delivery, Entry, ReplaceOrder, ReplyTo, Request, RequestKind, TreasuryReference,
};
pub use component::{Component, NoComponent};
pub use conditions::{
    BoxedConditions, Conditions, MAX_TRAILING_BASIS_POINTS, Trigger, trailing_price,
};
pub use decimal::{Decimal, DecimalError};
pub use definition::{
    AssetDef, Definition, DefinitionError, MAX_ASSET_SCALE, MAX_SUPPLY, MarketBounds, MarketDef,
    Scaling,
};
pub use effects::{Effects, Events, Messages};
pub use event::Event;
pub use event_batch::{EntryEvents, EventBatch};
pub use fees::{FeeRates, FeeSchedule, TierStep, VOLUME_DAYS, VolumeFactor};
pub use ids::{
    ACCOUNT_SLOTS, AccountId, AssetId, HoldId, MarketId, OrderId, PartitionId, Seq, Slot,
    Timestamp, TradeId,
};
pub use message::{Admit, AmendOrder, Fill, MarketChange, Message};
pub use money::{Amount, Fee, MakerRate, PartsPerMillion, Price, Quantity};
pub use order::{
    CancelCause, MarketState, OrderSpec, PlaceOrder, SelfTradePrevention, Side, TimeInForce,
};
pub use order_list::{
    AdmitList, ListEnd, ListLeg, OrderListKind, OrderListPlaced, PlaceOrderList, PlacePending,
};
pub use redefinition::{Conversion, Redefinition};
pub use reject::{RejectArea, RejectCode};
pub use rules::{
    Distance, Interruption, MAX_WINDOW_MINUTES, MarketRules, PriceBand, Range, Reopening,
};
pub use topology::Topology;
pub use trade::{Trade, TradeSide};
pub use treasury::{
    Concerns, CreditPolicy, Decision, MAX_EXPIRY_HOURS, OperatorName, Proposal, SourceKind,
    TreasuryAct,
};
