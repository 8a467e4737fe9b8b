//! What can be asked.

use async_graphql::{Context, ID, Object};
use domain::account::Role;
use domain::page::{ItemQuery, MAX_PAGE};
use domain::{ItemId, OrderId};

use crate::fault::nullable;
use crate::request::RequestContext;

use super::Graph;
use super::connection::{PageArguments, cost};
use super::filters::{ItemFilter, ItemOrder};
use super::ids::GlobalId;
use super::lists::ItemConnection;
use super::objects::account::Viewer;
use super::objects::back_office::BackOffice;
use super::objects::item::Item;
use super::objects::node::{self, Node};
use super::objects::order::Order;
use super::objects::stock::Stock;
use super::outcome::{bad_argument, refused, server_time};
use super::scalars::DateTime;

/// The query root.
pub struct Query;

/// What can be asked. What the requester may not see is not found: null.
#[Object]
impl Query {
    /// Whatever has this global id: an item, an order of the requester's, or the requester's
    /// account. Null when there is no such thing.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A global id.")] id: ID,
    ) -> Option<Node> {
        nullable(ctx, node::find(ctx, &id).await)
    }

    /// Whatever has these global ids, in the same order; null in the place of what is not found.
    /// Null as a whole for more than 100 ids.
    #[graphql(complexity = "cost(size(&ids), None, child_complexity)")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global ids, at most 100.")] ids: Vec<ID>,
    ) -> Option<Vec<Option<Node>>> {
        if ids.len() > MAX_PAGE {
            let error = bad_argument(format!("`ids` may have {MAX_PAGE} entries."));
            return nullable(ctx, Err(error));
        }
        let found = ids
            .iter()
            .map(async |id| nullable(ctx, node::find(ctx, id).await));
        Some(futures_util::future::join_all(found).await)
    }

    /// The engine's clock. Compare it with your own to show a countdown.
    async fn server_time(&self, ctx: &Context<'_>) -> DateTime {
        server_time(ctx)
    }

    /// An item; null when there is no such item. Anybody may ask.
    async fn item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item's id, `item_…`.")] id: ID,
    ) -> Option<Item> {
        let id = ItemId::parse(&id).ok()?;
        nullable(ctx, node::find_item(ctx, id).await)
    }

    /// The catalogue, a page at a time. Anybody may ask.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which items; all of them without it.")] filter: Option<ItemFilter>,
        #[graphql(
            desc = "In which order; the newest first without it. Cursors keep to one order."
        )]
        order_by: Option<ItemOrder>,
    ) -> Option<ItemConnection> {
        let page = PageArguments {
            first,
            last,
            after,
            before,
        };
        let order = order_by.unwrap_or_default();
        let window = nullable(ctx, page.window(order.ordered_by()).map(Some))?;
        let filter = filter.map_or_else(
            || Ok(domain::page::ItemFilter::default()),
            ItemFilter::parse,
        );
        let filter = nullable(ctx, filter.map(Some).map_err(|r| refused(ctx, &r.reason)))?;
        let query = ItemQuery {
            filter,
            order: order.into(),
            window,
        };
        nullable(ctx, ItemConnection::load(ctx, query).await.map(Some))
    }

    /// The stock of an item now; null when there is no such item. Anybody may ask. To watch it,
    /// subscribe to `stockChanged`.
    async fn stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item's id, `item_…`.")] item_id: ID,
    ) -> Option<Stock> {
        let id = ItemId::parse(&item_id).ok()?;
        let item = nullable(ctx, node::find_item(ctx, id).await)?;
        nullable(ctx, Stock::of(Graph::of(ctx), &item.0).await.map(Some))
    }

    /// An order of the requester's, from the moment it is accepted; null when there is none of that
    /// id, or it is somebody else's. To watch it, subscribe to `orderUpdated`.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id, `order_…`.")] id: ID,
    ) -> Option<Order> {
        let id = OrderId::parse(&id).ok()?;
        nullable(ctx, node::find_order(ctx, id).await)
    }

    /// The requester; null for who is not signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        let requester = RequestContext::of(ctx).requester;
        let account = requester.account().ok()?;
        Some(Viewer { account, requester })
    }

    /// The back office. For role ADMIN; null with UNAUTHENTICATED or FORBIDDEN for others.
    async fn back_office(&self, ctx: &Context<'_>) -> Option<BackOffice> {
        let admin = RequestContext::of(ctx).requester.acting_as(Role::Admin);
        nullable(
            ctx,
            admin
                .map(|_| Some(BackOffice))
                .map_err(|reason| refused(ctx, &reason)),
        )
    }
}

fn size(ids: &[ID]) -> Option<i32> {
    i32::try_from(ids.len()).ok()
}
