//! What may be done only so often.

use async_graphql::Context;
use domain::account::Email;
use domain::rate::Action;
use domain::use_cases::keep_to_rate::{Who, keep_to_rate};
use domain::{AccountId, Failure};

use super::Graph;
use crate::request::RequestContext;

/// Counts what somebody at the door does, by where they come from and by the address they name.
pub async fn at_the_door(ctx: &Context<'_>, action: Action, email: &Email) -> Result<(), Failure> {
    let who = Who::claims(email, RequestContext::of(ctx).peer);
    keep_to_rate(&Graph::of(ctx).ports, action, who).await
}

/// Counts what anybody does, by where they come from.
pub async fn from_anywhere(ctx: &Context<'_>, action: Action) -> Result<(), Failure> {
    let who = Who::comes_from(RequestContext::of(ctx).peer);
    keep_to_rate(&Graph::of(ctx).ports, action, who).await
}

/// Counts what an account does.
pub async fn of_account(
    ctx: &Context<'_>,
    action: Action,
    account: AccountId,
) -> Result<(), Failure> {
    keep_to_rate(&Graph::of(ctx).ports, action, Who::is(account)).await
}
