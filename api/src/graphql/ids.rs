//! Global ids as clients see them: `TypeID`s (specification 0.3.0), a type's name and 26 base-32
//! digits of a UUID. An id of one type can't stand where another is meant.
//!
//! The crates for them bring randomness of their own, which here comes from a port alone; what is
//! left is the base-32 of the specification.

use async_graphql::ID;
use domain::refusal::Rule;
use domain::{
    AccountId, ActId, DeadLetterId, ItemId, OrderId, PaymentId, Reason, RefundId, ReturnId,
    SessionId, ShipmentId, VerificationId, WishlistEntryId,
};
use uuid::Uuid;

/// The specification's alphabet: Crockford's, in lower case only.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Digits of a UUID; the first is 7 at most.
const LENGTH: usize = 26;

/// An identity that clients may name.
pub trait GlobalId: Copy {
    /// The type's name in front of the digits.
    const PREFIX: &'static str;

    /// The identity without its type.
    fn uuid(self) -> Uuid;

    /// The identity of this type.
    fn of_uuid(uuid: Uuid) -> Self;

    /// The id as clients see it.
    fn to_global(self) -> ID {
        ID(encode(Self::PREFIX, self.uuid()))
    }

    /// Reads an id that a client sent.
    ///
    /// # Errors
    /// [`Rule::Id`] for what is no id, or one of another type.
    fn parse(id: &ID) -> Result<Self, Reason> {
        decode(Self::PREFIX, id)
            .map(Self::of_uuid)
            .ok_or_else(|| Rule::Id.into())
    }
}

macro_rules! global_ids {
    ($($id:ident = $prefix:literal),* $(,)?) => {$(
        impl GlobalId for $id {
            const PREFIX: &'static str = $prefix;

            fn uuid(self) -> Uuid {
                self.0
            }

            fn of_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    )*};
}

global_ids! {
    ItemId = "item",
    OrderId = "order",
    AccountId = "account",
    ActId = "act",
    DeadLetterId = "letter",
    PaymentId = "payment",
    RefundId = "refund",
    ReturnId = "return",
    SessionId = "session",
    VerificationId = "challenge",
    ShipmentId = "shipment",
    WishlistEntryId = "wish",
}

fn encode(prefix: &str, uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    let mut text = String::with_capacity(prefix.len() + 1 + LENGTH);
    text.push_str(prefix);
    text.push('_');
    for place in (0..LENGTH).rev() {
        text.push(char::from(DIGITS[(bits >> (place * 5)) as usize & 31]));
    }
    text
}

fn decode(prefix: &str, text: &str) -> Option<Uuid> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?;
    if digits.len() != LENGTH || digits.as_bytes()[0] > b'7' {
        return None;
    }
    let mut bits = 0;
    for digit in digits.bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        bits = bits << 5 | value as u128;
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own examples, under one prefix.
    const VALID: [(&str, &str); 8] = [
        (
            "00000000000000000000000000",
            "00000000-0000-0000-0000-000000000000",
        ),
        (
            "00000000000000000000000001",
            "00000000-0000-0000-0000-000000000001",
        ),
        (
            "0000000000000000000000000a",
            "00000000-0000-0000-0000-00000000000a",
        ),
        (
            "0000000000000000000000000g",
            "00000000-0000-0000-0000-000000000010",
        ),
        (
            "00000000000000000000000010",
            "00000000-0000-0000-0000-000000000020",
        ),
        (
            "7zzzzzzzzzzzzzzzzzzzzzzzzz",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ),
        (
            "0123456789abcdefghjkmnpqrs",
            "0110c853-1d09-52d8-d73e-1194e95b5f19",
        ),
        (
            "01h455vb4pex5vsknk084sn02q",
            "01890a5d-ac96-774b-bcce-b302099a8057",
        ),
    ];

    #[test]
    fn ids_are_those_of_the_specification() {
        for (digits, uuid) in VALID {
            let id = ItemId(uuid.parse().unwrap());
            let text = format!("item_{digits}");
            assert_eq!(id.to_global().as_str(), text);
            assert_eq!(ItemId::parse(&ID(text)), Ok(id));
        }
    }

    #[test]
    fn what_is_no_id_of_the_type_is_refused() {
        for text in [
            "",
            "_",
            "item",
            "item_",
            "00000000000000000000000000",
            "_00000000000000000000000000",
            "order_00000000000000000000000000",
            "ITEM_00000000000000000000000000",
            " item_00000000000000000000000000",
            "item__0000000000000000000000000",
            "item_1234567890123456789012345",
            "item_123456789012345678901234567",
            "item_1234567890123456789012345 ",
            "item_0123456789ABCDEFGHJKMNPQRS",
            "item_123456789-123456789-123456",
            "item_ooooooiiiiiiuuuuuuulllllll",
            "item_i23456789ol23456789oi23456",
            "item_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "item_ééééééééééééé",
        ] {
            assert_eq!(
                ItemId::parse(&ID(text.to_owned())),
                Err(Rule::Id.into()),
                "{text}"
            );
        }
    }

    #[test]
    fn ids_sort_as_what_they_name() {
        let ids = [1, 2, 31, 32, u128::MAX].map(|bits| OrderId(Uuid::from_u128(bits)));
        let texts = ids.map(|id| id.to_global().to_string());
        assert!(texts.is_sorted());
    }
}
