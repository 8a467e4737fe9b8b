//! Live orders: follows the log's events of orders, and wakes who watches one of them.
//!
//! An event says only that there is something to see. Watchers read the order itself, so what they
//! see is whole, and an event that comes twice or late changes nothing.

use std::sync::Arc;

use domain::event::What;
use domain::message::{Message, Topic};
use domain::ports::Ports;
use domain::ports::log::{Consumer, Delivery, Polled};
use domain::use_cases::view_order::{OrderView, view_order};
use domain::{AccountId, Fault, OrderId};
use futures_util::stream::{self, Stream};
use tokio_util::sync::CancellationToken;

use super::watched::{Watched, Watching};
use super::{Health, RETRY_MS, pause};

/// Events taken at once.
const BATCH: usize = 500;
const NAME: &str = "orders";

/// The orders that somebody watches.
pub struct OrderFeed {
    ports: Ports,
    /// How often each was touched.
    watched: Arc<Watched<OrderId, u64>>,
}

impl OrderFeed {
    pub(in crate::graphql) fn new(ports: Ports) -> Self {
        Self {
            ports,
            watched: Watched::new(),
        }
    }

    /// An order of `buyer`'s: as it is now, then whenever it has changed. Nothing when there is no
    /// such order. Versions rise; the stream has no end, as an order may change late (a refund, a
    /// return). A fault comes once; the order comes when it can be read again.
    pub async fn watch(
        &self,
        buyer: AccountId,
        order: OrderId,
    ) -> Result<Option<impl Stream<Item = Result<OrderView, Fault>> + Send + use<>>, Fault> {
        // Watched before it is read: what happens in between wakes.
        let watching = self.watched.watch(order);
        let Some(view) = view_order(&self.ports, buyer, order).await? else {
            return Ok(None);
        };
        let watcher = Watcher {
            ports: self.ports.clone(),
            watching,
            buyer,
            shown: view.version(),
            failed: false,
        };
        let first = stream::once(std::future::ready(Ok(view)));
        let rest = stream::unfold(watcher, async |mut watcher| {
            let seen = watcher.next().await;
            Some((seen, watcher))
        });
        Ok(Some(stream::StreamExt::chain(first, rest)))
    }

    /// Follows the log until the end. Runs once a process.
    pub async fn follow(&self, shutdown: &CancellationToken) {
        let mut health = Health::default();
        loop {
            let fault = tokio::select! {
                () = shutdown.cancelled() => return,
                fault = self.tail(&mut health) => fault,
            };
            health.failed(NAME, &fault);
            if !pause(&*self.ports.clock, RETRY_MS, shutdown).await {
                return;
            }
        }
    }

    /// Follows the log from its present end, until it can't.
    async fn tail(&self, health: &mut Health) -> Fault {
        let mut consumer = match self.ports.log.tail(&[Topic::Orders]).await {
            Ok(consumer) => consumer,
            Err(fault) => return fault,
        };
        // Whatever happened before this end was reached is for each watcher to find out.
        self.watched.change_all(|touched| *touched += 1);
        loop {
            match self.take(&mut *consumer).await {
                Ok(()) => health.worked(NAME),
                Err(fault) => return fault,
            }
        }
    }

    async fn take(&self, consumer: &mut dyn Consumer) -> Result<(), Fault> {
        match consumer.poll(BATCH).await? {
            Polled::Records(records) => {
                records.iter().filter_map(touched).for_each(|order| {
                    self.watched.change(order, |touched| {
                        *touched += 1;
                        true
                    });
                });
            }
            Polled::Assigned(_) | Polled::Revoked(_) | Polled::Idle => {}
        }
        Ok(())
    }
}

/// The order that a record is about.
fn touched(record: &Delivery) -> Option<OrderId> {
    match record.content.as_ref().ok()? {
        Message::Event(event) => match event.what {
            What::Order { order, .. } => Some(order),
            What::Account { .. } | What::Item { .. } | What::VerificationRequested { .. } => None,
        },
        Message::Order(_) => None,
    }
}

/// One who watches an order.
struct Watcher {
    ports: Ports,
    watching: Watching<OrderId, u64>,
    buyer: AccountId,
    /// The version that was shown last.
    shown: i64,
    /// Whether the last look failed, so that there may be something to see without being woken.
    failed: bool,
}

impl Watcher {
    /// Waits until there is something newer to show.
    async fn next(&mut self) -> Result<OrderView, Fault> {
        loop {
            if self.failed {
                self.ports.clock.sleep_ms(RETRY_MS).await;
            } else {
                self.watching.next().await;
            }
            match view_order(&self.ports, self.buyer, self.watching.key).await {
                Ok(view) => {
                    self.failed = false;
                    if let Some(view) = view.filter(|view| view.version() > self.shown) {
                        self.shown = view.version();
                        return Ok(view);
                    }
                }
                Err(fault) if !self.failed => {
                    self.failed = true;
                    return Err(fault);
                }
                Err(_) => {}
            }
        }
    }
}
