//! What is only ever added to: movements of stock, acts of operators.

use async_graphql::{Enum, ID, SimpleObject};
use domain::act::{Act, Alteration};
use domain::movement::Movement;

use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::{DateTime, Uuid, count};

/// One change of an item's stock. The sums of an item's movements are its stock.
#[derive(SimpleObject)]
pub struct StockMovement {
    /// When, by the ledger's clock.
    at: DateTime,
    /// Why.
    cause: StockMovementCause,
    /// The order it was for, `order_…`; null where it was for none.
    order_id: Option<ID>,
    /// Units added to what there is; negative where some were taken off sale.
    total: i32,
    /// Units added to what orders hold; negative where they were given back.
    held: i32,
    /// Units added to what was ever let through the gate.
    admitted: i32,
    /// Units added to what ever went back on sale.
    released: i32,
}

impl From<Movement> for StockMovement {
    fn from(movement: Movement) -> Self {
        Self {
            at: movement.at.into(),
            cause: movement.cause.into(),
            order_id: movement.order.map(GlobalId::to_global),
            total: count(movement.total),
            held: count(movement.held),
            admitted: count(movement.admitted_units()),
            released: count(movement.released),
        }
    }
}

/// Why stock moved. New causes may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::movement::Cause")]
pub enum StockMovementCause {
    /// The item came on sale, or the record of its movements began.
    Opened,
    /// The seller added units.
    Restocked,
    /// The seller took unsold units off sale.
    Adjusted,
    /// An order got them.
    Reserved,
    /// The gate had let them through, and no order got them.
    TurnedAway,
    /// Nobody paid in time.
    Expired,
    /// The payment was declined and no time was left.
    PaymentFailed,
    /// The buyer took them back before they were dispatched.
    Cancelled,
    /// They came back after they were delivered.
    Returned,
}

/// What an operator did to what is somebody else's.
#[derive(SimpleObject)]
pub struct OperatorAct {
    /// Its global id, `act_…`.
    id: ID,
    /// When.
    at: DateTime,
    /// The operator's account, `account_…`; one of zeros for whoever used a command, for which
    /// nobody signs in.
    operator_id: ID,
    /// What.
    deed: OperatorDeed,
    /// The order, return, item, dead letter or account it was done to, without its type.
    subject: Uuid,
    /// Why, in the operator's words; null where none are asked for.
    note: Option<String>,
    /// What was before and after.
    changes: Vec<Change>,
}

impl From<Act> for OperatorAct {
    fn from(act: Act) -> Self {
        Self {
            id: act.id.to_global(),
            at: act.at.into(),
            operator_id: act.operator.to_global(),
            deed: act.deed.into(),
            subject: Uuid(act.subject),
            note: act.note,
            changes: act.changes.into_iter().map(Into::into).collect(),
        }
    }
}

/// A figure or word before an act and after it.
#[derive(SimpleObject)]
pub struct Change {
    /// What changed, in the words of this schema.
    what: String,
    /// As it was; empty where there was nothing.
    before: String,
    /// As it is now; empty where there is nothing.
    after: String,
}

impl From<Alteration> for Change {
    fn from(change: Alteration) -> Self {
        let Alteration {
            what,
            before,
            after,
        } = change;
        Self {
            what,
            before,
            after,
        }
    }
}

/// What an operator can do. New deeds may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::act::Deed")]
pub enum OperatorDeed {
    /// Gave money back by hand: `refundOrder`.
    RefundOrder,
    /// Completed a return before its day: `approveReturn`.
    ApproveReturn,
    /// Did not take units back: `rejectReturn`.
    RejectReturn,
    /// Edited a seller's item: `updateItem`.
    EditItem,
    /// Changed the stock of a seller's item: `restockItem`.
    RestockItem,
    /// Moved a seller's deal: `scheduleDeal`.
    ScheduleDeal,
    /// Stopped a seller's deal: `pauseDeal`.
    PauseDeal,
    /// Let a seller's deal go on: `resumeDeal`.
    ResumeDeal,
    /// Ended a seller's deal: `endDeal`.
    EndDeal,
    /// Had a record handled again: `replayDeadLetter`.
    ReplayDeadLetter,
    /// Gave a record up: `dropDeadLetter`.
    DropDeadLetter,
    /// Gave an account another role: the command `firstcome grant`.
    GrantRole,
}
