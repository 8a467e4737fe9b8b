//! Wishlists.

use async_graphql::{Context, ID, InputObject, Object};
use domain::account::Role;
use domain::refusal::Refusals;
use domain::use_cases::add_to_wishlist::add_to_wishlist;
use domain::{AccountId, Failure, ItemId, Quantity, Reason, Refusal, WishlistEntryId};

use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::objects::wishlist::WishlistEntry;
use crate::graphql::outcome::{answer, payload};
use crate::request::RequestContext;

/// Mutations of whoever keeps a wishlist.
#[derive(Default)]
pub struct Wishlists;

#[Object]
impl Wishlists {
    /// Puts an item on the requester's wishlist, once an item. It takes no stock. For whoever is
    /// signed in.
    ///
    /// Refusals: `Unauthenticated`, `InvalidInput`, `NotFound`, `OnWishlistAlready`, `WishlistFull`.
    async fn add_to_wishlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: AddToWishlistInput,
    ) -> Option<AddToWishlistPayload> {
        answer(ctx, input.add(ctx).await)
    }

    /// Changes how many units an entry wishes for. For the wishlist's owner.
    ///
    /// Refusals: `Unauthenticated`, `InvalidInput`, `NotFound`.
    async fn update_wishlist_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entry, and how many.")] input: UpdateWishlistEntryInput,
    ) -> Option<UpdateWishlistEntryPayload> {
        answer(ctx, input.update(ctx).await)
    }

    /// Takes an entry off the requester's wishlist. For the wishlist's owner.
    ///
    /// Refusals: `Unauthenticated`, `InvalidInput`, `NotFound`.
    async fn remove_from_wishlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entry.")] input: RemoveFromWishlistInput,
    ) -> Option<RemoveFromWishlistPayload> {
        answer(ctx, input.remove(ctx).await)
    }
}

/// What to add to a wishlist.
#[derive(InputObject, Debug)]
pub struct AddToWishlistInput {
    /// The item, `item_…`.
    item_id: ID,
    /// Units, 1 to 1000000.
    #[graphql(default = 1)]
    quantity: i32,
}

payload! {
    /// What became of `addToWishlist`.
    AddToWishlistPayload {
        /// The entry; null exactly when it was refused.
        entry: WishlistEntry,
    }
}

impl AddToWishlistInput {
    async fn add(self, ctx: &Context<'_>) -> Result<AddToWishlistPayload, Failure> {
        let account = owner(ctx)?;
        let item = ItemId::parse(&self.item_id).map_err(|reason| reason.at(["itemId"]));
        let mut refusals = Refusals::default();
        let wish = (refusals.take(item), refusals.take(quantity(self.quantity)));
        let (Some(item), Some(quantity)) = wish else {
            return Err(refusals.into());
        };
        let ports = &Graph::of(ctx).ports;
        let entry = add_to_wishlist(ports, account, item, quantity).await?;
        Ok(AddToWishlistPayload::done(ctx, WishlistEntry(entry)))
    }
}

/// How many units to wish for.
#[derive(InputObject, Debug)]
pub struct UpdateWishlistEntryInput {
    /// The entry, `wish_…`.
    entry_id: ID,
    /// Units, 1 to 1000000.
    quantity: i32,
}

payload! {
    /// What became of `updateWishlistEntry`.
    UpdateWishlistEntryPayload {
        /// The entry as it is now; null exactly when it was refused.
        entry: WishlistEntry,
    }
}

impl UpdateWishlistEntryInput {
    async fn update(self, ctx: &Context<'_>) -> Result<UpdateWishlistEntryPayload, Failure> {
        let account = owner(ctx)?;
        let mut refusals = Refusals::default();
        let change = (
            refusals.take(entry_id(&self.entry_id)),
            refusals.take(quantity(self.quantity)),
        );
        let (Some(entry), Some(quantity)) = change else {
            return Err(refusals.into());
        };
        let wishlists = &Graph::of(ctx).ports.wishlists;
        let changed = wishlists.set_quantity(account, entry, quantity).await?;
        let changed = changed.ok_or_else(|| Reason::NotFound.at(["entryId"]))?;
        Ok(UpdateWishlistEntryPayload::done(
            ctx,
            WishlistEntry(changed),
        ))
    }
}

/// Which entry to remove.
#[derive(InputObject, Debug)]
pub struct RemoveFromWishlistInput {
    /// The entry, `wish_…`.
    entry_id: ID,
}

payload! {
    /// What became of `removeFromWishlist`.
    RemoveFromWishlistPayload {
        /// The entry that is gone; null exactly when it was refused.
        removed_entry_id: ID,
    }
}

impl RemoveFromWishlistInput {
    async fn remove(self, ctx: &Context<'_>) -> Result<RemoveFromWishlistPayload, Failure> {
        let account = owner(ctx)?;
        let entry = entry_id(&self.entry_id)?;
        if !Graph::of(ctx)
            .ports
            .wishlists
            .remove(account, entry)
            .await?
        {
            return Err(Reason::NotFound.at(["entryId"]).into());
        }
        Ok(RemoveFromWishlistPayload::done(ctx, self.entry_id))
    }
}

fn owner(ctx: &Context<'_>) -> Result<AccountId, Reason> {
    RequestContext::of(ctx).requester.acting_as(Role::Customer)
}

fn entry_id(id: &ID) -> Result<WishlistEntryId, Refusal> {
    WishlistEntryId::parse(id).map_err(|reason| reason.at(["entryId"]))
}

fn quantity(units: i32) -> Result<Quantity, Refusal> {
    Quantity::new(units.into()).map_err(|reason| reason.at(["quantity"]))
}
