//! What goes back to the client: answers, and request errors where nothing was executed.

use async_graphql::{ErrorExtensionValues, Pos, Response, ServerError, value};
use serde::Serialize;
use uuid::Uuid;

use crate::fault::Fault;
use crate::request::RequestContext;

/// Why a request was not executed; clients decide by it (`extensions.code`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestErrorCode {
    /// Not a GraphQL request at all: no JSON, a parameter of the wrong type, a batch.
    BadRequest,
    /// The document is not GraphQL.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
    /// The document's operations and `operationName` do not go together.
    OperationResolutionFailure,
    /// A variable's value does not fit its type.
    BadUserInput,
    /// More than one request may ask for.
    LimitExceeded,
    /// The schema is not shown here.
    IntrospectionDisabled,
    /// No document of that hash is remembered: it has to be sent once more, together with its hash.
    PersistedQueryNotFound,
    /// Documents are not remembered by their hashes here: they have to be sent.
    PersistedQueryNotSupported,
    /// Only documents of a list are executed here, by their names, and this is none of them.
    DocumentNotTrusted,
    /// The access token is no token of ours, or its time is over.
    Unauthenticated,
    /// This operation can't be asked for in this way.
    MethodNotAllowed,
    /// None of the answer's media types is accepted.
    NotAcceptable,
    /// The body is not announced as JSON in UTF-8.
    UnsupportedMediaType,
    /// The body is larger than the limit.
    PayloadTooLarge,
    /// The body did not come in time.
    TimedOut,
    /// Somebody asked more often than one may.
    RateLimited,
    /// The account has as many streams open on this node as it may.
    TooManyStreams,
    /// A part of the service can't be reached; the same request may succeed later.
    Unavailable,
    /// The service met a problem of its own.
    Internal,
}

impl RequestErrorCode {
    /// The code as it is written in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::IntrospectionDisabled => "INTROSPECTION_DISABLED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::DocumentNotTrusted => "DOCUMENT_NOT_TRUSTED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::TimedOut => "REQUEST_TIMEOUT",
            Self::RateLimited => "RATE_LIMITED",
            Self::TooManyStreams => "TOO_MANY_STREAMS",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// Whether it is about the operation, not about the HTTP request that it came in: then it is a
    /// well-formed answer in whatever the answer is in.
    pub(crate) fn is_about_the_operation(self) -> bool {
        match self {
            Self::ParseFailed
            | Self::ValidationFailed
            | Self::OperationResolutionFailure
            | Self::BadUserInput
            | Self::LimitExceeded
            | Self::IntrospectionDisabled
            | Self::PersistedQueryNotFound
            | Self::PersistedQueryNotSupported
            | Self::DocumentNotTrusted => true,
            Self::BadRequest
            | Self::Unauthenticated
            | Self::MethodNotAllowed
            | Self::NotAcceptable
            | Self::UnsupportedMediaType
            | Self::PayloadTooLarge
            | Self::TimedOut
            | Self::RateLimited
            | Self::TooManyStreams
            | Self::Unavailable
            | Self::Internal => false,
        }
    }
}

/// A request that was not executed: the specification's *request error*. Its answer has `errors` and
/// no `data`.
#[derive(Debug)]
pub struct RequestError {
    /// Decides the status and is written into each error.
    pub code: RequestErrorCode,
    errors: Vec<ServerError>,
    cost: Option<Cost>,
    /// After how many milliseconds it may be asked again, where that is known.
    wait_ms: Option<u64>,
}

/// What an operation was reckoned to cost, and the most that one may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Cost {
    pub reckoned: usize,
    pub limit: usize,
}

impl RequestError {
    /// One error without a place in the document.
    pub fn new(code: RequestErrorCode, message: impl Into<String>) -> Self {
        Self::listed(code, vec![ServerError::new(message, None)])
    }

    /// One error at a place in the document.
    pub fn at(code: RequestErrorCode, message: impl Into<String>, pos: Pos) -> Self {
        Self::listed(code, vec![ServerError::new(message, Some(pos))])
    }

    /// Several errors of one code.
    pub fn listed(code: RequestErrorCode, mut errors: Vec<ServerError>) -> Self {
        for error in &mut errors {
            extensions(error).set("code", code.as_str());
        }
        Self {
            code,
            errors,
            cost: None,
            wait_ms: None,
        }
    }

    /// A fault that kept a request from being executed; it goes to the log.
    pub(crate) fn from_fault(fault: &Fault, request_id: Uuid) -> Self {
        let code = if fault.retryable() {
            RequestErrorCode::Unavailable
        } else {
            RequestErrorCode::Internal
        };
        let mut error = Self::new(code, fault.sentence());
        for listed in &mut error.errors {
            extensions(listed).set("retryable", fault.retryable());
        }
        log_fault(fault, request_id);
        error.named(request_id)
    }

    /// More is asked for at once than is worked on; nothing was done.
    pub(crate) fn overloaded() -> Self {
        let message = "This node works on as many requests as it takes. Try again.";
        let mut error = Self::new(RequestErrorCode::Unavailable, message);
        for listed in &mut error.errors {
            extensions(listed).set("retryable", true);
            extensions(listed).set("reason", "OVERLOADED");
        }
        error
    }

    /// More often than one may; there is room again after so long.
    pub(crate) fn rate_limited(retry_after_ms: u64) -> Self {
        let message = "Too many requests come from here. Try again later.";
        let mut error = Self {
            wait_ms: Some(retry_after_ms),
            ..Self::new(RequestErrorCode::RateLimited, message)
        };
        for listed in &mut error.errors {
            extensions(listed).set("retryable", true);
            extensions(listed).set("retryAfterMs", retry_after_ms);
        }
        error
    }

    /// An operation that costs more than one may.
    pub(crate) fn too_costly(cost: Cost) -> Self {
        let Cost { reckoned, limit } = cost;
        let message = format!("The operation costs {reckoned}; at most {limit} is taken.");
        Self {
            cost: Some(cost),
            ..Self::new(RequestErrorCode::LimitExceeded, message)
        }
    }

    /// A panic that kept a request from being executed; the panic's own text is in the log.
    pub(crate) fn panicked(request_id: Uuid) -> Self {
        let mut error = Self::new(
            RequestErrorCode::Internal,
            "The service met a problem of its own.",
        );
        for listed in &mut error.errors {
            extensions(listed).set("retryable", false);
        }
        error.named(request_id)
    }

    /// Field errors that left a subscription without its stream, as they are: the operation never
    /// began.
    pub(crate) fn without_stream(errors: Vec<ServerError>) -> Self {
        Self {
            code: RequestErrorCode::Internal,
            errors,
            cost: None,
            wait_ms: None,
        }
    }

    /// After how many whole seconds it may be asked again, where that may help.
    pub(crate) fn retry_after_s(&self) -> Option<u64> {
        match self.wait_ms {
            Some(ms) => Some(ms.div_ceil(1_000)),
            None => (self.code == RequestErrorCode::Unavailable).then_some(1),
        }
    }

    /// What the first error says.
    pub(crate) fn first_message(&self) -> String {
        self.errors
            .first()
            .map(|error| error.message.clone())
            .unwrap_or_default()
    }

    /// Names the request in each error.
    fn named(mut self, request_id: Uuid) -> Self {
        for error in &mut self.errors {
            extensions(error).set("requestId", request_id.to_string());
        }
        self
    }

    /// Lists at most `most` errors and says how many more there are.
    pub(crate) fn bounded(mut self, most: usize) -> Self {
        let beyond = bound(&mut self.errors, most);
        if let Some(note) = beyond {
            self.errors.push(note);
        }
        self
    }

    /// The errors, as they are written into the answer.
    pub fn errors(&self) -> &[ServerError] {
        &self.errors
    }

    /// The whole answer, ready to be written.
    pub(crate) fn body(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Body<'a> {
            errors: &'a [ServerError],
            #[serde(skip_serializing_if = "Option::is_none")]
            extensions: Option<Extensions>,
        }
        #[derive(Serialize)]
        struct Extensions {
            cost: Cost,
        }
        Body {
            errors: &self.errors,
            extensions: self.cost.map(|cost| Extensions { cost }),
        }
    }
}

/// Makes an executed answer fit to leave: writes its faults to the log, names the request in them,
/// gives every error a code, and bounds their number.
pub(crate) fn finish(response: &mut Response, context: &RequestContext, most: usize) {
    for error in &mut response.errors {
        if let Some(fault) = error.source::<Fault>() {
            log_fault(fault, context.request_id);
            extensions(error).set("requestId", context.request_id.to_string());
        } else if error
            .extensions
            .as_ref()
            .is_none_or(|values| values.get("code").is_none())
        {
            // Resolvers fail with faults only; what is left is the library's refusal of an argument.
            extensions(error).set("code", RequestErrorCode::BadUserInput.as_str());
        }
    }
    if let Some(note) = bound(&mut response.errors, most) {
        response.errors.push(note);
    }
}

/// Tells what an operation cost, as `extensions.cost`.
pub(crate) fn tell_cost(response: &mut Response, cost: Cost) {
    let value = value!({ "reckoned": cost.reckoned, "limit": cost.limit });
    response.extensions.insert("cost".to_owned(), value);
}

/// Writes a fault to the log; the one place that does.
fn log_fault(fault: &Fault, request_id: Uuid) {
    tracing::error!(
        %request_id,
        code = fault.code(),
        detail = fault.detail(),
        "a request met a fault"
    );
}

/// Cuts the list to `most` errors; what is left out is counted in the note.
fn bound(errors: &mut Vec<ServerError>, most: usize) -> Option<ServerError> {
    let beyond = errors
        .len()
        .checked_sub(most)
        .filter(|beyond| *beyond > 0)?;
    errors.truncate(most);
    let mut note = ServerError::new(format!("{beyond} more errors are not listed."), None);
    extensions(&mut note).set("code", RequestErrorCode::LimitExceeded.as_str());
    Some(note)
}

fn extensions(error: &mut ServerError) -> &mut ErrorExtensionValues {
    error.extensions.get_or_insert_default()
}
