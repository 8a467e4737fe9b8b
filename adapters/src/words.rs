//! The short words by which states, kinds and reasons are written down: in rows, in records of the
//! log. Never changed and never given another meaning; a word nobody knows is a bad row.

use domain::Language;
use domain::account::Role;
use domain::act::Deed;
use domain::dead_letter::Settlement;
use domain::delivery::ShipmentStatus;
use domain::item::Category;
use domain::movement::Cause;
use domain::order::{OrderStatus, Rejection};
use domain::payment::{DeclineReason, PaymentStatus, RefundReason};
use domain::return_request::ReturnStatus;
use domain::verification::Purpose;

/// Something that is written down as a word.
pub trait Word: Copy + PartialEq + 'static {
    /// Every value with its word.
    const WORDS: &'static [(Self, &'static str)];

    /// The word of this value.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(value, _)| *value)
    }
}

macro_rules! words {
    ($($name:ident { $($value:ident = $word:literal),* $(,)? })*) => {$(
        impl Word for $name {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$value, $word)),*];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)*
                }
            }
        }
    )*};
}

words! {
    Purpose {
        SignUp = "SIGN_UP",
        PasswordReset = "PASSWORD_RESET",
        SignIn = "SIGN_IN",
        NewAddress = "NEW_ADDRESS",
        OldAddress = "OLD_ADDRESS",
    }
    OrderStatus {
        Accepted = "ACCEPTED",
        Rejected = "REJECTED",
        PendingPayment = "PENDING_PAYMENT",
        Paying = "PAYING",
        Paid = "PAID",
        Expired = "EXPIRED",
        PaymentFailed = "PAYMENT_FAILED",
        Cancelled = "CANCELLED",
    }
    Rejection {
        OutOfStock = "OUT_OF_STOCK",
        PurchaseLimit = "PURCHASE_LIMIT",
        Withdrawn = "WITHDRAWN",
        UnknownItem = "UNKNOWN_ITEM",
        Inconsistent = "INCONSISTENT",
    }
    PaymentStatus {
        Requested = "REQUESTED",
        Captured = "CAPTURED",
        Declined = "DECLINED",
    }
    DeclineReason {
        Refused = "REFUSED",
        Abandoned = "ABANDONED",
        UnknownMethod = "UNKNOWN_METHOD",
        NeverReceived = "NEVER_RECEIVED",
    }
    RefundReason {
        Cancelled = "CANCELLED",
        Returned = "RETURNED",
        ByHand = "BY_HAND",
        StrayCapture = "STRAY_CAPTURE",
    }
    ShipmentStatus {
        Preparing = "PREPARING",
        InTransit = "IN_TRANSIT",
        Delivered = "DELIVERED",
        Cancelled = "CANCELLED",
    }
    ReturnStatus {
        Requested = "REQUESTED",
        Completed = "COMPLETED",
        Rejected = "REJECTED",
    }
    Cause {
        Opened = "OPENED",
        Restocked = "RESTOCKED",
        Adjusted = "ADJUSTED",
        Reserved = "RESERVED",
        TurnedAway = "TURNED_AWAY",
        Expired = "EXPIRED",
        PaymentFailed = "PAYMENT_FAILED",
        Cancelled = "CANCELLED",
        Returned = "RETURNED",
    }
    Deed {
        RefundOrder = "REFUND_ORDER",
        ApproveReturn = "APPROVE_RETURN",
        RejectReturn = "REJECT_RETURN",
        EditItem = "EDIT_ITEM",
        RestockItem = "RESTOCK_ITEM",
        ScheduleDeal = "SCHEDULE_DEAL",
        PauseDeal = "PAUSE_DEAL",
        ResumeDeal = "RESUME_DEAL",
        EndDeal = "END_DEAL",
        ReplayDeadLetter = "REPLAY_DEAD_LETTER",
        DropDeadLetter = "DROP_DEAD_LETTER",
        GrantRole = "GRANT_ROLE",
    }
    Settlement {
        Replayed = "REPLAYED",
        Dropped = "DROPPED",
    }
    Category {
        Fashion = "FASHION",
        Beauty = "BEAUTY",
        Etc = "ETC",
    }
    Language {
        English = "EN",
        Korean = "KO",
    }
    Role {
        Customer = "CUSTOMER",
        Seller = "SELLER",
        Admin = "ADMIN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come_back<W: Word + std::fmt::Debug>() {
        for (value, word) in W::WORDS {
            assert_eq!(value.word(), *word);
            assert_eq!(
                W::from_word(word),
                Some(*value),
                "{word} stands for one value only"
            );
            assert!(word.len() <= 24, "{word} fits its column");
        }
        assert_eq!(W::from_word("ELSEWHERE"), None);
    }

    #[test]
    fn every_word_means_one_thing() {
        come_back::<OrderStatus>();
        come_back::<Rejection>();
        come_back::<PaymentStatus>();
        come_back::<DeclineReason>();
        come_back::<RefundReason>();
        come_back::<ShipmentStatus>();
        come_back::<ReturnStatus>();
        come_back::<Cause>();
        come_back::<Deed>();
        come_back::<Settlement>();
        come_back::<Category>();
        come_back::<Language>();
        come_back::<Role>();
    }
}
