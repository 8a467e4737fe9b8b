//! Which deal or items a crowd is after, and when a deal opens.

use std::time::Duration;

use chrono::DateTime;
use tokio::time::sleep;

use super::RushError;
use super::client::Client;
use super::requests::{self, Item};

/// The most pages of deals that are looked through.
const MOST_PAGES: usize = 100;

/// The item of this id, or the open deal with most stock; one that is still to open, the first to,
/// when the crowd is to wait for it and none is open.
///
/// # Errors
/// There is none, or nobody answers.
pub async fn choose(
    client: &mut Client,
    id: Option<&str>,
    may_wait: bool,
) -> Result<Item, RushError> {
    if let Some(id) = id {
        return match requests::item(client, id).await? {
            Some((item, _)) => Ok(item),
            None => Err(RushError::new(format!("there is no item {id}"))),
        };
    }
    let (mut best, mut next): (Option<Item>, Option<Item>) = (None, None);
    let mut after = None;
    for _ in 0..MOST_PAGES {
        let page = requests::deals(client, after.as_deref()).await?;
        for deal in page.items {
            match phase(&deal) {
                Some("OPEN")
                    if best
                        .as_ref()
                        .is_none_or(|best| available(&deal) > available(best)) =>
                {
                    best = Some(deal);
                }
                Some("UPCOMING") if next.is_none() => next = Some(deal),
                _ => {}
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    best.or(next.filter(|_| may_wait)).ok_or_else(|| {
        let hint = if may_wait {
            ""
        } else {
            "; --open-at waits for the next one"
        };
        RushError::new(format!("no deal is open{hint}, --deal names any item"))
    })
}

/// The items of these ids; without any, the one with most stock of those that are always sold.
///
/// # Errors
/// One is not there, there is none at all, or nobody answers.
pub async fn choose_items(client: &mut Client, ids: &[String]) -> Result<Vec<Item>, RushError> {
    let mut items = Vec::with_capacity(ids.len().max(1));
    for id in ids {
        items.push(choose(client, Some(id), false).await?);
    }
    let mut after = None;
    let mut pages = if ids.is_empty() { MOST_PAGES } else { 0 };
    while pages > 0 {
        let page = requests::general(client, after.as_deref()).await?;
        items.extend(page.items);
        items.sort_by_key(|item| std::cmp::Reverse(available(item)));
        items.truncate(1);
        after = page.next;
        pages = if after.is_some() { pages - 1 } else { 0 };
    }
    if items.is_empty() {
        return Err(RushError::new("nothing is on sale, --item names any item"));
    }
    Ok(items)
}

/// Waits until the deal opens, by the engine's clock.
///
/// # Errors
/// Nobody answers, or the engine says what is no time.
pub async fn wait_until_open(client: &mut Client, item: &Item) -> Result<(), RushError> {
    let Some((item, now)) = requests::item(client, &item.id).await? else {
        return Err(RushError::new(format!("the item {} is gone", item.id)));
    };
    let Some(deal) = item.deal else { return Ok(()) };
    let instant = |text: &str| {
        DateTime::parse_from_rfc3339(text)
            .map_err(|error| RushError::new(format!("the engine says {text:?}: {error}")))
    };
    let wait = instant(&deal.opens_at)?.signed_duration_since(instant(&now)?);
    sleep(wait.to_std().unwrap_or(Duration::ZERO)).await;
    Ok(())
}

fn phase(item: &Item) -> Option<&str> {
    item.deal.as_ref()?.phase.as_deref()
}

fn available(item: &Item) -> i64 {
    item.stock.map_or(0, |stock| stock.available)
}
