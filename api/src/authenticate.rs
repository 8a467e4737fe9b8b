//! From a bearer token to who asks.

use std::sync::Arc;
use std::time::Duration;

use domain::Requester;
use futures_util::future::BoxFuture;

/// Who a token speaks for.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Who asks.
    pub requester: Requester,
    /// How long the token still holds; a socket is closed when it ends. `None` never ends.
    pub expires_in: Option<Duration>,
}

impl Identity {
    /// Nobody in particular.
    pub const ANONYMOUS: Self = Self {
        requester: Requester::Anonymous,
        expires_in: None,
    };
}

/// Why a token was not accepted.
#[derive(Debug)]
pub enum Denied {
    /// Not a token of ours, or its time is over. Who sent it is not told which.
    Token,
    /// It could not be found out.
    Fault(domain::Fault),
}

/// Finds out who a bearer token speaks for. The transports know no more of tokens than this.
pub type Authenticate =
    Arc<dyn Fn(String) -> BoxFuture<'static, Result<Identity, Denied>> + Send + Sync>;

/// The token in the value of an `Authorization` header: the scheme is `Bearer`, in any case
/// (RFC 6750, section 2.1).
pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
