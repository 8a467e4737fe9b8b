//! Orders with their lines, payments, refunds, shipment and returns.

use domain::delivery::{Address, Shipment, ShipmentState, ShipmentStatus};
use domain::gate::{Fingerprint, Receipt};
use domain::order::{Line, Order, OrderState, OrderStatus};
use domain::payment::{Payment, PaymentMethod, PaymentState, PaymentStatus, Refund};
use domain::{
    AccountId, AdmissionId, ItemId, OrderId, PaymentId, Quantity, RefundId, ShipmentId, Timestamp,
};
use sea_orm::ActiveValue::{NotSet, Set};
use uuid::Uuid;

use super::account::{open, seal};
use super::return_request::return_request;
use super::{BadRow, Reading, ms};
use crate::crypto::vault::Vault;
use crate::sql::entities::{
    order_lines, orders, payments, refunds, return_lines, return_requests, shipments,
};
use crate::words::Word;

/// The column that an order's address is sealed for.
const DELIVERY_ADDRESS: &str = "delivery_address";

/// The rows of one order.
pub struct OrderRows {
    pub order: orders::Model,
    /// By position.
    pub lines: Vec<order_lines::Model>,
    /// By attempt.
    pub payments: Vec<payments::Model>,
    pub refunds: Vec<refunds::Model>,
    pub shipment: Option<shipments::Model>,
    /// The earliest first, each with its lines.
    pub returns: Vec<(return_requests::Model, Vec<return_lines::Model>)>,
}

impl OrderRows {
    /// The order of these rows.
    ///
    /// # Errors
    /// A column makes no sense, or does not open.
    pub fn order(self, vault: &Vault) -> Result<Order, BadRow> {
        let reading = Reading {
            table: "orders",
            id: self.order.id,
        };
        let address = self.order.delivery_address.as_deref();
        let address = address.map(|sealed| open(vault, reading, DELIVERY_ADDRESS, sealed));
        let address = address.transpose()?.map(Address::new).transpose();
        Ok(Order {
            delivery_address: address.map_err(|_| reading.bad(DELIVERY_ADDRESS, "no address"))?,
            ..self.without_address()?
        })
    }

    /// The same for who has no business with its address, which stays sealed.
    ///
    /// # Errors
    /// A column makes no sense.
    pub fn without_address(self) -> Result<Order, BadRow> {
        let rows = self;
        let row = rows.order;
        let reading = Reading {
            table: "orders",
            id: row.id,
        };
        let returns = rows.returns.into_iter();
        let returns = returns.map(|(row, lines)| return_request(row, &lines));
        Ok(Order {
            id: OrderId(row.id),
            buyer: AccountId(row.buyer_id),
            fingerprint: Fingerprint(row.fingerprint.as_u128()),
            lines: rows.lines.iter().map(line).collect::<Result<_, _>>()?,
            total: reading.money(row.total_minor, &row.currency)?,
            placed_at: reading.instant("placed_at", row.placed_at)?,
            state: state(&row)?,
            version: row.version,
            payments: rows
                .payments
                .into_iter()
                .map(payment)
                .collect::<Result<_, _>>()?,
            refunds: rows.refunds.iter().map(refund).collect::<Result<_, _>>()?,
            delivery_address: None,
            shipment: rows.shipment.as_ref().map(shipment).transpose()?,
            returns: returns.collect::<Result<_, _>>()?,
        })
    }
}

/// Where an order goes, sealed.
///
/// # Errors
/// A text that is too long to be sealed.
pub fn sealed_address(vault: &Vault, order: OrderId, to: &Address) -> Result<Vec<u8>, BadRow> {
    let reading = Reading {
        table: "orders",
        id: order.0,
    };
    seal(vault, reading, DELIVERY_ADDRESS, to.as_str())
}

/// What the gate remembers of an order, with when it was placed.
///
/// # Errors
/// No admission was counted for it, or a column makes no sense.
pub fn receipt(row: &orders::Model) -> Result<(Timestamp, Receipt), BadRow> {
    let reading = Reading {
        table: "orders",
        id: row.id,
    };
    let receipt = Receipt {
        order: OrderId(row.id),
        fingerprint: Fingerprint(row.fingerprint.as_u128()),
        admission: AdmissionId(reading.present("admission_id", row.admission_id)?),
        draft: None,
    };
    Ok((reading.instant("placed_at", row.placed_at)?, receipt))
}

fn state(row: &orders::Model) -> Result<OrderState, BadRow> {
    let reading = Reading {
        table: "orders",
        id: row.id,
    };
    let ended = || reading.present_instant("ended_at", row.ended_at);
    let expires = || reading.present_instant("expires_at", row.expires_at);
    let payment = || reading.present("payment_id", row.payment_id).map(PaymentId);
    Ok(match reading.word("status", &row.status)? {
        OrderStatus::Accepted => return Err(reading.bad("status", "not in the ledger yet")),
        OrderStatus::Rejected => OrderState::Rejected {
            reason: reading.present_word("reason", row.reason.as_deref())?,
        },
        OrderStatus::PendingPayment => OrderState::PendingPayment {
            expires_at: expires()?,
        },
        OrderStatus::Paying => OrderState::Paying {
            payment: payment()?,
            expires_at: expires()?,
        },
        OrderStatus::Paid => OrderState::Paid {
            payment: payment()?,
            at: ended()?,
        },
        OrderStatus::Expired => OrderState::Expired { at: ended()? },
        OrderStatus::PaymentFailed => OrderState::PaymentFailed { at: ended()? },
        OrderStatus::Cancelled => OrderState::Cancelled { at: ended()? },
    })
}

fn line(row: &order_lines::Model) -> Result<Line, BadRow> {
    let reading = Reading {
        table: "order_lines",
        id: row.order_id,
    };
    let quantity = Quantity::new(row.quantity);
    Ok(Line {
        item: ItemId(row.item_id),
        quantity: quantity.map_err(|_| reading.bad("quantity", "out of range"))?,
        unit_price: reading.money(row.price_minor, &row.currency)?,
        cancelled: reading.count("cancelled", row.cancelled.unwrap_or(0))?,
        returned: reading.count("returned", row.returned.unwrap_or(0))?,
    })
}

fn payment(row: payments::Model) -> Result<Payment, BadRow> {
    let reading = Reading {
        table: "payments",
        id: row.id,
    };
    let settled = || reading.present_instant("settled_at", row.settled_at);
    let state = match reading.word("status", &row.status)? {
        PaymentStatus::Requested => PaymentState::Requested,
        PaymentStatus::Captured => PaymentState::Captured { at: settled()? },
        PaymentStatus::Declined => PaymentState::Declined {
            at: settled()?,
            reason: reading.present_word("reason", row.reason.as_deref())?,
        },
    };
    Ok(Payment {
        id: PaymentId(row.id),
        attempt: reading.count("attempt", row.attempt)?,
        amount: reading.money(row.amount_minor, &row.currency)?,
        requested_at: reading.instant("requested_at", row.requested_at)?,
        state,
        method: PaymentMethod(row.method),
    })
}

fn refund(row: &refunds::Model) -> Result<Refund, BadRow> {
    let reading = Reading {
        table: "refunds",
        id: row.id,
    };
    Ok(Refund {
        id: RefundId(row.id),
        payment: PaymentId(row.payment_id),
        amount: reading.money(row.amount_minor, &row.currency)?,
        reason: reading.word("reason", &row.reason)?,
        requested_at: reading.instant("requested_at", row.requested_at)?,
        completed_at: reading.instant_or_none("completed_at", row.completed_at)?,
    })
}

fn shipment(row: &shipments::Model) -> Result<Shipment, BadRow> {
    let reading = Reading {
        table: "shipments",
        id: row.id,
    };
    let due = || reading.present_instant("due_at", row.due_at);
    let dispatched = || reading.present_instant("dispatched_at", row.dispatched_at);
    let ended = || reading.present_instant("ended_at", row.ended_at);
    let status = reading.word("status", &row.status)?;
    let tracking_number = || reading.present("tracking_number", row.tracking_number.clone());
    let state = match status {
        ShipmentStatus::Preparing => ShipmentState::Preparing {
            dispatch_due: due()?,
        },
        ShipmentStatus::InTransit => ShipmentState::InTransit {
            tracking_number: tracking_number()?,
            dispatched_at: dispatched()?,
            delivery_due: due()?,
        },
        ShipmentStatus::Delivered => ShipmentState::Delivered {
            tracking_number: tracking_number()?,
            dispatched_at: dispatched()?,
            delivered_at: ended()?,
        },
        ShipmentStatus::Cancelled => ShipmentState::Cancelled { at: ended()? },
    };
    Ok(Shipment {
        id: ShipmentId(row.id),
        state,
    })
}

/// The columns of an order that its state owns.
pub struct StateColumns {
    pub status: &'static str,
    pub reason: Option<&'static str>,
    pub expires_at: Option<i64>,
    pub payment_id: Option<Uuid>,
    pub ended_at: Option<i64>,
}

impl From<&OrderState> for StateColumns {
    fn from(state: &OrderState) -> Self {
        let bare = Self {
            status: state.status().word(),
            reason: None,
            expires_at: None,
            payment_id: None,
            ended_at: None,
        };
        match state {
            OrderState::Rejected { reason } => Self {
                reason: Some(reason.word()),
                ..bare
            },
            OrderState::PendingPayment { expires_at } => Self {
                expires_at: Some(ms(*expires_at)),
                ..bare
            },
            OrderState::Paying {
                payment,
                expires_at,
            } => Self {
                payment_id: Some(payment.0),
                expires_at: Some(ms(*expires_at)),
                ..bare
            },
            OrderState::Paid { payment, at } => Self {
                payment_id: Some(payment.0),
                ended_at: Some(ms(*at)),
                ..bare
            },
            OrderState::Expired { at }
            | OrderState::PaymentFailed { at }
            | OrderState::Cancelled { at } => Self {
                ended_at: Some(ms(*at)),
                ..bare
            },
        }
    }
}

/// The row of a new order whose receipt names `admission`. What only later steps write is left out:
/// the order writer's statements are the longest there are.
pub fn new_order_row(order: &Order, admission: Option<Uuid>) -> orders::ActiveModel {
    let state = StateColumns::from(&order.state);
    orders::ActiveModel {
        id: Set(order.id.0),
        buyer_id: Set(order.buyer.0),
        fingerprint: Set(Uuid::from_u128(order.fingerprint.0)),
        admission_id: Set(admission),
        total_minor: Set(order.total.minor),
        currency: Set(order.total.currency.code().to_owned()),
        placed_at: Set(ms(order.placed_at)),
        status: Set(state.status.to_owned()),
        reason: Set(state.reason.map(str::to_owned)),
        expires_at: Set(state.expires_at),
        payment_id: Set(state.payment_id),
        ended_at: Set(state.ended_at),
        version: Set(order.version),
        delivery_address: NotSet,
    }
}

/// The rows of a new order's lines, in their order, in the same way.
pub fn new_line_rows(order: &Order) -> impl Iterator<Item = order_lines::ActiveModel> {
    let id = order.id.0;
    (0..)
        .zip(&order.lines)
        .map(move |(position, line)| order_lines::ActiveModel {
            order_id: Set(id),
            position: Set(position),
            item_id: Set(line.item.0),
            quantity: Set(i64::from(line.quantity.get())),
            price_minor: Set(line.unit_price.minor),
            currency: Set(line.unit_price.currency.code().to_owned()),
            cancelled: NotSet,
            returned: NotSet,
        })
}

/// The row of a payment.
pub fn payment_row(order: OrderId, payment: &Payment) -> payments::Model {
    let (settled_at, reason) = match payment.state {
        PaymentState::Requested => (None, None),
        PaymentState::Captured { at } => (Some(ms(at)), None),
        PaymentState::Declined { at, reason } => (Some(ms(at)), Some(reason.word().to_owned())),
    };
    payments::Model {
        id: payment.id.0,
        order_id: order.0,
        attempt: i64::from(payment.attempt),
        method: payment.method.0.clone(),
        amount_minor: payment.amount.minor,
        currency: payment.amount.currency.code().to_owned(),
        requested_at: ms(payment.requested_at),
        status: payment.state.status().word().to_owned(),
        settled_at,
        reason,
        asked_at: 0,
    }
}

/// The row of a refund.
pub fn refund_row(order: OrderId, refund: &Refund) -> refunds::Model {
    refunds::Model {
        id: refund.id.0,
        order_id: order.0,
        payment_id: refund.payment.0,
        amount_minor: refund.amount.minor,
        currency: refund.amount.currency.code().to_owned(),
        reason: refund.reason.word().to_owned(),
        requested_at: ms(refund.requested_at),
        completed_at: refund.completed_at.map(ms),
        asked_at: 0,
    }
}

/// The row of a shipment.
pub fn shipment_row(order: OrderId, shipment: &Shipment) -> shipments::Model {
    let (tracking_number, dispatched_at, ended_at) = match &shipment.state {
        ShipmentState::Preparing { .. } => (None, None, None),
        ShipmentState::InTransit {
            tracking_number,
            dispatched_at,
            ..
        } => (
            Some(tracking_number.clone()),
            Some(ms(*dispatched_at)),
            None,
        ),
        ShipmentState::Delivered {
            tracking_number,
            dispatched_at,
            delivered_at,
        } => (
            Some(tracking_number.clone()),
            Some(ms(*dispatched_at)),
            Some(ms(*delivered_at)),
        ),
        ShipmentState::Cancelled { at } => (None, None, Some(ms(*at))),
    };
    shipments::Model {
        id: shipment.id.0,
        order_id: order.0,
        status: shipment.status().word().to_owned(),
        due_at: shipment.due().map(ms),
        tracking_number,
        dispatched_at,
        ended_at,
    }
}
