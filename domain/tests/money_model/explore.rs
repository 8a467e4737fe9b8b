//! Every state within bounds, once.

use std::collections::{BTreeSet, HashSet};

use domain::delivery::{Shipment, ShipmentStatus};
use domain::order::{Order, OrderStatus};
use domain::payment::PaymentStatus;
use domain::{AdmissionId, PaymentId, Timestamp};

use crate::act::Bounds;
use crate::setup::LINES;
use crate::world::{AtProvider, Standing, World};

/// What an exploration came across.
#[derive(Default)]
pub struct Seen {
    pub states: usize,
    pub steps: usize,
    pub statuses: HashSet<OrderStatus>,
    pub kinds: BTreeSet<&'static str>,
}

/// Goes everywhere from `world`, trying every act in every state.
pub fn explore(world: &World, bounds: &Bounds) -> Seen {
    let mut seen = Seen::default();
    let mut known = HashSet::from([key(world)]);
    let mut open = vec![world.clone()];
    while let Some(world) = open.pop() {
        seen.states += 1;
        seen.statuses
            .extend(world.order.as_ref().map(Order::status));
        for act in world.acts(bounds) {
            let allowed = world.allows(act);
            let next = world.after(act);
            assert_eq!(next.is_some(), allowed, "{act:?} of {:#?}", world.order);
            let Some(next) = next else { continue };
            next.check();
            seen.steps += 1;
            seen.kinds.insert(act.kind());
            if known.insert(key(&next)) {
                open.push(next);
            }
        }
    }
    seen
}

/// What tells a state from others, as far as anything that can still happen depends on it: not how
/// often the order was changed, and not in which order its refunds came.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    time: usize,
    counted: Vec<AdmissionId>,
    due: Option<Timestamp>,
    order: Option<OrderKey>,
}

#[derive(PartialEq, Eq, Hash)]
struct OrderKey {
    status: OrderStatus,
    shipment: Option<ShipmentStatus>,
    paid: Option<i64>,
    delivered: Option<i64>,
    gone: [[u32; LINES]; 2],
    payments: Vec<(PaymentStatus, i64, AtProvider)>,
    refunds: Vec<RefundKey>,
    by_hand: (usize, i64),
    returns: Vec<(Standing, [u32; LINES])>,
}

/// A refund by its payment, its amount, why it was asked for, and how far it is.
type RefundKey = (PaymentId, i64, u8, bool, bool);

fn key(world: &World) -> Key {
    Key {
        time: world.time,
        counted: world.counted.iter().copied().collect(),
        due: world.due,
        order: world.order.as_ref().map(|order| order_key(world, order)),
    }
}

fn order_key(world: &World, order: &Order) -> OrderKey {
    let payments = order.payments.iter().zip(&world.provider);
    let refunds = order.refunds.iter().map(|refund| {
        let given = world.given.contains(&refund.id);
        let heard = refund.completed_at.is_some();
        (
            refund.payment,
            refund.amount.minor,
            refund.reason as u8,
            given,
            heard,
        )
    });
    // Of one that is settled it does not matter any more what it was of.
    let returns = world
        .returns
        .iter()
        .map(|(standing, units)| match standing {
            Standing::Open { .. } => (*standing, *units),
            Standing::Settled => (*standing, [0; LINES]),
        });
    let mut refunds: Vec<RefundKey> = refunds.collect();
    refunds.sort_unstable();
    OrderKey {
        status: order.status(),
        shipment: order.shipment.as_ref().map(Shipment::status),
        paid: world.paid,
        delivered: world.delivered,
        gone: [world.cancelled, world.returned],
        payments: payments
            .map(|(payment, at)| (payment.state.status(), payment.amount.minor, *at))
            .collect(),
        refunds,
        by_hand: (world.by_hands, world.by_hand),
        returns: returns.collect(),
    }
}
