use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::ports::log::Polled;
use proptest::prelude::*;
use tokio::time::{Duration, Instant, sleep};

use super::*;
use crate::health::WorkerState;
use crate::runner::Workers;
use crate::testing::*;
use crate::trace::tests as trace;

const AT_ONCE: usize = 4;

/// Does tasks as the test's rules say, all of a group or none.
#[derive(Clone)]
struct Script(Arc<Mutex<State>>);

struct State {
    log: FakeLog,
    rules: HashMap<u64, Rule>,
    /// Nothing works at all.
    is_down: bool,
    /// How long everything takes.
    takes_ms: u64,
    attempts: BTreeMap<u64, u32>,
    /// The trace that each was last handled in.
    traces: BTreeMap<u64, Option<u128>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    Away,
    AwayTimes(u32),
    Nonsense,
    Panics,
}

impl Script {
    fn new(world: &World) -> Self {
        Self(Arc::new(Mutex::new(State {
            log: world.log.clone(),
            rules: HashMap::new(),
            is_down: false,
            takes_ms: 0,
            attempts: BTreeMap::new(),
            traces: BTreeMap::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn rule(&self, task: u64, rule: Rule) -> &Self {
        self.state().rules.insert(task, rule);
        self
    }

    /// Starts a consumer that does what the script says.
    fn start(&self, world: &World) -> Workers {
        self.start_with(world, AT_ONCE)
    }

    fn start_with(&self, world: &World, at_once: usize) -> Workers {
        let (script, log) = (self.clone(), world.log.clone());
        let topics = &[Topic::OrderAccepted];
        let subscription = Subscription {
            group: Group::Mail,
            topics,
            most: 20,
            at_once,
        };
        world.start("script", move || {
            Consuming::new(Arc::new(log.clone()), subscription, script.clone())
        })
    }
}

#[async_trait]
impl Handler for Script {
    type Task = u64;

    fn task(&self, message: &Message) -> Option<u64> {
        task_of(message)
    }

    async fn handle(&self, tasks: &[u64]) -> Result<(), Fault> {
        let takes_ms = self.state().takes_ms;
        sleep(Duration::from_millis(takes_ms)).await;
        let mut state = self.state();
        for task in tasks {
            state.traces.insert(*task, trace::current());
            *state.attempts.entry(*task).or_default() += 1;
        }
        if state.is_down {
            return Err(away());
        }
        for task in tasks {
            match state.rules.get(task).copied() {
                Some(Rule::Away) => return Err(away()),
                Some(Rule::AwayTimes(0)) | None => {}
                Some(Rule::AwayTimes(times)) => {
                    state.rules.insert(*task, Rule::AwayTimes(times - 1));
                    return Err(away());
                }
                Some(Rule::Nonsense) => return Err(nonsense()),
                Some(Rule::Panics) => {
                    drop(state);
                    panic!("as the test wants it");
                }
            }
        }
        for task in tasks {
            state.log.note(Deed::Handled(*task));
        }
        Ok(())
    }
}

fn handled(world: &World) -> Vec<u64> {
    let state = world.log.state();
    let tasks = state.deeds.iter().filter_map(|deed| match deed {
        Deed::Handled(task) => Some(*task),
        _ => None,
    });
    tasks.collect()
}

fn state_of(workers: &Workers) -> WorkerState {
    workers.health().report()[0].state
}

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
