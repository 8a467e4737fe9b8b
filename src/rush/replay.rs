//! A shop's own customers with their baskets: every invoice of an order book becomes an order, is
//! paid, and is read back; what is sold must be what the book sells, to the unit.

mod baskets;
mod book;
mod compare;
mod purchase;
mod report;

use std::collections::HashMap;
use std::sync::Arc;

use indicatif::ProgressBar;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::client::{Client, Token};
use super::requests::{self, Coded, MOST_PER_REQUEST};
use super::tally::Latency;
use super::verify;
use super::{Means, RushArgs, RushError};
use crate::import::book_report::BookReport;
use baskets::{Basket, Baskets};
pub use book::Book;
use compare::PaidOrder;
use purchase::{Counter, Purchase, Purchased};
pub use report::Replayed;
use report::{Failed, Purchases};

/// The most pages of items with one of a hundred codes.
const MOST_PAGES: usize = 100;

/// A worker's part of it.
struct Worked {
    purchases: Purchases,
    latency: Latency,
    /// Every order that was answered, by buyer.
    answered: Vec<(usize, String)>,
    paid: Vec<(usize, String)>,
}

/// Replays the book.
///
/// # Errors
/// Nothing of it is in the catalogue, it can't be read any more, or nobody answers before it begins.
pub async fn run(
    means: &Means,
    args: &RushArgs,
    run: Uuid,
    book: Book,
    tokens: Vec<Token>,
) -> Result<Replayed, RushError> {
    let latency = Latency::new().map_err(|error| RushError::new(error.to_string()))?;
    let codes: Vec<&str> = book.units.keys().map(String::as_str).collect();
    let items = look_up(&mut means.client(), &codes, args.seller.as_deref()).await?;
    if items.is_empty() {
        let reason = "nothing of it is in the catalogue; `import --from-orders` puts it there";
        return Err(RushError::new(reason));
    }
    let counter = Arc::new(Counter {
        run,
        items,
        payment_method: args.payment_method.clone(),
        patience: means.patience,
    });
    let baskets = book.open()?;
    let progress = means.progress("buying", book.baskets);
    let tokens = Arc::new(tokens);
    // As many wait as are being bought.
    let (to_workers, from_book) = mpsc::channel(means.concurrency);
    let from_book = Arc::new(Mutex::new(from_book));
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for number in 0..means.concurrency {
        let worker = Worker {
            client: means.client_of(number),
            counter: Arc::clone(&counter),
            tokens: Arc::clone(&tokens),
            progress: progress.clone(),
            worked: Worked::new(latency.clone()),
        };
        workers.spawn(worker.work(Arc::clone(&from_book)));
    }
    let (report, broken_off) = hand_out(&book, baskets, to_workers).await;
    let mut all = Worked::new(latency);
    for worked in workers.join_all().await {
        all.add(worked);
    }
    let took = begun.elapsed();
    progress.finish_and_clear();
    all.purchases.broken_off = broken_off;
    all.purchases.listed.sort_by_key(|failed| failed.line);
    let asking = means.asking();
    let verified = verify::verify(
        &asking,
        verify::by_buyer(&tokens, all.answered),
        means.progress("asking after", 0),
    )
    .await;
    let paid = paid_orders(&tokens, all.paid);
    let sold = compare::read_back(&asking, paid).await;
    Ok(Replayed {
        book: report,
        purchases: all.purchases,
        latency: all.latency,
        took,
        compared: sold.compare(&book.units, &counter.items),
        verified,
    })
}

/// Items by code. A code that stands for several items stands for none.
async fn look_up(
    client: &mut Client,
    codes: &[&str],
    seller: Option<&str>,
) -> Result<HashMap<String, String>, RushError> {
    let mut items = HashMap::new();
    for skus in codes.chunks(MOST_PER_REQUEST) {
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = requests::by_sku(client, skus, seller, after.as_deref()).await?;
            for Coded { id, sku } in page.items {
                let Some(sku) = sku else { continue };
                if let Some(other) = items.insert(sku.clone(), id.clone())
                    && other != id
                {
                    let reason = format!(
                        "several sellers have items with the code {sku}: name one with --seller"
                    );
                    return Err(RushError::new(reason));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(items)
}

/// Hands the baskets to the workers, in the order of the book; what the book holds, and why it was
/// not read to its end, if it was not.
async fn hand_out(
    book: &Book,
    mut baskets: Baskets,
    to_workers: mpsc::Sender<(usize, Basket)>,
) -> (BookReport, Option<String>) {
    let broken_off = loop {
        match baskets.next_basket() {
            Ok(Some(basket)) => {
                let buyer = book.buyer(&basket);
                if to_workers.send((buyer, basket)).await.is_err() {
                    break Some("nobody is left to buy".to_owned());
                }
            }
            Ok(None) => break None,
            Err(unreadable) => break Some(unreadable.to_string()),
        }
    };
    (baskets.report, broken_off)
}

/// One connection, on which one basket after the other is bought.
struct Worker {
    client: Client,
    counter: Arc<Counter>,
    tokens: Arc<Vec<Token>>,
    progress: ProgressBar,
    worked: Worked,
}

impl Worker {
    async fn work(mut self, from_book: Arc<Mutex<mpsc::Receiver<(usize, Basket)>>>) -> Worked {
        loop {
            let next = from_book.lock().await.recv().await;
            let Some((buyer, basket)) = next else {
                return self.worked;
            };
            // There is one account for each buyer, which was checked before.
            let Some(token) = self.tokens.get(buyer) else {
                continue;
            };
            let latency = &mut self.worked.latency;
            let purchase = self
                .counter
                .buy(&mut self.client, token, &basket, latency)
                .await;
            self.worked.note(buyer, basket, purchase);
            self.progress.inc(1);
        }
    }
}

impl Worked {
    fn new(latency: Latency) -> Self {
        Self {
            purchases: Purchases::default(),
            latency,
            answered: Vec::new(),
            paid: Vec::new(),
        }
    }

    fn note(&mut self, buyer: usize, basket: Basket, purchase: Purchase) {
        let Purchase {
            orders,
            unknown_codes,
            purchased,
        } = purchase;
        self.answered
            .extend(orders.into_iter().map(|order| (buyer, order)));
        for code in unknown_codes {
            self.purchases.note_unknown(code);
        }
        match purchased {
            Purchased::Paid { order, before } => {
                self.purchases.paid += 1;
                self.purchases.paid_before += u64::from(before);
                self.paid.push((buyer, order));
            }
            Purchased::Not { reason, detail } => {
                let Basket { invoice, line, .. } = basket;
                self.purchases.note_failed(Failed {
                    invoice,
                    line,
                    reason,
                    detail,
                });
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.purchases.add(other.purchases);
        self.latency.add(&other.latency);
        self.answered.extend(other.answered);
        self.paid.extend(other.paid);
    }
}

fn paid_orders(tokens: &[Token], paid: Vec<(usize, String)>) -> Vec<PaidOrder> {
    let orders = paid.into_iter().filter_map(|(buyer, order)| {
        let token = tokens.get(buyer)?.clone();
        Some(PaidOrder { token, order })
    });
    orders.collect()
}
