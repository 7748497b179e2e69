//! Trailing stops of one side that are active: for each, the best price since its activation.
//!
//! A new best price lifts every stop behind it. So that one trade does not touch each of them, stops
//! with the same reference form a group, and a lifted group is poured into the one ahead, the smaller
//! into the larger: each stop changes groups a logarithmic number of times between two activations.
//!
//! Buyers' stops are sellers' in a mirror: prices are turned round on the way in and out.

use std::collections::{BTreeMap, BTreeSet};

use types::{OrderId, Price, Side, trailing_price};

/// The active trailing stops of one side.
pub(crate) struct Trailing {
    side: Side,
    /// Which group each stop is in.
    group_of: BTreeMap<OrderId, u32>,
    groups: BTreeMap<u32, Group>,
    next_group: u32,
    /// Groups by mirrored reference. No two share one.
    by_reference: BTreeMap<u64, u32>,
    /// The first stop of each group to fire, by mirrored price: the last one fires first.
    heads: BTreeSet<(u64, u32)>,
}

struct Group {
    reference: Price,
    /// By distance: the nearest fires first.
    stops: BTreeSet<(u16, OrderId)>,
}

impl Trailing {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            group_of: BTreeMap::new(),
            groups: BTreeMap::new(),
            next_group: 0,
            by_reference: BTreeMap::new(),
            heads: BTreeSet::new(),
        }
    }

    /// A seller's price as it is, a buyer's turned round: larger is better for the owner. Its own
    /// inverse.
    #[inline]
    fn mirror(&self, price: Price) -> u64 {
        match self.side {
            Side::Sell => price.get(),
            Side::Buy => u64::MAX - price.get(),
        }
    }

    /// Adds a stop whose best price so far is `reference`.
    pub(crate) fn insert(&mut self, order: OrderId, basis_points: u16, reference: Price) {
        let key = self.mirror(reference);
        let group = match self.by_reference.get(&key) {
            Some(&group) => group,
            None => {
                let group = self.next_group;
                self.next_group += 1;
                self.by_reference.insert(key, group);
                self.groups.insert(group, Group { reference, stops: BTreeSet::new() });
                group
            }
        };
        self.change(group, |stops| {
            stops.insert((basis_points, order));
        });
        self.group_of.insert(order, group);
    }

    /// Removes a stop, if it is here.
    pub(crate) fn remove(&mut self, order: OrderId, basis_points: u16) {
        let Some(group) = self.group_of.remove(&order) else {
            return;
        };
        self.change(group, |stops| {
            stops.remove(&(basis_points, order));
        });
        if self.groups[&group].stops.is_empty() {
            let reference = self.groups.remove(&group).expect("it is there").reference;
            self.by_reference.remove(&self.mirror(reference));
        }
    }

    /// The best price since the activation of a stop, if it is here.
    pub(crate) fn reference(&self, order: OrderId) -> Option<Price> {
        self.group_of.get(&order).map(|group| self.groups[group].reference)
    }

    /// A trade at `price`: stops with a worse reference have this one from now on.
    pub(crate) fn lift(&mut self, price: Price) {
        let key = self.mirror(price);
        while let Some((&behind, &group)) = self.by_reference.first_key_value() {
            if behind >= key {
                return;
            }
            self.by_reference.remove(&behind);
            self.change(group, |_| ());
            match self.by_reference.get(&key).copied() {
                None => self.set_reference(group, price),
                Some(ahead) => self.pour(group, ahead, price),
            }
        }
    }

    /// The price at which the next stop fires, and which it is: the lowest id of equal ones.
    pub(crate) fn next(&self) -> Option<(Price, OrderId)> {
        let (key, _) = *self.heads.last()?;
        let price = Price::new(self.mirror(Price::new(key)));
        let equal = self.heads.range((key, 0)..);
        let first = equal.map(|&(_, group)| self.first_at(&self.groups[&group], price)).min()?;
        Some((price, first))
    }

    /// The first price at which something changes: beyond the worst reference it lifts a stop.
    pub(crate) fn worst_reference(&self) -> Option<Price> {
        let (_, group) = self.by_reference.first_key_value()?;
        Some(self.groups[group].reference)
    }

    /// The lowest id among the stops of a group that fire at its first price: different distances may
    /// be rounded to the same tick.
    fn first_at(&self, group: &Group, price: Price) -> OrderId {
        let fires =
            |basis_points| trailing_price(self.side, group.reference, basis_points) == price;
        let equal = group.stops.iter().take_while(|&&(basis_points, _)| fires(basis_points));
        equal.map(|&(_, order)| order).min().expect("a group has a first stop")
    }

    /// The stops of the smaller group join the other one, which takes the new reference.
    fn pour(&mut self, behind: u32, ahead: u32, reference: Price) {
        let larger = |group: u32| self.groups[&group].stops.len();
        let (from, into) =
            if larger(behind) > larger(ahead) { (ahead, behind) } else { (behind, ahead) };
        self.forget_head(from);
        let stops = self.groups.remove(&from).expect("it is there").stops;
        self.forget_head(into);
        for &(basis_points, order) in &stops {
            self.group_of.insert(order, into);
            self.groups.get_mut(&into).expect("it is there").stops.insert((basis_points, order));
        }
        self.set_reference(into, reference);
    }

    fn set_reference(&mut self, group: u32, reference: Price) {
        self.forget_head(group);
        self.groups.get_mut(&group).expect("it is there").reference = reference;
        self.by_reference.insert(self.mirror(reference), group);
        self.note_head(group);
    }

    fn change(&mut self, group: u32, change: impl FnOnce(&mut BTreeSet<(u16, OrderId)>)) {
        self.forget_head(group);
        change(&mut self.groups.get_mut(&group).expect("it is there").stops);
        self.note_head(group);
    }

    fn note_head(&mut self, group: u32) {
        self.heads.extend(self.head(group).map(|key| (key, group)));
    }

    fn forget_head(&mut self, group: u32) {
        if let Some(key) = self.head(group) {
            self.heads.remove(&(key, group));
        }
    }

    fn head(&self, group: u32) -> Option<u64> {
        let Group { reference, stops } = &self.groups[&group];
        let (nearest, _) = stops.first()?;
        Some(self.mirror(trailing_price(self.side, *reference, *nearest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each stop with its own reference, lifted one by one.
    #[derive(Default)]
    struct Naive(Vec<(OrderId, u16, Price)>);

    impl Naive {
        fn next(&self, side: Side) -> Option<(Price, OrderId)> {
            let fires = self.0.iter().map(|&(order, distance, reference)| {
                (trailing_price(side, reference, distance), order)
            });
            match side {
                Side::Sell => fires.min_by_key(|&(price, order)| (std::cmp::Reverse(price), order)),
                Side::Buy => fires.min(),
            }
        }

        fn lift(&mut self, side: Side, price: Price) {
            for (_, _, reference) in &mut self.0 {
                *reference = match side {
                    Side::Sell => price.max(*reference),
                    Side::Buy => price.min(*reference),
                };
            }
        }
    }

    #[test]
    fn groups_agree_with_stops_lifted_one_by_one() {
        for side in [Side::Buy, Side::Sell] {
            let mut trailing = Trailing::new(side);
            let mut naive = Naive::default();
            let mut random = 0x9E37_79B9_u64;
            for id in 1..20_000 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let price = Price::new(900 + random % 200);
                match random >> 32 & 3 {
                    0 | 1 => {
                        let distance = 1 + (random >> 40) as u16 % 400;
                        trailing.insert(OrderId(id), distance, price);
                        naive.0.push((OrderId(id), distance, price));
                    }
                    2 => {
                        trailing.lift(price);
                        naive.lift(side, price);
                    }
                    _ => {
                        if !naive.0.is_empty() {
                            let at = (random >> 20) as usize % naive.0.len();
                            let (order, distance, reference) = naive.0.swap_remove(at);
                            assert_eq!(trailing.reference(order), Some(reference));
                            trailing.remove(order, distance);
                        }
                        if naive.0.len() > 60 {
                            let (_, order) = naive.next(side).unwrap();
                            let at = naive.0.iter().position(|stop| stop.0 == order).unwrap();
                            let (_, distance, _) = naive.0.swap_remove(at);
                            trailing.remove(order, distance);
                        }
                    }
                }
                assert_eq!(trailing.next(), naive.next(side), "after step {id}");
                let references = naive.0.iter().map(|stop| stop.2);
                let worst = match side {
                    Side::Sell => references.min(),
                    Side::Buy => references.max(),
                };
                assert_eq!(trailing.worst_reference(), worst, "after step {id}");
            }
        }
    }
}
