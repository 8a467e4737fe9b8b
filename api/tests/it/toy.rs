//! A schema with everything in it that can go wrong.

#![allow(
    clippy::unused_async,
    reason = "the library's macros want every resolver async"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::fault::{Fault, nullable};
use api::request::RequestContext;
use async_graphql::{
    Context, Enum, ID, InputObject, Object, Schema, SchemaBuilder, SimpleObject, Subscription,
};
use domain::{Language, Requester};
use futures_util::stream::{self, Stream};
use tokio_util::sync::CancellationToken;

/// What a driver would say; it must never be seen outside.
pub const SECRET: &str = "connection to db-7.internal:5432 refused";

/// How often `bump` has run, how many subscriptions are open, and what `held` waits for.
#[derive(Clone, Default)]
pub struct Counters {
    pub bumps: Arc<AtomicUsize>,
    pub open: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
    pub release: CancellationToken,
}

impl Counters {
    pub fn bumps(&self) -> usize {
        self.bumps.load(Ordering::SeqCst)
    }

    /// How often `held` has begun.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }
}

pub fn builder(counters: &Counters) -> SchemaBuilder<Query, Mutation, Feed> {
    Schema::build(Query, Mutation, Feed).data(counters.clone())
}

fn panic_now() -> bool {
    panic!("{SECRET}")
}

pub fn failing() -> Fault {
    Fault::from(domain::Fault::unavailable("reading a thing", SECRET))
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Red,
    Green,
}

#[derive(InputObject)]
pub struct ThingInput {
    pub name: String,
    #[graphql(default = 1)]
    pub count: i32,
    pub colour: Option<Colour>,
    pub tags: Option<Vec<String>>,
}

#[derive(SimpleObject)]
pub struct Leaf {
    pub name: String,
}

/// Fields that succeed and fail, nullable and not.
pub struct Thing;

#[Object]
impl Thing {
    async fn name(&self) -> &str {
        "thing"
    }
    async fn slow_name(&self) -> &str {
        tokio::time::sleep(Duration::from_millis(20)).await;
        "slow"
    }
    async fn maybe(&self, ctx: &Context<'_>) -> Option<Leaf> {
        nullable(ctx, Err(failing()))
    }
    async fn maybe_name(&self, ctx: &Context<'_>) -> Option<String> {
        nullable(ctx, Err(failing()))
    }
    async fn certain(&self) -> Result<Leaf, Fault> {
        Err(failing())
    }
    async fn itself(&self) -> Thing {
        Thing
    }
    async fn maybe_itself(&self) -> Option<Thing> {
        Some(Thing)
    }
    async fn things(&self) -> Vec<Option<Sometimes>> {
        (0..3).map(|index| Some(Sometimes(index))).collect()
    }
    async fn certain_things(&self) -> Vec<Sometimes> {
        (0..3).map(Sometimes).collect()
    }
}

/// Fails for the index 1.
pub struct Sometimes(usize);

#[Object]
impl Sometimes {
    async fn index(&self) -> usize {
        self.0
    }
    async fn odd(&self) -> Result<&str, Fault> {
        if self.0 == 1 {
            Err(failing())
        } else {
            Ok("fine")
        }
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }
    async fn thing(&self) -> Thing {
        Thing
    }
    async fn maybe_thing(&self) -> Option<Thing> {
        Some(Thing)
    }
    async fn maybe_nothing(&self, ctx: &Context<'_>) -> Option<Thing> {
        nullable(ctx, Err(failing()))
    }
    /// Its arguments, as they arrived.
    async fn echo(
        &self,
        text: Option<String>,
        #[graphql(default = 7)] number: i32,
        id: Option<ID>,
        colour: Option<Colour>,
        input: Option<ThingInput>,
    ) -> String {
        let colour = colour.map(|colour| {
            if colour == Colour::Red {
                "red"
            } else {
                "green"
            }
        });
        let input = input.map(|input| (input.name, input.count, input.tags));
        format!(
            "{text:?} {number} {:?} {colour:?} {input:?}",
            id.map(|id| id.0)
        )
    }
    /// What the resolvers know of the request.
    /// The span it is executed in.
    async fn span(&self) -> Option<&'static str> {
        let at = tracing::Span::current();
        at.metadata().map(tracing::Metadata::name)
    }
    async fn context(&self, ctx: &Context<'_>) -> String {
        let context = RequestContext::of(ctx);
        let who = match context.requester {
            Requester::Anonymous => "nobody".to_owned(),
            Requester::SignedIn { account, .. } => account.0.to_string(),
        };
        let language = match context.language {
            Language::English => "en",
            Language::Korean => "ko",
        };
        format!("{who} {language}")
    }
    #[graphql(complexity = "(first.clamp(0, 1_000) as usize).saturating_mul(child_complexity)")]
    async fn many(&self, first: i32) -> Vec<Leaf> {
        (0..first)
            .map(|n| Leaf {
                name: n.to_string(),
            })
            .collect()
    }
    async fn slow(&self, millis: u64) -> bool {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        true
    }
    async fn panics(&self) -> bool {
        panic_now()
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn bump(&self, ctx: &Context<'_>) -> usize {
        ctx.data_unchecked::<Counters>()
            .bumps
            .fetch_add(1, Ordering::SeqCst)
            + 1
    }
    /// Waits until the test lets it go.
    async fn held(&self, ctx: &Context<'_>) -> bool {
        let counters = ctx.data_unchecked::<Counters>();
        counters.held.fetch_add(1, Ordering::SeqCst);
        counters.release.cancelled().await;
        true
    }
    async fn bump_thing(&self, ctx: &Context<'_>) -> Thing {
        ctx.data_unchecked::<Counters>()
            .bumps
            .fetch_add(1, Ordering::SeqCst);
        Thing
    }
}

/// The subscriptions. Each open one is counted.
pub struct Feed;

struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(ctx: &Context<'_>) -> Self {
        let open = Arc::clone(&ctx.data_unchecked::<Counters>().open);
        open.fetch_add(1, Ordering::SeqCst);
        Self(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[Subscription]
impl Feed {
    /// Counts down to 1 and ends.
    async fn countdown(&self, from: i32) -> impl Stream<Item = i32> {
        stream::iter((1..=from).rev())
    }
    /// Never ends.
    async fn ticks(&self, ctx: &Context<'_>, every_millis: u64) -> impl Stream<Item = u64> {
        let open = Open::new(ctx);
        stream::unfold((0, open), move |(n, open)| async move {
            tokio::time::sleep(Duration::from_millis(every_millis)).await;
            Some((n, (n + 1, open)))
        })
    }
    async fn things(&self) -> impl Stream<Item = Thing> {
        stream::iter([Thing, Thing])
    }
    async fn refused(&self) -> Result<impl Stream<Item = i32>, Fault> {
        if true {
            return Err(failing());
        }
        Ok(stream::empty())
    }
    async fn panics(&self) -> impl Stream<Item = i32> {
        stream::once(async { i32::from(panic_now()) })
    }
    async fn big(&self, ctx: &Context<'_>) -> impl Stream<Item = String> {
        let open = Open::new(ctx);
        stream::repeat_with(move || {
            let _open = &open;
            "x".repeat(100_000)
        })
    }
}
