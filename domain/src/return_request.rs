//! A wish to give delivered units back.

use crate::delivery::{DeliveryCalendar, Shipment, ShipmentState};
use crate::item::text;
use crate::order::OrderStatus;
use crate::policy::ReturnPolicy;
use crate::refusal::Reason;
use crate::stock::Units;
use crate::{OrderId, ReturnId, Timestamp};

/// A return of units of one delivered order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReturnRequest {
    pub id: ReturnId,
    pub order: OrderId,
    pub units: Vec<Units>,
    pub reason: String,
    pub requested_at: Timestamp,
    pub state: ReturnState,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReturnState {
    /// Completed when due, unless an operator rejects it before.
    Requested {
        completion_due: Timestamp,
    },
    /// Restocked and refunded.
    Completed {
        at: Timestamp,
    },
    Rejected {
        at: Timestamp,
    },
}

pub const MIN_REASON: usize = 10;
pub const MAX_REASON: usize = 50;

impl ReturnRequest {
    /// Asks for a return.
    ///
    /// # Errors
    /// The order is not delivered, the days for it are over, or the reason's length is wrong.
    pub fn request(
        id: ReturnId,
        (order, shipment): (OrderId, &Shipment),
        units: Vec<Units>,
        reason: String,
        (policy, calendar): (&ReturnPolicy, &DeliveryCalendar),
        now: Timestamp,
    ) -> Result<Self, Reason> {
        text(&reason, MIN_REASON, MAX_REASON)?;
        let ShipmentState::Delivered { delivered_at, .. } = shipment.state else {
            return Err(Reason::StateConflict {
                state: OrderStatus::Paid,
                allowed: Vec::new(),
            });
        };
        let closed_at = calendar.end_of_day(delivered_at, policy.days_to_request);
        if now >= closed_at {
            return Err(Reason::ReturnWindowClosed { since: closed_at });
        }
        let completion_due = calendar.days_after(now, policy.days_to_complete);
        let state = ReturnState::Requested { completion_due };
        Ok(Self {
            id,
            order,
            units,
            reason,
            requested_at: now,
            state,
        })
    }

    /// The units are back and the money goes back. `None` unless it is still open and due.
    #[must_use]
    pub fn complete(&self, now: Timestamp) -> Option<Self> {
        match self.state {
            ReturnState::Requested { completion_due } if completion_due <= now => Some(Self {
                state: ReturnState::Completed { at: now },
                ..self.clone()
            }),
            ReturnState::Requested { .. }
            | ReturnState::Completed { .. }
            | ReturnState::Rejected { .. } => None,
        }
    }

    /// An operator does not take it back. `None` unless it is still open.
    #[must_use]
    pub fn reject(&self, now: Timestamp) -> Option<Self> {
        match self.state {
            ReturnState::Requested { .. } => Some(Self {
                state: ReturnState::Rejected { at: now },
                ..self.clone()
            }),
            ReturnState::Completed { .. } | ReturnState::Rejected { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::DayLength;
    use uuid::Uuid;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn ask(now: &str, reason: &str, state: ShipmentState) -> Result<ReturnRequest, Reason> {
        let calendar = DeliveryCalendar {
            day: DayLength::Calendar(chrono_tz::Asia::Seoul),
            hour: 6,
            days_to_dispatch: 1,
            days_to_deliver: 1,
        };
        let policy = ReturnPolicy {
            days_to_request: 1,
            days_to_complete: 1,
        };
        let shipment = Shipment {
            id: crate::ShipmentId(Uuid::nil()),
            state,
        };
        let (id, order) = (ReturnId(Uuid::nil()), OrderId(Uuid::nil()));
        let reason = reason.to_owned();
        ReturnRequest::request(
            id,
            (order, &shipment),
            vec![],
            reason,
            (&policy, &calendar),
            at(now),
        )
    }

    fn delivered() -> ShipmentState {
        ShipmentState::Delivered {
            tracking_number: String::new(),
            dispatched_at: at("2026-02-28T21:00:00Z"),
            delivered_at: at("2026-03-01T21:00:00Z"),
        }
    }

    #[test]
    fn a_return_is_open_until_the_end_of_the_next_day() {
        // Delivered on the 2nd in Seoul, so the 3rd is the last day.
        let request = ask(
            "2026-03-03T14:59:59Z",
            "the lid does not close",
            delivered(),
        )
        .unwrap();
        let due = at("2026-03-03T21:00:00Z");
        assert_eq!(
            request.state,
            ReturnState::Requested {
                completion_due: due
            }
        );
        let since = at("2026-03-03T15:00:00Z");
        assert_eq!(
            ask(
                "2026-03-03T15:00:00Z",
                "the lid does not close",
                delivered()
            ),
            Err(Reason::ReturnWindowClosed { since })
        );
        let preparing = ShipmentState::Preparing { dispatch_due: due };
        assert!(ask("2026-03-03T14:00:00Z", "the lid does not close", preparing).is_err());
        assert!(ask("2026-03-03T14:00:00Z", "too short", delivered()).is_err());
    }

    #[test]
    fn a_return_ends_once() {
        let request = ask(
            "2026-03-03T14:59:59Z",
            "the lid does not close",
            delivered(),
        )
        .unwrap();
        assert_eq!(request.complete(at("2026-03-03T20:59:59Z")), None);
        let done = request.complete(at("2026-03-03T21:00:00Z")).unwrap();
        assert_eq!(done.complete(at("2026-03-04T21:00:00Z")), None);
        assert_eq!(done.reject(at("2026-03-04T21:00:00Z")), None);
        let rejected = request.reject(at("2026-03-03T15:00:00Z")).unwrap();
        assert_eq!(rejected.complete(at("2026-03-04T21:00:00Z")), None);
    }
}
