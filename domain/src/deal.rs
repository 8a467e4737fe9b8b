//! When a time deal sells, and how much one buyer may have of it.

use chrono::TimeDelta;

use crate::Timestamp;
use crate::refusal::{Reason, Rule};

/// The window of a TIME_DEAL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deal {
    /// The first instant at which it sells.
    pub opens_at: Timestamp,
    /// The first instant at which it no longer sells; never, when absent.
    pub closes_at: Option<Timestamp>,
    /// Units one buyer may hold over all orders; no limit, when absent.
    pub limit_per_buyer: Option<u32>,
    /// Whether a seller has stopped it for now.
    pub paused: bool,
}

/// Where a deal stands, derived from its window by one clock; nobody flips it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Upcoming,
    Open,
    Paused,
    Closed,
}

impl Deal {
    /// A window that makes sense.
    ///
    /// # Errors
    /// It ends before it begins, or the limit is 0.
    pub fn new(
        opens_at: Timestamp,
        closes_at: Option<Timestamp>,
        limit_per_buyer: Option<u32>,
    ) -> Result<Self, crate::Refusal> {
        if closes_at.is_some_and(|closes_at| closes_at <= opens_at) {
            return Err(Reason::from(Rule::EndsBeforeItBegins).at(["closesAt"]));
        }
        if limit_per_buyer == Some(0) {
            return Err(Reason::from(Rule::TooSmall { least: 1 }).at(["limitPerBuyer"]));
        }
        Ok(Self {
            opens_at,
            closes_at,
            limit_per_buyer,
            paused: false,
        })
    }

    #[must_use]
    pub fn phase(&self, now: Timestamp) -> Phase {
        if self.closes_at.is_some_and(|closes_at| closes_at <= now) {
            Phase::Closed
        } else if now < self.opens_at {
            Phase::Upcoming
        } else if self.paused {
            Phase::Paused
        } else {
            Phase::Open
        }
    }

    /// This deal with another window.
    ///
    /// # Errors
    /// A start that moves although the deal has begun, a start or an end in the past, or a window
    /// that [`Deal::new`] refuses.
    pub fn rescheduled(
        &self,
        opens_at: Timestamp,
        closes_at: Option<Timestamp>,
        limit_per_buyer: Option<u32>,
        now: Timestamp,
    ) -> Result<Self, crate::Refusal> {
        let next = Self::new(opens_at, closes_at, limit_per_buyer)?;
        if next.opens_at != self.opens_at {
            if self.opens_at <= now {
                let opened_at = self.opens_at;
                return Err(Reason::DealHasBegun { opened_at }.at(["opensAt"]));
            }
            if next.opens_at < now {
                return Err(Reason::from(Rule::InThePast).at(["opensAt"]));
            }
        }
        if next.closes_at != self.closes_at && next.closes_at.is_some_and(|at| at < now) {
            return Err(Reason::from(Rule::InThePast).at(["closesAt"]));
        }
        Ok(Self {
            paused: self.paused,
            ..next
        })
    }

    /// This deal at a stop, or going on: nothing is sold while it is paused, and its window passes by.
    #[must_use]
    pub fn with_pause(&self, paused: bool) -> Self {
        Self { paused, ..*self }
    }

    /// This deal as over at `now`. One that has not begun ends without ever having sold.
    #[must_use]
    pub fn ended(&self, now: Timestamp) -> Self {
        Self {
            opens_at: self.opens_at.min(now - TimeDelta::milliseconds(1)),
            closes_at: Some(now),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    fn at(second: i64) -> Timestamp {
        Utc.timestamp_opt(second, 0).unwrap()
    }

    #[test]
    fn a_phase_follows_the_clock() {
        let deal = Deal::new(at(10), Some(at(20)), None).unwrap();
        assert_eq!(
            deal.phase(at(10) - TimeDelta::milliseconds(1)),
            Phase::Upcoming
        );
        assert_eq!(deal.phase(at(10)), Phase::Open);
        assert_eq!(deal.phase(at(20)), Phase::Closed);
        assert_eq!(
            Deal {
                paused: true,
                ..deal
            }
            .phase(at(15)),
            Phase::Paused
        );
        assert_eq!(
            Deal {
                paused: true,
                ..deal
            }
            .phase(at(5)),
            Phase::Upcoming
        );
    }

    #[test]
    fn a_start_cannot_move_once_it_is_past() {
        let deal = Deal::new(at(10), None, Some(2)).unwrap();
        assert!(deal.rescheduled(at(12), None, None, at(10)).is_err());
        assert!(deal.rescheduled(at(10), Some(at(30)), None, at(15)).is_ok());
        assert!(deal.rescheduled(at(4), None, None, at(5)).is_err());
        assert!(deal.rescheduled(at(12), None, None, at(5)).is_ok());
        assert!(Deal::new(at(10), Some(at(10)), None).is_err());
        assert!(Deal::new(at(10), None, Some(0)).is_err());
    }

    #[test]
    fn a_deal_that_was_ended_is_over_whenever_it_was_to_begin() {
        let deal = Deal::new(at(10), Some(at(20)), None).unwrap();
        for now in [at(5), at(10), at(15)] {
            let ended = deal.ended(now);
            assert_eq!(ended.phase(now), Phase::Closed);
            let before = now - TimeDelta::milliseconds(1);
            assert_eq!(ended.opens_at, deal.opens_at.min(before));
        }
        let paused = deal.with_pause(true);
        assert_eq!(paused.ended(at(15)).phase(at(15)), Phase::Closed);
        assert_eq!(paused.with_pause(false), deal);
    }
}
