//! The operations that run on one socket.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::Response;
use futures_util::future::ready;
use futures_util::stream::{AbortHandle, BoxStream, SelectAll, Stream, StreamExt, abortable, once};

use crate::answer::RequestError;
use crate::engine::Engine;
use crate::request::{Params, RequestContext};

/// What becomes of an operation: results, and then one of the two ends.
pub(super) enum Event {
    Next(Response),
    Error(RequestError),
    Complete,
}

/// The running operations, by the id that the client gave each.
#[derive(Default)]
pub(super) struct Operations {
    running: SelectAll<BoxStream<'static, (Arc<str>, Event)>>,
    handles: HashMap<Arc<str>, AbortHandle>,
}

impl Operations {
    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.handles.contains_key(id)
    }

    /// Starts an operation under an id that none has.
    pub(super) fn start(
        &mut self,
        id: String,
        engine: Engine,
        params: Params,
        context: RequestContext,
    ) {
        let id: Arc<str> = Arc::from(id);
        let (events, handle) = abortable(events(engine, params, context));
        self.handles.insert(Arc::clone(&id), handle);
        self.running
            .push(events.map(move |event| (Arc::clone(&id), event)).boxed());
    }

    /// Ends an operation without a word; one that is not there has ended already.
    pub(super) fn cancel(&mut self, id: &str) {
        if let Some(handle) = self.handles.remove(id) {
            handle.abort();
        }
    }

    /// The next event of any operation; `None` while there is none. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Option<(Arc<str>, Event)> {
        let (id, event) = self.running.next().await?;
        if !matches!(event, Event::Next(_)) {
            self.handles.remove(&id);
        }
        Some((id, event))
    }
}

fn events(
    engine: Engine,
    params: Params,
    context: RequestContext,
) -> impl Stream<Item = Event> + Send + 'static {
    let prepared = {
        let engine = engine.clone();
        async move { engine.prepare(params).await }
    };
    let results = once(prepared).flat_map(move |prepared| match prepared {
        Ok(prepared) => engine.stream(prepared, context),
        Err(error) => once(ready(Err(error))).boxed(),
    });
    // A resolver that panics ends its operation, not the socket and the operations beside it.
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
