//! Adds units to an item, or takes unsold ones off sale.

use crate::act::Deed;
use crate::gate::Fingerprint;
use crate::order::KeyUse;
use crate::ports::Ports;
use crate::ports::catalogue::ItemWritten;
use crate::refusal::{Reason, Rule};
use crate::stock::MAX_TOTAL;
use crate::use_cases::create_item::{ItemChanged, replayed};
use crate::use_cases::update_item::{act, own_item};
use crate::{Failure, IdempotencyKey, ItemId, Requester};

#[derive(Clone, Copy, Debug)]
pub struct RestockItem {
    pub item: ItemId,
    pub key: IdempotencyKey,
    /// Units to add; a negative number takes units off sale that nobody holds.
    pub change: i64,
}

/// Changes the total of an item of the requester's.
///
/// # Errors
/// Not found (or somebody else's), a change of 0 or out of range, a total under what is held, a key
/// used for something else.
pub async fn restock_item(
    ports: &Ports,
    requester: &Requester,
    command: RestockItem,
) -> Result<ItemChanged, Failure> {
    let item = own_item(ports, requester, command.item).await?;
    let out_of_range = || Reason::from(Rule::TooLarge { most: MAX_TOTAL }).at(["change"]);
    if command.change == 0 {
        return Err(Reason::from(Rule::TooSmall { least: 1 })
            .at(["change"])
            .into());
    }
    if command.change.unsigned_abs() > MAX_TOTAL.unsigned_abs() {
        return Err(out_of_range().into());
    }
    let input = [
        item.id.0.as_bytes().as_slice(),
        &command.change.to_be_bytes(),
    ]
    .concat();
    let key = KeyUse {
        requester: requester.account()?,
        mutation: "restockItem",
        key: command.key,
        fingerprint: Fingerprint::of(&input),
        subject: item.id.0,
    };
    if let Some(before) = replayed(ports, &key).await? {
        return Ok(before);
    }
    let now = ports.clock.now();
    // What it changes is known where the stock is locked.
    let act = act(ports, requester, Deed::RestockItem, (&item, &item))?;
    match ports
        .catalogue
        .restock(item.id, command.change, now, &key, act.as_ref())
        .await?
    {
        ItemWritten::Done {
            item: written,
            tellings,
        } => {
            ports.items.forget(item.id).await;
            let _ = ports.gate.sync(&tellings).await;
            Ok(ItemChanged {
                item: written.map_or(item, |written| *written),
                replayed: false,
            })
        }
        ItemWritten::BelowHeld { held } => {
            Err(Reason::StockBelowHeld { held }.at(["change"]).into())
        }
        ItemWritten::OutOfRange => Err(out_of_range().into()),
        _ => match replayed(ports, &key).await? {
            Some(before) => Ok(before),
            None => Err(Reason::TryAgain { after_ms: 100 }.into()),
        },
    }
}
