//! The exchange of one block: few accounts, few markets, and one style of trading.

use chance::Random;
use types::{
    AccountId, Amount, AssetDef, AssetId, CreditPolicy, Decimal, MarketBounds, MarketDef, MarketId,
    PartitionId, Price, Quantity, Request, Topology, TreasuryReference,
};

use super::fees::{rates, schedule};
use super::guard::name;

/// Accounts are picked from these: several slots, and two accounts in one slot.
const ACCOUNTS: [u32; 5] = [1, 2, 1025, 7, 4_097];

/// The source of references that founds the world; the generator uses others.
const FOUNDER: u32 = 1;

/// How one market is traded.
#[derive(Clone, Debug)]
pub struct Style {
    /// Its definition.
    pub def: MarketDef,
    /// Prices lie around this.
    pub center: u64,
    /// At most so far.
    pub spread: u64,
    /// Ordinary orders have at most so many lots.
    pub lots: u64,
    /// Base atoms of a lot.
    pub base_unit: u128,
    /// Quote atoms of a lot at a price of one tick.
    pub quote_unit: u128,
}

/// All that a block is about.
#[derive(Clone, Debug)]
pub struct World {
    /// The accounts that exist from the start.
    pub accounts: Vec<u32>,
    /// The markets.
    pub styles: Vec<Style>,
    /// The assets.
    pub assets: Vec<AssetDef>,
    /// The usual time between commands, in nanoseconds. Unless it is long, a block lasts less than the day
    /// for which client ids are remembered.
    pub step: u64,
    /// Now and then hours or weeks pass between two commands. Then no client id is used twice, since how long
    /// one is remembered whose order stays open is not bound to the hour.
    pub long: bool,
    /// Partitions of the product.
    pub partitions: u16,
    /// Volumes count from the start.
    pub counted: bool,
    /// Orders have client ids once in so many.
    pub names: u64,
    /// Some orders are so large, and shown in so small parts, that matching them takes several entries.
    pub deep: bool,
    /// Markets have rules.
    pub ruled: bool,
    /// Units change to such as stand in no simple ratio to others that are planned.
    pub strange: bool,
    /// There are ceilings and policies for what comes from outside.
    pub guarded: bool,
    /// Nobody decides about what waits for approval, until no more may wait.
    pub hoards: bool,
    /// States of markets change more often.
    pub restless: bool,
    /// The requests that found it.
    pub founding: Vec<Request>,
}

impl World {
    /// The world of a seed.
    pub fn new(random: &mut Random) -> Self {
        let accounts = ACCOUNTS[..random.between(2, 5) as usize].to_vec();
        let assets: Vec<_> = [("AAA", 0), ("BBB", 2), ("QQQ", random.pick(&[0, 2, 8]))]
            .into_iter()
            .enumerate()
            .map(|(at, (symbol, scale))| AssetDef {
                id: AssetId(at as u32 + 1),
                symbol: symbol.into(),
                scale,
            })
            .collect();
        let count = random.between(1, 3);
        let styles: Vec<_> = (1..=count).map(|id| style(random, id as u32, &assets)).collect();
        let mut world = Self {
            accounts,
            styles,
            assets,
            step: random.pick(&[1, 1_000, 1_000_000, 1_000_000_000]),
            long: random.one_in(4),
            partitions: random.pick(&[1, 1, 1, 1, 1, 1, 1, 2, 3, 5]),
            counted: random.one_in(2),
            names: random.pick(&[2, 5, 50]),
            deep: random.one_in(12),
            ruled: random.one_in(2),
            strange: random.one_in(12),
            guarded: random.one_in(3),
            hoards: random.one_in(60),
            restless: random.one_in(3),
            founding: Vec::new(),
        };
        world.found(random);
        world
    }

    /// The topology of so many partitions.
    pub fn topology(partitions: u16) -> Topology {
        Topology { max_accounts: 10_000, ..Topology::spread(partitions) }
    }

    fn found(&mut self, random: &mut Random) {
        let mut all: Vec<_> = self.assets.iter().cloned().map(Request::DefineAsset).collect();
        all.extend(
            self.styles.iter().map(|style| Request::ListMarket(Box::new(style.def.clone()))),
        );
        for tier in 0..3 {
            all.push(Request::SetFeeTier { tier, rates: rates(random) });
        }
        if self.counted {
            all.push(Request::SetFeeSchedule(schedule(self, random)));
        }
        let mut number = 0;
        for &id in &self.accounts {
            let account = AccountId(id);
            all.push(Request::CreateAccount { account, fee_tier: random.below(3) as u8 });
            for asset in &self.assets {
                number += 1;
                let reference = TreasuryReference { source: FOUNDER, number };
                let amount = Amount::new(self.purse(asset.id, random));
                all.push(Request::Credit {
                    reference,
                    operator: types::OperatorName::NONE,
                    account,
                    asset: asset.id,
                    amount,
                });
            }
        }
        if self.hoards {
            for asset in &self.assets {
                let policy = CreditPolicy {
                    manual_needs_approval: true,
                    expiry_hours: 720,
                    ..CreditPolicy::default()
                };
                let (operator, policy) = (name("ann"), Box::new(policy));
                all.push(Request::SetCreditPolicy { operator, asset: asset.id, policy });
            }
        }
        self.founding = all;
    }

    /// Whether lists of the account may have pending legs. When those of two come at once that live in different
    /// partitions, no rule says whose enter first: so all that have some live in the first.
    pub fn may_pend(&self, account: AccountId) -> bool {
        Self::topology(self.partitions).home_of_slot(account.slot()) == PartitionId(0)
    }

    /// Places after the point of a market's quote.
    pub fn places(&self, def: &MarketDef) -> u8 {
        let quote = self.assets.iter().find(|asset| asset.id == def.quote);
        quote.expect("it was defined first").scale
    }

    /// What pays for some dozens of ordinary orders, sometimes much less.
    pub fn purse(&self, asset: AssetId, random: &mut Random) -> u128 {
        let sizes = self.styles.iter().map(|style| {
            if style.def.base == asset {
                u128::from(style.lots) * style.base_unit * 100
            } else {
                let price = u128::from(style.center + style.spread);
                u128::from(style.lots) * price * style.quote_unit * 100
            }
        });
        let typical = sizes.max().unwrap_or(1_000);
        1 + typical * random.pick(&[1_u128, 5, 20, 40]) / 10
    }
}

/// A market of any style.
pub fn style(random: &mut Random, id: u32, assets: &[AssetDef]) -> Style {
    let (base, quote) = random.pick(&[(0, 2), (1, 2), (0, 1), (2, 1)]);
    let (center, spread, max_price) = match random.below(5) {
        0 => (3, 2, 5),
        1 => (20, 6, 40),
        2 => (1_000, 40, 4_000),
        3 => (1_000_000, 900_000, 3_000_000),
        _ => (100, 5, 10_000),
    };
    let lots = random.pick(&[2, 5, 12, 1_000]);
    let (tick, lot) = (random.pick(&[1, 1, 2, 3, 6]), random.pick(&[1, 1, 1, 4, 10]));
    let def = MarketDef {
        id: MarketId(id),
        symbol: format!("M{id}"),
        base: assets[base].id,
        quote: assets[quote].id,
        // Some atoms of base per lot, and of quote per tick and atom of base.
        tick: Decimal::new(tick * 10u64.pow(assets[base].scale.into()), assets[quote].scale),
        lot: Decimal::new(lot, assets[base].scale),
        max_price: Price::new(max_price),
        max_quantity: Quantity::new(lots * random.pick(&[2, 10, 1_000])),
        bounds: bounds(random),
        home: PartitionId(0),
        version: 1,
    };
    let (base_unit, quote_unit) = (lot.into(), (tick * lot).into());
    Style { def, center, spread, lots, base_unit, quote_unit }
}

/// Bounds that are reached.
pub fn bounds(random: &mut Random) -> MarketBounds {
    MarketBounds {
        max_orders: random.pick(&[6, 20, 50]),
        max_levels: random.pick(&[3, 8, 40]),
        max_orders_per_account: random.pick(&[4, 12, 40]),
        max_waiting: random.pick(&[2, 8, 20]),
    }
}
