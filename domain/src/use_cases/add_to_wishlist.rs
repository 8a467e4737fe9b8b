//! Puts an item on its customer's wishlist.

use crate::ports::Ports;
use crate::ports::wishlists::Added;
use crate::refusal::Reason;
use crate::wishlist::{MAX_ENTRIES, WishlistEntry};
use crate::{AccountId, Failure, ItemId, Quantity, WishlistEntryId};

/// Adds an entry, once an item.
///
/// # Errors
/// There is no such item, it is on the wishlist already, or that is full; or a fault of the ledger.
pub async fn add_to_wishlist(
    ports: &Ports,
    account: AccountId,
    item: ItemId,
    quantity: Quantity,
) -> Result<WishlistEntry, Failure> {
    if ports.items.items(&[item]).await?.is_empty() {
        return Err(Reason::NotFound.at(["itemId"]).into());
    }
    let entry = WishlistEntry {
        id: WishlistEntryId(ports.sortable_id()),
        account,
        item,
        quantity,
        added_at: ports.clock.now(),
    };
    match ports.wishlists.add(&entry, MAX_ENTRIES).await? {
        Added::Done => Ok(entry),
        Added::IsThere(entry) => Err(Reason::OnWishlistAlready { entry }.at(["itemId"]).into()),
        Added::Full => Err(Reason::WishlistFull { most: MAX_ENTRIES }.into()),
    }
}
