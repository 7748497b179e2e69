//! Who owns a recorded order, and the funds that it needs.
//!
//! Recordings do not tell owners: each order gets an account of its own, with exactly what its rows
//! can ever need. Should there be more orders than accounts, accounts are used again.

use std::collections::HashMap;

use types::{
    AccountId, Amount, AssetDef, AssetId, Decimal, MarketBounds, MarketDef, MarketId, PartitionId,
    Price, Quantity, Request, Side, TreasuryReference,
};

use crate::session::{Action, InputRow, OrderTerms, RestingRow};

/// The market of a replay.
pub const MARKET: MarketId = MarketId(1);
/// The version of its definition.
pub const VERSION: u32 = 1;
const BASE: AssetId = AssetId(1);
const QUOTE: AssetId = AssetId(2);
/// Most accounts of a replay; the exchange's default bound is the double.
const MAX_OWNERS: u32 = 1 << 19;

/// Owners and needs by recorded order.
#[derive(Default)]
pub struct Owners {
    of: HashMap<u64, Need>,
    max_price: Price,
    max_quantity: Quantity,
}

struct Need {
    account: AccountId,
    /// Over all rows of the order: dearest price and total quantity of its buys, total of its sells.
    buy_price: Price,
    buy_quantity: u128,
    sell_quantity: u128,
}

impl Owners {
    /// Takes note of a seed.
    pub fn add_resting(&mut self, row: &RestingRow) {
        self.add(row.id, row.side, row.price, row.quantity);
    }

    /// Takes note of an input.
    pub fn add_input(&mut self, row: &InputRow) {
        if let Action::New(terms) | Action::Amend(terms) = row.action {
            let OrderTerms { side, price, quantity, .. } = terms;
            self.add(row.id, side, price, quantity);
        }
    }

    /// The account of a recorded order; the first one for orders that are never placed.
    pub fn account(&self, id: u64) -> AccountId {
        self.of.get(&id).map_or(AccountId(1), |need| need.account)
    }

    /// What makes the market and its participants: prices in ticks and quantities in lots are the
    /// recorded numbers, no fees.
    pub fn setup(&self) -> Vec<Request> {
        let mut requests = market(self.max_price, self.max_quantity);
        let mut needs: Vec<&Need> = self.of.values().collect();
        needs.sort_unstable_by_key(|need| need.account);
        for group in needs.chunk_by(|a, b| a.account == b.account) {
            requests.push(Request::CreateAccount { account: group[0].account, fee_tier: 0 });
        }
        let mut credits = Credits::default();
        for need in needs {
            let quote = u128::from(need.buy_price.get()) * need.buy_quantity;
            requests.extend(credits.next(need.account, BASE, need.sell_quantity));
            requests.extend(credits.next(need.account, QUOTE, quote));
        }
        requests
    }

    fn add(&mut self, id: u64, side: Side, price: Price, quantity: Quantity) {
        let next = AccountId(1 + self.of.len() as u32 % MAX_OWNERS);
        let need = self.of.entry(id).or_insert(Need {
            account: next,
            buy_price: Price::ZERO,
            buy_quantity: 0,
            sell_quantity: 0,
        });
        match side {
            Side::Buy => {
                need.buy_price = need.buy_price.max(price);
                need.buy_quantity += u128::from(quantity.get());
            }
            Side::Sell => need.sell_quantity += u128::from(quantity.get()),
        }
        self.max_price = self.max_price.max(price);
        self.max_quantity = self.max_quantity.max(quantity);
    }
}

/// Two assets without decimals and their market, with a tick and a lot of one.
pub fn market(max_price: Price, max_quantity: Quantity) -> Vec<Request> {
    let asset = |id, symbol: &str| {
        Request::DefineAsset(AssetDef { id, symbol: symbol.to_owned(), scale: 0 })
    };
    let one = Price::new(1);
    vec![
        asset(BASE, "BASE"),
        asset(QUOTE, "QUOTE"),
        Request::ListMarket(Box::new(MarketDef {
            id: MARKET,
            symbol: "BASE-QUOTE".to_owned(),
            base: BASE,
            quote: QUOTE,
            tick: Decimal::new(1, 0),
            lot: Decimal::new(1, 0),
            max_price: max_price.max(one),
            max_quantity: max_quantity.max(Quantity::new(1)),
            bounds: MarketBounds { max_orders_per_account: 1_000_000, ..MarketBounds::default() },
            home: PartitionId(0),
            version: VERSION,
        })),
    ]
}

/// A participant with the same amount of both assets.
pub fn funded(account: AccountId, amount: u128, credits: &mut Credits) -> Vec<Request> {
    let mut requests = vec![Request::CreateAccount { account, fee_tier: 0 }];
    requests.extend(credits.next(account, BASE, amount));
    requests.extend(credits.next(account, QUOTE, amount));
    requests
}

/// Numbers the credits of a replay.
#[derive(Default)]
pub struct Credits {
    last: u64,
}

impl Credits {
    /// A credit, unless it is of nothing.
    fn next(&mut self, account: AccountId, asset: AssetId, amount: u128) -> Option<Request> {
        if amount == 0 {
            return None;
        }
        self.last += 1;
        Some(Request::Credit {
            reference: TreasuryReference { source: 1, number: self.last },
            operator: types::OperatorName::NONE,
            account,
            asset,
            amount: Amount::new(amount),
        })
    }
}
