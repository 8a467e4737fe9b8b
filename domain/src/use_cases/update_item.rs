//! Changes what a seller says about an item.

use crate::event::{Event, ItemEvent};
use crate::item::{Category, Item};
use crate::ports::Ports;
use crate::ports::catalogue::ItemWritten;
use crate::refusal::{Reason, Refusal};
use crate::{AccountId, Failure, ItemId, Money, Requester, account::Role};

/// What to change; absent fields stay as they are.
#[derive(Clone, Debug)]
pub struct UpdateItem {
    pub item: ItemId,
    /// The version that the seller saw.
    pub expected_version: i64,
    pub name: Option<String>,
    pub description: Option<String>,
    pub category: Option<Category>,
    /// In the item's currency.
    pub price: Option<Money>,
}

/// Edits an item of the requester's.
///
/// # Errors
/// Not found (or somebody else's), everything that is wrong by field, another currency, a version
/// that is not the present one.
pub async fn update_item(
    ports: &Ports,
    requester: &Requester,
    command: UpdateItem,
) -> Result<Item, Failure> {
    let mut item = own_item(ports, requester, command.item).await?;
    let details = &mut item.details;
    if let Some(price) = command.price {
        if price.currency != details.price.currency {
            return Err(Reason::CurrencyMismatch.at(["price"]).into());
        }
        details.price = price;
    }
    details.name = command.name.unwrap_or_else(|| details.name.clone());
    details.description = command
        .description
        .unwrap_or_else(|| details.description.clone());
    details.category = command.category.unwrap_or(details.category);
    let refusals: Vec<Refusal> = details.refusals();
    if !refusals.is_empty() {
        return Err(Failure::Refused(refusals));
    }
    save(ports, item, command.expected_version, ItemEvent::Edited).await
}

/// An item that the requester may change: its seller's own, or anybody's for an admin.
pub(crate) async fn own_item(
    ports: &Ports,
    requester: &Requester,
    id: ItemId,
) -> Result<Item, Failure> {
    let account: AccountId = requester.acting_as(Role::Seller)?;
    let item = ports.catalogue.items(&[id]).await?.pop();
    let is_admin = requester.acting_as(Role::Admin).is_ok();
    let item = item.filter(|item| item.seller == account || is_admin);
    item.ok_or_else(|| Reason::NotFound.at(["itemId"]).into())
}

/// Writes an edited item whose version is still the one that was seen, and tells the gate.
pub(crate) async fn save(
    ports: &Ports,
    mut item: Item,
    expected_version: i64,
    happened: ItemEvent,
) -> Result<Item, Failure> {
    let conflict = |current| Reason::VersionConflict { current }.at(["expectedVersion"]);
    if item.version != expected_version {
        return Err(conflict(item.version).into());
    }
    item.version += 1;
    let event = Event::of_item(item.id, item.version, ports.clock.now(), happened);
    match ports
        .catalogue
        .edit(&item, expected_version, &event)
        .await?
    {
        ItemWritten::Done {
            item: written,
            tellings,
        } => {
            ports.items.forget(item.id).await;
            let _ = ports.gate.sync(&tellings).await;
            Ok(written.map_or(item, |written| *written))
        }
        ItemWritten::Conflict { current } => Err(conflict(current).into()),
        _ => Err(Reason::NotFound.at(["itemId"]).into()),
    }
}
