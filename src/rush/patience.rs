//! How long and how often a crowd tries: bounded, later each time, and not all of it at once.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The most tries of one request in a rush.
pub const MOST_TRIES: u32 = 12;
/// The first wait, and the longest.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// How long to wait before one looks again whether something has happened that is about to: a
/// moment first, then longer each time.
pub struct Look(Duration);

impl Look {
    const FIRST: Duration = Duration::from_millis(10);
    const LAST: Duration = Duration::from_millis(200);

    pub fn new() -> Self {
        Self(Self::FIRST)
    }

    /// Waits; false, and at once, if that would pass the deadline.
    pub async fn again(&mut self, deadline: Instant) -> bool {
        if Instant::now() + self.0 > deadline {
            return false;
        }
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(Self::LAST);
        true
    }
}

/// A row of tries.
pub struct Patience {
    deadline: Option<Instant>,
    most_tries: u32,
    tries: u32,
    /// Spreads a crowd that failed at one moment.
    seed: u64,
}

impl Patience {
    /// A first try and no other.
    pub fn none() -> Self {
        Self {
            deadline: None,
            most_tries: 1,
            tries: 1,
            seed: 0,
        }
    }

    /// So many tries, each twice as late as the one before.
    pub fn tries(most_tries: u32, seed: u64) -> Self {
        Self {
            deadline: None,
            most_tries,
            tries: 1,
            seed,
        }
    }

    /// As many tries as fit until a deadline.
    pub fn until(deadline: Instant, seed: u64) -> Self {
        Self {
            deadline: Some(deadline),
            most_tries: u32::MAX,
            tries: 1,
            seed,
        }
    }

    /// Waits for the next try, at least for as long as the server asked; false if there is none.
    pub async fn wait(&mut self, asked_for: Option<Duration>) -> bool {
        if self.tries >= self.most_tries {
            return false;
        }
        let pause = self.pause().max(asked_for.unwrap_or_default()).min(LONGEST);
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() + pause > deadline)
        {
            return false;
        }
        sleep(pause).await;
        self.tries += 1;
        true
    }

    /// Between a half and the whole of a step, by the seed and the try.
    fn pause(&self) -> Duration {
        let doubled = SHORTEST.saturating_mul(1 << self.tries.min(10).saturating_sub(1));
        let step = doubled.min(LONGEST);
        // Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
        let hash = (self.seed ^ u64::from(self.tries)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let share = u32::try_from(hash >> 56).unwrap_or(0);
        step / 2 + step / 2 * share / 256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tries_come_later_and_end() {
        let mut patience = Patience::tries(4, 7);
        let mut last = Duration::ZERO;
        for _ in 0..3 {
            let begun = Instant::now();
            assert!(patience.wait(None).await);
            let waited = begun.elapsed();
            assert!(
                waited > last && waited <= LONGEST,
                "{waited:?} after {last:?}"
            );
            last = waited.min(Duration::from_millis(100));
        }
        assert!(!patience.wait(None).await);
        assert_eq!(patience.tries, 4);
        assert!(!Patience::none().wait(None).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_ends_it_before_it_is_passed() {
        let begun = Instant::now();
        let deadline = begun + Duration::from_secs(10);
        let mut patience = Patience::until(deadline, 1);
        while patience.wait(Some(Duration::from_millis(900))).await {}
        assert!(begun.elapsed() > Duration::from_secs(8) && Instant::now() <= deadline);
    }

    #[test]
    fn a_crowd_is_spread() {
        let pause = |seed| Patience::tries(9, seed).pause();
        let pauses: std::collections::BTreeSet<_> = (0..100).map(pause).collect();
        assert!(pauses.len() > 50, "{}", pauses.len());
    }
}
