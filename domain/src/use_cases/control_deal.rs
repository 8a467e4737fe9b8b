//! Stops a deal for now, lets it go on, or ends it.

use crate::act::Deed;
use crate::deal::Phase;
use crate::event::ItemEvent;
use crate::item::{Item, Kind};
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::use_cases::update_item::{Edit, own_item, save};
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
    let seen = own_item(ports, requester, command.item).await?;
    let Kind::TimeDeal(deal) = &seen.kind else {
        return Err(Reason::NotATimeDeal.at(["itemId"]).into());
    };
    let now = ports.clock.now();
    if let (Phase::Closed, Some(closed_at)) = (deal.phase(now), deal.closes_at) {
        let item = seen.id;
        return Err(Reason::DealClosed { item, closed_at }.at(["itemId"]).into());
    }
    let (deal, deed) = match command.control {
        Control::Pause => (deal.with_pause(true), Deed::PauseDeal),
        Control::Resume => (deal.with_pause(false), Deed::ResumeDeal),
        Control::End => (deal.ended(now), Deed::EndDeal),
    };
    let next = Item {
        kind: Kind::TimeDeal(deal),
        ..seen.clone()
    };
    let edit = Edit {
        seen,
        next,
        expected_version: command.expected_version,
        happened: ItemEvent::Scheduled,
        deed,
    };
    save(ports, requester, edit).await
}
