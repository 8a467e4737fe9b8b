//! Any interleaving and repetition of orders, writing, releases, restocks, tellings that come late,
//! again or never, and losses: the ledger stays sound at every moment, and at rest the gate counts
//! what the ledger counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "model/ledger.rs"]
mod ledger;
#[path = "model/world.rs"]
mod world;

use std::sync::Arc;

use domain::deal::Deal;
use domain::gate::Fingerprint;
use domain::item::Kind;
use domain::message::{Draft, DraftLine};
use domain::ports::{Clock, Gate};
use domain::{AccountId, Currency, ItemId, Money, OrderId, Quantity, Timestamp};
use ledger::Ledger;
use proptest::prelude::*;
use uuid::Uuid;
use world::{How, RECEIPT_LIFE_MS, World, at_once};

const BUYERS: u128 = 3;
const ORDERS: usize = 10;

#[derive(Clone, Copy, Debug)]
enum Action {
    /// Somebody asks for an order: its buyer, or its buyer again.
    Place(usize),
    Step(usize),
    Crash(usize),
    Relay,
    Write(usize),
    /// A record comes again.
    Repeat(usize),
    /// Expiry or cancellation.
    Release(usize),
    Restock(usize, i64),
    Say(usize),
    Hear {
        at: usize,
        again: bool,
    },
    Load(usize),
    Follow,
    FailOver,
    Keep,
    Forget,
}

fn action() -> impl Strategy<Value = Action> {
    let at = 0..1_000_usize;
    prop_oneof![
        12 => (0..ORDERS).prop_map(Action::Place),
        40 => at.clone().prop_map(Action::Step),
        3 => at.clone().prop_map(Action::Crash),
        3 => Just(Action::Relay),
        10 => (1..5_usize).prop_map(Action::Write),
        2 => at.clone().prop_map(Action::Repeat),
        6 => (0..ORDERS).prop_map(Action::Release),
        3 => (at.clone(), -3..=3_i64).prop_map(|(item, change)| Action::Restock(item, change)),
        3 => at.clone().prop_map(Action::Say),
        12 => (at.clone(), any::<bool>()).prop_map(|(at, again)| Action::Hear { at, again }),
        6 => at.prop_map(Action::Load),
        2 => Just(Action::Follow),
        1 => Just(Action::FailOver),
        4 => Just(Action::Keep),
        1 => Just(Action::Forget),
    ]
}

fn items() -> Vec<(ItemId, Kind, i64)> {
    let deal = |limit| Kind::TimeDeal(Deal::new(Timestamp::UNIX_EPOCH, None, limit).unwrap());
    // Each in a shard of its own, where there are three.
    let id = |number| ItemId(Uuid::from_u128(number));
    vec![
        (id(1), Kind::General, 4),
        (id(2), deal(Some(2)), 5),
        (id(3), deal(None), 3),
    ]
}

fn drafts(lines: &[Vec<(usize, u32)>]) -> Vec<Arc<Draft>> {
    let items = items();
    let unit_price = Money {
        minor: 100,
        currency: Currency::from_code("KRW").unwrap(),
    };
    let draft = |(number, lines): (usize, &Vec<(usize, u32)>)| {
        let lines: Vec<_> = lines
            .iter()
            .map(|(item, count)| DraftLine {
                item: items[*item].0,
                quantity: Quantity::new(i64::from(*count)).unwrap(),
                unit_price,
            })
            .collect();
        Arc::new(Draft {
            order: OrderId(Uuid::from_u128(number as u128)),
            buyer: AccountId(Uuid::from_u128(number as u128 % BUYERS)),
            fingerprint: Fingerprint(number as u128),
            lines,
            total: unit_price,
            accepted_at: Timestamp::UNIX_EPOCH,
            wishlist_entries: Vec::new(),
        })
    };
    lines.iter().enumerate().map(draft).collect()
}

/// One of so many, if there are any.
fn pick(at: usize, of: usize) -> Option<usize> {
    at.checked_rem(of)
}

fn act(world: &mut World, drafts: &[Arc<Draft>], action: Action) {
    let items = world.items();
    match action {
        Action::Place(order) => world.start(drafts[order].clone(), None),
        Action::Step(at) => {
            if let Some(at) = pick(at, world.attempts.len()) {
                world.step(at);
            }
        }
        Action::Crash(at) => {
            if let Some(at) = pick(at, world.attempts.len()) {
                world.attempts.remove(at);
            }
        }
        Action::Relay => world.relay(),
        Action::Write(most) => world.write(most),
        Action::Repeat(at) => {
            if let Some(at) = pick(at, world.log.len()) {
                world.log.push(world.log[at].clone());
            }
        }
        Action::Release(order) => release(world, &drafts[order]),
        Action::Restock(at, change) => {
            let item = items[at % items.len()];
            world.ledger.restock(item, change);
            world.surplus_allowed |= change < 0;
            world.say(How::Sync, item);
        }
        Action::Say(at) => world.say(How::Sync, items[at % items.len()]),
        Action::Hear { at, again } => hear(world, at, again),
        Action::Load(at) => world.load(items[at % items.len()]),
        Action::Follow => world.follow(),
        Action::FailOver => world.fail_over(),
        Action::Keep => world.keep(),
        Action::Forget => world.clock.advance_ms(RECEIPT_LIFE_MS),
    }
}

fn release(world: &mut World, draft: &Draft) {
    if world.ledger.release(draft.order, world.clock.now()) {
        for units in draft.units() {
            world.say(How::Sync, units.item);
        }
    }
}

fn hear(world: &mut World, at: usize, again: bool) {
    if let Some(at) = pick(at, world.on_its_way.len()) {
        let (how, telling) = world.on_its_way.remove(at);
        world.tell(how, &telling);
        if again {
            world.on_its_way.push((how, telling));
        }
    }
}

fn check_at_rest(world: &World) {
    let items = world.items();
    for level in at_once(world.gate.levels(&items)) {
        let stock = &world.ledger.stock[&level.item];
        assert_eq!(level.admitted, stock.admitted);
        assert_eq!(level.terms.ceiling, stock.ceiling());
        assert_eq!(level.available(), stock.available());
        let mut counted = at_once(world.gate.buyers(level.item));
        counted.sort_unstable_by_key(|count| count.buyer);
        assert_eq!(counted, world.ledger.buyers(level.item));
    }
    for order in &world.answered {
        assert!(
            world.ledger.orders.contains_key(order),
            "an answered order is in the ledger"
        );
    }
}

fn run(shards: u16, lines: &[Vec<(usize, u32)>], actions: &[Action]) {
    let drafts = drafts(lines);
    let mut world = World::new(shards, Ledger::new(&items()));
    for action in actions {
        let before = world.counts();
        act(&mut world, &drafts, *action);
        world.ledger.check();
        world.check_gate();
        if !matches!(action, Action::FailOver) {
            let after = world.counts();
            for (what, (first, second)) in before {
                let now = after[&what];
                assert!(
                    first <= now.0 && second <= now.1,
                    "{action:?} lowered {what:?}"
                );
            }
        }
        let surplus = world.ledger.has_surplus();
        assert!(
            world.surplus_allowed || !surplus,
            "refused an order with nothing lost"
        );
    }
    world.come_to_rest();
    world.ledger.check();
    check_at_rest(&world);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_gate_counts_what_the_ledger_counts(
        shards in prop_oneof![Just(1_u16), Just(3)],
        lines in prop::collection::vec(
            prop::collection::vec((0..3_usize, 1..=2_u32), 1..=3),
            ORDERS,
        ),
        actions in prop::collection::vec(action(), 0..200),
    ) {
        run(shards, &lines, &actions);
    }
}
