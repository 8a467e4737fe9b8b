//! Sessions: opened, gone on with, ended.

use async_graphql::{Context, ID, InputObject, Object};
use domain::rate::Action;
use domain::use_cases::end_sessions::{end_session, sign_out_everywhere};
use domain::use_cases::refresh_session::refresh_session;
use domain::use_cases::sign_in::{confirm_sign_in, sign_in};
use domain::use_cases::sign_out::sign_out;
use domain::{Failure, SessionId, VerificationId};

use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::limited::{at_the_door, from_anywhere};
use crate::graphql::mutations::accounts::email;
use crate::graphql::objects::account::Session;
use crate::graphql::outcome::{answer, payload};
use crate::graphql::scalars::count;
use crate::request::RequestContext;

/// Mutations of whoever comes, stays and goes.
#[derive(Default)]
pub struct Sessions;

#[Object]
impl Sessions {
    /// Opens a session. Where the account asks for a second factor it is refused with
    /// `SecondFactorRequired`, and a code is mailed: go on with `confirmSignIn`. Anybody may ask.
    ///
    /// Refusals: `InvalidInput`, `InvalidCredentials`, `SecondFactorRequired`, `RateLimited`.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SignInInput,
    ) -> Option<SignInPayload> {
        answer(ctx, input.sign_in(ctx).await)
    }

    /// Goes on with a sign-in that was refused with `SecondFactorRequired`, and opens a session. A few
    /// wrong codes make the challenge void; then `signIn` again. Anybody who has the challenge may ask.
    ///
    /// Refusals: `InvalidInput`, `VerificationInvalid`, `RateLimited`.
    async fn confirm_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sign-in to go on with.")] input: ConfirmSignInInput,
    ) -> Option<ConfirmSignInPayload> {
        answer(ctx, input.confirm(ctx).await)
    }

    /// Trades a refresh token for a new pair of tokens. The old one is used up: whoever sends it again
    /// ends the session, since one of the two who had it must have stolen it. So a client refreshes
    /// one at a time. Anybody who has the token may ask.
    ///
    /// Refusals: `SessionEnded`, `RateLimited`.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session to go on with.")] input: RefreshSessionInput,
    ) -> Option<RefreshSessionPayload> {
        answer(ctx, input.refresh(ctx).await)
    }

    /// Ends a session: its refresh token is void at once, its access token on every node within
    /// seconds, and its subscriptions are closed. Ending one that is not there is done already.
    /// Anybody who has the token may ask; never refused.
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session to end.")] input: SignOutInput,
    ) -> Option<SignOutPayload> {
        answer(ctx, input.sign_out(ctx).await)
    }

    /// Ends one of the requester's sessions, on another device perhaps: see `viewer.sessions`. Its
    /// access token stops working within seconds. For who is signed in.
    ///
    /// Refusals: `InvalidInput`, `NotFound`, `Unauthenticated`.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session to end.")] input: EndSessionInput,
    ) -> Option<EndSessionPayload> {
        answer(ctx, input.end(ctx).await)
    }

    /// Ends every session of the requester, this one included unless it is to stay. Their access tokens
    /// stop working within seconds. For who is signed in.
    ///
    /// Refusals: `Unauthenticated`.
    async fn sign_out_everywhere(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions to end.")] input: SignOutEverywhereInput,
    ) -> Option<SignOutEverywherePayload> {
        answer(ctx, input.sign_out(ctx).await)
    }
}

/// Who signs in.
#[derive(InputObject)]
pub struct SignInInput {
    /// The account's e-mail address.
    #[graphql(secret)]
    email: String,
    /// Its password.
    #[graphql(secret)]
    password: String,
}

payload! {
    /// What became of `signIn`.
    SignInPayload {
        /// The session; null exactly when it was refused.
        session: Session,
    }
}

impl SignInInput {
    async fn sign_in(self, ctx: &Context<'_>) -> Result<SignInPayload, Failure> {
        let email = email(&self.email)?;
        at_the_door(ctx, Action::SignIn, &email).await?;
        let session = sign_in(&Graph::of(ctx).ports, &email, &self.password).await?;
        Ok(SignInPayload::done(ctx, session.into()))
    }
}

/// Which sign-in to go on with.
#[derive(InputObject)]
pub struct ConfirmSignInInput {
    /// From the refusal of `signIn`.
    challenge: ID,
    /// The code from the letter.
    #[graphql(secret)]
    code: String,
}

payload! {
    /// What became of `confirmSignIn`.
    ConfirmSignInPayload {
        /// The session; null exactly when it was refused.
        session: Session,
    }
}

impl ConfirmSignInInput {
    async fn confirm(self, ctx: &Context<'_>) -> Result<ConfirmSignInPayload, Failure> {
        let challenge = VerificationId::parse(&self.challenge).map_err(|r| r.at(["challenge"]))?;
        from_anywhere(ctx, Action::TryCode).await?;
        let session = confirm_sign_in(&Graph::of(ctx).ports, challenge, &self.code).await?;
        Ok(ConfirmSignInPayload::done(ctx, session.into()))
    }
}

/// Which session to go on with.
#[derive(InputObject)]
pub struct RefreshSessionInput {
    /// The session's newest refresh token.
    #[graphql(secret)]
    refresh_token: String,
}

payload! {
    /// What became of `refreshSession`.
    RefreshSessionPayload {
        /// The session with its new tokens; null exactly when it was refused.
        session: Session,
    }
}

impl RefreshSessionInput {
    async fn refresh(self, ctx: &Context<'_>) -> Result<RefreshSessionPayload, Failure> {
        from_anywhere(ctx, Action::RefreshSession).await?;
        let session = refresh_session(&Graph::of(ctx).ports, &self.refresh_token).await?;
        Ok(RefreshSessionPayload::done(ctx, session.into()))
    }
}

/// Which session to end.
#[derive(InputObject)]
pub struct SignOutInput {
    /// The session's newest refresh token.
    #[graphql(secret)]
    refresh_token: String,
}

payload! {
    /// What became of `signOut`.
    SignOutPayload {
        /// `true`: the session is over. Null exactly when it was refused.
        signed_out: bool,
    }
}

impl SignOutInput {
    async fn sign_out(self, ctx: &Context<'_>) -> Result<SignOutPayload, Failure> {
        sign_out(&Graph::of(ctx).ports, &self.refresh_token).await?;
        Ok(SignOutPayload::done(ctx, true))
    }
}

/// Which session to end.
#[derive(InputObject)]
pub struct EndSessionInput {
    /// One of `viewer.sessions`.
    session_id: ID,
}

payload! {
    /// What became of `endSession`.
    EndSessionPayload {
        /// The session that is over; null exactly when it was refused.
        ended_session_id: ID,
    }
}

impl EndSessionInput {
    async fn end(self, ctx: &Context<'_>) -> Result<EndSessionPayload, Failure> {
        let account = RequestContext::of(ctx).requester.account()?;
        let session = SessionId::parse(&self.session_id).map_err(|r| r.at(["sessionId"]))?;
        end_session(&Graph::of(ctx).ports, account, session).await?;
        Ok(EndSessionPayload::done(ctx, self.session_id))
    }
}

/// Which sessions to end.
#[derive(InputObject)]
pub struct SignOutEverywhereInput {
    /// Whether the session that is asked from goes on.
    #[graphql(default)]
    keep_this: bool,
}

payload! {
    /// What became of `signOutEverywhere`.
    SignOutEverywherePayload {
        /// How many sessions there were; null exactly when it was refused.
        ended_sessions: i32,
    }
}

impl SignOutEverywhereInput {
    async fn sign_out(self, ctx: &Context<'_>) -> Result<SignOutEverywherePayload, Failure> {
        let requester = RequestContext::of(ctx).requester;
        let kept = requester.session().filter(|_| self.keep_this);
        let ports = &Graph::of(ctx).ports;
        let ended = sign_out_everywhere(ports, requester.account()?, kept).await?;
        let ended = count(i64::try_from(ended).unwrap_or(i64::MAX));
        Ok(SignOutEverywherePayload::done(ctx, ended))
    }
}
