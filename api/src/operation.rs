//! A running operation, whichever way its results leave.

use std::panic::AssertUnwindSafe;

use async_graphql::Response;
use futures_util::future::ready;
use futures_util::stream::{Stream, StreamExt, once};

use crate::answer::RequestError;
use crate::engine::{Engine, Prepared};
use crate::request::RequestContext;

/// What becomes of an operation: results, and then one of the two ends.
pub(crate) enum Event {
    Next(Response),
    Error(RequestError),
    Complete,
}

/// Runs an operation as soon as it is prepared. Dropped, it ends.
pub(crate) fn run(
    engine: Engine,
    prepared: impl Future<Output = Result<Prepared, RequestError>> + Send + 'static,
    context: RequestContext,
) -> impl Stream<Item = Event> + Send + 'static {
    let results = once(prepared).flat_map(move |prepared| match prepared {
        Ok(prepared) => engine.stream(prepared, context),
        Err(error) => once(ready(Err(error))).boxed(),
    });
    // A resolver that panics ends its operation, not the connection and the operations beside it.
    let results = AssertUnwindSafe(results).catch_unwind().map(move |result| {
        result.unwrap_or_else(|_| Err(RequestError::panicked(context.request_id)))
    });
    // An error is the end; without one, completion is.
    results
        .map(Some)
        .chain(once(ready(None)))
        .scan(false, |ended, result| {
            let event = match result {
                _ if *ended => None,
                Some(Ok(response)) => Some(Event::Next(response)),
                Some(Err(error)) => Some(Event::Error(error)),
                None => Some(Event::Complete),
            };
            *ended = !matches!(event, Some(Event::Next(_)));
            ready(event)
        })
}
