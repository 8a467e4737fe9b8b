//! Sees to it that the gate hears of everything, and brings it back to itself after a loss.
//!
//! Beats, rounds and healing are three workers: a long round must not delay the beats, by which a
//! loss is noticed, and a healing waits for others.

use async_trait::async_trait;
use domain::Fault;
use domain::gate::Shard;
use domain::ports::Ports;
use domain::use_cases::heal_gate::heal_gate;
use domain::use_cases::keep_gate::{Keeper, beat, keep_gate};
use futures_util::future::join_all;

use crate::backoff::Backoff;
use crate::context::{Context, End, Worker};

pub(crate) struct GateBeats(pub Ports);

pub(crate) struct GateHealing(pub Ports);

pub(crate) struct GateRounds {
    ports: Ports,
    keeper: Keeper,
}

impl GateRounds {
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            keeper: Keeper::default(),
        }
    }
}

#[async_trait]
impl Worker for GateRounds {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            keep_gate(&self.ports, &mut self.keeper).await?;
            context
                .rest_after_round(false, context.pace.keeper_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}

#[async_trait]
impl Worker for GateBeats {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            beat(&self.0).await?;
            context.rest_after_round(false, context.pace.beat_ms).await;
        }
        Ok(End::Shutdown)
    }
}

#[async_trait]
impl Worker for GateHealing {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        let shards = self.0.gate.shards().into_iter();
        join_all(shards.map(|shard| self.keep_healthy(shard, context))).await;
        Ok(End::Shutdown)
    }
}

impl GateHealing {
    /// Heals one shard whenever it has to be. Each on its own: a healing waits for orders that may
    /// wait for the next shard, and a shard that is away keeps no other from it.
    async fn keep_healthy(&self, shard: Shard, context: &Context) {
        let mut backoff = Backoff::new(context.pace.restart);
        // It waits for the order writer, which may have left already; cut off, it is as after a
        // crash.
        while let Some(healed) = context.unless_stopping(heal_gate(&self.0, shard)).await {
            match healed {
                Ok(()) => {
                    backoff.reset();
                    let period = context.pace.healing_ms;
                    context.rest_after_round(false, period).await;
                }
                Err(fault) => {
                    context.report(&fault);
                    context.back_off(&mut backoff).await;
                }
            }
        }
    }
}
