//! What can be watched.

use std::collections::HashSet;

use async_graphql::{Context, Error, ID, SimpleObject, Subscription as Root};
use domain::account::Role;
use domain::gate::Level;
use domain::{ItemId, OrderId, Reason};
use futures_util::stream::{Stream, StreamExt};

use crate::fault::Fault;
use crate::request::RequestContext;

use super::Graph;
use super::ids::GlobalId;
use super::objects::order::Order;
use super::objects::stock::{self, DealPhase, Stock};
use super::outcome::{bad_argument, refused};
use super::scalars::DateTime;

/// The most items that one subscription may watch.
pub const MAX_WATCHED: usize = 100;

/// The subscription root.
pub struct Subscription;

/// What can be watched, over a WebSocket (`graphql-transport-ws`) or as server-sent events. The first
/// event is the present state; each event is absolute, so the newest replaces all before, and
/// subscribing again after a broken connection loses nothing.
#[Root]
impl Subscription {
    /// The stock of items: one event for each item at once, then one for an item whenever its stock or
    /// its deal's phase has changed, at most ten a second and item. Versions never fall; who reads
    /// slowly skips to the newest. It has no end. Anybody may watch.
    ///
    /// It ends at once with an error for no id, for more than 100 ids (`BAD_USER_INPUT`), and for an id
    /// of no item (`NOT_FOUND`).
    async fn stock_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items, `item_…`; 1 to 100.")] item_ids: Vec<ID>,
    ) -> Result<impl Stream<Item = StockChange> + use<>, Error> {
        let graph = Graph::of(ctx).clone();
        let items = watched_items(ctx, &item_ids).await?;
        let levels = graph.stock.watch(&items).await.map_err(Fault::from)?;
        Ok(levels.map(move |level| StockChange::of(level, graph.ports.clock.now())))
    }

    /// An order: as it is now, then whenever it has changed, from ACCEPTED to its delivery and beyond.
    /// Versions rise; who reads slowly skips to the newest. It has no end, as even a delivered or
    /// cancelled order may change (a refund is completed). For the order's buyer.
    ///
    /// It ends at once with an error for who is not signed in (UNAUTHENTICATED) and for an order that
    /// is not there, or somebody else's (`NOT_FOUND`).
    async fn order_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order, `order_…`.")] order_id: ID,
    ) -> Result<impl Stream<Item = Result<OrderUpdate, Error>> + use<>, Error> {
        let graph = Graph::of(ctx).clone();
        let buyer = RequestContext::of(ctx).requester.acting_as(Role::Customer);
        let buyer = buyer.map_err(|reason| refused(ctx, &reason))?;
        let not_found = || refused(ctx, &Reason::NotFound);
        let order = OrderId::parse(&order_id).map_err(|_| not_found())?;
        let views = graph
            .orders
            .watch(buyer, order)
            .await
            .map_err(Fault::from)?;
        let views = views.ok_or_else(not_found)?;
        Ok(views.map(move |view| match view {
            Ok(view) => Ok(OrderUpdate {
                order: Order(view),
                server_time: graph.ports.clock.now().into(),
            }),
            Err(fault) => Err(Fault::from(fault).into()),
        }))
    }
}

/// The items that a client wants to watch, each once.
async fn watched_items(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<ItemId>, Error> {
    if ids.is_empty() || ids.len() > MAX_WATCHED {
        return Err(bad_argument(format!(
            "`itemIds` has 1 to {MAX_WATCHED} entries."
        )));
    }
    let not_found = || refused(ctx, &Reason::NotFound);
    let items = ids
        .iter()
        .map(ItemId::parse)
        .collect::<Result<HashSet<_>, _>>();
    let items = items.map_err(|_| not_found())?;
    let loader = &Graph::of(ctx).loaders.items;
    let known = loader
        .load_many(items.iter().copied())
        .await
        .map_err(Fault::from)?;
    if known.len() < items.len() {
        return Err(not_found());
    }
    Ok(items.into_iter().collect())
}

/// The stock of an item after a change.
#[derive(SimpleObject)]
pub struct StockChange {
    /// The item, `item_…`.
    item_id: ID,
    /// Its stock.
    stock: Stock,
    /// Where its deal stands; null for an item of kind GENERAL.
    phase: Option<DealPhase>,
    /// The engine's clock when it sent this.
    server_time: DateTime,
}

impl StockChange {
    fn of(level: Level, now: domain::Timestamp) -> Self {
        Self {
            item_id: level.item.to_global(),
            phase: stock::phase(&level),
            stock: Stock { level, total: None },
            server_time: now.into(),
        }
    }
}

/// An order after a change.
#[derive(SimpleObject)]
pub struct OrderUpdate {
    /// The order.
    order: Order,
    /// The engine's clock when it sent this.
    server_time: DateTime,
}
