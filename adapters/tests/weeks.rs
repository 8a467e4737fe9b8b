//! Weeks of parcels and returns in seconds, by a clock that is told the time: in zones that move
//! their clocks, with runs that come late, twice, and side by side.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "each test binary uses its part of the bench")]
mod stores {
    pub mod bench;
    pub mod sqlite;
}
#[path = "support/ports.rs"]
mod support;

use std::sync::Arc;

use adapters::clock::ManualClock;
use async_trait::async_trait;
use chrono::{Days, NaiveDate, TimeDelta, TimeZone};
use chrono_tz::Tz;
use domain::delivery::{DayLength, DeliveryCalendar, ShipmentState};
use domain::order::Order;
use domain::policy::ReturnPolicy;
use domain::ports::mail::Letter;
use domain::ports::{Mailer, Ports};
use domain::return_request::ReturnState;
use domain::use_cases::complete_returns::complete_returns;
use domain::use_cases::move_shipments::move_shipments;
use domain::{Fault, ItemId, ReturnId, Timestamp};
use stores::bench::{Bench, id, method, new_ids, order_id, payment_id, record};
use stores::sqlite;
use tempfile::TempDir;

/// Nobody gets letters here.
struct NoPost;

#[async_trait]
impl Mailer for NoPost {
    async fn send(&self, _: &Letter) -> Result<(), Fault> {
        Ok(())
    }
}

struct Shop {
    bench: Bench,
    ports: Ports,
    clock: Arc<ManualClock>,
    zone: Tz,
    item: ItemId,
    _folder: TempDir,
}

/// The hour at which parcels move.
const HOUR: u32 = 6;

impl Shop {
    async fn open(zone: Tz, begin: Timestamp) -> Self {
        let (bench, folder) = sqlite::open().await;
        let clock = Arc::new(ManualClock::new(begin));
        let calendar = DeliveryCalendar {
            day: DayLength::Calendar(zone),
            hour: HOUR,
            days_to_dispatch: 1,
            days_to_deliver: 1,
        };
        let returns = ReturnPolicy {
            days_to_request: 1,
            days_to_complete: 1,
        };
        let rules = support::policies(calendar, returns);
        let ports = support::ports((&bench, &folder), clock.clone(), Arc::new(NoPost), rules);
        let ports = ports.await;
        let item = bench.general(1, 1_000).await;
        Self {
            bench,
            ports,
            clock,
            zone,
            item,
            _folder: folder,
        }
    }

    /// An order of two units that is paid now.
    async fn paid(&self, number: u128) -> Order {
        let lines = [(self.item, 2)];
        self.bench.write(&[record(number, number, &lines)]).await;
        let now = self.ports.clock.now();
        let order = self.bench.order(order_id(number)).await;
        let pay = order.pay(payment_id(number), method(), None, now).unwrap();
        let order = self.bench.done(&pay).await;
        let calendar = &self.ports.policies.calendar;
        let captured = order.captured(payment_id(number), calendar, new_ids(number), now);
        self.bench.done(&captured.unwrap()).await
    }

    /// A round of the workers of two processes at once; a second one finds nothing left to do.
    async fn round(&self) {
        let both = [&self.ports, &self.ports];
        for ports in both {
            let (one, other) = tokio::join!(move_shipments(ports, 50), move_shipments(ports, 50));
            one.and(other).unwrap();
            let (one, other) =
                tokio::join!(complete_returns(ports, 50), complete_returns(ports, 50));
            one.and(other).unwrap();
        }
    }

    fn date(&self, at: Timestamp) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The moving hour of a date, as the zone's clocks show it.
    fn moving(&self, date: NaiveDate) -> Timestamp {
        let local = date.and_hms_opt(HOUR, 0, 0).unwrap();
        self.zone.from_local_datetime(&local).unwrap().to_utc()
    }
}

fn days_after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Three weeks around a change of the clocks, an order every eleven hours, a run every hour.
async fn every_parcel_moves_on_its_day(zone: Tz, begin: &str) {
    let shop = Shop::open(zone, at(begin)).await;
    let mut paid: Vec<(u128, Timestamp)> = Vec::new();
    for hour in 0..21 * 24 {
        if hour % 11 == 0 && hour < 18 * 24 {
            let number = u128::try_from(paid.len()).unwrap() + 1;
            shop.paid(number).await;
            paid.push((number, shop.ports.clock.now()));
        }
        shop.clock.advance_ms(3_600_000);
        shop.round().await;
    }
    assert!(paid.len() > 35, "{} orders", paid.len());
    for (number, paid_at) in paid {
        let order = shop.bench.order(order_id(number)).await;
        let day = shop.date(paid_at);
        let ShipmentState::Delivered {
            dispatched_at,
            delivered_at,
            ..
        } = order.shipment.as_ref().unwrap().state
        else {
            panic!("{order:?} is not delivered");
        };
        let within = TimeDelta::hours(1);
        for (moved, days) in [(dispatched_at, 1), (delivered_at, 2)] {
            let due = shop.moving(days_after(day, days));
            assert!(
                due <= moved && moved < due + within,
                "paid {paid_at}, moved {moved} instead of {due}"
            );
        }
        assert_eq!(
            order.version, 5,
            "placed, paying, paid, dispatched, delivered: each once"
        );
    }
}

#[tokio::test]
async fn in_seoul() {
    every_parcel_moves_on_its_day(chrono_tz::Asia::Seoul, "2026-03-02T01:17:00Z").await;
}

#[tokio::test]
async fn where_a_night_loses_an_hour() {
    every_parcel_moves_on_its_day(chrono_tz::Europe::Berlin, "2026-03-20T01:17:00Z").await;
}

#[tokio::test]
async fn where_a_night_gains_an_hour() {
    every_parcel_moves_on_its_day(chrono_tz::America::New_York, "2026-10-23T01:17:00Z").await;
}

#[tokio::test]
async fn days_that_were_missed_are_caught_up() {
    let shop = Shop::open(chrono_tz::Asia::Seoul, at("2026-03-02T01:17:00Z")).await;
    let order = shop.paid(1).await;
    // Nobody ran for a week; then one round does what two days would have.
    shop.clock.advance_ms(7 * 24 * 3_600_000);
    let back = shop.ports.clock.now();
    shop.round().await;
    let order = shop.bench.order(order.id).await;
    let ShipmentState::Delivered {
        dispatched_at,
        delivered_at,
        ..
    } = order.shipment.as_ref().unwrap().state
    else {
        panic!("{order:?} is not delivered");
    };
    assert_eq!(
        (dispatched_at, delivered_at),
        (back, back),
        "as it was, not as it should have been"
    );

    // The days to give it back count from the day it really came.
    let (policies, now) = (&shop.ports.policies, shop.ports.clock.now());
    let rules = (&policies.returns, &policies.calendar);
    let request = ReturnId(id(9, 1));
    let asked = (&[][..], "it came a week late");
    let step = order.request_return(request, asked, rules, now).unwrap();
    let order = shop.bench.done(&step).await;
    let due = shop.moving(days_after(shop.date(now), 1));
    assert_eq!(
        order.returns[0].state,
        ReturnState::Requested {
            completion_due: due
        }
    );
    shop.round().await;
    assert_eq!(shop.bench.stock(shop.item).await.held, 2, "it is not due");
    shop.clock.advance_ms(9 * 24 * 3_600_000);
    shop.round().await;
    shop.round().await;
    let order = shop.bench.order(order.id).await;
    assert_eq!(
        order.returns[0].state,
        ReturnState::Completed {
            at: shop.ports.clock.now()
        }
    );
    assert_eq!((order.refunds.len(), order.lines[0].returned), (1, 2));
    assert_eq!(shop.bench.stock(shop.item).await.held, 0);
    for figures in shop.bench.audit.stock(None, 9).await.unwrap() {
        assert!(
            figures.is_explained() && figures.stock.is_sound(),
            "{figures:?}"
        );
    }
}
