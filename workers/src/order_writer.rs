//! Writes accepted orders into the ledger.
//!
//! It reads the log by its own rules, because for it the ledger says how far it came, not the
//! group: position and orders move in one transaction, so log and ledger can't disagree. It starts
//! every partition from the ledger's position, and after a fault it goes back there and writes the
//! same batch again, for as long as it takes: an accepted order is never given up because the
//! ledger was away. Batches that fail are halved, so that one record that the ledger chokes on is
//! found, put aside, and holds up nobody.

mod place;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain::Fault;
use domain::message::{Offset, Partition, Topic};
use domain::ports::Ports;
use domain::ports::log::{Consumer, Delivery, Group, Log, Polled};
use domain::use_cases::write_orders::{Written, write_orders};
use futures_util::StreamExt;
use futures_util::stream;
use tracing::Instrument;

use crate::backoff::Backoff;
use crate::context::{Context, End, Worker, guarded};
use crate::order_writer::place::{Batch, Missing, Place};
use crate::trace::span_of;

/// Records taken from the log, and written in one transaction, at once.
const RECORDS_AT_ONCE: usize = 500;
/// Partitions written at the same time.
const PARTITIONS_AT_ONCE: usize = 4;

/// Where accepted orders are written.
#[async_trait]
pub(crate) trait Writing: Send + Sync {
    /// Where the ledger stands in a partition.
    async fn position(&self, partition: Partition) -> Result<Offset, Fault>;

    /// Writes records that start at `from`, without gaps.
    async fn write(
        &self,
        partition: Partition,
        from: Offset,
        deliveries: &[Delivery],
    ) -> Result<Written, Fault>;
}

pub(crate) struct IntoLedger(pub Ports);

#[async_trait]
impl Writing for IntoLedger {
    async fn position(&self, partition: Partition) -> Result<Offset, Fault> {
        self.0.orders.writer_position(partition).await
    }

    async fn write(
        &self,
        partition: Partition,
        from: Offset,
        deliveries: &[Delivery],
    ) -> Result<Written, Fault> {
        guarded(
            "writing orders",
            write_orders(&self.0, partition, from, deliveries),
        )
        .await
    }
}

pub(crate) struct OrderWriter<W> {
    log: Arc<dyn Log>,
    writing: W,
    /// The partitions that are this writer's.
    places: BTreeMap<Partition, Place>,
}

/// Why the writer stops for good.
pub(crate) const BEYOND_END: &str = "the ledger's position is beyond the end of the log";
pub(crate) const RECORDS_MISSING: &str = "the log has lost records that the ledger has not seen";

/// What a turn of the loop came to.
enum Turn {
    /// Nothing was to be done yet: partitions came or went.
    Rebalanced,
    /// Nothing came, or as much as could come.
    Next,
    /// Something was written, and more would have fit.
    Gather,
    /// It did not work; where it stands has to be read again, after a wait.
    Again,
    Halt(&'static str),
}

/// Whether the writer knows where the ledger stands in its partitions.
enum Known {
    All,
    NotAll,
    /// The ledger can't stand where it says.
    BeyondEnd,
}

impl<W: Writing> OrderWriter<W> {
    pub fn new(log: Arc<dyn Log>, writing: W) -> Self {
        Self {
            log,
            writing,
            places: BTreeMap::new(),
        }
    }
}

#[async_trait]
impl<W: Writing> Worker for OrderWriter<W> {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        let mut consumer = self
            .log
            .join(Group::OrderWriter, &[Topic::OrderAccepted])
            .await?;
        self.places.clear();
        let mut backoff = Backoff::new(context.pace.restart);
        while !context.is_stopping() {
            match self.turn(context, &mut *consumer).await? {
                Turn::Halt(why) => return Ok(End::Halted(why)),
                Turn::Rebalanced => continue,
                Turn::Again => {
                    context.back_off(&mut backoff).await;
                    continue;
                }
                Turn::Gather => {
                    context.rest(context.pace.linger_ms).await;
                }
                Turn::Next => {}
            }
            backoff.reset();
            context.round_done();
        }
        Ok(End::Shutdown)
    }
}

impl<W: Writing> OrderWriter<W> {
    async fn turn(
        &mut self,
        context: &Context,
        consumer: &mut dyn Consumer,
    ) -> Result<Turn, Fault> {
        let is_all_known = match self.find_places(context, consumer).await? {
            Known::All => true,
            Known::NotAll => false,
            Known::BeyondEnd => return Ok(Turn::Halt(BEYOND_END)),
        };
        // Even if nothing can be written: a member that does not poll loses its partitions.
        let turn = self.listen(context, consumer).await?;
        let stands = is_all_known || matches!(turn, Turn::Halt(_));
        Ok(if stands { turn } else { Turn::Again })
    }

    /// Hears what the log has, and writes it where it is known where the ledger stands.
    async fn listen(
        &mut self,
        context: &Context,
        consumer: &mut dyn Consumer,
    ) -> Result<Turn, Fault> {
        let Some(polled) = context
            .unless_stopping(consumer.poll(RECORDS_AT_ONCE))
            .await
        else {
            return Ok(Turn::Next);
        };
        match polled? {
            Polled::Assigned(partitions) => {
                tracing::info!(partitions = partitions.len(), "partitions were assigned");
                let places = partitions
                    .into_iter()
                    .map(|partition| (partition, Place::new()));
                self.places.extend(places);
                Ok(Turn::Rebalanced)
            }
            // Whatever was taken of them is written and stored.
            Polled::Revoked(partitions) => {
                tracing::info!(partitions = partitions.len(), "partitions were revoked");
                self.places
                    .retain(|partition, _| !partitions.contains(partition));
                Ok(Turn::Rebalanced)
            }
            Polled::Idle => Ok(Turn::Next),
            Polled::Records(deliveries) => self.write(context, consumer, deliveries).await,
        }
    }

    /// Reads from the ledger where it stands, wherever that is not known, and goes on from there.
    async fn find_places(
        &mut self,
        context: &Context,
        consumer: &mut dyn Consumer,
    ) -> Result<Known, Fault> {
        let mut known = Known::All;
        for (&partition, place) in &mut self.places {
            if place.next.is_some() {
                continue;
            }
            // The log's end is read after the position: it only moves away from it.
            let found = match self.writing.position(partition).await {
                Ok(next) => end_of(&*self.log, partition).await.map(|end| (next, end)),
                Err(fault) => Err(fault),
            };
            match found {
                Ok((next, end)) if next > end => {
                    tracing::error!(
                        partition = partition.number,
                        position = next.0,
                        end = end.0,
                        "ALARM: {BEYOND_END}"
                    );
                    return Ok(Known::BeyondEnd);
                }
                Ok((next, _)) => {
                    consumer.seek(partition, next).await?;
                    // So that the lag is right although nothing more may come.
                    consumer.store(partition, next).await?;
                    place.next = Some(next);
                }
                Err(fault) => {
                    context.report(&fault);
                    known = Known::NotAll;
                }
            }
        }
        Ok(known)
    }

    /// Writes what came, several partitions at a time.
    async fn write(
        &mut self,
        context: &Context,
        consumer: &mut dyn Consumer,
        deliveries: Vec<Delivery>,
    ) -> Result<Turn, Fault> {
        let is_full = deliveries.len() >= RECORDS_AT_ONCE;
        let mut batches = Vec::new();
        for (partition, deliveries) in by_partition(deliveries) {
            let Some(place) = self.places.get_mut(&partition) else {
                continue;
            };
            match place.batch(deliveries) {
                Ok(Some(batch)) => batches.push((partition, batch)),
                Ok(None) => {}
                Err(Missing::LookAgain(next)) => consumer.seek(partition, next).await?,
                Err(Missing::Gone(next)) => {
                    let (partition, position) = (partition.number, next.0);
                    tracing::error!(partition, position, "ALARM: {RECORDS_MISSING}");
                    return Ok(Turn::Halt(RECORDS_MISSING));
                }
            }
        }
        let writing = &self.writing;
        let written = batches.into_iter().map(|(partition, batch)| async move {
            let span = span_of(batch.deliveries.iter());
            let write = writing.write(partition, batch.from, &batch.deliveries);
            let written = write.instrument(span).await;
            (partition, batch, written)
        });
        let written: Vec<_> = stream::iter(written.collect::<Vec<_>>())
            .buffer_unordered(PARTITIONS_AT_ONCE)
            .collect()
            .await;
        let mut all_written = true;
        for (partition, batch, written) in written {
            all_written &= self
                .conclude(context, consumer, partition, &batch, written)
                .await?;
        }
        Ok(match (all_written, is_full) {
            (false, _) => Turn::Again,
            (true, true) => Turn::Next,
            (true, false) => Turn::Gather,
        })
    }

    /// Notes where a partition stands after a batch; `false` when that has to be read again.
    async fn conclude(
        &mut self,
        context: &Context,
        consumer: &mut dyn Consumer,
        partition: Partition,
        batch: &Batch,
        written: Result<Written, Fault>,
    ) -> Result<bool, Fault> {
        let Some(place) = self.places.get_mut(&partition) else {
            return Ok(true);
        };
        match written {
            Ok(Written::Done { next }) => {
                report_unreadable(&batch.deliveries);
                place.written(next);
                consumer.store(partition, next).await?;
                if batch.is_cut {
                    consumer.seek(partition, next).await?;
                }
                Ok(true)
            }
            Ok(Written::NotMine) => {
                let partition = partition.number;
                tracing::info!(partition, "another writer moved the position");
                place.lost();
                Ok(false)
            }
            Err(fault) => {
                context.report(&fault);
                place.failed(&fault, batch.deliveries.len());
                Ok(false)
            }
        }
    }
}

fn by_partition(deliveries: Vec<Delivery>) -> BTreeMap<Partition, Vec<Delivery>> {
    let mut partitions = BTreeMap::<Partition, Vec<Delivery>>::new();
    for delivery in deliveries {
        partitions
            .entry(delivery.partition)
            .or_default()
            .push(delivery);
    }
    partitions
}

async fn end_of(log: &dyn Log, partition: Partition) -> Result<Offset, Fault> {
    let ends = log.ends(partition.topic).await?;
    let end = ends.into_iter().find(|(of, _)| *of == partition);
    end.map(|(_, end)| end).ok_or_else(|| {
        Fault::unavailable(
            "reading the ends of the log",
            "an assigned partition has no end",
        )
    })
}

/// Tells the operator of accepted orders that nobody can read: they are dead letters now.
fn report_unreadable(deliveries: &[Delivery]) {
    for delivery in deliveries {
        if let Err(unreadable) = &delivery.content {
            tracing::error!(
                partition = delivery.partition.number,
                offset = delivery.offset.0,
                reason = unreadable.reason,
                "ALARM: an accepted order was put aside as a dead letter"
            );
        }
    }
}

#[cfg(test)]
mod tests;
