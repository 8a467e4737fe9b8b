//! What is put aside, and what is not.

use super::script::Rule;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_no_dead_letter() {
    let world = World::new();
    world.log.append_tasks(0, 1..=6);
    let script = Script::new(&world);
    script.rule(2, Rule::AwayTimes(world.pace.attempts - 1));
    let workers = script.start(&world);
    until(|| world.log.stored(0) == 6).await;
    assert_eq!(script.state().attempts[&2], world.pace.attempts);
    assert_eq!(world.log.dead(), [0; 0]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_never_works_is_put_aside_and_holds_up_nobody() {
    let world = World::new();
    world.log.append_tasks(0, 1..=6);
    world.log.append_tasks(1, 11..=13);
    let script = Script::new(&world);
    let workers = script.rule(3, Rule::Away).start(&world);
    until(|| world.log.stored(0) == 6 && world.log.stored(1) == 3).await;
    let letter = world.log.state().dead[0].clone();
    assert_eq!(world.log.dead(), [2]);
    assert_eq!(
        (letter.group, letter.attempts),
        (Group::Mail, world.pace.attempts)
    );
    // Tried in a second round, beside others that get through.
    assert!(script.state().attempts[&3] >= 2 * world.pace.attempts);
    let done: BTreeSet<u64> = handled(&world).into_iter().collect();
    assert_eq!(done, BTreeSet::from([1, 2, 4, 5, 6, 11, 12, 13]));
    assert_eq!(state_of(&workers), WorkerState::Working);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_put_aside_without_repetition_or_data() {
    for rule in [Rule::Nonsense, Rule::Panics] {
        let world = World::new();
        world.log.append_tasks(0, 1..=6);
        let script = Script::new(&world);
        let workers = script.rule(2, rule).start(&world);
        until(|| world.log.stored(0) == 6).await;
        assert_eq!(world.log.dead(), [1]);
        // Once in its group, once alone.
        assert_eq!(script.state().attempts[&2], 2);
        assert_eq!(handled(&world).len(), 5);
        assert!(!world.log.state().dead[0].reason.contains("kim"));
        world.stop(workers).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_read_is_put_aside_and_holds_up_nobody() {
    let world = World::new();
    world.log.append_tasks(0, [1]);
    world.log.append(0, unreadable());
    world.log.append_tasks(0, [2]);
    let workers = Script::new(&world).start(&world);
    until(|| world.log.stored(0) == 3).await;
    assert_eq!(world.log.dead(), [1]);
    assert_eq!(handled(&world), [1, 2]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_is_finished_only_once_its_dead_letter_is_kept() {
    let world = World::new();
    world.log.append_tasks(0, [1]);
    world.log.append(0, unreadable());
    world.log.state().failing_asides = 1;
    let workers = Script::new(&world).start(&world);
    until(|| world.log.stored(0) == 2).await;
    let deeds = world.log.state().deeds.clone();
    let place = |wanted| deeds.iter().position(|deed| *deed == wanted).unwrap();
    assert!(place(Deed::Stored(0, 1)) < place(Deed::PutAside(0, 1)));
    assert!(place(Deed::PutAside(0, 1)) < place(Deed::Stored(0, 2)));
    assert_eq!(handled(&world), [1]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_puts_nothing_aside_and_stops_nobody() {
    let world = World::new();
    world.log.append_tasks(0, 1..=10);
    world.log.append(0, Ok(nothing()));
    world.log.append_tasks(0, 11..=29);
    world.log.append_tasks(1, 101..=130);
    let script = Script::new(&world);
    script.state().is_down = true;
    let workers = script.start(&world);
    pass(1800).await;
    assert_eq!(
        (world.log.dead(), world.log.stored(0), world.log.stored(1)),
        (vec![], 0, 0)
    );
    assert_eq!(state_of(&workers), WorkerState::Retrying);
    // Six attempts within some three seconds, then a wait of up to ten: at most halved by jitter.
    assert!((300..1_700).contains(&script.state().attempts[&1]));
    assert_eq!(workers.health().unwell(world.clock.now()), ["script"]);
    script.state().is_down = false;
    until(|| world.log.stored(0) == 30 && world.log.stored(1) == 30).await;
    assert_eq!(world.log.dead(), [0; 0]);
    assert_eq!(workers.health().unwell(world.clock.now()), [""; 0]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_begins_in_mid_poll_puts_nothing_aside() {
    let world = World::new();
    world.log.append_tasks(0, 1..=20);
    let script = Script::new(&world);
    script.state().takes_ms = 500;
    let workers = script.start_with(&world, 1);
    until(|| !handled(&world).is_empty()).await;
    script.state().is_down = true;
    pass(60).await;
    assert!(!handled(&world).contains(&20), "it began too late");
    assert_eq!(world.log.dead(), [0; 0]);
    script.state().is_down = false;
    until(|| world.log.stored(0) == 20).await;
    assert_eq!(world.log.dead(), [0; 0]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_lone_record_waits_for_another_to_show_whose_fault_it_is() {
    let world = World::new();
    world.log.append_tasks(0, [1]);
    world.log.append(1, Ok(nothing()));
    let script = Script::new(&world);
    let workers = script.rule(1, Rule::Away).start(&world);
    pass(600).await;
    assert_eq!(world.log.dead(), [0; 0]);
    world.log.append_tasks(1, [2]);
    until(|| world.log.stored(0) == 1 && world.log.stored(1) == 2).await;
    assert_eq!(world.log.dead(), [0]);
    assert!(handled(&world).iter().all(|task| *task == 2));
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_lone_bad_record_holds_up_no_other_partition() {
    let world = World::new();
    world.log.state().one_partition_a_poll = true;
    for partition in 0..3 {
        world.log.append(partition, Ok(nothing()));
    }
    world.log.append_tasks(0, [1]);
    world.log.append_tasks(1, [2]);
    let script = Script::new(&world);
    let workers = script.rule(1, Rule::Away).rule(2, Rule::Away).start(&world);
    pass(300).await;
    assert_eq!(world.log.dead(), [0; 0]);
    let before = Instant::now();
    world.log.append_tasks(2, [3]);
    until(|| world.log.stored(2) == 2).await;
    assert!(before.elapsed() < Duration::from_mins(1));
    until(|| world.log.stored(0) == 2 && world.log.stored(1) == 2).await;
    assert_eq!((handled(&world), world.log.dead()), (vec![3], vec![1, 1]));
    let joins = world
        .log
        .state()
        .deeds
        .iter()
        .filter(|deed| **deed == Deed::Joined)
        .count();
    assert_eq!(joins, 1);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_ends_blames_nobody() {
    let world = World::new();
    world.log.state().one_partition_a_poll = true;
    world.log.append_tasks(0, 1..=50);
    world.log.append_tasks(1, 101..=150);
    let script = Script::new(&world);
    let workers = script.start(&world);
    until(|| world.log.stored(0) + world.log.stored(1) == 100).await;
    for round in 0..5 {
        script.state().is_down = true;
        world
            .log
            .append_tasks(0, 200 + round * 10..205 + round * 10);
        world
            .log
            .append_tasks(1, 300 + round * 10..305 + round * 10);
        pass(120).await;
        script.state().is_down = false;
        let so_far = 100 + 10 * (i64::try_from(round).unwrap() + 1);
        until(|| world.log.stored(0) + world.log.stored(1) == so_far).await;
    }
    assert_eq!(world.log.dead(), [0; 0]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn too_many_dead_letters_in_a_row_stop_the_consumer_for_good() {
    let world = World::new();
    let most = world.pace.dead_letters_in_a_row;
    world.log.append_tasks(0, [1]);
    for _ in 0..most + 5 {
        world.log.append(0, unreadable());
    }
    world.log.append_tasks(0, [2]);
    let workers = Script::new(&world).start(&world);
    let halted = WorkerState::Halted(TOO_MANY_DEAD);
    until(|| state_of(&workers) == halted).await;
    let polls = world.log.state().deeds.len();
    pass(600).await;
    assert_eq!(world.log.state().deeds.len(), polls);
    assert_eq!(world.log.dead().len(), most as usize);
    assert_eq!(world.log.stored(0), 1 + i64::from(most));
    assert_eq!(workers.health().unwell(world.clock.now()), ["script"]);
    assert_eq!(world.stop(workers).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_among_others_are_not_in_a_row() {
    let world = World::new();
    for number in 1..=40 {
        world.log.append(0, unreadable());
        world.log.append(0, Ok(task(number)));
    }
    let workers = Script::new(&world).start(&world);
    until(|| world.log.stored(0) == 80).await;
    assert_eq!(world.log.dead().len(), 40);
    assert_eq!(state_of(&workers), WorkerState::Working);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn the_row_goes_on_over_faults_of_the_log() {
    let world = World::new();
    world.log.append(0, unreadable());
    let workers = Script::new(&world).start(&world);
    for place in 1..i64::from(world.pace.dead_letters_in_a_row) {
        until(|| world.log.stored(0) == place).await;
        world.log.append(0, unreadable());
        world.log.state().failing_polls = 1;
    }
    until(|| state_of(&workers) == WorkerState::Halted(TOO_MANY_DEAD)).await;
    world.stop(workers).await;
}
