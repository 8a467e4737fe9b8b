//! Validation, apart from execution.
//!
//! The library's validation mode belongs to a schema, and a schema validates whatever it executes.
//! So there are three of the same types: a strict one and a fast one, which never execute, and the
//! engine's own, which executes only what the strict one has passed. The fast one tells what that
//! costs with other variables.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;
use async_graphql::{
    ObjectType, Request, Response, Schema, SchemaBuilder, SchemaEnv, ServerError, SubscriptionType,
    ValidationMode, ValidationResult, Value, Variables,
};
use futures_util::FutureExt;

use super::Execute;

/// A schema that never executes.
pub(super) struct Validator {
    schema: Box<dyn Execute>,
    env: SchemaEnv,
}

impl Validator {
    /// The validator of the schema that `builder` makes, as strict as `mode` says.
    ///
    /// # Panics
    /// If the schema has no query type: at the start, and every time.
    pub(super) fn new<Q, M, S>(builder: SchemaBuilder<Q, M, S>, mode: ValidationMode) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let env = Arc::new(OnceLock::new());
        let schema: Schema<Q, M, S> = builder
            .validation_mode(mode)
            .extension(ValidateOnly {
                env: Arc::clone(&env),
            })
            .finish();
        // Nothing on the way through validation waits for anything.
        let _ = schema.execute("{ __typename }").now_or_never();
        #[expect(
            clippy::expect_used,
            reason = "at the start only; every schema has __typename"
        )]
        let env = env.get().expect("the schema answers __typename").clone();
        Self {
            schema: Box::new(schema),
            env,
        }
    }

    /// The schema's types.
    pub(super) fn registry(&self) -> &Registry {
        &self.env.registry
    }

    /// Validates a document; gives the complexity of it.
    pub(super) async fn check(
        &self,
        document: ExecutableDocument,
        variables: Variables,
    ) -> Result<usize, Vec<ServerError>> {
        let mut request = Request::new(String::new()).variables(variables);
        request.set_parsed_query(document);
        let response = self.schema.execute(request).await;
        if response.errors.is_empty() {
            let complexity = match response.data {
                Value::Number(complexity) => complexity.as_u64(),
                _ => None,
            };
            Ok(complexity
                .and_then(|complexity| usize::try_from(complexity).ok())
                .unwrap_or(usize::MAX))
        } else {
            Err(response.errors)
        }
    }
}

/// Answers what has passed validation with its complexity, and executes nothing.
struct ValidateOnly {
    env: Arc<OnceLock<SchemaEnv>>,
}

impl ExtensionFactory for ValidateOnly {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Validation {
            env: Arc::clone(&self.env),
            complexity: AtomicUsize::new(0),
        })
    }
}

struct Validation {
    env: Arc<OnceLock<SchemaEnv>>,
    complexity: AtomicUsize,
}

#[async_trait::async_trait]
impl Extension for Validation {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let _ = self.env.get_or_init(|| ctx.schema_env.clone());
        let result = next.run(ctx).await?;
        self.complexity.store(result.complexity, Ordering::Relaxed);
        Ok(result)
    }

    async fn execute(
        &self,
        _ctx: &ExtensionContext<'_>,
        _operation_name: Option<&str>,
        _next: NextExecute<'_>,
    ) -> Response {
        Response::new(Value::from(self.complexity.load(Ordering::Relaxed)))
    }
}
