//! One type an identity, so that an order's id can't stand where an item's is meant.

use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub Uuid);
    )*};
}

id! {
    /// An item on sale.
    ItemId,
    /// An order; derived from its buyer and idempotency key, see [`OrderId::derive`].
    OrderId,
    /// A person (or a rehearsal buyer) with an account.
    AccountId,
    /// One attempt to pay an order; the idempotency key towards the provider.
    PaymentId,
    /// Money given back for one reason; the idempotency key towards the provider.
    RefundId,
    /// The delivery of a paid order.
    ShipmentId,
    /// A wish to give a delivered line back.
    ReturnId,
    /// A row of a wishlist.
    WishlistEntryId,
    /// One taking of stock by one run of the gate; random, fresh for every run.
    AdmissionId,
    /// A signed-in session.
    SessionId,
    /// A proof of an e-mail address in progress.
    VerificationId,
    /// An event, unique over all topics.
    EventId,
    /// One act of an operator.
    ActId,
    /// A record that a group could not handle; derived, see [`DeadLetterId::derive`].
    DeadLetterId,
    /// What a client chose to recognise a repeated request by.
    IdempotencyKey,
}

/// The namespace of derived order ids (random, fixed for ever: a changed one would let a retry buy
/// twice).
const ORDERS: Uuid = Uuid::from_u128(0x6f1d_3a52_8c07_4b19_9e64_51b2_d0a8_c3f7);
/// The namespace of derived payment ids.
const PAYMENTS: Uuid = Uuid::from_u128(0x2b90_77e4_15da_4c3e_a1f8_09c6_7e5d_b442);

/// The namespace of derived ids of dead letters (random, fixed for ever: a changed one would file what
/// is filed already a second time).
const DEAD_LETTERS: Uuid = Uuid::from_u128(0xa4c7_18de_5b03_4f62_8c9d_e07a_3915_6bf4);

impl DeadLetterId {
    /// The id of the dead letter of a place: the group, and where its record is in the log.
    #[must_use]
    pub fn derive(place: &str) -> Self {
        Self(Uuid::new_v5(&DEAD_LETTERS, place.as_bytes()))
    }
}

impl OrderId {
    /// The id of the order that `buyer` asks for under `key` (UUID version 5, RFC 9562): the same
    /// request gets the same id on every node and every retry.
    #[must_use]
    pub fn derive(buyer: AccountId, key: IdempotencyKey) -> Self {
        Self(derived(ORDERS, buyer.0, key.0))
    }

    /// The number a person reads out on the telephone: twelve Crockford base-32 digits (60 bits of
    /// the id) in groups of four.
    #[must_use]
    pub fn number(self) -> String {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        // The low 60 bits of a version 5 id are hash output; version and variant bits are higher.
        let bits = self.0.as_u128();
        let mut number = String::with_capacity(14);
        for place in (0..12).rev() {
            number.push(char::from(DIGITS[(bits >> (place * 5)) as usize & 31]));
            if place == 8 || place == 4 {
                number.push('-');
            }
        }
        number
    }
}

impl PaymentId {
    /// The id of the attempt that a buyer starts on `order` under `key`.
    #[must_use]
    pub fn derive(order: OrderId, key: IdempotencyKey) -> Self {
        Self(derived(PAYMENTS, order.0, key.0))
    }
}

fn derived(namespace: Uuid, owner: Uuid, key: Uuid) -> Uuid {
    let mut name = [0; 32];
    name[..16].copy_from_slice(owner.as_bytes());
    name[16..].copy_from_slice(key.as_bytes());
    Uuid::new_v5(&namespace, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_has_the_same_order_id() {
        let (buyer, key) = (
            AccountId(Uuid::from_u128(1)),
            IdempotencyKey(Uuid::from_u128(2)),
        );
        assert_eq!(OrderId::derive(buyer, key), OrderId::derive(buyer, key));
        assert_ne!(
            OrderId::derive(buyer, key),
            OrderId::derive(
                AccountId(Uuid::from_u128(2)),
                IdempotencyKey(Uuid::from_u128(1))
            )
        );
    }

    #[test]
    fn a_number_has_three_groups_of_four() {
        let number = OrderId(Uuid::from_u128(u128::MAX)).number();
        assert_eq!(number, "ZZZZ-ZZZZ-ZZZZ");
    }
}
