//! What the book takes back, taken back: cancelled while the parcel is being prepared, returned once
//! it is delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::matching::{NotTaken, Taking};
use super::read_back::PaidOrder;
use crate::import::book_report::Sum;
use crate::rush::client::{Client, NoAnswer};
use crate::rush::patience::{Look, Patience};
use crate::rush::requests::{self, Asked, UserError};
use crate::rush::verify::Asking;

/// The most lines that a report lists.
const MOST_LISTED: usize = 1_000;

/// One order's units to take back.
pub struct Errand {
    pub paid: PaidOrder,
    /// With the number of the order's line, from 1.
    pub takings: Vec<(usize, Taking)>,
}

/// What became of all that the book takes back.
#[derive(Default)]
pub struct TakenBack {
    pub cancelled: Part,
    pub returned: Part,
    /// What the book has no sale for.
    pub without_sale: BTreeMap<NotTaken, Sum>,
    /// What could not be taken back, by reason.
    pub refused: BTreeMap<String, Part>,
    /// The first of them, at most [`MOST_LISTED`].
    pub listed: Vec<Refused>,
}

/// Lines of the book, by their numbers, and units of them. One line may be part of several.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Part {
    pub lines: BTreeSet<u64>,
    pub units: i64,
}

/// Units that could not be taken back.
pub struct Refused {
    pub taking: Taking,
    /// For people.
    pub detail: String,
}

/// How units were taken back.
#[derive(Clone, Copy)]
enum Way {
    Cancelled,
    Returned,
}

impl Part {
    fn note(&mut self, taking: &Taking) {
        self.lines.insert(taking.line);
        self.units += i64::from(taking.units);
    }

    fn add(&mut self, other: Self) {
        self.lines.extend(other.lines);
        self.units += other.units;
    }

    fn to_json(&self) -> Value {
        json!({ "lines": self.lines.len(), "units": self.units })
    }
}

impl TakenBack {
    /// Counts what could not be taken back.
    pub fn refuse(&mut self, taking: Taking, reason: &str, detail: String) {
        let part = self.refused.entry(reason.to_owned()).or_default();
        part.note(&taking);
        if self.listed.len() < MOST_LISTED {
            self.listed.push(Refused { taking, detail });
        }
    }

    fn add(&mut self, other: Self) {
        self.cancelled.add(other.cancelled);
        self.returned.add(other.returned);
        for (reason, part) in other.refused {
            self.refused.entry(reason).or_default().add(part);
        }
        let room = MOST_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
    }

    /// Whether all was taken back that the book has a sale for.
    pub fn is_clean(&self) -> bool {
        self.refused.is_empty()
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let line = |lines: u64, units: i64, what: &str| {
            format!("{lines:>9}  lines taken back, {units} units: {what}")
        };
        let count = |part: &Part| part.lines.len() as u64;
        let mut lines = vec![
            line(count(&self.cancelled), self.cancelled.units, "cancelled"),
            line(count(&self.returned), self.returned.units, "returned"),
        ];
        lines.extend(self.without_sale.iter().map(|(why, sum)| {
            let (units, reason) = (sum.units.unsigned_abs(), why.reason());
            format!(
                "{:>9}  lines not taken back, {units} units: {reason}",
                sum.lines
            )
        }));
        lines.extend(self.refused.iter().map(|(reason, part)| {
            let (count, units) = (count(part), part.units);
            format!("{count:>9}  lines could not be taken back, {units} units: {reason}")
        }));
        lines.extend(self.listed.iter().map(|Refused { taking, detail }| {
            let Taking {
                invoice,
                line,
                code,
                units,
                ..
            } = taking;
            format!("  invoice {invoice} (line {line}), {units} of {code}: {detail}")
        }));
        lines
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let without_sale = self.without_sale.iter().map(|(why, sum)| {
            let sum = json!({ "lines": sum.lines, "units": sum.units.unsigned_abs() });
            (why.code().to_owned(), sum)
        });
        let refused = self.refused.iter();
        let refused = refused.map(|(reason, part)| (reason.clone(), part.to_json()));
        let listed = self.listed.iter().map(|Refused { taking, detail }| {
            json!({
                "invoice": taking.invoice, "line": taking.line, "code": taking.code,
                "units": taking.units, "detail": detail,
            })
        });
        json!({
            "cancelled": self.cancelled.to_json(),
            "returned": self.returned.to_json(),
            "withoutSale": without_sale.collect::<serde_json::Map<_, _>>(),
            "refused": refused.collect::<serde_json::Map<_, _>>(),
            "refusedLines": listed.collect::<Vec<_>>(),
        })
    }
}

/// Takes everything back, what is of one order one after the other; added to what is known of it
/// already.
pub async fn take_back(
    asking: &Asking,
    run: Uuid,
    errands: Vec<Errand>,
    mut taken: TakenBack,
) -> TakenBack {
    let deadline = Instant::now() + asking.patience;
    let errands = Arc::new(errands);
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for number in 0..asking.concurrency.min(errands.len()) {
        let worker = Worker {
            client: Client::new(Arc::clone(asking.nodes.of(number)), asking.timeout),
            run,
            deadline,
            taken: TakenBack::default(),
        };
        workers.spawn(worker.work(Arc::clone(&errands), Arc::clone(&next)));
    }
    for part in workers.join_all().await {
        taken.add(part);
    }
    taken.listed.sort_by_key(|refused| refused.taking.line);
    taken
}

struct Worker {
    client: Client,
    run: Uuid,
    deadline: Instant,
    taken: TakenBack,
}

impl Worker {
    async fn work(mut self, errands: Arc<Vec<Errand>>, next: Arc<AtomicUsize>) -> TakenBack {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(Errand { paid, takings }) = errands.get(at) else {
                return self.taken;
            };
            for (line, taking) in takings {
                match self.take(paid, *line, taking).await {
                    Ok(Way::Cancelled) => self.taken.cancelled.note(taking),
                    Ok(Way::Returned) => self.taken.returned.note(taking),
                    Err((reason, detail)) => self.taken.refuse(taking.clone(), &reason, detail),
                }
            }
        }
    }

    /// Takes units back as the order allows, or why not.
    ///
    /// The cancellation is asked for first even of an order that was delivered long ago: an earlier
    /// run may have cancelled these units under the same key, which then says so.
    async fn take(
        &mut self,
        paid: &PaidOrder,
        line: usize,
        taking: &Taking,
    ) -> Result<Way, (String, String)> {
        let mut look = Look::new();
        let mut patience = Patience::until(self.deadline, taking.line);
        let mut way = Way::Cancelled;
        loop {
            let asked = self.ask(way, paid, line, taking).await;
            let (why, asked_for) = match asked {
                Ok(Asked::Done { .. }) => return Ok(way),
                Ok(Asked::Refused(errors)) if errors.iter().all(UserError::is_retryable) => {
                    let asked_for = errors.iter().filter_map(|error| error.retry_after_ms).max();
                    (refused(&errors), asked_for)
                }
                Ok(Asked::Refused(errors)) => {
                    let is_conflict = errors.iter().any(|error| error.code == "STATE_CONFLICT");
                    match way {
                        _ if !is_conflict => return Err(refused(&errors)),
                        // The parcel has left.
                        Way::Cancelled => way = Way::Returned,
                        // It has not arrived.
                        Way::Returned => {
                            if !look.again(self.deadline).await {
                                return Err(refused(&errors));
                            }
                        }
                    }
                    continue;
                }
                Err(no_answer) => {
                    let why = ("NO_ANSWER".to_owned(), no_answer.to_string());
                    if !no_answer.is_retryable() {
                        return Err(why);
                    }
                    (why, None)
                }
            };
            if !patience.wait(asked_for.map(Duration::from_millis)).await {
                return Err(why);
            }
        }
    }

    async fn ask(
        &mut self,
        way: Way,
        PaidOrder { token, order, .. }: &PaidOrder,
        line: usize,
        taking: &Taking,
    ) -> Result<Asked, NoAnswer> {
        let key = key(self.run, taking);
        let portion = (line, taking.units);
        match way {
            Way::Cancelled => {
                requests::cancel_line(&mut self.client, token, key, order, portion).await
            }
            Way::Returned => {
                requests::return_line(&mut self.client, token, key, order, portion).await
            }
        }
    }
}

/// The same in every run of a name. A cancellation and a return may have the same.
fn key(run: Uuid, taking: &Taking) -> Uuid {
    let Taking {
        invoice,
        line,
        part,
        ..
    } = taking;
    // The invoice comes last: whatever is in it can't be taken for what is before it.
    let name = format!("take-back {line} {part} {invoice}");
    Uuid::new_v5(&run, name.as_bytes())
}

fn refused(errors: &[UserError]) -> (String, String) {
    match errors.first() {
        Some(error) => (error.code.clone(), error.message.clone()),
        None => ("UNKNOWN".to_owned(), "refused without a reason".to_owned()),
    }
}
