//! Moves of funds as clients send them.

use serde::Deserialize;
use types::{AccountId, Amount, AssetDef, Request};
use utoipa::ToSchema;

use super::{amount, client_id};
use crate::error::ApiError;

/// Funds for another account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferBody {
    /// The account that receives.
    pub(crate) to: u32,
    /// Ticker of the asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// How much.
    #[schema(example = "25.00")]
    pub(crate) amount: String,
    /// Your own name for it, 1 to 36 characters from `!` to `~`: a retry with the same one is the same
    /// transfer.
    pub(crate) client_id: String,
}

/// Funds that are to leave the exchange.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawalBody {
    /// Ticker of the asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// How much.
    #[schema(example = "25.00")]
    pub(crate) amount: String,
    /// Your own name for it, 1 to 36 characters from `!` to `~`: a retry with the same one is the same
    /// withdrawal.
    pub(crate) client_id: String,
}

impl TransferBody {
    /// The command that pays from `from`, and the amount in it.
    ///
    /// # Errors
    /// A field that has a value that it cannot have.
    pub(crate) fn into_request(
        self,
        from: AccountId,
        asset: &AssetDef,
    ) -> Result<(Request, Amount), ApiError> {
        let amount = amount(asset, "amount", &self.amount)?;
        let request = Request::Transfer {
            from,
            to: AccountId(self.to),
            asset: asset.id,
            amount,
            client_id: client_id("client_id", Some(&self.client_id))?,
        };
        Ok((request, amount))
    }
}

impl WithdrawalBody {
    /// The command that locks funds of `account`, and the amount in it.
    ///
    /// # Errors
    /// A field that has a value that it cannot have.
    pub(crate) fn into_request(
        self,
        account: AccountId,
        asset: &AssetDef,
    ) -> Result<(Request, Amount), ApiError> {
        let amount = amount(asset, "amount", &self.amount)?;
        let request = Request::ReserveDebit {
            account,
            asset: asset.id,
            amount,
            client_id: client_id("client_id", Some(&self.client_id))?,
        };
        Ok((request, amount))
    }
}
