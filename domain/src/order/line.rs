//! The lines of an order, and parts of them: what is cancelled or given back is named by line and
//! quantity.

use crate::refusal::{Reason, Refusal, Rule};
use crate::stock::Units;
use crate::{ItemId, Money, Quantity};

use super::Order;

/// Units of an item at the price they were ordered at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    pub item: ItemId,
    pub quantity: Quantity,
    pub unit_price: Money,
    /// Units of it that were cancelled before they were dispatched.
    pub cancelled: u32,
    /// Units of it that came back.
    pub returned: u32,
}

impl Line {
    #[must_use]
    pub fn new(item: ItemId, quantity: Quantity, unit_price: Money) -> Self {
        Self {
            item,
            quantity,
            unit_price,
            cancelled: 0,
            returned: 0,
        }
    }

    /// The line's amount as it was ordered; `None` only for figures no checked order has.
    #[must_use]
    pub fn subtotal(&self) -> Option<Money> {
        self.unit_price.times(self.quantity.get())
    }

    /// Units that are neither cancelled nor returned.
    #[must_use]
    pub fn kept(&self) -> u32 {
        self.quantity
            .get()
            .saturating_sub(self.cancelled)
            .saturating_sub(self.returned)
    }
}

/// Units of one line of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Portion {
    /// The line's place in the order, from 0.
    pub line: u32,
    pub quantity: Quantity,
}

impl Portion {
    /// So many units of the line at this place; `None` for none.
    fn of(line: usize, units: u32) -> Option<Self> {
        Some(Self {
            line: u32::try_from(line).ok()?,
            quantity: Quantity::new(units.into()).ok()?,
        })
    }
}

impl Order {
    /// The line at this place.
    #[must_use]
    pub fn line(&self, at: u32) -> Option<&Line> {
        self.lines.get(usize::try_from(at).ok()?)
    }

    pub(super) fn line_mut(&mut self, at: u32) -> Option<&mut Line> {
        self.lines.get_mut(usize::try_from(at).ok()?)
    }

    /// The units that are neither cancelled nor returned, lines of one item added up, in item
    /// order.
    #[must_use]
    pub fn units(&self) -> Vec<Units> {
        let kept = self.lines.iter().filter(|line| line.kept() > 0);
        crate::message::sum_by_item(kept.map(|line| (line.item, line.kept())))
    }

    /// The units of these portions, in the same way.
    #[must_use]
    pub fn units_of(&self, portions: &[Portion]) -> Vec<Units> {
        let units = portions.iter().filter_map(|portion| {
            let line = self.line(portion.line)?;
            Some((line.item, portion.quantity.get()))
        });
        crate::message::sum_by_item(units)
    }

    /// What these portions were ordered at.
    ///
    /// # Errors
    /// [`Reason::TotalTooLarge`] only for figures no checked order has.
    pub fn amount_of(&self, portions: &[Portion]) -> Result<Money, Reason> {
        let mut sum = Money::zero(self.total.currency);
        for portion in portions {
            let price = self.line(portion.line).map(|line| line.unit_price);
            let amount = price.and_then(|price| price.times(portion.quantity.get()));
            sum = amount
                .and_then(|amount| sum.plus(amount))
                .ok_or(Reason::TotalTooLarge)?;
        }
        Ok(sum)
    }

    /// What the units come to that are neither cancelled nor returned.
    #[must_use]
    pub fn current_total(&self) -> Money {
        // A part of a total that was checked when it was ordered.
        self.amount_of(&self.portions_left(|_, line| line.kept()))
            .unwrap_or(self.total)
    }

    /// Everything that is left, by how much is left of each line.
    fn portions_left(&self, left: impl Fn(usize, &Line) -> u32) -> Vec<Portion> {
        let lines = self.lines.iter().enumerate();
        lines
            .filter_map(|(at, line)| Portion::of(at, left(at, line)))
            .collect()
    }

    /// The portions that are meant: those that are named, or all that is left where none is.
    ///
    /// # Errors
    /// A line that is not there, one that is named twice, more than is left of it.
    pub(super) fn meant(
        &self,
        named: &[Portion],
        left: impl Fn(usize, &Line) -> u32,
    ) -> Result<Vec<Portion>, Refusal> {
        if named.is_empty() {
            return Ok(self.portions_left(left));
        }
        for (at, portion) in named.iter().enumerate() {
            let field = |field: &str| ["lines".to_owned(), at.to_string(), field.to_owned()];
            let place = usize::try_from(portion.line).unwrap_or(usize::MAX);
            let Some(line) = self.lines.get(place) else {
                return Err(Reason::NotFound.at(field("line")));
            };
            if named[..at].iter().any(|other| other.line == portion.line) {
                return Err(Reason::from(Rule::Repeated).at(field("line")));
            }
            let most = left(place, line);
            if portion.quantity.get() > most {
                let most = i64::from(most);
                return Err(Reason::from(Rule::TooLarge { most }).at(field("quantity")));
            }
        }
        Ok(named.to_vec())
    }
}
