//! Returns with their lines.

use domain::order::Portion;
use domain::return_request::{ReturnRequest, ReturnState, ReturnStatus};
use domain::{OrderId, Quantity, ReturnId};

use super::{BadRow, Reading, ms};
use crate::sql::entities::{return_lines, return_requests};
use crate::words::Word;

/// The return of its rows; the lines by position.
///
/// # Errors
/// A column makes no sense.
pub fn return_request(
    row: return_requests::Model,
    lines: &[return_lines::Model],
) -> Result<ReturnRequest, BadRow> {
    let reading = Reading {
        table: "return_requests",
        id: row.id,
    };
    let ended = || reading.present_instant("ended_at", row.ended_at);
    let state = match reading.word("status", &row.status)? {
        ReturnStatus::Requested => ReturnState::Requested {
            completion_due: reading.present_instant("due_at", row.due_at)?,
        },
        ReturnStatus::Completed => ReturnState::Completed { at: ended()? },
        ReturnStatus::Rejected => ReturnState::Rejected {
            at: ended()?,
            note: reading.present("note", row.note.clone())?,
        },
    };
    Ok(ReturnRequest {
        id: ReturnId(row.id),
        lines: lines.iter().map(portion).collect::<Result<_, _>>()?,
        requested_at: reading.instant("requested_at", row.requested_at)?,
        state,
        reason: row.reason,
    })
}

fn portion(row: &return_lines::Model) -> Result<Portion, BadRow> {
    let reading = Reading {
        table: "return_lines",
        id: row.return_id,
    };
    let quantity = Quantity::new(row.quantity);
    Ok(Portion {
        line: reading.count("position", row.position)?,
        quantity: quantity.map_err(|_| reading.bad("quantity", "out of range"))?,
    })
}

/// The row of a return.
pub fn return_row(order: OrderId, request: &ReturnRequest) -> return_requests::Model {
    let (due_at, ended_at, note) = match &request.state {
        ReturnState::Requested { completion_due } => (Some(ms(*completion_due)), None, None),
        ReturnState::Completed { at } => (None, Some(ms(*at)), None),
        ReturnState::Rejected { at, note } => (None, Some(ms(*at)), Some(note.clone())),
    };
    return_requests::Model {
        id: request.id.0,
        order_id: order.0,
        reason: request.reason.clone(),
        requested_at: ms(request.requested_at),
        status: request.state.status().word().to_owned(),
        due_at,
        ended_at,
        note,
    }
}

/// The rows of a return's lines.
pub fn return_line_rows(request: &ReturnRequest) -> impl Iterator<Item = return_lines::Model> {
    request.lines.iter().map(|portion| return_lines::Model {
        return_id: request.id.0,
        position: i64::from(portion.line),
        quantity: i64::from(portion.quantity.get()),
    })
}
