//! Stops a deal for now, lets it go on, or ends it.

use crate::deal::Phase;
use crate::event::ItemEvent;
use crate::item::{Item, Kind};
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::use_cases::update_item::{own_item, save};
use crate::{Failure, ItemId, Requester};

/// What to do with a deal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    Pause,
    Resume,
    End,
}

#[derive(Clone, Copy, Debug)]
pub struct ControlDeal {
    pub item: ItemId,
    /// The version that the seller saw.
    pub expected_version: i64,
    pub control: Control,
}

/// Controls a deal of the requester's. What buyers hold stays theirs.
///
/// # Errors
/// Not found (or somebody else's), not a TIME_DEAL, over already, a version that is not the present
/// one.
pub async fn control_deal(
    ports: &Ports,
    requester: &Requester,
    command: ControlDeal,
) -> Result<Item, Failure> {
    let mut item = own_item(ports, requester, command.item).await?;
    let Kind::TimeDeal(deal) = &item.kind else {
        return Err(Reason::NotATimeDeal.at(["itemId"]).into());
    };
    let now = ports.clock.now();
    if let (Phase::Closed, Some(closed_at)) = (deal.phase(now), deal.closes_at) {
        let item = item.id;
        return Err(Reason::DealClosed { item, closed_at }.at(["itemId"]).into());
    }
    let deal = match command.control {
        Control::Pause => deal.with_pause(true),
        Control::Resume => deal.with_pause(false),
        Control::End => deal.ended(now),
    };
    item.kind = Kind::TimeDeal(deal);
    save(ports, item, command.expected_version, ItemEvent::Scheduled).await
}
