//! Every state of an order × every command: what happens, and that nothing else does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use domain::order::OrderStatus;
use domain::payment::DeclineReason;
use domain::refusal::Reason;
use support::{Command, Sample, after, calendar, new_ids, now, returns, samples};

/// One row a state, one column a command, in the order of [`Command::ALL`]. `-` means refused or
/// nothing to do; a state in parentheses stays, though something on the order moves.
const TABLE: &str = "
                      pay    captured  declined  late_capture late_decline expire  cancel    dispatch deliver  refunded
rejected              -      -         -         -            -            -       -         -        -        -
pending               PAYING -         -         -            -            EXPIRED CANCELLED -        -        -
pending_again         PAYING -         -         (returned)   -            EXPIRED CANCELLED -        -        -
paying                -      PAID      PENDING   -            -            -       -         -        -        -
paying_again          -      PAID      PENDING   (returned)   -            -       -         -        -        -
paid                  -      -         -         -            -            -       CANCELLED (moved)  -        -
paid_at_second_try    -      -         -         (returned)   -            -       CANCELLED (moved)  -        -
in_transit            -      -         -         -            -            -       -         -        (moved)  -
delivered             -      -         -         -            -            -       -         -        -        -
expired               -      -         -         -            -            -       -         -        -        -
expired_after_decline -      -         -         (returned)   -            -       -         -        -        -
payment_failed        -      -         -         (returned)   -            -       -         -        -        -
cancelled             -      -         -         -            -            -       -         -        -        -
cancelled_paid        -      -         -         -            -            -       -         -        -        (refunded)
cancelled_refunded    -      -         -         -            -            -       -         -        -        -
";

#[test]
fn every_state_meets_every_command_as_the_table_says() {
    let mut rows = TABLE.trim().lines();
    let columns: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
    assert_eq!(columns, Command::ALL.map(Command::name));
    let samples = samples();
    let mut seen = 0;
    for row in rows {
        let mut cells = row.split_whitespace();
        let name = cells.next().unwrap();
        let sample = samples
            .iter()
            .find(|sample| sample.name == name)
            .expect(name);
        for (command, expected) in Command::ALL.into_iter().zip(cells) {
            assert_eq!(
                outcome(sample, command),
                expected,
                "{name} × {}",
                command.name()
            );
            seen += 1;
        }
    }
    assert_eq!(
        seen,
        samples.len() * Command::ALL.len(),
        "the table has a cell for each pair"
    );
}

fn outcome(sample: &Sample, command: Command) -> &'static str {
    let Some(steps) = command.steps(&sample.order) else {
        return "-";
    };
    let step = &steps[0];
    let (from, to) = (sample.order.status(), step.next.status());
    if from == to {
        return match &step.event.what {
            domain::event::What::Order { happened, .. } => match happened {
                domain::event::OrderEvent::CaptureReturned { .. } => "(returned)",
                domain::event::OrderEvent::Refunded { .. } => "(refunded)",
                domain::event::OrderEvent::Dispatched | domain::event::OrderEvent::Delivered => {
                    "(moved)"
                }
                other => panic!("{other:?} keeps the state"),
            },
            other => panic!("{other:?} is no event of an order"),
        };
    }
    match to {
        OrderStatus::PendingPayment => "PENDING",
        OrderStatus::Paying => "PAYING",
        OrderStatus::Paid => "PAID",
        OrderStatus::Expired => "EXPIRED",
        OrderStatus::Cancelled => "CANCELLED",
        OrderStatus::PaymentFailed => "FAILED",
        OrderStatus::Accepted | OrderStatus::Rejected => panic!("no step leads to {to:?}"),
    }
}

#[test]
fn a_decline_offers_one_step_for_each_side_of_the_deadline() {
    let samples = samples();
    let paying = &samples
        .iter()
        .find(|sample| sample.name == "paying")
        .unwrap()
        .order;
    let payment = paying.payments[0].id;
    let [again, failed] = paying
        .declined(payment, DeclineReason::Refused, now())
        .unwrap();
    assert_eq!(again.guard.deadline, Some(domain::order::Deadline::Ahead));
    assert_eq!(again.next.status(), OrderStatus::PendingPayment);
    assert!(again.released.is_empty());
    assert_eq!(failed.guard.deadline, Some(domain::order::Deadline::Passed));
    assert_eq!(failed.next.status(), OrderStatus::PaymentFailed);
    assert_eq!(failed.released, paying.units());
}

#[test]
fn every_step_rises_by_one_version_names_what_it_saw_and_releases_when_it_stops_holding() {
    for sample in samples() {
        for command in Command::ALL {
            for step in command.steps(&sample.order).unwrap_or_default() {
                let pair = format!("{} × {}", sample.name, command.name());
                assert_eq!(step.next.version, sample.order.version + 1, "{pair}");
                assert_eq!(step.guard.status, sample.order.status(), "{pair}");
                let stops = sample.order.status().holds() && !step.next.status().holds();
                let released = if stops {
                    sample.order.units()
                } else {
                    Vec::new()
                };
                assert_eq!(step.released, released, "{pair}");
                let starts = !sample.order.status().holds() && step.next.status().holds();
                assert!(!starts, "{pair}: nothing that let go holds again");
            }
        }
    }
}

#[test]
fn what_is_refused_says_the_state_and_what_it_allows() {
    for sample in samples() {
        let permissions = sample.order.permissions((&returns(), &calendar()), now());
        for (permission, command) in permissions.iter().zip([Command::Pay, Command::Cancel]) {
            let open = command.steps(&sample.order).is_some();
            assert_eq!(
                permission.refused.is_none(),
                open,
                "{} × {}",
                sample.name,
                command.name()
            );
        }
        if let Err(reason) = sample.order.cancel(&[], new_ids().refund, now()) {
            let Reason::StateConflict { state, allowed } = reason.reason else {
                panic!("{reason:?}");
            };
            assert_eq!(state, sample.order.status());
            assert!(!allowed.contains(&domain::order::OrderAction::Cancel));
        }
    }
}

#[test]
fn a_step_decided_on_an_older_order_matches_no_row() {
    for sample in samples() {
        for first in Command::ALL {
            let Some(steps) = first.steps(&sample.order) else {
                continue;
            };
            let moved = after(&sample.order, &steps[0]).expect("a fresh step goes through");
            for second in Command::ALL {
                for stale in second.steps(&sample.order).unwrap_or_default() {
                    let end = after(&moved, &stale);
                    let (first, second) = (first.name(), second.name());
                    assert_eq!(
                        end, None,
                        "{}: {first} and then a stale {second}",
                        sample.name
                    );
                }
            }
        }
    }
}

#[test]
fn parcels_are_due_by_the_calendar() {
    let samples = samples();
    let paid = &samples
        .iter()
        .find(|sample| sample.name == "paid")
        .unwrap()
        .order;
    let due = paid.shipment.as_ref().unwrap().due().unwrap();
    assert_eq!(due, calendar().dispatch_due(now()));
}
