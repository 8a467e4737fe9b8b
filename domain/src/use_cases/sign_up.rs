//! Makes an account for a proven e-mail address.

use crate::account::{Account, Email, Password, Profile, Role};
use crate::ports::Ports;
use crate::ports::accounts::Changed;
use crate::refusal::Refusals;
use crate::use_cases::proofs;
use crate::verification::Purpose;
use crate::{AccountId, Failure, Language, Refusal};

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
    let mut refusals = Refusals::from(command.profile.refusals());
    let password = refusals.take(new_password(ports, command.password, "password"));
    let Some(password) = password else {
        return Err(refusals.into());
    };
    let password = refusals.or(password)?;
    let newest = ports
        .verifications
        .newest_verification(&command.email, Purpose::SignUp)
        .await?;
    let proof = proofs::prove(ports, newest, &command.code, "code").await?;
    let now = ports.clock.now();
    let account = Account {
        id: AccountId(ports.sortable_id()),
        role: Role::Customer,
        email: command.email,
        profile: command.profile,
        language: command.language,
        password_hash: Some(ports.passwords.hash(&password).await?),
        second_factor: false,
        rehearsal: false,
        created_at: now,
    };
    match ports.accounts.sign_up(&account, proof.id, now).await? {
        Changed::Done => Ok(account),
        Changed::EmailTaken | Changed::TooLate => Err(proofs::wrong_code("code")),
    }
}

/// A password as somebody chooses it.
///
/// # Errors
/// What is wrong with it, at `field`.
pub(crate) fn new_password(
    ports: &Ports,
    text: String,
    field: &'static str,
) -> Result<Password, Refusal> {
    let common = |text: &str| ports.passwords.is_common(text);
    Password::new(text, &common).map_err(|reason| reason.at([field]))
}
