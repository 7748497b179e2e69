//! The ledger of a partition: its slots, and where each request and message goes.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    ACCOUNT_SLOTS, AccountId, Amount, AssetId, ClientOrderId, Effects, Event, MarketId, Message,
    RejectCode, ReplyTo, RequestKind, Slot, Timestamp,
};

use crate::client_ids::Outcome;
use crate::definitions::Definitions;
use crate::slot::{SlotMut, SlotState};

/// What a step may look at besides the ledger itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Assets, markets and fee tiers.
    pub definitions: &'a Definitions,
    /// The entry's time.
    pub now: Timestamp,
    /// Account ids are below this.
    pub max_accounts: u32,
    /// Client ids remembered per account, at most.
    pub max_client_ids_per_account: u32,
}

/// Accounts of the slots that a partition hosts.
#[derive(Debug)]
pub struct Ledger {
    /// By slot number; absent where another partition hosts it.
    slots: Vec<Option<Box<SlotState>>>,
    /// Balances that the current entry has changed, in order of the first change.
    touched: Vec<(AccountId, AssetId)>,
    /// Accounts whose volume the current entry has changed, in order of the first change.
    pub(crate) traded: Vec<AccountId>,
}

/// Who asks what, for the answer to a rejected request.
#[derive(Clone, Copy)]
pub(crate) struct Asker {
    pub reply: ReplyTo,
    pub request: RequestKind,
    pub account: AccountId,
    pub market: MarketId,
    pub client_id: ClientOrderId,
}

impl Ledger {
    /// An empty ledger that hosts `slots`. `hash_seed` may differ from process to process.
    pub fn new(slots: impl Iterator<Item = Slot>, hash_seed: u64) -> Self {
        let mut ledger = Self { slots: Vec::new(), touched: Vec::new(), traded: Vec::new() };
        ledger.slots.resize_with(usize::from(ACCOUNT_SLOTS), || None);
        for slot in slots {
            ledger.slots[usize::from(slot.0)] = Some(Box::new(SlotState::new(slot, hash_seed)));
        }
        ledger
    }

    /// Whether the account's slot is here.
    #[must_use]
    pub fn hosts(&self, account: AccountId) -> bool {
        self.hosts_slot(account.slot())
    }

    /// Whether the slot is here.
    #[must_use]
    #[inline]
    pub fn hosts_slot(&self, slot: Slot) -> bool {
        self.slot_by_number(slot).is_some()
    }

    /// Available and held, or nothing if there is no such account.
    #[must_use]
    pub fn balance(&self, account: AccountId, asset: AssetId) -> Option<(Amount, Amount)> {
        let account = self.slot_of(account)?.account(account)?;
        let balance = account.balances().iter().find(|balance| balance.asset == asset);
        Some(balance.map_or((Amount::ZERO, Amount::ZERO), |b| (b.available, b.held)))
    }

    /// Handles a message from a market, the treasury or another ledger.
    ///
    /// # Panics
    /// If it is not for a ledger, or its account's slot is not here: the engine routes.
    pub fn receive(&mut self, ctx: &Context<'_>, message: &Message, fx: &mut Effects) {
        match message {
            Message::Rested { account, hold, order, price, version } => {
                self.rested(*account, *hold, *order, (*price, *version), fx);
            }
            Message::Filled { fill, is_self_trade } => self.filled(ctx, fill, *is_self_trade),
            Message::Released { account, hold, amount } => self.released(*account, *hold, *amount),
            Message::Amended { account, hold, order, price, version, release } => {
                self.amended(*account, *hold, *order, (*price, *version), *release, fx);
            }
            Message::AmendmentRefused { account, hold, market, order, release } => {
                self.amendment_refused(*account, *hold, (*market, *order), *release);
            }
            Message::Closed { account, hold, order, release } => {
                self.closed(*account, *hold, *order, *release);
            }
            Message::Refused { account, hold, code } => self.refused(*account, *hold, *code),
            Message::ListSettled { account, list, hold, other, need } => {
                self.list_settled(*account, *list, (*hold, *other), *need);
            }
            Message::Credit { reply, reference, account, asset, amount } => {
                self.credit(*reply, *reference, *account, *asset, *amount, fx);
            }
            Message::Debit { reply, reference, account, asset, amount } => {
                self.debit(*reply, *reference, *account, *asset, *amount, fx);
            }
            Message::SettleDebit { reply, reference, account, client_id } => {
                self.settle_debit(*reply, *reference, *account, *client_id, fx);
            }
            Message::TransferIn { from, account, asset, amount } => {
                self.transfer_in(*from, *account, *asset, *amount, fx);
            }
            Message::Admit(_)
            | Message::AmendOrder(_)
            | Message::CancelOrder { .. }
            | Message::Debited { .. }
            | Message::Define { .. }
            | Message::Resume { .. }
            | Message::CancelThenPlace { .. }
            | Message::Place { .. }
            | Message::AdmitList(_)
            | Message::PlacePending(_)
            | Message::PendingDropped { .. }
            | Message::ChangeMarket { .. }
            | Message::FireTimers { .. } => unreachable!("not for a ledger: {message:?}"),
        }
    }

    /// States every balance and every volume that changed since the last call, once.
    pub fn emit_touched(&mut self, fx: &mut Effects) {
        for index in 0..self.touched.len() {
            let (account, asset) = self.touched[index];
            let state = self.slots[usize::from(account.slot().0)].as_mut().expect("touched here");
            let balance = state.account_mut(account).expect("touched").balance_mut(asset);
            balance.touched = false;
            let (available, held) = (balance.available, balance.held);
            fx.emit_plain(|| Event::BalanceChanged { account, asset, available, held });
        }
        self.touched.clear();
        if !self.traded.is_empty() {
            self.emit_volumes(fx);
        }
    }

    pub(crate) fn slot_of(&self, account: AccountId) -> Option<&SlotState> {
        self.slot_by_number(account.slot())
    }

    #[inline]
    pub(crate) fn slot_by_number(&self, slot: Slot) -> Option<&SlotState> {
        self.slots[usize::from(slot.0)].as_deref()
    }

    pub(crate) fn slot_by_number_mut(&mut self, slot: Slot) -> Option<&mut SlotState> {
        self.slots[usize::from(slot.0)].as_deref_mut()
    }

    /// The slot of an account that is hosted here.
    #[inline]
    pub(crate) fn slot_mut(&mut self, account: AccountId) -> SlotMut<'_> {
        let state = self.slots[usize::from(account.slot().0)].as_deref_mut();
        SlotMut { state: state.expect("the engine routes by slot"), touched: &mut self.touched }
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &SlotState> {
        self.slots.iter().flatten().map(|slot| &**slot)
    }

    /// Writes the state of all slots.
    pub fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
        assert!(self.touched.is_empty(), "snapshots are taken between entries");
        for slot in self.slots() {
            slot.number.serialize(writer)?;
            slot.serialize(writer)?;
        }
        Slot(ACCOUNT_SLOTS).serialize(writer)
    }

    /// Reads what [`Self::serialize`] wrote.
    pub fn restore<R: std::io::Read>(hash_seed: u64, reader: &mut R) -> std::io::Result<Self> {
        let mut ledger = Self::new(std::iter::empty(), hash_seed);
        loop {
            let number = Slot::deserialize_reader(reader)?;
            if number == Slot(ACCOUNT_SLOTS) {
                return Ok(ledger);
            }
            let place = ledger.slots.get_mut(usize::from(number.0));
            let state = SlotState::restore(number, hash_seed, reader)?;
            *place.ok_or(std::io::ErrorKind::InvalidData)? = Some(Box::new(state));
        }
    }
}

impl SlotMut<'_> {
    /// Answers from memory if the client id was seen before. True if it did.
    pub fn answer_repeated(
        &self,
        asker: Asker,
        fingerprint: u64,
        now: Timestamp,
        fx: &mut Effects,
    ) -> bool {
        if asker.client_id.is_none() {
            return false;
        }
        let Some((known_fingerprint, outcome)) =
            self.state.client_ids.find(asker.account, asker.client_id, now)
        else {
            return false;
        };
        if known_fingerprint != fingerprint {
            asker.reject(RejectCode::ClientIdReused, fx);
            return true;
        }
        let outcome = match outcome {
            Outcome::Ended(outcome) => outcome,
            Outcome::Open(hold) => match self.state.named(hold, asker.request) {
                Some(order) if order.0 == 0 => {
                    asker.reject(RejectCode::ClientIdInFlight, fx);
                    return true;
                }
                Some(order) => Ok(order),
                None => Ok(types::OrderId(0)),
            },
        };
        fx.emit(Event::Repeated {
            reply: asker.reply,
            request: asker.request,
            account: asker.account,
            market: asker.market,
            client_order_id: asker.client_id,
            outcome,
        });
        true
    }

    /// Rejects, and remembers the rejection under the client id unless it may be tried again.
    pub fn reject_and_remember(
        &mut self,
        asker: Asker,
        fingerprint: u64,
        code: RejectCode,
        ctx: &Context<'_>,
        valid_until: Timestamp,
        fx: &mut Effects,
    ) {
        let ids = &mut self.state.client_ids;
        let room = !asker.client_id.is_none()
            && !code.is_retryable()
            && ids.make_room(asker.account, ctx.max_client_ids_per_account, ctx.now);
        if room {
            let outcome = Outcome::Ended(Err(code));
            ids.remember(
                asker.account,
                asker.client_id,
                fingerprint,
                outcome,
                ctx.now,
                valid_until,
            );
        }
        asker.reject(code, fx);
    }

    /// Whether one more client id can be remembered, if there is one to remember.
    pub fn has_room(&mut self, asker: Asker, ctx: &Context<'_>) -> bool {
        let max = ctx.max_client_ids_per_account;
        asker.client_id.is_none() || self.state.client_ids.make_room(asker.account, max, ctx.now)
    }
}

impl Asker {
    pub fn reject(&self, code: RejectCode, fx: &mut Effects) {
        fx.emit(Event::Rejected {
            reply: self.reply,
            request: self.request,
            account: self.account,
            market: self.market,
            client_order_id: self.client_id,
            code,
        });
    }
}

/// Mixes the words of a command into the fingerprint that tells a repetition from another command.
pub(crate) fn fingerprint(words: &[u64]) -> u64 {
    words.iter().fold(0x51_7c_c1_b7_27_22_0a_95, |hash: u64, &word| {
        (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}
