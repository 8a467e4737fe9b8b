//! Items that the processes of a shop share, in a Redis of the caches' own: it may evict, and may
//! be away; then everybody asks the ledger.
//!
//! How old an entry is follows from how long it still lives, by that Redis' clock, so the clocks of
//! the processes do not matter.

use std::sync::Arc;
use std::time::Duration;

use domain::item::Item;
use domain::{Fault, ItemId};
use futures_util::StreamExt;
use redis::{Cmd, Pipeline, RedisResult, Value, cmd};
use tokio::sync::OnceCell;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::connection::{Connection, Copies, Listening, fault};
use super::settings::{Mode, RedisSettings};
use crate::wire;

/// How long an item is kept for the time when the ledger is away.
const KEPT: Duration = Duration::from_mins(10);
/// The same for the word that there is none of this id.
const KEPT_UNKNOWN: Duration = Duration::from_secs(1);
/// How long the others leave a loading to whoever claimed it.
const CLAIM: Duration = Duration::from_millis(300);
/// How long one command, and one attempt to connect, may take.
const PATIENCE: Duration = Duration::from_millis(250);
/// Between two attempts to listen.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// What stands for an id without an item.
const UNKNOWN: &[u8] = b"null";
const DOING: &str = "sharing items";

/// The items that processes share.
pub struct RedisItems {
    settings: RedisSettings,
    connection: OnceCell<Connection>,
}

/// What the others know of an item.
pub struct SharedItem {
    /// Nothing where there is no such item.
    pub item: Option<Item>,
    /// How long ago the ledger was asked.
    pub age: Duration,
}

impl RedisItems {
    /// By the URL of the caches' Redis, which need not be there yet.
    ///
    /// # Errors
    /// No URL of a Redis; told without the URL, which may carry a password.
    pub fn new(url: &str, namespace: &str) -> Result<Self, Fault> {
        let settings = RedisSettings {
            namespace: namespace.to_owned(),
            mode: Mode::Standalone {
                url: url.to_owned(),
            },
            username: None,
            password: None,
            command_timeout: PATIENCE,
        };
        Listening::new(&settings)
            .map_err(|_| Fault::corrupt("reading where the caches are", "no Redis URL"))?;
        Ok(Self {
            settings,
            connection: OnceCell::new(),
        })
    }

    /// What is known of these items, in their order.
    ///
    /// # Errors
    /// The caches' Redis is away.
    pub async fn look_up(&self, ids: &[ItemId]) -> Result<Vec<Option<SharedItem>>, Fault> {
        let mut pipeline = Pipeline::with_capacity(ids.len() * 2);
        for id in ids {
            let key = self.key(*id);
            pipeline.cmd("GET").arg(&key).cmd("PTTL").arg(&key);
        }
        let answers = self.run_all(&pipeline).await?;
        let (pairs, _) = answers.as_chunks::<2>();
        Ok(pairs.iter().map(shared_item).collect())
    }

    /// Claims the loading of these items, each for one process at a time; whether each was won.
    ///
    /// # Errors
    /// The caches' Redis is away.
    pub async fn claim(&self, ids: &[ItemId]) -> Result<Vec<bool>, Fault> {
        let mut pipeline = Pipeline::with_capacity(ids.len());
        for id in ids {
            let key = claim_key(&self.settings.namespace, *id);
            pipeline.add_command(set(&key, b"", CLAIM).arg("NX").take());
        }
        let answers = self.run_all(&pipeline).await?;
        Ok(answers
            .iter()
            .map(|answer| *answer == Value::Okay)
            .collect())
    }

    /// Shares what the ledger said `age` ago.
    ///
    /// # Errors
    /// The caches' Redis is away.
    pub async fn share(
        &self,
        items: impl IntoIterator<Item = (ItemId, Option<Arc<Item>>)>,
        age: Duration,
    ) -> Result<(), Fault> {
        let mut pipeline = Pipeline::new();
        for (id, item) in items {
            let (bytes, kept) = match item {
                Some(item) => (wire::item::encode(&item), KEPT),
                None => (Ok(UNKNOWN.to_vec()), KEPT_UNKNOWN),
            };
            let bytes = bytes.map_err(|error| Fault::corrupt(DOING, error))?;
            let left = kept.saturating_sub(age);
            if !left.is_zero() {
                pipeline.add_command(set(&self.key(id), &bytes, left));
            }
        }
        self.run_all(&pipeline).await.map(drop)
    }

    /// Forgets an item that has changed, and has all processes forget it.
    ///
    /// # Errors
    /// The caches' Redis is away.
    pub async fn forget(&self, id: ItemId) -> Result<(), Fault> {
        let namespace = &self.settings.namespace;
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline
            .cmd("DEL")
            .arg(self.key(id))
            .arg(claim_key(namespace, id))
            .cmd("PUBLISH")
            .arg(channel(namespace))
            .arg(id.0.as_bytes().as_slice());
        self.run_all(&pipeline).await.map(drop)
    }

    /// Hears which items are forgotten, until the handle is dropped. What is missed while the
    /// connection is gone is no older than an entry may be.
    ///
    /// # Errors
    /// What is set makes no sense.
    pub fn listen(
        &self,
        forgotten: impl Fn(ItemId) + Send + 'static,
    ) -> Result<AbortOnDropHandle<()>, Fault> {
        let mut listening = Listening::new(&self.settings)?;
        let channels = [channel(&self.settings.namespace)];
        let listening = async move {
            loop {
                if let Ok(heard) = listening.to(&channels).await {
                    let mut messages = heard.into_on_message();
                    while let Some(message) = messages.next().await {
                        if let Ok(id) = Uuid::from_slice(message.get_payload_bytes()) {
                            forgotten(ItemId(id));
                        }
                    }
                }
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        };
        Ok(AbortOnDropHandle::new(tokio::spawn(listening)))
    }

    fn key(&self, id: ItemId) -> String {
        item_key(&self.settings.namespace, id)
    }

    async fn run_all(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Fault> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        let connecting = || Connection::open(&self.settings, Copies::Primary);
        let connection = self.connection.get_or_try_init(connecting).await?;
        let answers = connection.run_all(pipeline, "").await;
        let answers = answers.and_then(all_well);
        answers.map_err(|error| fault(DOING, error))
    }
}

fn item_key(namespace: &str, id: ItemId) -> String {
    format!("fc1:{{{namespace}items}}:{}", id.0.simple())
}

fn claim_key(namespace: &str, id: ItemId) -> String {
    format!("fc1:{{{namespace}items}}:claim:{}", id.0.simple())
}

/// Where the ids of items that have changed are published, 16 bytes each.
fn channel(namespace: &str) -> String {
    format!("fc1:{{{namespace}items}}:changed")
}

fn set(key: &str, bytes: &[u8], life: Duration) -> Cmd {
    let ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1);
    cmd("SET").arg(key).arg(bytes).arg("PX").arg(ms).take()
}

fn all_well(answers: Vec<Value>) -> RedisResult<Vec<Value>> {
    answers.into_iter().map(Value::extract_error).collect()
}

/// What an entry and the rest of its life say. An entry of another version, or one that is gone in
/// between, is none.
fn shared_item([bytes, left]: &[Value; 2]) -> Option<SharedItem> {
    let bytes = match bytes {
        Value::BulkString(bytes) => bytes.as_slice(),
        _ => return None,
    };
    let left = match left {
        Value::Int(ms) => Duration::from_millis(u64::try_from(*ms).ok()?),
        _ => return None,
    };
    let (item, kept) = if bytes == UNKNOWN {
        (None, KEPT_UNKNOWN)
    } else {
        (Some(wire::item::decode(bytes).ok()?), KEPT)
    };
    let age = kept.saturating_sub(left);
    Some(SharedItem { item, age })
}
