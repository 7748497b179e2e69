//! All accounts, in shards with a lock each, and how events reach them.

use borsh::{BorshDeserialize, BorshSerialize};
use parking_lot::{Mutex, MutexGuard};
use types::{
    AccountId, Conversion, EntryEvents, Event, MarketId, OrderId, PartitionId, Side, Trade,
};

use crate::account::{Account, PendingDebit, Stamp};
use crate::changes::{AccountChange, AccountUpdate, AccountView, BalanceView};
use crate::error::Contradiction;
use crate::hash::IdMap;
use crate::order::OrderView;
use crate::recorder::Recorder;

const SHARDS: usize = 64;

/// Every account that an event named.
pub(crate) struct Accounts {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default, BorshSerialize, BorshDeserialize)]
struct Shard {
    accounts: IdMap<AccountId, Account>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

/// One event's way into the accounts.
struct Step<'a> {
    accounts: &'a Accounts,
    at: Stamp,
    recorder: &'a mut Recorder,
    is_followed: &'a dyn Fn(AccountId) -> bool,
    /// Orders by quote that traded in this entry.
    spent: &'a mut Vec<(AccountId, MarketId, OrderId)>,
}

impl Accounts {
    /// Takes in an entry's events. Of accounts that nobody follows, only fills and their orders are recorded.
    pub(crate) fn apply(
        &self,
        partition: PartitionId,
        entry: &EntryEvents<'_>,
        recorder: &mut Recorder,
        is_followed: &dyn Fn(AccountId) -> bool,
    ) {
        let mut spent = Vec::new();
        let mut at = Stamp { partition, seq: entry.seq, index: 0, time: entry.time };
        for (index, event) in (0..).zip(entry.events) {
            at.index = index;
            let mut step = Step { accounts: self, at, recorder, is_followed, spent: &mut spent };
            if let Err(what) = step.apply(event) {
                recorder.contradiction(partition, at.seq, at.index, what);
            }
        }
        for (account, market, order) in spent {
            let ended = self.write(account, |a| a.end_spent(at, market, order));
            if let Some(order) = ended {
                recorder.account(account, at.update(AccountChange::Order(order)));
            }
        }
    }

    fn shard(&self, account: AccountId) -> MutexGuard<'_, Shard> {
        self.shards[account.0 as usize % SHARDS].lock()
    }

    fn write<T>(&self, account: AccountId, change: impl FnOnce(&mut Account) -> T) -> T {
        change(self.shard(account).accounts.entry(account).or_default())
    }

    /// What is open in a market counts in other units from now on.
    fn convert(&self, market: MarketId, conversion: &Conversion) {
        for shard in &self.shards {
            for account in shard.lock().accounts.values_mut() {
                account.convert(market, conversion);
            }
        }
    }

    /// Reads an account, if an event ever named it.
    pub(crate) fn read<T>(
        &self,
        account: AccountId,
        read: impl FnOnce(&Account) -> T,
    ) -> Option<T> {
        self.shard(account).accounts.get(&account).map(read)
    }

    /// Every account that was opened, by id.
    pub(crate) fn ids(&self) -> Vec<AccountId> {
        let mut ids = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            let opened = shard.accounts.iter().filter(|(_, account)| account.view.is_some());
            ids.extend(opened.map(|(&id, _)| id));
        }
        ids.sort_unstable();
        ids
    }
}

impl BorshSerialize for Accounts {
    fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
        self.shards.iter().try_for_each(|shard| shard.lock().serialize(writer))
    }
}

impl BorshDeserialize for Accounts {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let accounts = Self::default();
        for shard in &accounts.shards {
            *shard.lock() = Shard::deserialize_reader(reader)?;
        }
        Ok(accounts)
    }
}

impl Stamp {
    fn update(self, change: AccountChange) -> AccountUpdate {
        AccountUpdate { seq: self.seq, index: self.index, time: self.time, change }
    }
}

impl Step<'_> {
    /// For those who follow the account.
    fn note(&mut self, account: AccountId, change: AccountChange) {
        if (self.is_followed)(account) {
            self.tell(account, change);
        }
    }

    /// Whoever follows the account, or nobody.
    fn tell(&mut self, account: AccountId, change: AccountChange) {
        self.recorder.account(account, self.at.update(change));
    }

    fn note_order(&mut self, order: Result<OrderView, Contradiction>) -> Result<(), Contradiction> {
        let order = order?;
        self.note(order.account, AccountChange::Order(order));
        Ok(())
    }

    fn apply(&mut self, event: &Event) -> Result<(), Contradiction> {
        let at = self.at;
        match *event {
            Event::OrderPlaced { account, .. } => {
                let order = OrderView::of_placed(at.time, at.seq, event).expect("matched above");
                self.note_order(self.accounts.write(account, |a| a.place(order)))
            }
            Event::OrderRested { market, order, account, quantity, hidden, .. } => {
                let rest = |a: &mut Account| a.rest(at, account, market, order, quantity + hidden);
                self.note_order(self.accounts.write(account, rest))
            }
            // Their orders tell the account's streams.
            Event::OrderListPlaced(ref placed) => {
                self.accounts.write(placed.account, |a| a.begin_list(at, placed))
            }
            Event::OrderListAdvanced { market, list, account, ref orders } => {
                self.accounts.write(account, |a| a.advance_list(market, list, orders))
            }
            Event::OrderListEnded { market, list, account, .. } => {
                self.accounts.write(account, |a| a.end_list(market, list))
            }
            Event::OrderTriggered { market, order, account } => {
                let trigger = |a: &mut Account| a.trigger(at, account, market, order);
                self.note_order(self.accounts.write(account, trigger))
            }
            Event::Trade(ref trade) => self.trade(trade),
            Event::OrderCancelled { market, order, account, remaining, cause, .. } => {
                let cancel =
                    |a: &mut Account| a.cancel(at, account, market, order, remaining, cause);
                self.note_order(self.accounts.write(account, cancel))
            }
            Event::OrderReduced { market, order, account, remaining, .. }
            | Event::OrderDecremented { market, order, account, remaining, .. } => {
                let reduce = |a: &mut Account| a.reduce(at, account, market, order, remaining);
                self.note_order(self.accounts.write(account, reduce))
            }
            Event::OrderReplaced { market, old_order, order, account, price, quantity, .. } => {
                let new = (order, price, quantity);
                let replace = |a: &mut Account| a.replace(at, account, market, old_order, new);
                let (old, new) = self.accounts.write(account, replace)?;
                self.note(account, AccountChange::Order(old));
                self.note(account, AccountChange::Order(new));
                Ok(())
            }
            Event::BalanceChanged { account, asset, available, held } => {
                self.accounts.write(account, |a| a.set_balance(asset, available, held));
                let balance = BalanceView { asset, available, held };
                self.note(account, AccountChange::Balance(balance));
                Ok(())
            }
            Event::DebitReserved { account, asset, amount, client_id, .. } => {
                let debit = PendingDebit { client_id, asset, amount, since: at.time };
                self.accounts.write(account, |a| a.reserve_debit(debit));
                Ok(())
            }
            Event::DebitReleased { account, client_id, .. } => {
                self.accounts.write(account, |a| a.end_debit(account, client_id))
            }
            Event::Debited { account, client_id, .. } if !client_id.is_none() => {
                self.accounts.write(account, |a| a.end_debit(account, client_id))
            }
            Event::AccountCreated { account, fee_tier, .. } => {
                self.change_account(account, |view| {
                    let (frozen, is_pinned) = (false, false);
                    *view = AccountView { created_at: at.time, frozen, fee_tier, is_pinned };
                });
                Ok(())
            }
            Event::AccountFrozen { account, frozen, .. } => {
                self.change_account(account, |view| view.frozen = frozen);
                Ok(())
            }
            Event::AccountFeeTierSet { account, fee_tier, pinned, .. } => {
                self.change_account(account, |view| {
                    (view.fee_tier, view.is_pinned) = (fee_tier, pinned);
                });
                Ok(())
            }
            Event::FeeTierChanged { account, fee_tier, .. } => {
                self.change_account(account, |view| view.fee_tier = fee_tier);
                Ok(())
            }
            Event::VolumeChanged { account, day, volume } => {
                self.accounts.write(account, |a| a.volumes.set(day, volume));
                Ok(())
            }
            Event::MarketRedefined { ref market, old_tick, old_lot } => {
                let new = (market.tick, market.lot);
                if let Some(conversion) = Conversion::between((old_tick, old_lot), new) {
                    self.accounts.convert(market.id, &conversion);
                }
                Ok(())
            }
            // Balances follow as BalanceChanged; the treasury's numbers are kept elsewhere.
            Event::Debited { .. }
            | Event::Credited { .. }
            | Event::TransferredOut { .. }
            | Event::TransferredIn { .. }
            | Event::Rejected { .. }
            | Event::Repeated { .. }
            | Event::CancelAllAccepted { .. }
            | Event::AssetDefined { .. }
            | Event::MarketListed { .. }
            | Event::FeeTierSet { .. }
            | Event::MarketStateChanged { .. }
            | Event::AuctionUncrossed { .. }
            | Event::OrderRefilled { .. }
            | Event::MarketRulesSet { .. }
            | Event::MarketStatePlanned { .. }
            | Event::TradingInterrupted { .. }
            | Event::Quarantined { .. }
            | Event::QuarantineReleased { .. }
            | Event::FeeScheduleSet { .. }
            | Event::MarketFeesSet { .. }
            | Event::ProposalMade { .. }
            | Event::ApprovalAwaited { .. }
            | Event::ProposalDecided { .. }
            | Event::ReservesAttested { .. }
            | Event::CreditPolicySet { .. }
            | Event::SourceKindSet { .. }
            | Event::MarketReopening { .. }
            | Event::RedefinitionPlanned { .. }
            | Event::DelistingPlanned { .. }
            | Event::CountdownSet { .. } => Ok(()),
        }
    }

    fn trade(&mut self, trade: &Trade) -> Result<(), Contradiction> {
        let at = self.at;
        let mut outcome = Ok(());
        for (side, party) in [(Side::Buy, &trade.buyer), (Side::Sell, &trade.seller)] {
            let filled = self.accounts.write(party.account, |a| a.fill(at, trade, side, party));
            match filled {
                Ok((fill, order)) => {
                    self.tell(party.account, AccountChange::Fill(fill));
                    self.tell(party.account, AccountChange::Order(order));
                    if order.is_by_quote() {
                        self.spent.push((party.account, trade.market, party.order));
                    }
                }
                Err(what) => outcome = outcome.and(Err(what)),
            }
        }
        outcome
    }

    fn change_account(&mut self, account: AccountId, change: impl FnOnce(&mut AccountView)) {
        let view = self.accounts.write(account, |a| {
            let view = a.view.get_or_insert_default();
            change(view);
            *view
        });
        self.note(account, AccountChange::Account(view));
    }
}
