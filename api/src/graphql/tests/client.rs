//! Who asks, in these tests: through the engine, as every transport does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_graphql::{Response, Variables};
use domain::account::Role;
use domain::{AccountId, Language, Requester};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::answer::RequestError;
use crate::engine::{Engine, EngineSettings};
use crate::graphql::{Graph, schema};
use crate::request::{Params, RequestContext};

use super::world::{World, at};

/// A client of a world.
#[derive(Clone)]
pub struct Client {
    world: Arc<World>,
    graph: Graph,
    engine: Engine,
    context: RequestContext,
}

impl Client {
    /// Somebody who is not signed in.
    pub fn new(world: &Arc<World>) -> Self {
        let graph = Graph::new(world.ports());
        let context = RequestContext {
            peer: None,
            requester: Requester::Anonymous,
            request_id: Uuid::nil(),
            language: Language::English,
        };
        Self {
            world: Arc::clone(world),
            engine: Engine::new(|| schema(&graph), EngineSettings::default()),
            graph,
            context,
        }
    }

    /// The same, signed in.
    pub fn signed_in(&self, account: AccountId, role: Role) -> Self {
        let mut client = self.clone();
        client.context.requester = Requester::SignedIn {
            account,
            role,
            session: None,
            until: at(3_600),
        };
        client
    }

    /// The same, reading Korean.
    pub fn in_korean(&self) -> Self {
        let mut client = self.clone();
        client.context.language = Language::Korean;
        client
    }

    /// The whole answer.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let prepared = self.engine.prepare(params(query, variables)).await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{error:?}"));
        let response = self.engine.execute(prepared, self.context).await;
        serde_json::to_value(response.unwrap()).unwrap()
    }

    /// The data of an answer without errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, variables).await;
        assert_eq!(answer.get("errors"), None, "{answer:#}");
        answer["data"].take()
    }

    /// The answers to a subscription.
    pub async fn watch(&self, query: &str, variables: Value) -> BoxStream<'static, Value> {
        let prepared = self.engine.prepare(params(query, variables)).await.unwrap();
        let stream = self.engine.stream(prepared, self.context);
        let shown = |response: Result<_, RequestError>| match response {
            Ok(response) => serde_json::to_value::<Response>(response).unwrap(),
            Err(error) => json!({ "errors": error.errors() }),
        };
        stream.map(shown).boxed()
    }

    /// Has the live feeds follow, until the token is cancelled or the test ends.
    pub fn follow(&self) -> CancellationToken {
        let shutdown = CancellationToken::new();
        let (graph, token) = (self.graph.clone(), shutdown.clone());
        tokio::spawn(async move { graph.follow(token).await });
        shutdown
    }

    /// Has the world go away, or come back.
    pub fn set_away(&self, away: bool) {
        self.world.away.store(away, Ordering::SeqCst);
    }
}

fn params(query: &str, variables: Value) -> Params {
    Params {
        query: Some(query.to_owned()),
        document_id: None,
        operation_name: None,
        variables: Variables::from_json(variables),
    }
}
