//! Writes to people about what happened: to buyers about their orders, to whoever wants to prove an
//! address, and to owners of accounts about how they are signed in to.
//!
//! A letter goes out once for its event, however often that is told: the ledger is asked which went
//! out, and is told of each that did. Whoever dies between sending and noting leaves a letter that
//! is sent again; it has the same Message-ID, so that a mail system may take the two for one.

mod news;

use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::stream;

use crate::event::{AccountEvent, Event, What};
use crate::ports::Ports;
use crate::ports::mail::{Content, Letter};
use crate::use_cases::send_code::code_letter;
use crate::{AccountId, EventId, Fault, FaultKind, OrderId, Timestamp};

use news::{News, Topic};

/// Orders and addresses that are written to at the same time.
const AT_ONCE: usize = 8;
/// How old the news of a letter may be, in days. So it is known of every event that still gets one
/// whether it had one.
const MOST_DAYS: i64 = 30;
/// How long it is known which letters went out, in days: a day more, for processes whose clocks
/// differ.
pub(crate) const KNOWN_DAYS: i64 = MOST_DAYS + 1;

/// Whether somebody is written to about this event.
#[must_use]
pub fn asks_for_a_letter(event: &Event) -> bool {
    match &event.what {
        What::Account { .. } | What::VerificationRequested { .. } => true,
        What::Item { .. } => false,
        What::Order { happened, .. } => Topic::of(happened).is_some(),
    }
}

/// Sends the letters that these events ask for and that did not go out yet. A rehearsal's buyer gets
/// none, nor does one whose account is gone.
///
/// # Errors
/// A fault of the ledger or the mail server. Letters of other orders went out all the same; again,
/// only those that did not are sent.
pub async fn send_letters(ports: &Ports, events: &[Event]) -> Result<(), Fault> {
    let pending = pending(ports, events).await?;
    if pending.is_empty() {
        return Ok(());
    }
    let news = &News::load(ports, &pending).await?;
    // What is told of one order is told in turn.
    let turns = pending.chunk_by(|one, next| one.key() == next.key());
    let turns: Vec<_> = turns.map(|events| send(ports, news, events)).collect();
    // Each goes to its end: one that was cut off might have gone out, and nobody would know.
    let sent: Vec<Result<(), Fault>> = stream::iter(turns)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    // A letter that can't be sent is told before one that can, some time: it is the one to leave out.
    let faults = sent.into_iter().filter_map(Result::err);
    match faults.max_by_key(|fault| fault.kind == FaultKind::Corrupt) {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

/// The events whose letters have to go out, each once; those of one order side by side, in turn.
async fn pending<'a>(ports: &Ports, events: &'a [Event]) -> Result<Vec<&'a Event>, Fault> {
    let since = days_ago(ports, MOST_DAYS);
    let mut seen = HashSet::new();
    let mut pending: Vec<&Event> = events
        .iter()
        .filter(|event| asks_for_a_letter(event) && event.at >= since && seen.insert(event.id))
        .collect();
    let orders: Vec<OrderId> = pending.iter().filter_map(|event| order_of(event)).collect();
    if !orders.is_empty() {
        let addressed = ports.letters.addressed(&orders).await?;
        let addressed: HashSet<OrderId> = addressed.into_iter().collect();
        pending.retain(|event| order_of(event).is_none_or(|order| addressed.contains(&order)));
    }
    if !pending.is_empty() {
        let ids: Vec<_> = pending.iter().map(|event| event.id).collect();
        let sent: HashSet<_> = ports.letters.sent(&ids).await?.into_iter().collect();
        pending.retain(|event| !sent.contains(&event.id));
    }
    pending.sort_by_key(|event| event.key());
    Ok(pending)
}

fn order_of(event: &Event) -> Option<OrderId> {
    match event.what {
        What::Order { order, .. } => Some(order),
        What::Account { .. } | What::Item { .. } | What::VerificationRequested { .. } => None,
    }
}

fn days_ago(ports: &Ports, days: i64) -> Timestamp {
    ports.clock.now() - TimeDelta::days(days)
}

async fn send(ports: &Ports, news: &News, events: &[&Event]) -> Result<(), Fault> {
    for event in events {
        if let Some(letter) = letter(ports, news, event).await? {
            ports.mailer.send(&letter).await?;
            let now = ports.clock.now();
            ports.letters.note_sent(event.id, now).await?;
        }
    }
    Ok(())
}

async fn letter(ports: &Ports, news: &News, event: &Event) -> Result<Option<Letter>, Fault> {
    match &event.what {
        What::VerificationRequested { verification } => {
            code_letter(ports, event.id, *verification).await
        }
        What::Order {
            order, happened, ..
        } => match Topic::of(happened) {
            Some(topic) => news.letter(ports, event.id, *order, topic),
            None => Ok(None),
        },
        What::Account { account, happened } => {
            account_letter(ports, event.id, *account, *happened).await
        }
        What::Item { .. } => Ok(None),
    }
}

async fn account_letter(
    ports: &Ports,
    event: EventId,
    account: AccountId,
    happened: AccountEvent,
) -> Result<Option<Letter>, Fault> {
    let owner = ports.accounts.account(account).await?;
    Ok(owner.map(|owner| Letter {
        id: event.0,
        to: owner.email,
        language: owner.language,
        content: match happened {
            AccountEvent::PasswordChanged => Content::PasswordChanged,
            AccountEvent::SecondFactorSet { on } => Content::SecondFactorSet { on },
        },
    }))
}
