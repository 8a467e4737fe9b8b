//! The ledger as operators look at it: lists by filter, the records of what moved and who did what.

use async_trait::async_trait;
use uuid::Uuid;

use crate::account::{Account, Email, Role};
use crate::act::Act;
use crate::movement::Movement;
use crate::order::{Order, OrderStatus};
use crate::page::{Page, Window};
use crate::{AccountId, Fault, ItemId, Timestamp};

#[async_trait]
pub trait BackOffice: Send + Sync {
    /// Orders of whoever placed them, newest first.
    async fn orders(&self, filter: &OrderFilter, window: &Window) -> Result<Page<Order>, Fault>;

    /// Accounts but for rehearsal buyers, newest first.
    async fn accounts(
        &self,
        filter: &AccountFilter,
        window: &Window,
    ) -> Result<Page<Account>, Fault>;

    /// What moved of an item's stock, newest first.
    async fn movements(&self, item: ItemId, window: &Window) -> Result<Page<Movement>, Fault>;

    /// What operators did, newest first.
    async fn acts(&self, filter: &ActFilter, window: &Window) -> Result<Page<Act>, Fault>;

    /// Writes down an act that no step of an order carries.
    async fn record(&self, act: &Act) -> Result<(), Fault>;
}

/// Which orders; absent is any.
#[derive(Clone, Default, Debug)]
pub struct OrderFilter {
    pub buyer: Option<AccountId>,
    /// Any, when empty.
    pub states: Vec<OrderStatus>,
    pub placed_from: Option<Timestamp>,
    /// Not including it.
    pub placed_before: Option<Timestamp>,
}

/// Which accounts; absent is any. Without `Debug`: it may name an address.
#[derive(Clone, Default)]
pub struct AccountFilter {
    /// The whole address, whatever its spelling: parts of one can't be looked for.
    pub email: Option<Email>,
    pub role: Option<Role>,
}

/// Which acts; absent is any.
#[derive(Clone, Copy, Default, Debug)]
pub struct ActFilter {
    pub subject: Option<Uuid>,
    pub operator: Option<AccountId>,
}
