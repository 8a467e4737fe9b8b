//! Who watches what: one `watch` a key, for as long as somebody watches it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch::{Receiver, Sender};

/// The values of what is watched.
pub struct Watched<K, V>(Mutex<HashMap<K, Sender<V>>>);

impl<K: Copy + Eq + Hash, V: Clone + Default> Watched<K, V> {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(HashMap::new())))
    }

    /// Begins to watch `key`. A value that is there already counts as not seen yet.
    pub fn watch(self: &Arc<Self>, key: K) -> Watching<K, V> {
        let mut senders = self.lock();
        let (receiver, first) = if let Some(sender) = senders.get(&key) {
            let mut receiver = sender.subscribe();
            receiver.mark_changed();
            (receiver, false)
        } else {
            let (sender, receiver) = tokio::sync::watch::channel(V::default());
            senders.insert(key, sender);
            (receiver, true)
        };
        drop(senders);
        Watching {
            watched: Arc::clone(self),
            key,
            receiver: Some(receiver),
            first,
        }
    }

    /// Changes the value of `key`, if it is watched; `change` says whether its watchers shall know.
    pub fn change(&self, key: K, change: impl FnOnce(&mut V) -> bool) {
        if let Some(sender) = self.lock().get(&key) {
            sender.send_if_modified(change);
        }
    }

    /// Changes every value, and has all watchers know.
    pub fn change_all(&self, change: impl Fn(&mut V)) {
        for sender in self.lock().values() {
            sender.send_modify(&change);
        }
    }

    /// The value of `key`, if it is watched.
    pub fn value(&self, key: K) -> Option<V> {
        self.lock().get(&key).map(|sender| sender.borrow().clone())
    }

    /// All that is watched now.
    pub fn values(&self) -> Vec<(K, V)> {
        self.lock()
            .iter()
            .map(|(key, sender)| (*key, sender.borrow().clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Sender<V>>> {
        // Nothing that holds the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who watches; dropping it ends that.
pub struct Watching<K: Copy + Eq + Hash, V: Clone + Default> {
    watched: Arc<Watched<K, V>>,
    pub key: K,
    /// There until it is dropped.
    receiver: Option<Receiver<V>>,
    /// Whether nobody watched the key before.
    pub first: bool,
}

impl<K: Copy + Eq + Hash, V: Clone + Default> Watching<K, V> {
    /// The value as it is.
    pub fn value(&self) -> V {
        self.receiver
            .as_ref()
            .map(|receiver| receiver.borrow().clone())
            .unwrap_or_default()
    }

    /// Waits for a value that was not seen yet, and returns the newest.
    pub async fn next(&mut self) -> V {
        if let Some(receiver) = &mut self.receiver
            && receiver.changed().await.is_ok()
        {
            return receiver.borrow_and_update().clone();
        }
        // The receiver is there until the end, and the sender for as long as it has a receiver.
        std::future::pending().await
    }
}

impl<K: Copy + Eq + Hash, V: Clone + Default> Drop for Watching<K, V> {
    fn drop(&mut self) {
        self.receiver = None;
        let mut senders = self.watched.lock();
        if senders
            .get(&self.key)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            senders.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn set(watched: &Watched<u8, u32>, key: u8, value: u32) {
        watched.change(key, |seen| {
            *seen = value;
            true
        });
    }

    #[test]
    fn a_slow_watcher_skips_to_the_newest() {
        let watched = Watched::<u8, u32>::new();
        let mut watching = watched.watch(1);
        (1..=5).for_each(|value| set(&watched, 1, value));
        assert_eq!(watching.next().now_or_never(), Some(5));
        assert_eq!(watching.next().now_or_never(), None);
    }

    #[test]
    fn who_comes_later_sees_what_is_there() {
        let watched = Watched::<u8, u32>::new();
        let first = watched.watch(1);
        set(&watched, 1, 7);
        let mut second = watched.watch(1);
        assert!(first.first && !second.first);
        assert_eq!(second.next().now_or_never(), Some(7));
    }

    #[test]
    fn nothing_is_kept_for_what_nobody_watches() {
        let watched = Watched::<u8, u32>::new();
        let (one, two) = (watched.watch(1), watched.watch(1));
        set(&watched, 2, 7);
        drop(one);
        assert_eq!(watched.values(), [(1, 0)]);
        drop(two);
        assert_eq!(watched.values(), []);
    }
}
