//! The ledger's side of wishlists.

use async_trait::async_trait;

use crate::page::{Page, Window};
use crate::wishlist::WishlistEntry;
use crate::{AccountId, Fault, Quantity, WishlistEntryId};

/// Every method is of one account's own wishlist: somebody else's entries are not there.
#[async_trait]
pub trait Wishlists: Send + Sync {
    /// Adds an entry to the wishlist of its account, which has room for `most`.
    async fn add(&self, entry: &WishlistEntry, most: u32) -> Result<Added, Fault>;

    /// An account's entries, the newest first.
    async fn entries_of(
        &self,
        account: AccountId,
        window: &Window,
    ) -> Result<Page<WishlistEntry>, Fault>;

    /// Those of these entries that are there, in any order.
    async fn entries(
        &self,
        account: AccountId,
        ids: &[WishlistEntryId],
    ) -> Result<Vec<WishlistEntry>, Fault>;

    /// Wishes for so many units, and returns the entry; nothing where there is none.
    async fn set_quantity(
        &self,
        account: AccountId,
        entry: WishlistEntryId,
        quantity: Quantity,
    ) -> Result<Option<WishlistEntry>, Fault>;

    /// Removes an entry; `false` where there is none.
    async fn remove(&self, account: AccountId, entry: WishlistEntryId) -> Result<bool, Fault>;
}

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    Done,
    /// The item is on the wishlist, by this entry.
    IsThere(WishlistEntryId),
    Full,
}
