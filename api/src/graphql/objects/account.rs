//! Accounts as their owners see them, and sessions.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use domain::account::Role;
use domain::page::{ItemFilter, ItemOrder, ItemQuery, MAX_PAGE};
use domain::use_cases::sign_in::SignedIn;
use domain::{AccountId, Requester, SessionId};

use crate::fault::{Fault, nullable};
use crate::graphql::Graph;
use crate::graphql::connection::{cost, shown, window_by_time};
use crate::graphql::ids::GlobalId;
use crate::graphql::lists::{ItemConnection, OrderConnection, WishlistConnection};
use crate::graphql::outcome::refused;
use crate::graphql::scalars::DateTime;

/// Who asks.
pub struct Viewer {
    pub account: AccountId,
    pub requester: Requester,
}

/// The requester's own things. Nobody else sees them.
#[Object]
impl Viewer {
    /// The requester's account; null when it is gone.
    async fn profile(&self, ctx: &Context<'_>) -> Option<Account> {
        let account = Graph::of(ctx).ports.accounts.account(self.account).await;
        nullable(
            ctx,
            account
                .map(|account| account.map(Account))
                .map_err(Fault::from),
        )
    }

    /// The requester's orders, the newest first. One that was accepted a moment ago may not be in
    /// the list yet; `order(id)` shows it at once.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Option<OrderConnection> {
        let window = window_by_time(ctx, (first, last, after, before))?;
        let page = Graph::of(ctx)
            .ports
            .orders
            .orders_of(self.account, &window)
            .await;
        shown(ctx, page, OrderConnection::of)
    }

    /// Where the requester is signed in, the newest first; at most 100.
    async fn sessions(&self, ctx: &Context<'_>) -> Option<Vec<OpenSession>> {
        let ports = &Graph::of(ctx).ports;
        let now = ports.clock.now();
        let sessions = ports
            .sessions
            .sessions_of(self.account, now, MAX_PAGE)
            .await;
        let current = self.requester.session();
        let open = |sessions: Vec<domain::session::Session>| {
            let open = sessions.iter().map(|it| OpenSession::of(it, current));
            Some(open.collect())
        };
        nullable(ctx, sessions.map(open).map_err(Fault::from))
    }

    /// What the requester means to buy later, the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn wishlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Option<WishlistConnection> {
        let window = window_by_time(ctx, (first, last, after, before))?;
        let wishlists = &Graph::of(ctx).ports.wishlists;
        let page = wishlists.entries_of(self.account, &window).await;
        shown(ctx, page, WishlistConnection::of)
    }

    /// The items that the requester sells, the newest first. For sellers; null with FORBIDDEN for
    /// others.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn seller_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Option<ItemConnection> {
        let seller = self
            .requester
            .acting_as(Role::Seller)
            .map_err(|reason| refused(ctx, &reason));
        let seller = nullable(ctx, seller.map(Some))?;
        let window = window_by_time(ctx, (first, last, after, before))?;
        let filter = ItemFilter {
            seller: Some(seller),
            ..ItemFilter::default()
        };
        let query = ItemQuery {
            filter,
            order: ItemOrder::NewestFirst,
            window,
        };
        nullable(ctx, ItemConnection::load(ctx, query).await.map(Some))
    }
}

/// An account, with its owner's personal data.
pub struct Account(pub domain::account::Account);

/// The requester's own account.
#[Object]
impl Account {
    /// Its global id, `account_…`.
    pub async fn id(&self) -> ID {
        self.0.id.to_global()
    }

    /// The verified e-mail address.
    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    /// The person's name.
    async fn name(&self) -> &str {
        &self.0.profile.name
    }

    /// The person's telephone number, as typed; null when there is none.
    async fn phone(&self) -> Option<&str> {
        self.0.profile.phone.as_deref()
    }

    /// Where parcels go, as typed; null when there is none.
    async fn address(&self) -> Option<&str> {
        self.0.profile.address.as_deref()
    }

    /// What letters to it are written in.
    async fn language(&self) -> LanguageCode {
        self.0.language.into()
    }

    /// Whether signing in asks for a code from the mailbox too: see `setSecondFactor`.
    async fn second_factor(&self) -> bool {
        self.0.second_factor
    }

    /// What the account may do.
    async fn role(&self) -> AccountRole {
        self.0.role.into()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// A language that letters are written in, by ISO 639-1.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::Language")]
pub enum LanguageCode {
    /// English.
    #[graphql(name = "EN")]
    English,
    /// Korean.
    #[graphql(name = "KO")]
    Korean,
}

/// What an account may do; each role may do all that the one before may.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::account::Role")]
pub enum AccountRole {
    /// Buys.
    Customer,
    /// Sells items too.
    Seller,
    /// Runs the shop.
    Admin,
}

/// What a client signs its requests with from now on.
#[derive(SimpleObject)]
pub struct Session {
    /// The account that is signed in.
    account: Account,
    /// For the `Authorization` header (`Bearer …`), or `connection_init` of a WebSocket. A secret.
    access_token: String,
    /// Until when the access token is good.
    access_token_expires_at: DateTime,
    /// For `refreshSession`, once. A secret: keep it where scripts of other sites can't read it.
    refresh_token: String,
    /// Until when the refresh token is good.
    refresh_token_expires_at: DateTime,
}

impl From<SignedIn> for Session {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            account: Account(signed_in.account),
            access_token: signed_in.access_token,
            access_token_expires_at: signed_in.access_until.into(),
            refresh_token: signed_in.refresh_token,
            refresh_token_expires_at: signed_in.refresh_until.into(),
        }
    }
}

/// A place where an account is signed in.
#[derive(SimpleObject)]
pub struct OpenSession {
    /// Its global id, `session_…`.
    id: ID,
    /// Whether it is the one that is asked from.
    is_current: bool,
    /// When it was signed in.
    signed_in_at: DateTime,
    /// When its tokens were last refreshed; null when they never were.
    refreshed_at: Option<DateTime>,
    /// When it ends unless it is refreshed before.
    expires_at: DateTime,
}

impl OpenSession {
    fn of(session: &domain::session::Session, current: Option<SessionId>) -> Self {
        Self {
            id: session.id.to_global(),
            is_current: current == Some(session.id),
            signed_in_at: session.created_at.into(),
            refreshed_at: session.refreshed_at.map(Into::into),
            expires_at: session.expires_at.into(),
        }
    }
}
