//! What is compared besides events: touched levels and balances, and everything now and then.

use book::ListStage;
use types::{AccountId, Amount, Event, MarketId, Side};

use super::{Difference, Duel, difference, same};
use crate::naive::{Market, Place};

/// A price level: price, lots shown, orders.
type Level = (u64, u128, u32);

impl Duel {
    /// After each command: the levels of touched markets, and touched balances as they are and as the
    /// product told them.
    pub(super) fn check_touched(&mut self, events: &[Event]) -> Result<(), Difference> {
        let mut last = None;
        for id in events.iter().filter_map(market_of) {
            if last != Some(id) {
                self.check_levels(id)?;
            }
            last = Some(id);
        }
        let mut touched = std::mem::take(&mut self.naive.funds.touched);
        touched.sort_unstable();
        touched.dedup();
        for (account, asset) in touched.drain(..) {
            let funds = &self.naive.funds;
            let of = |place| Amount::new(funds.of(place, asset).cast_unsigned());
            let expected = (of(Place::Available(account)), of(Place::Held(account)));
            let account = AccountId(account);
            let found = self.product.balance(account, asset);
            let told = self.told.get(&(account, asset)).copied().unwrap_or_default();
            if expected != found || expected != told {
                let what = format!("balance of {account} in {asset}: as it is, as it was told");
                return Err(difference(&what, &expected, &(found, told)));
            }
        }
        self.naive.funds.touched = touched;
        self.check_volumes()
    }

    /// Volumes that changed, and those that the product told.
    fn check_volumes(&mut self) -> Result<(), Difference> {
        for (account, day) in std::mem::take(&mut self.naive.traded) {
            let expected = self.naive.traded_on(account, day);
            let key = (AccountId(account), day as u32);
            let found = self.told_volumes.get(&key).map_or(0, |volume| volume.get());
            same(&format!("volume of {account} on day {day}, as told"), &expected, &found)?;
        }
        Ok(())
    }

    fn check_levels(&self, id: MarketId) -> Result<(), Difference> {
        let naive = self.naive.markets.iter().find(|market| market.def.id == id);
        let (Some(naive), Some(product)) = (naive, self.product.market(id)) else { return Ok(()) };
        for side in [Side::Buy, Side::Sell] {
            let found = || {
                let levels = product.book().levels(side);
                levels.map(|level| (level.price.get(), level.quantity, level.orders))
            };
            let expected = levels_of(naive, side);
            if !found().eq(expected.iter().copied()) {
                let found: Vec<Level> = found().collect();
                let what = format!("levels of market {id}, {side:?}");
                return Err(difference(&what, &expected, &found));
            }
        }
        Ok(())
    }

    /// Now and then: everything. The product goes on from its own snapshot.
    ///
    /// # Errors
    /// What they disagree about.
    pub fn check_all(&mut self) -> Result<(), Difference> {
        for market in &self.naive.markets {
            self.check_market(market)?;
        }
        self.check_balances()?;
        self.check_totals()?;
        self.check_guard()?;
        if self.product.next_deadline() != self.naive.next_deadline() {
            let (expected, found) = (self.naive.next_deadline(), self.product.next_deadline());
            return Err(difference("next deadline", &expected, &found));
        }
        self.restore()
    }

    fn check_market(&self, market: &Market) -> Result<(), Difference> {
        let id = market.def.id;
        let product = self.product.market(id).expect("it was listed");
        same("state", &market.state, &product.state())?;
        same("definition", &market.def, product.definition())?;
        same("last price", &market.last_price, &product.last_price().map(|price| price.get()))?;
        for side in [Side::Buy, Side::Sell] {
            self.check_levels(id)?;
            let expected = market.side(side).iter();
            let expected: Vec<_> = expected
                .map(|o| (o.id, o.account, o.price, o.remaining, o.hidden(), o.filled))
                .collect();
            let found: Vec<_> = product
                .book()
                .orders(side)
                .map(|o| {
                    (
                        o.id.0,
                        o.account.0,
                        o.price.get(),
                        o.remaining.get(),
                        o.hidden.get(),
                        o.filled.get(),
                    )
                })
                .collect();
            same(&format!("orders of market {id}, {side:?}"), &expected, &found)?;
        }
        let mut expected: Vec<_> =
            market.waiting.iter().map(|o| (o.id, o.account, o.reference, market.need(o))).collect();
        expected.extend(market.fired.iter().map(|o| (o.id, o.account, None, market.need(o))));
        expected.sort_unstable();
        let found: Vec<_> = product
            .waiting()
            .map(|o| {
                (o.id.0, o.admit.account.0, o.reference.map(|p| p.get()), o.admit.budget.get())
            })
            .collect();
        same(&format!("waiting orders of market {id}"), &expected, &found)?;
        let expected: Vec<_> = market.fired.iter().map(|o| o.id).collect();
        let found: Vec<_> = product.fired().map(|id| id.0).collect();
        same("orders that were fired and did not enter", &expected, &found)?;
        self.check_lists(market)?;
        same("next step of the way back", &market.way.map(|step| step.at), &product.reopens_at())?;
        same("rules", &market.rules, product.rules())?;
        let mut expected = market.plans.clone();
        expected.sort_unstable_by_key(|plan| plan.0);
        same("plans", &expected, &product.plans().collect())
    }

    /// Open lists: owner, open orders, number of pending legs.
    fn check_lists(&self, market: &Market) -> Result<(), Difference> {
        let product = self.product.market(market.def.id).expect("it was listed");
        let lists = market.lists.iter();
        let mut expected: Vec<_> = lists
            .map(|list| (list.id, list.account, list.orders.clone(), list.pending()))
            .collect();
        expected.sort_unstable();
        let found: Vec<_> = product
            .lists()
            .map(|(id, list)| {
                let (orders, pending) = match &list.stage {
                    ListStage::Pair(orders) => (orders.map(|order| order.0).to_vec(), 0),
                    ListStage::Working(request) => (vec![id.0], request.legs.len()),
                    ListStage::Placing { .. } => (Vec::new(), 0),
                };
                (id.0, list.account.0, orders, pending)
            })
            .collect();
        same(&format!("lists of market {}", market.def.id), &expected, &found)
    }

    fn check_balances(&self) -> Result<(), Difference> {
        let funds = &self.naive.funds;
        for (account, asset, available, held) in self.product.balances() {
            let of = |place| Amount::new(funds.of(place, asset).cast_unsigned());
            let expected = (of(Place::Available(account.0)), of(Place::Held(account.0)));
            same(&format!("balance of {account} in {asset}"), &expected, &(available, held))?;
        }
        Ok(())
    }

    /// Ceilings, policies, sources and proposals.
    fn check_guard(&self) -> Result<(), Difference> {
        let (naive, product) = (&self.naive.guard, self.product.treasury());
        for asset in self.naive.assets.iter().map(|asset| asset.id) {
            same("supply", &self.naive.supply(asset), &product.supply(asset).get())?;
            let ceiling = product.ceiling(asset).map(|most| most.get());
            same("ceiling", &naive.ceiling(asset), &ceiling)?;
            same("policy", &naive.policy(asset), &product.credit_policy(asset))?;
        }
        for source in 1..=3 {
            let number = product.last_number(source);
            same("last number", &self.naive.last_number(source), &number)?;
            same("kind of source", &naive.kind(source), &product.source_kind(source))?;
        }
        let found: Vec<_> = product.proposals().copied().collect();
        same("proposals", &naive.proposals, &found)
    }

    /// The product's own audit, and its sums against the naive ones.
    fn check_totals(&self) -> Result<(), Difference> {
        let audit = self.product.audit();
        same("violations", &Vec::<String>::new(), &audit.violations)?;
        for asset in self.naive.assets.iter().map(|asset| asset.id) {
            let funds = &self.naive.funds;
            same(&format!("the naive sum of {asset}"), &0, &funds.sum(asset))?;
            let of = |place| funds.of(place, asset);
            let all = |which: fn(Place) -> bool| funds.total(asset, which);
            let expected = [
                all(|place| matches!(place, Place::Available(_))),
                all(|place| matches!(place, Place::Held(_))),
                of(Place::Outside),
                of(Place::Fees),
                of(Place::Rounding),
                of(Place::Suspense),
                0,
            ];
            let t = audit.totals.get(&asset).copied().unwrap_or_default();
            let h = t.house;
            let found =
                [t.available, t.held, h.outside, h.fees, h.rounding, h.suspense, h.clearing];
            let names = "available, held, outside, fees, rounding, suspense, clearing";
            same(&format!("sums of {asset}: {names}"), &expected, &found)?;
        }
        Ok(())
    }

    /// A snapshot restores the same state, and the duel goes on with what was restored.
    fn restore(&mut self) -> Result<(), Difference> {
        self.product.restore(self.token)
    }
}

fn levels_of(market: &Market, side: Side) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    for order in market.side(side) {
        match levels.last_mut() {
            Some(level) if level.0 == order.price => {
                level.1 += u128::from(order.shown);
                level.2 += 1;
            }
            _ => levels.push((order.price, u128::from(order.shown), 1)),
        }
    }
    levels
}

fn market_of(event: &Event) -> Option<MarketId> {
    match *event {
        Event::OrderPlaced { market, .. }
        | Event::OrderCancelled { market, .. }
        | Event::OrderReduced { market, .. }
        | Event::OrderReplaced { market, .. }
        | Event::MarketStateChanged { market, .. } => Some(market),
        Event::MarketRedefined { ref market, .. } => Some(market.id),
        _ => None,
    }
}
