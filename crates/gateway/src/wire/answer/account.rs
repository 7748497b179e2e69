//! An account as its owner sees it.

use serde::Serialize;
use types::AssetDef;
use utoipa::ToSchema;
use views::BalanceView;

use super::{Watermark, amount};
use crate::wire::word::Permission;

/// An account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Account {
    /// Its id.
    pub(crate) id: u32,
    /// Its fee tier.
    pub(crate) fee_tier: u8,
    /// Whether it is frozen: it may cancel, but not place or pay.
    pub(crate) frozen: bool,
    /// When it was opened.
    pub(crate) created_at: u64,
    /// What this API key may do.
    pub(crate) permissions: Vec<Permission>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// A balance.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Balance {
    /// Ticker of the asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// Free to use.
    pub(crate) available: String,
    /// Locked for open orders and withdrawals.
    pub(crate) held: String,
}

/// Balances.
#[derive(Serialize, ToSchema)]
pub(crate) struct Balances {
    /// Of every asset that the account ever had, by asset id.
    pub(crate) balances: Vec<Balance>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// A change of a total balance.
#[derive(Serialize, ToSchema)]
pub(crate) struct LedgerEntry {
    /// For paging; rising.
    pub(crate) id: u64,
    /// Ticker of the asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// By how much; begins with `-` when it is less.
    #[schema(example = "-60000.00")]
    pub(crate) change: String,
    /// `credit`, `debit`, `transfer_in`, `transfer_out`, `trade`, `fee` or `rebate`.
    pub(crate) kind: String,
    /// By kind: `source:number`, the other account, or `market:trade`.
    pub(crate) reference: String,
    /// When.
    pub(crate) time: u64,
    /// The partition whose log says so.
    pub(crate) partition: u16,
    /// The entry.
    pub(crate) seq: u64,
}

/// Ledger entries.
#[derive(Serialize, ToSchema)]
pub(crate) struct LedgerEntries {
    /// Newest first.
    pub(crate) entries: Vec<LedgerEntry>,
    /// Give this as `before` to get the next page; none on the last one.
    pub(crate) next: Option<String>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// Answer to a transfer, a withdrawal or its release.
#[derive(Serialize, ToSchema)]
pub(crate) struct Moved {
    /// Ticker of the asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// How much.
    pub(crate) amount: String,
    /// Whether this client id had done it before: nothing new happened.
    pub(crate) repeated: bool,
    /// When.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// A withdrawal whose funds are locked.
#[derive(Serialize, ToSchema)]
pub(crate) struct Withdrawal {
    /// Your name for it.
    pub(crate) client_id: String,
    /// Ticker of the asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// How much.
    pub(crate) amount: String,
    /// Since when.
    pub(crate) since: u64,
}

/// Withdrawals that are neither settled nor released.
#[derive(Serialize, ToSchema)]
pub(crate) struct Withdrawals {
    /// By name.
    pub(crate) withdrawals: Vec<Withdrawal>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// A key that browsers of a demonstration exchange share.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct DemoSession {
    /// The demo account.
    pub(crate) account: u32,
    /// The header `X-Outcry-Key`.
    pub(crate) key: String,
    /// The key of the HMAC, as text.
    pub(crate) secret: String,
}

impl Balance {
    pub(crate) fn new(asset: &AssetDef, view: &BalanceView) -> Self {
        Self {
            asset: asset.symbol.clone(),
            available: amount(asset, view.available),
            held: amount(asset, view.held),
        }
    }
}
