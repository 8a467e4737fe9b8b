//! What operators do beside the rules. Each act is written to the audit log.

use async_graphql::{Context, ID, InputObject, Object};
use domain::account::Role;
use domain::use_cases::change_order::Changed;
use domain::use_cases::refund_order::{RefundOrder, refund_order};
use domain::use_cases::settle_return::{SettleReturn, Settlement, settle_return};
use domain::{Failure, IdempotencyKey, ReturnId};

use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::objects::money::MoneyInput;
use crate::graphql::objects::order::Order;
use crate::graphql::outcome::{answer, payload};
use crate::graphql::scalars::Uuid;
use crate::request::RequestContext;

use super::orders::order_id;

/// Mutations of whoever runs the shop.
#[derive(Default)]
pub struct Operators;

#[Object]
impl Operators {
    /// Gives money back that no cancellation or return asks for, at most what is left of what was
    /// captured. For role ADMIN.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `StateConflict`,
    /// `CurrencyMismatch`, `MoreThanCaptured`, `IdempotencyKeyReused`, `TryAgain`.
    async fn refund_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to give back, and why.")] input: RefundOrderInput,
    ) -> Option<RefundOrderPayload> {
        answer(ctx, input.refund(ctx).await)
    }

    /// Completes a return at once, before its day: its units are back on sale, what was paid for
    /// them goes back. For role ADMIN.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `ReturnSettled`,
    /// `IdempotencyKeyReused`, `TryAgain`.
    async fn approve_return(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which return.")] input: ApproveReturnInput,
    ) -> Option<ApproveReturnPayload> {
        let key = input.idempotency_key;
        let settled = settle(ctx, (&input.return_id, key), Settlement::Approve).await;
        let done = settled.map(|changed| {
            let replayed = changed.replayed;
            ApproveReturnPayload::done(ctx, changed.into(), replayed)
        });
        answer(ctx, done)
    }

    /// Does not take the units of a return back. For role ADMIN.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `ReturnSettled`,
    /// `IdempotencyKeyReused`, `TryAgain`.
    async fn reject_return(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which return, and why.")] input: RejectReturnInput,
    ) -> Option<RejectReturnPayload> {
        let key = input.idempotency_key;
        let settlement = Settlement::Reject { note: input.note };
        let settled = settle(ctx, (&input.return_id, key), settlement).await;
        let done = settled.map(|changed| {
            let replayed = changed.replayed;
            RejectReturnPayload::done(ctx, changed.into(), replayed)
        });
        answer(ctx, done)
    }
}

/// What to give back, and why.
#[derive(InputObject, Debug)]
pub struct RefundOrderInput {
    /// The order, `order_…`.
    order_id: ID,
    /// Made by the client, fresh for every refund that is meant, the same for every repetition.
    idempotency_key: Uuid,
    /// How much, above nothing, in the order's currency.
    amount: MoneyInput,
    /// Why, 1 to 200 characters; for the audit log.
    reason: String,
}

payload! {
    /// What became of `refundOrder`.
    RefundOrderPayload {
        /// The order with its refund; null exactly when it was refused.
        order: Order,
        /// Whether the same key had asked for it before.
        replayed: bool,
    }
}

impl RefundOrderInput {
    async fn refund(self, ctx: &Context<'_>) -> Result<RefundOrderPayload, Failure> {
        let requester = RequestContext::of(ctx).requester;
        requester.acting_as(Role::Admin)?;
        let command = RefundOrder {
            key: IdempotencyKey(self.idempotency_key.0),
            order: order_id(&self.order_id)?,
            amount: self.amount.parse("amount")?,
            reason: self.reason,
        };
        let changed = refund_order(&Graph::of(ctx).ports, &requester, command).await?;
        let replayed = changed.replayed;
        Ok(RefundOrderPayload::done(ctx, changed.into(), replayed))
    }
}

/// Which return to complete.
#[derive(InputObject, Debug)]
pub struct ApproveReturnInput {
    /// The return, `return_…`.
    return_id: ID,
    /// Made by the client, fresh for every decision that is meant, the same for every repetition.
    idempotency_key: Uuid,
}

payload! {
    /// What became of `approveReturn`.
    ApproveReturnPayload {
        /// The order of the return; null exactly when it was refused.
        order: Order,
        /// Whether the same key had approved it before.
        replayed: bool,
    }
}

/// Which return is not taken back, and why.
#[derive(InputObject, Debug)]
pub struct RejectReturnInput {
    /// The return, `return_…`.
    return_id: ID,
    /// Made by the client, fresh for every decision that is meant, the same for every repetition.
    idempotency_key: Uuid,
    /// Why, for the buyer, 1 to 200 characters.
    note: String,
}

payload! {
    /// What became of `rejectReturn`.
    RejectReturnPayload {
        /// The order of the return; null exactly when it was refused.
        order: Order,
        /// Whether the same key had rejected it before.
        replayed: bool,
    }
}

async fn settle(
    ctx: &Context<'_>,
    (request, key): (&ID, Uuid),
    settlement: Settlement,
) -> Result<Changed, Failure> {
    let requester = RequestContext::of(ctx).requester;
    requester.acting_as(Role::Admin)?;
    let command = SettleReturn {
        key: IdempotencyKey(key.0),
        request: ReturnId::parse(request).map_err(|reason| reason.at(["returnId"]))?,
        settlement,
    };
    settle_return(&Graph::of(ctx).ports, &requester, command).await
}
