//! Rates counted in memory and in Redis, in each shape that Redis is run in, under the limiter's
//! conformance suite; and what Redis keeps of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "conformance/limiter.rs"]
mod conformance;
#[path = "gate_redis/kept.rs"]
mod kept;
#[path = "support/services.rs"]
mod services;

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::crypto::KeyedDigests;
use adapters::embedded::limiter::MemoryLimiter;
use adapters::guard::{GuardSettings, GuardedLimiter};
use adapters::redis::{Mode, RedisLimiter, RedisSettings};
use async_trait::async_trait;
use domain::account::Email;
use domain::ports::Limiter;
use domain::ports::limiter::Taken;
use domain::rate::{Action, Bucket, Peer, Rate};
use domain::{AccountId, Fault};
use services::{namespace, services};
use uuid::Uuid;

use crate::conformance::{an_hour, bucket, limiter_suite};

fn memory() -> Arc<dyn Limiter> {
    Arc::new(MemoryLimiter::new(Arc::new(SystemClock)))
}

fn settings(mode: Mode) -> RedisSettings {
    RedisSettings {
        namespace: namespace(),
        mode,
        username: None,
        password: None,
        // The machine may have much else to do.
        command_timeout: Duration::from_secs(5),
    }
}

async fn limiter(settings: &RedisSettings) -> Arc<dyn Limiter> {
    match RedisLimiter::connect(settings).await {
        Ok(limiter) => Arc::new(limiter),
        Err(fault) => panic!("{}", fault.detail()),
    }
}

fn standalone() -> Mode {
    let url = services().redis.standalone.url.clone();
    Mode::Standalone { url }
}

fn sentinel() -> Mode {
    let found = &services().redis.sentinel;
    Mode::Sentinel {
        sentinels: found.sentinels.clone(),
        primary: found.primary.clone(),
    }
}

fn cluster() -> Mode {
    let nodes = services().redis.cluster.nodes.clone();
    Mode::Cluster { nodes }
}

mod in_memory {
    use super::*;
    limiter_suite!(memory());
}

mod in_redis {
    use super::*;
    limiter_suite!(limiter(&settings(standalone())).await);
}

mod in_redis_with_sentinels {
    use super::*;
    limiter_suite!(limiter(&settings(sentinel())).await);
}

mod in_a_redis_cluster {
    use super::*;
    limiter_suite!(limiter(&settings(cluster())).await);
}

#[tokio::test]
async fn processes_count_together_and_shops_apart() {
    let one_shop = settings(standalone());
    let (one, other) = (limiter(&one_shop).await, limiter(&one_shop).await);
    let another_shop = limiter(&settings(standalone())).await;
    let (bucket, rate) = (bucket(), an_hour(2));
    assert_eq!(one.take(&bucket, rate).await.unwrap(), Taken::Yes);
    assert_eq!(other.take(&bucket, rate).await.unwrap(), Taken::Yes);
    assert_ne!(one.take(&bucket, rate).await.unwrap(), Taken::Yes);
    assert_ne!(other.take(&bucket, rate).await.unwrap(), Taken::Yes);
    assert_eq!(another_shop.take(&bucket, rate).await.unwrap(), Taken::Yes);
}

#[tokio::test]
async fn redis_keeps_nothing_personal_and_nothing_for_long() {
    let settings = settings(standalone());
    let limiter = limiter(&settings).await;
    let digests = KeyedDigests::new(&[7; 32]);
    let email = Email::parse("buyer@example.test").unwrap();
    let peer = Peer::of("192.0.2.7".parse().unwrap());
    let buckets = [
        Bucket::of_email(Action::SignIn, &email, &digests),
        Bucket::of_peer(Action::SignIn, peer, &digests),
        Bucket::of_account(Action::SignIn, AccountId(Uuid::from_u128(1))),
    ];
    for bucket in &buckets {
        limiter.take(bucket, an_hour(60)).await.unwrap();
    }
    let url = &services().redis.standalone.url;
    let kept = kept::keys_of(url, &settings.namespace);
    assert_eq!(kept.len(), 3, "{kept:?}");
    for (key, left_ms) in kept {
        assert!(!key.contains("buyer") && !key.contains("192"), "{key}");
        assert!((1..=60_000).contains(&left_ms), "{left_ms}");
    }
}

/// A Redis that is away.
struct Away;

#[async_trait]
impl Limiter for Away {
    async fn take(&self, _: &Bucket, _: Rate) -> Result<Taken, Fault> {
        Err(Fault::unavailable("counting", "nobody is there"))
    }
}

#[tokio::test]
async fn while_redis_is_away_each_node_counts_for_itself() {
    let guarded = GuardedLimiter::new(
        Arc::new(Away),
        Arc::new(SystemClock),
        &GuardSettings::default(),
    );
    let guarded = guarded.unwrap();
    let (bucket, rate) = (bucket(), an_hour(20));
    for _ in 0..20 {
        assert_eq!(guarded.take(&bucket, rate).await.unwrap(), Taken::Yes);
    }
    assert_ne!(guarded.take(&bucket, rate).await.unwrap(), Taken::Yes);
}

/// A Redis that nobody is to ask.
struct NotAsked;

#[async_trait]
impl Limiter for NotAsked {
    async fn take(&self, bucket: &Bucket, _: Rate) -> Result<Taken, Fault> {
        panic!("{} was asked about", bucket.key());
    }
}

#[tokio::test]
async fn what_each_node_counts_asks_nobody() {
    let guarded = GuardedLimiter::new(
        Arc::new(NotAsked),
        Arc::new(SystemClock),
        &GuardSettings::default(),
    );
    let guarded = guarded.unwrap();
    let bucket = Bucket::of_account(Action::PlaceOrder, AccountId(Uuid::from_u128(1)));
    let rate = an_hour(1);
    assert_eq!(guarded.take(&bucket, rate).await.unwrap(), Taken::Yes);
    assert_ne!(guarded.take(&bucket, rate).await.unwrap(), Taken::Yes);
}
