//! Movements of stock and acts of operators.

use domain::act::{Act, Alteration};
use domain::movement::Movement;
use domain::{AccountId, ActId, ItemId, OrderId};
use serde::{Deserialize, Serialize};

use super::{BadRow, Reading, ms};
use crate::sql::entities::{operator_acts, stock_movements};
use crate::words::Word;

/// The row of a movement.
pub fn movement_row(movement: &Movement) -> stock_movements::Model {
    stock_movements::Model {
        item_id: movement.item.0,
        at: ms(movement.at),
        id: movement.id,
        cause: movement.cause.word().to_owned(),
        order_id: movement.order.map(|order| order.0),
        total: movement.total,
        held: movement.held,
        released: movement.released,
    }
}

impl TryFrom<stock_movements::Model> for Movement {
    type Error = BadRow;

    fn try_from(row: stock_movements::Model) -> Result<Self, BadRow> {
        let reading = Reading {
            table: "stock_movements",
            id: row.id,
        };
        Ok(Self {
            item: ItemId(row.item_id),
            at: reading.instant("at", row.at)?,
            id: row.id,
            cause: reading.word("cause", &row.cause)?,
            order: row.order_id.map(OrderId),
            total: row.total,
            held: row.held,
            released: row.released,
        })
    }
}

/// An alteration as it is stored. Fields may come; none changes its meaning.
#[derive(Serialize, Deserialize)]
struct StoredAlteration {
    what: String,
    before: String,
    after: String,
}

/// The row of an act.
///
/// # Errors
/// None in practice: texts can be written as JSON.
pub fn act_row(act: &Act) -> Result<operator_acts::Model, BadRow> {
    let reading = Reading {
        table: "operator_acts",
        id: act.id.0,
    };
    let changes = act.changes.iter().map(|change| StoredAlteration {
        what: change.what.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
    });
    let changes = serde_json::to_string(&changes.collect::<Vec<_>>());
    Ok(operator_acts::Model {
        id: act.id.0,
        operator_id: act.operator.0,
        at: ms(act.at),
        deed: act.deed.word().to_owned(),
        subject_id: act.subject,
        note: act.note.clone(),
        changes: changes.map_err(|error| reading.bad("changes", error.to_string()))?,
    })
}

impl TryFrom<operator_acts::Model> for Act {
    type Error = BadRow;

    fn try_from(row: operator_acts::Model) -> Result<Self, BadRow> {
        let reading = Reading {
            table: "operator_acts",
            id: row.id,
        };
        let changes: Vec<StoredAlteration> = serde_json::from_str(&row.changes)
            .map_err(|_| reading.bad("changes", "no list of changes"))?;
        let changes = changes.into_iter().map(|change| Alteration {
            what: change.what,
            before: change.before,
            after: change.after,
        });
        Ok(Self {
            id: ActId(row.id),
            operator: AccountId(row.operator_id),
            at: reading.instant("at", row.at)?,
            deed: reading.word("deed", &row.deed)?,
            subject: row.subject_id,
            note: row.note,
            changes: changes.collect(),
        })
    }
}
