//! Puts an item on sale.

use crate::deal::Deal;
use crate::event::{Event, ItemEvent};
use crate::gate::Fingerprint;
use crate::item::{Details, Item, Kind, MAX_SKU, text};
use crate::order::KeyUse;
use crate::ports::Ports;
use crate::ports::catalogue::ItemWritten;
use crate::refusal::{Reason, Refusal, Refusals, Rule};
use crate::stock::Stock;
use crate::use_cases::key_use::used_for;
use crate::{AccountId, Failure, IdempotencyKey, ItemId, Timestamp};

#[derive(Clone, Debug)]
pub struct CreateItem {
    pub seller: AccountId,
    pub key: IdempotencyKey,
    pub sku: Option<String>,
    pub details: Details,
    /// A window makes it a TIME_DEAL.
    pub window: Option<DealWindow>,
    pub total: i64,
}

/// The window of a deal, as asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DealWindow {
    pub opens_at: Timestamp,
    pub closes_at: Option<Timestamp>,
    pub limit_per_buyer: Option<u32>,
}

/// An item after a change, and whether the same key had made it before.
#[derive(Clone, Debug)]
pub struct ItemChanged {
    pub item: Item,
    pub replayed: bool,
}

/// Creates an item with its stock, and tells the gate of it.
///
/// # Errors
/// Everything that is wrong with the input, by field; a code the seller already uses; a key used
/// for something else.
pub async fn create_item(ports: &Ports, command: CreateItem) -> Result<ItemChanged, Failure> {
    let key = KeyUse {
        requester: command.seller,
        mutation: "createItem",
        key: command.key,
        fingerprint: Fingerprint::of(format!("{:?}", without_key(&command)).as_bytes()),
        subject: ports.sortable_id(),
    };
    if let Some(before) = replayed(ports, &key).await? {
        return Ok(before);
    }
    let item = new_item(ports, &command, ItemId(key.subject))?;
    let event = Event::of_item(item.id, item.version, item.created_at, ItemEvent::Created);
    match ports.catalogue.create(&item, &event, Some(&key)).await? {
        ItemWritten::Done { .. } => {
            let _ = ports
                .gate
                .load(&ports.catalogue.tellings(&[item.id]).await?)
                .await;
            Ok(ItemChanged {
                item,
                replayed: false,
            })
        }
        ItemWritten::SkuTaken => Err(Reason::from(Rule::Repeated).at(["sku"]).into()),
        _ => match replayed(ports, &key).await? {
            Some(before) => Ok(before),
            None => Err(Reason::TryAgain { after_ms: 100 }.into()),
        },
    }
}

/// The command as it is compared under a repeated key.
fn without_key(command: &CreateItem) -> impl std::fmt::Debug + '_ {
    (
        &command.sku,
        &command.details,
        &command.window,
        command.total,
    )
}

fn new_item(ports: &Ports, command: &CreateItem, id: ItemId) -> Result<Item, Failure> {
    let now = ports.clock.now();
    let mut refusals = Refusals::from(command.details.refusals());
    let stock = refusals.take(Stock::new(command.total).map_err(|r| r.at(["total"])));
    let sku = command
        .sku
        .as_deref()
        .map_or(Ok(()), |sku| text(sku, 1, MAX_SKU));
    refusals.take(sku.map_err(|reason| reason.at(["sku"])));
    let kind = match &command.window {
        None => Some(Kind::General),
        Some(window) => refusals.take(window.deal(now)).map(Kind::TimeDeal),
    };
    let (Some(stock), Some(kind)) = (stock, kind) else {
        return Err(refusals.into());
    };
    refusals.or(Item {
        id,
        seller: command.seller,
        sku: command.sku.clone(),
        details: command.details.clone(),
        kind,
        stock,
        version: 1,
        created_at: now,
    })
}

impl DealWindow {
    /// The deal, if it can still be had: one that is over before it is made can't.
    fn deal(&self, now: Timestamp) -> Result<Deal, Refusal> {
        if self.closes_at.is_some_and(|closes_at| closes_at <= now) {
            return Err(Reason::from(Rule::InThePast).at(["deal", "closesAt"]));
        }
        Deal::new(self.opens_at, self.closes_at, self.limit_per_buyer).map_err(|refusal| {
            let mut field = vec!["deal".to_owned()];
            field.extend(refusal.field.unwrap_or_default());
            refusal.reason.at(field)
        })
    }
}

/// The item that the same key changed before, if it did.
pub(crate) async fn replayed(ports: &Ports, key: &KeyUse) -> Result<Option<ItemChanged>, Failure> {
    let Some(subject) = used_for(ports, key).await? else {
        return Ok(None);
    };
    let item = ports.catalogue.items(&[ItemId(subject)]).await?.pop();
    Ok(item.map(|item| ItemChanged {
        item,
        replayed: true,
    }))
}
