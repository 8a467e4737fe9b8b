//! `firstcome rush`: a rehearsal crowd against a running endpoint. Buyers who all want the same deal,
//! or order for a time, or a shop's own customers with their baskets; afterwards everything is
//! counted and audited.
//!
//! The crowd knows nothing but the API: accounts and their access tokens are made by whoever starts
//! it, and so is the audit.

mod audit;
mod client;
mod crowd;
mod deal;
mod endpoint;
mod outcome;
mod patience;
mod payment;
mod replay;
mod requests;
mod stampede;
mod subscribers;
mod sustained;
mod tally;
#[cfg(test)]
mod tests;
mod verify;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::Fault;
use domain::use_cases::audit::AuditReport;
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use crate::import::table::Unreadable;
pub use audit::audit;
use client::{Client, NoAnswer, Token};
use endpoint::Nodes;
pub use outcome::Outcome;
use outcome::Told;
pub use sustained::floor::ROLE as FLOOR;
use sustained::processor::Process;

/// The most buyers of a crowd; each has an account.
const MOST_BUYERS: u64 = 1_000_000;
/// The most connections at once, and the most subscribers.
const MOST_CONNECTIONS: u64 = 15_000;
/// The namespace of runs (random, fixed for ever: a changed one would let a run that is taken up
/// again buy twice).
const RUNS: Uuid = Uuid::from_u128(0x51c3_8a0e_7f42_4d6b_8d15_e2a9_40b7_6c1f);

/// The options of `firstcome rush`.
#[derive(clap::Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct RushArgs {
    /// The GraphQL endpoint; several of them are the nodes of one shop, over which everybody is
    /// spread.
    #[arg(long, default_value = "http://127.0.0.1:8000/graphql")]
    pub url: Vec<String>,
    /// The item that everybody wants; by default the open deal with most stock.
    #[arg(long, value_name = "ITEM_ID", conflicts_with = "orders")]
    pub deal: Option<String>,
    /// How many buyers try, once each.
    #[arg(long, default_value_t = 1_000, value_parser = within(1..=MOST_BUYERS), conflicts_with = "orders")]
    pub buyers: u64,
    /// Units that each of them wants.
    #[arg(long, default_value_t = 1, conflicts_with = "orders")]
    pub quantity: u32,
    /// How many are at it at once, each on a connection of their own.
    #[arg(long, visible_alias = "connections", default_value_t = 64, value_parser = within(1..=MOST_CONNECTIONS))]
    pub concurrency: u64,
    /// How many buyers come a second; by default as many as come through. Latency then counts from
    /// the moment a buyer comes.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "orders")]
    pub rate: Option<u32>,
    /// The share of the accepted orders that is paid, 0 to 1.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = parts_per_million, conflicts_with = "orders")]
    pub pay: u64,
    /// Try again under the same key when the engine says so or does not answer, up to 12 times.
    #[arg(long, conflicts_with = "orders")]
    pub retry: bool,
    /// How many watch the deal's stock over WebSocket meanwhile.
    #[arg(long, default_value_t = 0, value_parser = within(0..=MOST_CONNECTIONS), conflicts_with = "orders")]
    pub subscribers: u64,
    /// Wait for the deal to open, and start at that moment.
    #[arg(long, conflicts_with = "orders")]
    pub open_at: bool,
    /// Order for so long, `60s`: each connection again as soon as it is answered, for one buyer after
    /// the other, however often.
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration,
        conflicts_with_all = ["orders", "deal", "rate", "pay", "retry", "open_at", "run"])]
    pub duration: Option<Duration>,
    /// With --for: order for so long before anything counts.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub warm_up: Duration,
    /// With --for: an item to order, once for each; by default the one with most stock of those that
    /// are always sold.
    #[arg(long, value_name = "ITEM_ID", requires = "duration")]
    pub item: Vec<String>,
    /// With --for: a process whose processor time is told, `NAME=PID`, or `NAME=PID+` with its
    /// children; those of one name are added up. On Linux only.
    #[arg(long, value_name = "NAME=PID", requires = "duration")]
    pub watch: Vec<Process>,
    /// With --for: before and afterwards, send the same requests to a server that does nothing, and
    /// tell what share of its rate the orders reach.
    #[arg(long, requires = "duration")]
    pub floor: bool,
    /// With --for: afterwards offer so many times as much as was served, for as long again, and tell
    /// what is served then, how long that takes, and how the nodes and the watched processes stand it.
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(2..=100),
        requires = "duration", conflicts_with_all = ["floor", "subscribers"])]
    pub overload: Option<u32>,
    /// On how many connections that is offered: more than the nodes work on at once.
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 4_000, value_parser = within(1..=MOST_CONNECTIONS))]
    pub overload_connections: u64,
    /// Replay the baskets of an order book (CSV or gzip of it, see `import --from-orders`): each
    /// invoice becomes an order of its customer, and is paid.
    #[arg(long, value_name = "FILE")]
    pub orders: Option<PathBuf>,
    /// The seller of the replayed items, `account_…`, where several sell the same codes.
    #[arg(long, value_name = "ACCOUNT_ID", requires = "orders")]
    pub seller: Option<String>,
    /// With --orders: take back what the book's invoices that start with C take back of earlier
    /// sales, once all is bought: cancelled while the parcel is being prepared, returned once it is
    /// delivered.
    #[arg(long, requires = "orders")]
    pub take_back: bool,
    /// The name of the run. A run of the same name goes on where the first one ended: what was
    /// bought in it is not bought again.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub run: Option<String>,
    /// The provider's token that orders are paid with; by default one that is always approved.
    #[arg(long, value_name = "TOKEN", default_value = "tok_approve")]
    pub payment_method: String,
    /// Seconds for one answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = within(1..=600))]
    pub timeout: u64,
    /// Seconds for what takes longer: a payment, a server to come back, orders to be written.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = within(1..=3_600))]
    pub patience: u64,
    /// Print the outcome as JSON, and nothing else.
    #[arg(long)]
    pub json: bool,
}

fn within(range: std::ops::RangeInclusive<u64>) -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(range)
}

/// A share as millionths.
fn parts_per_million(text: &str) -> Result<u64, String> {
    let share: f64 = text
        .parse()
        .map_err(|_| "it has to be a number like 0.5".to_owned())?;
    if !(0.0..=1.0).contains(&share) {
        return Err("it has to be from 0 to 1".to_owned());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is from 0 to a million"
    )]
    let parts = (share * 1e6).round() as u64;
    Ok(parts)
}

fn run_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 40 || !text.chars().all(is_plain) {
        return Err("1 to 40 small letters, digits and hyphens".to_owned());
    }
    Ok(text.to_owned())
}

/// The rush could not take place, or not be followed to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RushError(String);

impl RushError {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for RushError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for RushError {}

impl From<NoAnswer> for RushError {
    fn from(no_answer: NoAnswer) -> Self {
        Self(format!("the engine does not answer: {no_answer}"))
    }
}

impl From<Unreadable> for RushError {
    fn from(unreadable: Unreadable) -> Self {
        Self(unreadable.to_string())
    }
}

/// Somebody with an account. Without `Debug`: nothing may print a token.
pub struct Buyer {
    /// An access token that outlasts the rush.
    pub token: String,
}

/// Who takes part, known before anybody does.
pub struct Plan {
    args: RushArgs,
    nodes: Nodes,
    run: Run,
    buyers: Vec<String>,
    kind: Kind,
}

/// The name of a run, and what its idempotency keys are derived from.
struct Run {
    name: String,
    id: Uuid,
}

enum Kind {
    Stampede,
    Replay(replay::Book),
    Sustained,
    Overload,
}

/// Looks at the options, and at the order book if there is one.
///
/// `fresh` names a run that has no name: a random one, so that it can be told from every other.
///
/// # Errors
/// The URL is none, or the order book can't be read.
pub fn plan(args: RushArgs, fresh: Uuid) -> Result<Plan, RushError> {
    let nodes = Nodes::parse(&args.url).map_err(RushError::new)?;
    let name = args
        .run
        .clone()
        .unwrap_or_else(|| fresh.simple().to_string());
    let run = Run {
        id: Uuid::new_v5(&RUNS, name.as_bytes()),
        name,
    };
    let (buyers, kind) = if let Some(path) = &args.orders {
        let book = replay::Book::read(path)?;
        (book.buyers(), Kind::Replay(book))
    } else {
        let buyers = (1..=args.buyers).map(|number| format!("buyer-{number:07}"));
        let kind = match args.duration {
            Some(_) if args.overload.is_some() => Kind::Overload,
            Some(_) => Kind::Sustained,
            None => Kind::Stampede,
        };
        (buyers.collect(), kind)
    };
    Ok(Plan {
        args,
        nodes,
        run,
        buyers,
        kind,
    })
}

impl Plan {
    /// The name of the run. Accounts of a run of the same name have to be the same.
    pub fn run_name(&self) -> &str {
        &self.run.name
    }

    /// The node that is asked for an audit.
    pub fn audit_url(&self) -> String {
        self.nodes.of(0).url()
    }

    /// Names for the buyers' accounts, each once: small letters, digits and hyphens, the same in
    /// every run of the same name.
    pub fn buyers(&self) -> &[String] {
        &self.buyers
    }
}

/// Lets the crowd loose and counts what came of it. `buyers` are in the order of
/// [`Plan::buyers`]; `audit` is asked once everybody is done.
///
/// # Errors
/// There is no deal, nothing of the book is in the catalogue, or nobody answers before it begins.
/// Whatever goes wrong after that is in the outcome.
pub async fn run<A>(plan: Plan, buyers: Vec<Buyer>, audit: A) -> Result<Outcome, RushError>
where
    A: AsyncFnOnce() -> Result<AuditReport, Fault>,
{
    if buyers.len() != plan.buyers.len() {
        return Err(RushError::new("there is not one account for each buyer"));
    }
    let tokens: Result<Vec<Token>, _> = buyers
        .iter()
        .map(|buyer| Token::new(&buyer.token))
        .collect();
    let tokens = tokens.map_err(RushError::new)?;
    let means = Means {
        nodes: plan.nodes,
        timeout: Duration::from_secs(plan.args.timeout),
        patience: Duration::from_secs(plan.args.patience),
        concurrency: usize::try_from(plan.args.concurrency).unwrap_or(1),
        is_silent: plan.args.json,
    };
    let told = match plan.kind {
        Kind::Stampede => {
            let stampede = stampede::run(&means, &plan.args, plan.run.id, tokens).await?;
            Told::Stampede(Box::new(stampede))
        }
        Kind::Replay(book) => {
            let replayed = replay::run(&means, &plan.args, plan.run.id, book, tokens).await?;
            Told::Replay(Box::new(replayed))
        }
        Kind::Sustained => {
            let sustained = sustained::run(&means, &plan.args, plan.run.id, tokens).await?;
            Told::Sustained(Box::new(sustained))
        }
        Kind::Overload => {
            let run = plan.run.id;
            let overloaded = sustained::overload::run(&means, &plan.args, run, tokens).await?;
            Told::Overloaded(Box::new(overloaded))
        }
    };
    let audit = audit().await.map_err(|fault| fault.detail());
    Ok(Outcome {
        run: plan.run.name,
        told,
        audit,
    })
}

/// What every part of a rush works with.
struct Means {
    nodes: Nodes,
    /// For one answer.
    timeout: Duration,
    /// For what takes longer.
    patience: Duration,
    /// Connections at once.
    concurrency: usize,
    /// Whether nobody wants to see a progress bar.
    is_silent: bool,
}

impl Means {
    fn client(&self) -> Client {
        self.client_of(0)
    }

    /// The client of this number: clients are spread over the nodes.
    fn client_of(&self, number: usize) -> Client {
        Client::new(Arc::clone(self.nodes.of(number)), self.timeout)
    }

    fn asking(&self) -> verify::Asking {
        verify::Asking {
            nodes: self.nodes.clone(),
            concurrency: self.concurrency,
            timeout: self.timeout,
            patience: self.patience,
        }
    }

    /// A bar on the terminal; none without a terminal.
    fn progress(&self, what: &'static str, length: u64) -> ProgressBar {
        if self.is_silent {
            return ProgressBar::hidden();
        }
        let template = "{msg} {wide_bar} {human_pos}/{human_len} {elapsed}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(length)
            .with_style(style)
            .with_message(what)
    }
}
