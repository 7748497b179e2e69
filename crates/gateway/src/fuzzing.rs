//! What clients send, read without a server: for fuzzers, and of no use to anybody else.
//!
//! Each function goes as far as the handlers do before they need the exchange or the store.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use types::{AccountId, AssetId, MarketId, OperatorName, OrderId, Request};
use views::MarketInfo;

use crate::auth::parse_public_key;
use crate::error::ApiError;
use crate::wire::fees::FeeSchedule;
use crate::wire::request::{
    AmendOrderBody, AttestReservesBody, CountdownBody, CreateAccountBody, CreateKeyBody,
    DefineAssetBody, ExternalTransferBody, FreezeAccountBody, ListMarketBody, PlaceOrderBody,
    PlaceOrderListBody, PlanDelistingBody, PlanMarketStateBody, PlanRedefinitionBody,
    ReplaceOrderBody, SetAccountFeeTierBody, SetCreditPolicyBody, SetFeeTierBody,
    SetMarketStateBody, SetSourceKindBody, SettleDebitBody, TransferBody, WithdrawalBody, amount,
    client_id, from_millis,
};
use crate::wire::rules::MarketRules;
use crate::wire::{read_fields, read_json};
use crate::ws::fuzzing::read_message;

/// The account whose requests these are.
pub const ACCOUNT: AccountId = AccountId(1);
/// The order that a path would name.
const ORDER: OrderId = OrderId(1);
/// What a new asset and a new market would get.
const NEW_ASSET: AssetId = AssetId(1_000);
const NEW_MARKET: MarketId = MarketId(1_000);

/// Number of kinds of bodies.
pub const BODIES: u8 = 25;

/// Reads a body of the `kind`-th of [`BODIES`]: the command that it stands for, if it is one by itself.
///
/// # Errors
/// What the client would be told.
pub fn body(kind: u8, body: &[u8], market: &MarketInfo) -> Result<Option<Request>, ApiError> {
    let id = market.def.id;
    Ok(match kind {
        0 => Some(read_json::<PlaceOrderBody>(body)?.into_request(ACCOUNT, market)?),
        1 => Some(replacement(read_json(body)?, market)?),
        2 => Some(read_json::<AmendOrderBody>(body)?.into_request(ACCOUNT, market, ORDER)?),
        3 => {
            let CountdownBody { after_ms, .. } = read_json(body)?;
            Some(Request::SetCountdown { account: ACCOUNT, market: id, after_ms })
        }
        4 => Some(read_json::<TransferBody>(body)?.into_request(ACCOUNT, &market.quote)?.0),
        5 => Some(read_json::<WithdrawalBody>(body)?.into_request(ACCOUNT, &market.quote)?.0),
        6 => Some(Request::DefineAsset(read_json::<DefineAssetBody>(body)?.into_def(NEW_ASSET))),
        7 => {
            let (base, quote) = (market.def.base, market.def.quote);
            let def = read_json::<ListMarketBody>(body)?.into_def(NEW_MARKET, base, quote)?;
            Some(Request::ListMarket(Box::new(def)))
        }
        8 => {
            let SetMarketStateBody { state } = read_json(body)?;
            Some(Request::SetMarketState { market: id, state: state.into() })
        }
        9 => Some(Request::SetMarketRules { market: id, rules: Box::new(rules(body, market)?) }),
        10 => {
            let PlanMarketStateBody { at, state } = read_json(body)?;
            let (at, state) = (from_millis("at", at)?, state.map(Into::into));
            Some(Request::PlanMarketState { market: id, at, state })
        }
        11 => {
            let rates = read_json::<SetFeeTierBody>(body)?.rates();
            Some(Request::SetFeeTier { tier: 1, rates })
        }
        12 => nothing::<CreateAccountBody>(body)?,
        13 => {
            let FreezeAccountBody { frozen } = read_json(body)?;
            Some(Request::FreezeAccount { account: ACCOUNT, frozen })
        }
        14 => {
            let SetAccountFeeTierBody { fee_tier } = read_json(body)?;
            Some(Request::SetAccountFeeTier { account: ACCOUNT, fee_tier })
        }
        15 => {
            let transfer: ExternalTransferBody = read_json(body)?;
            amount(&market.quote, "amount", &transfer.amount)?;
            None
        }
        16 => {
            let settled: SettleDebitBody = read_json(body)?;
            client_id("client_id", Some(&settled.client_id))?;
            None
        }
        17 => {
            let key: CreateKeyBody = read_json(body)?;
            let _ = key.permissions();
            key.public_key.as_deref().map(parse_public_key);
            None
        }
        18 => Some(read_json::<PlaceOrderListBody>(body)?.into_request(ACCOUNT, market)?),
        19 => {
            let asset = |_: &str| Ok(Arc::clone(&market.quote));
            Some(Request::SetFeeSchedule(read_json::<FeeSchedule>(body)?.read(asset)?))
        }
        20 => {
            let attested: AttestReservesBody = read_json(body)?;
            Some(Request::AttestReserves {
                operator: OperatorName::NONE,
                asset: market.def.quote,
                ceiling: amount(&market.quote, "ceiling", &attested.ceiling)?,
                evidence: attested.evidence()?,
            })
        }
        21 => Some(Request::SetCreditPolicy {
            operator: OperatorName::NONE,
            asset: market.def.quote,
            policy: Box::new(read_json::<SetCreditPolicyBody>(body)?.policy(&market.quote)?),
        }),
        22 => {
            let plan: PlanRedefinitionBody = read_json(body)?;
            let at = from_millis("at", plan.at)?;
            let redefinition = plan.redefinition.as_ref().map(|units| units.read()).transpose()?;
            let redefinition = redefinition.map(Box::new);
            Some(Request::PlanRedefinition { market: id, at, redefinition })
        }
        23 => {
            let PlanDelistingBody { at } = read_json(body)?;
            let at = at.map(|at| from_millis("at", at)).transpose()?;
            Some(Request::PlanDelisting { market: id, at })
        }
        _ => {
            let SetSourceKindBody { kind } = read_json(body)?;
            let (operator, source, kind) = (OperatorName::NONE, 2, kind.into());
            Some(Request::SetSourceKind { operator, source, kind })
        }
    })
}

/// Reads a message of a socket: the command that it stands for, if it is one.
///
/// # Errors
/// The answer that refuses it, as JSON.
pub fn message(text: &str, market: &MarketInfo) -> Result<Option<Request>, String> {
    read_message(text, market)
}

pub(crate) fn replacement(
    body: ReplaceOrderBody,
    market: &MarketInfo,
) -> Result<Request, ApiError> {
    let order: PlaceOrderBody = read_fields(body.order)?;
    order.into_replacement(ACCOUNT, market, OrderId(body.cancel.id), body.on_failure)
}

/// # Panics
/// If the rules are shown to others than they were set.
fn rules(body: &[u8], market: &MarketInfo) -> Result<types::MarketRules, ApiError> {
    let rules = read_json::<MarketRules>(body)?.read(market)?;
    let shown = MarketRules::new(market, &rules);
    assert_eq!(shown.read(market).ok(), Some(rules), "{shown:?}");
    Ok(rules)
}

fn nothing<T: DeserializeOwned>(body: &[u8]) -> Result<Option<Request>, ApiError> {
    read_json::<T>(body).map(|_| None)
}
