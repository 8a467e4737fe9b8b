//! Begins the proof of an e-mail address.

use crate::account::Email;
use crate::ports::Ports;
use crate::use_cases::proofs::{self, Wish};
use crate::verification::Purpose;
use crate::{Failure, Language};

/// Has a code mailed to `email`, in this language, for a new account. The answer is the same whether
/// or not somebody has an account there; who has one gets a letter that says so instead. Asking again
/// too soon sends nothing.
///
/// # Errors
/// A fault of the ledger.
pub async fn request_verification(
    ports: &Ports,
    email: Email,
    language: Language,
) -> Result<(), Failure> {
    let wish = Wish {
        purpose: Purpose::SignUp,
        account: None,
        email,
        language,
    };
    proofs::begin(ports, vec![wish]).await?;
    Ok(())
}
