//! What every implementation of the limiter has to do. A test file brings its implementation as an
//! expression and calls `limiter_suite!`.

use std::sync::Arc;
use std::time::Duration;

use domain::AccountId;
use domain::ports::Limiter;
use domain::ports::limiter::Taken;
use domain::rate::{Action, Bucket, Rate};
use futures_util::future::join_all;
use uuid::Uuid;

/// A test for every function of the suite; `$limiter` makes one that has counted nothing.
macro_rules! limiter_suite {
    ($limiter:expr) => {
        limiter_suite!(
            $limiter;
            so_many_at_once_and_no_more,
            a_refusal_takes_nothing,
            buckets_are_apart,
            after_the_time_that_was_said_there_is_one,
            a_crowd_gets_exactly_so_many,
            another_rate_is_kept_at_once,
        );
    };
    ($limiter:expr; $($name:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $crate::conformance::suite::$name($limiter).await;
        }
    )*};
}
pub(crate) use limiter_suite;

/// A bucket that nobody else has, even in a Redis that all tests share.
pub fn bucket() -> Bucket {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    Bucket::of_account(Action::SignIn, AccountId(Uuid::from_u128(number.into())))
}

/// So slow that no test lives to see one more.
pub fn an_hour(times: u32) -> Rate {
    Rate::new(times, 3_600_000).unwrap()
}

async fn take(limiter: &dyn Limiter, bucket: &Bucket, rate: Rate) -> Taken {
    limiter.take(bucket, rate).await.unwrap()
}

/// How long a refusal says to wait.
async fn wait(limiter: &dyn Limiter, bucket: &Bucket, rate: Rate) -> u64 {
    match take(limiter, bucket, rate).await {
        Taken::No { retry_after_ms } => retry_after_ms,
        Taken::Yes => panic!("it should have been empty"),
    }
}

pub mod suite {
    use super::*;

    pub async fn so_many_at_once_and_no_more(limiter: Arc<dyn Limiter>) {
        let (bucket, rate) = (bucket(), an_hour(4));
        for _ in 0..4 {
            assert_eq!(take(&*limiter, &bucket, rate).await, Taken::Yes);
        }
        let wait = wait(&*limiter, &bucket, rate).await;
        assert!((800_000..=900_000).contains(&wait), "{wait}");
    }

    pub async fn a_refusal_takes_nothing(limiter: Arc<dyn Limiter>) {
        let (bucket, rate) = (bucket(), an_hour(1));
        assert_eq!(take(&*limiter, &bucket, rate).await, Taken::Yes);
        let mut last = wait(&*limiter, &bucket, rate).await;
        for _ in 0..50 {
            let next = wait(&*limiter, &bucket, rate).await;
            assert!((1..=last).contains(&next), "{next} after {last}");
            last = next;
        }
    }

    pub async fn buckets_are_apart(limiter: Arc<dyn Limiter>) {
        let (one, other) = (bucket(), bucket());
        let rate = an_hour(1);
        assert_eq!(take(&*limiter, &one, rate).await, Taken::Yes);
        assert_eq!(take(&*limiter, &other, rate).await, Taken::Yes);
        wait(&*limiter, &one, rate).await;
        let account = AccountId(Uuid::from_u128(1 << 100));
        for action in [Action::SignIn, Action::TryCode] {
            let bucket = Bucket::of_account(action, account);
            assert_eq!(take(&*limiter, &bucket, rate).await, Taken::Yes);
        }
    }

    pub async fn after_the_time_that_was_said_there_is_one(limiter: Arc<dyn Limiter>) {
        let (bucket, rate) = (bucket(), Rate::new(4, 1_000).unwrap());
        // Until it is empty: a slow machine fills it while it is being emptied.
        let wait = loop {
            if let Taken::No { retry_after_ms } = take(&*limiter, &bucket, rate).await {
                break retry_after_ms;
            }
        };
        assert!((1..=250).contains(&wait), "{wait}");
        tokio::time::sleep(Duration::from_millis(wait)).await;
        assert_eq!(take(&*limiter, &bucket, rate).await, Taken::Yes);
    }

    pub async fn a_crowd_gets_exactly_so_many(limiter: Arc<dyn Limiter>) {
        let (bucket, rate) = (bucket(), an_hour(100));
        let crowd = (0..300).map(|_| {
            let (limiter, bucket) = (limiter.clone(), bucket.clone());
            tokio::spawn(async move { take(&*limiter, &bucket, rate).await })
        });
        let taken = join_all(crowd).await;
        let taken = taken
            .into_iter()
            .filter(|taken| *taken.as_ref().unwrap() == Taken::Yes);
        // The hour's hundred, and at most one more if it takes half a minute.
        assert!((100..=101).contains(&taken.count()));
    }

    pub async fn another_rate_is_kept_at_once(limiter: Arc<dyn Limiter>) {
        let bucket = bucket();
        for _ in 0..50 {
            take(&*limiter, &bucket, an_hour(50)).await;
        }
        let faster = Rate::new(10, 1_000).unwrap();
        let wait = wait(&*limiter, &bucket, faster).await;
        assert!((1..=100).contains(&wait), "{wait}");
    }
}
