//! Whatever can be looked up by its global id alone.

use async_graphql::{Context, ID, Interface};
use domain::use_cases::view_order::view_order;
use domain::{AccountId, ItemId, OrderId};

use crate::fault::Fault;
use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::request::RequestContext;

use super::account::Account;
use super::item::Item;
use super::order::Order;

/// Something that can be looked up by its global id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The global id; its prefix names the type."
))]
pub enum Node {
    Item(Item),
    Order(Order),
    Account(Account),
}

/// What an id names, if the requester may see it; nothing for what is no id.
pub async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>, Fault> {
    if let Ok(id) = ItemId::parse(id) {
        return Ok(find_item(ctx, id).await?.map(Node::Item));
    }
    if let Ok(id) = OrderId::parse(id) {
        return Ok(find_order(ctx, id).await?.map(Node::Order));
    }
    let requester = RequestContext::of(ctx).requester;
    match (AccountId::parse(id), requester.account()) {
        (Ok(id), Ok(own)) if id == own => {
            let account = Graph::of(ctx).ports.accounts.account(id).await?;
            Ok(account.map(|account| Node::Account(Account(account))))
        }
        _ => Ok(None),
    }
}

/// An item.
pub async fn find_item(ctx: &Context<'_>, id: ItemId) -> Result<Option<Item>, Fault> {
    Ok(Graph::of(ctx).loaders.items.load_one(id).await?.map(Item))
}

/// An order of the requester's.
pub async fn find_order(ctx: &Context<'_>, id: OrderId) -> Result<Option<Order>, Fault> {
    let Ok(buyer) = RequestContext::of(ctx).requester.account() else {
        return Ok(None);
    };
    Ok(view_order(&Graph::of(ctx).ports, buyer, id)
        .await?
        .map(Order))
}
