//! Letters over a real ledger and a mailer that behaves as it is told: who gets which, and each once.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "each test binary uses its part of the bench")]
mod stores {
    pub mod bench;
    pub mod sqlite;
}
#[path = "support/ports.rs"]
mod support;

use std::sync::{Arc, Mutex};

use adapters::clock::ManualClock;
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::account::Account;
use domain::event::{AccountEvent, Event, OrderEvent};
use domain::order::Order;
use domain::policy::ReturnPolicy;
use domain::ports::mail::{Content, Letter};
use domain::ports::{Mailer, Ports};
use domain::use_cases::forget::forget;
use domain::use_cases::send_letters::{asks_for_a_letter, send_letters};
use domain::verification::{Purpose, Verification};
use domain::{EventId, Fault, FaultKind, Language, RefundId, VerificationId};
use stores::bench::{Bench, account, at, buyer, calendar, email, id, new_ids, record};
use stores::sqlite;
use tempfile::TempDir;

/// What becomes of letters, by their address.
#[derive(Default)]
struct Post {
    taken: Mutex<Vec<Letter>>,
    /// How often this address is still answered *later*.
    later: Mutex<Option<(&'static str, u32)>>,
    /// The address that is refused for good.
    gone: Mutex<Option<&'static str>>,
}

#[async_trait]
impl Mailer for Post {
    async fn send(&self, letter: &Letter) -> Result<(), Fault> {
        const DOING: &str = "sending a letter";
        if let Some((to, left)) = self.later.lock().unwrap().as_mut()
            && letter.to.as_str() == *to
            && *left > 0
        {
            *left -= 1;
            return Err(Fault::unavailable(DOING, "later"));
        }
        if *self.gone.lock().unwrap() == Some(letter.to.as_str()) {
            return Err(Fault::corrupt(DOING, "nobody here"));
        }
        self.taken.lock().unwrap().push(letter.clone());
        Ok(())
    }
}

impl Post {
    /// What was taken for an address: each letter's id and what it tells, in short.
    fn to(&self, address: &str) -> Vec<(uuid::Uuid, &'static str)> {
        let taken = self.taken.lock().unwrap();
        let theirs = taken.iter().filter(|letter| letter.to.as_str() == address);
        theirs
            .map(|letter| (letter.id, told(&letter.content)))
            .collect()
    }
}

fn told(content: &Content) -> &'static str {
    match content {
        Content::Code { .. } => "code",
        Content::KnownAddress => "known",
        Content::PasswordChanged => "password",
        Content::SecondFactorSet { .. } => "factor",
        Content::OrderPaid { .. } => "paid",
        Content::OrderCancelled { .. } => "cancelled",
        Content::PartCancelled { .. } => "part cancelled",
        Content::Refunded { .. } => "refunded",
        Content::Dispatched { .. } => "dispatched",
        Content::Delivered { .. } => "delivered",
        Content::ReturnCompleted { .. } => "returned",
    }
}

struct Shop {
    bench: Bench,
    post: Arc<Post>,
    clock: Arc<ManualClock>,
    ports: Ports,
    _folder: TempDir,
}

const KIM: &str = "kim@example.com";
const LEE: &str = "lee@example.com";

async fn open() -> Shop {
    let (bench, folder) = sqlite::open().await;
    let clock = Arc::new(ManualClock::new(at(1_000)));
    let post = Arc::new(Post::default());
    let returns = ReturnPolicy {
        days_to_request: 7,
        days_to_complete: 1,
    };
    let rules = support::policies(calendar(), returns);
    let ports = support::ports((&bench, &folder), clock.clone(), post.clone(), rules).await;
    let kim = Account {
        language: Language::Korean,
        ..account(1, KIM)
    };
    let crowd = Account {
        rehearsal: true,
        ..account(3, "crowd@example.test")
    };
    let accounts = [kim, account(2, LEE), crowd];
    assert!(bench.accounts.create(&accounts).await.unwrap());
    Shop {
        bench,
        post,
        clock,
        ports,
        _folder: folder,
    }
}

impl Shop {
    /// An order that was paid, dispatched and delivered.
    async fn delivered(&self, number: u128, buyer: u128) -> Order {
        let item = self.bench.general(number, 10).await;
        let paid = self.bench.paid(number, buyer, item).await;
        let tracking = "123456789012".to_owned();
        let step = paid.dispatch(tracking, &calendar(), at(1_030)).unwrap();
        let sent = self.bench.done(&step).await;
        self.bench.done(&sent.deliver(at(2_040)).unwrap()).await
    }

    /// An order that was paid, cancelled and refunded.
    async fn refunded(&self, number: u128, buyer: u128) -> Order {
        let item = self.bench.general(number, 10).await;
        let paid = self.bench.paid(number, buyer, item).await;
        let refund = RefundId(id(6, number + 500));
        let cancelled = self
            .bench
            .done(&paid.cancel(&[], refund, at(30)).unwrap())
            .await;
        let step = cancelled.refunded(refund, at(40)).unwrap();
        self.bench.done(&step).await
    }

    /// Every event so far.
    async fn events(&self) -> Vec<Event> {
        self.bench.pending(10_000).await
    }

    async fn send(&self, events: &[Event]) -> Result<(), FaultKind> {
        let sent = send_letters(&self.ports, events).await;
        sent.map_err(|fault| fault.kind)
    }

    fn letter(&self, to: &str, what: &str) -> Letter {
        let taken = self.post.taken.lock().unwrap();
        let is_it = |letter: &&Letter| letter.to.as_str() == to && told(&letter.content) == what;
        taken.iter().find(is_it).expect(what).clone()
    }
}

#[tokio::test]
async fn every_event_has_one_letter_however_often_it_is_told() {
    let shop = open().await;
    let delivered = shop.delivered(1, 1).await;
    let refunded = shop.refunded(2, 2).await;
    let events = shop.events().await;
    let twice = [events.clone(), events.clone()].concat();
    shop.send(&twice).await.unwrap();
    shop.send(&events).await.unwrap();
    for event in &events {
        shop.send(std::slice::from_ref(event)).await.unwrap();
    }

    let told = |address| {
        let letters = shop.post.to(address).into_iter();
        letters.map(|(_, what)| what).collect::<Vec<_>>()
    };
    assert_eq!(told(KIM), ["paid", "dispatched", "delivered"]);
    assert_eq!(told(LEE), ["paid", "cancelled", "refunded"]);
    let asked = events.iter().filter(|event| asks_for_a_letter(event));
    let mut asked: Vec<_> = asked.map(|event| event.id.0).collect();
    let taken = [shop.post.to(KIM), shop.post.to(LEE)].concat();
    let mut ids: Vec<_> = taken.iter().map(|(id, _)| *id).collect();
    asked.sort_unstable();
    ids.sort_unstable();
    assert_eq!(ids, asked, "a letter is named by its event");

    let letter = shop.letter(KIM, "delivered");
    assert!(letter.language == Language::Korean);
    let on = at(40).date_naive();
    let number = delivered.id.number();
    // A day of this calendar is a second.
    let until = at(7_999).date_naive();
    assert!(
        letter.content
            == Content::Delivered {
                number,
                delivered_on: on,
                return_until: until
            }
    );
    let letter = shop.letter(LEE, "cancelled");
    assert!(letter.language == Language::English);
    let Content::OrderCancelled { bill, refund } = letter.content else {
        panic!("it says so");
    };
    assert_eq!(refund, Some(refunded.total));
    assert_eq!(bill.number, refunded.id.number());
    let line = &bill.lines[0];
    assert_eq!((line.item.as_str(), line.quantity), ("Item 2", 1));
    assert_eq!((line.amount, bill.total), (refunded.total, refunded.total));
}

#[tokio::test]
async fn a_rehearsal_and_whoever_is_gone_get_none() {
    let shop = open().await;
    shop.delivered(1, 3).await;
    shop.refunded(2, 99).await;
    // Nobody paid it: nothing that anybody is written to about.
    let item = shop.bench.general(3, 10).await;
    shop.bench.write(&[record(3, 1, &[(item, 1)])]).await;
    shop.send(&shop.events().await).await.unwrap();
    assert!(shop.post.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_letter_that_was_not_taken_is_sent_again_and_no_other_is() {
    let shop = open().await;
    shop.delivered(1, 1).await;
    shop.refunded(2, 2).await;
    let events = shop.events().await;
    *shop.post.later.lock().unwrap() = Some((LEE, 2));
    for _ in 0..2 {
        assert_eq!(shop.send(&events).await, Err(FaultKind::Unavailable));
        assert_eq!(shop.post.to(KIM).len(), 3, "others have theirs");
        // Nobody hears of a refund before they hear that it was cancelled.
        assert_eq!(shop.post.to(LEE).len(), 0);
    }
    shop.send(&events).await.unwrap();
    assert_eq!(shop.post.to(KIM).len(), 3);
    assert_eq!(shop.post.to(LEE).len(), 3);

    let shop = open().await;
    shop.delivered(1, 1).await;
    shop.refunded(2, 2).await;
    *shop.post.gone.lock().unwrap() = Some(LEE);
    let events = shop.events().await;
    assert_eq!(shop.send(&events).await, Err(FaultKind::Corrupt));
    assert_eq!(shop.post.to(KIM).len(), 3);
}

#[tokio::test]
async fn what_is_long_ago_has_no_letter_and_is_forgotten() {
    const DAY_MS: u64 = 86_400_000;
    let shop = open().await;
    shop.delivered(1, 1).await;
    let events = shop.events().await;
    shop.send(&events).await.unwrap();
    shop.clock.advance_ms(29 * DAY_MS);
    assert_eq!(forget(&shop.ports, 99).await.unwrap(), 0);
    shop.send(&events).await.unwrap();
    assert_eq!(shop.post.to(KIM).len(), 3);
    shop.clock.advance_ms(3 * DAY_MS);
    assert_eq!(forget(&shop.ports, 2).await.unwrap(), 2);
    assert_eq!(forget(&shop.ports, 2).await.unwrap(), 1);
    shop.send(&events).await.unwrap();
    assert_eq!(shop.post.to(KIM).len(), 3, "nobody knows any more");
}

#[tokio::test]
async fn a_code_is_made_anew_for_every_letter_and_a_known_address_has_none() {
    let shop = open().await;
    let mut events = Vec::new();
    for (number, address) in [(1, "new@example.com"), (2, KIM)] {
        let verification = Verification {
            id: VerificationId(id(9, number)),
            purpose: Purpose::SignUp,
            account: None,
            email: email(address),
            language: Language::Korean,
            code_digest: None,
            requested_at: at(0),
            expires_at: at(0) + TimeDelta::minutes(10),
            attempts: 0,
            used_at: None,
        };
        let event = Event::verification_requested(verification.id, at(0));
        let added = [(verification, event.clone())];
        let adding = shop.bench.verifications.add_verifications(&added);
        adding.await.unwrap();
        events.push(event);
    }
    *shop.post.later.lock().unwrap() = Some(("new@example.com", 1));
    assert_eq!(shop.send(&events).await, Err(FaultKind::Unavailable));
    shop.send(&events).await.unwrap();
    shop.send(&events).await.unwrap();
    assert_eq!(shop.post.to(KIM), [(events[1].id.0, "known")]);
    let letters = shop.post.to("new@example.com");
    assert_eq!(letters.len(), 1);
    let letter = shop.letter("new@example.com", "code");
    assert!(letter.language == Language::Korean);
    // The first of two may have got through: it must not pass for the second.
    assert_ne!(letter.id, events[0].id.0);
    let Content::Code {
        code,
        valid_minutes,
        ..
    } = letter.content
    else {
        panic!("it has one");
    };
    assert_eq!((code.len(), valid_minutes), (8, 10));
}

#[tokio::test]
async fn an_owner_reads_once_how_their_account_is_signed_in_to() {
    let shop = open().await;
    let happened = [
        AccountEvent::PasswordChanged,
        AccountEvent::SecondFactorSet { on: false },
    ];
    let events = |who| {
        let all = (0..).zip(happened);
        all.map(move |(number, what)| {
            Event::of_account(EventId(id(who, number)), buyer(who), at(0), what)
        })
    };
    // Of the second nobody is there to be told.
    let events: Vec<Event> = events(1).chain(events(99)).collect();
    shop.send(&events).await.unwrap();
    shop.send(&events).await.unwrap();
    let told = [(events[0].id.0, "password"), (events[1].id.0, "factor")];
    assert_eq!(shop.post.to(KIM), told);
    assert_eq!(shop.post.taken.lock().unwrap().len(), 2);
    assert!(shop.letter(KIM, "password").language == Language::Korean);
}

#[test]
fn only_what_a_buyer_should_know_asks_for_a_letter() {
    let order = stores::bench::order_id(1);
    let asks = |happened| asks_for_a_letter(&Event::of_order(order, 2, at(0), happened));
    let refund = new_ids(1).refund;
    assert!(asks(OrderEvent::Refunded { refund }));
    // A refund that is only asked for is none yet.
    assert!(!asks(OrderEvent::RefundRequested { refund }));
    assert!(!asks(OrderEvent::Expired));
}
