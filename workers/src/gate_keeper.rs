//! Sees to it that the gate hears of everything, and notices when it lost writes.
//!
//! Beats and rounds are two workers: a long round must not delay the beats, by which a loss is
//! noticed. What a keeper remembers for the one it does not need for the other.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Ports;
use domain::use_cases::keep_gate::{Keeper, beat, keep_gate};

use crate::context::{Context, End, Worker};

pub(crate) struct GateRounds {
    ports: Ports,
    keeper: Keeper,
}

pub(crate) struct GateBeats {
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

impl GateBeats {
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
            // Healing waits for the order writer, which may have left already; cut off, it is as
            // after a crash.
            let beaten = context
                .unless_stopping(beat(&self.ports, &mut self.keeper))
                .await;
            beaten.transpose()?;
            context.rest_after_round(false, context.pace.beat_ms).await;
        }
        Ok(End::Shutdown)
    }
}
