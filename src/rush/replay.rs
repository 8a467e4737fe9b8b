//! A shop's own customers with their baskets: every invoice of an order book becomes an order, is
//! paid, and is read back; what is sold must be what the book sells, to the unit. What the book takes
//! back of it can be taken back first.

mod baskets;
mod book;
mod compare;
mod customers;
mod giving_back;
mod matching;
mod purchase;
mod read_back;
mod report;

use std::collections::{BTreeMap, HashMap};
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
use compare::Compared;
use customers::ByTheBook;
use giving_back::{Errand, TakenBack};
use matching::Matching;
use purchase::{Counter, Purchase, Purchased};
use read_back::PaidOrder;
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
    paid: Vec<Paid>,
}

/// A basket that was bought.
struct Paid {
    /// Its number.
    basket: u64,
    buyer: usize,
    order: String,
    /// Places of its lines that are not on the order: nothing in the catalogue has their codes.
    left_out: Vec<usize>,
}

/// What the book says, read while it was bought.
struct ReadBook {
    report: BookReport,
    units: ByTheBook,
    matching: Option<Matching>,
    /// Why it was not read to its end, if it was not.
    broken_off: Option<String>,
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
    let codes: Vec<&str> = book.codes.iter().map(String::as_str).collect();
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
    let mut baskets = book.open()?;
    baskets.matching = args.take_back.then(Matching::default);
    let tokens = Arc::new(tokens);
    let begun = Instant::now();
    let (mut read, mut all) = buy_all(means, &book, baskets, (&counter, &tokens), latency).await;
    let took = begun.elapsed();
    all.purchases.broken_off = read.broken_off.take();
    all.purchases.listed.sort_by_key(|failed| failed.line);
    let asking = means.asking();
    let taken_back = match read.matching.take() {
        None => None,
        Some(matching) => {
            let (errands, unbought) = errands(matching, &book, &all.paid, &tokens, &mut read.units);
            Some(giving_back::take_back(&asking, run, errands, unbought).await)
        }
    };
    let verified = verify::verify(
        &asking,
        verify::by_buyer(&tokens, all.answered),
        means.progress("asking after", 0),
    )
    .await;
    let paid = all.paid.iter().filter_map(|paid| paid.of(&tokens));
    let sold = read_back::read_back(&asking, paid.collect()).await;
    Ok(Replayed {
        book: read.report,
        purchases: all.purchases,
        latency: all.latency,
        took,
        taken_back,
        compared: Compared::new(sold, &read.units, &counter.items, &book.buyers()),
        verified,
    })
}

/// Buys all baskets, as many at once as there are connections.
async fn buy_all(
    means: &Means,
    book: &Book,
    baskets: Baskets,
    (counter, tokens): (&Arc<Counter>, &Arc<Vec<Token>>),
    latency: Latency,
) -> (ReadBook, Worked) {
    let progress = means.progress("buying", book.baskets);
    // As many wait as are being bought.
    let (to_workers, from_book) = mpsc::channel(means.concurrency);
    let from_book = Arc::new(Mutex::new(from_book));
    let mut workers = JoinSet::new();
    for number in 0..means.concurrency {
        let worker = Worker {
            client: means.client_of(number),
            counter: Arc::clone(counter),
            tokens: Arc::clone(tokens),
            progress: progress.clone(),
            worked: Worked::new(latency.clone()),
        };
        workers.spawn(worker.work(Arc::clone(&from_book)));
    }
    let read = hand_out(book, baskets, to_workers).await;
    let mut all = Worked::new(latency);
    for worked in workers.join_all().await {
        all.add(worked);
    }
    progress.finish_and_clear();
    (read, all)
}

/// What is to be taken back, by order, and taken from what the book leaves with its customers; what
/// can't be, since it was not bought.
fn errands(
    matching: Matching,
    book: &Book,
    paid: &[Paid],
    tokens: &[Token],
    units: &mut ByTheBook,
) -> (Vec<Errand>, TakenBack) {
    let places: HashMap<u64, &Paid> = paid.iter().map(|paid| (paid.basket, paid)).collect();
    let mut errands: BTreeMap<u64, Errand> = BTreeMap::new();
    let mut unbought = TakenBack {
        without_sale: matching.not_taken,
        ..Default::default()
    };
    for (customer, taking) in matching.takings {
        if let Some(buyer) = book.customer(&customer)
            && let Some(left) = units.get_mut(&(buyer, taking.code.clone()))
        {
            *left -= i64::from(taking.units);
        }
        let place = places.get(&taking.basket);
        let line = place.and_then(|paid| paid.line(taking.at));
        let order = place.and_then(|paid| paid.of(tokens));
        match (line, order) {
            (Some(line), Some(paid)) => {
                let takings = Vec::new();
                let errand = errands.entry(taking.basket);
                let errand = errand.or_insert(Errand { paid, takings });
                errand.takings.push((line, taking));
            }
            _ => unbought.refuse(taking, "NOT_BOUGHT", "it was not bought".to_owned()),
        }
    }
    (errands.into_values().collect(), unbought)
}

impl Paid {
    fn of(&self, tokens: &[Token]) -> Option<PaidOrder> {
        Some(PaidOrder {
            token: tokens.get(self.buyer)?.clone(),
            buyer: self.buyer,
            order: self.order.clone(),
        })
    }

    /// The number on the order, from 1, of the basket's line at this place.
    fn line(&self, at: usize) -> Option<usize> {
        if self.left_out.contains(&at) {
            return None;
        }
        let before = self.left_out.iter().filter(|left_out| **left_out < at);
        Some(at + 1 - before.count())
    }
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

/// Hands the baskets to the workers, in the order of the book.
async fn hand_out(
    book: &Book,
    mut baskets: Baskets,
    to_workers: mpsc::Sender<(usize, Basket)>,
) -> ReadBook {
    let mut units = ByTheBook::new();
    let broken_off = loop {
        match baskets.next_basket() {
            Ok(Some(basket)) => {
                let buyer = book.buyer(&basket);
                for (code, bought) in &basket.lines {
                    *units.entry((buyer, code.clone())).or_default() += i64::from(*bought);
                }
                if to_workers.send((buyer, basket)).await.is_err() {
                    break Some("nobody is left to buy".to_owned());
                }
            }
            Ok(None) => break None,
            Err(unreadable) => break Some(unreadable.to_string()),
        }
    };
    ReadBook {
        report: baskets.report,
        units,
        matching: baskets.matching,
        broken_off,
    }
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
            let left_out = self.counter.left_out(&basket);
            self.worked.note(buyer, basket, purchase, left_out);
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

    fn note(&mut self, buyer: usize, basket: Basket, purchase: Purchase, left_out: Vec<usize>) {
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
                self.paid.push(Paid {
                    basket: basket.number,
                    buyer,
                    order,
                    left_out,
                });
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
