//! Rates that one process counts for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::Fault;
use domain::ports::limiter::Taken;
use domain::ports::{Clock, Limiter};
use domain::rate::{Bucket, Rate};

/// Buckets that are kept at most; each takes about 150 bytes.
const MOST: usize = 200_000;
/// How many there may be before the full ones are looked for.
const FEW: usize = 1_024;

/// Buckets in memory.
pub struct MemoryLimiter {
    clock: Arc<dyn Clock>,
    buckets: Mutex<Buckets>,
}

struct Buckets {
    /// When each will be full, in microseconds since 1970; those that are not there are.
    full: HashMap<Bucket, u64>,
    /// At what number the full ones are thrown out.
    tidy_at: usize,
}

impl MemoryLimiter {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let buckets = Buckets {
            full: HashMap::new(),
            tidy_at: FEW,
        };
        Self {
            clock,
            buckets: Mutex::new(buckets),
        }
    }

    /// Takes one from a bucket, or nothing when it is empty.
    pub fn take_now(&self, bucket: &Bucket, rate: Rate) -> Taken {
        let now_ms = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        let now = now_ms * 1_000;
        // Each change of it is one insertion: there is no half of one.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = buckets.full.get(bucket).copied().unwrap_or(0);
        match rate.take(full, now) {
            Ok(full) => {
                buckets.put(bucket, full, now);
                Taken::Yes
            }
            Err(wait_us) => Taken::No {
                retry_after_ms: wait_us.div_ceil(1_000),
            },
        }
    }
}

impl Buckets {
    fn put(&mut self, bucket: &Bucket, full: u64, now: u64) {
        if let Some(known) = self.full.get_mut(bucket) {
            *known = full;
            return;
        }
        if self.full.len() >= self.tidy_at {
            self.tidy(now);
        }
        self.full.insert(bucket.clone(), full);
    }

    fn tidy(&mut self, now: u64) {
        self.full.retain(|_, full| *full > now);
        if self.full.len() >= MOST {
            // Those that are full the soonest are the least loss.
            let mut instants: Vec<u64> = self.full.values().copied().collect();
            let (_, median, _) = instants.select_nth_unstable(MOST / 2);
            let median = *median;
            self.full.retain(|_, full| *full > median);
        }
        // So that on average each insertion looks at two.
        self.tidy_at = (self.full.len() * 2).clamp(FEW, MOST);
    }
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn take(&self, bucket: &Bucket, rate: Rate) -> Result<Taken, Fault> {
        Ok(self.take_now(bucket, rate))
    }
}

#[cfg(test)]
mod tests {
    use domain::AccountId;
    use domain::rate::Action;
    use uuid::Uuid;

    use super::*;
    use crate::clock::ManualClock;

    fn bucket(number: usize) -> Bucket {
        let number = u128::try_from(number).unwrap();
        Bucket::of_account(Action::SignIn, AccountId(Uuid::from_u128(number)))
    }

    fn limiter() -> (Arc<ManualClock>, MemoryLimiter) {
        let clock = Arc::new(ManualClock::new("2026-05-04T03:00:00Z".parse().unwrap()));
        (clock.clone(), MemoryLimiter::new(clock))
    }

    #[test]
    fn it_fills_by_the_clock() {
        let (clock, limiter) = limiter();
        let rate = Rate::new(2, 60_000).unwrap();
        let take = || limiter.take_now(&bucket(1), rate);
        let no = |retry_after_ms| Taken::No { retry_after_ms };
        assert_eq!(
            [take(), take(), take()],
            [Taken::Yes, Taken::Yes, no(30_000)]
        );
        clock.advance_ms(29_999);
        assert_eq!(take(), no(1));
        clock.advance_ms(1);
        assert_eq!([take(), take()], [Taken::Yes, no(30_000)]);
    }

    #[test]
    fn it_keeps_what_is_not_full_and_no_more_than_so_many() {
        let (clock, limiter) = limiter();
        let (short, long) = (
            Rate::new(1, 1_000).unwrap(),
            Rate::new(1, 3_600_000).unwrap(),
        );
        limiter.take_now(&bucket(0), long);
        for number in 1..=10_000 {
            limiter.take_now(&bucket(number), short);
        }
        clock.advance_ms(2_000);
        let kept = || limiter.buckets.lock().unwrap().full.len();
        for number in 10_001..=40_000 {
            limiter.take_now(&bucket(number), short);
        }
        assert!(kept() <= 40_000, "{}", kept());
        assert_ne!(limiter.take_now(&bucket(0), long), Taken::Yes);
        for number in 40_001..=450_000 {
            limiter.take_now(&bucket(number), short);
        }
        assert!(kept() <= MOST, "{}", kept());
        assert_ne!(limiter.take_now(&bucket(0), long), Taken::Yes);
    }
}
