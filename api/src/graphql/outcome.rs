//! How a field ends that is not simply answered: refused, or the infrastructure failed.

use async_graphql::{Context, Error, ErrorExtensionValues};
use domain::{Failure, Reason};

use crate::answer::RequestErrorCode;
use crate::fault::{Fault, nullable};
use crate::request::RequestContext;

use super::Graph;
use super::messages;
use super::scalars::DateTime;
use super::user_error::UserError;

/// What a mutation answers with: something, or refusals, never both and never neither.
pub trait Payload: Sized {
    /// The answer to what was refused; at least one refusal.
    fn refused(errors: Vec<UserError>, server_time: DateTime) -> Self;
}

/// Defines the payload of a mutation: one nullable object, which is null exactly when there are
/// refusals, and facts that stand beside it. The two constructors are the only ways to make one.
macro_rules! payload {
    (
        $(#[$doc:meta])*
        $name:ident {
            $(#[$object_doc:meta])* $object:ident: $type:ty
            $(, $(#[$fact_doc:meta])* $fact:ident: $fact_type:ty)* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$object_doc])*
            $object: Option<$type>,
            $($(#[$fact_doc])* $fact: $fact_type,)*
            /// The engine's clock when it answered.
            server_time: $crate::graphql::scalars::DateTime,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<$crate::graphql::user_error::UserError>,
        }

        impl $name {
            fn done(
                ctx: &async_graphql::Context<'_>,
                $object: $type,
                $($fact: $fact_type,)*
            ) -> Self {
                Self {
                    $object: Some($object),
                    $($fact,)*
                    server_time: $crate::graphql::outcome::server_time(ctx),
                    user_errors: Vec::new(),
                }
            }
        }

        impl $crate::graphql::outcome::Payload for $name {
            fn refused(
                user_errors: Vec<$crate::graphql::user_error::UserError>,
                server_time: $crate::graphql::scalars::DateTime,
            ) -> Self {
                Self {
                    $object: None,
                    $($fact: Default::default(),)*
                    server_time,
                    user_errors,
                }
            }
        }
    };
}
pub(crate) use payload;

/// The answer of a mutation's field. A fault leaves it null, with an error beside it.
pub fn answer<P: Payload>(ctx: &Context<'_>, result: Result<P, Failure>) -> Option<P> {
    let result = match result {
        Ok(payload) => Ok(Some(payload)),
        Err(Failure::Refused(refusals)) => {
            let language = RequestContext::of(ctx).language;
            let errors = refusals
                .into_iter()
                .map(|refusal| UserError::new(refusal, language));
            Ok(Some(P::refused(errors.collect(), server_time(ctx))))
        }
        Err(Failure::Fault(fault)) => Err(Fault::from(fault)),
    };
    nullable(ctx, result)
}

/// The engine's clock.
pub fn server_time(ctx: &Context<'_>) -> DateTime {
    DateTime(Graph::of(ctx).ports.clock.now())
}

/// The error of an argument that can't be meant.
pub fn bad_argument(message: impl Into<String>) -> Error {
    coded(RequestErrorCode::BadUserInput.as_str(), message.into())
}

/// The error of a query or subscription that is refused, in the requester's language. Mutations
/// have their refusals in `userErrors`.
pub fn refused(ctx: &Context<'_>, reason: &Reason) -> Error {
    let code = match reason {
        Reason::Unauthenticated => RequestErrorCode::Unauthenticated.as_str(),
        Reason::Forbidden => "FORBIDDEN",
        Reason::NotFound => "NOT_FOUND",
        _ => RequestErrorCode::BadUserInput.as_str(),
    };
    coded(
        code,
        messages::of_reason(RequestContext::of(ctx).language, reason),
    )
}

fn coded(code: &'static str, message: String) -> Error {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    extensions.set("retryable", false);
    Error {
        message,
        source: None,
        extensions: Some(extensions),
    }
}
