//! Any interleaving of commands, stale and repeated ones included: money and units come out right.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use domain::order::{Deadline, Order, OrderStatus, Transition};
use domain::payment::{PaymentState, RefundReason};
use proptest::prelude::*;
use support::{Command, commit, pending};

/// A step that was decided, perhaps long ago, or one that is decided and committed now.
#[derive(Clone, Debug)]
enum Act {
    /// Decides a command and keeps its steps for later.
    Decide(usize),
    /// Commits one of the steps that were kept, once more.
    Commit(prop::sample::Index),
    /// Decides and commits in one go.
    Do(usize),
    /// The time to pay runs out.
    TimeIsOver,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let command = 0..Command::ALL.len();
    let act = prop_oneof![
        3 => command.clone().prop_map(Act::Decide),
        4 => any::<prop::sample::Index>().prop_map(Act::Commit),
        5 => command.prop_map(Act::Do),
        1 => Just(Act::TimeIsOver),
    ];
    prop::collection::vec(act, 1..40)
}

struct World {
    order: Order,
    kept: Vec<Transition>,
    side: Deadline,
    /// How often the order's units went back on sale.
    releases: usize,
}

impl World {
    fn commit(&mut self, step: &Transition) {
        if let Some(next) = commit(&self.order, step, Some(self.side)) {
            self.releases += usize::from(!step.released.is_empty());
            self.order = next;
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::TimeIsOver => self.side = Deadline::Passed,
            Act::Decide(command) => {
                let steps = Command::ALL[*command].steps(&self.order);
                self.kept.extend(steps.unwrap_or_default());
            }
            Act::Commit(index) if !self.kept.is_empty() => {
                let step = index.get(&self.kept).clone();
                self.commit(&step);
            }
            Act::Commit(_) => {}
            Act::Do(command) => {
                for step in Command::ALL[*command]
                    .steps(&self.order)
                    .unwrap_or_default()
                {
                    self.commit(&step);
                }
            }
        }
    }

    fn check(&self) {
        let order = &self.order;
        let captured: Vec<_> = order
            .payments
            .iter()
            .filter(|payment| matches!(payment.state, PaymentState::Captured { .. }))
            .collect();
        let refund_of = |payment, reason| {
            order
                .refunds
                .iter()
                .filter(|r| r.payment == payment && r.reason == reason)
                .count()
        };
        let mut kept = 0;
        for payment in &captured {
            let stray = refund_of(payment.id, RefundReason::StrayCapture);
            let cancelled = refund_of(payment.id, RefundReason::Cancelled);
            assert!(stray + cancelled <= 1, "given back twice");
            kept += 1 - stray - cancelled;
        }
        assert_eq!(
            order.refunds.len(),
            captured.len() - kept,
            "a refund of nothing"
        );
        let keeps = usize::from(order.status() == OrderStatus::Paid);
        assert_eq!(kept, keeps, "money kept in {:?}", order.status());
        let released = usize::from(!order.status().holds());
        assert_eq!(self.releases, released, "units in {:?}", order.status());
        let shipped = order.shipment.as_ref().is_some_and(|s| {
            matches!(
                s.status(),
                domain::delivery::ShipmentStatus::InTransit
                    | domain::delivery::ShipmentStatus::Delivered
            )
        });
        assert!(
            !shipped || order.status() == OrderStatus::Paid,
            "an unpaid order ships"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn money_and_units_come_out_right(acts in acts()) {
        let mut world =
            World { order: pending(), kept: Vec::new(), side: Deadline::Ahead, releases: 0 };
        for act in &acts {
            world.act(act);
            world.check();
        }
    }
}
