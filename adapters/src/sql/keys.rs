//! Idempotency keys: what a requester used one for, by mutation.

use std::collections::HashSet;

use domain::gate::Fingerprint;
use domain::order::KeyUse;
use domain::{AccountId, IdempotencyKey, Timestamp};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::bulk;
use super::entities::idempotency_keys::{ActiveModel, Column, Entity, Model};
use super::fault::Stop;
use super::many;
use super::rows::ms;

/// What makes a key one key.
pub type KeyName = (AccountId, &'static str, IdempotencyKey);

/// The name of a used key.
pub fn name(key: &KeyUse) -> KeyName {
    (key.requester, key.mutation, key.key)
}

/// What a key was used for, if it was.
pub async fn use_of(
    on: &impl ConnectionTrait,
    (requester, mutation, key): KeyName,
) -> Result<Option<(Fingerprint, Uuid)>, DbErr> {
    let row = Entity::find_by_id((requester.0, mutation.to_owned(), key.0))
        .one(on)
        .await?;
    Ok(row.map(|row| (Fingerprint(row.fingerprint.as_u128()), row.subject_id)))
}

/// Those of `keys` that were used before.
pub async fn taken(on: &impl ConnectionTrait, keys: &[KeyName]) -> Result<HashSet<KeyName>, DbErr> {
    let mut taken = HashSet::new();
    for chunk in keys.chunks(bulk::MOST_IDS) {
        let requesters = chunk.iter().map(|(requester, ..)| requester.0);
        let named = chunk.iter().map(|(.., key)| key.0);
        // Every requester with every key, which finds others too: who used a key is looked at below.
        let rows: HashSet<(Uuid, String, Uuid)> = Entity::find()
            .filter(many::one_of(on, Column::RequesterId, requesters))
            .filter(many::one_of(on, Column::IdempotencyKey, named))
            .all(on)
            .await?
            .into_iter()
            .map(|row| (row.requester_id, row.mutation, row.idempotency_key))
            .collect();
        taken.extend(chunk.iter().copied().filter(|(requester, mutation, key)| {
            rows.contains(&(requester.0, (*mutation).to_owned(), key.0))
        }));
    }
    Ok(taken)
}

/// Writes down what keys are used for. A key that was used in the meantime stops the work.
pub async fn insert(
    on: &impl ConnectionTrait,
    keys: &[KeyUse],
    now: Timestamp,
) -> Result<(), Stop> {
    let rows = keys.iter().map(|key| Model {
        requester_id: key.requester.0,
        mutation: key.mutation.to_owned(),
        idempotency_key: key.key.0,
        fingerprint: Uuid::from_u128(key.fingerprint.0),
        subject_id: key.subject,
        created_at: ms(now),
    });
    bulk::insert::<ActiveModel, _>(on, rows.collect()).await
}
