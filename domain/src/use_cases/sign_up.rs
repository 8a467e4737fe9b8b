//! Makes an account for a proven e-mail address.

use crate::account::{Account, Email, Password, Profile, Role};
use crate::ports::Ports;
use crate::ports::accounts::SignedUp;
use crate::refusal::Reason;
use crate::use_cases::send_code::CODE;
use crate::{AccountId, Failure, Language, VerificationId};

/// What a person types.
pub struct SignUp {
    pub email: Email,
    /// From the letter.
    pub code: String,
    pub password: String,
    pub profile: Profile,
    /// What letters to them are written in.
    pub language: Language,
}

/// Signs somebody up as a customer.
///
/// # Errors
/// Everything that is wrong by field; a code that is wrong, used, too old, or tried too often.
pub async fn sign_up(ports: &Ports, command: SignUp) -> Result<Account, Failure> {
    let mut refusals = command.profile.refusals();
    let common = |text: &str| ports.passwords.is_common(text);
    let password = Password::new(command.password, &common).map_err(|r| r.at(["password"]));
    let password = match password {
        Ok(password) if refusals.is_empty() => password,
        Ok(_) => return Err(Failure::Refused(refusals)),
        Err(refusal) => {
            refusals.push(refusal);
            return Err(Failure::Refused(refusals));
        }
    };
    let verification = prove(ports, &command.email, &command.code).await?;
    let now = ports.clock.now();
    let account = Account {
        id: AccountId(ports.sortable_id()),
        role: Role::Customer,
        email: command.email,
        profile: command.profile,
        language: command.language,
        password_hash: Some(ports.passwords.hash(&password).await?),
        rehearsal: false,
        created_at: now,
    };
    match ports.accounts.sign_up(&account, verification, now).await? {
        SignedUp::Done => Ok(account),
        SignedUp::EmailTaken | SignedUp::Used => Err(wrong_code()),
    }
}

/// The open verification of `email` that `code` proves. Each wrong code counts.
async fn prove(ports: &Ports, email: &Email, code: &str) -> Result<VerificationId, Failure> {
    let newest = ports.accounts.newest_verification(email).await?;
    let most = ports.policies.accounts.verification_attempts;
    let open = newest.filter(|newest| newest.is_open(most, ports.clock.now()));
    let Some(verification) = open else {
        return Err(wrong_code());
    };
    let typed = ports.digests.digest(CODE, code.trim());
    if verification
        .code_digest
        .is_some_and(|digest| digest == typed)
    {
        Ok(verification.id)
    } else {
        ports.accounts.count_wrong_code(verification.id).await?;
        Err(wrong_code())
    }
}

fn wrong_code() -> Failure {
    Reason::VerificationInvalid.at(["code"]).into()
}
