mod ledger;

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use tokio::time::{Duration, Instant, sleep};

use super::*;
use crate::health::WorkerState;
use crate::runner::Workers;
use crate::testing::*;
use ledger::{Bad, Ledger, Trouble};

fn state_of(workers: &Workers) -> WorkerState {
    workers.health().report()[0].state
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_from_the_ledger_not_from_the_group() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..10);
    world.log.state().stored.insert(in_partition(0), Offset(8));
    ledger.state().positions.insert(in_partition(0), Offset(3));
    let workers = ledger.start(&world);
    until(|| world.log.stored(0) == 10).await;
    assert_eq!(ledger.state().written, [3, 4, 5, 6, 7, 8, 9]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn batches_are_bounded_and_of_one_partition() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..1_300);
    world.log.append_tasks(1, 2_000..2_010);
    let workers = ledger.start(&world);
    until(|| world.log.stored(0) == 1_300 && world.log.stored(1) == 10).await;
    assert_eq!(ledger.state().batches.iter().sum::<usize>(), 1_310);
    assert!(ledger.state().batches.contains(&RECORDS_AT_ONCE));
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_it_writes_is_written_together() {
    let (world, ledger) = (World::new(), Ledger::new());
    ledger.state().takes_ms = 20;
    world.log.append_tasks(0, [0]);
    let workers = ledger.start(&world);
    sleep(Duration::from_millis(10)).await;
    for number in 1..=30 {
        world.log.append_tasks(0, [number]);
    }
    until(|| world.log.stored(0) == 31).await;
    assert_eq!(ledger.state().batches, [1, 30]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_fault_it_asks_the_ledger_where_it_stands() {
    for trouble in [
        Trouble::NothingWritten,
        Trouble::AnswerLost,
        Trouble::AnotherWriter,
    ] {
        let (world, ledger) = (World::new(), Ledger::new());
        world.log.append_tasks(0, 0..10);
        ledger.state().next = vec![trouble; 4];
        let workers = ledger.start(&world);
        until(|| ledger.position_of(0) == 10).await;
        world.log.append_tasks(0, 10..20);
        until(|| world.log.stored(0) == 20).await;
        assert_eq!(
            ledger.state().written,
            (0..20).collect::<Vec<u64>>(),
            "{trouble:?}"
        );
        world.stop(workers).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_whose_partition_somebody_else_moved_goes_on_from_there() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..5);
    let workers = ledger.start(&world);
    until(|| world.log.stored(0) == 5).await;
    ledger.state().positions.insert(in_partition(0), Offset(8));
    world.log.append_tasks(0, 5..10);
    until(|| world.log.stored(0) == 10).await;
    assert_eq!(ledger.state().written, [0, 1, 2, 3, 4, 8, 9]);
    assert_eq!(state_of(&workers), WorkerState::Working);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_away_for_long_costs_no_order() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..700);
    ledger.state().is_down = true;
    let workers = ledger.start(&world);
    pass(1800).await;
    assert_eq!(state_of(&workers), WorkerState::Retrying);
    // It did not leave its group, and comes back slowly but for certain.
    let joins = world
        .log
        .state()
        .deeds
        .iter()
        .filter(|deed| **deed == Deed::Joined)
        .count();
    assert_eq!(joins, 1);
    assert_eq!(workers.health().unwell(world.clock.now()), ["order-writer"]);
    ledger.state().is_down = false;
    let before = Instant::now();
    until(|| world.log.stored(0) == 700).await;
    assert!(before.elapsed() < Duration::from_millis(world.pace.restart.most_ms + 2_100));
    assert_eq!(ledger.state().written, (0..700).collect::<Vec<u64>>());
    assert_eq!(world.log.dead(), [0; 0]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_goes_away_between_batches_costs_no_order() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..5);
    let workers = ledger.start(&world);
    until(|| world.log.stored(0) == 5).await;
    ledger.state().is_down = true;
    world.log.append_tasks(0, 5..9);
    pass(120).await;
    ledger.state().is_down = false;
    until(|| world.log.stored(0) == 9).await;
    assert_eq!(ledger.state().written, (0..9).collect::<Vec<u64>>());
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_partition_whose_position_is_unknown_holds_up_no_other() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..5);
    world.log.append_tasks(1, 10..15);
    ledger.state().lost = Some(in_partition(0));
    let workers = ledger.start(&world);
    until(|| world.log.stored(1) == 5).await;
    assert_eq!(ledger.state().written, [10, 11, 12, 13, 14]);
    ledger.state().lost = None;
    until(|| world.log.stored(0) == 5).await;
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_the_ledger_chokes_on_is_passed_and_holds_up_nobody() {
    for bad in [Bad::Nonsense, Bad::Panics] {
        let (world, ledger) = (World::new(), Ledger::new());
        world.log.append_tasks(0, 0..40);
        ledger.state().bad = HashMap::from([(7, bad), (8, bad), (30, bad)]);
        let workers = ledger.start(&world);
        until(|| world.log.stored(0) == 40).await;
        let written: Vec<u64> = (0..40).filter(|task| ![7, 8, 30].contains(task)).collect();
        assert_eq!(ledger.state().written, written);
        assert_eq!(ledger.state().unreadable, [7, 8, 30]);
        world.stop(workers).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_read_goes_to_the_ledger_as_such() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, [0]);
    world.log.append(0, unreadable());
    world.log.append_tasks(0, [2]);
    let workers = ledger.start(&world);
    until(|| world.log.stored(0) == 3).await;
    assert_eq!(ledger.state().unreadable, [1]);
    assert_eq!(ledger.state().written, [0, 2]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_position_beyond_the_end_of_the_log_stops_it() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..5);
    world.log.append_tasks(1, 10..15);
    ledger.state().positions.insert(in_partition(1), Offset(6));
    let workers = ledger.start(&world);
    until(|| state_of(&workers) == WorkerState::Halted(BEYOND_END)).await;
    pass(60).await;
    assert_eq!(ledger.state().written, [0; 0]);
    assert_eq!(workers.health().unwell(world.clock.now()), ["order-writer"]);
    assert_eq!(world.stop(workers).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_position_at_the_end_of_the_log_is_where_it_should_be() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..5);
    ledger.state().positions.insert(in_partition(0), Offset(5));
    let workers = ledger.start(&world);
    pass(10).await;
    world.log.append_tasks(0, [5]);
    until(|| world.log.stored(0) == 6).await;
    assert_eq!(ledger.state().written, [5]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn records_that_the_log_has_lost_stop_it() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..10);
    let partition = in_partition(0);
    world.log.state().records.get_mut(&partition).unwrap()[4] = None;
    let workers = ledger.start(&world);
    until(|| state_of(&workers) == WorkerState::Halted(RECORDS_MISSING)).await;
    assert_eq!(ledger.state().written, [0, 1, 2, 3]);
    assert_eq!(world.log.stored(0), 4);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_written_already_is_passed_however_often_it_comes() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..5);
    let workers = ledger.start(&world);
    until(|| world.log.stored(0) == 5).await;
    let stale = |offset| Delivery {
        trace: None,
        partition: in_partition(0),
        offset: Offset(offset),
        content: Ok(task(0)),
    };
    for _ in 0..3 {
        let came = Polled::Records((2..5).map(stale).collect());
        world.log.state().next_polls.push_back(came);
    }
    pass(10).await;
    world.log.append_tasks(0, [5]);
    until(|| world.log.stored(0) == 6).await;
    assert_eq!(ledger.state().written, [0, 1, 2, 3, 4, 5]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_revoked_is_left_and_taken_up_again_from_the_ledger() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..5);
    world.log.append_tasks(1, 100..105);
    let workers = ledger.start(&world);
    until(|| world.log.stored(0) == 5 && world.log.stored(1) == 5).await;
    world
        .log
        .state()
        .next_polls
        .push_back(Polled::Revoked(vec![in_partition(0)]));
    pass(2).await;
    world.log.append_tasks(0, 5..10);
    world.log.append_tasks(1, 105..110);
    until(|| world.log.stored(1) == 10).await;
    pass(10).await;
    assert_eq!(ledger.position_of(0), 5);
    // Its new owner wrote two of them.
    ledger.state().positions.insert(in_partition(0), Offset(7));
    world
        .log
        .state()
        .next_polls
        .push_back(Polled::Assigned(vec![in_partition(0)]));
    until(|| world.log.stored(0) == 10).await;
    let written: BTreeSet<u64> = ledger.state().written.iter().copied().collect();
    assert!(written.is_superset(&BTreeSet::from([7, 8, 9])));
    assert!(!written.contains(&5) && !written.contains(&6));
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_finishes_the_batch_and_stores_it() {
    let (world, ledger) = (World::new(), Ledger::new());
    world.log.append_tasks(0, 0..900);
    ledger.state().takes_ms = 3_000;
    let workers = ledger.start(&world);
    sleep(Duration::from_millis(500)).await;
    assert_eq!(world.stop(workers).await, [""; 0]);
    assert_eq!((ledger.position_of(0), world.log.stored(0)), (500, 500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_fails_each_order_is_written_once_and_in_order(
        counts in [0..700_u64, 0..700_u64],
        troubles in prop::collection::vec(
            prop_oneof![
                Just(Trouble::None),
                Just(Trouble::NothingWritten),
                Just(Trouble::AnswerLost),
                Just(Trouble::AnotherWriter),
            ],
            0..20,
        ),
        bad in prop::collection::btree_set(0..700_u64, 0..3),
        failing in [0..4_u32, 0..4_u32],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (world, ledger) = (World::new(), Ledger::new());
            world.log.append_tasks(0, 0..counts[0]);
            world.log.append_tasks(1, 1_000..1_000 + counts[1]);
            {
                let mut log = world.log.state();
                [log.failing_polls, log.failing_stores] = failing;
            }
            ledger.state().next = troubles;
            ledger.state().bad = bad.iter().map(|&task| (task, Bad::Nonsense)).collect();
            let workers = ledger.start(&world);
            let ends = counts.map(|count| i64::try_from(count).unwrap());
            until(|| [ledger.position_of(0), ledger.position_of(1)] == ends).await;
            world.stop(workers).await;
            let written = ledger.state().written.clone();
            let (left, right): (Vec<u64>, Vec<u64>) =
                written.into_iter().partition(|task| *task < 1_000);
            let good = (0..counts[0]).filter(|task| !bad.contains(task));
            assert_eq!(left, good.collect::<Vec<_>>());
            assert_eq!(right, (1_000..1_000 + counts[1]).collect::<Vec<_>>());
        });
    }
}
