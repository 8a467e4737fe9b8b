//! Any interleaving of what buyers, operators, workers and the provider do to an order, with whatever
//! is told twice, late or out of order: money and units come out right.
//!
//! For every order the money that was taken less what was given back is what its state says, and
//! every unit is held or back on sale, once. Small bounds are explored to the end, from every state
//! with every act; beyond them chance goes on. What is allowed is said a second time in `rules`, so
//! that an order that refuses too much is noticed as well.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod act;
mod decide;
mod explore;
mod law;
#[path = "../support/ledger.rs"]
mod ledger;
mod rules;
mod setup;
mod world;

use act::{Act, Bounds};
use domain::order::{OrderStatus, Transition};
use explore::explore;
use proptest::prelude::*;
use proptest::sample::Index;
use setup::Copy;
use world::World;

/// Two payments that each may be taken, declined, and taken after all, with cancellations of the
/// whole and of a unit.
const PAYING: Bounds = Bounds {
    payments: 2,
    portions: &[&[], &[(0, 1)]],
    by_hand: &[],
    most_by_hand: 0,
    returns: 0,
    in_turn: false,
};

/// One payment, and everything that can come after it.
const AFTERWARDS: Bounds = Bounds {
    payments: 1,
    portions: &[&[], &[(0, 1)], &[(1, 2)]],
    by_hand: &[400],
    most_by_hand: 1,
    returns: 2,
    in_turn: true,
};

/// All of it together, with less of each.
const TOGETHER: Bounds = Bounds {
    payments: 2,
    portions: &[&[], &[(0, 1)]],
    by_hand: &[400],
    most_by_hand: 1,
    returns: 1,
    in_turn: true,
};

/// More of everything, for walks that are too many to take all of them.
const LARGE: Bounds = Bounds {
    payments: 4,
    portions: &[
        &[],
        &[(0, 1)],
        &[(0, 2)],
        &[(1, 1)],
        &[(1, 2)],
        &[(0, 1), (1, 1)],
        &[(1, 1), (0, 2)],
    ],
    by_hand: &[1, 400, 1_300, 2_600],
    most_by_hand: 3,
    returns: 4,
    in_turn: false,
};

const ENOUGH: [i64; 2] = [2, 2];

/// Everything within bounds, where one record makes the order; what was reached of statuses and acts
/// has to be all but this, for what is not reached is not checked.
fn explore_one(bounds: &Bounds, but_acts: &[&str], but_statuses: &[OrderStatus]) {
    let seen = explore(&World::new(&[Copy::Accepted(1)], ENOUGH), bounds);
    let missing = Act::KINDS.iter().filter(|kind| !seen.kinds.contains(*kind));
    assert!(missing.eq(but_acts), "{:?}", seen.kinds);
    let statuses = OrderStatus::IN_LEDGER.iter();
    let missing = statuses.filter(|status| !seen.statuses.contains(*status));
    assert!(missing.eq(but_statuses), "{:?}", seen.statuses);
}

#[test]
fn every_interleaving_of_payments_comes_out_right() {
    let later = [
        "ask return",
        "complete return",
        "approve return",
        "reject return",
        "refund by hand",
    ];
    explore_one(&PAYING, &later, &[OrderStatus::Rejected]);
}

#[test]
fn every_interleaving_of_what_comes_after_the_sale_comes_out_right() {
    explore_one(&AFTERWARDS, &[], &[OrderStatus::Rejected]);
}

#[test]
fn every_interleaving_of_all_of_it_comes_out_right() {
    explore_one(&TOGETHER, &[], &[OrderStatus::Rejected]);
}

/// Whatever the log has of an order, in whatever order and however late it comes: it is written once,
/// and each admission is counted once.
#[test]
fn every_interleaving_of_its_records_comes_out_right() {
    let bounds = Bounds {
        payments: 1,
        ..PAYING
    };
    let copies: [&[Copy]; 4] = [
        &[Copy::Accepted(1), Copy::Accepted(2)],
        &[Copy::Accepted(1), Copy::Withdrawn(1)],
        &[Copy::Withdrawn(1), Copy::Accepted(2)],
        &[Copy::Void(1), Copy::Accepted(2)],
    ];
    for copies in copies {
        for units in [ENOUGH, [2, 1]] {
            let seen = explore(&World::new(copies, units), &bounds);
            let is_sold = seen.statuses.contains(&OrderStatus::Paid);
            assert_eq!(is_sold, units == ENOUGH, "{copies:?} of {units:?}");
            let is_rejected = seen.statuses.contains(&OrderStatus::Rejected);
            let is_withdrawn = copies.iter().any(|copy| matches!(copy, Copy::Withdrawn(_)));
            assert_eq!(
                is_rejected,
                is_withdrawn || units != ENOUGH,
                "{copies:?} of {units:?}"
            );
        }
    }
}

/// What chance does next.
#[derive(Clone, Debug)]
enum Go {
    /// One of the acts that are allowed.
    Do(Index),
    /// One of all acts, allowed or not.
    Try(Index),
    /// Decides one, and leaves it for later.
    Keep(Index),
    /// Commits what was decided at some time, once more.
    Commit(Index),
}

fn walks() -> impl Strategy<Value = Vec<Go>> {
    let index = any::<Index>;
    let go = prop_oneof![
        6 => index().prop_map(Go::Do),
        2 => index().prop_map(Go::Try),
        1 => index().prop_map(Go::Keep),
        2 => index().prop_map(Go::Commit),
    ];
    prop::collection::vec(go, 1..120)
}

/// Somebody's decision, on the order as it was.
type Kept = (Act, Vec<Transition>);

/// The world after one more thing has happened; `None` where it moved nothing.
fn gone(world: &World, go: &Go, kept: &mut Vec<Kept>) -> Option<World> {
    let mut acts = world.acts(&LARGE);
    match go {
        Go::Do(index) => {
            acts.retain(|act| world.allows(*act));
            if acts.is_empty() {
                return None;
            }
            let act = *index.get(&acts);
            let next = world.after(act);
            assert!(next.is_some(), "{act:?} of {:#?}", world.order);
            next
        }
        Go::Try(index) => {
            let act = *index.get(&acts);
            let next = world.after(act);
            assert_eq!(
                next.is_some(),
                world.allows(act),
                "{act:?} of {:#?}",
                world.order
            );
            next
        }
        Go::Keep(index) => {
            let act = *index.get(&acts);
            kept.push((act, world.steps(act)));
            None
        }
        Go::Commit(_) if kept.is_empty() => None,
        Go::Commit(index) => {
            let (act, steps) = index.get(kept);
            let next = world.after_steps(*act, steps);
            let version = world.order.as_ref().map(|order| order.version);
            let is_stale = steps.iter().all(|step| Some(step.guard.version) != version);
            assert!(
                !is_stale || next.is_none(),
                "{act:?} was decided on another order"
            );
            next
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn long_walks_come_out_right(walk in walks()) {
        let copies = [Copy::Accepted(1), Copy::Accepted(2), Copy::Void(3)];
        let mut world = World::new(&copies, [3, 2]);
        let mut kept = Vec::new();
        for go in &walk {
            if let Some(next) = gone(&world, go, &mut kept) {
                next.check();
                world = next;
            }
        }
    }
}
