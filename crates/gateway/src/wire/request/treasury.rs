//! What operators send about the guard of the treasury.

use serde::Deserialize;
use types::{AssetDef, CreditPolicy};
use utoipa::ToSchema;

use super::amount;
use crate::error::ApiError;
use crate::wire::word::SourceKind;

/// Attested reserves of an asset.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttestReservesBody {
    /// How much of it may exist here without approval.
    #[schema(example = "1500000.00")]
    pub(crate) ceiling: String,
    /// Hash of the document that shows it: 64 hexadecimal digits.
    pub(crate) evidence: String,
}

/// What needs approval with an asset, besides its ceiling. What is absent asks for nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetCreditPolicyBody {
    /// A credit above this.
    #[serde(default)]
    #[schema(example = "10000.00")]
    pub(crate) large_credit: Option<String>,
    /// The credit that would lift the sum of a source's credits of an hour above this.
    #[serde(default)]
    #[schema(example = "50000.00")]
    pub(crate) hourly_credit: Option<String>,
    /// Every credit and debit of a manual source.
    #[serde(default)]
    pub(crate) manual_needs_approval: bool,
    /// How long a proposal waits: 1 to 720; 24 unless given.
    #[serde(default = "a_day")]
    pub(crate) expiry_hours: u16,
}

/// What a source is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetSourceKindBody {
    /// The kind.
    pub(crate) kind: SourceKind,
}

impl AttestReservesBody {
    /// The hash.
    ///
    /// # Errors
    /// When it is not 64 hexadecimal digits.
    pub(crate) fn evidence(&self) -> Result<[u8; 32], ApiError> {
        let mut hash = [0; 32];
        hex::decode_to_slice(&self.evidence, &mut hash)
            .map_err(|_| ApiError::invalid_field("evidence", "must be 64 hexadecimal digits"))?;
        Ok(hash)
    }
}

impl SetCreditPolicyBody {
    /// The policy, in atoms of the asset.
    ///
    /// # Errors
    /// A field that is no decimal.
    pub(crate) fn policy(&self, asset: &AssetDef) -> Result<CreditPolicy, ApiError> {
        let limit = |name: &str, text: &Option<String>| {
            text.as_deref().map(|text| amount(asset, name, text)).transpose()
        };
        Ok(CreditPolicy {
            large_credit: limit("large_credit", &self.large_credit)?,
            hourly_credit: limit("hourly_credit", &self.hourly_credit)?,
            manual_needs_approval: self.manual_needs_approval,
            expiry_hours: self.expiry_hours,
        })
    }
}

fn a_day() -> u16 {
    CreditPolicy::default().expiry_hours
}
