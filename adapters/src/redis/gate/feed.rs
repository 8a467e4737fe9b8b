//! What the gate publishes: levels that moved, and locks given back. One subscription a process.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::gate::{Change, LevelVersion};
use domain::ports::gate::{FeedCursor, News};
use domain::{Fault, ItemId, Timestamp};
use futures_util::StreamExt;
use redis::Msg;
use redis::aio::PubSub;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Shared;
use crate::redis::connection::{Listening, fault};
use crate::redis::keys::ShardKeys;

/// Items whose changes are kept; past it readers are sent to read instead.
const ITEMS: usize = 100_000;
/// Wake-ups that one who waits may be behind; past it everybody wakes.
const WAKES: usize = 256;
/// How often the connection is tried, and how long an answer may take.
const ALIVE: Duration = Duration::from_secs(1);
/// How long nobody tries after a connection is lost.
const RETRY: Duration = Duration::from_millis(200);

/// What was heard, for whoever waits.
pub(super) struct Feed {
    heard: Mutex<Heard>,
    waiting: Notify,
    wakes: broadcast::Sender<Wake>,
}

/// The newest change of every item, by when it was heard. A level, not a log.
struct Heard {
    last: u64,
    /// What came before is not complete.
    gap_at: u64,
    by_item: HashMap<ItemId, (u64, Change)>,
    by_time: BTreeSet<(u64, ItemId)>,
}

/// Who may go on.
#[derive(Clone, Copy)]
enum Wake {
    Of(ItemId),
    All,
}

/// One who waits for a lock to be given back.
pub(super) struct Wakes(broadcast::Receiver<Wake>);

impl Default for Feed {
    fn default() -> Self {
        // Before anything is heard there is a gap, also for who knows nothing.
        let heard = Heard {
            last: 1,
            gap_at: 1,
            by_item: HashMap::new(),
            by_time: BTreeSet::new(),
        };
        Self {
            heard: Mutex::new(heard),
            waiting: Notify::new(),
            wakes: broadcast::Sender::new(WAKES),
        }
    }
}

impl Wakes {
    /// Returns when the lock of this item was given back, or may have been.
    pub async fn of(&mut self, item: ItemId) {
        loop {
            match self.0.recv().await {
                Ok(Wake::Of(other)) if other != item => {}
                Ok(Wake::Of(_) | Wake::All) | Err(_) => return,
            }
        }
    }
}

impl Feed {
    pub fn wakes(&self) -> Wakes {
        Wakes(self.wakes.subscribe())
    }

    pub async fn changes(&self, after: FeedCursor) -> News {
        loop {
            // From here on no change is missed, though it comes before the wait begins.
            let changed = self.waiting.notified();
            if let Some(news) = self.lock().after(after.0) {
                return news;
            }
            changed.await;
        }
    }

    fn hear(&self, changes: &[Change]) {
        self.lock().hear(changes);
        self.waiting.notify_waiters();
    }

    /// Something may have gone unheard.
    fn gap(&self) {
        self.lock().gap();
        self.waiting.notify_waiters();
    }

    fn wake(&self, wake: Wake) {
        // Nobody may be waiting.
        let _ = self.wakes.send(wake);
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        // Nothing panics while it is held.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn after(&self, after: u64) -> Option<News> {
        if after >= self.last {
            return None;
        }
        let changed = self.by_time.range((after + 1, ItemId(uuid::Uuid::nil()))..);
        Some(News {
            cursor: FeedCursor(self.last),
            gap: after < self.gap_at,
            changes: changed
                .filter_map(|(_, item)| Some(self.by_item.get(item)?.1))
                .collect(),
        })
    }

    fn hear(&mut self, changes: &[Change]) {
        if self.by_item.len() + changes.len() > ITEMS {
            self.gap();
        }
        self.last += 1;
        for change in changes {
            if let Some((heard_at, known)) = self.by_item.get(&change.item) {
                if known.version >= change.version {
                    continue;
                }
                self.by_time.remove(&(*heard_at, change.item));
            }
            self.by_item.insert(change.item, (self.last, *change));
            self.by_time.insert((self.last, change.item));
        }
    }

    fn gap(&mut self) {
        self.last += 1;
        self.gap_at = self.last;
        self.by_item.clear();
        self.by_time.clear();
    }
}

/// Hears what is published from now on, until the guard is dropped.
pub(super) async fn listen(
    shared: Arc<Shared>,
    feed: Arc<Feed>,
    mut listening: Listening,
) -> Result<DropGuard, Fault> {
    let channels: Vec<String> = shared
        .shards
        .iter()
        .flat_map(|keys| [keys.levels.clone(), keys.wake.clone()])
        .collect();
    let first = listening.to(&channels).await;
    let mut connection = first.map_err(|error| fault("listening to the gate", error))?;
    let end = CancellationToken::new();
    let ended = end.clone();
    tokio::spawn(async move {
        let listener = async {
            let mut ear = Ear::new(&shared, &feed);
            loop {
                ear.hear_all(connection).await;
                connection = loop {
                    tokio::time::sleep(RETRY).await;
                    if let Ok(connection) = listening.to(&channels).await {
                        break connection;
                    }
                };
                feed.gap();
                feed.wake(Wake::All);
            }
        };
        ended.run_until_cancelled(listener).await
    });
    Ok(end.drop_guard())
}

/// Makes changes and wake-ups of messages.
struct Ear<'a> {
    shards: &'a [ShardKeys],
    feed: &'a Feed,
    /// The epoch of each shard, once it was heard.
    epochs: Vec<Option<u32>>,
}

impl<'a> Ear<'a> {
    fn new(shared: &'a Shared, feed: &'a Feed) -> Self {
        let shards = shared.shards.as_slice();
        Self {
            shards,
            feed,
            epochs: vec![None; shards.len()],
        }
    }

    /// Hears until the connection is lost.
    async fn hear_all(&mut self, connection: PubSub) {
        let (mut sink, mut messages) = connection.split();
        let is_alive = async {
            loop {
                tokio::time::sleep(ALIVE).await;
                match tokio::time::timeout(ALIVE, sink.ping::<redis::Value>()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(_)) | Err(_) => return,
                }
            }
        };
        let hearing = async {
            while let Some(message) = messages.next().await {
                self.hear(&message);
            }
        };
        tokio::select! {
            () = is_alive => {}
            () = hearing => {}
        }
    }

    fn hear(&mut self, message: &Msg) {
        let channel = message.get_channel_name();
        let Ok(text) = std::str::from_utf8(message.get_payload_bytes()) else {
            return;
        };
        let of = |keys: &ShardKeys| channel == keys.levels || channel == keys.wake;
        let Some(at) = self.shards.iter().position(of) else {
            return;
        };
        let keys = &self.shards[at];
        if channel == keys.wake {
            self.feed
                .wake(keys.locked_item(text).map_or(Wake::All, Wake::Of));
        } else if let Some((epoch, changes)) = read(keys, text) {
            let before = self.epochs[at].replace(epoch);
            if before.is_some_and(|before| before != epoch) {
                self.feed.gap();
            }
            if !changes.is_empty() {
                self.feed.hear(&changes);
            }
        } else {
            // Whatever it says can be read where it stands.
            self.feed.gap();
        }
    }
}

/// Reads a message: `epoch now`, then `key admitted ceiling version` a line.
fn read(keys: &ShardKeys, text: &str) -> Option<(u32, Vec<Change>)> {
    let mut lines = text.lines();
    let (epoch, now) = lines.next()?.split_once(' ')?;
    let epoch = epoch.parse().ok()?;
    let as_of = Timestamp::from_timestamp_millis(now.parse().ok()?)?;
    let change = |line: &str| {
        let mut words = line.split(' ');
        let item = keys.item_of(words.next()?)?;
        let admitted: i64 = words.next()?.parse().ok()?;
        let _ceiling = words.next()?;
        let terms: i64 = words.next()?.parse().ok()?;
        Some(Change {
            item,
            admitted,
            terms,
            version: LevelVersion {
                epoch,
                count: admitted + terms,
            },
            as_of,
        })
    };
    Some((epoch, lines.map(change).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use domain::gate::Shard;
    use uuid::Uuid;

    use super::*;

    const ITEM: ItemId = ItemId(Uuid::from_u128(1));

    fn change(epoch: u32, admitted: i64) -> Change {
        Change {
            item: ITEM,
            admitted,
            terms: 1,
            version: LevelVersion {
                epoch,
                count: admitted + 1,
            },
            as_of: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_message_is_read() {
        let keys = ShardKeys::new("", Shard(0));
        let line = format!("{} 7 100 3", keys.item(ITEM));
        let (epoch, changes) = read(&keys, &format!("5 1767225600000\n{line}\n")).unwrap();
        assert_eq!(epoch, 5);
        let expected = Change {
            terms: 3,
            version: LevelVersion {
                epoch: 5,
                count: 10,
            },
            as_of: Timestamp::from_timestamp_millis(1_767_225_600_000).unwrap(),
            ..change(5, 7)
        };
        assert_eq!(changes, [expected]);
        assert_eq!(read(&keys, "5 0"), Some((5, vec![])));
        for nonsense in ["", "5", "x 0", "5 0\nfc1:{g1}:item:1 1 1 1"] {
            assert_eq!(read(&keys, nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn what_is_older_is_no_news() {
        let mut heard = Feed::default().heard.into_inner().unwrap();
        heard.hear(&[change(1, 5)]);
        heard.hear(&[change(1, 4)]);
        let news = heard.after(1).unwrap();
        assert_eq!((news.changes, news.gap), (vec![change(1, 5)], false));
        heard.hear(&[change(2, 3)]);
        assert_eq!(
            heard.after(1).unwrap().changes,
            [change(2, 3)],
            "another epoch"
        );
        assert!(heard.after(heard.last).is_none());
        assert!(
            heard.after(0).unwrap().gap,
            "whoever knows nothing has to read"
        );
    }

    #[test]
    fn too_many_items_are_a_gap() {
        let mut heard = Feed::default().heard.into_inner().unwrap();
        let other = |number| Change {
            item: ItemId(Uuid::from_u128(number)),
            ..change(1, 1)
        };
        for first in (0..ITEMS as u128).step_by(1_000) {
            let changes: Vec<_> = (first..first + 1_000).map(other).collect();
            heard.hear(&changes);
        }
        let cursor = heard.last;
        heard.hear(&[other(ITEMS as u128)]);
        let news = heard.after(cursor).unwrap();
        assert!(news.gap);
        assert_eq!(news.changes.len(), 1);
    }
}
