//! Counts what is asked, and refuses what is asked too often.

use crate::account::Email;
use crate::ports::Ports;
use crate::ports::limiter::Taken;
use crate::rate::{Action, Bucket, Peer};
use crate::refusal::Reason;
use crate::{AccountId, Failure};

/// Who does it, as far as it is known.
#[derive(Clone, Copy, Default)]
pub struct Who<'a> {
    /// From where; nothing where the operator has places spared.
    pub peer: Option<Peer>,
    pub account: Option<AccountId>,
    /// The address that it is done with, whoever has it.
    pub email: Option<&'a Email>,
}

impl<'a> Who<'a> {
    /// Somebody at the door who says that this address is theirs.
    #[must_use]
    pub fn claims(email: &'a Email, peer: Option<Peer>) -> Self {
        Self {
            peer,
            account: None,
            email: Some(email),
        }
    }

    /// Nobody in particular.
    #[must_use]
    pub fn comes_from(peer: Option<Peer>) -> Self {
        Self {
            peer,
            ..Self::default()
        }
    }

    /// An account that is signed in.
    #[must_use]
    pub fn is(account: AccountId) -> Self {
        Self {
            account: Some(account),
            ..Self::default()
        }
    }
}

/// Counts one `action`. The place it comes from is asked first, and what is refused there is not
/// counted against an address: nobody can use up what somebody else may do from one place alone.
///
/// # Errors
/// [`Reason::RateLimited`]; the same for an address that somebody has and one that nobody has.
pub async fn keep_to_rate(ports: &Ports, action: Action, who: Who<'_>) -> Result<(), Failure> {
    let rates = ports.policies.rates.of(action);
    let digests = ports.digests.as_ref();
    if let (Some(rate), Some(peer)) = (rates.peer, who.peer) {
        let bucket = Bucket::of_peer(action, peer, digests);
        is_taken(ports.limiter.take(&bucket, rate).await?)?;
    }
    if let (Some(rate), Some(account)) = (rates.account, who.account) {
        let bucket = Bucket::of_account(action, account);
        is_taken(ports.limiter.take(&bucket, rate).await?)?;
    }
    if let (Some(rate), Some(email)) = (rates.email, who.email) {
        let bucket = Bucket::of_email(action, email, digests);
        is_taken(ports.limiter.take(&bucket, rate).await?)?;
    }
    Ok(())
}

fn is_taken(taken: Taken) -> Result<(), Reason> {
    match taken {
        Taken::Yes => Ok(()),
        Taken::No { retry_after_ms } => Err(Reason::RateLimited { retry_after_ms }),
    }
}
