//! Many buyers, one deal.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::client::Token;
use super::crowd::{self, Accepted, Crowd, Crowded};
use super::requests::{self, Item, Stock};
use super::subscribers::{Audience, Watched};
use super::verify::{self, Verified};
use super::{Means, RushArgs, RushError, deal};

/// What came of a stampede.
pub struct Stampede {
    /// The deal as it was before.
    item: Item,
    buyers: u64,
    crowded: Crowded,
    pub verified: Verified,
    subscribed: Option<Watched>,
    /// The deal's stock afterwards; nothing if nobody answers.
    last: Option<Stock>,
}

/// Lets the crowd loose on the deal.
///
/// # Errors
/// There is no deal, or nobody answers before it begins.
pub async fn run(
    means: &Means,
    args: &RushArgs,
    run: Uuid,
    tokens: Vec<Token>,
) -> Result<Stampede, RushError> {
    let mut client = means.client();
    let item = deal::choose(&mut client, args.deal.as_deref(), args.open_at).await?;
    let subscribers = usize::try_from(args.subscribers).unwrap_or(0);
    let audience = match subscribers {
        0 => None,
        _ => Some(Audience::gather(&means.nodes, &item.id, subscribers, means.patience).await),
    };
    if args.open_at {
        deal::wait_until_open(&mut client, &item).await?;
    }
    let crowd = Arc::new(Crowd {
        nodes: means.nodes.clone(),
        buyers: tokens,
        run,
        item_id: item.id.clone(),
        quantity: args.quantity,
        concurrency: means.concurrency,
        rate: args.rate,
        retries: args.retry,
        paying_ppm: args.pay,
        payment_method: args.payment_method.clone(),
        timeout: means.timeout,
        patience: means.patience,
        progress: means.progress("buying", args.buyers),
    });
    let crowded = crowd::let_loose(Arc::clone(&crowd)).await?;
    crowd.progress.finish_and_clear();
    let accepted = crowded.accepted.iter();
    let accepted = accepted.map(|Accepted { buyer, order }| (*buyer, order.clone()));
    let answered = verify::by_buyer(&crowd.buyers, accepted);
    let verified =
        verify::verify(&means.asking(), answered, means.progress("asking after", 0)).await;
    let last = requests::item(&mut client, &item.id).await.ok().flatten();
    let last = last.and_then(|(item, _)| item.stock);
    let subscribed = match audience {
        Some(audience) => Some(audience.dismiss(last).await),
        None => None,
    };
    let buyers = args.buyers;
    Ok(Stampede {
        item,
        buyers,
        crowded,
        verified,
        subscribed,
        last,
    })
}

impl Stampede {
    /// Whether every order is there, and every subscriber saw what happened.
    pub fn is_clean(&self) -> bool {
        self.verified.is_clean() && self.subscribed.as_ref().is_none_or(Watched::is_clean)
    }

    /// Prints it for people.
    ///
    /// # Errors
    /// `out` can't be written to.
    pub fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        let Self {
            item,
            buyers,
            crowded,
            ..
        } = self;
        let stock = |stock: Option<Stock>| {
            stock.map_or_else(|| "unknown".to_owned(), |stock| stock.available.to_string())
        };
        writeln!(out, "{buyers} buyers for {} ({})", item.name, item.id)?;
        writeln!(
            out,
            "units left: {} before, {} now",
            stock(item.stock),
            stock(self.last)
        )?;
        for line in crowded.orders.lines("orders accepted") {
            writeln!(out, "{line}")?;
        }
        if crowded.replayed > 0 {
            let replayed = crowded.replayed;
            writeln!(
                out,
                "{replayed:>9}  of them were there already: asked again, or in another run"
            )?;
        }
        if crowded.payments.accepted + crowded.payments.unanswered() > 0
            || !crowded.payments.refused.is_empty()
        {
            writeln!(out, "payments:")?;
            for line in crowded.payments.lines("orders paid") {
                writeln!(out, "{line}")?;
            }
        }
        let (took, requests) = (crowded.took, crowded.orders.requests);
        writeln!(
            out,
            "{} orders a second, {} requests a second, {requests} requests in {:.2} s",
            per_second(crowded.orders.accepted, took),
            per_second(requests, took),
            took.as_secs_f64(),
        )?;
        writeln!(out, "{}", crowded.latency.line())?;
        let subscribed = self.subscribed.iter().flat_map(Watched::lines);
        for line in subscribed.chain(self.verified.lines()) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// The same for machines.
    pub fn to_json(&self) -> Value {
        let Self { item, crowded, .. } = self;
        json!({
            "deal": {
                "id": item.id,
                "name": item.name,
                "availableBefore": item.stock.map(|stock| stock.available),
                "availableAfter": self.last.map(|stock| stock.available),
                "total": self.last.or(item.stock).and_then(|stock| stock.total),
            },
            "buyers": self.buyers,
            "orders": crowded.orders.to_json(),
            "replayed": crowded.replayed,
            "payments": crowded.payments.to_json(),
            "tookMs": u64::try_from(crowded.took.as_millis()).unwrap_or(u64::MAX),
            "ordersPerSecond": per_second(crowded.orders.accepted, crowded.took),
            "requestsPerSecond": per_second(crowded.orders.requests, crowded.took),
            "latency": crowded.latency.to_json(),
            "subscribers": self.subscribed.as_ref().map(Watched::to_json),
            "verified": self.verified.to_json(),
        })
    }
}

/// So many a second, rounded down.
pub fn per_second(count: u64, took: Duration) -> u64 {
    let rate = u128::from(count) * 1_000_000 / took.as_micros().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}
