//! Definitions of assets, markets and what they charge, and the arithmetic that they must allow.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::decimal::power_of_ten;
use crate::money;
use crate::{
    Amount, AssetId, Decimal, FeeRates, FeeSchedule, MarketId, MarketRules, PartitionId, Price,
    Quantity, Redefinition, Side,
};

/// Largest number of decimal places of an asset. The Binance dialect can show at most 8 of them.
pub const MAX_ASSET_SCALE: u8 = 18;

/// Most atoms of one asset that may exist on the exchange: 2^96. It leaves room for a multiplication
/// by a rate of parts per million in 128 bits.
pub const MAX_SUPPLY: Amount = Amount::new(1 << 96);

/// Largest price in ticks and quantity in lots: what a signed 64-bit column of a database holds.
const MAX_COUNT: u64 = i64::MAX as u64;

const MAX_SYMBOL_LEN: usize = 24;

/// An asset: what balances are kept in.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AssetDef {
    /// Its id, above zero.
    pub id: AssetId,
    /// Its ticker, as `BTC`: 1 to 24 of `A-Z`, `0-9`.
    pub symbol: String,
    /// Decimal places: an atom is 10^-scale. At most [`MAX_ASSET_SCALE`].
    pub scale: u8,
}

/// How much a market may hold. Each is above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MarketBounds {
    /// Resting orders.
    pub max_orders: u32,
    /// Price levels, both sides together.
    pub max_levels: u32,
    /// Open orders of one account in this market.
    pub max_orders_per_account: u32,
    /// Orders that wait for a trigger.
    pub max_waiting: u32,
}

impl Default for MarketBounds {
    fn default() -> Self {
        Self {
            max_orders: 4_000_000,
            max_levels: 1_000_000,
            max_orders_per_account: 1_000,
            max_waiting: 100_000,
        }
    }
}

impl MarketBounds {
    fn leave_room(self) -> bool {
        let Self { max_orders, max_levels, max_orders_per_account, max_waiting } = self;
        [max_orders, max_levels, max_orders_per_account, max_waiting].iter().all(|bound| *bound > 0)
    }
}

/// A trading pair.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MarketDef {
    /// Its id, above zero.
    pub id: MarketId,
    /// Its name, as `BTC-USDT`: 1 to 24 of `A-Z`, `0-9`, `-`.
    pub symbol: String,
    /// What is traded.
    pub base: AssetId,
    /// What it is paid with.
    pub quote: AssetId,
    /// Quote per whole base unit: the step of prices.
    pub tick: Decimal,
    /// The step of quantities, in whole base units.
    pub lot: Decimal,
    /// Largest price of an order, in ticks.
    pub max_price: Price,
    /// Largest quantity of an order, in lots.
    pub max_quantity: Quantity,
    /// Bounds of its book.
    pub bounds: MarketBounds,
    /// The partition that hosts the book.
    pub home: PartitionId,
    /// Rises with each change of tick or lot; commands in ticks and lots name it.
    pub version: u32,
}

/// What every partition must know alike.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Definition {
    /// A new asset.
    Asset(AssetDef) = 1,
    /// A new market.
    Market(Box<MarketDef>) = 2,
    /// The rates of a fee tier. Tier 0 is every account's first and free until set.
    FeeTier {
        /// The tier.
        tier: u8,
        /// Its rates.
        rates: FeeRates,
    } = 3,
    /// The rules of a listed market.
    Rules {
        /// Which.
        market: MarketId,
        /// All of them.
        rules: Box<MarketRules>,
    } = 4,
    /// Which volume leads to which tier.
    FeeSchedule(FeeSchedule) = 5,
    /// The rates of a tier in one market, instead of the tier's own.
    MarketFees {
        /// Where.
        market: MarketId,
        /// Which tier.
        tier: u8,
        /// Its rates there; none: the tier's own again.
        rates: Option<FeeRates>,
    } = 6,
    /// New units and bounds of a listed market.
    Redefined {
        /// Which.
        market: MarketId,
        /// What changes.
        redefinition: Redefinition,
    } = 7,
    /// A market has ended; its id and symbol stay taken.
    Delisted {
        /// Which.
        market: MarketId,
    } = 8,
}

/// How ticks and lots of a market become atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Scaling {
    /// Quote atoms of one lot at a price of one tick.
    pub quote_atoms_per_tick_lot: u64,
    /// Base atoms of one lot.
    pub base_atoms_per_lot: u64,
}

/// Why a definition is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinitionError {
    /// Id zero, or a symbol with other characters or of another length.
    Name,
    /// More decimal places than allowed.
    Scale,
    /// Tick or lot is zero, or not a whole number of atoms, or tick × lot is not.
    Unit,
    /// The largest price × the largest quantity would not fit.
    Range,
    /// A bound of the book is zero.
    Bounds,
    /// Base and quote are the same asset.
    SameAsset,
    /// A rate above the whole.
    Rate,
    /// A fee schedule that does not rise from zero, names something twice, or is too long.
    Schedule,
}

impl AssetDef {
    /// Refuses what later arithmetic could not carry.
    pub fn validate(&self) -> Result<(), DefinitionError> {
        if self.id == AssetId(0) || !is_symbol(&self.symbol, |_| false) {
            return Err(DefinitionError::Name);
        }
        if self.scale > MAX_ASSET_SCALE {
            return Err(DefinitionError::Scale);
        }
        Ok(())
    }
}

impl MarketDef {
    /// The scaling of this market between `base` and `quote`, or why it may not be listed: tick
    /// times lot must be a whole number of quote atoms and the largest order must fit
    /// [`MAX_SUPPLY`], so that no arithmetic can overflow or round later; and its book must have room.
    pub fn scaling(&self, base: &AssetDef, quote: &AssetDef) -> Result<Scaling, DefinitionError> {
        if self.id == MarketId(0) || !is_symbol(&self.symbol, |b| b == b'-') {
            return Err(DefinitionError::Name);
        }
        if self.base == self.quote {
            return Err(DefinitionError::SameAsset);
        }
        let base_atoms_per_lot =
            whole_atoms(u128::from(self.lot.units), self.lot.scale, base.scale)?;
        let tick_lot = u128::from(self.tick.units) * u128::from(self.lot.units);
        let tick_lot_scale =
            self.tick.scale.checked_add(self.lot.scale).ok_or(DefinitionError::Scale)?;
        let quote_atoms_per_tick_lot = whole_atoms(tick_lot, tick_lot_scale, quote.scale)?;
        let in_range = |count: u64| (1..=MAX_COUNT).contains(&count);
        if !in_range(self.max_price.get()) || !in_range(self.max_quantity.get()) {
            return Err(DefinitionError::Range);
        }
        let largest = u128::from(self.max_price.get())
            .checked_mul(u128::from(self.max_quantity.get()))
            .and_then(|ticks_lots| ticks_lots.checked_mul(u128::from(quote_atoms_per_tick_lot)))
            .ok_or(DefinitionError::Range)?;
        let largest_base = money::base_amount(self.max_quantity, base_atoms_per_lot);
        if largest > MAX_SUPPLY.get() || largest_base > MAX_SUPPLY {
            return Err(DefinitionError::Range);
        }
        if !self.bounds.leave_room() {
            return Err(DefinitionError::Bounds);
        }
        Ok(Scaling { quote_atoms_per_tick_lot, base_atoms_per_lot })
    }
}

impl Scaling {
    /// Quote atoms of `quantity` at `price`.
    #[must_use]
    #[inline]
    pub fn notional(&self, price: Price, quantity: Quantity) -> Amount {
        money::notional(price, quantity, self.quote_atoms_per_tick_lot)
    }

    /// Most lots that `quote` pays at `price`.
    #[must_use]
    #[inline]
    pub fn lots_for(&self, quote: Amount, price: Price) -> Quantity {
        money::lots_for(quote, price, self.quote_atoms_per_tick_lot)
    }

    /// Base atoms of `quantity`.
    #[must_use]
    #[inline]
    pub fn base(&self, quantity: Quantity) -> Amount {
        money::base_amount(quantity, self.base_atoms_per_lot)
    }

    /// What a limit order locks: quote atoms of a buy at `price`, base atoms of a sell. Without a branch, since
    /// nobody can foretell which side comes next.
    #[must_use]
    #[inline]
    pub fn need(&self, side: Side, price: Price, quantity: Quantity) -> Amount {
        let (ticks, atoms) = match side {
            Side::Buy => (price, self.quote_atoms_per_tick_lot),
            Side::Sell => (Price::new(1), self.base_atoms_per_lot),
        };
        money::notional(ticks, quantity, atoms)
    }
}

/// `units / 10^scale` in atoms of 10^-atom_scale, if that is a whole number above zero.
fn whole_atoms(units: u128, scale: u8, atom_scale: u8) -> Result<u64, DefinitionError> {
    if scale > 2 * MAX_ASSET_SCALE || atom_scale > MAX_ASSET_SCALE {
        return Err(DefinitionError::Scale);
    }
    let atoms = if scale <= atom_scale {
        units
            .checked_mul(power_of_ten(u32::from(atom_scale - scale)))
            .ok_or(DefinitionError::Range)?
    } else {
        let divisor = power_of_ten(u32::from(scale - atom_scale));
        if !units.is_multiple_of(divisor) {
            return Err(DefinitionError::Unit);
        }
        units / divisor
    };
    match u64::try_from(atoms) {
        Ok(0) => Err(DefinitionError::Unit),
        Ok(atoms) => Ok(atoms),
        Err(_) => Err(DefinitionError::Range),
    }
}

fn is_symbol(symbol: &str, also: impl Fn(u8) -> bool) -> bool {
    (1..=MAX_SYMBOL_LEN).contains(&symbol.len())
        && symbol.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || also(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(id: u32, scale: u8) -> AssetDef {
        AssetDef { id: AssetId(id), symbol: format!("A{id}"), scale }
    }

    fn market(tick: &str, lot: &str) -> MarketDef {
        MarketDef {
            id: MarketId(1),
            symbol: "A1-A2".into(),
            base: AssetId(1),
            quote: AssetId(2),
            tick: tick.parse().unwrap(),
            lot: lot.parse().unwrap(),
            max_price: Price::new(1_000_000_000),
            max_quantity: Quantity::new(1_000_000_000),
            bounds: MarketBounds::default(),
            home: PartitionId(0),
            version: 1,
        }
    }

    #[test]
    fn scaling_is_whole_atoms_or_refused() {
        let scaling = market("0.01", "0.00001").scaling(&asset(1, 8), &asset(2, 8)).unwrap();
        assert_eq!(scaling.base_atoms_per_lot, 1_000);
        assert_eq!(scaling.quote_atoms_per_tick_lot, 10);
        let too_fine = market("0.01", "0.00001").scaling(&asset(1, 8), &asset(2, 6));
        assert_eq!(too_fine, Err(DefinitionError::Unit));
        let lot_below_atom = market("100", "0.001").scaling(&asset(1, 2), &asset(2, 8));
        assert_eq!(lot_below_atom, Err(DefinitionError::Unit));
        assert_eq!(
            market("0", "1").scaling(&asset(1, 2), &asset(2, 8)),
            Err(DefinitionError::Unit)
        );
    }

    #[test]
    fn a_market_whose_largest_order_would_overflow_is_refused() {
        let mut def = market("1", "1");
        def.max_price = Price::MAX;
        def.max_quantity = Quantity::MAX;
        assert_eq!(def.scaling(&asset(1, 8), &asset(2, 8)), Err(DefinitionError::Range));
    }

    #[test]
    fn a_market_whose_book_has_no_room_is_refused() {
        let spoil: [fn(&mut MarketBounds); 4] = [
            |bounds| bounds.max_orders = 0,
            |bounds| bounds.max_levels = 0,
            |bounds| bounds.max_orders_per_account = 0,
            |bounds| bounds.max_waiting = 0,
        ];
        for spoil in spoil {
            let mut def = market("1", "1");
            assert!(def.scaling(&asset(1, 8), &asset(2, 8)).is_ok());
            spoil(&mut def.bounds);
            assert_eq!(def.scaling(&asset(1, 8), &asset(2, 8)), Err(DefinitionError::Bounds));
        }
    }

    #[test]
    fn an_asset_with_too_many_places_is_refused_also_where_nobody_validated_it() {
        for (base, quote) in [(255, 8), (8, 255), (19, 8)] {
            let scaling = market("0.01", "0.01").scaling(&asset(1, base), &asset(2, quote));
            assert_eq!(scaling, Err(DefinitionError::Scale), "{base}, {quote}");
        }
    }

    #[test]
    fn names_and_scales_are_checked() {
        assert_eq!(asset(0, 8).validate(), Err(DefinitionError::Name));
        assert_eq!(asset(1, 19).validate(), Err(DefinitionError::Scale));
        let lower = AssetDef { id: AssetId(1), symbol: "btc".into(), scale: 8 };
        assert_eq!(lower.validate(), Err(DefinitionError::Name));
        assert_eq!(asset(1, 8).validate(), Ok(()));
    }
}
