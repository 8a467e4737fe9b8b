//! Orders, from the moment they are accepted.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use domain::Reason;
use domain::order::{Line, OrderStatus, Permission};
use domain::use_cases::view_order::OrderView;

use crate::fault::{Fault, nullable};
use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::loaders::SharedFault;
use crate::graphql::scalars::{DateTime, Version, count};
use crate::graphql::user_error::UserError;
use crate::request::RequestContext;

use super::item::Item;
use super::money::Money;
use super::payment::{Payment, Refund};
use super::return_request::Return;
use super::shipment::Shipment;

/// An order, wherever it is.
pub struct Order(pub OrderView);

/// An order of the requester's. Nobody else sees it.
#[Object]
impl Order {
    /// Its global id, `order_…`. The same buyer and idempotency key always name the same order.
    pub async fn id(&self) -> ID {
        self.0.id().to_global()
    }

    /// The number that people tell each other: three groups of four characters.
    async fn number(&self) -> String {
        self.0.id().number()
    }

    /// How far it has come.
    async fn state(&self) -> OrderState {
        self.status().into()
    }

    /// What was ordered, in the order of the request.
    #[graphql(complexity = "LINES * child_complexity + 1")]
    async fn lines(&self, ctx: &Context<'_>) -> Vec<OrderLine> {
        let mut lines = self.bare_lines();
        if ctx.look_ahead().field("item").exists() {
            let ids = lines.iter().map(|line| line.line.item);
            match Graph::of(ctx).loaders.items.load_many(ids).await {
                Ok(items) => {
                    for line in &mut lines {
                        line.found = Ok(items.get(&line.line.item).cloned());
                    }
                }
                // One fault, said once: at the first line.
                Err(fault) => {
                    if let Some(line) = lines.first_mut() {
                        line.found = Err(fault);
                    }
                }
            }
        }
        lines
    }

    /// What all lines come to, at the prices of the moment at which it was placed.
    async fn total(&self) -> Money {
        match &self.0 {
            OrderView::Accepted(draft) => draft.total.into(),
            OrderView::Written(order) => order.total.into(),
        }
    }

    /// What is left of `total` without what was cancelled or returned since.
    async fn current_total(&self) -> Money {
        match &self.0 {
            OrderView::Accepted(draft) => draft.total.into(),
            OrderView::Written(order) => order.current_total().into(),
        }
    }

    /// When it was accepted.
    async fn placed_at(&self) -> DateTime {
        match &self.0 {
            OrderView::Accepted(draft) => draft.accepted_at.into(),
            OrderView::Written(order) => order.placed_at.into(),
        }
    }

    /// Until when its units are the buyer's without being paid; null unless it waits for a payment.
    async fn payment_due_at(&self) -> Option<DateTime> {
        let due = self
            .written()
            .and_then(domain::order::Order::payment_due_at);
        due.map(Into::into)
    }

    /// How it is paid; null before the first attempt.
    async fn payment(&self) -> Option<Payment> {
        self.written().and_then(Payment::of)
    }

    /// What goes back to the buyer, the earliest first.
    async fn refunds(&self) -> Vec<Refund> {
        let refunds = self
            .written()
            .map(|order| order.refunds.iter().map(Into::into).collect());
        refunds.unwrap_or_default()
    }

    /// How it gets to its buyer; null before it is paid.
    async fn shipment(&self) -> Option<Shipment> {
        Shipment::of(self.written()?)
    }

    /// What of it comes back, the earliest first.
    async fn returns(&self) -> Vec<Return> {
        let returns = self
            .written()
            .map(|order| order.returns.iter().map(Into::into).collect());
        returns.unwrap_or_default()
    }

    /// Why it was turned down after it was accepted; null unless it is REJECTED.
    async fn rejection(&self) -> Option<OrderRejection> {
        match self.written()?.state {
            domain::order::OrderState::Rejected { reason } => Some(reason.into()),
            domain::order::OrderState::PendingPayment { .. }
            | domain::order::OrderState::Paying { .. }
            | domain::order::OrderState::Paid { .. }
            | domain::order::OrderState::Expired { .. }
            | domain::order::OrderState::PaymentFailed { .. }
            | domain::order::OrderState::Cancelled { .. } => None,
        }
    }

    /// What its buyer may do with it now, until when, and why not: one entry an action.
    async fn actions(&self, ctx: &Context<'_>) -> Vec<OrderPermission> {
        let language = RequestContext::of(ctx).language;
        let ports = &Graph::of(ctx).ports;
        let rules = (&ports.policies.returns, &ports.policies.calendar);
        let permissions = match &self.0 {
            OrderView::Accepted(_) => not_yet(),
            OrderView::Written(order) => order.permissions(rules, ports.clock.now()),
        };
        let shown = permissions.into_iter().map(|permission| OrderPermission {
            action: permission.action.into(),
            allowed: permission.refused.is_none(),
            until: permission.until.map(Into::into),
            refused: permission
                .refused
                .map(|reason| UserError::new(reason.into(), language)),
        });
        shown.collect()
    }

    /// Rises with every change; 0 while it is only accepted.
    async fn version(&self) -> Version {
        Version::of_row(self.0.version())
    }
}

/// How many lines an order is reckoned to have where its cost is reckoned; few have more.
const LINES: usize = 10;

impl Order {
    fn written(&self) -> Option<&domain::order::Order> {
        match &self.0 {
            OrderView::Accepted(_) => None,
            OrderView::Written(order) => Some(order),
        }
    }

    fn status(&self) -> OrderStatus {
        self.written()
            .map_or(OrderStatus::Accepted, domain::order::Order::status)
    }

    fn bare_lines(&self) -> Vec<OrderLine> {
        let lines: Vec<Line> = match &self.0 {
            OrderView::Accepted(draft) => {
                let lines = draft.lines.iter();
                lines
                    .map(|one| Line::new(one.item, one.quantity, one.unit_price))
                    .collect()
            }
            OrderView::Written(order) => order.lines.clone(),
        };
        let numbered = (1_u32..).zip(lines);
        numbered
            .map(|(number, line)| OrderLine {
                number,
                line,
                found: Ok(None),
            })
            .collect()
    }
}

/// What can be done with an order that the ledger does not have yet: nothing.
fn not_yet() -> Vec<Permission> {
    [
        domain::order::OrderAction::Pay,
        domain::order::OrderAction::Cancel,
        domain::order::OrderAction::RequestReturn,
    ]
    .into_iter()
    .map(|action| Permission {
        action,
        until: None,
        refused: Some(Reason::StateConflict {
            state: OrderStatus::Accepted,
            allowed: Vec::new(),
        }),
    })
    .collect()
}

/// Units of an item at the price they were ordered at.
pub struct OrderLine {
    number: u32,
    line: Line,
    /// What came of looking the item up, where it was asked for.
    found: Result<Option<Arc<domain::item::Item>>, SharedFault>,
}

/// Units of one item in an order, at the price of the moment at which it was placed.
#[Object]
impl OrderLine {
    /// Its number in the order, from 1: what `cancelOrder` and `requestReturn` name it by.
    async fn number(&self) -> i32 {
        count(self.number)
    }

    /// The item as it is now; null when it can't be read.
    async fn item(&self, ctx: &Context<'_>) -> Option<Item> {
        let item = self
            .found
            .clone()
            .map(|item| item.map(Item))
            .map_err(Fault::from);
        nullable(ctx, item)
    }

    /// Units ordered.
    async fn quantity(&self) -> i32 {
        count(self.line.quantity.get())
    }

    /// Units of them that were cancelled before they were dispatched.
    async fn cancelled_quantity(&self) -> i32 {
        count(self.line.cancelled)
    }

    /// Units of them that came back.
    async fn returned_quantity(&self) -> i32 {
        count(self.line.returned)
    }

    /// What one unit costs in this order.
    async fn unit_price(&self) -> Money {
        self.line.unit_price.into()
    }

    /// `quantity` times `unitPrice`.
    async fn subtotal(&self) -> Option<Money> {
        self.line.subtotal().map(Into::into)
    }
}

/// How far an order has come. New states may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::order::OrderStatus")]
pub enum OrderState {
    /// It is written down durably and its units are taken; it can't be paid yet. PENDING_PAYMENT
    /// follows within a moment, or REJECTED.
    Accepted,
    /// It was turned down after all, see `rejection`. Nothing was charged. It stays so.
    Rejected,
    /// Its units are the buyer's until `paymentDueAt`. It can be paid and cancelled.
    PendingPayment,
    /// A payment is in flight. It ends in PAID, PENDING_PAYMENT again, or PAYMENT_FAILED.
    Paying,
    /// The money is taken, once. It is being delivered, see `shipment`.
    Paid,
    /// Nobody paid in time; its units are back on sale. It stays so.
    Expired,
    /// The payment was declined and no time is left; its units are back on sale. It stays so.
    PaymentFailed,
    /// Its buyer cancelled all of it; its units are back on sale, what was paid goes back. It stays so.
    Cancelled,
}

/// Why an accepted order was turned down. New reasons may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::order::Rejection")]
pub enum OrderRejection {
    /// There were not enough units after all.
    OutOfStock,
    /// The buyer holds as many units of a deal as one buyer may.
    PurchaseLimit,
    /// Some of its items could not be had, so none was taken.
    Withdrawn,
    /// One of its items is gone.
    UnknownItem,
    /// It could not be read as it was placed; place it again.
    Inconsistent,
}

/// What a buyer can ask of an order. New actions may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::order::OrderAction")]
pub enum OrderAction {
    /// Pay it: `payOrder`.
    Pay,
    /// Take it or parts of it back: `cancelOrder`.
    Cancel,
    /// Give delivered units back: `requestReturn`.
    RequestReturn,
}

/// Whether an action is open to an order's buyer.
#[derive(SimpleObject)]
pub struct OrderPermission {
    /// The action.
    action: OrderAction,
    /// Whether it may be asked for now.
    allowed: bool,
    /// Until when, as far as that is known now; null when it is not allowed or has no end.
    until: Option<DateTime>,
    /// Why it is not allowed; null when it is.
    refused: Option<UserError>,
}
