use std::future::{pending, ready};
use std::sync::atomic::AtomicU32;

use tokio::time::sleep;

use super::*;

const LIMIT: Duration = Duration::from_millis(20);
/// The machine goes by a clock that no test can move.
const PAUSE: Duration = Duration::from_millis(60);

fn breaker(failures: usize) -> Breaker {
    Breaker::new("the thing", "asking the thing", failures, PAUSE).unwrap()
}

fn away() -> Result<(), Fault> {
    Err(Fault::unavailable("asking the thing", "no route"))
}

fn nonsense() -> Result<(), Fault> {
    Err(Fault::corrupt("asking the thing", "not JSON"))
}

/// How often a call really was made.
#[derive(Default)]
struct Calls(AtomicU32);

impl Calls {
    async fn answer(&self, answer: Result<(), Fault>) -> Result<(), Fault> {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::future::ready(answer).await
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn failures_in_a_row_open_it_and_answers_do_not() {
    let breaker = breaker(3);
    for answer in [
        away(),
        away(),
        Ok(()),
        away(),
        away(),
        nonsense(),
        away(),
        away(),
    ] {
        let _ = breaker.run(LIMIT, ready(answer)).await;
        assert!(!breaker.is_open());
    }
    breaker.run(LIMIT, ready(away())).await.unwrap_err();
    assert!(breaker.is_open());
}

#[tokio::test]
async fn an_open_one_makes_no_calls() {
    let breaker = breaker(1);
    breaker.run(LIMIT, ready(away())).await.unwrap_err();
    let calls = Calls::default();
    let refused = breaker.run(LIMIT, calls.answer(Ok(()))).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Unavailable);
    assert_eq!(refused.detail(), "asking the thing: the thing is away");
    assert_eq!(calls.count(), 0);
}

#[tokio::test]
async fn no_answer_in_time_is_a_failure() {
    let breaker = breaker(1);
    let fault = breaker.run(LIMIT, pending::<Result<(), _>>()).await;
    let fault = fault.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(
        fault.detail().contains("no answer within 20ms"),
        "{}",
        fault.detail()
    );
    assert!(breaker.is_open());
}

#[tokio::test]
async fn after_its_pause_one_call_may_try() {
    let breaker = Arc::new(breaker(1));
    breaker.run(LIMIT, ready(away())).await.unwrap_err();
    sleep(PAUSE).await;
    let calls = Arc::new(Calls::default());
    let (answer, answered) = oneshot::channel();
    let trying = tokio::spawn({
        let (breaker, calls) = (breaker.clone(), calls.clone());
        async move {
            let call = async { calls.answer(answered.await.unwrap()).await };
            breaker.run(Duration::from_secs(5), call).await
        }
    });
    while breaker.handle.state() != CircuitState::HalfOpen {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        breaker.run(LIMIT, calls.answer(Ok(()))).await.unwrap_err();
    }
    assert_eq!(calls.count(), 0, "only one tries");
    answer.send(Ok(())).unwrap();
    trying.await.unwrap().unwrap();
    assert!(!breaker.is_open());
    breaker.run(LIMIT, calls.answer(Ok(()))).await.unwrap();
    assert_eq!(calls.count(), 2);
}

#[tokio::test]
async fn a_try_that_fails_opens_it_again_and_one_that_is_given_up_leaves_its_place() {
    let breaker = breaker(1);
    breaker.run(LIMIT, ready(away())).await.unwrap_err();
    sleep(PAUSE).await;
    breaker.run(LIMIT, ready(away())).await.unwrap_err();
    let calls = Calls::default();
    breaker.run(LIMIT, calls.answer(Ok(()))).await.unwrap_err();
    assert_eq!(calls.count(), 0);
    sleep(PAUSE).await;
    let client_that_leaves = breaker.run(Duration::from_secs(5), pending::<Result<(), _>>());
    timeout(LIMIT, client_that_leaves).await.unwrap_err();
    breaker.run(LIMIT, calls.answer(Ok(()))).await.unwrap();
    assert!(!breaker.is_open());
}

#[tokio::test]
async fn a_success_between_failures_counts_however_they_overlap() {
    let breaker = breaker(2);
    for _ in 0..100 {
        breaker.run(LIMIT, ready(away())).await.unwrap_err();
        breaker.run(LIMIT, ready(Ok(()))).await.unwrap();
        assert!(!breaker.is_open());
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    assert!(Breaker::new("x", "x", 0, PAUSE).is_err());
}
