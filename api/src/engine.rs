//! From a request's parameters to its answer, for every transport alike.
//!
//! A document is scanned, parsed, weighed and strictly validated once, then kept; the next request
//! with the same text checks only its variables. Whatever is refused up to here is a request error,
//! and nothing has run.

mod absent;
mod cache;
mod cost;
mod document;
mod inputs;
mod lists;
mod literals;
mod measure;
mod persisted;
mod scan;
mod validator;

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{
    ObjectType, Request, Response, Schema, SchemaBuilder, SubscriptionType, ValidationMode, Value,
    Variables,
};
use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{BoxStream, StreamExt, once};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use cache::DocumentCacheSize;
pub use persisted::{Documents, TrustedDocuments};

use crate::answer::{self, Cost, RequestError, RequestErrorCode};
use crate::limits::Limits;
use crate::request::{Params, RequestContext};

use cache::DocumentCache;
use cost::Sizes;
use document::{Document, Known, Operation};
use persisted::Persisted;
use validator::Validator;

/// How an engine works.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// What one request may ask for.
    pub limits: Limits,
    /// Whether the schema is shown to those who ask for it.
    pub introspection: bool,
    /// How many validated documents are kept.
    pub documents: DocumentCacheSize,
    /// Which documents are executed, and whether they may be named instead of sent.
    pub accepted: Documents,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            introspection: true,
            documents: DocumentCacheSize::default(),
            accepted: Documents::default(),
        }
    }
}

/// Executes GraphQL requests against one schema. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    executor: Box<dyn Execute>,
    validator: Validator,
    /// Reckons costs, and looks at nothing else.
    reckoner: Validator,
    sizes: Sizes,
    in_flight: Arc<Semaphore>,
    documents: DocumentCache,
    persisted: Persisted,
    settings: EngineSettings,
}

/// A request that may be executed.
pub struct Prepared {
    kind: OperationType,
    request: Request,
    cost: Cost,
}

impl Prepared {
    /// Query, mutation or subscription.
    pub fn kind(&self) -> OperationType {
        self.kind
    }
}

impl Engine {
    /// The engine for the schema that `build` makes. It is called three times: strict validation,
    /// reckoning and execution each have their own copy of the types, so what resolvers share has to
    /// be behind an `Arc`.
    pub fn new<Q, M, S>(
        build: impl Fn() -> SchemaBuilder<Q, M, S>,
        settings: EngineSettings,
    ) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let bounded = || {
            // Beyond our own bound, which speaks first.
            let levels = settings.limits.selection_levels + 2;
            build().disable_suggestions().limit_recursive_depth(levels)
        };
        let executor: Schema<Q, M, S> = bounded().validation_mode(ValidationMode::Fast).finish();
        let validator = Validator::new(bounded(), ValidationMode::Strict);
        let in_flight = settings.limits.in_flight.min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner {
            executor: Box::new(executor),
            reckoner: Validator::new(bounded(), ValidationMode::Fast),
            sizes: Sizes::of(validator.registry()),
            validator,
            in_flight: Arc::new(Semaphore::new(in_flight)),
            documents: DocumentCache::new(settings.documents),
            persisted: Persisted::new(&settings.accepted),
            settings,
        }))
    }

    /// The schema in the schema definition language.
    pub fn sdl(&self) -> String {
        self.0.executor.sdl()
    }

    /// What one request may ask for.
    pub fn limits(&self) -> &Limits {
        &self.0.settings.limits
    }

    /// Whether as many operations are worked on as may be: another one would be refused just now.
    pub(crate) fn is_full(&self) -> bool {
        self.0.in_flight.available_permits() == 0
    }

    /// Everything up to execution.
    pub async fn prepare(&self, params: Params) -> Result<Prepared, RequestError> {
        self.0
            .prepare(params)
            .await
            .map_err(|error| error.bounded(self.limits().errors))
    }

    /// Executes a query or a mutation.
    pub async fn execute(
        &self,
        prepared: Prepared,
        context: RequestContext,
    ) -> Result<Response, RequestError> {
        let seat = self.0.seat()?;
        let Prepared { request, cost, .. } = prepared;
        let response = self.0.executor.execute(request.data(context)).await;
        drop(seat);
        let mut response = self.0.finished(response, context);
        answer::tell_cost(&mut response, cost);
        Ok(response)
    }

    /// Executes any operation; a subscription's events come as they happen, a query or mutation is
    /// a stream of one. A request error is the last of a stream.
    pub fn stream(
        &self,
        prepared: Prepared,
        context: RequestContext,
    ) -> BoxStream<'static, Result<Response, RequestError>> {
        let inner = Arc::clone(&self.0);
        let Prepared {
            kind,
            request,
            cost,
        } = prepared;
        let subscribes = kind == OperationType::Subscription;
        let mut seat = match (!subscribes).then(|| self.0.seat()).transpose() {
            Ok(seat) => seat,
            Err(error) => return once(ready(Err(error))).boxed(),
        };
        self.0
            .executor
            .stream(request.data(context))
            .enumerate()
            .map(move |(index, response)| {
                // There is an answer, and whoever takes it may take its time.
                drop(seat.take());
                let mut response = inner.finished(response, context);
                // Of a subscription, what each event says again would cost more than it tells.
                if index == 0 {
                    answer::tell_cost(&mut response, cost);
                }
                // The specification: without a source stream there is no execution, hence no data.
                if subscribes && index == 0 && is_without_stream(&response) {
                    return Err(RequestError::without_stream(response.errors));
                }
                Ok(response)
            })
            .boxed()
    }
}

impl Inner {
    /// Room for one more operation, while it lives.
    fn seat(&self) -> Result<OwnedSemaphorePermit, RequestError> {
        let seat = Arc::clone(&self.in_flight).try_acquire_owned();
        seat.map_err(|_| RequestError::overloaded())
    }

    async fn prepare(&self, params: Params) -> Result<Prepared, RequestError> {
        let Params {
            query,
            document_id,
            operation_name,
            variables,
        } = params;
        let found = self.persisted.find(query, document_id)?;
        let query: &str = found.text();
        let document = match self.documents.get(query).await {
            Some(document) => document,
            None => Arc::new(Document::parse(query, &self.settings.limits)?),
        };
        let operation = document.operation(operation_name.as_deref())?;
        if operation.introspects() && !self.settings.introspection {
            return Err(RequestError::new(
                RequestErrorCode::IntrospectionDisabled,
                "The schema is not shown here.",
            ));
        }
        let definitions = operation.variables();
        lists::check_lists(variables.values(), self.settings.limits.list_items)?;
        inputs::check_variables(self.validator.registry(), definitions, &variables)?;
        let filled = || inputs::filled(definitions, &variables);
        let reckoned = match operation.known() {
            Some(Known {
                cost,
                varies: false,
            }) => cost,
            Some(Known { varies: true, .. }) => self.reckon(operation, filled()).await,
            None => {
                let known = self.validate(operation, filled()).await?;
                operation.set_known(known);
                self.documents.insert(query, Arc::clone(&document)).await;
                known.cost
            }
        };
        self.persisted.remember(&found);
        let cost = self.affordable(reckoned)?;

        let mut tree = operation.to_execute();
        absent::remove_absent(&mut tree, definitions, &variables);
        let mut request = Request::new(String::new()).variables(variables);
        request.set_parsed_query(tree);
        Ok(Prepared {
            kind: operation.kind(),
            request,
            cost,
        })
    }

    /// Validates an operation strictly. With a variable among the sizes it asks for, what it costs
    /// is for these variables alone.
    async fn validate(
        &self,
        operation: Operation<'_>,
        filled: Variables,
    ) -> Result<Known, RequestError> {
        let tree = operation.alone();
        let most = self.settings.limits.list_items;
        lists::check_lists(filled.values(), most)?;
        literals::check_literals(self.validator.registry(), most, &tree)?;
        let varies = self.sizes.vary(&tree);
        match self.validator.check(tree, filled).await {
            Ok(cost) => Ok(Known { cost, varies }),
            Err(errors) => Err(RequestError::listed(
                RequestErrorCode::ValidationFailed,
                errors,
            )),
        }
    }

    /// What a validated operation costs with these variables.
    async fn reckon(&self, operation: Operation<'_>, filled: Variables) -> usize {
        let reckoned = self.reckoner.check(operation.alone(), filled).await;
        // What can't be reckoned has no bound.
        reckoned.unwrap_or(usize::MAX)
    }

    fn affordable(&self, reckoned: usize) -> Result<Cost, RequestError> {
        let limit = self.settings.limits.complexity;
        let cost = Cost { reckoned, limit };
        if reckoned <= limit {
            Ok(cost)
        } else {
            Err(RequestError::too_costly(cost))
        }
    }

    fn finished(&self, mut response: Response, context: RequestContext) -> Response {
        answer::finish(&mut response, &context, self.settings.limits.errors);
        response
    }
}

/// Whether a subscription's first response is the failure of the subscription's own resolver: an
/// event's failure is within the field, this one is the field's.
fn is_without_stream(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.len() <= 1)
}

/// The library's schema without its three type parameters.
trait Execute: Send + Sync {
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;
    fn stream(&self, request: Request) -> BoxStream<'static, Response>;
    fn sdl(&self) -> String;
}

impl<Q, M, S> Execute for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self.execute(request))
    }

    fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.execute_stream(request)
    }

    fn sdl(&self) -> String {
        self.sdl()
    }
}
