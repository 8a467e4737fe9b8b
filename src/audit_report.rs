//! An audit for people, invariant by invariant, and for machines.

use std::io;

use domain::order::OrderStatus;
use domain::use_cases::audit::{AuditReport, Finding, MOST_FINDINGS, Pipeline};
use serde_json::{Value, json};

/// The invariants of the order path by their numbers, from 1.
const INVARIANTS: [&str; 6] = [
    "held units fit their total, and are what the orders hold",
    "every admission is counted once, and no buyer holds more than the limit",
    "the gate counts what the ledger counts",
    "every order that was answered is in the ledger",
    "every paid order was captured once, every refund is due",
    "no order waits for its payment past its time",
];
const GATE: u8 = 3;
const ANSWERED: u8 = 4;
const PAID_IN_TIME: u8 = 6;

/// What a crowd found out about the orders that it was answered: only who was answered can know.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// Orders whose ids were answered.
    pub orders: u64,
    /// Of them, those that could not be found afterwards.
    pub missing: u64,
}

/// How an invariant stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Holds,
    Broken,
    NotChecked(&'static str),
}

/// Whether nothing is broken.
pub fn is_clean(report: &AuditReport, answered: Option<Answered>) -> bool {
    report.is_clean() && answered.is_none_or(|answered| answered.missing == 0)
}

/// Prints the audit for people. `answered` is there after a crowd.
///
/// # Errors
/// `out` can't be written to.
pub fn print(
    report: &AuditReport,
    answered: Option<Answered>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let AuditReport {
        items,
        payments,
        dead_letters,
        ..
    } = report;
    let orders = report.orders.iter().map(|(_, count)| count).sum::<u64>();
    writeln!(
        out,
        "audit of {items} items, {orders} orders, {payments} payments"
    )?;
    for (number, invariant) in (1..).zip(INVARIANTS) {
        let standing = match standing(report, answered, number) {
            Standing::Holds => "ok".to_owned(),
            Standing::Broken => "BROKEN".to_owned(),
            Standing::NotChecked(why) => format!("not checked: {why}"),
        };
        writeln!(out, "  {number}  {invariant}: {standing}")?;
        for finding in findings(report, number) {
            writeln!(out, "       {}: {}", finding.subject, finding.detail)?;
        }
        if let Some(Answered { orders, missing }) = answered.filter(|_| number == ANSWERED) {
            writeln!(
                out,
                "       {orders} orders were answered, {missing} of them could not be found"
            )?;
        }
    }
    if report.findings.len() == MOST_FINDINGS {
        writeln!(
            out,
            "there may be more: {MOST_FINDINGS} findings are the most that are listed"
        )?;
    }
    let by_state = report
        .orders
        .iter()
        .map(|(status, count)| format!("{} {count}", name(*status)));
    writeln!(
        out,
        "orders by state: {}",
        by_state.collect::<Vec<_>>().join(", ")
    )?;
    if *dead_letters > 0 {
        writeln!(out, "{dead_letters} records are put aside for an operator")?;
    }
    let verdict = if is_clean(report, answered) {
        "clean"
    } else {
        "BROKEN"
    };
    writeln!(out, "audit: {verdict}")
}

/// The same for machines.
pub fn to_json(report: &AuditReport, answered: Option<Answered>) -> Value {
    let invariants = (1..).zip(INVARIANTS).map(|(number, invariant)| {
        let standing = standing(report, answered, number);
        let findings = findings(report, number).map(
            |finding| json!({ "subject": finding.subject.to_string(), "detail": finding.detail }),
        );
        json!({
            "number": number,
            "invariant": invariant,
            "checked": !matches!(standing, Standing::NotChecked(_)),
            "holds": match standing {
                Standing::Holds => Some(true),
                Standing::Broken => Some(false),
                Standing::NotChecked(_) => None,
            },
            "findings": findings.collect::<Vec<_>>(),
        })
    });
    let orders = report
        .orders
        .iter()
        .map(|(status, count)| (name(*status).to_owned(), json!(count)));
    json!({
        "clean": is_clean(report, answered),
        "quiet": report.pipeline == Pipeline::AtRest,
        "items": report.items,
        "payments": report.payments,
        "deadLetters": report.dead_letters,
        "orders": orders.collect::<serde_json::Map<_, _>>(),
        "answeredOrders": answered.map(|answered| answered.orders),
        "missingOrders": answered.map(|answered| answered.missing),
        "invariants": invariants.collect::<Vec<_>>(),
    })
}

fn findings(report: &AuditReport, number: u8) -> impl Iterator<Item = &Finding> {
    report
        .findings
        .iter()
        .filter(move |finding| finding.invariant == number)
}

fn standing(report: &AuditReport, answered: Option<Answered>, number: u8) -> Standing {
    let is_missing = number == ANSWERED && answered.is_some_and(|answered| answered.missing > 0);
    if is_missing || findings(report, number).next().is_some() {
        return Standing::Broken;
    }
    match number {
        GATE if report.pipeline == Pipeline::Busy => {
            Standing::NotChecked("orders are still on their way")
        }
        GATE | PAID_IN_TIME if report.pipeline == Pipeline::Stopped => {
            Standing::NotChecked("the shop is stopped")
        }
        ANSWERED if answered.is_none() => {
            Standing::NotChecked("only a rehearsal knows what was answered")
        }
        _ => Standing::Holds,
    }
}

/// The state as the API spells it.
pub fn name(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Accepted => "ACCEPTED",
        OrderStatus::Rejected => "REJECTED",
        OrderStatus::PendingPayment => "PENDING_PAYMENT",
        OrderStatus::Paying => "PAYING",
        OrderStatus::Paid => "PAID",
        OrderStatus::Expired => "EXPIRED",
        OrderStatus::PaymentFailed => "PAYMENT_FAILED",
        OrderStatus::Cancelled => "CANCELLED",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn report(findings: Vec<Finding>, pipeline: Pipeline) -> AuditReport {
        AuditReport {
            findings,
            pipeline,
            items: 3,
            orders: vec![(OrderStatus::Paid, 5), (OrderStatus::Expired, 2)],
            payments: 5,
            dead_letters: 0,
        }
    }

    fn printed(report: &AuditReport, answered: Option<Answered>) -> String {
        let mut out = Vec::new();
        print(report, answered, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_clean_audit_says_what_it_could_not_check() {
        let report = report(Vec::new(), Pipeline::Busy);
        insta::assert_snapshot!(printed(&report, None), @r#"
        audit of 3 items, 7 orders, 5 payments
          1  held units fit their total, and are what the orders hold: ok
          2  every admission is counted once, and no buyer holds more than the limit: ok
          3  the gate counts what the ledger counts: not checked: orders are still on their way
          4  every order that was answered is in the ledger: not checked: only a rehearsal knows what was answered
          5  every paid order was captured once, every refund is due: ok
          6  no order waits for its payment past its time: ok
        orders by state: PAID 5, EXPIRED 2
        audit: clean
        "#);
        let json = to_json(&report, None);
        assert_eq!(
            (&json["clean"], &json["invariants"][2]["holds"]),
            (&json!(true), &Value::Null)
        );
    }

    #[test]
    fn what_is_broken_stands_under_its_invariant() {
        let finding = Finding {
            invariant: 1,
            subject: Uuid::from_u128(7),
            detail: "held 5 of total 4".to_owned(),
        };
        let (report, answered) = (
            report(vec![finding], Pipeline::AtRest),
            Answered {
                orders: 9,
                missing: 0,
            },
        );
        insta::assert_snapshot!(printed(&report, Some(answered)), @r#"
        audit of 3 items, 7 orders, 5 payments
          1  held units fit their total, and are what the orders hold: BROKEN
               00000000-0000-0000-0000-000000000007: held 5 of total 4
          2  every admission is counted once, and no buyer holds more than the limit: ok
          3  the gate counts what the ledger counts: ok
          4  every order that was answered is in the ledger: ok
               9 orders were answered, 0 of them could not be found
          5  every paid order was captured once, every refund is due: ok
          6  no order waits for its payment past its time: ok
        orders by state: PAID 5, EXPIRED 2
        audit: BROKEN
        "#);
        let json = to_json(&report, Some(answered));
        assert_eq!(
            json["invariants"][0],
            json!({
                "number": 1,
                "invariant": "held units fit their total, and are what the orders hold",
                "checked": true,
                "holds": false,
                "findings": [{
                    "subject": "00000000-0000-0000-0000-000000000007",
                    "detail": "held 5 of total 4",
                }],
            })
        );
        assert_eq!(json["orders"], json!({ "PAID": 5, "EXPIRED": 2 }));
        assert_eq!(
            (&json["clean"], &json["answeredOrders"]),
            (&json!(false), &json!(9))
        );
    }

    #[test]
    fn an_order_that_is_missing_breaks_the_fourth() {
        let report = report(Vec::new(), Pipeline::AtRest);
        let answered = Some(Answered {
            orders: 9,
            missing: 1,
        });
        assert!(report.is_clean() && !is_clean(&report, answered));
        assert!(printed(&report, answered).contains("in the ledger: BROKEN"));
        assert_eq!(
            to_json(&report, answered)["invariants"][3]["holds"],
            json!(false)
        );
    }
}
