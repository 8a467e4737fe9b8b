//! The operations that run on one socket.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::{AbortHandle, BoxStream, SelectAll, StreamExt, abortable};

use crate::engine::Engine;
use crate::operation::{self, Event};
use crate::request::{Params, RequestContext};

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
        let prepared = {
            let engine = engine.clone();
            async move { engine.prepare(params).await }
        };
        let (events, handle) = abortable(operation::run(engine, prepared, context));
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
