//! Accounts.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::account::{Email, Profile, ProfileChange};
use domain::rate::Action;
use domain::use_cases::edit_account::{delete_account, set_second_factor, update_profile};
use domain::use_cases::request_verification::request_verification;
use domain::use_cases::sign_up::{SignUp, sign_up};
use domain::{Failure, Refusal};

use crate::graphql::Graph;
use crate::graphql::limited::{at_the_door, of_account};
use crate::graphql::objects::account::{Account, LanguageCode};
use crate::graphql::outcome::{answer, payload};
use crate::graphql::scalars::count;
use crate::request::RequestContext;

/// Mutations of whoever comes to the door.
#[derive(Default)]
pub struct Accounts;

#[Object]
impl Accounts {
    /// Has a code mailed that proves an e-mail address, for `signUp`, in the language of the request's
    /// `Accept-Language`. The answer is the same whether or not somebody has an account there; who has
    /// one gets a letter that says so. Asking again too soon sends nothing. Anybody may ask.
    ///
    /// Refusals: `InvalidInput`, `RateLimited`.
    async fn request_email_verification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which address to prove.")] input: RequestEmailVerificationInput,
    ) -> Option<RequestEmailVerificationPayload> {
        answer(ctx, input.request(ctx).await)
    }

    /// Makes an account for a proven e-mail address, with role CUSTOMER. Letters to it are written in
    /// the language of the request's `Accept-Language`. Then `signIn`. Anybody may ask.
    ///
    /// Refusals: `InvalidInput`, `VerificationInvalid`, `RateLimited`.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs up.")] input: SignUpInput,
    ) -> Option<SignUpPayload> {
        answer(ctx, input.sign_up(ctx).await)
    }

    /// Changes what the requester says about themselves; what is absent stays as it is. For who is
    /// signed in.
    ///
    /// Refusals: `InvalidInput`, `Unauthenticated`, `NotFound`.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProfileInput,
    ) -> Option<UpdateProfilePayload> {
        answer(ctx, input.update(ctx).await)
    }

    /// Sets whether signing in to the requester's account asks for a code from its mailbox too. For who
    /// is signed in.
    ///
    /// Refusals: `InvalidCredentials`, `Unauthenticated`, `NotFound`, `RateLimited`.
    async fn set_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On or off.")] input: SetSecondFactorInput,
    ) -> Option<SetSecondFactorPayload> {
        answer(ctx, input.set(ctx).await)
    }

    /// Removes the requester's account with everything personal: name, addresses, telephone, wishlist,
    /// the addresses of parcels, the reasons of returns. Orders keep their figures. Every session ends.
    /// It can't be undone. For role CUSTOMER.
    ///
    /// Refusals: `InvalidCredentials`, `RateLimited`, `OrdersOpen`, `Forbidden` for sellers and admins,
    /// `Unauthenticated`.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is sure.")] input: DeleteAccountInput,
    ) -> Option<DeleteAccountPayload> {
        answer(ctx, input.delete(ctx).await)
    }
}

/// Which address to prove.
#[derive(InputObject)]
pub struct RequestEmailVerificationInput {
    /// The e-mail address.
    #[graphql(secret)]
    email: String,
}

/// A code that is on its way to an address.
#[derive(SimpleObject)]
pub struct EmailVerification {
    /// The address, as it is written down.
    email: String,
    /// How many milliseconds the code is good for.
    valid_for_ms: i32,
    /// After how many milliseconds another one can be asked for.
    resend_after_ms: i32,
}

impl EmailVerification {
    /// What the codes of this shop are like.
    pub fn begun(ctx: &Context<'_>, email: &Email) -> Self {
        let policy = &Graph::of(ctx).ports.policies.accounts;
        Self {
            email: email.as_str().to_owned(),
            valid_for_ms: count(policy.verification_ms),
            resend_after_ms: count(policy.verification_resend_ms),
        }
    }
}

payload! {
    /// What became of `requestEmailVerification`.
    RequestEmailVerificationPayload {
        /// What to expect; null exactly when it was refused.
        verification: EmailVerification,
    }
}

impl RequestEmailVerificationInput {
    async fn request(self, ctx: &Context<'_>) -> Result<RequestEmailVerificationPayload, Failure> {
        let ports = &Graph::of(ctx).ports;
        let email = email(&self.email)?;
        at_the_door(ctx, Action::RequestCode, &email).await?;
        let verification = EmailVerification::begun(ctx, &email);
        let language = RequestContext::of(ctx).language;
        request_verification(ports, email, language).await?;
        Ok(RequestEmailVerificationPayload::done(ctx, verification))
    }
}

/// Who signs up.
#[derive(InputObject)]
pub struct SignUpInput {
    /// The e-mail address that the code was mailed to.
    #[graphql(secret)]
    email: String,
    /// The code from the letter.
    #[graphql(secret)]
    code: String,
    /// 10 to 128 characters, and not one that everybody guesses.
    #[graphql(secret)]
    password: String,
    /// The person's name, 1 to 50 characters.
    #[graphql(secret)]
    name: String,
    /// A telephone number as people write it anywhere, at most 30 characters: `010-1234-5678`.
    #[graphql(secret)]
    phone: Option<String>,
    /// Where parcels go, at most 200 characters.
    #[graphql(secret)]
    address: Option<String>,
}

payload! {
    /// What became of `signUp`.
    SignUpPayload {
        /// The account; null exactly when it was refused.
        account: Account,
    }
}

impl SignUpInput {
    async fn sign_up(self, ctx: &Context<'_>) -> Result<SignUpPayload, Failure> {
        let command = SignUp {
            email: email(&self.email)?,
            code: self.code,
            password: self.password,
            profile: Profile {
                name: self.name,
                phone: self.phone,
                address: self.address,
            },
            language: RequestContext::of(ctx).language,
        };
        at_the_door(ctx, Action::TryCode, &command.email).await?;
        let account = sign_up(&Graph::of(ctx).ports, command).await?;
        Ok(SignUpPayload::done(ctx, Account(account)))
    }
}

/// What to change of a profile.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// The person's name, 1 to 50 characters.
    #[graphql(secret)]
    name: Option<String>,
    /// A telephone number, at most 30 characters; null takes it away.
    #[graphql(secret)]
    phone: MaybeUndefined<String>,
    /// Where parcels go, at most 200 characters; null takes it away.
    #[graphql(secret)]
    address: MaybeUndefined<String>,
    /// What letters are written in.
    language: Option<LanguageCode>,
}

payload! {
    /// What became of `updateProfile`.
    UpdateProfilePayload {
        /// The account as it is now; null exactly when it was refused.
        account: Account,
    }
}

impl UpdateProfileInput {
    async fn update(self, ctx: &Context<'_>) -> Result<UpdateProfilePayload, Failure> {
        let account = RequestContext::of(ctx).requester.account()?;
        let change = ProfileChange {
            name: self.name,
            phone: self.phone.into(),
            address: self.address.into(),
            language: self.language.map(Into::into),
        };
        let account = update_profile(&Graph::of(ctx).ports, account, change).await?;
        Ok(UpdateProfilePayload::done(ctx, Account(account)))
    }
}

/// Whether a code is asked for.
#[derive(InputObject)]
pub struct SetSecondFactorInput {
    /// The account's password.
    #[graphql(secret)]
    password: String,
    /// Whether signing in asks for a code too.
    enabled: bool,
}

payload! {
    /// What became of `setSecondFactor`.
    SetSecondFactorPayload {
        /// The account as it is now; null exactly when it was refused.
        account: Account,
    }
}

impl SetSecondFactorInput {
    async fn set(self, ctx: &Context<'_>) -> Result<SetSecondFactorPayload, Failure> {
        let account = RequestContext::of(ctx).requester.account()?;
        of_account(ctx, Action::TryPassword, account).await?;
        let ports = &Graph::of(ctx).ports;
        let account = set_second_factor(ports, account, &self.password, self.enabled).await?;
        Ok(SetSecondFactorPayload::done(ctx, Account(account)))
    }
}

/// Who is sure to go.
#[derive(InputObject)]
pub struct DeleteAccountInput {
    /// The account's password.
    #[graphql(secret)]
    password: String,
}

payload! {
    /// What became of `deleteAccount`.
    DeleteAccountPayload {
        /// `true`: it is gone. Null exactly when it was refused.
        deleted: bool,
    }
}

impl DeleteAccountInput {
    async fn delete(self, ctx: &Context<'_>) -> Result<DeleteAccountPayload, Failure> {
        let requester = &RequestContext::of(ctx).requester;
        of_account(ctx, Action::TryPassword, requester.account()?).await?;
        delete_account(&Graph::of(ctx).ports, requester, &self.password).await?;
        Ok(DeleteAccountPayload::done(ctx, true))
    }
}

/// An address of an input.
///
/// # Errors
/// It is none.
pub fn email(text: &str) -> Result<Email, Refusal> {
    Email::parse(text).map_err(|reason| reason.at(["email"]))
}
