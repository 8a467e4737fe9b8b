//! One order of two lines, its stock, its provider, and a record of what was done to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::batch::{BatchView, Room, decide};
use domain::event::{OrderEvent, What};
use domain::message::{Draft, OrderRecord, Verdict};
use domain::movement::Cause;
use domain::order::{Change, Order, OrderStatus, Transition};
use domain::stock::{Stock, StockMove};
use domain::{AdmissionId, ItemId, OrderId, RefundId, Timestamp};
use uuid::Uuid;

use crate::act::{Act, Portions};
use crate::ledger;
use crate::setup::{Copy, HOLD_MS, ITEMS, LINES, TIMES, day_of, item, record};

/// What the provider did with an attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct AtProvider {
    pub took: bool,
    pub said_no: bool,
}

/// What became of a return.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    Open { since: i64 },
    Settled,
}

#[derive(Clone)]
pub struct World {
    pub records: Arc<Vec<OrderRecord>>,
    /// Which of [`TIMES`] it is.
    pub time: usize,
    pub order: Option<Order>,
    pub counted: BTreeSet<AdmissionId>,
    pub stock: [Stock; ITEMS],
    /// By the place of the payment.
    pub provider: Vec<AtProvider>,
    /// Refunds that the provider gave.
    pub given: BTreeSet<RefundId>,
    // What was done, as whoever did it would tell it.
    pub due: Option<Timestamp>,
    pub cancelled: [u32; LINES],
    pub returned: [u32; LINES],
    pub by_hand: i64,
    pub by_hands: usize,
    /// On which day each came about.
    pub paid: Option<i64>,
    pub delivered: Option<i64>,
    pub returns: Vec<(Standing, [u32; LINES])>,
}

impl World {
    /// A log with these records, and so many units of each item.
    pub fn new(copies: &[Copy], units: [i64; ITEMS]) -> Self {
        let records = copies.iter().copied().map(record).collect();
        Self {
            records: Arc::new(records),
            time: 0,
            order: None,
            counted: BTreeSet::new(),
            stock: units.map(|total| Stock::new(total).unwrap()),
            provider: Vec::new(),
            given: BTreeSet::new(),
            due: None,
            cancelled: [0; LINES],
            returned: [0; LINES],
            by_hand: 0,
            by_hands: 0,
            paid: None,
            delivered: None,
            returns: Vec::new(),
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_timestamp_millis(TIMES[self.time]).unwrap()
    }

    /// Does an act; `None` where it moves nothing.
    pub fn after(&self, act: Act) -> Option<Self> {
        match act {
            Act::Write(at) => self.after_writing(at),
            Act::Take(_) | Act::SayNo(_) | Act::Give(_) | Act::Wait => {
                self.allows(act).then(|| self.after_outside(act))
            }
            _ => {
                let steps = self.steps(act);
                let next = self.after_steps(act, &steps);
                let by_clock = steps.iter().all(|step| step.guard.deadline.is_some());
                assert!(next.is_some() || by_clock, "{act:?} comes to nothing");
                next
            }
        }
    }

    /// What is not the ledger's.
    fn after_outside(&self, act: Act) -> Self {
        let mut next = self.clone();
        match act {
            Act::Take(at) => next.provider[at].took = true,
            Act::SayNo(at) => next.provider[at].said_no = true,
            Act::Give(at) => {
                let id = next.order.as_ref().unwrap().refunds[at].id;
                next.given.insert(id);
            }
            Act::Wait => next.time += 1,
            other => unreachable!("{other:?} is the ledger's"),
        }
        next
    }

    /// Commits what was decided for an act, now or earlier: at most one of the steps goes through.
    pub fn after_steps(&self, act: Act, steps: &[Transition]) -> Option<Self> {
        let order = self.order.as_ref()?;
        let mut through = steps.iter().filter_map(|step| {
            let next = ledger::commit(order, step, self.now())?;
            Some((next, step))
        });
        let (order, step) = through.next()?;
        assert!(through.next().is_none(), "{act:?} goes two ways");
        let mut next = self.clone();
        next.note(act, step);
        next.order = Some(order);
        assert!(
            steps
                .iter()
                .all(|step| !ledger::holds(next.order.as_ref().unwrap(), step, self.now())),
            "{act:?} is done once"
        );
        Some(next)
    }

    /// Notes what was done, and what follows from it outside the order.
    fn note(&mut self, act: Act, step: &Transition) {
        check_event(step);
        for units in &step.released {
            let at = (0..ITEMS).find(|at| item(*at) == units.item).unwrap();
            let mut moved = StockMove::default();
            moved.release(units.count);
            self.stock[at] = self.stock[at].after(moved);
        }
        if self.paid.is_none() && step.next.status() == OrderStatus::Paid {
            // As of when it was decided, however long that took to be written.
            self.paid = Some(day_of(step.event.at));
        }
        match act {
            Act::Pay => self.provider.push(AtProvider::default()),
            Act::Cancel(named) => {
                let taken = meant(named, self.kept());
                add(&mut self.cancelled, taken);
            }
            Act::Deliver => self.delivered = Some(self.day()),
            Act::AskReturn(named) => {
                let asked = meant(named, self.unasked());
                let since = self.day();
                self.returns.push((Standing::Open { since }, asked));
            }
            Act::CompleteReturn(at) | Act::ApproveReturn(at) => {
                let back = self.returns[at].1;
                self.returns[at].0 = Standing::Settled;
                add(&mut self.returned, back);
            }
            Act::RejectReturn(at) => self.returns[at].0 = Standing::Settled,
            Act::RefundByHand(amount) => {
                self.by_hand += amount;
                self.by_hands += 1;
            }
            _ => {}
        }
    }

    /// The order writer's transaction.
    fn after_writing(&self, at: usize) -> Option<Self> {
        let orders = self.order.iter().map(|order| order.id).collect();
        let room = |stock: &Stock| Room {
            available: stock.available(),
            limit: None,
            counts_buyers: false,
        };
        let stock = self.stock.iter().enumerate();
        let stock: BTreeMap<ItemId, Room> = stock.map(|(at, of)| (item(at), room(of))).collect();
        let view = BatchView {
            orders,
            admissions: self.counted.iter().copied().collect(),
            stock,
            holdings: HashMap::new(),
        };
        self.check_rival(&view, at);
        // Twice in one batch is once.
        let records = [self.records[at].clone(), self.records[at].clone()];
        let decision = decide(view, &records, self.now(), HOLD_MS);
        let mut next = self.clone();
        next.counted
            .extend(decision.admissions.iter().map(|(id, _)| *id));
        for (id, moved) in &decision.stock {
            let at = (0..ITEMS).find(|at| item(*at) == *id).unwrap();
            next.stock[at] = next.stock[at].after(*moved);
        }
        assert_eq!(decision.orders.len(), decision.events.len());
        assert!(decision.orders.len() <= 1, "written twice");
        let is_new = !decision.orders.is_empty();
        for order in decision.orders {
            assert!(next.order.is_none(), "written again");
            next.due = order.payment_due_at();
            let fits = (0..ITEMS).all(|at| self.stock[at].available() >= 2);
            let gets = self.records[at].verdict == Verdict::Accepted && fits;
            let expected = if gets {
                OrderStatus::PendingPayment
            } else {
                OrderStatus::Rejected
            };
            assert_eq!(order.status(), expected);
            next.order = Some(order);
        }
        let moved = is_new || next.counted != self.counted;
        moved.then_some(next)
    }

    /// Somebody else's order of the same units in the same batch gets what is left, if it is enough.
    fn check_rival(&self, view: &BatchView, at: usize) {
        let mine = &self.records[at];
        let mut rival = record(Copy::Accepted(9));
        let of_somebody_else = Draft {
            order: OrderId(Uuid::from_u128(9)),
            ..Draft::clone(&rival.draft)
        };
        rival.draft = Arc::new(of_somebody_else);
        let records = [mine.clone(), rival];
        let decision = decide(view.clone(), &records, self.now(), HOLD_MS);
        for (at, stock) in self.stock.iter().enumerate() {
            let moved = decision.stock.get(&item(at));
            let held = moved.map_or(0, |moved| moved.held);
            assert!(stock.held + held <= stock.total, "units that are not there");
        }
    }
}

/// An event says what its step does, to whoever acts on it.
fn check_event(step: &Transition) {
    let What::Order {
        version, happened, ..
    } = &step.event.what
    else {
        panic!("{:?} is no event of an order", step.event)
    };
    assert_eq!(*version, step.next.version);
    let asked = match &step.refund {
        Some(Change::Insert(refund)) => Some(refund.id),
        Some(Change::Move { .. }) | None => None,
    };
    assert_eq!(
        happened.refund_asked(),
        asked,
        "who asks for the refund of {happened:?}"
    );
    let is_explained = Cause::of_release(happened).is_some();
    assert_eq!(
        is_explained,
        !step.released.is_empty(),
        "why units move with {happened:?}"
    );
    if let OrderEvent::LinesCancelled { .. } = happened {
        assert!(step.next.status().holds());
    }
}

/// The units of each line that are meant: those that are named, or all that are left.
fn meant(named: Portions, left: [u32; LINES]) -> [u32; LINES] {
    if named.is_empty() {
        return left;
    }
    let mut units = [0; LINES];
    for (line, count) in named {
        units[usize::try_from(*line).unwrap()] += u32::try_from(*count).unwrap();
    }
    units
}

fn add(to: &mut [u32; LINES], units: [u32; LINES]) {
    for (to, units) in to.iter_mut().zip(units) {
        *to += units;
    }
}
