//! How a paid order gets to its buyer, and on which day.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::refusal::Reason;
use crate::{ShipmentId, Timestamp};

/// Where a parcel goes, in its buyer's words. Shows nothing of itself in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// # Errors
    /// Empty, or longer than 200 characters.
    pub fn new(text: String) -> Result<Self, Reason> {
        const MOST: usize = 200;
        crate::item::text(&text, 1, MOST)?;
        Ok(Self(text))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address")
    }
}

/// The delivery of a paid order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shipment {
    pub id: ShipmentId,
    pub state: ShipmentState,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShipmentState {
    /// Packed; the order can still be cancelled.
    Preparing {
        dispatch_due: Timestamp,
    },
    InTransit {
        tracking_number: String,
        dispatched_at: Timestamp,
        delivery_due: Timestamp,
    },
    Delivered {
        tracking_number: String,
        dispatched_at: Timestamp,
        delivered_at: Timestamp,
    },
    Cancelled {
        at: Timestamp,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ShipmentStatus {
    Preparing,
    InTransit,
    Delivered,
    Cancelled,
}

impl Shipment {
    #[must_use]
    pub fn status(&self) -> ShipmentStatus {
        match self.state {
            ShipmentState::Preparing { .. } => ShipmentStatus::Preparing,
            ShipmentState::InTransit { .. } => ShipmentStatus::InTransit,
            ShipmentState::Delivered { .. } => ShipmentStatus::Delivered,
            ShipmentState::Cancelled { .. } => ShipmentStatus::Cancelled,
        }
    }

    /// When its next step is due; never, once it is delivered or cancelled.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        match self.state {
            ShipmentState::Preparing { dispatch_due } => Some(dispatch_due),
            ShipmentState::InTransit { delivery_due, .. } => Some(delivery_due),
            ShipmentState::Delivered { .. } | ShipmentState::Cancelled { .. } => None,
        }
    }
}

/// On which days parcels move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeliveryCalendar {
    pub day: DayLength,
    /// The hour of the day at which they move, 0 to 23.
    pub hour: u32,
    /// Days from payment to dispatch.
    pub days_to_dispatch: u32,
    /// Days from dispatch to delivery.
    pub days_to_deliver: u32,
}

/// What a day is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DayLength {
    /// A day of the calendar, in the zone.
    Calendar(Tz),
    /// A day of so many milliseconds, counted from the epoch: a demo's week lasts a minute.
    Scaled { day_ms: i64 },
}

impl DeliveryCalendar {
    #[must_use]
    pub fn dispatch_due(&self, paid_at: Timestamp) -> Timestamp {
        self.days_after(paid_at, self.days_to_dispatch)
    }

    #[must_use]
    pub fn delivery_due(&self, dispatched_at: Timestamp) -> Timestamp {
        self.days_after(dispatched_at, self.days_to_deliver)
    }

    /// The first instant after the day that is `days` days after the day of `from`.
    #[must_use]
    pub fn end_of_day(&self, from: Timestamp, days: u32) -> Timestamp {
        Self { hour: 0, ..*self }.days_after(from, days.saturating_add(1))
    }

    /// The date of the day that `at` is in. A scaled day has none of its own: it is UTC's.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> NaiveDate {
        match self.day {
            DayLength::Calendar(zone) => at.with_timezone(&zone).date_naive(),
            DayLength::Scaled { .. } => at.date_naive(),
        }
    }

    /// The date of the day that [`end_of_day`](Self::end_of_day) ends.
    #[must_use]
    pub fn last_date(&self, from: Timestamp, days: u32) -> NaiveDate {
        self.date(self.end_of_day(from, days) - TimeDelta::milliseconds(1))
    }

    /// The moving hour of the day that is `days` days after the day of `from`.
    #[must_use]
    pub fn days_after(&self, from: Timestamp, days: u32) -> Timestamp {
        match self.day {
            DayLength::Calendar(zone) => {
                let date = from.with_timezone(&zone).date_naive();
                let date = date
                    .checked_add_days(Days::new(u64::from(days)))
                    .unwrap_or(date);
                instant(zone, date, self.hour).unwrap_or(from)
            }
            DayLength::Scaled { day_ms } => {
                let day_ms = day_ms.max(1);
                let day = from.timestamp_millis().div_euclid(day_ms) + i64::from(days);
                let at = day * day_ms + day_ms * i64::from(self.hour) / 24;
                Timestamp::from_timestamp_millis(at).unwrap_or(from)
            }
        }
    }
}

/// The instant of this hour in `zone`; the first one after it where a clock change skips it, the
/// earlier one where it comes twice.
fn instant(zone: Tz, date: NaiveDate, hour: u32) -> Option<Timestamp> {
    let time = NaiveTime::from_hms_opt(hour, 0, 0)?;
    // A clock change skips at most a few hours, so a later quarter of an hour exists.
    (0..=16)
        .map(|quarters| date.and_time(time) + TimeDelta::minutes(15 * quarters))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn calendar(day: DayLength) -> DeliveryCalendar {
        DeliveryCalendar {
            day,
            hour: 6,
            days_to_dispatch: 1,
            days_to_deliver: 1,
        }
    }

    #[test]
    fn parcels_move_at_six_in_seoul() {
        let calendar = calendar(DayLength::Calendar(chrono_tz::Asia::Seoul));
        // 23:59 on the 1st in Seoul, then 00:00 on the 2nd.
        assert_eq!(
            calendar.dispatch_due(at("2026-03-01T14:59:00Z")),
            at("2026-03-01T21:00:00Z")
        );
        assert_eq!(
            calendar.dispatch_due(at("2026-03-01T15:00:00Z")),
            at("2026-03-02T21:00:00Z")
        );
        assert_eq!(
            calendar.delivery_due(at("2026-03-01T21:00:00Z")),
            at("2026-03-02T21:00:00Z")
        );
    }

    #[test]
    fn a_date_is_the_zones() {
        let seoul = calendar(DayLength::Calendar(chrono_tz::Asia::Seoul));
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (before, after) = (at("2026-02-28T14:59:59Z"), at("2026-02-28T15:00:00Z"));
        assert_eq!(seoul.date(before), date("2026-02-28"));
        assert_eq!(seoul.date(after), date("2026-03-01"));
        assert_eq!(seoul.last_date(after, 0), date("2026-03-01"));
        assert_eq!(seoul.last_date(after, 1), date("2026-03-02"));
        let scaled = calendar(DayLength::Scaled { day_ms: 1_000 });
        assert_eq!(scaled.date(after), date("2026-02-28"));
    }

    #[test]
    fn an_hour_that_a_clock_change_skips_is_the_next_there_is() {
        let calendar = DeliveryCalendar {
            hour: 2,
            ..calendar(DayLength::Calendar(chrono_tz::Europe::Berlin))
        };
        assert_eq!(
            calendar.dispatch_due(at("2026-03-28T12:00:00Z")),
            at("2026-03-29T01:00:00Z")
        );
    }

    #[test]
    fn a_scaled_day_lasts_as_long_as_it_says() {
        let calendar = calendar(DayLength::Scaled { day_ms: 24_000 });
        let epoch = Timestamp::UNIX_EPOCH;
        assert_eq!(calendar.dispatch_due(epoch).timestamp_millis(), 30_000);
        assert_eq!(
            calendar
                .dispatch_due(at("1970-01-01T00:00:30Z"))
                .timestamp_millis(),
            54_000
        );
    }
}
