//! From a request's parameters to its answer, for every transport alike.
//!
//! A document is scanned, parsed, weighed and strictly validated once, then kept; the next request
//! with the same text checks only its variables. Whatever is refused up to here is a request error,
//! and nothing has run.

mod absent;
mod cache;
mod document;
mod inputs;
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
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};

pub use cache::DocumentCacheSize;
pub use persisted::{Documents, TrustedDocuments};

use crate::answer::{self, RequestError, RequestErrorCode};
use crate::limits::Limits;
use crate::request::{Params, RequestContext};

use cache::DocumentCache;
use document::{Document, Operation};
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
    documents: DocumentCache,
    persisted: Persisted,
    settings: EngineSettings,
}

/// A request that may be executed.
pub struct Prepared {
    kind: OperationType,
    request: Request,
}

impl Prepared {
    /// Query, mutation or subscription.
    pub fn kind(&self) -> OperationType {
        self.kind
    }
}

impl Engine {
    /// The engine for the schema that `build` makes. It is called twice: strict validation and
    /// execution each have their own copy of the types, so what resolvers share has to be behind an
    /// `Arc`.
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
        let executor: Schema<Q, M, S> = bounded()
            .validation_mode(ValidationMode::Fast)
            .limit_complexity(settings.limits.complexity)
            .finish();
        Self(Arc::new(Inner {
            executor: Box::new(executor),
            validator: Validator::new(bounded()),
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
        let response = self
            .0
            .executor
            .execute(prepared.request.data(context))
            .await;
        self.0.finished(response, context)
    }

    /// Executes any operation; a subscription's events come as they happen, a query or mutation is
    /// a stream of one. A request error is the last of a stream.
    pub fn stream(
        &self,
        prepared: Prepared,
        context: RequestContext,
    ) -> BoxStream<'static, Result<Response, RequestError>> {
        let inner = Arc::clone(&self.0);
        let subscribes = prepared.kind == OperationType::Subscription;
        self.0
            .executor
            .stream(prepared.request.data(context))
            .enumerate()
            .map(move |(index, response)| {
                let response = inner.finished(response, context)?;
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
        inputs::check_variables(self.validator.registry(), definitions, &variables)?;
        if !operation.is_validated() {
            self.validate(operation, inputs::filled(definitions, &variables))
                .await?;
            operation.set_validated();
            self.documents.insert(query, Arc::clone(&document)).await;
        }
        self.persisted.remember(&found);

        let mut tree = operation.to_execute();
        absent::remove_absent(&mut tree, definitions, &variables);
        let mut request = Request::new(String::new()).variables(variables);
        request.set_parsed_query(tree);
        Ok(Prepared {
            kind: operation.kind(),
            request,
        })
    }

    async fn validate(
        &self,
        operation: Operation<'_>,
        filled: Variables,
    ) -> Result<(), RequestError> {
        let tree = operation.alone();
        literals::check_literals(self.validator.registry(), &tree)?;
        match self.validator.check(tree, filled).await {
            Ok(_complexity) => Ok(()),
            Err(errors) => Err(RequestError::listed(
                RequestErrorCode::ValidationFailed,
                errors,
            )),
        }
    }

    fn finished(
        &self,
        mut response: Response,
        context: RequestContext,
    ) -> Result<Response, RequestError> {
        let limits = &self.settings.limits;
        // An error of a field says where it is. Without data and without a place the library refused
        // to begin; all that it still looks at after us is the cost.
        let refused = response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.is_empty());
        if refused {
            let message = format!("The operation costs more than {}.", limits.complexity);
            return Err(RequestError::new(RequestErrorCode::LimitExceeded, message));
        }
        answer::finish(&mut response, &context, limits.errors);
        Ok(response)
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
