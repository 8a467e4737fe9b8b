//! An order as its buyer sees it, from the moment it is accepted.

use std::sync::Arc;

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

/// The order of this id, if it is `buyer`'s: somebody else's is not found.
///
/// # Errors
/// A fault of the ledger or the gate.
pub async fn view_order(
    ports: &Ports,
    buyer: AccountId,
    id: OrderId,
) -> Result<Option<OrderView>, Fault> {
    let view = find(ports, id).await?;
    Ok(view.filter(|view| view.buyer() == buyer))
}

async fn find(ports: &Ports, id: OrderId) -> Result<Option<OrderView>, Fault> {
    if let Some(order) = ports.orders.orders(&[id]).await?.pop() {
        return Ok(Some(OrderView::Written(Box::new(order))));
    }
    let Some(receipt) = ports.gate.receipt(id).await? else {
        return Ok(None);
    };
    if let Some(draft) = receipt.draft {
        return Ok(Some(OrderView::Accepted(draft)));
    }
    // A receipt without its draft was told from the ledger, so by now the ledger shows the order.
    let order = ports.orders.orders(&[id]).await?.pop();
    Ok(order.map(|order| OrderView::Written(Box::new(order))))
}
