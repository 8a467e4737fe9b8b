//! What operators do beside the rules, written down for whoever asks later.

use uuid::Uuid;

use crate::account::Role;
use crate::dead_letter::Settlement;
use crate::item::Item;
use crate::order::Order;
use crate::return_request::ReturnRequest;
use crate::{AccountId, ActId, Money, Timestamp};

/// Who has no account, but the shop's data folder, and uses a command beside the shop.
pub const BY_COMMAND: AccountId = AccountId(Uuid::nil());

/// One act of an operator, committed together with what it did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    pub id: ActId,
    /// [`BY_COMMAND`] for what is done without an account.
    pub operator: AccountId,
    pub at: Timestamp,
    pub deed: Deed,
    /// The order, return, item, dead letter or account it was done to.
    pub subject: Uuid,
    /// Why, in the operator's words.
    pub note: Option<String>,
    pub changes: Vec<Alteration>,
}

/// What an operator can do to what is somebody else's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Deed {
    RefundOrder,
    ApproveReturn,
    RejectReturn,
    EditItem,
    RestockItem,
    ScheduleDeal,
    PauseDeal,
    ResumeDeal,
    EndDeal,
    ReplayDeadLetter,
    DropDeadLetter,
    /// Gave an account another role, by the command that needs no account.
    GrantRole,
}

/// One figure or word before an act and after it. Never personal data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alteration {
    /// What it is, in the words of the API: `total`, `state`.
    pub what: String,
    pub before: String,
    pub after: String,
}

impl Alteration {
    /// Where `before` and `after` differ, if they do.
    pub fn between(what: impl Into<String>, before: String, after: String) -> Option<Self> {
        (before != after).then(|| Self {
            what: what.into(),
            before,
            after,
        })
    }

    /// What is told of an item that changed: every field that a seller edits.
    #[must_use]
    pub fn of_item(before: &Item, after: &Item) -> Vec<Self> {
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_rfc3339()).unwrap_or_default();
        let figures = |item: &Item| {
            let deal = item.deal();
            let price = item.details.price;
            let limit = deal.and_then(|deal| deal.limit_per_buyer);
            [
                ("name", item.details.name.clone()),
                ("description", item.details.description.clone()),
                ("category", word(item.details.category)),
                (
                    "price",
                    format!("{} {}", price.to_decimal(), price.currency.code()),
                ),
                ("opensAt", instant(deal.map(|deal| deal.opens_at))),
                ("closesAt", instant(deal.and_then(|deal| deal.closes_at))),
                (
                    "limitPerBuyer",
                    limit.map(|limit| limit.to_string()).unwrap_or_default(),
                ),
                ("paused", deal.is_some_and(|deal| deal.paused).to_string()),
            ]
        };
        let pairs = figures(before).into_iter().zip(figures(after));
        pairs
            .filter_map(|((what, before), (_, after))| Self::between(what, before, after))
            .collect()
    }

    /// What is told of an item with another total.
    #[must_use]
    pub fn of_total(before: i64, after: i64) -> Vec<Self> {
        let total = Self::between("total", before.to_string(), after.to_string());
        total.into_iter().collect()
    }

    /// What is told of an order that changed: its state, its money, its returns, its units.
    #[must_use]
    pub fn of_order(before: &Order, after: &Order) -> Vec<Self> {
        let state = |order: &Order| word(order.status());
        let refunded = |order: &Order| {
            let minor = order.refunds.iter().map(|refund| refund.amount.minor);
            let sum = Money {
                minor: minor.sum(),
                ..order.total
            };
            format!("{} {}", sum.to_decimal(), sum.currency.code())
        };
        let kept = |order: &Order| {
            let units = order.units();
            let kept: u32 = units.iter().map(|units| units.count).sum();
            kept.to_string()
        };
        let mut changes = Vec::new();
        changes.extend(Self::between("state", state(before), state(after)));
        changes.extend(Self::between("refunded", refunded(before), refunded(after)));
        changes.extend(Self::between("units", kept(before), kept(after)));
        for request in &after.returns {
            let seen = before.returns.iter().find(|seen| seen.id == request.id);
            let state = |request: &ReturnRequest| word(request.state.status());
            let before = seen.map(state).unwrap_or_default();
            changes.extend(Self::between("return", before, state(request)));
        }
        changes
    }

    /// What is told of an account with another role.
    #[must_use]
    pub fn of_role(before: Role, after: Role) -> Vec<Self> {
        let role = Self::between("role", word(before), word(after));
        role.into_iter().collect()
    }

    /// What is told of a dead letter that was open.
    #[must_use]
    pub fn of_dead_letter(settlement: Settlement) -> Vec<Self> {
        let settled = Self::between("settlement", String::new(), word(settlement));
        settled.into_iter().collect()
    }
}

/// A state as the API spells it: `PENDING_PAYMENT`.
fn word(state: impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for (at, c) in format!("{state:?}").char_indices() {
        if at > 0 && c.is_uppercase() {
            word.push('_');
        }
        word.extend(c.to_uppercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_spelled_as_the_api_spells_them() {
        assert_eq!(
            word(crate::order::OrderStatus::PendingPayment),
            "PENDING_PAYMENT"
        );
        assert_eq!(word(crate::order::OrderStatus::Paid), "PAID");
        assert_eq!(
            Alteration::between("units", 2.to_string(), 2.to_string()),
            None
        );
    }
}
