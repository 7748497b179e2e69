//! Who has what: double entry, with every posting from one place to another.
//!
//! What is held is never counted along the way. After each command it is computed anew from the open
//! orders and pending debits, and what is held beyond that becomes available. So a hold that the
//! product forgets or releases twice cannot hide.

use std::collections::BTreeMap;

use types::{AssetId, Event, Fee, Trade};

/// Where atoms can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An account's, free to use.
    Available(u32),
    /// An account's, locked.
    Held(u32),
    /// Not on the exchange: what came in less what left, below zero.
    Outside,
    /// Fee income.
    Fees,
    /// Atoms from rounding fees up.
    Rounding,
    /// Received for accounts that do not exist.
    Suspense,
}

/// Atoms of each asset in each place.
#[derive(Clone, Debug, Default)]
pub struct Funds {
    rows: Vec<(Place, AssetId, i128)>,
    /// What was changed since somebody last looked.
    pub touched: Vec<(u32, AssetId)>,
}

impl Funds {
    /// What is there.
    pub fn of(&self, place: Place, asset: AssetId) -> i128 {
        let row = self.rows.iter().find(|row| row.0 == place && row.1 == asset);
        row.map_or(0, |row| row.2)
    }

    /// What the account can use.
    pub fn available(&self, account: u32, asset: AssetId) -> u128 {
        u128::try_from(self.of(Place::Available(account), asset)).expect("checked when posted")
    }

    /// Moves atoms.
    ///
    /// # Panics
    /// If an account's place falls below zero.
    pub fn post(&mut self, asset: AssetId, from: Place, to: Place, amount: u128) {
        let amount = i128::try_from(amount).expect("supplies are far smaller");
        if amount == 0 {
            return;
        }
        self.change(from, asset, -amount);
        self.change(to, asset, amount);
    }

    fn change(&mut self, place: Place, asset: AssetId, by: i128) {
        if let Place::Available(account) | Place::Held(account) = place {
            self.touched.push((account, asset));
        }
        let at = self.rows.iter().position(|row| row.0 == place && row.1 == asset);
        let at = at.unwrap_or_else(|| {
            self.rows.push((place, asset, 0));
            self.rows.len() - 1
        });
        self.rows[at].2 += by;
        assert!(place == Place::Outside || self.rows[at].2 >= 0, "{place:?} of {asset} below zero");
    }

    /// Settles a trade: each side pays out of what it holds and receives less its fee (10.3, 10.4). A
    /// rebate comes out of the fees, after the taker's has gone there (10.6).
    pub fn settle(&mut self, trade: &Trade, base: AssetId, quote: AssetId) {
        let (buyer, seller) = (&trade.buyer, &trade.seller);
        let sides = [
            (base, seller.account.0, buyer.account.0, trade.base_amount, buyer.fee),
            (quote, buyer.account.0, seller.account.0, trade.quote_amount, seller.fee),
        ];
        for (asset, payer, receiver, amount, fee) in sides {
            let (income, rounding) = match fee {
                Fee::Paid { income, rounded_up } => (income.get(), u128::from(rounded_up)),
                Fee::Rebate { .. } => (0, 0),
            };
            let net = amount.get() - income - rounding;
            self.post(asset, Place::Held(payer), Place::Available(receiver), net);
            self.post(asset, Place::Held(payer), Place::Fees, income);
            self.post(asset, Place::Held(payer), Place::Rounding, rounding);
        }
        for (paid, side) in [(quote, buyer), (base, seller)] {
            if let Fee::Rebate { amount } = side.fee {
                self.post(paid, Place::Fees, Place::Available(side.account.0), amount.get());
            }
        }
    }

    /// Makes what is held exactly what `needs` says, by (account, asset).
    ///
    /// # Panics
    /// If something is needed that was not held.
    pub fn fit_holds(&mut self, needs: &BTreeMap<(u32, AssetId), u128>) {
        let rows = self.rows.clone();
        for (place, asset, amount) in rows {
            let Place::Held(account) = place else { continue };
            let needed = needs.get(&(account, asset)).copied().unwrap_or_default();
            let excess = amount - i128::try_from(needed).expect("supplies are far smaller");
            let excess = u128::try_from(excess).expect("nothing is needed that was not held");
            self.post(asset, place, Place::Available(account), excess);
        }
    }

    /// The sum of an asset over every place, which must be zero.
    pub fn sum(&self, asset: AssetId) -> i128 {
        self.rows.iter().filter(|row| row.1 == asset).map(|row| row.2).sum()
    }

    /// The sum of an asset over the places that `which` picks.
    pub fn total(&self, asset: AssetId, which: impl Fn(Place) -> bool) -> i128 {
        self.rows.iter().filter(|row| row.1 == asset && which(row.0)).map(|row| row.2).sum()
    }
}

/// The trades among events.
pub fn trades(events: &[Event]) -> impl Iterator<Item = &Trade> {
    events.iter().filter_map(|event| match event {
        Event::Trade(trade) => Some(trade),
        _ => None,
    })
}
