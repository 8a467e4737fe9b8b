//! Wishlists.

use domain::wishlist::WishlistEntry;
use domain::{AccountId, ItemId, Quantity, WishlistEntryId};

use super::{BadRow, Reading, ms};
use crate::sql::entities::wishlist_entries::Model;

impl TryFrom<Model> for WishlistEntry {
    type Error = BadRow;

    fn try_from(row: Model) -> Result<Self, BadRow> {
        let reading = Reading {
            table: "wishlist_entries",
            id: row.id,
        };
        let quantity = Quantity::new(row.quantity);
        Ok(Self {
            id: WishlistEntryId(row.id),
            account: AccountId(row.account_id),
            item: ItemId(row.item_id),
            quantity: quantity.map_err(|_| reading.bad("quantity", "out of range"))?,
            added_at: reading.instant("added_at", row.added_at)?,
        })
    }
}

/// The row of an entry.
pub fn entry_row(entry: &WishlistEntry) -> Model {
    Model {
        id: entry.id.0,
        account_id: entry.account.0,
        item_id: entry.item.0,
        quantity: entry.quantity.get().into(),
        added_at: ms(entry.added_at),
    }
}
