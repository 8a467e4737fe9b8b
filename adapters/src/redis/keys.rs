//! Every key and channel of the gate and of the rates; `lua/README.md` says what is stored where.
//!
//! The gate's all carry their shard's hash tag, so that what belongs together lies in one slot of a
//! Cluster. The tag has the shop's namespace in it, and so has each key. A bucket is alone in its
//! slot: its tag is its own.

use std::fmt;
use std::io::Write as _;

use domain::gate::Shard;
use domain::rate::Bucket;
use domain::{ItemId, OrderId};
use redis::{RedisWrite, ToRedisArgs, ToSingleRedisArg};
use uuid::Uuid;

/// The version of the layout; another layout takes another prefix.
const LAYOUT: &str = "fc1";

/// The keys of one shard.
pub(super) struct ShardKeys {
    pub shard: Shard,
    /// What each of them begins with.
    prefix: String,
    /// Beat, trust, epoch and healing.
    pub state: String,
    /// The edge queue.
    pub edge: String,
    /// Levels that are not published yet.
    pub moved: String,
    /// Items that heal.
    pub healing: String,
    /// Holds nothing of interest: a write to wait for.
    pub probe: String,
    /// The channel of levels.
    pub levels: String,
    /// The channel of locks given back.
    pub wake: String,
}

impl ShardKeys {
    pub fn new(namespace: &str, shard: Shard) -> Self {
        let prefix = format!("{LAYOUT}:{{{namespace}g{}}}:", shard.0);
        let of = |name: &str| format!("{prefix}{name}");
        Self {
            shard,
            state: of("shard"),
            edge: of("edge"),
            moved: of("moved"),
            healing: of("healing"),
            probe: of("probe"),
            levels: of("levels"),
            wake: of("wake"),
            prefix,
        }
    }

    pub fn item(&self, item: ItemId) -> Key<'_> {
        self.key("item:", item.0)
    }

    pub fn receipt(&self, order: OrderId) -> Key<'_> {
        self.key("receipt:", order.0)
    }

    /// The lock on loading an item.
    pub fn lock(&self, item: ItemId) -> Key<'_> {
        self.key("lock:", item.0)
    }

    /// The item whose key this is.
    pub fn item_of(&self, key: &str) -> Option<ItemId> {
        self.id_of("item:", key).map(ItemId)
    }

    /// The item whose lock's key this is.
    pub fn locked_item(&self, key: &str) -> Option<ItemId> {
        self.id_of("lock:", key).map(ItemId)
    }

    fn key(&self, kind: &'static str, id: Uuid) -> Key<'_> {
        let prefix = &self.prefix;
        Key { prefix, kind, id }
    }

    fn id_of(&self, kind: &str, key: &str) -> Option<Uuid> {
        let id = key.strip_prefix(&self.prefix)?.strip_prefix(kind)?;
        Uuid::try_parse(id).ok()
    }
}

/// The key of a bucket of a rate.
pub(super) fn bucket_key(namespace: &str, bucket: &Bucket) -> String {
    format!("{LAYOUT}:{{{namespace}rate:{}}}", bucket.key())
}

/// The key of one thing of many; written straight into a command.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    prefix: &'a str,
    kind: &'static str,
    id: Uuid,
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.prefix, self.kind, self.id.simple())
    }
}

impl ToRedisArgs for Key<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut id = [0; uuid::fmt::Simple::LENGTH];
        let id = self.id.simple().encode_lower(&mut id);
        let mut out = out.writer_for_next_arg();
        for part in [self.prefix, self.kind, id] {
            // Into memory.
            let _ = out.write_all(part.as_bytes());
        }
    }
}

impl ToSingleRedisArg for Key<'_> {}

/// An id inside the gate: 32 hexadecimal digits.
#[derive(Clone, Copy)]
pub(super) struct Id(pub Uuid);

impl ToRedisArgs for Id {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut id = [0; uuid::fmt::Simple::LENGTH];
        out.write_arg(self.0.simple().encode_lower(&mut id).as_bytes());
    }
}

impl ToSingleRedisArg for Id {}

#[cfg(test)]
mod tests {
    use domain::AccountId;
    use domain::rate::Action;

    use super::*;

    #[test]
    fn keys_are_as_they_are_written_down() {
        let keys = ShardKeys::new("", Shard(0));
        assert_eq!(keys.edge, "fc1:{g0}:edge");
        let item = ItemId(Uuid::from_u128(0xab));
        let key = "fc1:{g0}:item:000000000000000000000000000000ab";
        assert_eq!(keys.item(item).to_string(), key);
        assert_eq!(keys.item(item).to_redis_args(), [key.as_bytes()]);
        assert_eq!(
            ShardKeys::new("shop-", Shard(7)).levels,
            "fc1:{shop-g7}:levels"
        );
        let bucket = Bucket::of_account(Action::SignIn, AccountId(item.0));
        assert_eq!(
            bucket_key("shop-", &bucket),
            "fc1:{shop-rate:sign-in:account:000000000000000000000000000000ab}"
        );
    }

    #[test]
    fn a_key_says_whose_it_is() {
        let (keys, others) = (ShardKeys::new("a", Shard(1)), ShardKeys::new("a", Shard(2)));
        let item = ItemId(Uuid::from_u128(1));
        let (key, lock) = (keys.item(item).to_string(), keys.lock(item).to_string());
        assert_eq!(keys.item_of(&key), Some(item));
        assert_eq!(keys.locked_item(&lock), Some(item));
        assert_eq!((keys.item_of(&lock), others.item_of(&key)), (None, None));
        assert_eq!(keys.item_of("fc1:{ag1}:item:x"), None);
    }
}
