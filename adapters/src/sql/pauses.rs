//! How long work waits before it is done again.

use std::sync::atomic::{AtomicU64, Ordering};

/// The longest pause before a second try, in milliseconds; it doubles with every further one.
const FIRST_MS: u64 = 8;
const LONGEST_MS: u64 = 250;
/// The golden ratio as a fraction of 2⁶⁴: its multiples are spread evenly, however many they are.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Pauses that differ from one to the next and from process to process, so that those who met once
/// do not meet again.
pub struct Pauses(AtomicU64);

impl Default for Pauses {
    fn default() -> Self {
        Self(AtomicU64::new(
            u64::from(std::process::id())
                .wrapping_mul(STRIDE)
                .rotate_left(32),
        ))
    }
}

impl Pauses {
    /// The pause before a try, in milliseconds; the second one is the first that has one.
    pub fn before_try(&self, number: u32) -> u64 {
        let longest = LONGEST_MS.min(FIRST_MS << number.saturating_sub(2).min(8));
        let place = self.0.fetch_add(STRIDE, Ordering::Relaxed);
        let part = (u128::from(place) * u128::from(longest)) >> 64;
        1 + u64::try_from(part).unwrap_or(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_and_grow_to_a_bound() {
        let pauses = Pauses::default();
        let first: Vec<u64> = (0..16).map(|_| pauses.before_try(2)).collect();
        assert!(
            first.iter().all(|ms| (1..=FIRST_MS).contains(ms)),
            "{first:?}"
        );
        assert!(first.iter().any(|ms| *ms != first[0]), "{first:?}");
        let late: Vec<u64> = (0..16).map(|_| pauses.before_try(40)).collect();
        assert!(
            late.iter().all(|ms| (1..=LONGEST_MS).contains(ms)),
            "{late:?}"
        );
        assert!(late.iter().any(|ms| *ms > FIRST_MS), "{late:?}");
    }
}
