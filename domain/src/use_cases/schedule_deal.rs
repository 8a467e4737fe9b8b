//! Sets when a deal sells, and how much a buyer may have of it.

use crate::act::Deed;
use crate::event::ItemEvent;
use crate::item::{Item, Kind};
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::use_cases::create_item::DealWindow;
use crate::use_cases::update_item::{Edit, own_item, save};
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
    let seen = own_item(ports, requester, command.item).await?;
    let Kind::TimeDeal(deal) = &seen.kind else {
        return Err(Reason::NotATimeDeal.at(["itemId"]).into());
    };
    let DealWindow {
        opens_at,
        closes_at,
        limit_per_buyer,
    } = command.window;
    let now = ports.clock.now();
    let deal = deal.rescheduled(opens_at, closes_at, limit_per_buyer, now)?;
    let next = Item {
        kind: Kind::TimeDeal(deal),
        ..seen.clone()
    };
    let edit = Edit {
        seen,
        next,
        expected_version: command.expected_version,
        happened: ItemEvent::Scheduled,
        deed: Deed::ScheduleDeal,
    };
    save(ports, requester, edit).await
}
