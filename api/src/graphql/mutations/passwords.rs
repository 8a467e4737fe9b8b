//! Passwords, and addresses.

use async_graphql::{Context, InputObject, Object};
use domain::Failure;
use domain::rate::Action;
use domain::use_cases::change_email::{confirm_email_change, request_email_change};
use domain::use_cases::change_password::{change_password, request_password_reset, reset_password};

use crate::graphql::Graph;
use crate::graphql::limited::{at_the_door, from_anywhere, of_account};
use crate::graphql::mutations::accounts::{EmailVerification, email};
use crate::graphql::objects::account::Session;
use crate::graphql::outcome::{answer, payload};
use crate::request::RequestContext;

/// Mutations of what somebody signs in with.
#[derive(Default)]
pub struct Passwords;

#[Object]
impl Passwords {
    /// Changes the requester's password. Every session ends, on every device; a new one is opened for
    /// who asks. For who is signed in.
    ///
    /// Refusals: `InvalidInput`, `InvalidCredentials`, `Unauthenticated`, `RateLimited`.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password, before and after.")] input: ChangePasswordInput,
    ) -> Option<ChangePasswordPayload> {
        answer(ctx, input.change(ctx).await)
    }

    /// Has a code mailed that a new password can be set with, by `resetPassword`. The answer is the
    /// same whether or not somebody has an account there; who has none gets no letter. Asking again
    /// too soon sends nothing. Anybody may ask.
    ///
    /// Refusals: `InvalidInput`, `RateLimited`.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose password.")] input: RequestPasswordResetInput,
    ) -> Option<RequestPasswordResetPayload> {
        answer(ctx, input.request(ctx).await)
    }

    /// Sets a new password with a code from the mailbox. Every session ends; then `signIn`. Anybody who
    /// has the code may ask; a few wrong ones make it void.
    ///
    /// Refusals: `InvalidInput`, `VerificationInvalid`, `RateLimited`.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new password.")] input: ResetPasswordInput,
    ) -> Option<ResetPasswordPayload> {
        answer(ctx, input.reset(ctx).await)
    }

    /// Has two codes mailed that move the requester's account to another address, by
    /// `confirmEmailChange`: one to the old address, one to the new. The answer is the same whether or
    /// not somebody has an account there. For who is signed in.
    ///
    /// Refusals: `InvalidInput`, `InvalidCredentials`, `Unauthenticated`, `RateLimited`.
    async fn request_email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to.")] input: RequestEmailChangeInput,
    ) -> Option<RequestEmailChangePayload> {
        answer(ctx, input.request(ctx).await)
    }

    /// Moves the requester's account to the new address, with the codes from both letters. Sessions go
    /// on. A few wrong codes make both void. For who is signed in.
    ///
    /// Refusals: `VerificationInvalid`, `Unauthenticated`, `RateLimited`.
    async fn confirm_email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What proves both addresses.")] input: ConfirmEmailChangeInput,
    ) -> Option<ConfirmEmailChangePayload> {
        answer(ctx, input.confirm(ctx).await)
    }
}

/// The password, before and after.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The present one.
    #[graphql(secret)]
    password: String,
    /// The new one: 10 to 128 characters, and not one that everybody guesses.
    #[graphql(secret)]
    new_password: String,
}

payload! {
    /// What became of `changePassword`.
    ChangePasswordPayload {
        /// The new session; null exactly when it was refused.
        session: Session,
    }
}

impl ChangePasswordInput {
    async fn change(self, ctx: &Context<'_>) -> Result<ChangePasswordPayload, Failure> {
        let account = RequestContext::of(ctx).requester.account()?;
        of_account(ctx, Action::TryPassword, account).await?;
        let ports = &Graph::of(ctx).ports;
        let session = change_password(ports, account, &self.password, self.new_password).await?;
        Ok(ChangePasswordPayload::done(ctx, session.into()))
    }
}

/// Whose password.
#[derive(InputObject)]
pub struct RequestPasswordResetInput {
    /// The account's e-mail address.
    #[graphql(secret)]
    email: String,
}

payload! {
    /// What became of `requestPasswordReset`.
    RequestPasswordResetPayload {
        /// What to expect; null exactly when it was refused.
        verification: EmailVerification,
    }
}

impl RequestPasswordResetInput {
    async fn request(self, ctx: &Context<'_>) -> Result<RequestPasswordResetPayload, Failure> {
        let email = email(&self.email)?;
        at_the_door(ctx, Action::RequestCode, &email).await?;
        let verification = EmailVerification::begun(ctx, &email);
        let language = RequestContext::of(ctx).language;
        request_password_reset(&Graph::of(ctx).ports, email, language).await?;
        Ok(RequestPasswordResetPayload::done(ctx, verification))
    }
}

/// The new password.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The account's e-mail address.
    #[graphql(secret)]
    email: String,
    /// The code from the letter.
    #[graphql(secret)]
    code: String,
    /// 10 to 128 characters, and not one that everybody guesses.
    #[graphql(secret)]
    new_password: String,
}

payload! {
    /// What became of `resetPassword`.
    ResetPasswordPayload {
        /// `true`: the password is set. Null exactly when it was refused.
        password_set: bool,
    }
}

impl ResetPasswordInput {
    async fn reset(self, ctx: &Context<'_>) -> Result<ResetPasswordPayload, Failure> {
        let email = email(&self.email)?;
        at_the_door(ctx, Action::TryCode, &email).await?;
        let ports = &Graph::of(ctx).ports;
        reset_password(ports, &email, &self.code, self.new_password).await?;
        Ok(ResetPasswordPayload::done(ctx, true))
    }
}

/// Where an account moves to.
#[derive(InputObject)]
pub struct RequestEmailChangeInput {
    /// The account's password.
    #[graphql(secret)]
    password: String,
    /// The new e-mail address.
    #[graphql(secret)]
    new_email: String,
}

payload! {
    /// What became of `requestEmailChange`.
    RequestEmailChangePayload {
        /// What to expect; null exactly when it was refused.
        verification: EmailVerification,
    }
}

impl RequestEmailChangeInput {
    async fn request(self, ctx: &Context<'_>) -> Result<RequestEmailChangePayload, Failure> {
        let account = RequestContext::of(ctx).requester.account()?;
        let to = email(&self.new_email).map_err(|refusal| refusal.reason.at(["newEmail"]))?;
        of_account(ctx, Action::TryPassword, account).await?;
        at_the_door(ctx, Action::RequestCode, &to).await?;
        let verification = EmailVerification::begun(ctx, &to);
        request_email_change(&Graph::of(ctx).ports, account, &self.password, to).await?;
        Ok(RequestEmailChangePayload::done(ctx, verification))
    }
}

/// What proves both addresses.
#[derive(InputObject)]
pub struct ConfirmEmailChangeInput {
    /// The code from the letter to the old address.
    #[graphql(secret)]
    code_from_old_address: String,
    /// The code from the letter to the new address.
    #[graphql(secret)]
    code_from_new_address: String,
}

payload! {
    /// What became of `confirmEmailChange`.
    ConfirmEmailChangePayload {
        /// The account's address from now on; null exactly when it was refused.
        email: String,
    }
}

impl ConfirmEmailChangeInput {
    async fn confirm(self, ctx: &Context<'_>) -> Result<ConfirmEmailChangePayload, Failure> {
        let account = RequestContext::of(ctx).requester.account()?;
        from_anywhere(ctx, Action::TryCode).await?;
        let (old, new) = (&self.code_from_old_address, &self.code_from_new_address);
        let email = confirm_email_change(&Graph::of(ctx).ports, account, old, new).await?;
        Ok(ConfirmEmailChangePayload::done(
            ctx,
            email.as_str().to_owned(),
        ))
    }
}
