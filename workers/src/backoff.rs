//! How long to wait before the next try.

use domain::ports::Entropy;

use crate::pace::Waits;

/// Doubling waits with "equal jitter": half of each is fixed, half is random, so that those who
/// failed together do not come back together, and nobody comes back at once. (Marc Brooker,
/// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
#[derive(Debug)]
pub(crate) struct Backoff {
    waits: Waits,
    failures: u32,
}

impl Backoff {
    pub fn new(waits: Waits) -> Self {
        Self { waits, failures: 0 }
    }

    /// Something worked: the next failure is a first one.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure, in milliseconds.
    pub fn next_ms(&mut self, entropy: &dyn Entropy) -> u64 {
        let doubled = 2_u64
            .saturating_pow(self.failures)
            .saturating_mul(self.waits.first_ms);
        self.failures = self.failures.saturating_add(1);
        let whole = doubled.min(self.waits.most_ms);
        let fixed = whole / 2;
        fixed + up_to(whole - fixed, entropy)
    }
}

/// A random number from 0 to `most`. The bias of the remainder does not matter for a wait.
fn up_to(most: u64, entropy: &dyn Entropy) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    u64::from_le_bytes(bytes) % most.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Same(u64);

    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0.to_le_bytes());
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_start_over() {
        let mut backoff = Backoff::new(Waits {
            first_ms: 100,
            most_ms: 500,
        });
        let waits: Vec<u64> = (0..5).map(|_| backoff.next_ms(&Same(0))).collect();
        assert_eq!(waits, [50, 100, 200, 250, 250]);
        backoff.reset();
        assert_eq!(backoff.next_ms(&Same(50)), 100);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_longer_than_the_longest_nor_shorter_than_half_of_its_turn(
            first_ms in 0..u64::MAX,
            most_ms in 0..u64::MAX,
            random: u64,
            failures in 0..200_u32,
        ) {
            let mut backoff = Backoff { waits: Waits { first_ms, most_ms }, failures };
            let wait = backoff.next_ms(&Same(random));
            prop_assert!(wait <= most_ms);
            prop_assert!(wait >= first_ms.min(most_ms) / 2);
        }
    }
}
