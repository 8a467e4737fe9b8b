//! How many of something each of many has at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A count for everybody who has one at all.
pub(crate) struct Counts<K>(Mutex<HashMap<K, usize>>);

impl<K: Copy + Eq + Hash> Counts<K> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    /// One more for `of`, unless it has `most` already; counted while the place lives.
    pub(crate) fn place(self: &Arc<Self>, of: K, most: usize) -> Option<Place<K>> {
        let mut counts = self.lock();
        let count = counts.entry(of).or_default();
        // Nobody is kept with nothing: where none may be had there is no entry either.
        if *count >= most {
            if *count == 0 {
                counts.remove(&of);
            }
            return None;
        }
        *count += 1;
        Some(Place {
            counts: Arc::clone(self),
            of,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // Nothing panics while it holds the lock, and a count is whole at any moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of somebody's.
pub(crate) struct Place<K: Copy + Eq + Hash> {
    counts: Arc<Counts<K>>,
    of: K,
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.counts.lock().entry(self.of) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_so_many_at_once() {
        let counts = Counts::new();
        let one = counts.place(1, 2).unwrap();
        let _two = counts.place(1, 2).unwrap();
        assert!(counts.place(1, 2).is_none());
        assert!(counts.place(2, 2).is_some());
        assert!(counts.place(3, 0).is_none());
        drop(one);
        assert!(counts.place(1, 2).is_some());
        assert_eq!(counts.lock().len(), 1, "nobody is kept who has none");
    }
}
