//! The crowd itself: every buyer tries once to buy within the deal, so many of them at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::RushError;
use super::client::{Client, Token};
use super::endpoint::Nodes;
use super::patience::{MOST_TRIES, Patience};
use super::payment::{self, Bill, Payment};
use super::requests::{self, Asked, Line, Order, UserError};
use super::tally::{Fate, Latency, Tally};

/// Everything that the buyers of a crowd share.
pub struct Crowd {
    pub nodes: Nodes,
    /// One for each buyer.
    pub buyers: Vec<Token>,
    pub run: Uuid,
    pub item_id: String,
    pub quantity: u32,
    /// Buyers at work at once.
    pub concurrency: usize,
    /// Buyers a second; as many as come through, without it.
    pub rate: Option<u32>,
    /// Whether they try again, under the same key.
    pub retries: bool,
    /// How many of a million orders are paid.
    pub paying_ppm: u64,
    pub payment_method: String,
    /// For one answer.
    pub timeout: Duration,
    /// For a payment to be decided.
    pub patience: Duration,
    pub progress: ProgressBar,
}

/// An order that was answered with ACCEPTED.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The buyer's place in the crowd.
    pub buyer: usize,
    /// The order's id.
    pub order: String,
}

/// What the crowd did.
pub struct Crowded {
    /// Every buyer once.
    pub orders: Tally,
    /// Every order that was to be paid, once; `accepted` are PAID.
    pub payments: Tally,
    pub latency: Latency,
    pub accepted: Vec<Accepted>,
    /// Accepted orders that were there already: an answer was lost and asked for again, or an earlier
    /// run of the same name placed them.
    pub replayed: u64,
    /// From the first request to the last answer to an order.
    pub took: Duration,
}

/// What one of the workers did.
struct Worked {
    tally: Tally,
    latency: Latency,
    accepted: Vec<Accepted>,
    replayed: u64,
}

/// Lets them loose, and waits for the last of them.
///
/// # Errors
/// None that a crowd can meet.
pub async fn let_loose(crowd: Arc<Crowd>) -> Result<Crowded, RushError> {
    let latency = Latency::new().map_err(|error| RushError::new(error.to_string()))?;
    let next: Arc<[AtomicUsize]> = crowd.nodes.iter().map(|_| AtomicUsize::new(0)).collect();
    // Every buyer has one order, so there is room for all of them.
    let (to_payers, orders) = mpsc::channel(crowd.buyers.len().max(1));
    let payers = hire_payers(&crowd, orders);
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    // Every node is gone to, however few they are.
    let fewest = crowd.nodes.count();
    for number in 0..crowd.concurrency.min(crowd.buyers.len()).max(fewest) {
        let worker = Worker {
            client: Client::new(Arc::clone(crowd.nodes.of(number)), crowd.timeout),
            node: number % crowd.nodes.count(),
            crowd: Arc::clone(&crowd),
            begun,
            to_payers: to_payers.clone(),
            worked: Worked {
                tally: Tally::default(),
                latency: latency.clone(),
                accepted: Vec::new(),
                replayed: 0,
            },
        };
        workers.spawn(worker.work(Arc::clone(&next)));
    }
    drop(to_payers);
    let mut crowded = Crowded {
        orders: Tally::default(),
        payments: Tally::default(),
        latency,
        accepted: Vec::new(),
        replayed: 0,
        took: Duration::ZERO,
    };
    for worked in workers.join_all().await {
        crowded.orders.add(worked.tally);
        crowded.latency.add(&worked.latency);
        crowded.accepted.extend(worked.accepted);
        crowded.replayed += worked.replayed;
    }
    crowded.took = begun.elapsed();
    for tally in payers.join_all().await {
        crowded.payments.add(tally);
    }
    Ok(crowded)
}

/// One connection, on which one buyer after the other has their turn.
struct Worker {
    client: Client,
    /// The number of the node at the other end.
    node: usize,
    crowd: Arc<Crowd>,
    begun: Instant,
    to_payers: mpsc::Sender<Accepted>,
    worked: Worked,
}

impl Worker {
    /// `next` counts, for each node, those of its buyers who had their turn.
    async fn work(mut self, next: Arc<[AtomicUsize]>) -> Worked {
        let crowd = Arc::clone(&self.crowd);
        loop {
            let turn = next[self.node].fetch_add(1, Ordering::Relaxed);
            let buyer = turn * crowd.nodes.count() + self.node;
            let Some(token) = crowd.buyers.get(buyer) else {
                return self.worked;
            };
            let due = crowd.due(self.begun, buyer);
            if let Some(due) = due {
                sleep_until(due).await;
            }
            let fate = self.buy(buyer, token, due).await;
            self.worked.tally.note(fate);
            crowd.progress.inc(1);
        }
    }

    async fn buy(&mut self, buyer: usize, token: &Token, due: Option<Instant>) -> Fate {
        let crowd = Arc::clone(&self.crowd);
        let lines = [Line {
            item_id: crowd.item_id.clone(),
            quantity: crowd.quantity,
        }];
        let key = crowd.key("order", buyer);
        let mut patience = crowd.patience(buyer);
        // What waits for its turn waits for an answer: a server that falls behind must not look
        // fast because fewer requests are sent to it.
        let mut begun = due.unwrap_or_else(Instant::now);
        loop {
            let asked = requests::place_order(&mut self.client, token, key, &lines).await;
            self.worked.tally.requests += 1;
            if asked.is_ok() {
                self.worked.latency.note(begun.elapsed());
            }
            let (fate, asked_for) = match asked {
                Ok(Asked::Done { order, replayed }) => {
                    return self.accept(buyer, order, replayed).await;
                }
                Ok(Asked::Refused(errors)) => match retry_after(&errors) {
                    Some(after) => (Fate::refused(&errors), Some(after)),
                    None => return Fate::refused(&errors),
                },
                Err(no_answer) if no_answer.is_retryable() => (Fate::of(&no_answer), None),
                Err(no_answer) => return Fate::of(&no_answer),
            };
            if !patience.wait(asked_for).await {
                return fate;
            }
            begun = Instant::now();
        }
    }

    async fn accept(&mut self, buyer: usize, order: Order, replayed: bool) -> Fate {
        let accepted = Accepted {
            buyer,
            order: order.id,
        };
        self.worked.replayed += u64::from(replayed);
        if self.crowd.pays(buyer) {
            // The channel holds as many as there are buyers, and its reader outlives all of them.
            let _ = self.to_payers.send(accepted.clone()).await;
        }
        self.worked.accepted.push(accepted);
        Fate::Accepted
    }
}

impl Crowd {
    /// When a buyer comes, if they come at a rate.
    fn due(&self, begun: Instant, buyer: usize) -> Option<Instant> {
        let rate = self.rate?.max(1);
        let nanos = u128::try_from(buyer).unwrap_or(0) * 1_000_000_000 / u128::from(rate);
        Some(begun + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// The same in every run of this name.
    fn key(&self, what: &str, buyer: usize) -> Uuid {
        Uuid::new_v5(&self.run, format!("{what} {buyer}").as_bytes())
    }

    fn patience(&self, buyer: usize) -> Patience {
        if self.retries {
            Patience::tries(MOST_TRIES, buyer as u64)
        } else {
            Patience::none()
        }
    }

    /// Spread evenly over the crowd.
    fn pays(&self, buyer: usize) -> bool {
        let paid_before = |buyer: u64| buyer * self.paying_ppm / 1_000_000;
        let buyer = buyer as u64;
        paid_before(buyer + 1) > paid_before(buyer)
    }
}

/// After what time all of what was refused may be sent again; nothing if something may not.
fn retry_after(errors: &[UserError]) -> Option<Duration> {
    let waits: Option<Vec<u64>> = errors.iter().map(|error| error.retry_after_ms).collect();
    waits?.into_iter().max().map(Duration::from_millis)
}

/// Those who pay, beside those who order: waiting for a payment must not hold up a buyer.
fn hire_payers(crowd: &Arc<Crowd>, orders: mpsc::Receiver<Accepted>) -> JoinSet<Tally> {
    /// Payments in flight at once, at most.
    const MOST_PAYERS: usize = 64;
    let orders = Arc::new(tokio::sync::Mutex::new(orders));
    let mut payers = JoinSet::new();
    for number in 0..crowd.concurrency.clamp(1, MOST_PAYERS) {
        let client = Client::new(Arc::clone(crowd.nodes.of(number)), crowd.timeout);
        payers.spawn(pay_orders(Arc::clone(crowd), client, Arc::clone(&orders)));
    }
    payers
}

async fn pay_orders(
    crowd: Arc<Crowd>,
    mut client: Client,
    orders: Arc<tokio::sync::Mutex<mpsc::Receiver<Accepted>>>,
) -> Tally {
    let mut tally = Tally::default();
    loop {
        let accepted = orders.lock().await.recv().await;
        let Some(Accepted { buyer, order }) = accepted else {
            return tally;
        };
        let Some(token) = crowd.buyers.get(buyer) else {
            continue;
        };
        let bill = Bill {
            order: &order,
            key: crowd.key("payment", buyer),
            method: &crowd.payment_method,
            deadline: Instant::now() + crowd.patience,
            seed: buyer as u64,
        };
        tally.note(match payment::pay(&mut client, token, &bill).await {
            Payment::Captured => Fate::Accepted,
            Payment::Not { state, .. } => Fate::Refused(state),
            Payment::Refused(errors) => Fate::refused(&errors),
            Payment::Undecided { state } => {
                let state = state.unwrap_or_else(|| "not started".to_owned());
                Fate::Transport(format!("undecided after all patience: {state}"))
            }
            Payment::NoAnswer(no_answer) => Fate::of(&no_answer),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(paying_ppm: u64, rate: Option<u32>) -> Crowd {
        Crowd {
            nodes: Nodes::parse(&["http://127.0.0.1:1/".to_owned()]).unwrap(),
            buyers: Vec::new(),
            run: Uuid::nil(),
            item_id: String::new(),
            quantity: 1,
            concurrency: 1,
            rate,
            retries: false,
            paying_ppm,
            payment_method: String::new(),
            timeout: Duration::from_secs(1),
            patience: Duration::from_secs(1),
            progress: ProgressBar::hidden(),
        }
    }

    #[test]
    fn a_share_of_the_crowd_pays_and_they_are_spread() {
        for (ppm, expected) in [
            (0, 0),
            (1_000_000, 100),
            (500_000, 50),
            (333_333, 33),
            (10_000, 1),
        ] {
            let crowd = crowd(ppm, None);
            assert_eq!(
                (0..100).filter(|buyer| crowd.pays(*buyer)).count(),
                expected,
                "{ppm}"
            );
        }
        let quarter = crowd(250_000, None);
        assert_eq!(
            (0..8)
                .filter(|buyer| quarter.pays(*buyer))
                .collect::<Vec<_>>(),
            [3, 7]
        );
    }

    #[test]
    fn buyers_come_at_their_rate() {
        let begun = Instant::now();
        let crowd = crowd(0, Some(2_000));
        assert_eq!(crowd.due(begun, 0), Some(begun));
        assert_eq!(
            crowd.due(begun, 3_000),
            Some(begun + Duration::from_millis(1_500))
        );
        assert_eq!(self::crowd(0, None).due(begun, 1), None);
    }

    #[test]
    fn keys_are_the_same_in_every_run_of_a_name_and_for_one_buyer_only() {
        let crowd = crowd(0, None);
        assert_eq!(crowd.key("order", 1), crowd.key("order", 1));
        assert_ne!(crowd.key("order", 1), crowd.key("order", 2));
        assert_ne!(crowd.key("order", 1), crowd.key("payment", 1));
    }
}
