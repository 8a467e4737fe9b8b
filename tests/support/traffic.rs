//! Buyers who order all the time, and send what gets no answer again under the same key.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::caller::{Caller, NoAnswer, code, codes, fresh_key};
use super::shopping::line;
use super::{DECIDED, Server, until};

/// Before the same request is sent again.
const AGAIN: Duration = Duration::from_millis(20);
/// Orders that are looked at together once all is over.
const CHECKS: usize = 8;

/// What a buyer did with an order after it was accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    Nothing,
    Cancelled,
    Paid(&'static str),
}

impl Then {
    /// The state that it comes to.
    fn state(self) -> &'static str {
        match self {
            Self::Nothing | Self::Paid("tok_decline") => "PENDING_PAYMENT",
            Self::Cancelled => "CANCELLED",
            Self::Paid(_) => "PAID",
        }
    }

    /// Something else from one order to the next.
    fn of(number: usize) -> Self {
        match number % 7 {
            0 => Self::Paid("tok_approve"),
            1 => Self::Paid("tok_timeout_then_approve"),
            2 => Self::Paid("tok_decline"),
            3 => Self::Paid("tok_answer_twice"),
            4 => Self::Cancelled,
            _ => Self::Nothing,
        }
    }
}

/// Who orders what.
#[derive(Clone)]
pub struct Crowd {
    pub buyers: Vec<Caller>,
    pub items: Vec<String>,
    /// How many orders each of them is at, at once.
    pub each: usize,
    /// Between two orders of one.
    pub pause: Duration,
    /// Whether each takes one unit after the other and does nothing with it, until everything is
    /// sold.
    pub only_orders: bool,
}

/// An order that was answered.
pub struct Answered {
    pub buyer: Caller,
    pub key: String,
    pub lines: Vec<Value>,
    pub id: String,
    pub then: Then,
}

/// What was met on the way to the answers.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    /// Refusals that ask to try again.
    pub again: usize,
    /// Faults that say the same request may succeed later; any other ends the test.
    pub faults: usize,
    /// Changes of orders that nobody knew for the moment: a gate that forgot them, and a ledger that
    /// did not have them yet.
    pub unknown: usize,
    /// Connections that were not to be had.
    pub unreachable: usize,
    /// Connections that ended instead of an answer.
    pub broken: Vec<String>,
    /// The longest time that one request took to its answer, whatever it was.
    pub slowest: Duration,
}

/// A crowd at work.
pub struct Traffic {
    /// Where the servers are; they may move with every start.
    urls: watch::Sender<Vec<String>>,
    book: Arc<Mutex<Book>>,
    buyers: Vec<tokio::task::JoinHandle<()>>,
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Book {
    answered: Vec<Answered>,
    tally: Tally,
}

impl Traffic {
    pub fn start(crowd: &Crowd) -> Self {
        let (urls, at) = watch::channel(vec![crowd.buyers[0].url().to_owned()]);
        let (ended, end) = watch::channel(false);
        let book = Arc::new(Mutex::new(Book::default()));
        let buyers = crowd
            .buyers
            .iter()
            .flat_map(|buyer| vec![buyer; crowd.each])
            .map(|caller| {
                let buyer = Buyer {
                    caller: caller.clone(),
                    urls: at.clone(),
                    crowd: crowd.clone(),
                    book: Arc::clone(&book),
                };
                tokio::spawn(buyer.order_until(end.clone()))
            });
        Self {
            urls,
            buyers: buyers.collect(),
            book,
            ended,
        }
    }

    /// How many orders were accepted so far.
    pub fn answered(&self) -> usize {
        self.book.lock().unwrap().answered.len()
    }

    /// Waits until so many more orders are answered.
    pub async fn goes_on(&self, orders: usize) {
        let before = self.answered();
        until("more orders", || async {
            (self.answered() >= before + orders).then_some(())
        })
        .await;
    }

    pub fn moves_to(&self, servers: &[&str]) {
        let urls = servers.iter().map(|url| (*url).to_owned()).collect();
        self.urls.send_replace(urls);
    }

    /// Lets everybody finish what they are at.
    pub async fn end(self) -> (Vec<Answered>, Tally) {
        self.ended.send_replace(true);
        self.sold_out().await
    }

    /// Waits until nobody wants anything any more.
    pub async fn sold_out(self) -> (Vec<Answered>, Tally) {
        for buyer in self.buyers {
            buyer.await.unwrap();
        }
        let book = Arc::into_inner(self.book).unwrap().into_inner().unwrap();
        (book.answered, book.tally)
    }
}

/// What a buyer asks for, again and again until there is an answer.
enum Ask<'a> {
    Place(&'a [Value]),
    Pay(&'a str, &'static str),
    Cancel(&'a str),
}

struct Buyer {
    caller: Caller,
    urls: watch::Receiver<Vec<String>>,
    crowd: Crowd,
    book: Arc<Mutex<Book>>,
}

impl Buyer {
    async fn order_until(self, ended: watch::Receiver<bool>) {
        for number in 0.. {
            if *ended.borrow() {
                return;
            }
            let key = fresh_key();
            let lines = self.lines(number);
            let payload = self.insist(&Ask::Place(&lines), &key).await;
            if code(&payload) == Some("OUT_OF_STOCK") && self.crowd.only_orders {
                return;
            }
            assert_eq!(code(&payload), None, "{payload}");
            let id = payload["order"]["id"].as_str().unwrap().to_owned();
            let then = self.then(number, &id).await;
            let buyer = self.caller.clone();
            self.book.lock().unwrap().answered.push(Answered {
                buyer,
                key,
                lines,
                id,
                then,
            });
            sleep(self.crowd.pause).await;
        }
    }

    /// One of something, or two of everything.
    fn lines(&self, number: usize) -> Vec<Value> {
        let items = &self.crowd.items;
        if number.is_multiple_of(4) && !self.crowd.only_orders {
            return items.iter().map(|item| line(item, 2)).collect();
        }
        vec![line(&items[number % items.len()], 1)]
    }

    /// Pays or cancels, or does neither.
    async fn then(&self, number: usize, id: &str) -> Then {
        let then = if self.crowd.only_orders {
            Then::Nothing
        } else {
            Then::of(number)
        };
        let ask = match then {
            Then::Nothing => return then,
            Then::Cancelled => Ask::Cancel(id),
            Then::Paid(method) => Ask::Pay(id, method),
        };
        let payload = self.insist(&ask, &fresh_key()).await;
        assert_eq!(code(&payload), None, "{payload}");
        then
    }

    /// Asks, each time at another server, until there is an answer other than *try again*.
    async fn insist(&self, ask: &Ask<'_>, key: &str) -> Value {
        let insisting = async {
            for number in 0.. {
                let url = {
                    let urls = self.urls.borrow();
                    urls[number % urls.len()].clone()
                };
                if let Some(payload) = self.try_once(&url, ask, key).await {
                    return payload;
                }
                sleep(AGAIN).await;
            }
            unreachable!("there is always another try")
        };
        let answer = tokio::time::timeout(DECIDED, insisting).await;
        answer.expect("an answer in time")
    }

    async fn try_once(&self, url: &str, ask: &Ask<'_>, key: &str) -> Option<Value> {
        let caller = self.caller.at(url);
        let asked_at = Instant::now();
        let asked = match ask {
            Ask::Place(lines) => caller.try_place(key, lines).await,
            Ask::Pay(id, method) => caller.try_pay(key, id, method).await,
            Ask::Cancel(id) => caller.try_cancel(key, id).await,
        };
        let tally = &mut self.book.lock().unwrap().tally;
        tally.slowest = tally.slowest.max(asked_at.elapsed());
        match asked {
            Ok(payload) if codes(&payload) == ["TRY_AGAIN"] => tally.again += 1,
            Ok(payload) if codes(&payload) == ["NOT_FOUND"] => tally.unknown += 1,
            Ok(payload) => return Some(payload),
            Err(fault @ NoAnswer::Fault(_)) => {
                assert!(fault.is_retryable_fault(), "{fault:?}");
                tally.faults += 1;
            }
            Err(NoAnswer::Connection(error)) if error.is_connect() => tally.unreachable += 1,
            Err(NoAnswer::Connection(error)) => {
                assert!(!error.is_timeout(), "{error:?}");
                tally.broken.push(format!("{error:?}"));
            }
        }
        None
    }
}

/// Every order that was answered, once it is settled; the same key still finds it.
pub async fn settled(server: &Server, answered: &[Answered]) -> Vec<Value> {
    let orders = stream::iter(answered).map(|answered| async move {
        let buyer = answered.buyer.at(server.url());
        let is_settled = |order: &Value| !["ACCEPTED", "PAYING"].contains(&state(order));
        let order = buyer.until_order(&answered.id, "settled", is_settled).await;
        let again = buyer.place_under(&answered.key, &answered.lines).await;
        assert_eq!(code(&again), None, "{again}");
        assert_eq!(again["order"]["id"], answered.id);
        assert_eq!(again["replayed"], true);
        order
    });
    orders.buffered(CHECKS).collect().await
}

/// Holds everything that was answered against what is there now: items that had so many units each.
pub async fn verify(server: &Server, items: &[String], total: i64, answered: &[Answered]) {
    let mut sold = vec![0; items.len()];
    for Answered { lines, then, .. } in answered {
        for line in lines.iter().filter(|_| *then != Then::Cancelled) {
            let item = items.iter().position(|item| *item == line["itemId"]);
            sold[item.unwrap()] += line["quantity"].as_i64().unwrap();
        }
    }
    for (answered, order) in answered.iter().zip(settled(server, answered).await) {
        assert_eq!(state(&order), answered.then.state(), "{order}");
    }
    for (item, sold) in items.iter().zip(sold) {
        let anybody = server.anybody();
        anybody.until_available(item, total - sold).await;
        assert_eq!(anybody.item(item).await["stock"]["total"], total);
    }
}

fn state(order: &Value) -> &str {
    order["state"].as_str().unwrap_or("not there")
}
