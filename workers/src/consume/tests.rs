mod dead_letters;
mod script;

use std::collections::{BTreeMap, BTreeSet};

use domain::ports::log::Polled;
use proptest::prelude::*;
use tokio::time::{Duration, Instant, sleep};

use super::*;
use crate::health::WorkerState;
use crate::runner::Workers;
use crate::testing::*;
use crate::trace::tests as trace;
use script::{Rule, Script, handled, state_of};

#[tokio::test(start_paused = true)]
async fn offsets_are_stored_after_the_effect_and_before_the_next_poll() {
    let world = World::new();
    world.log.append_tasks(0, 1..=3);
    world.log.append(0, Ok(nothing()));
    let workers = Script::new(&world).start(&world);
    until(|| world.log.stored(0) == 4).await;
    assert_eq!(world.stop(workers).await, [""; 0]);
    let deeds = world.log.state().deeds.clone();
    let handled = [1, 2, 3].map(Deed::Handled);
    let polled = Deed::Polled;
    let [one, two, three] = handled;
    let expected = [
        Deed::Joined,
        polled.clone(),
        polled,
        one,
        two,
        three,
        Deed::Stored(0, 4),
        Deed::Polled,
    ];
    assert_eq!(deeds[..8], expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_handled_is_part_of_its_records_trace() {
    let _traced = tracing::subscriber::set_default(trace::subscriber());
    let world = World::new();
    world.log.append_tasks(0, 0..7);
    let script = Script::new(&world);
    let traces = [(0, 5, true), (1, 6, true), (3, 5, true), (5, 4, false)];
    world.log.state().traces = traces
        .map(|(offset, number, is_sampled)| (offset, trace::trace(number, is_sampled)))
        .into();
    let workers = script.start(&world);
    until(|| world.log.stored(0) == 7).await;
    let expected = [Some(5), Some(6), None, Some(5), None, None, None];
    assert_eq!(script.state().traces, (0..).zip(expected).collect());
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn records_of_many_traces_take_no_longer() {
    let world = World::new();
    world.log.append_tasks(0, 0..20);
    let script = Script::new(&world);
    script.state().takes_ms = 100;
    let traces =
        (1..=20_u8).map(|number| (i64::from(number) - 1, trace::trace(number.into(), true)));
    world.log.state().traces = traces.collect();
    let begun = Instant::now();
    let workers = script.start(&world);
    until(|| world.log.stored(0) == 20).await;
    assert!(begun.elapsed() < Duration::from_millis(200));
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_stored_is_handled_again() {
    let world = World::new();
    world.log.append_tasks(0, 1..=2);
    world.log.state().failing_stores = 1;
    let workers = Script::new(&world).start(&world);
    until(|| world.log.stored(0) == 2).await;
    assert_eq!(handled(&world), [1, 2, 1, 2]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_costs_nothing() {
    let world = World::new();
    world.log.append_tasks(0, 1..=2);
    world.log.state().failing_polls = 3;
    let workers = Script::new(&world).start(&world);
    until(|| world.log.stored(0) == 2).await;
    assert_eq!(handled(&world), [1, 2]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_is_finished_and_stored_before_a_revocation_is_heard() {
    let world = World::new();
    world.log.append_tasks(0, 1..=3);
    world.log.append_tasks(1, 11..=12);
    let script = Script::new(&world);
    script.state().takes_ms = 400;
    let workers = script.start(&world);
    // While the first poll is being handled.
    sleep(Duration::from_millis(200)).await;
    world
        .log
        .state()
        .next_polls
        .push_back(Polled::Revoked(vec![in_partition(0)]));
    world.log.append_tasks(0, 4..=9);
    world.log.append_tasks(1, 13..=14);
    until(|| world.log.stored(1) == 4).await;
    pass(60).await;
    assert_eq!(world.log.stored(0), 3);
    assert!(handled(&world).iter().all(|task| !(4..=9).contains(task)));
    // The log's stand-in fails the test if anything of a revoked partition is stored.
    let back = Polled::Assigned(vec![in_partition(0)]);
    world.log.state().next_polls.push_back(back);
    until(|| world.log.stored(0) == 9).await;
    let mut all = handled(&world);
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_finishes_what_was_taken_and_takes_no_more() {
    let world = World::new();
    world.log.append_tasks(0, 1..=60);
    let script = Script::new(&world);
    script.state().takes_ms = 2_000;
    let workers = script.start(&world);
    sleep(Duration::from_millis(100)).await;
    let before = Instant::now();
    assert_eq!(world.stop(workers).await, [""; 0]);
    assert!(before.elapsed() < Duration::from_millis(2_100));
    assert_eq!((world.log.stored(0), handled(&world).len()), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_another_attempt() {
    let world = World::new();
    world.log.append_tasks(0, 1..=12);
    let script = Script::new(&world);
    let workers = script.rule(6, Rule::Away).start(&world);
    until(|| script.state().attempts.get(&6) == Some(&4)).await;
    let before = Instant::now();
    assert_eq!(world.stop(workers).await, [""; 0]);
    assert!(before.elapsed() < Duration::from_millis(10));
    // The group of 5 to 8 is open still, so nothing behind it is stored.
    assert_eq!(handled(&world), [1, 2, 3, 4, 9, 10, 11, 12]);
    assert_eq!((world.log.stored(0), world.log.dead()), (4, vec![]));
}

#[derive(Clone, Debug)]
enum Entry {
    Nothing,
    Unreadable,
    Task(Option<Rule>),
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let rule = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Rule::Away)),
        1 => Just(Some(Rule::Nonsense)),
        1 => (1..9_u32).prop_map(|times| Some(Rule::AwayTimes(times))),
    ];
    let entry = prop_oneof![
        1 => Just(Entry::Nothing),
        1 => Just(Entry::Unreadable),
        8 => rule.prop_map(Entry::Task),
    ];
    prop::collection::vec(entry, 0..50)
}

/// Every record is handled or put aside, whatever fails in between, and nothing before that is
/// stored as done.
async fn nothing_is_lost(
    parts: [Vec<Entry>; 2],
    at_once: usize,
    failing: [u32; 3],
    one_partition_a_poll: bool,
) {
    let mut world = World::new();
    world.pace.dead_letters_in_a_row = u32::MAX;
    let script = Script::new(&world);
    let mut wanted = BTreeMap::new();
    for (partition, entries) in (0..).zip(&parts) {
        // The last one works, so that a lone bad one is shown to be bad.
        let entries = entries.iter().cloned().chain([Entry::Task(None)]);
        for (offset, entry) in (0_i64..).zip(entries) {
            let number = u64::try_from(offset).unwrap() * 2 + u64::from(partition == 1) + 1;
            wanted.insert((partition, offset), (number, entry.clone()));
            match entry {
                Entry::Nothing => world.log.append(partition, Ok(nothing())),
                Entry::Unreadable => world.log.append(partition, unreadable()),
                Entry::Task(rule) => {
                    world.log.append(partition, Ok(task(number)));
                    script.state().rules.extend(rule.map(|rule| (number, rule)));
                }
            }
        }
    }
    {
        let mut log = world.log.state();
        [log.failing_polls, log.failing_stores, log.failing_asides] = failing;
        log.one_partition_a_poll = one_partition_a_poll;
    }
    let ends = parts.map(|entries| i64::try_from(entries.len()).unwrap() + 1);
    let workers = script.start_with(&world, at_once);
    until(|| [world.log.stored(0), world.log.stored(1)] == ends).await;
    world.stop(workers).await;
    let deeds = world.log.state().deeds.clone();
    let first = |wanted: Deed| deeds.iter().position(|deed| *deed == wanted);
    for ((partition, offset), (number, entry)) in wanted {
        let effect = first(Deed::Handled(number)).or(first(Deed::PutAside(partition, offset)));
        let stored = deeds.iter().position(|deed| match deed {
            Deed::Stored(of, next) => *of == partition && *next > offset,
            _ => false,
        });
        match entry {
            Entry::Nothing => assert_eq!(effect, None),
            Entry::Unreadable | Entry::Task(_) => assert!(effect.unwrap() < stored.unwrap()),
        }
        if let Entry::Task(None) = entry {
            assert_eq!(first(Deed::PutAside(partition, offset)), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_fails_nothing_is_lost(
        left in entries(),
        right in entries(),
        at_once in 1..9_usize,
        failing in [0..4_u32, 0..4_u32, 0..4_u32],
        one_partition_a_poll: bool,
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(nothing_is_lost([left, right], at_once, failing, one_partition_a_poll));
    }
}
