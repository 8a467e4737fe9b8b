//! How many units of an item one line asks for.

use crate::refusal::{Reason, Rule};

/// A number of units: at least one, at most [`Quantity::MAX`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Quantity(u32);

impl Quantity {
    /// The most units on one line.
    pub const MAX: u32 = 1_000_000;

    /// # Errors
    /// The bound that `count` breaks.
    pub fn new(count: i64) -> Result<Self, Reason> {
        match u32::try_from(count) {
            Ok(0) | Err(_) if count <= 0 => Err(Rule::TooSmall { least: 1 }.into()),
            Ok(count) if count <= Self::MAX => Ok(Self(count)),
            _ => Err(Rule::TooLarge {
                most: i64::from(Self::MAX),
            }
            .into()),
        }
    }

    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_to_a_million() {
        assert_eq!(Quantity::new(1).unwrap().get(), 1);
        assert_eq!(Quantity::new(1_000_000).unwrap().get(), 1_000_000);
        for count in [
            0,
            -1,
            i64::MIN,
            1_000_001,
            i64::from(u32::MAX) + 2,
            i64::MAX,
        ] {
            assert!(Quantity::new(count).is_err(), "{count}");
        }
    }
}
