//! What a breaker, and a look into the items' cache, cost an order: `cargo bench -p adapters`.

#![allow(clippy::unwrap_used, reason = "a measurement may stop")]

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::guard::Breaker;
use domain::Fault;
use tokio::task::yield_now;

const CALLS: u32 = 1_000_000;
const LIMIT: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // Cargo runs benchmarks among the tests too, without this.
    if std::env::args().any(|argument| argument == "--bench") {
        // On a worker, where orders are placed too.
        tokio::spawn(breaker()).await.unwrap();
    }
}

async fn breaker() {
    let breaker = Arc::new(Breaker::new("it", "asking it", 5, Duration::from_secs(1)).unwrap());
    for _ in 0..2 {
        let bare = per_call(async || at_once().await).await;
        let guarded = per_call(async || breaker.run(LIMIT, at_once()).await).await;
        println!("answers at once: bare {bare:?}, guarded {guarded:?}");
        let bare = per_call(async || a_moment_later().await).await;
        let guarded = per_call(async || breaker.run(LIMIT, a_moment_later()).await).await;
        println!("answers a moment later: bare {bare:?}, guarded {guarded:?}");
    }
}

fn at_once() -> impl Future<Output = Result<u64, Fault>> {
    std::future::ready(Ok(std::hint::black_box(7)))
}

/// As a call to a server: it is waited for, so the time limit needs its timer.
async fn a_moment_later() -> Result<u64, Fault> {
    yield_now().await;
    at_once().await
}

#[allow(clippy::disallowed_methods, reason = "it measures")]
async fn per_call<F>(call: impl Fn() -> F) -> Duration
where
    F: Future<Output = Result<u64, Fault>>,
{
    let start = Instant::now();
    for _ in 0..CALLS {
        call().await.unwrap();
    }
    start.elapsed() / CALLS
}
