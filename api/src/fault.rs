//! How a failing resolver reaches the answer: a fixed sentence, a code, and nothing of the cause.

use std::sync::Arc;

use async_graphql::{Context, Error, ErrorExtensionValues};
use domain::FaultKind;

/// What a resolver returns when the infrastructure failed. It has no `Display`: what goes to the
/// client is chosen here by the fault's kind, what goes to the log is written by the transport when
/// it answers, once, with the request's id.
#[derive(Debug)]
pub struct Fault(domain::Fault);

impl Fault {
    /// Everything that is known about it, for the log only.
    pub(crate) fn detail(&self) -> String {
        self.0.detail()
    }

    /// The code that clients decide by, in `extensions.code`.
    pub(crate) fn code(&self) -> &'static str {
        match self.0.kind {
            FaultKind::Unavailable => "UNAVAILABLE",
            FaultKind::Corrupt => "INTERNAL",
        }
    }

    /// The sentence that people see.
    pub(crate) fn sentence(&self) -> &'static str {
        match self.0.kind {
            FaultKind::Unavailable => "A part of the service can't be reached. Try again.",
            FaultKind::Corrupt => "The service met a problem of its own.",
        }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn retryable(&self) -> bool {
        match self.0.kind {
            FaultKind::Unavailable => true,
            FaultKind::Corrupt => false,
        }
    }
}

impl From<domain::Fault> for Fault {
    fn from(fault: domain::Fault) -> Self {
        Self(fault)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", fault.code());
        extensions.set("retryable", fault.retryable());
        Self {
            message: fault.sentence().to_owned(),
            extensions: Some(extensions),
            source: Some(Arc::new(fault)),
        }
    }
}

/// The value of a nullable field whose resolver may have failed: the error is listed in the answer
/// at the field's path, the field is null, and its neighbours keep their values.
///
/// Returning the `Err` itself would make the field's *parent* null. So every resolver of a nullable
/// field ends with this; one of a non-null field returns `Result<_, Fault>`, and its failure moves
/// up to the nearest nullable field, as the specification says.
pub fn nullable<T, E: Into<Error>>(ctx: &Context<'_>, result: Result<Option<T>, E>) -> Option<T> {
    result.unwrap_or_else(|error| {
        let error = error.into().into_server_error(ctx.item.pos);
        ctx.add_error(ctx.set_error_path(error));
        None
    })
}
