//! Tries records, and again where that may help.

use domain::{Fault, FaultKind};
use futures_util::StreamExt;
use futures_util::stream;
use tracing::Instrument;

use crate::backoff::Backoff;
use crate::consume::batch::Batch;
use crate::consume::{Handler, Subscription};
use crate::context::{Context, guarded};
use crate::trace::span_in;

/// Groups of tasks that are handled at the same time; of smaller ones as many more as have no more
/// tasks.
const GROUPS_AT_ONCE: usize = 8;

/// Records that are tried together, by their place in the batch, with what they last failed on.
struct Group {
    places: Vec<usize>,
    fault: Option<Fault>,
}

/// A record that did not work at the last attempt either.
pub(super) struct Exhausted {
    /// Its place in the batch.
    pub place: usize,
    pub fault: Fault,
}

/// What the attempts came to.
#[derive(Default)]
pub(super) struct Left {
    /// In order.
    pub exhausted: Vec<Exhausted>,
    /// Records that were done before the last attempt began.
    pub done_before_last: u64,
}

/// Handles every open record, and returns those that did not work to the last. Others that are
/// still open afterwards were left because of the shutdown signal.
///
/// Groups are tried as a whole; the last time, and after a fault that a repetition can't help,
/// every record is tried for itself, to see which one it is.
pub(super) async fn handle<H: Handler>(
    context: &Context,
    handler: &H,
    subscription: &Subscription,
    batch: &mut Batch<H::Task>,
) -> Left {
    let mut backoff = Backoff::new(context.pace.retry);
    let mut open = batch.open();
    // What is done is part of one trace, so records of several are not handled together.
    let trace = |place: usize| batch.trace(place).map(|trace| trace.trace);
    open.sort_by_key(|&place| trace(place));
    let group = |places: &[usize]| Group {
        places: places.to_vec(),
        fault: None,
    };
    let mut waiting: Vec<Group> = open
        .chunk_by(|&one, &next| trace(one) == trace(next))
        .flat_map(|of_one| of_one.chunks(subscription.at_once.max(1)))
        .map(group)
        .collect();
    let most = context.pace.attempts.max(1);
    let mut done_before_last = 0;
    for attempt in 1..=most {
        if attempt == most {
            waiting = waiting.into_iter().flat_map(Group::one_by_one).collect();
        }
        done_before_last = batch.done();
        waiting = attempt_all(handler, subscription, batch, waiting, attempt).await;
        if waiting.is_empty() {
            break;
        }
        if attempt < most && !context.back_off(&mut backoff).await {
            return Left::default();
        }
    }
    let exhausted = waiting.into_iter().filter_map(|group| {
        let place = *group.places.first()?;
        group.fault.map(|fault| Exhausted { place, fault })
    });
    let mut exhausted: Vec<_> = exhausted.collect();
    exhausted.sort_by_key(|exhausted| exhausted.place);
    Left {
        exhausted,
        done_before_last,
    }
}

/// Tries every group once; returns those to be tried again.
async fn attempt_all<H: Handler>(
    handler: &H,
    subscription: &Subscription,
    batch: &mut Batch<H::Task>,
    groups: Vec<Group>,
    attempt: u32,
) -> Vec<Group> {
    let largest = groups.iter().map(|group| group.places.len()).max();
    let at_once = GROUPS_AT_ONCE * subscription.at_once / largest.unwrap_or(1).max(1);
    let tried = groups.into_iter().map(|group| {
        let tasks = batch.tasks(&group.places);
        let traces = group.places.iter();
        let span = span_in(traces.filter_map(|&place| batch.trace(place)));
        async move {
            let handling = guarded("handling a record", handler.handle(&tasks));
            (group, handling.instrument(span).await)
        }
    });
    let tried: Vec<_> = stream::iter(tried.collect::<Vec<_>>())
        .buffer_unordered(at_once.max(1))
        .collect()
        .await;
    let mut again = Vec::new();
    for (group, result) in tried {
        match (result, group.places.as_slice()) {
            (Ok(()), places) => batch.finish(places),
            (Err(fault), &[place]) if fault.kind == FaultKind::Corrupt => {
                batch.give_up(place, &fault, attempt);
            }
            (Err(fault), _) if fault.kind == FaultKind::Corrupt => {
                again.extend(group.one_by_one());
            }
            (Err(fault), _) => again.push(Group {
                fault: Some(fault),
                ..group
            }),
        }
    }
    again
}

impl Group {
    fn one_by_one(self) -> impl Iterator<Item = Self> {
        self.places.into_iter().map(|place| Self {
            places: vec![place],
            fault: None,
        })
    }
}
