//! What operators do with records that could not be handled. Each act is written to the audit log.

use async_graphql::{Context, ID, InputObject, Object};
use domain::account::Role;
use domain::use_cases::settle_dead_letter::{
    Decision, SettleDeadLetter, SettledLetter, settle_dead_letter,
};
use domain::{DeadLetterId, Failure, IdempotencyKey};

use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::objects::dead_letter::DeadLetter;
use crate::graphql::outcome::{answer, payload};
use crate::graphql::scalars::Uuid;
use crate::request::RequestContext;

/// Mutations of whoever looks after what was put aside.
#[derive(Default)]
pub struct DeadLetters;

#[Object]
impl DeadLetters {
    /// Has the record of a dead letter handled again: publishes it where it came from, once its cause
    /// is mended. All groups of its topic get it; those that had handled it find that they have. If
    /// it still can't be handled, it becomes a dead letter again, with an id of its own. For role
    /// ADMIN.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `DeadLetterSettled`,
    /// `DeadLetterNotWhole`, `IdempotencyKeyReused`, `TryAgain`.
    async fn replay_dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dead letter.")] input: ReplayDeadLetterInput,
    ) -> Option<ReplayDeadLetterPayload> {
        let asked = (&input.letter_id, input.idempotency_key);
        let done = settle(ctx, asked, Decision::Replay).await.map(|settled| {
            let replayed = settled.replayed;
            ReplayDeadLetterPayload::done(ctx, settled.letter.into(), replayed)
        });
        answer(ctx, done)
    }

    /// Gives the record of a dead letter up: nobody handles it. It stays to be seen. For role ADMIN.
    ///
    /// Refusals: `Unauthenticated`, `Forbidden`, `InvalidInput`, `NotFound`, `DeadLetterSettled`,
    /// `IdempotencyKeyReused`, `TryAgain`.
    async fn drop_dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dead letter, and why.")] input: DropDeadLetterInput,
    ) -> Option<DropDeadLetterPayload> {
        let asked = (&input.letter_id, input.idempotency_key);
        let decision = Decision::Drop { note: input.note };
        let done = settle(ctx, asked, decision).await.map(|settled| {
            let replayed = settled.replayed;
            DropDeadLetterPayload::done(ctx, settled.letter.into(), replayed)
        });
        answer(ctx, done)
    }
}

/// Which record to have handled again.
#[derive(InputObject, Debug)]
pub struct ReplayDeadLetterInput {
    /// The dead letter, `letter_…`.
    letter_id: ID,
    /// Made by the client, fresh for every replay that is meant, the same for every repetition.
    idempotency_key: Uuid,
}

payload! {
    /// What became of `replayDeadLetter`.
    ReplayDeadLetterPayload {
        /// The dead letter, settled; null exactly when it was refused.
        dead_letter: DeadLetter,
        /// Whether the same key had asked for it before.
        replayed: bool,
    }
}

/// Which record to give up, and why.
#[derive(InputObject, Debug)]
pub struct DropDeadLetterInput {
    /// The dead letter, `letter_…`.
    letter_id: ID,
    /// Made by the client, fresh for every decision that is meant, the same for every repetition.
    idempotency_key: Uuid,
    /// Why, 1 to 200 characters; for the audit log.
    note: String,
}

payload! {
    /// What became of `dropDeadLetter`.
    DropDeadLetterPayload {
        /// The dead letter, settled; null exactly when it was refused.
        dead_letter: DeadLetter,
        /// Whether the same key had asked for it before.
        replayed: bool,
    }
}

async fn settle(
    ctx: &Context<'_>,
    (letter, key): (&ID, Uuid),
    decision: Decision,
) -> Result<SettledLetter, Failure> {
    let requester = RequestContext::of(ctx).requester;
    requester.acting_as(Role::Admin)?;
    let command = SettleDeadLetter {
        key: IdempotencyKey(key.0),
        letter: DeadLetterId::parse(letter).map_err(|reason| reason.at(["letterId"]))?,
        decision,
    };
    settle_dead_letter(&Graph::of(ctx).ports, &requester, command).await
}
