//! How a paid order gets to its buyer.

use async_graphql::{Enum, ID, SimpleObject};
use domain::delivery::ShipmentState as Stage;

use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;

/// The delivery of a paid order.
#[derive(SimpleObject)]
pub struct Shipment {
    /// Its global id, `shipment_…`.
    id: ID,
    /// How far it has come.
    state: ShipmentState,
    /// The carrier's number; null before it is dispatched.
    tracking_number: Option<String>,
    /// Where it goes, as its buyer said when it was paid; null where nobody said.
    address: Option<String>,
    /// When it is to leave; null once it has left or is cancelled.
    dispatch_due_at: Option<DateTime>,
    /// When it left; null before.
    dispatched_at: Option<DateTime>,
    /// When it is to arrive; null unless it is in transit.
    delivery_due_at: Option<DateTime>,
    /// When it arrived; null before.
    delivered_at: Option<DateTime>,
    /// When it was cancelled, with its order; null unless it was.
    cancelled_at: Option<DateTime>,
}

impl Shipment {
    /// The shipment of an order; none before it is paid.
    pub fn of(order: &domain::order::Order) -> Option<Self> {
        let shipment = order.shipment.as_ref()?;
        let address = order.delivery_address.as_ref();
        let bare = Self {
            id: shipment.id.to_global(),
            state: shipment.status().into(),
            tracking_number: None,
            address: address.map(|address| address.as_str().to_owned()),
            dispatch_due_at: None,
            dispatched_at: None,
            delivery_due_at: None,
            delivered_at: None,
            cancelled_at: None,
        };
        Some(match &shipment.state {
            Stage::Preparing { dispatch_due } => Self {
                dispatch_due_at: Some((*dispatch_due).into()),
                ..bare
            },
            Stage::InTransit {
                tracking_number,
                dispatched_at,
                delivery_due,
            } => Self {
                tracking_number: Some(tracking_number.clone()),
                dispatched_at: Some((*dispatched_at).into()),
                delivery_due_at: Some((*delivery_due).into()),
                ..bare
            },
            Stage::Delivered {
                tracking_number,
                dispatched_at,
                delivered_at,
            } => Self {
                tracking_number: Some(tracking_number.clone()),
                dispatched_at: Some((*dispatched_at).into()),
                delivered_at: Some((*delivered_at).into()),
                ..bare
            },
            Stage::Cancelled { at } => Self {
                cancelled_at: Some((*at).into()),
                ..bare
            },
        })
    }
}

/// How far a shipment has come. New states may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::delivery::ShipmentStatus")]
pub enum ShipmentState {
    /// It is being packed; the order can still be cancelled.
    Preparing,
    /// It has left; the order can't be cancelled any more.
    InTransit,
    /// It has arrived.
    Delivered,
    /// The order was cancelled before it left.
    Cancelled,
}
