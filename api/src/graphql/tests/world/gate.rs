//! The clock, the gate and the log.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::dead_letter::RawRecord;
use domain::event::Event;
use domain::gate::{
    BuyerCount, EdgeEntry, EdgePlace, EntryId, Level, Recall, Receipt, Reservation, Reserved,
    Shard, Telling,
};
use domain::message::{Message, Offset, Partition, Topic};
use domain::ports::gate::{Beat, FeedCursor, HealingItem, LoadToken, Loading, News};
use domain::ports::log::{DeadLetter, Delivery, Group, Kept, Polled};
use domain::ports::{Clock, Consumer, Entropy, Gate, Log};
use domain::{Fault, ItemId, OrderId, Timestamp};
use tokio::sync::broadcast;

use super::{BEGIN, World, port};

#[async_trait]
impl Clock for World {
    fn now(&self) -> Timestamp {
        BEGIN + TimeDelta::from_std(self.began.elapsed()).unwrap()
    }

    async fn sleep_ms(&self, ms: u64) {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
}

impl World {
    /// Lets the gate lose its receipts, and know it.
    pub fn forget_receipts(&self) {
        self.receipts.lock().unwrap().clear();
        self.forgot.store(true, Ordering::SeqCst);
    }
}

impl Entropy for World {
    fn fill(&self, bytes: &mut [u8]) {
        let next = self.random.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = next[at % next.len()];
        }
    }
}

port! { Gate {
    is_replicated(&EntryId) -> bool;
    claim_stale(u64, usize) -> Vec<EdgeEntry>;
    edge_length() -> u64;
    edge_span(Shard) -> Option<(EdgePlace, EdgePlace)>;
    tell_receipts(Shard, &[Receipt]) -> ();
    exact_levels(&[ItemId]) -> Vec<Level>;
    buyers(ItemId) -> Vec<BuyerCount>;
    begin_loading(ItemId) -> Loading;
    end_loading(ItemId, LoadToken) -> ();
    beat(Shard) -> Beat;
    healing_items(Shard) -> Vec<HealingItem>;
    heal(Shard, Beat, bool, &[HealingItem]) -> bool;
}
    fn shard_of(&self, _: ItemId) -> Shard {
        Shard(0)
    }

    fn shards(&self) -> Vec<Shard> {
        vec![Shard(0)]
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<Reserved, Fault> {
        self.ask("reserve")?;
        let draft = &reservation.draft;
        if let Some(receipt) = self.receipts.lock().unwrap().get(&draft.order) {
            return Ok(Reserved::Known { receipt: receipt.clone(), entry: None });
        }
        let mut obstacles = Vec::new();
        for units in &reservation.units {
            let level = self.levels.lock().unwrap()[&units.item].1;
            if level.available() < i64::from(units.count) {
                let available = level.available();
                obstacles.push(domain::gate::Obstacle::SoldOut { item: units.item, available });
            }
        }
        if !obstacles.is_empty() {
            return Ok(Reserved::Refused(obstacles));
        }
        for units in &reservation.units {
            self.take(units.item, units.count.into());
        }
        self.receipts.lock().unwrap().insert(draft.order, Receipt {
            order: draft.order,
            fingerprint: draft.fingerprint,
            admission: reservation.admission,
            draft: Some(Arc::clone(draft)),
        });
        let entry = EntryId {
            shard: Shard(0),
            place: EdgePlace { at_ms: 0, number: 0 },
            admission: reservation.admission,
        };
        Ok(Reserved::Taken { entry })
    }

    async fn settle(&self, _: &[EntryId]) -> Result<(), Fault> {
        Ok(())
    }

    async fn receipt(&self, order: OrderId) -> Result<Recall, Fault> {
        self.ask("receipt")?;
        let receipt = self.receipts.lock().unwrap().get(&order).cloned();
        Ok(match receipt {
            Some(receipt) => Recall::Receipt(receipt),
            None if self.forgot.load(Ordering::SeqCst) => Recall::Unsure,
            None => Recall::Nothing,
        })
    }

    async fn load(&self, _: &[Telling]) -> Result<(), Fault> {
        Ok(())
    }

    async fn sync(&self, _: &[Telling]) -> Result<Vec<ItemId>, Fault> {
        Ok(Vec::new())
    }

    async fn levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault> {
        self.ask("levels")?;
        let now = self.now();
        let levels = self.levels.lock().unwrap();
        let known = items.iter().filter_map(|item| levels.get(item));
        Ok(known.map(|(_, level)| Level { as_of: now, ..*level }).collect())
    }

    async fn changes(&self, after: FeedCursor) -> Result<News, Fault> {
        loop {
            let changed = self.level_changed.notified();
            self.ask("changes")?;
            let now = self.now();
            let newer: Vec<(u64, Level)> = {
                let levels = self.levels.lock().unwrap();
                levels.values().filter(|(tick, _)| *tick > after.0).copied().collect()
            };
            if let Some(newest) = newer.iter().map(|(tick, _)| *tick).max() {
                let levels = newer.iter().map(|(_, level)| Level { as_of: now, ..*level });
                return Ok(News {
                    cursor: FeedCursor(newest),
                    gap: false,
                    changes: levels.map(Into::into).collect(),
                });
            }
            changed.await;
        }
    }
}

port! { Log {
    ends(Topic) -> Vec<(Partition, Offset)>;
    join(Group, &[Topic]) -> Box<dyn Consumer>;
    lag(Group, &[Topic]) -> u64;
    put_aside(&DeadLetter) -> ();
    kept(Offset, usize) -> Kept;
    dead_letters(Offset) -> u64;
}
    async fn publish_again(&self, _: Partition, _: &RawRecord) -> Result<(), Fault> {
        self.ask("publish_again")
    }

    async fn publish(&self, _: &[Message]) -> Result<(), Fault> {
        self.ask("publish")
    }

    async fn tail(&self, _: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        self.ask("tail")?;
        Ok(Box::new(Tail(self.events.subscribe())))
    }
}

struct Tail(broadcast::Receiver<Event>);

#[async_trait]
impl Consumer for Tail {
    async fn poll(&mut self, _: usize) -> Result<Polled, Fault> {
        let event = self.0.recv().await;
        let event = event.map_err(|error| Fault::unavailable("tailing", error))?;
        Ok(Polled::Records(vec![Delivery {
            trace: None,
            partition: Partition {
                topic: Topic::Orders,
                number: 0,
            },
            offset: Offset(0),
            content: Ok(Message::Event(event)),
        }]))
    }

    async fn store(&mut self, _: Partition, _: Offset) -> Result<(), Fault> {
        Ok(())
    }

    async fn seek(&mut self, _: Partition, _: Offset) -> Result<(), Fault> {
        Ok(())
    }
}
