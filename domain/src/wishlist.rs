//! What a customer means to buy later.

use crate::{AccountId, ItemId, Quantity, Timestamp, WishlistEntryId};

/// Entries that a wishlist has room for.
pub const MAX_ENTRIES: u32 = 500;

/// A row of a wishlist; an item stands on it once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WishlistEntry {
    pub id: WishlistEntryId,
    pub account: AccountId,
    pub item: ItemId,
    pub quantity: Quantity,
    pub added_at: Timestamp,
}
