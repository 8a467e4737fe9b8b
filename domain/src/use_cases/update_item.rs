//! Changes what a seller says about an item.

use crate::act::{Act, Alteration, Deed};
use crate::event::{Event, ItemEvent};
use crate::item::{Category, Item};
use crate::ports::Ports;
use crate::ports::catalogue::ItemWritten;
use crate::refusal::{Reason, Refusal};
use crate::{AccountId, ActId, Failure, ItemId, Money, Requester, account::Role};

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
    let seen = own_item(ports, requester, command.item).await?;
    let mut item = seen.clone();
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
    let edit = Edit {
        seen,
        next: item,
        expected_version: command.expected_version,
        happened: ItemEvent::Edited,
        deed: Deed::EditItem,
    };
    save(ports, requester, edit).await
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

/// An edit of an item that was decided.
pub(crate) struct Edit {
    /// The item as it was seen.
    pub seen: Item,
    pub next: Item,
    pub expected_version: i64,
    pub happened: ItemEvent,
    /// What it is called in the audit log, when it is somebody else's item.
    pub deed: Deed,
}

/// Writes an edited item whose version is still the one that was seen, and tells the gate.
pub(crate) async fn save(
    ports: &Ports,
    requester: &Requester,
    edit: Edit,
) -> Result<Item, Failure> {
    let conflict = |current| Reason::VersionConflict { current }.at(["expectedVersion"]);
    let Edit { seen, mut next, .. } = edit;
    if seen.version != edit.expected_version {
        return Err(conflict(seen.version).into());
    }
    next.version += 1;
    let now = ports.clock.now();
    let event = Event::of_item(next.id, next.version, now, edit.happened);
    let act = act(ports, requester, edit.deed, (&seen, &next))?;
    match ports
        .catalogue
        .edit(&next, edit.expected_version, &event, act.as_ref())
        .await?
    {
        ItemWritten::Done { item, tellings } => {
            ports.items.forget(next.id).await;
            let _ = ports.gate.sync(&tellings).await;
            Ok(item.map_or(next, |written| *written))
        }
        ItemWritten::Conflict { current } => Err(conflict(current).into()),
        _ => Err(Reason::NotFound.at(["itemId"]).into()),
    }
}

/// What goes into the audit log: nothing of one's own items.
pub(crate) fn act(
    ports: &Ports,
    requester: &Requester,
    deed: Deed,
    (before, after): (&Item, &Item),
) -> Result<Option<Act>, Reason> {
    let operator = requester.account()?;
    Ok((before.seller != operator).then(|| Act {
        id: ActId(ports.sortable_id()),
        operator,
        at: ports.clock.now(),
        deed,
        subject: before.id.0,
        note: None,
        changes: Alteration::of_item(before, after),
    }))
}
