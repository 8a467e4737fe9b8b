//! The schema: its objects, what can be asked, done and watched, and how the domain's types become
//! those that clients see.
//!
//! A resolver parses, calls a use case of the domain, and maps what comes back. Refusals are part of
//! a mutation's answer ([`user_error`]); faults are errors beside it ([`crate::fault`]).

mod connection;
mod feeds;
mod filters;
mod ids;
mod limited;
mod lists;
mod loaders;
mod messages;
mod mutations;
mod objects;
mod outcome;
mod queries;
mod scalars;
mod subscriptions;
#[cfg(test)]
mod tests;
mod user_error;

use std::sync::Arc;

use async_graphql::{Context, ID, SDLExportOptions, Schema, SchemaBuilder};
use domain::ports::Ports;
use tokio_util::sync::CancellationToken;

use feeds::orders::OrderFeed;
use feeds::stock::StockFeed;
use loaders::Loaders;
pub use mutations::Mutation;
pub use queries::Query;
pub use subscriptions::Subscription;

/// What resolvers work with: the ports, and what the requests of one process share. Cheap to clone.
#[derive(Clone)]
pub struct Graph(Arc<Shared>);

/// What is behind a [`Graph`].
pub struct Shared {
    ports: Ports,
    loaders: Loaders,
    stock: StockFeed,
    orders: OrderFeed,
}

impl std::ops::Deref for Graph {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Graph {
    /// Everything behind the schema, over these ports.
    pub fn new(ports: Ports) -> Self {
        Self(Arc::new(Shared {
            loaders: Loaders::new(&ports),
            stock: StockFeed::new(ports.clone()),
            orders: OrderFeed::new(ports.clone()),
            ports,
        }))
    }

    /// Feeds the subscriptions until `shutdown`: the one follower of the gate's levels and the one of
    /// the orders' events. Runs once a process; without it a subscription shows its snapshot only.
    pub async fn follow(&self, shutdown: CancellationToken) {
        tokio::join!(self.stock.follow(&shutdown), self.orders.follow(&shutdown));
    }

    fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        // `schema` is the only way to an executable schema, and it puts this in.
        ctx.data_unchecked()
    }
}

/// The types of the schema.
pub type Types = SchemaBuilder<Query, Mutation, Subscription>;

/// The schema over `graph`, to be finished by whoever executes it. Every request needs a
/// [`RequestContext`](crate::request::RequestContext) in its data.
pub fn schema(graph: &Graph) -> Types {
    types().data(graph.clone())
}

/// The schema in the schema definition language: types by name, fields in their own order.
pub fn schema_sdl() -> String {
    let options = SDLExportOptions::new()
        .include_specified_by()
        .prefer_single_line_descriptions()
        .use_space_ident();
    types().finish().sdl_with_options(options)
}

fn types() -> Types {
    let id = "A global id: the type's name and 26 characters, as `item_01h455vb4pex5vsknk084sn02q`. Opaque: \
              compare it, keep it, send it back, don't take it apart.";
    Schema::build(Query, Mutation::default(), Subscription)
        .override_input_type_description::<ID>(id)
}
