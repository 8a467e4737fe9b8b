//! Look-ups that the fields of one answer, and answers of the same millisecond, share: one question
//! to a port for all of them. They keep nothing; what is kept, and for how long, is the ports'.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use domain::gate::Level;
use domain::item::Item;
use domain::ports::{Accounts, Gate, ItemCache, Ports};
use domain::{AccountId, FaultKind, ItemId};

use crate::fault::Fault;

/// The loaders of one process.
pub struct Loaders {
    /// Items, from the cache.
    pub items: DataLoader<Items>,
    /// Live levels, of the items that the gate has loaded.
    pub levels: DataLoader<Levels>,
    /// The names of sellers.
    pub names: DataLoader<Names>,
}

impl Loaders {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            items: DataLoader::new(Items(Arc::clone(&ports.items)), tokio::spawn),
            levels: DataLoader::new(Levels(Arc::clone(&ports.gate)), tokio::spawn),
            names: DataLoader::new(Names(Arc::clone(&ports.accounts)), tokio::spawn),
        }
    }
}

/// A fault that everybody who shared the question gets.
#[derive(Clone, Debug)]
pub struct SharedFault(Arc<domain::Fault>);

impl From<domain::Fault> for SharedFault {
    fn from(fault: domain::Fault) -> Self {
        Self(Arc::new(fault))
    }
}

impl From<SharedFault> for Fault {
    fn from(SharedFault(fault): SharedFault) -> Self {
        let doing = "answering fields together";
        let own = match fault.kind {
            FaultKind::Unavailable => domain::Fault::unavailable(doing, fault.detail()),
            FaultKind::Corrupt => domain::Fault::corrupt(doing, fault.detail()),
        };
        own.into()
    }
}

/// Items by id, those that are there.
pub struct Items(Arc<dyn ItemCache>);

impl Loader<ItemId> for Items {
    type Value = Arc<Item>;
    type Error = SharedFault;

    async fn load(&self, ids: &[ItemId]) -> Result<HashMap<ItemId, Arc<Item>>, SharedFault> {
        let items = self.0.items(ids).await?;
        Ok(items.into_iter().map(|item| (item.id, item)).collect())
    }
}

/// Live levels by item, of those that the gate has loaded.
pub struct Levels(Arc<dyn Gate>);

impl Loader<ItemId> for Levels {
    type Value = Level;
    type Error = SharedFault;

    async fn load(&self, items: &[ItemId]) -> Result<HashMap<ItemId, Level>, SharedFault> {
        let levels = self.0.levels(items).await?;
        Ok(levels
            .into_iter()
            .map(|level| (level.item, level))
            .collect())
    }
}

/// The names of accounts, those that are there.
pub struct Names(Arc<dyn Accounts>);

impl Loader<AccountId> for Names {
    type Value = String;
    type Error = SharedFault;

    async fn load(&self, ids: &[AccountId]) -> Result<HashMap<AccountId, String>, SharedFault> {
        let accounts = self.0.accounts(ids).await?;
        Ok(accounts
            .into_iter()
            .map(|account| (account.id, account.profile.name))
            .collect())
    }
}
