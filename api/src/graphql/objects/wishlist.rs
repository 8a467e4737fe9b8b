//! What a customer means to buy later.

use async_graphql::{Context, ID, Object};

use crate::fault::nullable;
use crate::graphql::ids::GlobalId;
use crate::graphql::objects::item::Item;
use crate::graphql::objects::node::find_item;
use crate::graphql::scalars::{DateTime, count};

/// A row of a wishlist.
pub struct WishlistEntry(pub domain::wishlist::WishlistEntry);

/// A row of the requester's wishlist. It holds no stock: a price or a level is the item's of now.
#[Object]
impl WishlistEntry {
    /// Its id, `wish_…`.
    async fn id(&self) -> ID {
        self.0.id.to_global()
    }

    /// What is wished for; null while the catalogue can't be reached.
    async fn item(&self, ctx: &Context<'_>) -> Option<Item> {
        nullable(ctx, find_item(ctx, self.0.item).await)
    }

    /// How many units, 1 to 1000000.
    async fn quantity(&self) -> i32 {
        count(self.0.quantity.get())
    }

    /// When it was added.
    async fn added_at(&self) -> DateTime {
        self.0.added_at.into()
    }
}
