//! Sets when a deal sells, and how much a buyer may have of it.

use crate::event::ItemEvent;
use crate::item::{Item, Kind};
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::use_cases::create_item::DealWindow;
use crate::use_cases::update_item::{own_item, save};
use crate::{Failure, ItemId, Requester};

#[derive(Clone, Copy, Debug)]
pub struct ScheduleDeal {
    pub item: ItemId,
    /// The version that the seller saw.
    pub expected_version: i64,
    pub window: DealWindow,
}

/// Moves the window of a deal of the requester's.
///
/// # Errors
/// Not found (or somebody else's), not a TIME_DEAL, a start that moves although it is past, a
/// window that makes no sense, a version that is not the present one.
pub async fn schedule_deal(
    ports: &Ports,
    requester: &Requester,
    command: ScheduleDeal,
) -> Result<Item, Failure> {
    let mut item = own_item(ports, requester, command.item).await?;
    let Kind::TimeDeal(deal) = &item.kind else {
        return Err(Reason::NotATimeDeal.at(["itemId"]).into());
    };
    let DealWindow {
        opens_at,
        closes_at,
        limit_per_buyer,
    } = command.window;
    let now = ports.clock.now();
    let deal = deal.rescheduled(opens_at, closes_at, limit_per_buyer, now)?;
    item.kind = Kind::TimeDeal(deal);
    save(ports, item, command.expected_version, ItemEvent::Scheduled).await
}
