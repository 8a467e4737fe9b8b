//! Starts a payment; the payment worker brings it to its end.

use crate::delivery::Address;
use crate::item::text;
use crate::order::KeyUse;
use crate::payment::PaymentMethod;
use crate::ports::Ports;
use crate::use_cases::change_order::{self, Changed, Whose, change};
use crate::{AccountId, Failure, Fault, IdempotencyKey, OrderId, PaymentId};

/// The longest token a provider gives out.
const MAX_METHOD: usize = 255;

#[derive(Clone, Debug)]
pub struct PayOrder {
    pub buyer: AccountId,
    pub key: IdempotencyKey,
    pub order: OrderId,
    pub method: PaymentMethod,
    /// Where the parcel goes; the address of the buyer's profile, when absent.
    pub address: Option<Address>,
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
        fingerprint: change_order::fingerprint(command.order, &input(&command)),
        subject: command.order.0,
    };
    let address = match command.address {
        Some(address) => Some(address),
        None => address_of(ports, command.buyer).await?,
    };
    change(ports, key, (Whose::Own, command.order), |order| {
        let payment = PaymentId::derive(order.id, command.key);
        let method = command.method.clone();
        Ok(order.pay(payment, method, address.clone(), ports.clock.now())?)
    })
    .await
}

/// The address that a buyer gave for themselves.
async fn address_of(ports: &Ports, buyer: AccountId) -> Result<Option<Address>, Fault> {
    let account = ports.accounts.account(buyer).await?;
    let address = account.and_then(|account| account.profile.address);
    Ok(address.and_then(|address| Address::new(address).ok()))
}

/// What is asked for, without the profile: a repetition after that was edited is still the same.
fn input(command: &PayOrder) -> Vec<u8> {
    let mut input = command.method.0.clone().into_bytes();
    if let Some(address) = &command.address {
        input.push(0);
        input.extend_from_slice(address.as_str().as_bytes());
    }
    input
}
