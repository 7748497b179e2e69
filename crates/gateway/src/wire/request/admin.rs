//! What operators send.

use serde::Deserialize;
use store::Permissions;
use types::{
    AssetDef, AssetId, Decimal, FeeRates, MakerRate, MarketBounds, MarketDef, MarketId,
    PartitionId, PartsPerMillion, Price, Quantity,
};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::wire::word::{MarketState, Permission};

/// A new asset.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefineAssetBody {
    /// Its ticker: 1 to 24 of `A-Z`, `0-9`.
    #[schema(example = "BTC")]
    pub(crate) symbol: String,
    /// Decimal places of its amounts, at most 18.
    #[schema(example = 8)]
    pub(crate) scale: u8,
}

/// A new market.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListMarketBody {
    /// Its symbol: 1 to 24 of `A-Z`, `0-9`, `-`.
    #[schema(example = "BTC-USDT")]
    pub(crate) symbol: String,
    /// Ticker of what is traded.
    #[schema(example = "BTC")]
    pub(crate) base: String,
    /// Ticker of what it is paid with.
    #[schema(example = "USDT")]
    pub(crate) quote: String,
    /// The step of prices. Tick times lot must be a whole number of the quote's smallest unit.
    #[schema(example = "0.01")]
    pub(crate) tick: String,
    /// The step of quantities.
    #[schema(example = "0.00001")]
    pub(crate) lot: String,
    /// Largest price of an order.
    #[schema(example = "10000000.00")]
    pub(crate) max_price: String,
    /// Largest quantity of an order.
    #[schema(example = "10000")]
    pub(crate) max_quantity: String,
    /// Resting orders that the book holds at most; 4,000,000 unless given.
    #[serde(default)]
    pub(crate) max_orders: Option<u32>,
    /// Price levels that the book holds at most; 1,000,000 unless given.
    #[serde(default)]
    pub(crate) max_levels: Option<u32>,
    /// Open orders of one account at most; 1,000 unless given.
    #[serde(default)]
    pub(crate) max_orders_per_account: Option<u32>,
    /// Orders that wait for a trigger at most; 100,000 unless given.
    #[serde(default)]
    pub(crate) max_waiting: Option<u32>,
}

/// A new state of a market.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetMarketStateBody {
    /// The state.
    pub(crate) state: MarketState,
}

/// A state of a market at a time to come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanMarketStateBody {
    /// When, in milliseconds since the Unix epoch: one plan for each time.
    pub(crate) at: u64,
    /// The state; null takes the plan back.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub(crate) state: Option<MarketState>,
}

/// Rates of a fee tier.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetFeeTierBody {
    /// Of the order that rested, in millionths of what it receives; below zero: a rebate, in millionths of
    /// what its taker receives and never more than the taker's fee.
    #[schema(example = 1000)]
    pub(crate) maker_ppm: i32,
    /// Of the order that came and matched.
    #[schema(example = 2000)]
    pub(crate) taker_ppm: u32,
}

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAccountBody {
    /// For operators; need not be unique.
    #[schema(example = "alice")]
    pub(crate) name: String,
    /// 0 unless given.
    #[serde(default)]
    pub(crate) fee_tier: u8,
}

/// Freezing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FreezeAccountBody {
    /// Whether the account is to be frozen.
    pub(crate) frozen: bool,
}

/// A fee tier to stay in, or the one that the account's volume leads to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetAccountFeeTierBody {
    /// The tier, which no volume changes then; null: the account's volume decides, from its next order on.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub(crate) fee_tier: Option<u8>,
}

/// Value that comes from outside, or leaves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExternalTransferBody {
    /// Whose.
    pub(crate) account: u32,
    /// Ticker of the asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// How much.
    #[schema(example = "100000.00")]
    pub(crate) amount: String,
    /// Your own unique name for it, 1 to 200 characters: a retry with the same one is the same transfer.
    #[schema(example = "bank-2026-11-22-0001")]
    pub(crate) reference: String,
}

/// A withdrawal that has left.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleDebitBody {
    /// Who paid.
    pub(crate) account: u32,
    /// The name that the account gave the withdrawal.
    pub(crate) client_id: String,
    /// Your own unique name for it, 1 to 200 characters.
    pub(crate) reference: String,
}

/// A new API key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKeyBody {
    /// Whose; none for an operator's key.
    #[serde(default)]
    pub(crate) account: Option<u32>,
    /// What it may do.
    pub(crate) permissions: Vec<Permission>,
    /// A public key as PEM, Ed25519 or RSA (2048 to 4096 bits); one of Ed25519 also as hexadecimal or base64.
    /// Without one a secret for HMAC-SHA256 is made and shown once.
    #[serde(default)]
    pub(crate) public_key: Option<String>,
    /// A note.
    #[serde(default)]
    pub(crate) label: String,
}

impl DefineAssetBody {
    pub(crate) fn into_def(self, id: AssetId) -> AssetDef {
        AssetDef { id, symbol: self.symbol, scale: self.scale }
    }
}

impl ListMarketBody {
    /// The definition. The exchange checks what its numbers imply.
    ///
    /// # Errors
    /// A field that is no decimal.
    pub(crate) fn into_def(
        self,
        id: MarketId,
        base: AssetId,
        quote: AssetId,
    ) -> Result<MarketDef, ApiError> {
        let tick = unit("tick", &self.tick)?;
        let lot = unit("lot", &self.lot)?;
        let most = MarketBounds::default();
        Ok(MarketDef {
            id,
            base,
            quote,
            tick,
            lot,
            max_price: Price::new(count("max_price", tick, &self.max_price)?),
            max_quantity: Quantity::new(count("max_quantity", lot, &self.max_quantity)?),
            bounds: MarketBounds {
                max_orders: self.max_orders.unwrap_or(most.max_orders),
                max_levels: self.max_levels.unwrap_or(most.max_levels),
                max_orders_per_account: self
                    .max_orders_per_account
                    .unwrap_or(most.max_orders_per_account),
                max_waiting: self.max_waiting.unwrap_or(most.max_waiting),
            },
            // The registry assigns it.
            home: PartitionId(0),
            symbol: self.symbol,
            version: 1,
        })
    }
}

impl SetFeeTierBody {
    pub(crate) fn rates(&self) -> FeeRates {
        FeeRates { maker: MakerRate(self.maker_ppm), taker: PartsPerMillion(self.taker_ppm) }
    }
}

impl CreateKeyBody {
    pub(crate) fn permissions(&self) -> Permissions {
        let has = |permission| self.permissions.contains(&permission);
        Permissions {
            read: has(Permission::Read),
            trade: has(Permission::Trade),
            withdraw: has(Permission::Withdraw),
            admin: has(Permission::Admin),
        }
    }
}

pub(super) fn unit(name: &str, text: &str) -> Result<Decimal, ApiError> {
    text.parse().map_err(|error| ApiError::invalid_field(name, error))
}

pub(super) fn count(name: &str, unit: Decimal, text: &str) -> Result<u64, ApiError> {
    unit.count_u64(text).map_err(|error| ApiError::invalid_field(name, error))
}
