//! Starts a payment; the payment worker brings it to its end.

use crate::item::text;
use crate::order::KeyUse;
use crate::payment::PaymentMethod;
use crate::ports::Ports;
use crate::use_cases::change_order::{self, Changed};
use crate::{AccountId, Failure, IdempotencyKey, OrderId, PaymentId};

/// The longest token a provider gives out.
const MAX_METHOD: usize = 255;

#[derive(Clone, Debug)]
pub struct PayOrder {
    pub buyer: AccountId,
    pub key: IdempotencyKey,
    pub order: OrderId,
    pub method: PaymentMethod,
}

/// Starts a payment of an order that waits for one.
///
/// # Errors
/// Not found, not yet in the ledger (*try again*), a state that can't be paid, the time being over,
/// a key used for something else.
pub async fn pay_order(ports: &Ports, command: PayOrder) -> Result<Changed, Failure> {
    text(&command.method.0, 1, MAX_METHOD).map_err(|reason| reason.at(["paymentMethod"]))?;
    let key = KeyUse {
        requester: command.buyer,
        mutation: "payOrder",
        key: command.key,
        fingerprint: change_order::fingerprint(command.order, command.method.0.as_bytes()),
        subject: command.order.0,
    };
    change_order::change(ports, key, command.order, |order| {
        let payment = PaymentId::derive(order.id, command.key);
        order.pay(payment, command.method.clone(), ports.clock.now())
    })
    .await
}
