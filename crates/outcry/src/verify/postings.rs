//! What events say of balances, summed by account and asset: an account of the money that is kept
//! apart from the ledger's own.

use std::collections::BTreeMap;

use engine::Partition;
use types::{AccountId, Amount, AssetId, Event, PartitionId, Seq, Trade, TradeSide};

use crate::record::{Names, Visit};

type Sums = BTreeMap<(AccountId, AssetId), i128>;

/// Sums of all postings, up to the history's cursor and up to the end.
pub struct Postings {
    cursors: BTreeMap<PartitionId, Seq>,
    at_cursor: Sums,
    at_end: Sums,
    is_complete: bool,
}

impl Postings {
    /// Nothing posted yet. What lies up to `cursors` is summed by itself besides.
    pub fn new(cursors: BTreeMap<PartitionId, Seq>) -> Self {
        let (at_cursor, at_end) = (Sums::new(), Sums::new());
        Self { cursors, at_cursor, at_end, is_complete: true }
    }

    /// A log begins after its first entry: what was posted before is not known.
    pub fn set_incomplete(&mut self) {
        self.is_complete = false;
    }

    /// Whether everything that was ever posted is in the sums.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Posts what an entry's events say.
    pub fn take(&mut self, visit: &Visit<'_>) {
        let cursor = self.cursors.get(&visit.state.id()).copied().unwrap_or_default();
        let in_history = visit.entry.seq <= cursor;
        for event in visit.events {
            let (at_cursor, at_end) = (&mut self.at_cursor, &mut self.at_end);
            each_posting(visit.state, event, |account, asset, delta| {
                *at_end.entry((account, asset)).or_default() += delta;
                if in_history {
                    *at_cursor.entry((account, asset)).or_default() += delta;
                }
            });
        }
    }

    /// Balances up to the history's cursor; none that sums to less than zero, which no ledger allows.
    pub fn at_cursor(&self) -> impl Iterator<Item = (AccountId, AssetId, Amount)> + '_ {
        self.at_cursor.iter().map(|(&(account, asset), &sum)| {
            (account, asset, Amount::new(u128::try_from(sum).unwrap_or_default()))
        })
    }

    /// Whether each account has what the events gave it, when nothing is under way.
    pub fn compare_with(&self, partitions: &[&Partition]) -> Result<String, String> {
        let mut left = self.at_end.clone();
        let mut compared = 0;
        let balances = partitions.iter().flat_map(|partition| partition.ledger().balances());
        for (account, asset, available, held) in balances {
            let sum = left.remove(&(account, asset)).unwrap_or_default();
            let balance = available + held;
            compared += 1;
            if u128::try_from(sum) != Ok(balance.get()) {
                let asset = Names(partitions[0].definitions()).asset(asset);
                return Err(format!(
                    "account {account} has {balance} atoms of {asset}, its events sum to {sum}"
                ));
            }
        }
        match left.into_iter().find(|&(_, sum)| sum != 0) {
            Some(((account, asset), sum)) => Err(format!(
                "events give account {account} {sum} atoms of asset {asset}, the ledger has none"
            )),
            None => Ok(format!("{compared} balances are the sums of their events")),
        }
    }
}

/// The changes of accounts' total balances that an event states.
fn each_posting(state: &Partition, event: &Event, mut post: impl FnMut(AccountId, AssetId, i128)) {
    let signed = |amount: Amount| i128::try_from(amount.get()).expect("below the largest supply");
    match *event {
        Event::Credited { account, asset, amount, suspense: false, .. }
        | Event::TransferredIn { account, asset, amount, suspense: false, .. } => {
            post(account, asset, signed(amount));
        }
        Event::Debited { account, asset, amount, .. }
        | Event::TransferredOut { account, asset, amount, .. } => {
            post(account, asset, -signed(amount));
        }
        Event::Trade(Trade { market, base_amount, quote_amount, buyer, seller, .. }) => {
            let (base, quote) = Names(state.definitions()).assets(market);
            let (bases, quotes) = (signed(base_amount), signed(quote_amount));
            let fee = |side: TradeSide| signed(side.fee.total());
            let rebate = |side: TradeSide| signed(side.fee.rebate());
            post(buyer.account, quote, rebate(buyer) - quotes);
            post(buyer.account, base, bases - fee(buyer));
            post(seller.account, base, rebate(seller) - bases);
            post(seller.account, quote, quotes - fee(seller));
        }
        _ => {}
    }
}
