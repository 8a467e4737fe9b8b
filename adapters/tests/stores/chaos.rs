//! Any sequence of batches and steps, of news that come late, twice or out of order, leaves the
//! counts in agreement.

mod acts;

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use domain::gate::Telling;
use domain::message::{OrderRecord, Verdict};
use domain::order::{Order, OrderState, OrderStatus, Portion, Transition};
use domain::payment::DeclineReason;
use domain::policy::ReturnPolicy;
use domain::ports::orders::Committed;
use domain::{AdmissionId, ItemId, OrderId, Quantity, ReturnId, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use acts::{Act, act};

use super::bench::{Bench, admitted_again, at, calendar, method, new_ids, payment_id, record};

/// Returns at any time.
const FOR_EVER: ReturnPolicy = ReturnPolicy {
    days_to_request: 1_000_000,
    days_to_complete: 1,
};

fn portion(line: u128, units: i64) -> Portion {
    Portion {
        line: u32::try_from(line).unwrap(),
        quantity: Quantity::new(units).unwrap(),
    }
}

/// What a run remembers of itself.
struct Run {
    bench: Bench,
    items: [ItemId; 3],
    records: Vec<OrderRecord>,
    /// Every state that was ever seen of an order.
    seen: HashMap<OrderId, Vec<Order>>,
    admissions: HashSet<AdmissionId>,
    /// Units ever admitted, each admission once.
    admitted: HashMap<ItemId, i64>,
    events: u64,
    fresh: u128,
}

/// Runs many sequences on one ledger, each with items and orders of its own.
pub async fn whatever_happens_the_counts_agree(bench: Bench) {
    const RUNS: usize = 40;
    let mut runner = TestRunner::deterministic();
    let acts = prop::collection::vec(act(), 5..40);
    let mut run = Run {
        bench,
        items: [ItemId(uuid::Uuid::nil()); 3],
        records: Vec::new(),
        seen: HashMap::new(),
        admissions: HashSet::new(),
        admitted: HashMap::new(),
        events: 0,
        fresh: 1_000,
    };
    let mut reached = HashSet::new();
    let (mut cancelled, mut returned) = (0, 0);
    for number in 0..RUNS {
        run.begin(number as u128).await;
        let acts = acts.new_tree(&mut runner).unwrap().current();
        for act in &acts {
            run.act(act).await;
            run.check(act).await;
        }
        reached.extend(run.seen.values().flatten().map(Order::status));
        let lines = run.seen.values().flatten().flat_map(|order| &order.lines);
        for line in lines {
            cancelled += u64::from(line.cancelled);
            returned += u64::from(line.returned);
        }
    }
    assert!(
        cancelled > 0 && returned > 0,
        "{cancelled} units cancelled, {returned} returned: it proves too little"
    );
    for status in OrderStatus::IN_LEDGER {
        // It takes a payment that begins just before the order's time is over.
        let is_sure = run.bench.time_waits || status != OrderStatus::PaymentFailed;
        assert!(
            !is_sure || reached.contains(&status),
            "no run came to {status:?}: it proves too little"
        );
    }
}

impl Run {
    fn fresh(&mut self) -> u128 {
        self.fresh += 1;
        self.fresh
    }

    async fn begin(&mut self, number: u128) {
        let base = number * 10;
        self.items = [
            self.bench.deal(base + 1, 6, Some(4)).await,
            self.bench.deal(base + 2, 8, None).await,
            self.bench.general(base + 3, 10).await,
        ];
        self.events += 3;
        self.records.clear();
        self.seen.clear();
    }

    async fn act(&mut self, act: &Act) {
        match act {
            Act::Batch {
                orders,
                again,
                hold_ms,
                withdrawn,
            } => {
                self.batch(orders, *again, *hold_ms, *withdrawn).await;
            }
            Act::Steps { orders, stale } => self.steps(orders, *stale).await,
            Act::Restock { item, change } => self.restock(*item, *change).await,
            Act::TimePasses => {
                (self.bench.pass_time)();
            }
        }
    }

    async fn batch(
        &mut self,
        orders: &[(u8, u8, u8)],
        again: Option<u8>,
        hold_ms: i64,
        withdrawn: bool,
    ) {
        let mut records = Vec::new();
        for (buyer, item, units) in orders {
            let (one, other) = (usize::from(*item), usize::from(*units) % 3);
            let lines = [(self.items[one], i64::from(*units)), (self.items[other], 1)];
            let mut record = record(self.fresh(), u128::from(*buyer), &lines);
            if withdrawn {
                record.verdict = Verdict::Withdrawn;
            }
            records.push(record);
        }
        if let Some(again) = again
            && !self.records.is_empty()
        {
            let old = self.records[usize::from(again) % self.records.len()].clone();
            let number = self.fresh();
            records.push(admitted_again(&old, number));
            records.push(old);
        }
        for record in &records {
            for admission in &record.admissions {
                if self.admissions.insert(admission.id) {
                    for units in &admission.units {
                        *self.admitted.entry(units.item).or_default() += i64::from(units.count);
                    }
                }
            }
        }
        let tellings = self.bench.write_holding(&records, hold_ms).await;
        self.check_tellings(&tellings).await;
        for record in &records {
            let id = record.draft.order;
            let order = self.bench.order(id).await;
            let seen = self.seen.entry(id).or_default();
            if seen.is_empty() {
                self.events += 1;
                seen.push(order);
            }
        }
        self.records.extend(records);
    }

    async fn steps(&mut self, orders: &[(u8, u8)], stale: bool) {
        let mut ids: Vec<OrderId> = self.seen.keys().copied().collect();
        ids.sort();
        if ids.is_empty() {
            return;
        }
        let mut steps = Vec::new();
        for (which, what) in orders {
            let seen = &self.seen[&ids[usize::from(*which) % ids.len()]];
            let old = usize::from(*what) % seen.len();
            let order = if stale {
                &seen[old]
            } else {
                &seen[seen.len() - 1]
            }
            .clone();
            // Only who sees the last state may go on from a step that is not committed yet.
            let others: Vec<_> = steps.iter().map(|step: &Transition| step.next.id).collect();
            let mut decided = self.decide(&order, *what);
            if stale || others.contains(&order.id) {
                decided.truncate(1);
            }
            steps.extend(decided);
        }
        let outcomes = self.bench.orders.commit(&steps).await.unwrap();
        for (step, outcome) in steps.iter().zip(outcomes) {
            match outcome {
                Committed::Done(tellings) => {
                    self.events += 1;
                    self.check_tellings(&tellings).await;
                    self.seen
                        .get_mut(&step.next.id)
                        .unwrap()
                        .push(step.next.clone());
                }
                Committed::Conflict => {}
                Committed::KeyTaken => panic!("no step has a key"),
            }
        }
    }

    /// What somebody may want of an order as they saw it.
    fn decide(&mut self, order: &Order, what: u8) -> Vec<Transition> {
        let fresh = self.fresh();
        let new = new_ids(fresh);
        let now = at(i64::try_from(fresh).unwrap());
        let attempt = order.payments.last().map(|payment| payment.id);
        match what % 13 {
            0 | 1 => order
                .pay(payment_id(fresh), method(), None, now)
                .into_iter()
                .collect(),
            2 | 3 => {
                let captured = attempt.and_then(|id| order.captured(id, &calendar(), new, now));
                captured.into_iter().collect()
            }
            4 | 11 | 12 => {
                let reason = DeclineReason::Abandoned;
                let declined = attempt.and_then(|id| order.declined(id, reason, now));
                declined.into_iter().flatten().collect()
            }
            5 => order.expire(now).into_iter().collect(),
            6 => order.cancel(&[], new.refund, now).into_iter().collect(),
            7 => {
                let part = portion(fresh % 2, 1);
                let step = order.cancel(&[part], new.refund, now);
                step.into_iter().collect()
            }
            // Several at once, as when what was missed is caught up.
            _ => {
                let mut steps: Vec<Transition> = Vec::new();
                for _ in 0..=what % 5 {
                    let seen = steps.last().map_or(order, |step| &step.next).clone();
                    steps.extend(self.goes_on(&seen, now));
                }
                steps
            }
        }
    }

    /// What comes next of an order that nobody gives up: payment, parcel, return, refund.
    fn goes_on(&mut self, order: &Order, now: Timestamp) -> Option<Transition> {
        let fresh = self.fresh();
        let open = order
            .refunds
            .iter()
            .find(|refund| refund.completed_at.is_none());
        let refunded = || open.and_then(|refund| order.refunded(refund.id, now));
        let completed = || {
            let request = order.returns.last()?.id;
            order.complete_return(request, new_ids(fresh).refund, true, now)
        };
        let requested = || {
            let id = ReturnId(super::bench::id(9, fresh));
            let asked = (&[portion(fresh % 2, 1)][..], "changed my mind");
            let rules = (&FOR_EVER, &calendar());
            order.request_return(id, asked, rules, now).ok()
        };
        let captured = || {
            let attempt = order.payments.last()?.id;
            order.captured(attempt, &calendar(), new_ids(fresh), now)
        };
        // A day of this calendar is a second.
        let days_later = |days| now + TimeDelta::seconds(days);
        let paying = order.pay(payment_id(fresh), method(), None, now);
        paying
            .ok()
            .or_else(captured)
            .or_else(|| order.dispatch("T".to_owned(), &calendar(), days_later(1)))
            .or_else(|| order.deliver(days_later(2)))
            .or_else(refunded)
            .or_else(completed)
            .or_else(requested)
    }

    async fn restock(&mut self, item: u8, change: i8) {
        let id = self.items[usize::from(item)];
        let fresh = self.fresh();
        let key = domain::order::KeyUse {
            requester: super::bench::buyer(1),
            mutation: "restockItem",
            key: domain::IdempotencyKey(super::bench::id(8, fresh)),
            fingerprint: domain::gate::Fingerprint(1),
            subject: id.0,
        };
        let written = self
            .bench
            .catalogue
            .restock(id, i64::from(change), at(1), &key, None)
            .await;
        if matches!(
            written.unwrap(),
            domain::ports::catalogue::ItemWritten::Done { .. }
        ) {
            self.events += 1;
        }
    }

    /// What the gate is told is what the ledger has.
    async fn check_tellings(&self, tellings: &[Telling]) {
        for telling in tellings {
            let now = self
                .bench
                .catalogue
                .tellings(&[telling.item])
                .await
                .unwrap();
            assert_eq!(
                (telling.admitted, telling.terms),
                (now[0].admitted, now[0].terms)
            );
            for count in &telling.buyers {
                assert!(
                    now[0].buyers.contains(count),
                    "{count:?} is not in {:?}",
                    now[0].buyers
                );
            }
        }
    }

    async fn check(&self, act: &Act) {
        for figures in self.bench.audit.stock(None, 1_000).await.unwrap() {
            assert!(figures.stock.is_sound(), "{figures:?} after {act:?}");
            assert_eq!(
                figures.stock.held, figures.held_by_lines,
                "{figures:?} after {act:?}"
            );
            let admitted = self.admitted.get(&figures.item).copied().unwrap_or(0);
            assert_eq!(figures.stock.admitted, admitted, "after {act:?}");
            assert!(figures.is_explained(), "{figures:?} after {act:?}");
        }
        assert_eq!(
            self.bench.audit.buyers_off(9).await.unwrap(),
            [],
            "after {act:?}"
        );
        assert_eq!(
            self.bench.events().await,
            self.events,
            "one step, one event: {act:?}"
        );
        let ids: Vec<OrderId> = self.seen.keys().copied().collect();
        let orders = self.bench.orders.orders(&ids).await.unwrap();
        assert_eq!(orders.len(), ids.len());
        for order in orders {
            assert_eq!(Some(&order), self.seen[&order.id].last(), "after {act:?}");
            if let OrderState::Paid { payment, .. } = order.state {
                assert!(order.payment(payment).is_some() && order.shipment.is_some());
            }
        }
    }
}
