//! Whether the stream of an account tells of every order that was acknowledged.

use std::collections::HashSet;

/// Orders of one account that one side has told of and the other has not.
#[derive(Default)]
pub(crate) struct Told {
    acknowledged_only: HashSet<u64>,
    told_only: HashSet<u64>,
    /// The stream was cut, and what happened meanwhile was told to nobody.
    is_broken: bool,
    both: u64,
}

impl Told {
    /// An answer acknowledged an order.
    pub(crate) fn acknowledged(&mut self, order: u64) {
        if self.told_only.remove(&order) {
            self.both += 1;
        } else if !self.is_broken {
            self.acknowledged_only.insert(order);
        }
    }

    /// The stream told of an order.
    pub(crate) fn told(&mut self, order: u64) {
        if self.acknowledged_only.remove(&order) {
            self.both += 1;
        } else if !self.is_broken {
            self.told_only.insert(order);
        }
    }

    /// The stream was cut.
    pub(crate) fn broke(&mut self) {
        self.is_broken = true;
        self.acknowledged_only.clear();
        self.told_only.clear();
    }

    /// Orders that both told of, and those that the stream owes.
    pub(crate) fn result(&self) -> (u64, &HashSet<u64>) {
        (self.both, &self.acknowledged_only)
    }
}

#[cfg(test)]
mod tests {
    use super::Told;

    #[test]
    fn an_acknowledged_order_that_the_stream_never_told_of_is_owed() {
        let mut told = Told::default();
        told.acknowledged(1);
        told.told(1);
        told.told(2);
        told.acknowledged(2);
        told.acknowledged(3);
        let (both, owed) = told.result();
        assert_eq!(both, 2);
        assert_eq!(owed.iter().collect::<Vec<_>>(), [&3]);
        told.broke();
        assert!(told.result().1.is_empty());
    }
}
