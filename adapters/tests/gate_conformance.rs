//! The gate in memory, with one shard and with three, under the gate's conformance suite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "conformance/gate.rs"]
mod conformance;

use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::embedded::gate::{MemoryGate, MemoryGateSettings, Replica};
use async_trait::async_trait;
use conformance::{EDGE_QUEUE_MAX, World, gate_suite};
use domain::ports::Gate;

struct Memory(Arc<MemoryGate>);

impl Memory {
    fn with_shards(shards: u16) -> Self {
        let settings = MemoryGateSettings {
            shards,
            edge_queue_max: EDGE_QUEUE_MAX,
            ..Default::default()
        };
        Self(Arc::new(MemoryGate::new(Arc::new(SystemClock), settings)))
    }
}

#[async_trait]
impl World for Memory {
    fn gate(&self) -> Arc<dyn Gate> {
        self.0.clone()
    }

    async fn lose_everything(&self) {
        self.0.fail_over(Replica::default());
    }
}

mod one_shard {
    use super::*;
    use crate::conformance::suite;

    gate_suite!(Memory::with_shards(1));
}

mod three_shards {
    use super::*;
    use crate::conformance::suite;

    gate_suite!(Memory::with_shards(3));
}
