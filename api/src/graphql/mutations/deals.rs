//! Stopping deals, and letting them go on.

use async_graphql::{Context, ID, InputObject, Object};
use domain::account::Role;
use domain::use_cases::control_deal::{Control, ControlDeal, control_deal};
use domain::{Failure, ItemId};

use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::objects::item::Item;
use crate::graphql::outcome::{answer, payload};
use crate::graphql::scalars::Version;
use crate::request::RequestContext;

/// Mutations of whoever runs a deal.
#[derive(Default)]
pub struct Deals;

#[Object]
impl Deals {
    /// Stops a time deal for now: nobody gets a unit until `resumeDeal`. Its window passes by, and
    /// what buyers hold stays theirs. For the item's seller and for admins.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `NotATimeDeal`, `DealClosed`,
    /// `VersionConflict`.
    async fn pause_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal.")] input: PauseDealInput,
    ) -> Option<PauseDealPayload> {
        let done = control(ctx, &input.item_id, input.expected_version, Control::Pause).await;
        answer(ctx, done.map(|item| PauseDealPayload::done(ctx, item)))
    }

    /// Lets a time deal go on after `pauseDeal`. For the item's seller and for admins.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `NotATimeDeal`, `DealClosed`,
    /// `VersionConflict`.
    async fn resume_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal.")] input: ResumeDealInput,
    ) -> Option<ResumeDealPayload> {
        let done = control(ctx, &input.item_id, input.expected_version, Control::Resume).await;
        answer(ctx, done.map(|item| ResumeDealPayload::done(ctx, item)))
    }

    /// Ends a time deal now and for good; what buyers hold stays theirs. One that has not begun ends
    /// without ever having sold. For the item's seller and for admins.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `NotATimeDeal`, `DealClosed`,
    /// `VersionConflict`.
    async fn end_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal.")] input: EndDealInput,
    ) -> Option<EndDealPayload> {
        let done = control(ctx, &input.item_id, input.expected_version, Control::End).await;
        answer(ctx, done.map(|item| EndDealPayload::done(ctx, item)))
    }
}

/// Which deal to pause.
#[derive(InputObject, Debug)]
pub struct PauseDealInput {
    /// The deal's item, `item_…`.
    item_id: ID,
    /// The item's `version` that was seen. If somebody edited the item since, it is refused.
    expected_version: Version,
}

/// Which deal to let go on.
#[derive(InputObject, Debug)]
pub struct ResumeDealInput {
    /// The deal's item, `item_…`.
    item_id: ID,
    /// The item's `version` that was seen. If somebody edited the item since, it is refused.
    expected_version: Version,
}

/// Which deal to end.
#[derive(InputObject, Debug)]
pub struct EndDealInput {
    /// The deal's item, `item_…`.
    item_id: ID,
    /// The item's `version` that was seen. If somebody edited the item since, it is refused.
    expected_version: Version,
}

payload! {
    /// What became of `pauseDeal`.
    PauseDealPayload {
        /// The item as it is now; null exactly when it was refused.
        item: Item,
    }
}

payload! {
    /// What became of `resumeDeal`.
    ResumeDealPayload {
        /// The item as it is now; null exactly when it was refused.
        item: Item,
    }
}

payload! {
    /// What became of `endDeal`.
    EndDealPayload {
        /// The item as it is now; null exactly when it was refused.
        item: Item,
    }
}

async fn control(
    ctx: &Context<'_>,
    item: &ID,
    expected_version: Version,
    control: Control,
) -> Result<Item, Failure> {
    let requester = RequestContext::of(ctx).requester;
    requester.acting_as(Role::Seller)?;
    let command = ControlDeal {
        item: ItemId::parse(item).map_err(|reason| reason.at(["itemId"]))?,
        expected_version: expected_version.row(),
        control,
    };
    let item = control_deal(&Graph::of(ctx).ports, &requester, command).await?;
    Ok(item.into())
}
