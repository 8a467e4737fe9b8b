//! What a customer means to buy later.

use crate::{AccountId, ItemId, Quantity, Timestamp, WishlistEntryId};

/// A row of a wishlist; an item stands on it once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WishlistEntry {
    pub id: WishlistEntryId,
    pub account: AccountId,
    pub item: ItemId,
    pub quantity: Quantity,
    pub added_at: Timestamp,
}

impl WishlistEntry {
    /// The same wish for another number of units.
    #[must_use]
    pub fn with_quantity(self, quantity: Quantity) -> Self {
        Self { quantity, ..self }
    }
}
