//! The ledger's count of an item: what there is, what orders hold, and what ever went in and out.

use crate::ItemId;
use crate::refusal::{Reason, Rule};

/// An item's stock in the ledger.
///
/// Always `0 ≤ held ≤ total` and `admitted − released = held`. Only `total` is ever lowered, and
/// never under `held`; `admitted` and `released` only grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stock {
    /// Units there are, sold ones included.
    pub total: i64,
    /// Units that orders hold or have bought.
    pub held: i64,
    /// Units ever admitted, each admission counted once.
    pub admitted: i64,
    /// Units ever given back, or admitted without an order getting them.
    pub released: i64,
    /// Rises with every change of what the gate is told: see [`crate::gate::Terms`].
    pub version: i64,
}

/// What one transaction does to a stock row, whichever orders it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StockMove {
    pub held: i64,
    pub admitted: i64,
    pub released: i64,
}

impl StockMove {
    /// Admitted units that an order got.
    pub fn hold(&mut self, units: u32) {
        self.held += i64::from(units);
        self.admitted += i64::from(units);
    }

    /// Admitted units that no order got.
    pub fn turn_away(&mut self, units: u32) {
        self.admitted += i64::from(units);
        self.released += i64::from(units);
    }

    /// Held units that are back on sale.
    pub fn release(&mut self, units: u32) {
        self.held -= i64::from(units);
        self.released += i64::from(units);
    }
}

/// The most units an item can have.
pub const MAX_TOTAL: i64 = 1_000_000_000;

impl Stock {
    /// # Errors
    /// `total` negative or above [`MAX_TOTAL`].
    pub fn new(total: i64) -> Result<Self, Reason> {
        check_total(total)?;
        Ok(Self {
            total,
            held: 0,
            admitted: 0,
            released: 0,
            version: 1,
        })
    }

    /// Units an order could still get.
    #[must_use]
    pub fn available(&self) -> i64 {
        self.total - self.held
    }

    /// Units that may ever be let through the gate.
    #[must_use]
    pub fn ceiling(&self) -> i64 {
        self.total + self.released
    }

    /// The stock after `moved`. The version rises exactly when the gate must hear of it.
    #[must_use]
    pub fn after(mut self, moved: StockMove) -> Self {
        self.held += moved.held;
        self.admitted += moved.admitted;
        self.released += moved.released;
        if moved.released > 0 {
            self.version += 1;
        }
        self
    }

    /// The stock with another total.
    ///
    /// # Errors
    /// Out of range, or under what is held.
    pub fn with_total(self, total: i64) -> Result<Self, Reason> {
        check_total(total)?;
        if total < self.held {
            return Err(Reason::StockBelowHeld { held: self.held });
        }
        Ok(Self {
            total,
            version: self.version + 1,
            ..self
        })
    }

    /// Whether the counts agree with each other.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        0 <= self.held && self.held <= self.total && self.admitted - self.released == self.held
    }
}

fn check_total(total: i64) -> Result<(), Reason> {
    match total {
        ..0 => Err(Rule::TooSmall { least: 0 }.into()),
        0..=MAX_TOTAL => Ok(()),
        _ => Err(Rule::TooLarge { most: MAX_TOTAL }.into()),
    }
}

/// Units of one item.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Units {
    pub item: ItemId,
    pub count: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_and_released_is_on_sale_again() {
        let stock = Stock::new(10).unwrap();
        let mut moved = StockMove::default();
        moved.hold(4);
        moved.turn_away(3);
        let stock = stock.after(moved);
        assert!(stock.is_sound());
        assert_eq!(
            (stock.available(), stock.ceiling(), stock.admitted),
            (6, 13, 7)
        );
        let mut moved = StockMove::default();
        moved.release(4);
        let stock = stock.after(moved);
        assert!(stock.is_sound());
        assert_eq!(stock.available(), 10);
        assert_eq!(
            stock.ceiling() - stock.admitted,
            10,
            "the gate sees the same"
        );
    }

    #[test]
    fn total_stays_within_its_bounds() {
        let mut stock = Stock::new(10).unwrap();
        stock.held = 4;
        stock.admitted = 4;
        assert_eq!(stock.with_total(3), Err(Reason::StockBelowHeld { held: 4 }));
        assert_eq!(stock.with_total(4).unwrap().version, 2);
        assert!(stock.with_total(-1).is_err());
        assert!(Stock::new(MAX_TOTAL + 1).is_err());
    }
}
