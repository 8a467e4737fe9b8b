//! Sees to it that the gate hears of everything, and brings it back to itself after a loss.
//!
//! Beats, rounds and healing are three workers: a long round must not delay the beats, by which a
//! loss is noticed, and a healing waits for others.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Ports;
use domain::use_cases::heal_gate::heal_gate;
use domain::use_cases::keep_gate::{Keeper, beat, keep_gate};

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
        while !context.is_stopping() {
            for shard in self.0.gate.shards() {
                // It waits for the order writer, which may have left already; cut off, it is as
                // after a crash.
                let healed = context.unless_stopping(heal_gate(&self.0, shard)).await;
                healed.transpose()?;
            }
            context
                .rest_after_round(false, context.pace.healing_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}
