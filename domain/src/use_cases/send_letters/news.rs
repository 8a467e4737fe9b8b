//! What buyers are told of their orders.

use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::delivery::{DeliveryCalendar, ShipmentState};
use crate::event::{Event, OrderEvent};
use crate::item::Item;
use crate::order::{Line, Order};
use crate::policy::Policies;
use crate::ports::Ports;
use crate::ports::mail::{Bill, BillLine, Content, Letter};
use crate::{AccountId, EventId, Fault, ItemId, Money, OrderId, RefundId};

use super::order_of;

const DOING: &str = "writing a letter about an order";

/// What buyers are written to about.
#[derive(Clone, Copy)]
pub enum Topic {
    Paid,
    Cancelled { refund: Option<RefundId> },
    PartCancelled { refund: Option<RefundId> },
    Refunded { refund: RefundId },
    Dispatched,
    Delivered,
    ReturnCompleted { refund: Option<RefundId> },
}

impl Topic {
    /// What a letter about this event is about; none where it asks for none.
    pub fn of(happened: &OrderEvent) -> Option<Self> {
        match happened {
            OrderEvent::Paid { .. } => Some(Self::Paid),
            OrderEvent::Cancelled { refund } => Some(Self::Cancelled { refund: *refund }),
            OrderEvent::LinesCancelled { refund } => Some(Self::PartCancelled { refund: *refund }),
            OrderEvent::Refunded { refund } => Some(Self::Refunded { refund: *refund }),
            OrderEvent::Dispatched => Some(Self::Dispatched),
            OrderEvent::Delivered => Some(Self::Delivered),
            OrderEvent::ReturnCompleted { refund, .. } => {
                Some(Self::ReturnCompleted { refund: *refund })
            }
            OrderEvent::Placed { .. }
            | OrderEvent::Rejected { .. }
            | OrderEvent::PaymentRequested { .. }
            | OrderEvent::PaymentDeclined { .. }
            | OrderEvent::PaymentFailed { .. }
            | OrderEvent::CaptureReturned { .. }
            | OrderEvent::Expired
            | OrderEvent::ReturnRequested { .. }
            | OrderEvent::ReturnRejected { .. }
            | OrderEvent::RefundRequested { .. } => None,
        }
    }
}

/// The orders of some news, with all that is written about them.
pub struct News {
    orders: HashMap<OrderId, Order>,
    buyers: HashMap<AccountId, Account>,
    items: HashMap<ItemId, Arc<Item>>,
}

impl News {
    /// # Errors
    /// A fault of the ledger.
    pub async fn load(ports: &Ports, events: &[&Event]) -> Result<Self, Fault> {
        let ids = once(events.iter().filter_map(|event| order_of(event)));
        let (mut orders, mut buyers, mut items) = (Vec::new(), Vec::new(), Vec::new());
        if !ids.is_empty() {
            orders = ports.orders.orders(&ids).await?;
            let ids = once(orders.iter().map(|order| order.buyer));
            buyers = ports.accounts.accounts(&ids).await?;
            let lines = orders.iter().flat_map(|order| &order.lines);
            let ids = once(lines.map(|line| line.item));
            items = ports.items.items(&ids).await?;
        }
        Ok(Self {
            orders: orders.into_iter().map(|order| (order.id, order)).collect(),
            buyers: buyers.into_iter().map(|buyer| (buyer.id, buyer)).collect(),
            items: items.into_iter().map(|item| (item.id, item)).collect(),
        })
    }

    /// The letter about one event of an order; none where its buyer is gone.
    ///
    /// # Errors
    /// The ledger's order knows nothing of what the event tells.
    pub fn letter(
        &self,
        ports: &Ports,
        id: EventId,
        order: OrderId,
        topic: Topic,
    ) -> Result<Option<Letter>, Fault> {
        let Some(order) = self.orders.get(&order) else {
            return Ok(None);
        };
        let Some(buyer) = self.buyers.get(&order.buyer) else {
            return Ok(None);
        };
        Ok(Some(Letter {
            id: id.0,
            to: buyer.email.clone(),
            language: buyer.language,
            content: self.content(&ports.policies, order, topic)?,
        }))
    }

    fn content(&self, policies: &Policies, order: &Order, topic: Topic) -> Result<Content, Fault> {
        let number = || order.id.number();
        let calendar = &policies.calendar;
        Ok(match topic {
            Topic::Paid => Content::OrderPaid {
                bill: self.bill(order, Line::kept)?,
                dispatch_on: match state(order) {
                    Some(ShipmentState::Preparing { dispatch_due }) => {
                        Some(calendar.date(*dispatch_due))
                    }
                    _ => None,
                },
            },
            Topic::Cancelled { refund } => Content::OrderCancelled {
                bill: self.bill(order, |line| line.quantity.get())?,
                refund: refunded(order, refund)?,
            },
            Topic::PartCancelled { refund } => Content::PartCancelled {
                number: number(),
                refund: refunded(order, refund)?,
            },
            Topic::Refunded { refund } => {
                let refund = order.refunds.iter().find(|one| one.id == refund);
                let refund = refund.ok_or_else(|| Fault::corrupt(DOING, "no such refund"))?;
                Content::Refunded {
                    number: number(),
                    amount: refund.amount,
                    reason: refund.reason,
                }
            }
            Topic::Dispatched => dispatched(order, calendar)?,
            Topic::Delivered => delivered(order, policies)?,
            Topic::ReturnCompleted { refund } => Content::ReturnCompleted {
                number: number(),
                refund: refunded(order, refund)?,
            },
        })
    }

    /// The lines of an order with so many units of each.
    fn bill(&self, order: &Order, units: impl Fn(&Line) -> u32) -> Result<Bill, Fault> {
        let mut total = Money::zero(order.total.currency);
        let mut lines = Vec::with_capacity(order.lines.len());
        for line in order.lines.iter().filter(|line| units(line) > 0) {
            let item = self.items.get(&line.item);
            let item = item.ok_or_else(|| Fault::corrupt(DOING, "an item of it is not there"))?;
            let quantity = units(line);
            let too_large = || Fault::corrupt(DOING, "a line is too large");
            let amount = line.unit_price.times(quantity).ok_or_else(too_large)?;
            total = total.plus(amount).ok_or_else(too_large)?;
            lines.push(BillLine {
                item: item.details.name.clone(),
                quantity,
                amount,
            });
        }
        Ok(Bill {
            number: order.id.number(),
            lines,
            total,
        })
    }
}

fn dispatched(order: &Order, calendar: &DeliveryCalendar) -> Result<Content, Fault> {
    let (tracking_number, delivery_on) = match state(order) {
        Some(ShipmentState::InTransit {
            tracking_number,
            delivery_due,
            ..
        }) => (tracking_number, Some(calendar.date(*delivery_due))),
        // It was there before anybody wrote.
        Some(ShipmentState::Delivered {
            tracking_number, ..
        }) => (tracking_number, None),
        Some(ShipmentState::Preparing { .. } | ShipmentState::Cancelled { .. }) | None => {
            return Err(Fault::corrupt(DOING, "it was never dispatched"));
        }
    };
    Ok(Content::Dispatched {
        number: order.id.number(),
        tracking_number: tracking_number.clone(),
        delivery_on,
    })
}

fn delivered(order: &Order, policies: &Policies) -> Result<Content, Fault> {
    let Some(ShipmentState::Delivered { delivered_at, .. }) = state(order) else {
        return Err(Fault::corrupt(DOING, "it was never delivered"));
    };
    let calendar = &policies.calendar;
    let days = policies.returns.days_to_request;
    Ok(Content::Delivered {
        number: order.id.number(),
        delivered_on: calendar.date(*delivered_at),
        return_until: calendar.last_date(*delivered_at, days),
    })
}

fn state(order: &Order) -> Option<&ShipmentState> {
    order.shipment.as_ref().map(|shipment| &shipment.state)
}

/// The amount of a refund, where one was asked for.
fn refunded(order: &Order, id: Option<RefundId>) -> Result<Option<Money>, Fault> {
    let Some(id) = id else {
        return Ok(None);
    };
    let refund = order.refunds.iter().find(|refund| refund.id == id);
    let refund = refund.ok_or_else(|| Fault::corrupt(DOING, "no such refund"))?;
    Ok(Some(refund.amount))
}

/// Each of them once.
fn once<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_unstable();
    all.dedup();
    all
}
