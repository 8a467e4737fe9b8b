//! Items and orders.

use std::sync::Arc;

use async_trait::async_trait;
use domain::account::Account;
use domain::act::Act;
use domain::dead_letter::{FiledLetter, KeptLetter, LetterFilter, Settled};
use domain::event::Event;
use domain::gate::{Fingerprint, Receipt, Telling};
use domain::item::Item;
use domain::message::{Offset, Partition};
use domain::movement::Movement;
use domain::order::{KeyUse, Order, Transition};
use domain::page::{Cursor, CursorValue, ItemFilter, ItemQuery, Page, Window};
use domain::ports::back_office::{AccountFilter, ActFilter, OrderFilter};
use domain::ports::catalogue::ItemWritten;
use domain::ports::dead_letters::Standing;
use domain::ports::orders::{BatchWritten, Committed, WriteBatch};
use domain::ports::wishlists::Added;
use domain::ports::{BackOffice, Catalogue, DeadLetters, ItemCache, Orders, Wishlists};
use domain::wishlist::WishlistEntry;
use domain::{
    AccountId, DeadLetterId, Fault, IdempotencyKey, ItemId, OrderId, PaymentId, Quantity, RefundId,
    ReturnId, Timestamp, WishlistEntryId,
};
use uuid::Uuid;

use super::{World, port};

#[async_trait]
impl ItemCache for World {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Arc<Item>>, Fault> {
        self.ask("items")?;
        let items = self.items.lock().unwrap();
        Ok(ids
            .iter()
            .filter_map(|id| items.get(id))
            .cloned()
            .map(Arc::new)
            .collect())
    }

    async fn forget(&self, _: ItemId) {}
}

port! { Catalogue {
    create_many(&[Item], Timestamp) -> ItemWritten;
    by_sku(AccountId, &[String]) -> Vec<Item>;
    tellings_since(Option<Timestamp>, Option<ItemId>, usize) -> Vec<Telling>;
}
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Item>, Fault> {
        self.ask("catalogue.items")?;
        let items = self.items.lock().unwrap();
        Ok(ids.iter().filter_map(|id| items.get(id)).cloned().collect())
    }

    async fn list(&self, query: &ItemQuery) -> Result<Page<Item>, Fault> {
        self.ask("list")?;
        let items = self.items.lock().unwrap();
        let after = query.window.after.as_ref().map(|cursor| cursor.id);
        let later = items.values().filter(|item| after.is_none_or(|after| item.id.0 > after));
        let row = |item: &Item| {
            let value = CursorValue::At(item.created_at);
            (Cursor { value, id: item.id.0 }, item.clone())
        };
        let rows: Vec<_> = later.map(row).collect();
        let has_next = rows.len() > query.window.count;
        let rows = rows.into_iter().take(query.window.count).collect();
        Ok(Page { rows, has_previous: after.is_some(), has_next })
    }

    async fn count(&self, _: &ItemFilter) -> Result<u64, Fault> {
        self.ask("count")?;
        Ok(self.items.lock().unwrap().len() as u64)
    }

    async fn create(
        &self,
        item: &Item,
        _: &Event,
        _: Option<&KeyUse>,
    ) -> Result<ItemWritten, Fault> {
        self.items.lock().unwrap().insert(item.id, item.clone());
        Ok(ItemWritten::Done { item: None, tellings: Vec::new() })
    }

    async fn edit(
        &self,
        item: &Item,
        _: i64,
        _: &Event,
        _: Option<&Act>,
    ) -> Result<ItemWritten, Fault> {
        self.items.lock().unwrap().insert(item.id, item.clone());
        Ok(ItemWritten::Done { item: None, tellings: Vec::new() })
    }

    async fn restock(
        &self,
        id: ItemId,
        change: i64,
        _: Timestamp,
        _: &KeyUse,
        _: Option<&Act>,
    ) -> Result<ItemWritten, Fault> {
        let mut items = self.items.lock().unwrap();
        let item = items.get_mut(&id).unwrap();
        item.stock = item.stock.with_total(item.stock.total + change).unwrap();
        let item = Some(Box::new(item.clone()));
        Ok(ItemWritten::Done { item, tellings: Vec::new() })
    }

    async fn tellings(&self, _: &[ItemId]) -> Result<Vec<Telling>, Fault> {
        Ok(Vec::new())
    }
}

port! { Wishlists {
    add(&WishlistEntry, u32) -> Added;
    entries_of(AccountId, &Window) -> Page<WishlistEntry>;
    set_quantity(AccountId, WishlistEntryId, Quantity) -> Option<WishlistEntry>;
    remove(AccountId, WishlistEntryId) -> bool;
}
    async fn entries(
        &self,
        account: AccountId,
        ids: &[WishlistEntryId],
    ) -> Result<Vec<WishlistEntry>, Fault> {
        self.ask("wishes")?;
        let wishes = self.wishes.lock().unwrap();
        let found = ids.iter().filter_map(|id| wishes.get(id));
        Ok(found.filter(|entry| entry.account == account).cloned().collect())
    }
}

port! { BackOffice {
    orders(&OrderFilter, &Window) -> Page<Order>;
    accounts(&AccountFilter, &Window) -> Page<Account>;
    movements(ItemId, &Window) -> Page<Movement>;
    acts(&ActFilter, &Window) -> Page<Act>;
    record(&Act) -> ();
}}

port! { DeadLetters {
    standing() -> Standing;
    file(Offset, &[KeptLetter], Offset) -> bool;
    list(&LetterFilter, &Window) -> Page<FiledLetter>;
}
    async fn get(&self, id: DeadLetterId) -> Result<Option<FiledLetter>, Fault> {
        self.ask("dead_letters.get")?;
        Ok(self.dead_letters.lock().unwrap().get(&id).cloned())
    }

    async fn settle(
        &self,
        id: DeadLetterId,
        settled: Settled,
        act: &Act,
        _: &KeyUse,
    ) -> Result<bool, Fault> {
        self.ask("dead_letters.settle")?;
        assert_eq!(act.subject, id.0);
        let mut letters = self.dead_letters.lock().unwrap();
        let letter = letters.get_mut(&id).filter(|letter| letter.settled.is_none());
        Ok(letter.map(|letter| letter.settled = Some(settled)).is_some())
    }
}

port! { Orders {
    writer_position(Partition) -> Offset;
    write_batch(&WriteBatch) -> BatchWritten;
    order_of_payment(PaymentId) -> Option<OrderId>;
    overdue(usize) -> Vec<OrderId>;
    paying_since(Timestamp, usize) -> Vec<OrderId>;
    refunding_since(Timestamp, usize) -> Vec<(OrderId, RefundId)>;
    shipments_due(Timestamp, usize) -> Vec<OrderId>;
    returns_due(Timestamp, usize) -> Vec<(OrderId, ReturnId)>;
    order_of_return(ReturnId) -> Option<OrderId>;
    receipts(Timestamp, Option<(Timestamp, OrderId)>, usize) -> Vec<(Timestamp, Receipt)>;
}
    async fn commit(&self, steps: &[Transition]) -> Result<Vec<Committed>, Fault> {
        self.ask("commit")?;
        let mut orders = self.orders.lock().unwrap();
        for step in steps {
            orders.insert(step.next.id, step.next.clone());
            self.tell(step.event.clone());
        }
        Ok(vec![Committed::Done(Vec::new()); steps.len()])
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, Fault> {
        self.ask("orders")?;
        let orders = self.orders.lock().unwrap();
        Ok(ids.iter().filter_map(|id| orders.get(id)).cloned().collect())
    }

    async fn orders_of(&self, buyer: AccountId, _: &Window) -> Result<Page<Order>, Fault> {
        self.ask("orders_of")?;
        let orders = self.orders.lock().unwrap();
        let own = orders.values().filter(|order| order.buyer == buyer);
        let row = |order: &Order| {
            let value = CursorValue::At(order.placed_at);
            (Cursor { value, id: order.id.0 }, order.clone())
        };
        Ok(Page { rows: own.map(row).collect(), has_previous: false, has_next: false })
    }

    async fn key_use(
        &self,
        _: AccountId,
        _: &'static str,
        _: IdempotencyKey,
    ) -> Result<Option<(Fingerprint, Uuid)>, Fault> {
        Ok(None)
    }
}
