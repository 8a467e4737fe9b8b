//! Selling.

use async_graphql::{Context, ID, InputObject, Object};
use domain::account::Role;
use domain::item::Details;
use domain::refusal::Rule;
use domain::use_cases::create_item::{CreateItem, DealWindow, create_item};
use domain::use_cases::restock_item::{RestockItem, restock_item};
use domain::use_cases::schedule_deal::{ScheduleDeal, schedule_deal};
use domain::use_cases::update_item::{UpdateItem, update_item};
use domain::{AccountId, Failure, IdempotencyKey, ItemId, Reason, Refusal, Requester};

use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::objects::item::{Category, Item};
use crate::graphql::objects::money::MoneyInput;
use crate::graphql::outcome::{answer, payload};
use crate::graphql::scalars::{DateTime, Uuid, Version};
use crate::request::RequestContext;

/// Mutations of sellers.
#[derive(Default)]
pub struct Items;

#[Object]
impl Items {
    /// Puts an item on sale, with its stock; a window makes it a time deal. For sellers and admins.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `IdempotencyKeyReused`, `TryAgain`.
    async fn create_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to sell.")] input: CreateItemInput,
    ) -> Option<CreateItemPayload> {
        answer(ctx, input.create(ctx).await)
    }

    /// Changes what is said about an item, or its price. Orders keep the price they were placed at.
    /// For the item's seller and for admins.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `CurrencyMismatch`,
    /// `VersionConflict`.
    async fn update_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateItemInput,
    ) -> Option<UpdateItemPayload> {
        answer(ctx, input.update(ctx).await)
    }

    /// Adds units to an item, or takes unsold ones off sale. For the item's seller and for admins.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `StockBelowHeld`,
    /// `IdempotencyKeyReused`, `TryAgain`.
    async fn restock_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many units to add or take.")] input: RestockItemInput,
    ) -> Option<RestockItemPayload> {
        answer(ctx, input.restock(ctx).await)
    }

    /// Moves the window of a time deal, or changes its limit per buyer. For the item's seller and for
    /// admins.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `NotATimeDeal`, `DealHasBegun`,
    /// `VersionConflict`.
    async fn schedule_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The window.")] input: ScheduleDealInput,
    ) -> Option<ScheduleDealPayload> {
        answer(ctx, input.schedule(ctx).await)
    }
}

/// What to sell.
#[derive(InputObject, Debug)]
pub struct CreateItemInput {
    /// Made by the client, fresh for every item that is meant, the same for every repetition.
    idempotency_key: Uuid,
    /// Its name, 1 to 100 characters.
    name: String,
    /// What to say about it, at most 2000 characters; nothing without it.
    description: Option<String>,
    /// What sort of thing it is.
    category: Category,
    /// The price of one unit, not negative.
    price: MoneyInput,
    /// The shop's own code for it, at most 64 characters, unique per seller.
    sku: Option<String>,
    /// Units there are, 0 to 1000000000.
    total: i32,
    /// Its window; makes it an item of kind TIME_DEAL.
    deal: Option<DealInput>,
}

/// The window of a time deal.
#[derive(InputObject, Debug)]
pub struct DealInput {
    /// The first instant at which it sells.
    opens_at: DateTime,
    /// The first instant at which it no longer sells, after `opensAt`; no end without it.
    closes_at: Option<DateTime>,
    /// Units one buyer may hold, over all orders, 1 or more; no limit without it.
    limit_per_buyer: Option<i32>,
}

payload! {
    /// What became of `createItem`.
    CreateItemPayload {
        /// The item; null exactly when it was refused.
        item: Item,
        /// Whether the same key had created it before.
        replayed: bool,
    }
}

impl CreateItemInput {
    async fn create(self, ctx: &Context<'_>) -> Result<CreateItemPayload, Failure> {
        let seller = requester(ctx).acting_as(Role::Seller)?;
        let command = self.parse(seller)?;
        let changed = create_item(&Graph::of(ctx).ports, command).await?;
        Ok(CreateItemPayload::done(
            ctx,
            changed.item.into(),
            changed.replayed,
        ))
    }

    fn parse(self, seller: AccountId) -> Result<CreateItem, Refusal> {
        let window = self.deal.map(|deal| {
            window(
                deal.opens_at,
                deal.closes_at,
                deal.limit_per_buyer,
                &["deal", "limitPerBuyer"],
            )
        });
        Ok(CreateItem {
            seller,
            key: IdempotencyKey(self.idempotency_key.0),
            sku: self.sku,
            details: Details {
                name: self.name,
                description: self.description.unwrap_or_default(),
                category: self.category.into(),
                price: self.price.parse("price")?,
            },
            window: window.transpose()?,
            total: self.total.into(),
        })
    }
}

/// What to change about an item. A field that is left out, or null, stays as it is.
#[derive(InputObject, Debug)]
pub struct UpdateItemInput {
    /// The item, `item_…`.
    item_id: ID,
    /// The item's `version` that the change was made up for. If somebody edited the item since, the
    /// change is refused.
    expected_version: Version,
    /// Another name, 1 to 100 characters.
    name: Option<String>,
    /// Another description, at most 2000 characters.
    description: Option<String>,
    /// Another category.
    category: Option<Category>,
    /// Another price, in the same currency.
    price: Option<MoneyInput>,
}

payload! {
    /// What became of `updateItem`.
    UpdateItemPayload {
        /// The item as it is now; null exactly when it was refused.
        item: Item,
    }
}

impl UpdateItemInput {
    async fn update(self, ctx: &Context<'_>) -> Result<UpdateItemPayload, Failure> {
        let requester = requester(ctx);
        requester.acting_as(Role::Seller)?;
        let command = UpdateItem {
            item: item_id(&self.item_id)?,
            expected_version: self.expected_version.row(),
            name: self.name,
            description: self.description,
            category: self.category.map(Into::into),
            price: self.price.map(|price| price.parse("price")).transpose()?,
        };
        let item = update_item(&Graph::of(ctx).ports, &requester, command).await?;
        Ok(UpdateItemPayload::done(ctx, item.into()))
    }
}

/// How many units to add or take.
#[derive(InputObject, Debug)]
pub struct RestockItemInput {
    /// The item, `item_…`.
    item_id: ID,
    /// Made by the client, fresh for every change that is meant, the same for every repetition.
    idempotency_key: Uuid,
    /// Units to add. A negative number takes units off sale; never ones that orders hold.
    change: i32,
}

payload! {
    /// What became of `restockItem`.
    RestockItemPayload {
        /// The item as it is now; null exactly when it was refused.
        item: Item,
        /// Whether the same key had made this change before.
        replayed: bool,
    }
}

impl RestockItemInput {
    async fn restock(self, ctx: &Context<'_>) -> Result<RestockItemPayload, Failure> {
        let requester = requester(ctx);
        requester.acting_as(Role::Seller)?;
        let command = RestockItem {
            item: item_id(&self.item_id)?,
            key: IdempotencyKey(self.idempotency_key.0),
            change: self.change.into(),
        };
        let changed = restock_item(&Graph::of(ctx).ports, &requester, command).await?;
        Ok(RestockItemPayload::done(
            ctx,
            changed.item.into(),
            changed.replayed,
        ))
    }
}

/// The window of a time deal, as a whole: what is left out is no longer there.
#[derive(InputObject, Debug)]
pub struct ScheduleDealInput {
    /// The deal's item, `item_…`.
    item_id: ID,
    /// The item's `version` that the window was made up for. If somebody edited the item since, it is
    /// refused.
    expected_version: Version,
    /// The first instant at which it sells. Once it is past, it can't move.
    opens_at: DateTime,
    /// The first instant at which it no longer sells, after `opensAt`; no end without it.
    closes_at: Option<DateTime>,
    /// Units one buyer may hold, over all orders, 1 or more; no limit without it.
    limit_per_buyer: Option<i32>,
}

payload! {
    /// What became of `scheduleDeal`.
    ScheduleDealPayload {
        /// The item as it is now; null exactly when it was refused.
        item: Item,
    }
}

impl ScheduleDealInput {
    async fn schedule(self, ctx: &Context<'_>) -> Result<ScheduleDealPayload, Failure> {
        let requester = requester(ctx);
        requester.acting_as(Role::Seller)?;
        let limit = self.limit_per_buyer;
        let command = ScheduleDeal {
            item: item_id(&self.item_id)?,
            expected_version: self.expected_version.row(),
            window: window(self.opens_at, self.closes_at, limit, &["limitPerBuyer"])?,
        };
        let item = schedule_deal(&Graph::of(ctx).ports, &requester, command).await?;
        Ok(ScheduleDealPayload::done(ctx, item.into()))
    }
}

fn requester(ctx: &Context<'_>) -> Requester {
    RequestContext::of(ctx).requester
}

fn item_id(id: &ID) -> Result<ItemId, Refusal> {
    ItemId::parse(id).map_err(|reason| reason.at(["itemId"]))
}

/// A window; `limit_at` is where its limit stands in the input.
fn window(
    opens_at: DateTime,
    closes_at: Option<DateTime>,
    limit: Option<i32>,
    limit_at: &[&str],
) -> Result<DealWindow, Refusal> {
    let limit_per_buyer = limit.map(|limit| {
        u32::try_from(limit).map_err(|_| Reason::from(Rule::TooSmall { least: 1 }).at(limit_at))
    });
    Ok(DealWindow {
        opens_at: opens_at.0,
        closes_at: closes_at.map(|at| at.0),
        limit_per_buyer: limit_per_buyer.transpose()?,
    })
}
