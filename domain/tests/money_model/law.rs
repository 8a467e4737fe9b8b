//! What is true of every order at every moment.

use domain::delivery::ShipmentStatus;
use domain::order::{Order, OrderStatus};
use domain::payment::{PaymentStatus, RefundReason};
use domain::return_request::ReturnStatus;

use crate::setup::{ITEMS, item, price};
use crate::world::{Standing, World};

impl World {
    pub fn check(&self) {
        self.check_units();
        let Some(order) = &self.order else {
            assert!(
                self.stock.iter().all(|stock| stock.held == 0),
                "units of no order"
            );
            return;
        };
        self.check_lines(order);
        self.check_ledgers_money(order);
        self.check_providers_money(order);
        self.check_parcel(order);
        self.check_returns(order);
        if self.is_quiet(order) {
            let has: i64 = self.at_provider().iter().sum();
            assert_eq!(
                has,
                self.says(),
                "money at the provider in {:?}",
                order.state
            );
        }
    }

    /// Every admitted unit is held by a line or back on sale.
    fn check_units(&self) {
        let holds = self
            .order
            .as_ref()
            .is_some_and(|order| order.status().holds());
        let kept = if holds { self.kept() } else { [0; ITEMS] };
        for (at, stock) in self.stock.iter().enumerate() {
            assert!(stock.is_sound(), "{stock:?}");
            assert_eq!(stock.held, i64::from(kept[at]), "units held of {at}");
            let counted = self.records.iter().flat_map(|record| &record.admissions);
            let mut ids = std::collections::BTreeSet::new();
            let counted =
                counted.filter(|one| self.counted.contains(&one.id) && ids.insert(one.id));
            let admitted: i64 = counted
                .flat_map(|admission| &admission.units)
                .filter(|units| units.item == item(at))
                .map(|units| i64::from(units.count))
                .sum();
            assert_eq!(stock.admitted, admitted, "admitted of {at}");
        }
    }

    fn check_lines(&self, order: &Order) {
        for (at, line) in order.lines.iter().enumerate() {
            assert_eq!(
                line.quantity.get(),
                2,
                "what was ordered stays what was ordered"
            );
            assert_eq!(line.cancelled, self.cancelled[at], "cancelled of line {at}");
            assert_eq!(line.returned, self.returned[at], "returned of line {at}");
        }
    }

    /// By the ledger's rows.
    fn check_ledgers_money(&self, order: &Order) {
        let mut has = 0;
        let mut kept = 0;
        for payment in &order.payments {
            let captured = payment.state.status() == PaymentStatus::Captured;
            let of_it = order
                .refunds
                .iter()
                .filter(|refund| refund.payment == payment.id);
            let back: i64 = of_it.clone().map(|refund| refund.amount.minor).sum();
            let is_stray = of_it
                .clone()
                .any(|one| one.reason == RefundReason::StrayCapture);
            assert!(captured || back == 0, "a refund of what nobody took");
            assert!(back <= payment.amount.minor, "more back than taken");
            assert!(
                !is_stray || back == payment.amount.minor,
                "a stray capture goes back whole"
            );
            assert!(!is_stray || of_it.count() == 1, "and once");
            kept += usize::from(captured && !is_stray);
            has += if captured {
                payment.amount.minor - back
            } else {
                0
            };
        }
        for refund in &order.refunds {
            assert!(
                order.payment(refund.payment).is_some(),
                "a refund of no payment"
            );
            assert!(refund.amount.minor > 0, "a refund of nothing");
        }
        assert!(kept <= 1, "paid twice");
        let is_paid = order.status() == OrderStatus::Paid;
        assert!(!is_paid || kept == 1, "paid by nobody");
        assert_eq!(has, self.says(), "money in {:?}", order.state);
    }

    /// What the provider has done, and what the ledger says of it.
    fn check_providers_money(&self, order: &Order) {
        for (at, payment) in order.payments.iter().enumerate() {
            let captured = payment.state.status() == PaymentStatus::Captured;
            assert!(!captured || self.provider[at].took, "captured by nobody");
        }
        for refund in &order.refunds {
            let given = self.given.contains(&refund.id);
            assert!(
                refund.completed_at.is_none() || given,
                "completed by nobody"
            );
        }
        assert!(
            self.at_provider().iter().all(|has| *has >= 0),
            "given without having it"
        );
    }

    fn check_parcel(&self, order: &Order) {
        let Some(shipment) = &order.shipment else {
            assert_ne!(order.status(), OrderStatus::Paid, "paid, and no parcel");
            return;
        };
        let goes = match shipment.status() {
            ShipmentStatus::Preparing | ShipmentStatus::InTransit | ShipmentStatus::Delivered => {
                OrderStatus::Paid
            }
            ShipmentStatus::Cancelled => OrderStatus::Cancelled,
        };
        assert_eq!(
            order.status(),
            goes,
            "a parcel that is {:?}",
            shipment.status()
        );
        let packed = price(std::array::from_fn(|at| 2 - self.cancelled[at]));
        assert!(goes != OrderStatus::Paid || packed > 0, "an empty parcel");
        let is_there = shipment.status() == ShipmentStatus::Delivered;
        assert_eq!(is_there, self.delivered.is_some());
    }

    fn check_returns(&self, order: &Order) {
        assert_eq!(order.returns.len(), self.returns.len());
        for (request, (standing, _)) in order.returns.iter().zip(&self.returns) {
            let is_open = request.state.status() == ReturnStatus::Requested;
            assert_eq!(is_open, matches!(standing, Standing::Open { .. }));
            assert!(
                self.delivered.is_some(),
                "a return of what was not delivered"
            );
        }
    }

    /// Whether everything that was said has been heard, and nothing is in flight.
    fn is_quiet(&self, order: &Order) -> bool {
        let heard = order
            .payments
            .iter()
            .zip(&self.provider)
            .all(|(payment, provider)| {
                !provider.took || payment.state.status() == PaymentStatus::Captured
            });
        let given = order
            .refunds
            .iter()
            .all(|refund| refund.completed_at.is_some());
        order.status() != OrderStatus::Paying && heard && given
    }

    /// What the provider has of each payment.
    fn at_provider(&self) -> Vec<i64> {
        let Some(order) = &self.order else {
            return Vec::new();
        };
        let payments = order.payments.iter().zip(&self.provider);
        payments
            .map(|(payment, provider)| {
                let given = order
                    .refunds
                    .iter()
                    .filter(|refund| refund.payment == payment.id);
                let given = given.filter(|refund| self.given.contains(&refund.id));
                let given: i64 = given.map(|refund| refund.amount.minor).sum();
                if provider.took {
                    payment.amount.minor - given
                } else {
                    -given
                }
            })
            .collect()
    }
}
