//! The treasury: the one door through which value enters and leaves.
//!
//! It owns the references of every source and the supply of every asset. A reference is used up by
//! its first command, whatever became of it; only the number itself being wrong leaves it unused. The
//! outcome of a source's last number is kept, so that a source that lost the answer asks again with
//! the same command before it goes on.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Amount, AssetId, ClientOrderId, Effects, Event, MAX_SUPPLY, MarketId, Message,
    OrderId, RejectCode, ReplyTo, Request, RequestKind, TreasuryReference,
};

use crate::definitions::{Definitions, slot_at};

/// References by source and supply by asset.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Treasury {
    sources: BTreeMap<u32, Source>,
    /// Atoms on the exchange: deposits less withdrawals.
    supply: Vec<Amount>,
}

#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
struct Source {
    last: u64,
    /// Of the last number; none while a ledger has not answered.
    outcome: Option<Result<(), RejectCode>>,
}

impl Treasury {
    /// Handles [`Request::Credit`], [`Request::Debit`] and [`Request::SettleDebit`].
    ///
    /// # Panics
    /// On any other request: the engine routes.
    pub fn request(
        &mut self,
        definitions: &Definitions,
        reply: ReplyTo,
        request: &Request,
        fx: &mut Effects,
    ) {
        let (reference, account) = match *request {
            Request::Credit { reference, account, .. }
            | Request::Debit { reference, account, .. }
            | Request::SettleDebit { reference, account, .. } => (reference, account),
            _ => unreachable!("not for the treasury: {request:?}"),
        };
        let asker = Answer { reply, request: request.kind(), account };
        match self.check_reference(reference) {
            Ok(Fresh::New) => {}
            Ok(Fresh::Repeated(outcome)) => return asker.repeat(outcome, fx),
            Err(code) => return asker.reject(code, fx),
        }

        let outcome = self.pass_on(definitions, reply, request, fx);
        if let Err(code) = outcome {
            asker.reject(code, fx);
        }
        let at_once = matches!(request, Request::Credit { .. }) || outcome.is_err();
        let source = self.sources.entry(reference.source).or_default();
        source.last = reference.number;
        source.outcome = at_once.then_some(outcome);
    }

    /// A ledger has answered a debit.
    pub fn debited(
        &mut self,
        reference: TreasuryReference,
        asset: AssetId,
        amount: Amount,
        outcome: Result<(), RejectCode>,
    ) {
        if !amount.is_zero() {
            self.supply[asset.0 as usize] -= amount;
        }
        let source = self.sources.entry(reference.source).or_default();
        if source.last == reference.number {
            source.outcome = Some(outcome);
        }
    }

    /// Atoms of `asset` on the exchange: deposits less withdrawals.
    #[must_use]
    pub fn supply(&self, asset: AssetId) -> Amount {
        self.supply.get(asset.0 as usize).copied().unwrap_or_default()
    }

    /// The last number of a source, zero if it has none.
    #[must_use]
    pub fn last_number(&self, source: u32) -> u64 {
        self.sources.get(&source).map_or(0, |source| source.last)
    }

    fn check_reference(&self, reference: TreasuryReference) -> Result<Fresh, RejectCode> {
        let last = self.last_number(reference.source);
        if reference.number == last.saturating_add(1) {
            return Ok(Fresh::New);
        }
        if reference.number > last {
            return Err(RejectCode::ReferenceGap);
        }
        let outcome = self.sources.get(&reference.source).and_then(|source| source.outcome);
        match outcome {
            _ if reference.number < last || reference.number == 0 => Err(RejectCode::ReferenceUsed),
            Some(outcome) => Ok(Fresh::Repeated(outcome)),
            None => Err(RejectCode::ClientIdInFlight),
        }
    }

    /// Checks what does not need an account, then asks its ledger.
    fn pass_on(
        &mut self,
        definitions: &Definitions,
        reply: ReplyTo,
        request: &Request,
        fx: &mut Effects,
    ) -> Result<(), RejectCode> {
        match *request {
            Request::Credit { reference, account, asset, amount } => {
                check_amount(definitions, asset, amount)?;
                let supply = slot_at(&mut self.supply, asset.0 as usize);
                let raised = *supply + amount;
                if raised > MAX_SUPPLY {
                    return Err(RejectCode::SupplyExceeded);
                }
                *supply = raised;
                fx.send(Message::Credit { reply, reference, account, asset, amount });
            }
            Request::Debit { reference, account, asset, amount } => {
                check_amount(definitions, asset, amount)?;
                fx.send(Message::Debit { reply, reference, account, asset, amount });
            }
            Request::SettleDebit { reference, account, client_id } => {
                fx.send(Message::SettleDebit { reply, reference, account, client_id });
            }
            _ => unreachable!("checked by the caller"),
        }
        Ok(())
    }
}

enum Fresh {
    New,
    Repeated(Result<(), RejectCode>),
}

fn check_amount(
    definitions: &Definitions,
    asset: AssetId,
    amount: Amount,
) -> Result<(), RejectCode> {
    definitions.asset(asset).ok_or(RejectCode::UnknownAsset)?;
    let valid = !amount.is_zero() && amount <= MAX_SUPPLY;
    if valid { Ok(()) } else { Err(RejectCode::InvalidAmount) }
}

/// Who asked, for an answer without a ledger.
struct Answer {
    reply: ReplyTo,
    request: RequestKind,
    account: AccountId,
}

impl Answer {
    fn reject(&self, code: RejectCode, fx: &mut Effects) {
        fx.emit(Event::Rejected {
            reply: self.reply,
            request: self.request,
            account: self.account,
            market: MarketId(0),
            client_order_id: ClientOrderId::NONE,
            code,
        });
    }

    fn repeat(&self, outcome: Result<(), RejectCode>, fx: &mut Effects) {
        fx.emit(Event::Repeated {
            reply: self.reply,
            request: self.request,
            account: self.account,
            market: MarketId(0),
            client_order_id: ClientOrderId::NONE,
            outcome: outcome.map(|()| OrderId(0)),
        });
    }
}
