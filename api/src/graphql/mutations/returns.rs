//! Giving delivered units back.

use async_graphql::{Context, ID, InputObject, Object};
use domain::use_cases::request_return::{RequestReturn, request_return};
use domain::{Failure, IdempotencyKey};

use crate::graphql::Graph;
use crate::graphql::objects::order::Order;
use crate::graphql::outcome::{answer, payload};
use crate::graphql::scalars::Uuid;

use super::orders::{OrderPortionInput, buyer, order_id, portions};

/// Mutations of whoever gives something back.
#[derive(Default)]
pub struct Returns;

#[Object]
impl Returns {
    /// Asks to give units of a delivered order back, until the end of the day after its delivery
    /// unless the shop says otherwise. The day after, they are back on sale and what was paid for
    /// them goes back, see `returns` and `refunds`. For the order's buyer.
    ///
    /// Refusals: `Unauthenticated`, `InvalidInput`, `NotFound`, `StateConflict`, `ReturnWindowClosed`,
    /// `IdempotencyKeyReused`, `TryAgain`.
    async fn request_return(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to give back, and why.")] input: RequestReturnInput,
    ) -> Option<RequestReturnPayload> {
        answer(ctx, input.request(ctx).await)
    }
}

/// What to give back, and why.
#[derive(InputObject, Debug)]
pub struct RequestReturnInput {
    /// The order, `order_…`.
    order_id: ID,
    /// Made by the client, fresh for every return that is meant, the same for every repetition.
    idempotency_key: Uuid,
    /// What of it, each line at most once; all that is left of it without this.
    lines: Option<Vec<OrderPortionInput>>,
    /// Why, 10 to 50 characters.
    reason: String,
}

payload! {
    /// What became of `requestReturn`.
    RequestReturnPayload {
        /// The order with its return; null exactly when it was refused.
        order: Order,
        /// Whether the same key had asked for it before.
        replayed: bool,
    }
}

impl RequestReturnInput {
    async fn request(self, ctx: &Context<'_>) -> Result<RequestReturnPayload, Failure> {
        let ports = &Graph::of(ctx).ports;
        let command = RequestReturn {
            buyer: buyer(ctx)?,
            key: IdempotencyKey(self.idempotency_key.0),
            order: order_id(&self.order_id)?,
            lines: portions(self.lines, ports.policies.max_lines)?,
            reason: self.reason,
        };
        let changed = request_return(ports, command).await?;
        let replayed = changed.replayed;
        Ok(RequestReturnPayload::done(ctx, changed.into(), replayed))
    }
}
