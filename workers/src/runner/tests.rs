use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use domain::Fault;
use tokio::time::sleep;

use super::*;
use crate::testing::*;

/// What a worker of these tests does with its nth life, from 1.
#[derive(Clone, Copy)]
enum Life {
    Panics,
    Faults,
    RoundThenFault,
    Halts,
    Works,
    /// Does not hear the shutdown signal.
    Hangs,
    Leaves {
        after_ms: u64,
    },
}

/// Lives as it is told, and counts how often it was made and how often it lived.
struct Told {
    lives: fn(u32) -> Life,
    lived: Arc<AtomicU32>,
}

#[async_trait]
impl Worker for Told {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        let nth = self.lived.fetch_add(1, Ordering::Relaxed) + 1;
        match (self.lives)(nth) {
            Life::Panics => panic!("as the test wants it"),
            Life::Faults => return Err(away()),
            Life::RoundThenFault => {
                sleep(Duration::from_secs(1)).await;
                context.round_done();
                return Err(away());
            }
            Life::Halts => return Ok(End::Halted("as the test wants it")),
            Life::Works => {
                while !context.is_stopping() {
                    context.rest_after_round(false, 500).await;
                }
            }
            Life::Hangs => sleep(Duration::from_hours(24)).await,
            Life::Leaves { after_ms } => {
                context.shutdown.cancelled().await;
                sleep(Duration::from_millis(after_ms)).await;
            }
        }
        Ok(End::Shutdown)
    }
}

#[derive(Clone, Default)]
struct Counts {
    made: Arc<AtomicU32>,
    lived: Arc<AtomicU32>,
}

impl Counts {
    fn get(&self) -> (u32, u32) {
        (
            self.made.load(Ordering::Relaxed),
            self.lived.load(Ordering::Relaxed),
        )
    }
}

fn told(name: &'static str, lives: fn(u32) -> Life) -> (Part, Counts) {
    let counts = Counts::default();
    let of_it = counts.clone();
    let part = part(name, move || {
        of_it.made.fetch_add(1, Ordering::Relaxed);
        Told {
            lives,
            lived: of_it.lived.clone(),
        }
    });
    (part, counts)
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_panics_is_made_anew_and_the_others_do_not_notice() {
    let world = World::new();
    let (bad, bad_counts) = told(
        "bad",
        |nth| if nth <= 3 { Life::Panics } else { Life::Works },
    );
    let (good, good_counts) = told("good", |_| Life::Works);
    let workers = world.start_parts(vec![bad, good]);
    until(|| bad_counts.get() == (4, 4)).await;
    pass(1).await;
    assert_eq!(good_counts.get(), (1, 1));
    let report = workers.health().report();
    assert_eq!((report[0].part, report[0].faults_in_a_row), ("bad", 0));
    assert_eq!(report[0].state, WorkerState::Working);
    assert_eq!(world.stop(workers).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_meets_faults_keeps_what_it_knows_and_waits_longer_and_longer() {
    let world = World::new();
    let (part, counts) = told("faulty", |_| Life::Faults);
    let workers = world.start_parts(vec![part]);
    pass(60).await;
    let (made, lived) = counts.get();
    assert_eq!(made, 1);
    // 0.1, 0.2, 0.4 … 6.4 seconds and then 10 each, at most halved by the jitter.
    assert!((10..=20).contains(&lived), "{lived}");
    assert_eq!(workers.health().report()[0].faults_in_a_row, lived);
    assert_eq!(workers.health().unwell(world.clock.now()), ["faulty"]);
    let before = Instant::now();
    assert_eq!(world.stop(workers).await, [""; 0]);
    assert!(
        before.elapsed() < Duration::from_millis(10),
        "it waits on after the signal"
    );
}

#[tokio::test(start_paused = true)]
async fn a_round_that_worked_makes_the_next_wait_a_first_one() {
    let world = World::new();
    let (part, counts) = told("faulty", |_| Life::RoundThenFault);
    let workers = world.start_parts(vec![part]);
    pass(60).await;
    // A second of work, at most a tenth of a second of waiting.
    assert!(counts.get().1 >= 54);
    assert_eq!(workers.health().unwell(world.clock.now()), [""; 0]);
    world.stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_halts_stays_so() {
    let world = World::new();
    let (part, counts) = told("halting", |_| Life::Halts);
    let workers = world.start_parts(vec![part]);
    pass(600).await;
    assert_eq!(counts.get(), (1, 1));
    let health = workers.health();
    assert_eq!(
        health.report()[0].state,
        WorkerState::Halted("as the test wants it")
    );
    assert_eq!(world.stop(workers).await, [""; 0]);
    assert_eq!(
        health.report()[0].state,
        WorkerState::Halted("as the test wants it")
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_those_who_finish_and_names_those_who_do_not() {
    let world = World::new();
    let (hanging, counts) = told("hanging", |_| Life::Hangs);
    let parts = vec![
        hanging,
        told("finishing", |_| Life::Leaves { after_ms: 9_900 }).0,
        told("working", |_| Life::Works).0,
        told("too late", |_| Life::Leaves { after_ms: 10_100 }).0,
    ];
    let workers = world.start_parts(parts);
    let health = workers.health();
    pass(1).await;
    let before = Instant::now();
    assert_eq!(world.stop(workers).await, ["hanging", "too late"]);
    let took = before.elapsed();
    assert!(took >= Duration::from_millis(9_900) && took <= Duration::from_millis(10_010));
    let states: Vec<_> = health
        .report()
        .into_iter()
        .map(|worker| worker.state)
        .collect();
    assert_eq!(states[1..3], [WorkerState::Left, WorkerState::Left]);
    pass(1).await;
    assert_eq!(
        Arc::strong_count(&counts.lived),
        1,
        "it still hangs somewhere"
    );
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_told_to_stop_before_it_starts_does_not() {
    let world = World::new();
    world.shutdown.cancel();
    let (part, counts) = told("never", |_| Life::Works);
    let workers = world.start_parts(vec![part]);
    assert_eq!(workers.finish().await, [""; 0]);
    assert_eq!(counts.get().1, 0);
}
