//! The gate in Redis, in each shape that Redis is run in, under the gate's conformance suite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "conformance/gate.rs"]
mod conformance;
#[path = "gate_redis/own.rs"]
mod own;
#[path = "gate_redis/proxy.rs"]
mod proxy;
#[path = "support/services.rs"]
mod services;
#[path = "gate_redis/world.rs"]
mod world;

mod standalone {
    use crate::conformance::{gate_suite, suite};
    use crate::world::RedisWorld;

    gate_suite!(RedisWorld::standalone(1).await);
}

mod standalone_three_shards {
    use crate::conformance::{gate_suite, suite};
    use crate::world::RedisWorld;

    gate_suite!(RedisWorld::standalone(3).await);
}

mod sentinel {
    use crate::conformance::{gate_suite, suite};
    use crate::world::RedisWorld;

    gate_suite!(RedisWorld::sentinel(1).await);
}

mod cluster {
    use crate::conformance::{gate_suite, suite};
    use crate::world::RedisWorld;

    gate_suite!(RedisWorld::cluster(6).await);
}
