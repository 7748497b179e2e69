//! What operators see.

use serde::Serialize;
use store::ApiKey;
use types::AccountId;
use utoipa::ToSchema;
use views::AccountView;

use super::{Asset, Market, PlannedUnits, Watermark, millis};
use crate::wire::rules::MarketRules;
use crate::wire::word::{MarketState, Permission};

/// Answer to an operator's command.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    /// When.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to a new asset.
#[derive(Serialize, ToSchema)]
pub(crate) struct DefinedAsset {
    /// The asset.
    pub(crate) asset: Asset,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to a new market.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedMarket {
    /// The market.
    pub(crate) market: Market,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to a new state of a market.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedMarketState {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// Its state.
    pub(crate) state: MarketState,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to new rules of a market.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedMarketRules {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// All its rules.
    pub(crate) rules: MarketRules,
    /// When.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to a planned state of a market.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlannedMarketState {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// When.
    pub(crate) at: u64,
    /// The state; none if the plan was taken back.
    pub(crate) state: Option<MarketState>,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to a planned change of tick and lot.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlannedRedefinition {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// When.
    pub(crate) at: u64,
    /// The new units; none if the plan was taken back.
    pub(crate) redefinition: Option<PlannedUnits>,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to a planned delisting.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlannedDelisting {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// When; none if the plan was taken back.
    pub(crate) at: Option<u64>,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// An account as operators see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdminAccount {
    /// Its id.
    pub(crate) id: u32,
    /// Its name.
    pub(crate) name: String,
    /// Whether the log has it. False after a crash between naming and opening: open it then.
    pub(crate) opened: bool,
    /// Its fee tier.
    pub(crate) fee_tier: u8,
    /// Whether it is frozen.
    pub(crate) frozen: bool,
    /// When it was named.
    pub(crate) created_at: u64,
}

/// Accounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdminAccounts {
    /// By id.
    pub(crate) accounts: Vec<AdminAccount>,
    /// Give this as `after` to get the next page; none on the last one.
    pub(crate) next: Option<String>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// Answer to a new account.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedAccount {
    /// The account.
    pub(crate) account: AdminAccount,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to a credit, a debit or a settlement.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExternalTransfer {
    /// Your name for it.
    pub(crate) reference: String,
    /// The number that stands for it in the log.
    pub(crate) number: u64,
    /// `done`, or `awaiting_approval`: nothing has happened yet.
    pub(crate) status: &'static str,
    /// The proposal that waits for a second operator.
    pub(crate) proposal: Option<u64>,
    /// Whether it had been asked before under this reference: nothing new happened.
    pub(crate) repeated: bool,
    /// The partition that answered; none while it waits for approval.
    pub(crate) partition: Option<u16>,
    /// Its entry.
    pub(crate) seq: Option<u64>,
}

/// An API key.
#[derive(Serialize, ToSchema)]
pub(crate) struct Key {
    /// Its public name: the header `X-Outcry-Key`.
    pub(crate) key: String,
    /// `hmac` or `ed25519`.
    pub(crate) kind: &'static str,
    /// Whose; none for an operator's.
    pub(crate) account: Option<u32>,
    /// The operator who acts with it; none if it is no admin key.
    pub(crate) operator: Option<String>,
    /// What it may do.
    pub(crate) permissions: Vec<Permission>,
    /// A note.
    pub(crate) label: String,
    /// The last characters of the secret, or of the public key in hexadecimal.
    pub(crate) last4: String,
    /// When it was made.
    pub(crate) created_at: u64,
    /// Since when it is not valid any more.
    pub(crate) revoked_at: Option<u64>,
}

/// API keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct Keys {
    /// Oldest first, revoked ones too.
    pub(crate) keys: Vec<Key>,
}

/// Answer to a new API key.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedKey {
    /// The key.
    pub(crate) key: Key,
    /// The secret of an HMAC key, shown this once. Its text as it stands is the key of the HMAC.
    pub(crate) secret: Option<String>,
}

/// Answer to revoking a key.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevokedKey {
    /// Its public name.
    pub(crate) key: String,
}

/// Answer to a snapshot.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeSnapshot {
    /// What was made, for people.
    pub(crate) summary: String,
}

impl AdminAccount {
    /// A named account, and what the log says of it.
    pub(crate) fn new(named: &store::Account, view: Option<AccountView>) -> Self {
        Self {
            id: named.id.0,
            name: named.name.clone(),
            opened: view.is_some(),
            fee_tier: view.map_or(0, |view| view.fee_tier),
            frozen: view.is_some_and(|view| view.frozen),
            created_at: millis(named.created_at),
        }
    }
}

impl Key {
    pub(crate) fn new(key: &ApiKey) -> Self {
        Self {
            key: key.key_id.clone(),
            kind: key.kind.word(),
            account: key.account.map(|AccountId(id)| id),
            operator: key.operator.clone(),
            permissions: Permission::list(key.permissions),
            label: key.label.clone(),
            last4: key.last4.clone(),
            created_at: millis(key.created_at),
            revoked_at: key.revoked_at.map(millis),
        }
    }
}

/// Components that have failed.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuarantinedComponents {
    /// By name.
    pub(crate) components: Vec<QuarantinedComponent>,
}

/// A component that takes no step until it is released.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuarantinedComponent {
    /// `market-` and its id, `ledger-` and the slot of accounts (account id modulo 1024), or `treasury`.
    #[schema(example = "market-1")]
    component: String,
    /// The partition that it lives in.
    partition: u16,
    /// The entry of its log that says so. The command that it failed on is the next one.
    seq: u64,
    /// That entry's time.
    time: u64,
    /// What it said when it failed, and where.
    reason: String,
}

/// Answer to a release.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReleasedQuarantine {
    /// The component.
    pub(crate) component: String,
    /// Messages that waited for it, and are handled now.
    pub(crate) parked: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

impl QuarantinedComponent {
    pub(crate) fn new(quarantined: &views::Quarantined) -> Self {
        Self {
            component: quarantined.component.to_string(),
            partition: quarantined.partition.0,
            seq: quarantined.since.0,
            time: super::millis(quarantined.time),
            reason: quarantined.reason.clone(),
        }
    }
}
