//! The invariants of the whole exchange, checked over all its partitions at one moment.
//!
//! Numbers refer to the list of invariants in ARCHITECTURE.md:
//! 1. value is conserved: per asset, clearing accounts and messages under way sum to zero, and what the
//!    treasury let in is what the ledgers owe to the outside world;
//! 2. no balance is below zero (by type) and what is held is what orders and pending debits require;
//!    rebates are never more than the fees that pay for them, those under way among both;
//! 3. no book is crossed in continuous trading.
//!
//! And no more of an asset exists than its ceiling allows, unless two operators agreed.

use std::collections::BTreeMap;

use book::{ListStage, Market, OrderList, RestingOrder};
use ledger::Totals;
use types::{AccountId, Amount, AssetId, Component, Fill, MarketId, MarketState, Message, OrderId};

use crate::partition::Partition;

/// Value in messages under way, by what it will change when it arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Change of clearing accounts.
    pub clearing: i128,
    /// Change of fee accounts: fees less rebates.
    pub fees: i128,
    /// Let in by the treasury, not yet credited; or left a ledger, not yet known to the treasury.
    pub supply: i128,
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// By asset, over all partitions.
    pub totals: BTreeMap<AssetId, Totals>,
    /// By asset.
    pub in_flight: BTreeMap<AssetId, InFlight>,
    /// No message is under way, so that holds and orders could be compared one by one. Messages that are
    /// parked for a quarantined component are counted and do not matter: holds of a quarantined
    /// slot, of a market that failed in the middle of an order, and of pending legs on their way to a
    /// quarantined market, are not compared.
    pub quiet: bool,
    /// Messages that are parked for quarantined components.
    pub parked: usize,
    /// Open orders, if quiet.
    pub open_orders: usize,
    /// Broken invariants, in words; empty if all hold.
    pub violations: Vec<String>,
}

/// Audits all partitions of an exchange, each between two entries.
#[must_use]
pub fn audit(partitions: &[&Partition]) -> Audit {
    let mut audit = Audit { quiet: true, ..Audit::default() };
    for partition in partitions {
        let slots = partition.ledger.audit();
        audit.violations.extend(slots.violations);
        for (asset, totals) in &slots.totals {
            audit.totals.entry(*asset).or_default().add(totals);
        }
        audit.check_books(partition);
    }
    for message in partitions.iter().flat_map(|partition| partition.quarantines.parked()) {
        audit.parked += 1;
        audit.count(message);
    }
    for message in under_way(partitions) {
        audit.quiet = false;
        audit.count(message);
    }
    audit.check_conservation(partitions);
    if audit.quiet {
        audit.check_holds(partitions);
    }
    audit
}

/// Messages that were sent and not yet handled, wherever they are, if nothing holds them up.
fn under_way<'a>(partitions: &'a [&'a Partition]) -> impl Iterator<Item = &'a Message> {
    let queued = partitions
        .iter()
        .flat_map(|partition| partition.fx.messages.iter().chain(&partition.deferred));
    let travelling = partitions.iter().flat_map(move |from| {
        partitions.iter().flat_map(move |to| {
            let received = to.received_from(from.id());
            from.unacknowledged(to.id())
                .filter(move |(number, _)| *number > received)
                .map(|(_, message)| message)
        })
    });
    queued.chain(travelling)
}

impl Audit {
    fn count(&mut self, message: &Message) {
        let signed = |amount: types::Amount| amount.get() as i128;
        match message {
            Message::Filled { fill, .. } => {
                let Fill { debit_asset, debit, credit_asset, credit, fee, .. } = fill;
                self.in_flight.entry(*debit_asset).or_default().clearing += signed(*debit);
                self.in_flight.entry(*credit_asset).or_default().clearing -= signed(*credit);
                self.in_flight.entry(*credit_asset).or_default().fees += signed(fee.income());
                self.in_flight.entry(*debit_asset).or_default().fees -= signed(fee.rebate());
            }
            Message::TransferIn { asset, amount, .. } => {
                self.in_flight.entry(*asset).or_default().clearing -= signed(*amount);
            }
            Message::Credit { asset, amount, .. } | Message::Debited { asset, amount, .. } => {
                self.in_flight.entry(*asset).or_default().supply += signed(*amount);
            }
            Message::Admit(_)
            | Message::AmendOrder(_)
            | Message::CancelOrder { .. }
            | Message::Rested { .. }
            | Message::Released { .. }
            | Message::Amended { .. }
            | Message::AmendmentRefused { .. }
            | Message::Closed { .. }
            | Message::Refused { .. }
            | Message::Debit { .. }
            | Message::SettleDebit { .. }
            | Message::Define { .. }
            | Message::Resume { .. }
            | Message::CancelThenPlace { .. }
            | Message::Place { .. }
            | Message::AdmitList(_)
            | Message::PlacePending(_)
            | Message::ListSettled { .. }
            | Message::PendingDropped { .. }
            | Message::ChangeMarket { .. }
            | Message::FireTimers { .. } => {}
        }
    }

    fn check_conservation(&mut self, partitions: &[&Partition]) {
        let treasury = partitions.iter().find_map(|partition| partition.treasury());
        for asset in treasury.iter().flat_map(|treasury| treasury.above_ceiling()) {
            let text = format!("asset {asset}: its supply is above its ceiling without approval");
            self.violations.push(text);
        }
        for (&asset, totals) in &self.totals {
            let under_way = self.in_flight.get(&asset).copied().unwrap_or_default();
            let clearing = totals.house.clearing + under_way.clearing;
            if clearing != 0 {
                self.violations.push(format!(
                    "asset {asset}: clearing accounts and messages under way sum to {clearing}"
                ));
            }
            let fees = totals.house.fees + under_way.fees;
            if fees < 0 {
                self.violations.push(format!("asset {asset}: fees less rebates are {fees}"));
            }
            let Some(treasury) = treasury else { continue };
            let supply = treasury.supply(asset).get() as i128;
            let owed = under_way.supply - totals.house.outside;
            if supply != owed {
                self.violations.push(format!(
                    "asset {asset}: the treasury let in {supply}, the ledgers owe {owed}"
                ));
            }
        }
    }

    fn check_books(&mut self, partition: &Partition) {
        for market in partition.markets.iter().flatten() {
            let trading = market.state() == MarketState::Continuous && !market.is_interrupted();
            if trading && market.book().is_crossed() {
                self.violations.push(format!("market {}: crossed", market.definition().id));
            }
        }
    }

    /// The orders of a list are open. The hold of the first of a pair contains the larger need of both,
    /// the other one's nothing.
    fn check_lists(
        &mut self,
        partitions: &[&Partition],
        market: &Market,
        needs: &mut BTreeMap<OrderId, (AccountId, Amount)>,
    ) {
        let is_quarantined = is_quarantined(partitions, Component::Market(market.definition().id));
        for (list, OrderList { stage, account }) in market.lists() {
            let is_parked = matches!(stage, ListStage::Placing { .. })
                && (is_quarantined || is_stopped_slot(partitions, *account));
            if is_parked {
                continue;
            }
            let broken = match stage {
                ListStage::Pair([first, second]) => {
                    let need = |order| needs.get(order).map(|&(_, need)| need);
                    let larger = need(first).zip(need(second)).map(|(a, b)| a.max(b));
                    for (order, need) in [(first, larger), (second, Some(Amount::ZERO))] {
                        needs.entry(*order).and_modify(|known| known.1 = need.unwrap_or(known.1));
                    }
                    larger.is_none()
                }
                ListStage::Working(_) => !needs.contains_key(&list),
                ListStage::Placing { .. } => true,
            };
            if broken {
                let market = market.definition().id;
                self.violations
                    .push(format!("market {market}, list {list}: {stage:?} is not open"));
            }
        }
    }

    /// Each resting order has one hold with exactly what it needs, and each order's hold one order.
    fn check_holds(&mut self, partitions: &[&Partition]) {
        let mut holds: BTreeMap<_, _> = partitions
            .iter()
            .flat_map(|partition| partition.ledger.open_holds())
            .filter_map(|hold| {
                let (market, order) = hold.order()?;
                // Pending legs of a list have no id before their market takes them.
                let is_parked =
                    order == OrderId(0) && is_quarantined(partitions, Component::Market(market));
                let is_stopped = is_stopped_slot(partitions, hold.account)
                    || is_stopped_market(partitions, market);
                if is_stopped || is_parked {
                    return None;
                }
                Some(((market, order), (hold.account, hold.locked)))
            })
            .collect();
        let markets = partitions.iter().flat_map(|partition| partition.markets.iter().flatten());
        for market in markets {
            let id = market.definition().id;
            if is_stopped_market(partitions, id) {
                continue;
            }
            if partitions[0].definitions.market(id).is_none() {
                let text = format!("market {id} has a book, the first partition does not know it");
                self.violations.push(text);
                continue;
            }
            let book = market.book();
            let sides = [types::Side::Buy, types::Side::Sell];
            let resting = sides.into_iter().flat_map(|side| book.orders(side));
            // In the market's own units: a change of them may wait for its release.
            let need = |order: &RestingOrder| order.need(market.scaling());
            let resting = resting.map(|order| (order.id, order.account, need(&order)));
            // Fired orders wait on while the market does not trade.
            let waiting = market.waiting().map(|o| (o.id, o.admit.account, o.admit.budget));
            let mut needs: BTreeMap<_, _> = resting
                .chain(waiting)
                .map(|(order, account, need)| (order, (account, need)))
                .collect();
            self.check_lists(partitions, market, &mut needs);
            for (order, (account, need)) in needs {
                if is_stopped_slot(partitions, account) {
                    continue;
                }
                self.open_orders += 1;
                let found = holds.remove(&(id, order));
                if found != Some((account, need)) {
                    self.violations.push(format!(
                        "market {id}, order {order}: account {account} must hold {need}, found {found:?}"
                    ));
                }
            }
        }
        for ((market, order), (account, locked)) in holds {
            self.violations.push(format!(
                "account {account} holds {locked} for order {order} of market {market}, which has ended"
            ));
        }
    }
}

/// Whether what markets say to the account's slot is parked.
fn is_stopped_slot(partitions: &[&Partition], account: AccountId) -> bool {
    is_quarantined(partitions, Component::Ledger(account.slot()))
}

/// Whether a market failed in the middle of an order.
fn is_stopped_market(partitions: &[&Partition], market: MarketId) -> bool {
    is_quarantined(partitions, Component::Market(market))
        && partitions.iter().any(|partition| partition.is_interrupted(market))
}

fn is_quarantined(partitions: &[&Partition], component: Component) -> bool {
    partitions.iter().any(|partition| partition.quarantines.holds(component))
}
