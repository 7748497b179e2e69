//! Assets and markets: what may be defined, and what a market's units are in atoms.

use types::{AssetDef, AssetId, Decimal, Event, MarketBounds, MarketDef, RejectCode};

use super::market::Market;
use super::place::LARGEST_AMOUNT;
use super::{Asker, Exchange};

/// Largest number of places after the point.
const LARGEST_SCALE: u8 = 18;

/// What a market's units are in atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Base atoms of a lot.
    pub base: u128,
    /// Quote atoms of a lot at a price of one tick.
    pub quote: u128,
}

impl Exchange {
    pub(super) fn define_asset(
        &mut self,
        asker: &Asker,
        asset: &AssetDef,
    ) -> Result<(), RejectCode> {
        let known = |other: &AssetDef| other.id == asset.id || other.symbol == asset.symbol;
        if self.assets.iter().any(known) {
            return Err(RejectCode::AlreadyDefined);
        }
        let fine = asset.id.0 > 0 && is_name(&asset.symbol) && !asset.symbol.contains('-');
        if !fine || asset.scale > LARGEST_SCALE {
            return Err(RejectCode::InvalidDefinition);
        }
        self.assets.push(asset.clone());
        self.events.push(Event::AssetDefined { reply: asker.reply, asset: asset.clone() });
        Ok(())
    }

    pub(super) fn list_market(&mut self, asker: &Asker, def: &MarketDef) -> Result<(), RejectCode> {
        let known = |other: &Market| other.def.id == def.id || other.def.symbol == def.symbol;
        if self.markets.iter().any(known) {
            return Err(RejectCode::AlreadyDefined);
        }
        let units = self.units(def)?;
        let home = self.homes[self.markets.len() % self.homes.len()];
        let def = MarketDef { home, ..def.clone() };
        self.markets.push(Market::new(def.clone(), units));
        self.events.push(Event::MarketListed { reply: asker.reply, market: def });
        Ok(())
    }

    /// The units of a market: whole atoms, its largest order is no more than may exist, and its book has room.
    pub(super) fn units(&self, def: &MarketDef) -> Result<Units, RejectCode> {
        let (base, quote) = (self.scale(def.base)?, self.scale(def.quote)?);
        let named = def.id.0 > 0 && is_name(&def.symbol) && def.base != def.quote;
        let counts = [def.max_price.get(), def.max_quantity.get()];
        let counted = counts.iter().all(|count| (1..1 << 63).contains(count));
        let MarketBounds { max_orders, max_levels, max_orders_per_account, max_waiting } =
            def.bounds;
        let bounds = [max_orders, max_levels, max_orders_per_account, max_waiting];
        let sound = named && counted && !bounds.contains(&0);
        let units = units_of(def.tick, def.lot, base, quote).filter(|_| sound);
        let fits = |units: &Units| {
            let [price, lots] = counts.map(u128::from);
            let largest = price.checked_mul(lots).and_then(|both| both.checked_mul(units.quote));
            largest.is_some_and(|atoms| atoms <= LARGEST_AMOUNT)
                && lots.checked_mul(units.base).is_some_and(|atoms| atoms <= LARGEST_AMOUNT)
        };
        units.filter(fits).ok_or(RejectCode::InvalidDefinition)
    }

    fn scale(&self, asset: AssetId) -> Result<u8, RejectCode> {
        let found = self.assets.iter().find(|known| known.id == asset);
        found.map(|asset| asset.scale).ok_or(RejectCode::UnknownAsset)
    }
}

/// Upper letters, digits and `-`, at most 24.
fn is_name(text: &str) -> bool {
    (1..=24).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
}

fn units_of(tick: Decimal, lot: Decimal, base: u8, quote: u8) -> Option<Units> {
    let tick_lot = u128::from(tick.units) * u128::from(lot.units);
    Some(Units {
        base: atoms(lot.units.into(), lot.scale.into(), base.into())?,
        quote: atoms(tick_lot, u32::from(tick.scale) + u32::from(lot.scale), quote.into())?,
    })
}

/// `units` with so many places after the point, in atoms of an asset, if they are a whole number of them.
fn atoms(units: u128, places: u32, of_asset: u32) -> Option<u128> {
    let widened = units.checked_mul(10_u128.checked_pow(of_asset)?)?;
    let one = 10_u128.checked_pow(places)?;
    let atoms = widened / one;
    (widened % one == 0 && atoms > 0 && atoms < 1 << 64).then_some(atoms)
}
