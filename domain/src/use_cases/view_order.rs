//! An order as its buyer sees it, from the moment it is accepted.

use std::sync::Arc;

use crate::gate::{Recall, Receipt};
use crate::message::Draft;
use crate::order::Order;
use crate::ports::Ports;
use crate::{AccountId, Fault, OrderId};

/// An order, wherever it is.
#[derive(Clone, Debug)]
pub enum OrderView {
    /// Accepted at the gate; the ledger does not have it yet.
    Accepted(Arc<Draft>),
    Written(Box<Order>),
}

impl OrderView {
    #[must_use]
    pub fn id(&self) -> OrderId {
        match self {
            Self::Accepted(draft) => draft.order,
            Self::Written(order) => order.id,
        }
    }

    #[must_use]
    pub fn buyer(&self) -> AccountId {
        match self {
            Self::Accepted(draft) => draft.buyer,
            Self::Written(order) => order.buyer,
        }
    }

    /// Rises with every change; 0 while it is only accepted.
    #[must_use]
    pub fn version(&self) -> i64 {
        match self {
            Self::Accepted(_) => 0,
            Self::Written(order) => order.version,
        }
    }
}

/// What there is under an id.
#[derive(Clone, Debug)]
pub enum Found {
    Order(OrderView),
    Nothing,
    /// The ledger has no such order, and the gate may have forgotten that it took one.
    Unsure,
}

/// The order of this id, if it is `buyer`'s: somebody else's is not found.
///
/// # Errors
/// A fault of the ledger or the gate; it is away while the gate can't be sure.
pub async fn view_order(
    ports: &Ports,
    buyer: AccountId,
    id: OrderId,
) -> Result<Option<OrderView>, Fault> {
    const DOING: &str = "looking for an order";
    match find(ports, buyer, id).await? {
        Found::Order(view) => Ok(Some(view)),
        Found::Nothing => Ok(None),
        Found::Unsure => Err(Fault::unavailable(DOING, "the gate is healing")),
    }
}

/// The same for those who can say *try again*.
pub(crate) async fn find(ports: &Ports, buyer: AccountId, id: OrderId) -> Result<Found, Fault> {
    Ok(match find_of_anybody(ports, id).await? {
        Found::Order(view) if view.buyer() != buyer => Found::Nothing,
        found => found,
    })
}

/// The same whoever's it is, for operators.
pub(crate) async fn find_of_anybody(ports: &Ports, id: OrderId) -> Result<Found, Fault> {
    if let Some(order) = written(ports, id).await? {
        return Ok(Found::Order(order));
    }
    match ports.gate.receipt(id).await? {
        Recall::Receipt(Receipt { draft, .. }) => match draft {
            Some(draft) => Ok(Found::Order(OrderView::Accepted(draft))),
            // It was told from the ledger, so by now the ledger shows the order.
            None => Ok(written(ports, id)
                .await?
                .map_or(Found::Nothing, Found::Order)),
        },
        Recall::Nothing => Ok(Found::Nothing),
        Recall::Unsure => Ok(Found::Unsure),
    }
}

async fn written(ports: &Ports, id: OrderId) -> Result<Option<OrderView>, Fault> {
    let order = ports.orders.orders(&[id]).await?.pop();
    Ok(order.map(|order| OrderView::Written(Box::new(order))))
}
