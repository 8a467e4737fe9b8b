//! Orders for a time: what a shop keeps up, what that costs each of its processes, and how it
//! compares with what the machine could do at most.

mod cost;
pub mod floor;
pub mod overload;
mod press;
mod probe;
pub mod processor;
mod report;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::client::Token;
use super::requests::{self, Item};
use super::subscribers::{Audience, Watched};
use super::verify::{self, Verified};
use super::{Means, RushArgs, RushError, deal};
use cost::{Costs, Names};
use press::{Press, Pressed, Window};
use processor::{Process, Reading};

/// What came of a sustained rehearsal.
pub struct Sustained {
    /// As they were before.
    items: Vec<Item>,
    buyers: u64,
    connections: u64,
    urls: Vec<String>,
    measured: Measured,
    /// From the end until the ledger had the last accepted order.
    written_after: Duration,
    /// What each process used until then, since the beginning.
    costs_until_written: Option<Costs>,
    floor: Option<Floor>,
    pub verified: Verified,
    subscribed: Option<Watched>,
}

/// What came of one press.
struct Measured {
    pressed: Pressed,
    duration: Duration,
    names: Names,
    /// At the beginning and at the end of what counts; nothing where the system keeps no account.
    readings: Option<[Reading; 2]>,
}

/// The same crowd at a server that does nothing, before and afterwards.
struct Floor {
    before: Measured,
    after: Measured,
}

/// Presses for the time that was asked for.
///
/// # Errors
/// There is nothing to order, a process to watch is not there, or nobody answers before it begins.
pub async fn run(
    means: &Means,
    args: &RushArgs,
    run: Uuid,
    tokens: Vec<Token>,
) -> Result<Sustained, RushError> {
    let mut client = means.client();
    let items = deal::choose_items(&mut client, &args.item).await?;
    let press = Press {
        nodes: means.nodes.clone(),
        buyers: Arc::new(tokens),
        items: Arc::new(items.iter().map(|item| item.id.clone()).collect()),
        quantity: args.quantity,
        connections: means.concurrency,
        warm_up: args.warm_up,
        duration: args.duration.unwrap_or_default(),
        timeout: means.timeout,
        keys: run,
        offered: None,
    };
    let first = press.items.first().cloned().unwrap_or_default();
    let subscribers = usize::try_from(args.subscribers).unwrap_or(0);
    let audience = match subscribers {
        0 => None,
        _ => Some(Audience::gather(&means.nodes, &first, subscribers, means.patience).await),
    };
    let before = if args.floor {
        Some(floor::measure(&press).await?)
    } else {
        None
    };
    let buyers = Arc::clone(&press.buyers);
    let mut measured = measure(press.clone(), &args.watch).await?;
    let ended = Instant::now();
    // In the order of the log the last of each connection are the last of all.
    let last = verify::by_buyer(&buyers, std::mem::take(&mut measured.pressed.last));
    verify::verify(
        &means.asking(),
        last,
        means.progress("waiting for the ledger", 0),
    )
    .await;
    let written_after = ended.elapsed();
    let costs_until_written = measured.costs_until_now(&args.watch)?;
    let after = match before {
        Some(_) => Some(floor::measure(&press).await?),
        None => None,
    };
    let answered = verify::by_buyer(&buyers, std::mem::take(&mut measured.pressed.accepted));
    let mut asking = means.asking();
    // A shop at its limit answers after so many orders no faster than it took them.
    asking.patience += (press.warm_up + press.duration) * 4;
    let verified = verify::verify(&asking, answered, means.progress("asking after", 0)).await;
    let last = requests::item(&mut client, &first).await.ok().flatten();
    let last = last.and_then(|(item, _)| item.stock);
    let subscribed = match audience {
        Some(audience) => Some(audience.dismiss(last).await),
        None => None,
    };
    Ok(Sustained {
        items,
        buyers: args.buyers,
        connections: args.concurrency,
        urls: means.nodes.iter().map(|node| node.url()).collect(),
        measured,
        written_after,
        costs_until_written,
        floor: before
            .zip(after)
            .map(|(before, after)| Floor { before, after }),
        verified,
        subscribed,
    })
}

/// Presses from now on.
async fn measure(press: Press, watched: &[Process]) -> Result<Measured, RushError> {
    let window = Window::of(&press);
    measure_in(press, watched, window).await
}

/// Presses, and reads the account of the processors at both ends of what counts.
async fn measure_in(
    press: Press,
    watched: &[Process],
    window: Window,
) -> Result<Measured, RushError> {
    let with_crowd = with_crowd(watched);
    // Whoever asks for it has to be told that there is none, before anything begins.
    let has_account = match processor::read(&with_crowd) {
        Ok(_) => true,
        Err(_) if watched.is_empty() => false,
        Err(reason) => return Err(RushError::new(reason)),
    };
    let duration = press.duration;
    let crowd = tokio::spawn(press::run(press, window));
    sleep_until(window.begin).await;
    let begin = processor::read(&with_crowd);
    sleep_until(window.end).await;
    let end = processor::read(&with_crowd);
    let pressed = crowd.await;
    let pressed = pressed.map_err(|error| RushError::new(format!("no crowd: {error}")))??;
    let readings = match (begin, end) {
        (Ok(begin), Ok(end)) => Some([begin, end]),
        (Err(reason), _) | (_, Err(reason)) if has_account => return Err(RushError::new(reason)),
        _ => None,
    };
    Ok(Measured {
        pressed,
        duration,
        names: Names::of(&with_crowd),
        readings,
    })
}

/// The crowd's own process first.
fn with_crowd(watched: &[Process]) -> Vec<Process> {
    let crowd = Process {
        name: "crowd".to_owned(),
        pid: std::process::id(),
        with_children: false,
    };
    std::iter::once(crowd)
        .chain(watched.iter().cloned())
        .collect()
}

impl Measured {
    /// What each process used in the time that counts.
    fn costs(&self) -> Option<Costs> {
        let [begin, end] = self.readings.as_ref()?;
        Some(Costs::between(&self.names, begin, end))
    }

    /// What each has used from the beginning of that until now.
    fn costs_until_now(&self, watched: &[Process]) -> Result<Option<Costs>, RushError> {
        let Some([begin, _]) = &self.readings else {
            return Ok(None);
        };
        let now = processor::read(&with_crowd(watched)).map_err(RushError::new)?;
        Ok(Some(Costs::between(&self.names, begin, &now)))
    }

    /// Orders accepted a second.
    fn rate(&self) -> u64 {
        super::stampede::per_second(self.pressed.orders.accepted, self.duration)
    }
}
